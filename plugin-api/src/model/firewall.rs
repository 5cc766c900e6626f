//! Cloud Firewalls.

use serde::{Deserialize, Serialize};

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
    /// A word that this version does not know; as an argument it is refused.
    #[serde(other)]
    Other,
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
    #[serde(with = "argument")]
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
    #[serde(with = "argument")]
    pub rules: FirewallRules,
}

/// The rules as arguments: `inbound_polcy` must not be ignored, or what should be closed is open; and what has its default
/// is not written, so that an older plugin need not know it.
mod argument {
    use super::{FirewallRule, FirewallRules, Verdict};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Rules {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        inbound: Vec<Rule>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        outbound: Vec<Rule>,
        #[serde(deserialize_with = "known", skip_serializing_if = "is_accept")]
        inbound_policy: Verdict,
        #[serde(deserialize_with = "known", skip_serializing_if = "is_accept")]
        outbound_policy: Verdict,
    }

    #[derive(Default, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Rule {
        #[serde(skip_serializing_if = "String::is_empty")]
        label: String,
        #[serde(deserialize_with = "known", skip_serializing_if = "is_accept")]
        action: Verdict,
        #[serde(skip_serializing_if = "String::is_empty")]
        protocol: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        ports: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        ipv4: Vec<String>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        ipv6: Vec<String>,
    }

    fn known<'de, D: Deserializer<'de>>(from: D) -> Result<Verdict, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Known {
            Accept,
            Drop,
        }

        Ok(match Known::deserialize(from)? {
            Known::Accept => Verdict::Accept,
            Known::Drop => Verdict::Drop,
        })
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_accept(verdict: &Verdict) -> bool {
        *verdict == Verdict::Accept
    }

    pub(super) fn serialize<S: Serializer>(rules: &FirewallRules, to: S) -> Result<S::Ok, S::Error> {
        let rule = |rule: &FirewallRule| {
            let FirewallRule { label, action, protocol, ports, ipv4, ipv6 } = rule.clone();
            Rule { label, action, protocol, ports, ipv4, ipv6 }
        };
        let FirewallRules { inbound, outbound, inbound_policy, outbound_policy } = rules;
        let (inbound, outbound) = (inbound.iter().map(rule).collect(), outbound.iter().map(rule).collect());
        Rules { inbound, outbound, inbound_policy: *inbound_policy, outbound_policy: *outbound_policy }.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<FirewallRules, D::Error> {
        let rule = |rule| {
            let Rule { label, action, protocol, ports, ipv4, ipv6 } = rule;
            FirewallRule { label, action, protocol, ports, ipv4, ipv6 }
        };
        let Rules { inbound, outbound, inbound_policy, outbound_policy } = Rules::deserialize(from)?;
        let (inbound, outbound) = (inbound.into_iter().map(rule).collect(), outbound.into_iter().map(rule).collect());
        Ok(FirewallRules { inbound, outbound, inbound_policy, outbound_policy })
    }
}
