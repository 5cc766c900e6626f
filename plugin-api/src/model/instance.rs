//! Instances: machines of a provider.

use crate::model::{SecretRef, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    pub id: String,
    pub label: String,
    pub region: String,
    #[serde(rename = "type")]
    pub type_id: String,
    pub image: String,
    pub status: InstanceStatus,
    /// Public addresses.
    pub ipv4: Vec<String>,
    /// Addresses of the region's private network.
    pub private_ipv4: Vec<String>,
    /// With prefix length.
    pub ipv6: Option<String>,
    pub tags: Vec<String>,
    /// MB of memory.
    pub memory_mb: u64,
    /// MB of disk.
    pub disk_mb: u64,
    pub vcpus: u32,
    /// UTC, `2026-01-31T12:00:00`.
    pub created: String,
    /// Restarted by the provider when it dies.
    pub watchdog: bool,
}

/// State of an instance. All but `Running`, `Offline` and `Suspended` pass by themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceStatus {
    #[default]
    Provisioning,
    Booting,
    Running,
    Rebooting,
    ShuttingDown,
    Offline,
    Deleting,
    Migrating,
    Rebuilding,
    Resizing,
    Cloning,
    Restoring,
    Suspended,
    /// Busy with something that this version has no word for.
    #[serde(other)]
    Other,
}

/// Which instances. All that is given must match; the plugin checks again what the provider filtered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListInstances {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Has this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
}

/// A new instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateInstance {
    pub label: String,
    pub region: String,
    #[serde(rename = "type")]
    pub type_id: String,
    pub image: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Public SSH keys for root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_pass: Option<SecretRef>,
    /// cloud-init user data; a secret, since it carries the host's private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<SecretRef>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stackscript_id: Option<String>,
    /// Answers to the StackScript's questions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stackscript_data: BTreeMap<String, Text>,
    /// Guards the instance from its first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_id: Option<String>,
    /// Wants an address in the region's private network.
    #[serde(skip_serializing_if = "is_false")]
    pub private_ip: bool,
    /// Absent: the provider's default, which is to boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted: Option<bool>,
    /// MB of swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swap_mb: Option<u64>,
}

/// What to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateInstance {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<bool>,
}

/// An address of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    pub address: String,
    pub public: bool,
    /// 4 or 6.
    pub family: u8,
    /// Prefix length.
    pub prefix: u8,
    pub gateway: Option<String>,
    pub rdns: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
