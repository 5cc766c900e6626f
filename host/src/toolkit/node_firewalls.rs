//! Firewalls that nodes have themselves, where the provider has none: rules of nftables, the same for all members of a cluster.
//!
//! Owns the rules and how they reach a node. As with a Cloud Firewall: SSH from everywhere, everything among the members,
//! nothing else. Does not know when members change.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

use linodetool_sandbox::act;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::core::Failure;
use crate::core::events::Ending;
use crate::core::ids::hex;
use crate::inventory::Node;
use crate::nodes::ExecOptions;
use crate::nodes::states::Applied;
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::stages::staged;
use crate::toolkit::{At, Repeatable, Toolkit};

const FILE: &str = "/etc/linodetool/firewall.nft";

/// Has the rules loaded at every boot, and now; installs `nft` where it is not there.
pub(crate) const ENABLE: &str = "\
cat >/etc/systemd/system/linodetool-firewall.service <<'UNIT'
[Unit]
Description=Firewall of this node (linodetool)
Before=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f /etc/linodetool/firewall.nft

[Install]
WantedBy=multi-user.target
UNIT
chmod 644 /etc/systemd/system/linodetool-firewall.service
command -v nft >/dev/null || { apt-get update && apt-get install -y nftables || dnf install -y nftables; } >/dev/null || exit 1
systemctl daemon-reload
systemctl enable linodetool-firewall.service >/dev/null 2>&1
nft -f /etc/linodetool/firewall.nft || exit 1
";

/// Reads the rules. Loads them also where they are there: nobody knows whether they are in force.
const GUARD: &str = "set -eu; umask 077; mkdir -p /etc/linodetool; file=/etc/linodetool/firewall.nft
cat >\"$file.new\"
if cmp -s \"$file.new\" \"$file\"; then rm \"$file.new\"; else mv \"$file.new\" \"$file\"; echo changed; fi
";

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
        let rules = rules(members);
        let digest = hex(&Sha256::digest(&rules));
        let items: Vec<_> = nodes.iter().map(|node| (node.name.clone(), node)).collect();
        let changed = at.lanes("firewalls.nodes", &items, |at, at_node: &&Node| {
            let guard = Guard { node: &at_node.name, digest: &digest, rules: &rules, at_node, toolkit: self };
            at.step(&guard).map(|applied| applied.changed)
        })?;
        Ok(changed.contains(&true))
    }
}

/// One node's rules: there, in force, and so after the next boot.
#[derive(Serialize)]
struct Guard<'a> {
    node: &'a str,
    /// Of the rules, which are the same for all nodes and may be long.
    digest: &'a str,
    #[serde(skip)]
    rules: &'a str,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Guard<'_> {
    const OP: &'static str = "firewalls.node";
    const KIND: Kind = Kind::Write;
    type Out = Applied;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Applied>, Failure> {
        let target = self.toolkit.target(self.at_node)?;
        let applied = staged(self.toolkit, self.node, "firewall", async {
            let nodes = self.toolkit.connections();
            let mut applied = if let Some(simulation) = nodes.simulation() {
                let digest = Some(self.digest.to_owned());
                let file = act::File { digest, size: self.rules.len() as u64, content: None };
                nodes.persistently(&target, || simulation.put(&target, FILE, file.clone())).await?
            } else {
                let (script, tries) = (format!("{GUARD}{ENABLE}"), AtomicU32::new(0));
                let load = || {
                    tries.fetch_add(1, Ordering::Relaxed);
                    let options = ExecOptions { stdin: Some(self.rules.into()), ..ExecOptions::default() };
                    nodes.exec_ok(&target, &script, options)
                };
                let output = nodes.persistently(&target, load).await?;
                let changed = tries.into_inner() > 1 || output.stdout_text().contains("changed");
                Applied { changed, ..Applied::default() }
            };
            // What an earlier try has changed is as it should be now.
            applied.changed |= cx.in_doubt;
            let ending = Ending::of(applied.changed);
            Ok((applied, ending))
        });
        Ok(applied.await?.into())
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
