//! Names of nodes in /etc/hosts.

use super::plan::{Plan, State, absolute, digest, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A block of names in the hosts file. It stands at the top, since the first line with a name counts: distributions give
/// the machine's own name a loopback address further down, and services that listen there are heard by nobody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hosts {
    /// Address to names.
    pub entries: BTreeMap<String, Vec<String>>,
    /// Name of the block; others are left alone.
    pub block: String,
    /// The file.
    pub path: String,
}

impl Default for Hosts {
    fn default() -> Self {
        Self { entries: BTreeMap::new(), block: "hosts".into(), path: "/etc/hosts".into() }
    }
}

impl State for Hosts {
    fn title(&self) -> String {
        format!("hosts {}", self.block)
    }

    fn wish(&self) -> Wish {
        let text = serde_json::to_vec(&self.entries).unwrap_or_default();
        wish("hosts", &self.block, [("entries", Some(digest(&text)))])
    }

    fn plan(&self) -> Result<Plan> {
        let path = absolute("path", &self.path)?;
        let block = name("block", Some(&self.block))?;
        let mut parsed = Vec::new();
        for (address, names) in &self.entries {
            let Ok(ip) = address.parse::<IpAddr>() else {
                return Err(NodeError::usage("entries", format!("`{address}` is no IP address")));
            };
            if names.is_empty() {
                return Err(NodeError::usage("entries", format!("{address} has no name")));
            }
            for host in names {
                name("entries", Some(host))?;
            }
            parsed.push((ip, names.join(" ")));
        }
        parsed.sort();
        let text: String = parsed.iter().map(|(ip, names)| format!("{ip} {names}\n")).collect();
        Ok(Plan::new(self.title(), include_str!("sh/block.sh"), &[path, block]).stdin(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    fn hosts(here: &Here, entries: &[(&str, &str)]) -> Hosts {
        let entries =
            entries.iter().map(|(a, n)| ((*a).to_owned(), n.split(' ').map(str::to_owned).collect())).collect();
        Hosts { entries, path: here.path("hosts"), ..Hosts::default() }
    }

    #[test]
    fn the_block_stands_at_the_top_and_is_replaced() {
        let here = Here::new();
        std::fs::write(here.path("hosts"), "127.0.0.1 localhost\n127.0.1.1 web-1\n").unwrap();
        let one = hosts(&here, &[("192.168.0.10", "web-1 web-1.lan"), ("192.168.0.9", "db")]);
        assert_eq!(here.apply(&one), "changed: block");
        assert_eq!(here.apply(&one), "same: ");
        let two = hosts(&here, &[("192.168.0.9", "db")]);
        let other = Hosts { block: "other".into(), ..hosts(&here, &[("10.0.0.1", "x")]) };
        assert_eq!((here.apply(&other), here.apply(&two)), ("changed: block".into(), "changed: block".into()));
        expect_test::expect![[r"
            # linodetool hosts: begin
            192.168.0.9 db
            # linodetool hosts: end
            # linodetool other: begin
            10.0.0.1 x
            # linodetool other: end
            127.0.0.1 localhost
            127.0.1.1 web-1
        "]]
        .assert_eq(&read(&here.path("hosts")));
    }

    #[test]
    fn entries_are_checked() {
        let here = Here::new();
        assert!(hosts(&here, &[("web", "x")]).plan().is_err());
        assert!(hosts(&here, &[("10.0.0.1", "x;y")]).plan().is_err());
    }
}
