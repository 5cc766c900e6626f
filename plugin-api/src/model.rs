//! Neutral nouns and arguments: one file per family.
//!
//! Nouns are read leniently (defaults, unknown fields ignored), arguments strictly. Ids are text, whatever the provider counts in.

mod account;
mod catalogue;
mod disk;
mod domain;
mod firewall;
mod instance;
mod nodebalancer;
mod secret;
mod stackscript;
mod volume;
mod vpc;

pub use account::*;
pub use catalogue::*;
pub use disk::*;
pub use domain::*;
pub use firewall::*;
pub use instance::*;
pub use nodebalancer::*;
pub use secret::*;
pub use stackscript::*;
pub use volume::*;
pub use vpc::*;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Part of a list, or all of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What there is.
    #[serde(default = "Vec::new")]
    pub items: Vec<T>,
    /// Cursor for the next page; absent when this is the last. Lets a simple plugin leave paging to the host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// All there is.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// No arguments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoArguments {}

/// No answer but that it went well.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Nothing {}

/// The one thing with this id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ById {
    /// The provider's id.
    pub id: String,
}

impl ById {
    /// The thing with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into() }
    }
}

/// One of the provider's own operations.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Raw {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// Below the provider's base URL, `/linode/instances`.
    pub path: String,
    /// What follows `?`, not yet escaped.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Sent as it stands, but for the secrets in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Box<RawValue>>,
    /// The provider's filter, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Box<RawValue>>,
}
