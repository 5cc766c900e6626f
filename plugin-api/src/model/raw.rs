//! The provider's own operations: calling one, and the facts of all.
//!
//! The facts are asked for with `raw.operations`, never part of the manifest: there may be hundreds, and most runs need none.
//! A plugin that has none lists no such operation in its manifest.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

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
    /// Of a list in pages, all of them: the answer is the array of what is in them.
    #[serde(skip_serializing_if = "is_false")]
    pub all_pages: bool,
}

/// What is known of one of the provider's own operations. What is not said is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawOperation {
    /// As the provider calls it, `get-linode-instances`, `linode.list`. Unique.
    pub id: String,
    /// [`Raw::method`].
    pub method: String,
    /// [`Raw::path`], with the names of parameters in braces: `/linode/instances/{linodeId}`.
    pub path: String,
    /// One line for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What it is called with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<RawParameter>,
    /// What [`Raw::filter`] may name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filterable: Vec<String>,
    /// What the credential must be allowed, in the provider's words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// Its answer comes in pages; [`Raw::all_pages`] asks for all.
    #[serde(skip_serializing_if = "is_false")]
    pub paged: bool,
    /// Destroys something: a person is asked first.
    #[serde(skip_serializing_if = "is_false")]
    pub destructive: bool,
    /// May change or go.
    #[serde(skip_serializing_if = "is_false")]
    pub beta: bool,
    /// About to go.
    #[serde(skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Takes a body that is not JSON, so that `raw` cannot call it.
    #[serde(skip_serializing_if = "is_false")]
    pub foreign_body: bool,
}

/// A parameter of one of the provider's own operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RawParameter {
    /// As the provider writes it. The path and the body may each have one of this name: the old value and the new.
    pub name: String,
    /// Where it goes.
    pub place: RawPlace,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: RawType,
    /// Must be given.
    #[serde(skip_serializing_if = "is_false")]
    pub required: bool,
    /// All that it may be; anything when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Least number, or fewest letters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Largest number, or most letters of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawPlace {
    /// In place of its name in the path, escaped.
    Path,
    /// Into [`Raw::query`].
    Query,
    /// A field of [`Raw::body`].
    #[default]
    Body,
    /// A place that this version does not know.
    #[serde(other)]
    Other,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawType {
    /// A text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// An object.
    Object,
    /// An array of texts.
    Texts,
    /// An array of whole numbers.
    Wholes,
    /// An array of objects.
    Objects,
    /// An array of anything.
    List,
    /// Any value, or a type that this version does not know.
    #[default]
    #[serde(other)]
    Any,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
