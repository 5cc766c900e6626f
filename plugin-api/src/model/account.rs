//! Who the credential belongs to, and what happened on the account.

use serde::{Deserialize, Serialize};

/// The account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// The provider's id of the account, stable over time.
    pub id: String,
    /// Address of the person or firm.
    pub email: String,
    /// Empty for a person.
    pub company: String,
    /// In the provider's words: `Linodes`, `Cloud Firewall`, ...
    pub capabilities: Vec<String>,
}

/// The user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Unique for the provider.
    pub username: String,
    /// Address of the person or firm.
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
    /// The provider's id.
    pub id: String,
    /// In the provider's words, `linode_boot`.
    pub action: String,
    /// How far it is.
    pub status: EventStatus,
    /// 0 to 100, when known.
    pub percent: Option<u8>,
    /// UTC, `2026-01-31T12:00:00`.
    pub created: String,
    /// What it is about, in the provider's words: `linode`, `disk`, ...; empty if nothing.
    pub entity_type: String,
    /// Id of what it is about.
    pub entity_id: String,
    /// Label of what it is about.
    pub entity_label: String,
    /// Who caused it.
    pub username: String,
    /// More about it, often empty.
    pub message: String,
}

/// How far an event is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Waits for its turn.
    #[default]
    Scheduled,
    /// Under way.
    Started,
    /// Went well.
    Finished,
    /// Did not go well.
    Failed,
    /// Nothing to wait for; but Linode's API v4 also says so of what has not begun yet.
    Notification,
    /// A word that this version does not know.
    #[serde(other)]
    Other,
}

/// Which events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListEvents {
    /// About things of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_type: Option<String>,
    /// About this thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entity_id: Option<String>,
    /// Of this kind, in the provider's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only events created at this time or later; UTC, `2026-01-31T12:00:00`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// At most so many, newest first; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}
