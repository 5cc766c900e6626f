//! The nouns of the inventory. They are stored as JSON: a field may be added with a default, never renamed.

pub use linodetool_plugin::model::InstanceStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a private key is found in the secret store, and its public half.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyRef {
    /// Name in the secret store.
    pub secret: String,
    /// `ssh-ed25519 AAAA...`, without a comment.
    pub public: String,
}

/// Nodes of one kind in a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Role {
    pub role: String,
    pub count: u32,
    #[serde(rename = "type")]
    pub type_id: String,
}

/// A named set of nodes in roles, as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    pub name: String,
    pub context: String,
    pub provider: String,
    pub region: String,
    pub image: String,
    pub roles: Vec<Role>,
    /// The provider's id of the firewall that guards the nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_id: Option<String>,
    /// Logs in to all of its nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ref: Option<KeyRef>,
    pub created_by_run: String,
    pub created_ms: u64,
    /// The run that wrote this row last; set by the store.
    pub changed_by_run: String,
}

impl Cluster {
    /// In place of a firewall's id: the provider has none, and each node keeps strangers out itself.
    pub const ON_NODES: &str = "nftables";

    /// Id of the provider's firewall that guards its nodes.
    pub fn cloud_firewall(&self) -> Option<&str> {
        self.firewall_id.as_deref().filter(|id| *id != Self::ON_NODES)
    }
}

/// A machine and what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    pub name: String,
    pub context: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    pub provider: String,
    /// The provider's id.
    pub id: String,
    pub region: String,
    #[serde(rename = "type")]
    pub type_id: String,
    pub image: String,
    pub status: InstanceStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip: Option<String>,
    /// Without prefix length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<String>,
    pub memory_mb: u64,
    pub vcpus: u32,
    /// Public host keys, `ssh-ed25519 AAAA...`; the only ones that are trusted.
    pub host_keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_ref: Option<KeyRef>,
    /// Found by its tags alone: nobody is let in, or believed to be it, until its keys are given.
    #[serde(skip_serializing_if = "is_false")]
    pub locked: bool,
    /// Login name.
    pub user: String,
    pub tags: Vec<String>,
    pub created_by_run: String,
    pub created_ms: u64,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_hourly: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_monthly: Option<f64>,
    /// The run that wrote this row last; set by the store.
    pub changed_by_run: String,
}

/// Anything else that the provider keeps for us: a firewall, a StackScript, a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resource {
    /// `firewall`, `stackscript`, ...
    pub kind: String,
    pub name: String,
    pub context: String,
    pub provider: String,
    /// The provider's id.
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    pub created_by_run: String,
    pub created_ms: u64,
    /// What else is known of it.
    pub details: Value,
    /// The run that wrote this row last; set by the store.
    pub changed_by_run: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
