//! A JSON body field by field, so that what is not given is not written: API v4 tells `null` and absent apart.

use serde::Serialize;
use serde_json::{Map, Value};

/// An object to be sent.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Body(Map<String, Value>);

impl Body {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        // What we send are numbers, texts and references to secrets: they all have a JSON form.
        self.0.insert(name.to_owned(), serde_json::to_value(value).unwrap_or_default());
        self
    }

    /// Unless absent.
    pub(crate) fn some(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Unless it is an empty text, list or object.
    pub(crate) fn filled(mut self, name: &str, value: impl Serialize) -> Self {
        self = self.with(name, value);
        let empty = match self.0.get(name) {
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Array(items)) => items.is_empty(),
            Some(Value::Object(fields)) => fields.is_empty(),
            _ => false,
        };
        if empty {
            self.0.remove(name);
        }
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
