//! What a cluster's firewall lets through: SSH from everywhere, everything among the members, nothing else.

use linodetool_plugin::{FirewallRule, FirewallRules, Verdict};

use crate::inventory::Node;

/// Addresses in one rule, and rules in one firewall: Linode's limits (Cloud Firewall guide).
const ADDRESSES: usize = 255;
const RULES: usize = 25;

/// What members may send each other; a rule has one of these.
const PROTOCOLS: [&str; 3] = ["TCP", "UDP", "ICMP"];

/// Members that one firewall can tell from strangers, by one address each: all rules but the one for SSH. A prefix would hold
/// more, and strangers: the private network of a region is all its customers'.
pub(crate) const MOST_MEMBERS: usize = (RULES - 1) / PROTOCOLS.len() * ADDRESSES;

/// By which nodes are let in: all their addresses, or where these are too many, those that they know each other by.
pub(crate) fn member_addresses(nodes: &[Node]) -> Vec<String> {
    let all: Vec<_> = nodes.iter().flat_map(|node| node.private_ip.iter().chain(&node.public_ip)).cloned().collect();
    if all.len() <= MOST_MEMBERS {
        return all;
    }
    nodes.iter().filter_map(|node| node.private_ip.clone().or_else(|| node.public_ip.clone())).collect()
}

/// Rules for the members with these IPv4 addresses, public and private; none while they are not made yet.
pub fn cluster_rules(members: &[String]) -> FirewallRules {
    let mut inbound = vec![FirewallRule {
        label: "ssh".into(),
        action: Verdict::Accept,
        protocol: "TCP".into(),
        ports: "22".into(),
        ipv4: vec!["0.0.0.0/0".into()],
        ipv6: vec!["::/0".into()],
    }];
    for protocol in PROTOCOLS {
        for (part, addresses) in members.chunks(ADDRESSES).enumerate() {
            inbound.push(FirewallRule {
                label: format!("members-{}-{}", protocol.to_lowercase(), part + 1),
                action: Verdict::Accept,
                protocol: protocol.into(),
                ports: String::new(),
                ipv4: addresses.iter().map(|address| format!("{address}/32")).collect(),
                ipv6: Vec::new(),
            });
        }
    }
    FirewallRules { inbound, outbound: Vec::new(), inbound_policy: Verdict::Drop, outbound_policy: Verdict::Accept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn lines(rules: &FirewallRules) -> String {
        let line = |r: &FirewallRule| {
            let first = r.ipv4.first().map(String::as_str).unwrap_or_default();
            format!("{} {:?} {} {:?} {} of {first}...\n", r.label, r.action, r.protocol, r.ports, r.ipv4.len())
        };
        rules.inbound.iter().map(line).collect::<String>() + format!("else {:?}\n", rules.inbound_policy).as_str()
    }

    #[test]
    fn only_ssh_before_there_are_members() {
        expect![[r#"
            ssh Accept TCP "22" 1 of 0.0.0.0/0...
            else Drop
        "#]]
        .assert_eq(&lines(&cluster_rules(&[])));
    }

    #[test]
    fn as_many_members_as_a_firewall_has_room_for() {
        let node = |n: usize| Node {
            private_ip: Some(format!("192.168.{}.{}", 128 + n / 250, n % 250 + 1)),
            public_ip: Some(format!("198.18.{}.{}", n / 250, n % 250 + 1)),
            ..Node::default()
        };
        let nodes: Vec<_> = (0..MOST_MEMBERS).map(node).collect();
        let rules = |count: usize| {
            let members = member_addresses(&nodes[..count]);
            (members.len(), cluster_rules(&members).inbound.len())
        };
        assert_eq!([rules(1_020), rules(1_021), rules(2_040)], [(2_040, 25), (1_021, 16), (2_040, 25)]);
    }

    #[test]
    fn members_reach_each_other_in_rules_of_255_addresses() {
        let members: Vec<_> = (0..300).map(|n| format!("192.168.{}.{}", 128 + n / 250, n % 250 + 1)).collect();
        expect![[r#"
            ssh Accept TCP "22" 1 of 0.0.0.0/0...
            members-tcp-1 Accept TCP "" 255 of 192.168.128.1/32...
            members-tcp-2 Accept TCP "" 45 of 192.168.129.6/32...
            members-udp-1 Accept UDP "" 255 of 192.168.128.1/32...
            members-udp-2 Accept UDP "" 45 of 192.168.129.6/32...
            members-icmp-1 Accept ICMP "" 255 of 192.168.128.1/32...
            members-icmp-2 Accept ICMP "" 45 of 192.168.129.6/32...
            else Drop
        "#]]
        .assert_eq(&lines(&cluster_rules(&members)));
    }
}
