//! The parameters of a request: of its query, of the form in its body, or of one item of a batch. Names count without case.
//!
//! Owns: reading them. Does not know which ones an action wants.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::fault::Fault;
use crate::wire::{Request, pairs};

/// Parameters by their names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Of a GET, or of a POST with a form.
    pub(super) fn of(request: &Request) -> Result<Self, Fault> {
        if !matches!(request.method.as_str(), "GET" | "POST") {
            return Err(Fault::new(1, "Bad request"));
        }
        let mut all = request.parameters();
        if request.method == "POST" {
            let body = std::str::from_utf8(&request.body).map_err(|_| Fault::new(1, "Bad request"))?;
            all.extend(pairs(body.trim()));
        }
        Ok(Self(all.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect()))
    }

    /// Of a batch; none if the item is no object.
    pub(super) fn of_item(item: Value) -> Option<Self> {
        let Value::Object(fields) = item else { return None };
        let text = |value: Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        };
        Some(Self(fields.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), text(value))).collect()))
    }

    /// Empty if it is not there: that is the same here. The name is in lower case.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Whether it was given, be it empty.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Those that are the action's, without what belongs to the request itself.
    pub(super) fn own(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter().filter(|(name, _)| !name.starts_with("api_"));
        all.map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// The password of Basic authentication.
pub(super) fn password(request: &Request) -> Option<String> {
    let (scheme, rest) = request.header("authorization")?.split_once(' ')?;
    let pair = STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}
