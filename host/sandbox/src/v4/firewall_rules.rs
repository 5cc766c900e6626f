//! Rules of a firewall as the API writes them.
//!
//! Owns: their reading, checking and showing. Does not know firewalls' labels or devices.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use serde_json::{Map, Value, json};

use super::error::Problems;
use super::input::Input;
use crate::world::{Firewall, FirewallRule, Policy, RuleSet};

/// A firewall takes at most so many rules, in and out together.
const MOST_RULES: usize = 25;
/// A rule takes at most so many addresses, of both kinds together.
const MOST_ADDRESSES: usize = 255;

/// Reads `inbound`, `outbound` and the two policies; `at` is where they stand in the body, for the problems' fields.
pub(super) fn read_rules(body: Map<String, Value>, at: &str, problems: &mut Problems) -> Option<RuleSet> {
    let mut input = Input::from(body);
    let inbound = rules(&mut input, "inbound", at, problems);
    let outbound = rules(&mut input, "outbound", at, problems);
    let inbound_policy = policy(&mut input, "inbound_policy", at, problems);
    let outbound_policy = policy(&mut input, "outbound_policy", at, problems);
    if inbound.len() + outbound.len() > MOST_RULES {
        problems.add(at.trim_end_matches('.'), format!("Must have at most {MOST_RULES} rules"));
    }
    Some(RuleSet { inbound, outbound, inbound_policy: inbound_policy?, outbound_policy: outbound_policy? })
}

fn policy(input: &mut Input, field: &str, at: &str, problems: &mut Problems) -> Option<Policy> {
    let text = input.text(field);
    let policy = text.as_deref().and_then(Policy::parse);
    if policy.is_none() {
        let reason = if text.is_some() { "Must be ACCEPT or DROP".to_owned() } else { format!("{field} is required") };
        problems.add(format!("{at}{field}"), reason);
    }
    policy
}

fn rules(input: &mut Input, field: &str, at: &str, problems: &mut Problems) -> Vec<FirewallRule> {
    if input.has(field) && !input.whole().get(field).is_some_and(Value::is_array) {
        problems.add(format!("{at}{field}"), "Must be of type array");
    }
    let all = input.array(field).unwrap_or_default();
    all.into_iter()
        .enumerate()
        .filter_map(|(index, one)| {
            let place = format!("{at}{field}[{index}]");
            let Value::Object(one) = one else {
                problems.add(place, "Must be of type object");
                return None;
            };
            rule(one, &place, problems)
        })
        .collect()
}

fn rule(one: Map<String, Value>, place: &str, problems: &mut Problems) -> Option<FirewallRule> {
    let mut input = Input::from(one);
    let action = policy(&mut input, "action", &format!("{place}."), problems);
    let protocol = input.text("protocol").unwrap_or_default();
    if !matches!(protocol.as_str(), "TCP" | "UDP" | "ICMP" | "IPENCAP") {
        problems.add(format!("{place}.protocol"), "Must be one of TCP, UDP, ICMP, IPENCAP");
    }
    let ports = input.text("ports").filter(|ports| !ports.is_empty());
    if let Some(ports) = &ports {
        if !matches!(protocol.as_str(), "TCP" | "UDP") {
            problems.add(format!("{place}.ports"), "Ports are not allowed with this protocol");
        } else if !are_ports(ports) {
            problems.add(format!("{place}.ports"), "Must be ports or ranges of ports, separated by commas");
        }
    }
    let mut addresses = Input::from(input.object("addresses").unwrap_or_default());
    let (ipv4, ipv6) = (addresses.texts("ipv4"), addresses.texts("ipv6"));
    if ipv4.as_ref().is_none_or(Vec::is_empty) && ipv6.as_ref().is_none_or(Vec::is_empty) {
        problems.add(format!("{place}.addresses"), "addresses is required");
    }
    if ipv4.iter().chain(&ipv6).map(Vec::len).sum::<usize>() > MOST_ADDRESSES {
        problems.add(format!("{place}.addresses"), format!("Must have at most {MOST_ADDRESSES} addresses"));
    }
    for (index, _) in ipv4.iter().flatten().enumerate().filter(|(_, net)| !is_ipv4_net(net)) {
        problems.add(format!("{place}.addresses.ipv4[{index}]"), "Must be an IPv4 network in CIDR notation");
    }
    for (index, _) in ipv6.iter().flatten().enumerate().filter(|(_, net)| !is_ipv6_net(net)) {
        problems.add(format!("{place}.addresses.ipv6[{index}]"), "Must be an IPv6 network in CIDR notation");
    }
    let (label, description) = (input.text("label"), input.text("description"));
    if label.as_ref().is_some_and(|label| !(3..=32).contains(&label.chars().count())) {
        problems.add(format!("{place}.label"), "Must be 3-32 characters");
    }
    Some(FirewallRule { action: action?, protocol, ports, ipv4, ipv6, label, description })
}

/// `22`, `80, 443`, `8000-8010`: at most 15 pieces, as the API has it.
fn are_ports(text: &str) -> bool {
    let port = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
    let pieces: Vec<&str> = text.split(',').collect();
    pieces.len() <= 15
        && pieces.iter().all(|piece| match piece.split_once('-') {
            None => port(piece).is_some(),
            Some((from, to)) => matches!((port(from), port(to)), (Some(from), Some(to)) if from < to),
        })
}

