//! Script values to plain data and back. Handles are converted by who registered them; functions never are.
//!
//! Never goes through serde of a `Dynamic`: that would turn a handle into its type's name, silently.

use crate::core::{Failure, FailureKind};
use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};
use serde_json::{Number, Value};
use std::any::Any;
use std::sync::Arc;

type NameOf = Box<dyn Fn(&Dynamic) -> Option<String> + Send + Sync>;
type JsonOf = Box<dyn Fn(&Dynamic) -> Option<Value> + Send + Sync>;

/// What is known of the handle types that modules register: a node's name, a cluster as JSON.
#[derive(Clone, Default)]
pub struct Handles(Arc<Inner>);

#[derive(Default)]
struct Inner {
    names: Vec<NameOf>,
    json: Vec<JsonOf>,
}

impl std::fmt::Debug for Handles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Handles({})", self.0.json.len())
    }
}

/// Collects the handle types while the modules are registered.
#[derive(Default)]
pub struct HandleTypes(Inner);

impl HandleTypes {
    /// Lanes over such handles are named by `name`; `json` is what outputs and `--json` show of one.
    pub fn add<T: Any + Clone + Send + Sync>(
        &mut self,
        name: impl Fn(&T) -> String + Send + Sync + 'static,
        json: impl Fn(&T) -> Value + Send + Sync + 'static,
    ) {
        self.0.names.push(Box::new(move |value| value.read_lock::<T>().map(|handle| name(&handle))));
        self.0.json.push(Box::new(move |value| value.read_lock::<T>().map(|handle| json(&handle))));
    }

    pub(crate) fn done(self) -> Handles {
        Handles(Arc::new(self.0))
    }
}

impl Handles {
    /// What a handle is called.
    pub(crate) fn name_of(&self, value: &Dynamic) -> Option<String> {
        self.0.names.iter().find_map(|name| name(value))
    }

    /// Any plain value or known handle as JSON.
    ///
    /// # Errors
    /// A function, or a value of a type that has no JSON; the failure's field says where inside the value it is.
    pub fn to_json(&self, value: &Dynamic) -> Result<Value, Failure> {
        self.convert(value, &mut String::new())
    }

    fn convert(&self, value: &Dynamic, path: &mut String) -> Result<Value, Failure> {
        if let Some(json) = self.0.json.iter().find_map(|json| json(value)) {
            return Ok(json);
        }
        let length = path.len();
        if let Some(items) = value.read_lock::<Array>() {
            let items = items.iter().enumerate().map(|(i, item)| {
                path.push_str(&format!("[{i}]"));
                let item = self.convert(item, path);
                path.truncate(length);
                item
            });
            return items.collect::<Result<_, _>>().map(Value::Array);
        }
        if let Some(map) = value.read_lock::<Map>() {
            let entries = map.iter().map(|(key, item)| {
                path.push_str(if length == 0 { "" } else { "." });
                path.push_str(key);
                let item = self.convert(item, path);
                path.truncate(length);
                Ok((key.to_string(), item?))
            });
            return entries.collect::<Result<_, _>>().map(Value::Object);
        }
        scalar(value).ok_or_else(|| {
            let what = match type_word(value) {
                "Fn" => "a function".to_owned(),
                other => format!("a value of type {other}"),
            };
            let place = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            let failure = Failure::new(FailureKind::Script, format!("{what}{place} is not plain data"));
            failure.field(path.clone()).hint("use text, numbers, true or false, arrays, maps, or handles such as nodes")
        })
    }
}

fn scalar(value: &Dynamic) -> Option<Value> {
    if value.is_unit() {
        return Some(Value::Null);
    }
    if let Ok(b) = value.as_bool() {
        return Some(Value::Bool(b));
    }
    if let Ok(i) = value.as_int() {
        return Some(i.into());
    }
    if let Ok(f) = value.as_float() {
        return Number::from_f64(f).map(Value::Number);
    }
    if let Ok(c) = value.as_char() {
        return Some(c.to_string().into());
    }
    value.read_lock::<ImmutableString>().map(|text| text.as_str().into())
}

/// JSON as a script value. Whole numbers beyond 64 bits become text: a float would lose digits.
pub fn to_dynamic(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => match (n.as_i64(), n.is_f64().then(|| n.as_f64()).flatten()) {
            (Some(i), _) => i.into(),
            (None, Some(f)) => f.into(),
            (None, None) => n.to_string().into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(to_dynamic).collect::<Array>().into(),
        Value::Object(entries) => {
            entries.iter().map(|(k, v)| (k.as_str().into(), to_dynamic(v))).collect::<Map>().into()
        }
    }
}

/// The type of a value as a person says it.
pub(crate) fn type_word(value: &Dynamic) -> &'static str {
    if value.is::<FnPtr>() {
        return "Fn";
    }
    match value.type_name() {
        "()" => "nothing",
        "i64" => "int",
        "f64" => "float",
        "bool" => "bool",
        "char" => "char",
        "string" => "string",
        "array" => "array",
        "map" => "map",
        "blob" => "blob",
        other => other.rsplit("::").next().unwrap_or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    #[derive(Clone)]
    struct Node;

    #[expect(clippy::needless_pass_by_value, reason = "reads better in the tests")]
    fn check(script: &str, wanted: Expect) {
        let mut types = HandleTypes::default();
        types.add(|_: &Node| "web-1".into(), |_| serde_json::json!({ "name": "web-1" }));
        let mut engine = rhai::Engine::new();
        engine.register_fn("node", || Node);
        engine.register_fn("other", || std::time::Duration::ZERO);
        let value = engine.eval::<Dynamic>(script).unwrap();
        wanted.assert_eq(&match types.done().to_json(&value) {
            Ok(json) => json.to_string(),
            Err(failure) => format!("{failure}"),
        });
    }

    #[test]
    fn plain_values_become_json() {
        check("#{ b: [1, 2.5, true, 'c', ()], a: \"x\" }", expect![[r#"{"a":"x","b":[1,2.5,true,"c",null]}"#]]);
    }

    #[test]
    fn handles_become_what_they_say() {
        check("[node()]", expect![[r#"[{"name":"web-1"}]"#]]);
    }

    #[test]
    fn functions_and_strangers_are_refused_with_their_place() {
        check("|x| x", expect!["a function is not plain data"]);
        check("#{ a: [1, #{ f: |x| x }] }", expect!["a function at `a[1].f` is not plain data"]);
        check("[other()]", expect!["a value of type Duration at `[0]` is not plain data"]);
        check("0.0 / 0.0", expect!["a value of type float is not plain data"]);
    }

    #[test]
    fn numbers_keep_their_digits() {
        let json: Value = serde_json::from_str("[1, 18446744073709551615, 0.5, null]").unwrap();
        expect!["[1, \"18446744073709551615\", 0.5, ()]"].assert_eq(&to_dynamic(&json).to_string());
    }
}
