//! StackScripts: scripts that run at an instance's first boot.

use serde::{Deserialize, Serialize};

/// A stored script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StackScript {
    /// The provider's id.
    pub id: String,
    /// Not unique.
    pub label: String,
    /// For people.
    pub description: String,
    /// Image ids it is meant for; `any/all` for all.
    pub images: Vec<String>,
    /// Its text, from `#!` on.
    pub script: String,
    /// Everybody can see it.
    pub public: bool,
    /// What was said of its newest revision.
    pub revision_note: String,
}

/// Which StackScripts; the account's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListStackScripts {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A new StackScript.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateStackScript {
    /// 3 to 128 letters (Linode API v4 docs).
    pub label: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Image ids it is meant for; `any/all` for all.
    pub images: Vec<String>,
    /// Its text, from `#!` on.
    pub script: String,
    /// What distinguishes this revision; the place of the step's tag, since StackScripts have no tags.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub revision_note: String,
}

/// What to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateStackScript {
    /// Id of the StackScript.
    pub id: String,
    /// 3 to 128 letters (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Image ids it is meant for; `any/all` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub images: Option<Vec<String>>,
    /// Its text, from `#!` on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// What distinguishes this revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_note: Option<String>,
}
