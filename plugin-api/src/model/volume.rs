//! Volumes: block storage that outlives the instance it is attached to.

use serde::{Deserialize, Serialize};

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// The provider's id.
    pub id: String,
    /// Unique for the account.
    pub label: String,
    /// Id of the region; a volume never leaves it.
    pub region: String,
    /// GB.
    pub size_gb: u64,
    /// State, without the question of who uses it.
    pub status: VolumeStatus,
    /// Id of the instance it is attached to. Changes some time after attach and detach have answered.
    pub instance: Option<String>,
    /// Where a machine finds it, `/dev/disk/by-id/...`.
    pub path: String,
    /// Tags.
    pub tags: Vec<String>,
    /// UTC, `2026-01-31T12:00:00`.
    pub created: String,
}

/// State of a volume.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VolumeStatus {
    /// Not usable yet.
    #[default]
    Creating,
    /// Usable.
    Active,
    /// Becoming larger.
    Resizing,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

/// Which volumes. All that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListVolumes {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Has this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Is attached to this instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
}

/// A new volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateVolume {
    /// 1 to 32 letters, unique for the account (Linode API v4 docs).
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// GB; 10 to 16384 (Linode API v4 docs).
    pub size_gb: u64,
    /// Attach it to this instance of the same region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A volume and the instance that is to have it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttachVolume {
    /// Id of the volume.
    pub id: String,
    /// Id of an instance of the same region.
    pub instance: String,
}

/// More room.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResizeVolume {
    /// Id of the volume.
    pub id: String,
    /// GB; never less than it has.
    pub size_gb: u64,
}

/// What to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateVolume {
    /// Id of the volume.
    pub id: String,
    /// 1 to 32 letters, unique for the account (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// All tags, in place of the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

/// A new volume with a copy of what is on another one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloneVolume {
    /// Id of the volume that is copied.
    pub id: String,
    /// Label of the new one.
    pub label: String,
}
