//! Neutral nouns and arguments: one file per family.
//!
//! Nouns are read leniently (defaults, unknown fields ignored), arguments strictly. Ids are text, whatever the provider counts in.

mod account;
mod catalogue;
mod disk;
mod domain;
mod firewall;
mod instance;
mod ip;
mod nodebalancer;
mod placement;
mod raw;
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
pub use ip::*;
pub use nodebalancer::*;
pub use placement::*;
pub use raw::*;
pub use secret::*;
pub use stackscript::*;
pub use volume::*;
pub use vpc::*;

use serde::{Deserialize, Serialize};

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
