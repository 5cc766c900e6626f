//! api: any operation of the provider, by method and path or by its name.

use linodetool_plugin::{Raw, RawOperation};
use serde::Serialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::core::{Failure, FailureKind};
use crate::provider::Secrets;
use crate::runs::{Done, Effect, Kind, StepCx, StepError};
use crate::toolkit::{At, Repeatable, Toolkit, operations};

/// A request below the provider's base URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSpec {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: String,
    /// `/linode/instances`.
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub body: Option<Value>,
    pub filter: Option<Value>,
    /// Of a list in pages, all of them: the answer is the array of what is in them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all_pages: bool,
}

impl RawSpec {
    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        self.method == "GET"
    }
}

impl Toolkit {
    /// Calls it and answers with the provider's JSON; `***` stands where it holds a secret.
    ///
    /// # Errors
    /// What the provider says. A request that changes something and whose answer is lost stays in doubt.
    pub fn raw(&self, at: At<'_>, spec: &RawSpec) -> Result<Value, StepError> {
        match spec.method.as_str() {
            "GET" => at.step(&Get { spec, toolkit: self }),
            "POST" | "PUT" | "DELETE" => at.step(&Change { spec, toolkit: self, shown: None }),
            other => {
                let failure = Failure::usage(format!("`{other}` is not a method")).field("method");
                Err(StepError::Failed(failure.hint("it is one of GET, POST, PUT, DELETE")))
            }
        }
    }

    /// Calls an operation by its name, with parameters by theirs.
    ///
    /// # Errors
    /// `Usage` before any request if it cannot be called so; else like [`Self::raw`].
    pub fn call_operation(
        &self,
        at: At<'_>,
        name: &str,
        parameters: Map<String, Value>,
        listing: Listing,
    ) -> Result<Value, StepError> {
        // What the plugin says decides what is asked, so the journal has it.
        let operation = at.step(&Find { operation: name, toolkit: self })?;
        let spec = operations::request(&operation, parameters).and_then(|spec| listing.of(&operation, spec));
        self.raw(at, &spec.map_err(StepError::Failed)?)
    }

    /// Asks once, outside a run, and gives the answer as it is, secrets and all: for showing it to the user, and nothing else.
    pub(crate) async fn look(&self, spec: &RawSpec) -> Result<Value, Failure> {
        call(self, spec).await
    }

    /// Changes something, and gives the answer as it is, secrets and all: for showing it to the user, and nothing else. What is
    /// on record has none of it.
    pub(crate) fn change(&self, at: At<'_>, spec: &RawSpec) -> Result<Value, StepError> {
        let shown = Mutex::default();
        let recorded = at.step(&Change { spec, toolkit: self, shown: Some(&shown) })?;
        Ok(shown.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or(recorded))
    }
}

/// What of a list is wanted.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listing {
    /// All pages: the answer is the array of what is in them.
    pub all_pages: bool,
    /// The provider's filter.
    pub filter: Option<Value>,
}

impl Listing {
    /// A request for it.
    ///
    /// # Errors
    /// `Usage` if the operation is no list, or cannot be filtered so.
    pub fn of(self, operation: &RawOperation, spec: RawSpec) -> Result<RawSpec, Failure> {
        if self.all_pages && !operation.paged {
            let message = format!("{} does not answer in pages", operation.id);
            return Err(Failure::usage(message).field("all_pages").hint("leave `all_pages` away"));
        }
        self.filter.iter().try_for_each(|filter| operations::check_filter(operation, filter))?;
        Ok(RawSpec { all_pages: self.all_pages, filter: self.filter, ..spec })
    }
}

#[derive(Serialize)]
struct Find<'a> {
    operation: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

#[derive(Serialize)]
struct Get<'a> {
    spec: &'a RawSpec,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

#[derive(Serialize)]
struct Change<'a> {
    spec: &'a RawSpec,
    #[serde(skip)]
    toolkit: &'a Toolkit,
    /// Where the answer goes beside the journal, whole.
    #[serde(skip)]
    shown: Option<&'a Mutex<Option<Value>>>,
}

/// The answer as it may be on record.
fn without_secrets(mut answer: Value) -> Value {
    match &mut answer {
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_secrets(item.take())),
        Value::Object(fields) => {
            for (name, value) in fields {
                let hides = operations::is_secret(name) && value.as_str().is_some_and(|text| !text.is_empty());
                *value = if hides { "***".into() } else { without_secrets(value.take()) };
            }
        }
        _ => {}
    }
    answer
}

