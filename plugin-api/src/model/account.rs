//! Who the credential belongs to, and what happened on the account.

use serde::{Deserialize, Serialize};

/// The account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The provider's id of the account, stable over time.
    pub id: String,
    pub email: String,
    pub company: String,
    pub capabilities: Vec<String>,
}

/// The user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub username: String,
    pub email: String,
    /// Has grants instead of full access.
    pub restricted: bool,
    /// What the credential may do, `linodes:read_write` or `*`; empty if the provider does not say.
    pub scopes: Vec<String>,
}

/// Something that happened, or is happening.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    pub id: String,
    /// In the provider's words, `linode_boot`.
    pub action: String,
    pub status: EventStatus,
    /// 0 to 100, when known.
    pub percent: Option<u8>,
    /// UTC, `2026-01-31T12:00:00`.
    pub created: String,
    pub entity_type: String,
    pub entity_id: String,
    pub entity_label: String,
    pub username: String,
    pub message: String,
}

/// How far an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    #[default]
    Scheduled,
    Started,
    Finished,
    Failed,
    Notification,
    #[serde(other)]
    Other,
}

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListEvents {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only events created at this time or later; UTC, `2026-01-31T12:00:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// At most so many, newest first; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
