//! Instances: machines of a provider.

use crate::model::{SecretRef, SetDevice, Text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    /// The provider's id.
    pub id: String,
    /// Unique for the account and kind.
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// Id of the type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Id of the image; empty if it has none.
    pub image: String,
    /// State.
    pub status: InstanceStatus,
    /// Public addresses.
    pub ipv4: Vec<String>,
    /// Addresses of the region's private network.
    pub private_ipv4: Vec<String>,
    /// With prefix length.
    pub ipv6: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// MB of memory.
    pub memory_mb: u64,
    /// MB of disk.
    pub disk_mb: u64,
    /// Virtual CPUs.
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
    /// Being made.
    #[default]
    Provisioning,
    /// Starting.
    Booting,
    /// On. Its system may still be starting.
    Running,
    /// Restarting.
    Rebooting,
    /// Stopping.
    ShuttingDown,
    /// Off.
    Offline,
    /// About to be gone.
    Deleting,
    /// Moving to another host.
    Migrating,
    /// Getting new disks.
    Rebuilding,
    /// Getting another type.
    Resizing,
    /// Being copied.
    Cloning,
    /// Getting its disks from a backup.
    Restoring,
    /// Off until the account's bills are paid.
    Suspended,
    /// Busy with something that this version has no word for.
    #[serde(other)]
    Other,
}

/// Which instances. All that is given must match; the plugin checks again what the provider filtered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListInstances {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Is there.
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
    /// 3 to 64 letters, digits, `.`, `_` and `-`, unique for the account (Linode API v4 docs).
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// Id of the type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Id of the image; empty: no disks.
    pub image: String,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Public SSH keys for root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
    /// Root's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_pass: Option<SecretRef>,
    /// cloud-init user data; a secret, since it carries the host's private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<SecretRef>,
    /// Id of a StackScript to run at the first boot.
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
    /// Id of a subnet of a VPC that it joins besides its public network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// Id of a placement group that it joins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement_group: Option<String>,
    /// Only when an earlier try of this very create may have taken effect, and only for a plugin with the feature
    /// [`BEFORE_IDS`](crate::BEFORE_IDS): ids of all instances that were there before that try. The one that is not among
    /// them, was made as it is wanted here and carries nobody's label, is it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Vec<String>>,
}

/// What to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateInstance {
    /// Id of the instance.
    pub id: String,
    /// A new label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// All tags, in place of the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// Whether the provider restarts it when it dies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watchdog: Option<bool>,
}

/// New disks from an image in place of all the old ones; id, label, type and addresses stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RebuildInstance {
    /// Id of the instance.
    pub id: String,
    /// Id of an image.
    pub image: String,
    /// Public SSH keys for root.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
    /// Root's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_pass: Option<SecretRef>,
    /// cloud-init user data; a secret, since it carries the host's private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_data: Option<SecretRef>,
    /// Id of a StackScript to run at the first boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stackscript_id: Option<String>,
    /// Answers to the StackScript's questions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stackscript_data: BTreeMap<String, Text>,
    /// Absent: the provider's default, which is to boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted: Option<bool>,
}

/// Another size for an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResizeInstance {
    /// Id of the instance.
    pub id: String,
    /// Id of the new type.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Keep it running while it moves, where the provider can; otherwise it is off meanwhile.
    #[serde(skip_serializing_if = "is_false")]
    pub warm: bool,
    /// Whether its disk grows and shrinks with it; the provider's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize_disk: Option<bool>,
}

/// A new instance with copies of another one's disks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloneInstance {
    /// Id of the instance that is copied.
    pub id: String,
    /// Label of the new one.
    pub label: String,
    /// Id of the region; that of the old one when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Id of the type; that of the old one when absent.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_id: Option<String>,
    /// Wants an address in the region's private network.
    #[serde(skip_serializing_if = "is_false")]
    pub private_ip: bool,
}

/// A start from the provider's rescue system, with what is to be looked at in its slots.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RescueInstance {
    /// Id of the instance.
    pub id: String,
    /// What each slot holds: `sda`, `sdb`, ...
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, SetDevice>,
}

/// Another password for root of an instance that is off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResetPassword {
    /// Id of the instance.
    pub id: String,
    /// Must be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_pass: Option<SecretRef>,
}

/// An address of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Without prefix length.
    pub address: String,
    /// Reachable from everywhere; otherwise from the region's private network.
    pub public: bool,
    /// 4 or 6.
    pub family: u8,
    /// Prefix length.
    pub prefix: u8,
    /// Where it sends what is for others.
    pub gateway: Option<String>,
    /// Its name by reverse lookup.
    pub rdns: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
