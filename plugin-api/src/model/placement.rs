//! Placement groups: instances that are to stand on different hosts, so that one that dies takes only one of them along.

use serde::{Deserialize, Serialize};

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlacementGroup {
    /// The provider's id.
    pub id: String,
    /// Unique for the account.
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// What finds no host of its own is refused; otherwise it shares one.
    pub strict: bool,
    /// Whether all stand on hosts of their own.
    pub compliant: bool,
    /// Ids of the instances in it.
    pub instances: Vec<String>,
}

/// Which groups. All that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListPlacementGroups {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A new group, without instances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreatePlacementGroup {
    /// Unique for the account.
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// Refuse what finds no host of its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
}

/// Instances that join a group or leave it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlacementMembers {
    /// Id of the group.
    pub id: String,
    /// Ids of instances of its region.
    pub instances: Vec<String>,
}
