//! Reading a request's body field by field, and the rules that many fields share.
//!
//! Owns: types, lengths and tags. Does not know what is done with them. Keys it does not know are ignored, as by the API.

use serde_json::{Map, Value};

use super::error::{Problems, Refused};
use crate::wire::Request;

/// A body, and what is wrong with it so far.
pub(crate) struct Input {
    body: Map<String, Value>,
    pub(crate) problems: Problems,
}

impl Input {
    /// The body of a request; none counts as `{}`.
    pub(crate) fn of(request: &Request) -> Result<Self, Refused> {
        if request.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::from(Map::new()));
        }
        match serde_json::from_slice(&request.body) {
            Ok(Value::Object(body)) => Ok(Self::from(body)),
            Ok(Value::Null) => Ok(Self::from(Map::new())),
            _ => Err(Refused::new(400, "Invalid JSON")),
        }
    }

    /// An object inside a body.
    pub(crate) fn from(body: Map<String, Value>) -> Self {
        Self { body, problems: Problems::default() }
    }

    /// All of it.
    pub(crate) fn whole(&self) -> Map<String, Value> {
        self.body.clone()
    }

    /// Whether it is there and not null.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.body.get(field).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, field: &str) -> Option<String> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            _ => self.wrong(field, "Must be of type string"),
        }
    }

    /// A problem if it is not there.
    pub(crate) fn required_text(&mut self, field: &str) -> Option<String> {
        if !self.has(field) {
            return self.wrong(field, &format!("{field} is required"));
        }
        self.text(field)
    }

    pub(crate) fn flag(&mut self, field: &str) -> Option<bool> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Bool(flag) => Some(*flag),
            _ => self.wrong(field, "Must be of type boolean"),
        }
    }

    pub(crate) fn number(&mut self, field: &str) -> Option<u64> {
        match self.body.get(field)? {
            Value::Null => None,
            value => match value.as_u64() {
                Some(number) => Some(number),
                None => self.wrong(field, "Must be of type integer"),
            },
        }
    }

    pub(crate) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Array(all) => {
                let texts: Option<Vec<String>> = all.iter().map(|one| one.as_str().map(str::to_owned)).collect();
                if texts.is_none() { self.wrong(field, "Must be an array of strings") } else { texts }
            }
            _ => self.wrong(field, "Must be of type array"),
        }
    }

    pub(crate) fn object(&mut self, field: &str) -> Option<Map<String, Value>> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Object(object) => Some(object.clone()),
            _ => self.wrong(field, "Must be of type object"),
        }
    }

    pub(crate) fn array(&mut self, field: &str) -> Option<Vec<Value>> {
        match self.body.get(field)? {
            Value::Null => None,
            Value::Array(all) => Some(all.clone()),
            _ => self.wrong(field, "Must be of type array"),
        }
    }

    /// Tags: 3 to 50 characters each; the same one twice is one.
    pub(crate) fn tags(&mut self) -> Option<Vec<String>> {
        let mut tags = self.texts("tags")?;
        for (at, tag) in tags.iter().enumerate() {
            if !(3..=50).contains(&tag.chars().count()) {
                self.problems.add(format!("tags[{at}]"), "Must be 3-50 characters");
            }
        }
        tags.sort();
        tags.dedup();
        Some(tags)
    }

    /// Everything was right, or all that was not.
    pub(crate) fn done(self) -> Result<(), Refused> {
        self.problems.none()
    }

    /// Notes what is wrong with a field; gives none, for its reader to give on.
    pub(crate) fn wrong<T>(&mut self, field: &str, reason: &str) -> Option<T> {
        self.problems.add(field, reason);
        None
    }
}
