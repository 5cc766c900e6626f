//! The `x-filter` header of API v4: which items of a list are wanted. Only fields that the API v4 docs call filterable may be
//! used; callers check again what comes back, since filters have been ignored and broken before.

use serde_json::{Map, Value, json};

/// Ids in one filter: 200 of them make a header of about 3.5 KB, and common servers take 8.
const IDS: usize = 200;

/// Fields that must all match. Empty: everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter(Map<String, Value>);

impl Filter {
    pub(crate) fn equals(mut self, field: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), value.into());
        }
        self
    }

    pub(crate) fn at_least(mut self, field: &str, value: Option<&String>) -> Self {
        if let Some(value) = value {
            self.0.insert(field.to_owned(), json!({ "+gte": value }));
        }
        self
    }

    pub(crate) fn newest_first(mut self) -> Self {
        self.0.insert("+order_by".to_owned(), json!("created"));
        self.0.insert("+order".to_owned(), json!("desc"));
        self
    }

    /// One filter for each chunk of ids; this very filter when there are none.
    pub(crate) fn with_ids(self, ids: &[u64]) -> Vec<Self> {
        if ids.is_empty() {
            return vec![self];
        }
        let chunk = |ids: &[u64]| {
            let mut fields = self.0.clone();
            let any: Vec<_> = ids.iter().map(|id| json!({ "id": id })).collect();
            fields.insert("+or".to_owned(), Value::Array(any));
            Self(fields)
        };
        ids.chunks(IDS).map(chunk).collect()
    }

    /// The header's value; none when everything is wanted. ASCII alone, since a header may hold nothing else.
    pub(crate) fn header(&self) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let json = Value::Object(self.0.clone()).to_string();
        if json.is_ascii() {
            return Some(json);
        }
        let mut header = String::new();
        let mut pair = [0; 2];
        for letter in json.chars() {
            if letter.is_ascii() {
                header.push(letter);
            } else {
                for unit in letter.encode_utf16(&mut pair) {
                    header.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
        Some(header)
    }
}
