//! Cloud Firewalls.

use serde::{Deserialize, Deserializer, Serialize};

/// A firewall outside of the machines it guards.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Firewall {
    /// The provider's id.
    pub id: String,
    /// Unique for the account and kind.
    pub label: String,
    /// `enabled` or `disabled`.
    pub status: String,
    /// Tags.
    pub tags: Vec<String>,
    /// What it lets through.
    pub rules: FirewallRules,
    /// Ids of the instances it guards.
    pub instances: Vec<String>,
}

/// All rules of a firewall. The first that matches decides, then the policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirewallRules {
    /// For what comes in.
    pub inbound: Vec<FirewallRule>,
    /// For what goes out.
    pub outbound: Vec<FirewallRule>,
    /// For what comes in and no rule matches.
    pub inbound_policy: Verdict,
    /// For what goes out and no rule matches.
    pub outbound_policy: Verdict,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FirewallRule {
    /// For people; may be empty.
    pub label: String,
    /// What happens to what matches.
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
    /// It passes.
    #[default]
    Accept,
    /// It disappears.
    Drop,
}

/// Which firewalls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListFirewalls {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Has this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A new firewall.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateFirewall {
    /// 3 to 32 letters, unique for the account (Linode API v4 docs).
    pub label: String,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What it lets through. Strict, as every argument.
    #[serde(deserialize_with = "strictly")]
    pub rules: FirewallRules,
}

/// What to change; what is absent stays. Rules have an operation of their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateFirewall {
    /// Id of the firewall.
    pub id: String,
    /// 3 to 32 letters, unique for the account (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// All tags, in place of the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Whether it guards at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A firewall and what it guards or shall guard no more; exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FirewallDevice {
    /// Id of the firewall.
    pub firewall: String,
    /// Id of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Id of a NodeBalancer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodebalancer: Option<String>,
}

/// New rules in place of the old ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetFirewallRules {
    /// Id of the firewall.
    pub id: String,
    /// All of them. Strict, as every argument.
    #[serde(deserialize_with = "strictly")]
    pub rules: FirewallRules,
}

/// The rules as arguments: `inbound_polcy` must not be ignored, or what should be closed is open.
fn strictly<'de, D: Deserializer<'de>>(from: D) -> Result<FirewallRules, D::Error> {
    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Rules {
        inbound: Vec<Rule>,
        outbound: Vec<Rule>,
        inbound_policy: Verdict,
        outbound_policy: Verdict,
    }

    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Rule {
        label: String,
        action: Verdict,
        protocol: String,
        ports: String,
        ipv4: Vec<String>,
        ipv6: Vec<String>,
    }

    let lenient = |rule| {
        let Rule { label, action, protocol, ports, ipv4, ipv6 } = rule;
        FirewallRule { label, action, protocol, ports, ipv4, ipv6 }
    };
    let Rules { inbound, outbound, inbound_policy, outbound_policy } = Rules::deserialize(from)?;
    Ok(FirewallRules {
        inbound: inbound.into_iter().map(lenient).collect(),
        outbound: outbound.into_iter().map(lenient).collect(),
        inbound_policy,
        outbound_policy,
    })
}
