//! Cloud Firewalls.

use serde::{Deserialize, Serialize};

/// A firewall outside of the machines it guards.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    pub id: String,
    pub label: String,
    pub status: String,
    pub tags: Vec<String>,
    pub rules: FirewallRules,
    /// Ids of the instances it guards.
    pub instances: Vec<String>,
}

/// All rules of a firewall. The first that matches decides, then the policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirewallRules {
    pub inbound: Vec<FirewallRule>,
    pub outbound: Vec<FirewallRule>,
    pub inbound_policy: Verdict,
    pub outbound_policy: Verdict,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirewallRule {
    pub label: String,
    pub action: Verdict,
    /// `TCP`, `UDP`, `ICMP` or `IPENCAP`.
    pub protocol: String,
    /// `22` or `22, 8000-8010`; empty: all, or a protocol without ports.
    pub ports: String,
    /// CIDR.
    pub ipv4: Vec<String>,
    /// CIDR.
    pub ipv6: Vec<String>,
}

/// What happens to a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    #[default]
    Accept,
    Drop,
}

/// Which firewalls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListFirewalls {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A new firewall.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateFirewall {
    pub label: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    pub rules: FirewallRules,
}

/// New rules in place of the old ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetFirewallRules {
    pub id: String,
    pub rules: FirewallRules,
}
