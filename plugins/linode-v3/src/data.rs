//! What API v3 writes: rows whose keys come in any case, numbers as text, flags as 0 and 1, `""` for nothing.
//!
//! A field that is only shown must never make a whole list unreadable, so what cannot be understood is read as the default;
//! what must be there (ids) is checked here. Does not know which fields there are.

use crate::errors::nonsense;
use linodetool_plugin::Result;
use serde_json::Value;
use std::collections::BTreeMap;

/// The `DATA` of an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Data(pub(crate) Value);

/// An object, its keys in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row(BTreeMap<String, Value>);

impl Data {
    /// The objects of a list. One alone is a list of one; none of it (`{}`, `""`, `null`) is none.
    pub(crate) fn rows(self) -> Vec<Row> {
        match self.0 {
            Value::Array(items) => items.into_iter().filter_map(Row::of).collect(),
            other => Row::of(other).filter(|row| !row.0.is_empty()).into_iter().collect(),
        }
    }

    /// The first object, which some answers wrap into a list; empty if there is none.
    pub(crate) fn row(self) -> Row {
        self.rows().into_iter().next().unwrap_or_default()
    }
}

impl Row {
    /// Anything but an object is none.
    pub(crate) fn of(value: Value) -> Option<Self> {
        let Value::Object(fields) = value else { return None };
        Some(Self(fields.into_iter().map(|(key, value)| (key.to_ascii_lowercase(), value)).collect()))
    }

    pub(crate) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Text, or a number written as text; anything else is empty. `key` in lower case, as everywhere here.
    pub(crate) fn text(&self, key: &str) -> String {
        match self.0.get(key) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => whole(number.as_f64()).unwrap_or_else(|| number.to_string()),
            _ => String::new(),
        }
    }

    /// A number of at least 0; fractions are cut off; anything else is 0.
    pub(crate) fn whole(&self, key: &str) -> u64 {
        self.amount(key) as u64 // saturates, and is 0 below 0
    }

    /// As [`whole`](Self::whole), at most the largest that fits.
    pub(crate) fn small(&self, key: &str) -> u32 {
        u32::try_from(self.whole(key)).unwrap_or(u32::MAX)
    }

    /// A number that may be below 0.
    pub(crate) fn signed(&self, key: &str) -> Option<i64> {
        self.number(key).map(|number| number as i64)
    }

    /// A number; anything else is 0.
    pub(crate) fn amount(&self, key: &str) -> f64 {
        self.number(key).unwrap_or_default()
    }

    /// `1`, `true`, `"1"`, `"true"`, `"yes"`; anything else is false.
    pub(crate) fn flag(&self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes"),
            Some(Value::Number(number)) => number.as_f64() == Some(1.0),
            _ => false,
        }
    }

    /// An id; 0 and nothing are none.
    pub(crate) fn maybe_id(&self, key: &str) -> Option<u64> {
        Some(self.whole(key)).filter(|&id| id > 0)
    }

    /// An id without which the thing could not be named again.
    pub(crate) fn id(&self, key: &str) -> Result<u64> {
        self.maybe_id(key).ok_or_else(|| nonsense(format!("the provider answered with something that has no {key}")))
    }

    fn number(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        }
    }
}

/// A number without fraction as it would be typed: `2.0` is `2`.
fn whole(number: Option<f64>) -> Option<String> {
    let number = number.filter(|number| number.fract() == 0.0 && number.abs() < 9e15)?;
    Some((number as i64).to_string())
}
