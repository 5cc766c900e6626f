//! One thing to ask of API v3: `linode.disk.create` and its parameters, as a form of its own or as part of a batch.
//!
//! Does not know how it is sent.

use linodetool_plugin::SecretRef;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An action and its parameters. Empty and absent ones are left out: to API v3 they are the same.
#[derive(Clone, Debug)]
pub(crate) struct Action {
    name: String,
    fields: BTreeMap<String, Value>,
    alone: bool,
}

impl Action {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), fields: BTreeMap::new(), alone: false }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn id(self, key: &str, id: u64) -> Self {
        self.text(key, id.to_string())
    }

    pub(crate) fn maybe_id(self, key: &str, id: Option<u64>) -> Self {
        self.text(key, id.map(|id| id.to_string()).unwrap_or_default())
    }

    pub(crate) fn number(self, key: &str, number: Option<impl Into<u64>>) -> Self {
        self.maybe_id(key, number.map(Into::into))
    }

    /// `1` or `0`, since some parameters know neither `true` nor `false`.
    pub(crate) fn flag(self, key: &str, flag: bool) -> Self {
        self.text(key, if flag { "1" } else { "0" })
    }

    pub(crate) fn text(mut self, key: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.fields.insert(key.to_owned(), Value::String(text));
        }
        self
    }

    /// What empties a field instead of leaving it.
    pub(crate) fn set(mut self, key: &str, text: impl Into<String>) -> Self {
        self.fields.insert(key.to_owned(), Value::String(text.into()));
        self
    }

    pub(crate) fn secret(mut self, key: &str, secret: Option<&SecretRef>) -> Self {
        if let Some(secret) = secret {
            self.fields.insert(key.to_owned(), json!(secret));
        }
        self
    }

    /// JSON as the text of one parameter. It goes alone: in a batch it would be text in JSON, where the host finds no secrets.
    pub(crate) fn object(mut self, key: &str, object: Map<String, Value>) -> Self {
        self.fields.insert(key.to_owned(), Value::Object(object));
        self.alone = true;
        self
    }

    pub(crate) fn goes_alone(&self) -> bool {
        self.alone
    }

    /// Whether it may be sent again after a lost answer: what only reads, what sets to a value, what removes. A second boot
    /// would start what is shut down meanwhile.
    pub(crate) fn may_be_repeated(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        let verbs = [".list", ".update", ".delete", ".setrdns", ".shutdown", ".resize"];
        self.only_reads() || verbs.iter().any(|verb| name.ends_with(verb)) && name != "linode.resize"
    }

    pub(crate) fn only_reads(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        name.starts_with("avail.")
            || name.ends_with(".list")
            || ["account.info", "account.estimateinvoice", "api.spec", "test.echo"].contains(&name.as_str())
    }

    /// The fields of a form.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut form: BTreeMap<_, _> = self.fields.iter().map(|(key, value)| (key.clone(), text(value))).collect();
        form.insert("api_action".to_owned(), self.name.clone());
        form
    }

    /// An element of `api_requestArray`.
    pub(crate) fn item(&self) -> Value {
        let mut item: Map<_, _> = self.fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        item.insert("api_action".to_owned(), Value::String(self.name.clone()));
        Value::Object(item)
    }
}
