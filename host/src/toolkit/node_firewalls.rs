//! Firewalls that nodes have themselves, where the provider has none: rules of nftables, the same for all members of a cluster.
//!
//! Owns the rules and how they reach a node. As with a Cloud Firewall: SSH from everywhere, everything among the members,
//! nothing else. Does not know when members change.

use std::fmt::Write as _;

use crate::inventory::Node;
use crate::nodes::Rehearsed;
use crate::nodes::states::File;
use crate::runs::StepError;
use crate::toolkit::commands::RunOptions;
use crate::toolkit::{At, Toolkit};

const FILE: &str = "/etc/linodetool/firewall.nft";

/// The whole table, in place of the one before at once. Members are known by their IPv4 addresses.
pub(crate) fn rules(members: &[String]) -> String {
    let mut text = String::from("table inet linodetool\ndelete table inet linodetool\ntable inet linodetool {\n");
    text.push_str("\tset members {\n\t\ttype ipv4_addr\n");
    if !members.is_empty() {
        let _ = writeln!(text, "\t\telements = {{ {} }}", members.join(", ")); // writing to a String cannot fail
    }
    text.push_str(
        "\t}\n\tchain input {\n\
         \t\ttype filter hook input priority 0; policy drop;\n\
         \t\tct state established,related accept\n\
         \t\tiif \"lo\" accept\n\
         \t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept\n\
         \t\ttcp dport 22 accept\n\
         \t\tip saddr @members accept\n\
         \t}\n}\n",
    );
    text
}

impl Toolkit {
    /// Lets the members reach each other, each by its own rules; whether any had to be changed.
    pub(crate) fn set_node_members(&self, at: At<'_>, nodes: &[Node], members: &[String]) -> Result<bool, StepError> {
        let file = File {
            path: FILE.to_owned(),
            content: Some(rules(members)),
            mode: Some("0600".to_owned()),
            ..File::default()
        };
        let load = format!("nft -f {FILE}");
        let quiet = Rehearsed { output: String::new(), seconds: None };
        let options = RunOptions { name: Some("firewall".to_owned()), rehearse: Some(quiet), ..RunOptions::default() };
        let items: Vec<_> = nodes.iter().map(|node| (node.name.clone(), node.clone())).collect();
        let changed = at.lanes("firewalls.nodes", &items, |at, node: &Node| {
            let applied = self.apply(at, node, &file)?;
            if applied.changed {
                self.run_on(at, node, &load, &options)?;
            }
            Ok(applied.changed)
        })?;
        Ok(changed.contains(&true))
    }
}

#[cfg(test)]
mod tests {
    use super::rules;
    use expect_test::expect;

    #[test]
    fn members_and_ssh_alone_come_in() {
        expect![[r#"
            table inet linodetool
            delete table inet linodetool
            table inet linodetool {
            	set members {
            		type ipv4_addr
            		elements = { 192.168.128.1, 198.18.0.2 }
            	}
            	chain input {
            		type filter hook input priority 0; policy drop;
            		ct state established,related accept
            		iif "lo" accept
            		icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
            		tcp dport 22 accept
            		ip saddr @members accept
            	}
            }
        "#]]
        .assert_eq(&rules(&["192.168.128.1".to_owned(), "198.18.0.2".to_owned()]));
        assert!(!rules(&[]).contains("elements"));
    }
}
