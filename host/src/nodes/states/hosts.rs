//! Names of nodes in /etc/hosts.
//!
//! A list of names is checked, written as text and digested once, however many nodes get it.

use super::plan::{Plan, State, absolute, digest, name, wish};
use crate::nodes::{NodeError, Result};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Addresses with their names. Clones share them.
#[derive(Clone, Debug)]
pub struct Names(Arc<Listed>);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    count: usize,
    digest: String,
    /// A line each, as the file has them; not known of a list that comes from a journal.
    #[serde(skip)]
    text: Option<Arc<[u8]>>,
}

impl Names {
    /// Of addresses and their names; an address that comes more than once has all of them.
    ///
    /// # Errors
    /// `Usage` for what is no IP address, or no name.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut parsed = Vec::new();
        for (address, host) in entries {
            let Ok(ip) = address.parse::<IpAddr>() else {
                return Err(NodeError::usage("entries", format!("`{address}` is no IP address")));
            };
            parsed.push((ip, name("entries", Some(host))?));
        }
        // Stable: the first name of an address stays its first.
        parsed.sort_by_key(|(ip, _)| *ip);
        let lines = parsed.chunk_by(|a, b| a.0 == b.0).map(|same| {
            let names = same.iter().map(|(_, host)| format!(" {host}")).collect::<String>();
            format!("{}{names}\n", same[0].0)
        });
        let lines: Vec<_> = lines.collect();
        let (count, text) = (lines.len(), lines.concat().into_bytes());
        Ok(Self(Arc::new(Listed { count, digest: digest(&text), text: Some(text.into()) })))
    }
}

/// As a step's arguments have them: the list itself would be in the journal once for each node that gets it.
impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// From such arguments, or from those of before, which had the list.
impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Digest(Listed),
            List(BTreeMap<String, Vec<String>>),
        }
        match Form::deserialize(deserializer)? {
            Form::Digest(listed) => Ok(Self(Arc::new(listed))),
            Form::List(list) => {
                let entries = list.iter().flat_map(|(address, names)| names.iter().map(move |name| (address, name)));
                let names = Self::new(entries.map(|(address, name)| (address.as_str(), name.as_str())));
                names.map_err(serde::de::Error::custom)
            }
        }
    }
}

/// A block of names in the hosts file. It stands at the top, since the first line with a name counts: distributions give
/// the machine's own name a loopback address further down, and services that listen there are heard by nobody.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosts {
    pub entries: Names,
    /// Name of the block; others are left alone.
    pub block: String,
    /// The file.
    pub path: String,
}

impl Hosts {
    /// The block `hosts` in /etc/hosts.
    pub fn of(entries: Names) -> Self {
        Self { entries, block: "hosts".into(), path: "/etc/hosts".into() }
    }
}

impl State for Hosts {
    fn title(&self) -> String {
        format!("names in {}", self.path)
    }

    fn wish(&self) -> Wish {
        wish("hosts", &self.block, [("entries", Some(self.entries.0.digest.clone()))])
    }

    fn plan(&self) -> Result<Plan> {
        let path = absolute("path", &self.path)?;
        let block = name("block", Some(&self.block))?;
        let plan = Plan::new(self.title(), include_str!("sh/block.sh"), &[path, block]);
        let unknown = || NodeError::usage("entries", "of these names only a digest is known");
        Ok(plan.stdin(self.entries.0.text.clone().ok_or_else(unknown)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nodes::states::testing::{Here, read};

    fn hosts(here: &Here, entries: &[(&str, &str)]) -> Hosts {
        let entries = entries.iter().flat_map(|(address, names)| names.split(' ').map(move |name| (*address, name)));
        Hosts { path: here.path("hosts"), ..Hosts::of(Names::new(entries).unwrap()) }
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
        let refused = |address, name| Names::new([(address, name)]).unwrap_err().to_string();
        expect_test::expect!["`web` is no IP address"].assert_eq(&refused("web", "x"));
        assert!(Names::new([("10.0.0.1", "x;y")]).is_err() && Names::new([("10.0.0.1", "")]).is_err());
    }

    #[test]
    fn arguments_carry_a_digest_and_not_the_list() {
        let names = Names::new([("10.0.0.2", "b"), ("10.0.0.1", "a")]).unwrap();
        let other_order = Names::new([("10.0.0.1", "a"), ("10.0.0.2", "b")]).unwrap();
        let json = |names: &Names| serde_json::to_string(&Hosts::of(names.clone())).unwrap();
        assert_eq!(json(&names), json(&other_order));
        expect_test::expect![[r#"{"entries":{"count":2,"digest":"d7fa39a22042dca4f1fea0c9efc37f37f6ef3d7424fd13097dfcd338d4ecaba9"},"block":"hosts","path":"/etc/hosts"}"#]].assert_eq(&json(&names));
        let before = r#"{"entries":{"10.0.0.1":["a"],"10.0.0.2":["b"]},"block":"hosts","path":"/etc/hosts"}"#;
        for text in [&json(&names), before] {
            let read: Hosts = serde_json::from_str(text).unwrap();
            assert_eq!(read.wish(), Hosts::of(names.clone()).wish());
        }
    }
}