/// Names of the secrets that a body refers to.
fn secrets_in(body: &Value, found: &mut BTreeSet<String>) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| secrets_in(item, found)),
        Value::Object(fields) => match fields.get("secret") {
            Some(Value::String(name)) => drop(found.insert(name.clone())),
            _ => fields.values().for_each(|value| secrets_in(value, found)),
        },
        _ => {}
    }
}

async fn call(toolkit: &Toolkit, spec: &RawSpec) -> Result<Value, Failure> {
    let json = |value: &Option<Value>| value.as_ref().map(to_raw_value).transpose();
    let broken = |e: serde_json::Error| Failure::usage(format!("not JSON: {e}"));
    let raw = Raw {
        method: spec.method.clone(),
        path: spec.path.clone(),
        query: spec.query.clone(),
        body: json(&spec.body).map_err(broken)?,
        filter: json(&spec.filter).map_err(broken)?,
        all_pages: spec.all_pages,
    };
    let mut names = BTreeSet::new();
    spec.body.iter().for_each(|body| secrets_in(body, &mut names));
    let secrets: Secrets = names
        .into_iter()
        .map(|name| Ok((name.clone(), toolkit.used_secret(&name)?)))
        .collect::<Result<_, Failure>>()?;
    let answer = toolkit.provider().await?.client.with_secrets(secrets).raw(&raw).await?;
    serde_json::from_str(answer.get())
        .map_err(|e| Failure::new(FailureKind::Plugin, format!("the answer is not JSON: {e}")))
}

impl Repeatable for Find<'_> {
    const OP: &'static str = "api.operation";
    const KIND: Kind = Kind::Read;
    type Out = RawOperation;

    async fn perform(&self, _: &StepCx) -> Result<Done<RawOperation>, Failure> {
        let all = self.toolkit.operations().await?;
        Ok(operations::expect(&all, self.operation)?.clone().into())
    }
}

impl Repeatable for Get<'_> {
    const OP: &'static str = "api.get";
    const KIND: Kind = Kind::Read;
    type Out = Value;

    async fn perform(&self, _: &StepCx) -> Result<Done<Value>, Failure> {
        Ok(without_secrets(call(self.toolkit, self.spec).await?).into())
    }
}

impl Effect for Change<'_> {
    const OP: &'static str = "api.change";
    const KIND: Kind = Kind::Write;
    type Out = Value;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Value>, Failure> {
        let changed = match call(self.toolkit, self.spec).await {
            // An earlier try has done it.
            Err(failure) if cx.in_doubt && self.deletes() && failure.kind == FailureKind::NotFound => Value::Null,
            answered => answered.map_err(|failure| self.lost(failure))?,
        };
        let recorded = without_secrets(changed.clone());
        if let Some(shown) = self.shown {
            *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(changed);
        }
        Ok(recorded.into())
    }

    /// Nothing is known of what a POST does, so it is neither found again nor repeated. The others are the same if done twice.
    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Value>>, Failure> {
        if self.spec.method == "POST" { Err(self.unknown("")) } else { Ok(None) }
    }
}

impl Change<'_> {
    fn deletes(&self) -> bool {
        self.spec.method == "DELETE"
    }

    /// An answer that did not come says nothing of what was done.
    fn lost(&self, failure: Failure) -> Failure {
        match failure.kind {
            FailureKind::Timeout | FailureKind::Unavailable => self.unknown(&format!(": {}", failure.message)),
            _ => failure,
        }
    }

    fn unknown(&self, why: &str) -> Failure {
        let RawSpec { method, path, .. } = self.spec;
        let message = format!("whether {method} {path} took effect is not known{why}");
        let hint = "look at the account first; if it did not, ask for it again in a new run";
        Failure::new(FailureKind::Interrupted, message).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_of_answers_are_not_on_record() {
        let answer = json!({"id": 7, "token": "0123abc", "keys": [{"label": "k", "secret_key": "x", "access_key": "A"}],
            "kubeconfig": "YQ==", "password": null, "secret": ""});
        let recorded = json!({"id": 7, "token": "***", "keys": [{"label": "k", "secret_key": "***", "access_key": "A"}],
            "kubeconfig": "***", "password": null, "secret": ""});
        assert_eq!(without_secrets(answer), recorded);
    }

    #[test]
    fn secrets_of_a_body_are_found_by_their_names() {
        let mut found = BTreeSet::new();
        secrets_in(
            &json!({"root_pass": {"secret": "web"}, "nodes": [{"key": {"secret": "db", "as": "base64"}}]}),
            &mut found,
        );
        assert_eq!(found, ["db", "web"].map(str::to_owned).into());
    }
}