fn is_ipv4_net(text: &str) -> bool {
    is_net(text, 32, |address| address.parse::<std::net::Ipv4Addr>().is_ok())
}

fn is_ipv6_net(text: &str) -> bool {
    is_net(text, 128, |address| address.parse::<std::net::Ipv6Addr>().is_ok())
}

fn is_net(text: &str, most: u8, is_address: impl Fn(&str) -> bool) -> bool {
    text.split_once('/')
        .is_some_and(|(address, length)| is_address(address) && length.parse::<u8>().is_ok_and(|length| length <= most))
}

pub(super) fn rules_view(firewall: &Firewall) -> Value {
    let rules = &firewall.rules;
    json!({
        "inbound": rules.inbound.iter().map(rule_view).collect::<Vec<_>>(),
        "inbound_policy": rules.inbound_policy.wire(),
        "outbound": rules.outbound.iter().map(rule_view).collect::<Vec<_>>(),
        "outbound_policy": rules.outbound_policy.wire(),
        "version": firewall.version,
        "fingerprint": fingerprint(rules),
    })
}

fn fingerprint(rules: &RuleSet) -> String {
    let mut hasher = DefaultHasher::new();
    rules.hash(&mut hasher);
    format!("{:08x}", hasher.finish() >> 32)
}

/// What was left out when the rule was made is left out here.
fn rule_view(rule: &FirewallRule) -> Value {
    let mut addresses = json!({});
    if let Some(nets) = &rule.ipv4 {
        addresses["ipv4"] = json!(nets);
    }
    if let Some(nets) = &rule.ipv6 {
        addresses["ipv6"] = json!(nets);
    }
    let mut view = json!({"action": rule.action.wire(), "protocol": rule.protocol, "addresses": addresses});
    for (name, value) in [("ports", &rule.ports), ("label", &rule.label), ("description", &rule.description)] {
        if let Some(value) = value {
            view[name] = json!(value);
        }
    }
    view
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(body: Value, expected: &Expect) {
        let mut problems = Problems::default();
        let Value::Object(body) = body else { panic!("an object") };
        let rules = read_rules(body, "rules.", &mut problems);
        let told = match problems.none() {
            Ok(()) => format!("{:?}", rules.expect("rules")),
            Err(refused) => {
                let body = refused.response().body.expect("a body");
                let told = |one: &Value| {
                    format!("{}: {}", one["field"].as_str().unwrap_or("-"), one["reason"].as_str().unwrap_or("-"))
                };
                body["errors"].as_array().expect("errors").iter().map(told).collect::<Vec<_>>().join("\n")
            }
        };
        expected.assert_eq(&told);
    }

    #[test]
    fn what_is_wrong_with_a_rule_is_told_where() {
        check(
            json!({"inbound": [
                {"action": "ALLOW", "protocol": "SCTP", "addresses": {"ipv4": ["10.0.0.1"]}},
                {"action": "DROP", "protocol": "TCP", "ports": "0, 80", "addresses": {"ipv6": ["::/129"]}},
                {"action": "DROP", "protocol": "ICMP", "ports": "1", "label": "x"}, 7],
                "outbound": {}, "inbound_policy": "DROP"}),
            &expect![[r#"
                rules.inbound[0].action: Must be ACCEPT or DROP
                rules.inbound[0].protocol: Must be one of TCP, UDP, ICMP, IPENCAP
                rules.inbound[0].addresses.ipv4[0]: Must be an IPv4 network in CIDR notation
                rules.inbound[1].ports: Must be ports or ranges of ports, separated by commas
                rules.inbound[1].addresses.ipv6[0]: Must be an IPv6 network in CIDR notation
                rules.inbound[2].ports: Ports are not allowed with this protocol
                rules.inbound[2].addresses: addresses is required
                rules.inbound[2].label: Must be 3-32 characters
                rules.inbound[3]: Must be of type object
                rules.outbound: Must be of type array
                rules.outbound_policy: outbound_policy is required"#]],
        );
        let many = vec![json!({"action": "DROP", "protocol": "TCP", "addresses": {"ipv4": ["0.0.0.0/0"]}}); 26];
        check(
            json!({"inbound": many, "inbound_policy": "DROP", "outbound_policy": "ACCEPT"}),
            &expect!["rules: Must have at most 25 rules"],
        );
        let wide = json!({"action": "DROP", "protocol": "TCP", "addresses": {"ipv4": vec!["10.0.0.1/32"; 256]}});
        check(
            json!({"inbound": [wide], "inbound_policy": "DROP", "outbound_policy": "ACCEPT"}),
            &expect!["rules.inbound[0].addresses: Must have at most 255 addresses"],
        );
    }

    #[test]
    fn ports_and_ranges() {
        for good in ["22", "22, 80,443", "8000-8010", "1-65535"] {
            assert!(are_ports(good), "{good}");
        }
        for bad in ["", "0", "65536", "10-9", "a", "22,,80", "1-2-3"] {
            assert!(!are_ports(bad), "{bad}");
        }
    }
}
