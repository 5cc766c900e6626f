//! Disks of an instance, and the configurations that say which of them it boots with.

use crate::model::SecretRef;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A disk of an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Disk {
    /// Unique for the account.
    pub id: String,
    /// Not unique.
    pub label: String,
    /// MB.
    pub size_mb: u64,
    /// `ext4`, `swap`, `raw`, ...
    pub filesystem: String,
    /// Whether it can be used.
    pub status: DiskStatus,
    /// UTC, `2026-01-31T12:00:00`.
    pub created: String,
}

/// State of a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskStatus {
    /// Being made, copied or resized.
    #[default]
    NotReady,
    /// At rest.
    Ready,
    /// About to be gone.
    Deleting,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

/// What belongs to one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfInstance {
    /// Id of the instance.
    pub instance: String,
}

/// One part of one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartOfInstance {
    /// Id of the instance.
    pub instance: String,
    /// Id of the part.
    pub id: String,
}

/// A new disk. With an image it holds a system, without one it is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateDisk {
    /// Id of the instance.
    pub instance: String,
    /// 1 to 48 letters (Linode API v4 docs).
    pub label: String,
    /// MB; all disks together at most those of the instance's type.
    pub size_mb: u64,
    /// `ext4`, `swap`, `raw`, ...; the provider's default when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filesystem: String,
    /// Id of an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Public SSH keys for root; with an image.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorized_keys: Vec<String>,
    /// Root's password; with an image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_pass: Option<SecretRef>,
}

/// A new size for a disk of an instance that is off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResizeDisk {
    /// Id of the instance.
    pub instance: String,
    /// Id of the disk.
    pub id: String,
    /// MB; what is on the disk must fit.
    pub size_mb: u64,
}

/// What an instance boots with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceConfig {
    /// Unique for the account.
    pub id: String,
    /// Not unique.
    pub label: String,
    /// Id of a kernel.
    pub kernel: String,
    /// What each slot holds: `sda`, `sdb`, ...
    pub devices: BTreeMap<String, Device>,
    /// `/dev/sda`.
    pub root_device: String,
    /// For people.
    pub comments: String,
}

/// A disk or a volume in a slot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// Id of a disk of the same instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// Id of a volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}

/// A disk or a volume for a slot; exactly one of the two.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetDevice {
    /// Id of a disk of the same instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
    /// Id of a volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
}

/// A new configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateConfig {
    /// Id of the instance.
    pub instance: String,
    /// 1 to 48 letters (Linode API v4 docs).
    pub label: String,
    /// Id of a kernel; the provider's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// What each slot holds: `sda`, `sdb`, ...
    pub devices: BTreeMap<String, SetDevice>,
    /// `/dev/sda`; the provider's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_device: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
}

/// What to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateConfig {
    /// Id of the instance.
    pub instance: String,
    /// Id of the configuration.
    pub id: String,
    /// 1 to 48 letters (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Id of a kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// All slots, in place of the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub devices: Option<BTreeMap<String, SetDevice>>,
    /// `/dev/sda`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root_device: Option<String>,
}
