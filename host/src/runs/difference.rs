//! Where a script leaves the path of its journal, in words.
//!
//! Compares arguments as JSON. Does not know what they mean, nor decide what is a difference (`lane.rs`).

use serde_json::Value;
use std::fmt;

/// Of a value that is shown; a person compares a few words, not pages.
const SHOWN: usize = 60;

/// The step that the journal has, and the one that is asked for in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Path of the step in the journal.
    pub step: String,
    pub was: String,
    /// `file:line:column`.
    pub was_at: String,
    pub is: String,
    pub is_at: String,
    /// Whether the journal's step took effect is not known.
    pub in_doubt: bool,
    pub how: Departure,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The operation.
    Other,
    /// An argument; none if the journal's cannot be read.
    Argument(Option<Argument>),
    /// The script wants to do something before this step, which is done already.
    Earlier,
}

/// The first argument that differs, each side as JSON, shortened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// `name`, `roles[1].count`; empty if all is one value.
    pub name: String,
    pub was: String,
    pub is: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, was, was_at, is, is_at, .. } = self;
        match &self.how {
            Departure::Other => {
                write!(f, "step {step} was `{was}` at {was_at}, but now `{is}` is asked for at {is_at}")
            }
            Departure::Earlier => {
                write!(f, "step {step} was `{was}` at {was_at}, but now `{is}` is asked for before it, at {is_at}")
            }
            Departure::Argument(None) => {
                write!(f, "step {step} was `{was}` at {was_at}, but now it has other arguments at {is_at}")
            }
            Departure::Argument(Some(argument)) => {
                let Argument { name, was: old, is: new } = argument;
                let name = if name.is_empty() { String::new() } else { format!("`{name}` ") };
                write!(f, "step {step} was `{was}` with {name}{old} at {was_at}, but now it has {new} at {is_at}")
            }
        }
    }
}

/// The first argument that differs between two JSON texts.
pub(super) fn argument(was: &str, is: &str) -> Option<Argument> {
    let (was, is) = (serde_json::from_str(was).ok()?, serde_json::from_str(is).ok()?);
    first(&was, &is, String::new())
}

fn first(was: &Value, is: &Value, name: String) -> Option<Argument> {
    if was == is {
        return None;
    }
    let inside = match (was, is) {
        (Value::Object(old), Value::Object(new)) => {
            let dot = if name.is_empty() { "" } else { "." };
            let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
            keys.sort_unstable();
            keys.into_iter().find_map(|key| either(old.get(key), new.get(key), format!("{name}{dot}{key}")))
        }
        (Value::Array(old), Value::Array(new)) => {
            (0..old.len().max(new.len())).find_map(|i| either(old.get(i), new.get(i), format!("{name}[{i}]")))
        }
        _ => None,
    };
    inside.or_else(|| {
        let (was, is) = (was.to_string(), is.to_string());
        let same = was.chars().zip(is.chars()).take_while(|(a, b)| a == b).count();
        Some(Argument { name, was: short(&was, same), is: short(&is, same) })
    })
}

fn either(was: Option<&Value>, is: Option<&Value>, name: String) -> Option<Argument> {
    match (was, is) {
        (Some(was), Some(is)) => first(was, is, name),
        (Some(was), None) => Some(Argument { name, was: short(&was.to_string(), 0), is: "none".into() }),
        (None, Some(is)) => Some(Argument { name, was: "none".into(), is: short(&is.to_string(), 0) }),
        (None, None) => None,
    }
}

/// The part of a long text where it begins to differ.
fn short(text: &str, same: usize) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let from = if same < SHOWN / 2 { 0 } else { same - SHOWN / 4 };
    let part: String = text.chars().skip(from).take(SHOWN).collect();
    let begin = if from > 0 { "..." } else { "" };
    let end = if from + SHOWN < text.chars().count() { "..." } else { "" };
    format!("{begin}{part}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(was: &str, is: &str, expected: &Expect) {
        let found = argument(was, is).map(|found| format!("{}: {} | {}", found.name, found.was, found.is));
        expected.assert_eq(&found.unwrap_or_else(|| "the same".into()));
    }

    #[test]
    fn the_first_argument_that_differs_is_named() {
        check(r#"{"a":1,"b":[1]}"#, r#"{"b":[1],"a":1}"#, &expect!["the same"]);
        check(r#"{"name":"a","n":1}"#, r#"{"name":"b","n":1}"#, &expect![[r#"name: "a" | "b""#]]);
        check(r#"{"x":{"roles":[{"n":1}]}}"#, r#"{"x":{"roles":[{"n":2}]}}"#, &expect!["x.roles[0].n: 1 | 2"]);
        check(r#"["a"]"#, r#"["a","b"]"#, &expect![[r#"[1]: none | "b""#]]);
        check(r#"{"a":null}"#, r#"{}"#, &expect!["a: null | none"]);
        check("1", r#"{"a":1}"#, &expect![[r#": 1 | {"a":1}"#]]);
    }

    #[test]
    fn long_values_are_shown_where_they_differ() {
        let text = |end: &str| format!("\"{}{end}{}\"", "ü".repeat(100), "x".repeat(100));
        check(
            &text("old"),
            &text("new"),
            &expect![
                ": ...üüüüüüüüüüüüüüüoldxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx... | ...üüüüüüüüüüüüüüünewxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..."
            ],
        );
    }
}
