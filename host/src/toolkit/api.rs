//! api: any operation of the provider, by method and path.

use linodetool_plugin::Raw;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::to_raw_value;
use std::collections::BTreeMap;

use crate::core::{Failure, FailureKind};
use crate::runs::{Done, Effect, Kind, StepCx, StepError};
use crate::toolkit::{At, Repeatable, Toolkit};

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
}

impl Toolkit {
    /// Calls it and answers with the provider's JSON.
    ///
    /// # Errors
    /// What the provider says. A request that changes something and whose answer is lost stays in doubt.
    pub fn raw(&self, at: At<'_>, spec: &RawSpec) -> Result<Value, StepError> {
        match spec.method.as_str() {
            "GET" => at.step(&Get { spec, toolkit: self }),
            "POST" | "PUT" | "DELETE" => at.step(&Change { spec, toolkit: self }),
            other => {
                let failure = Failure::usage(format!("`{other}` is not a method")).field("method");
                Err(StepError::Failed(failure.hint("it is one of GET, POST, PUT, DELETE")))
            }
        }
    }
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
        ..Raw::default()
    };
    let answer = toolkit.provider().await?.client.raw(&raw).await?;
    serde_json::from_str(answer.get())
        .map_err(|e| Failure::new(FailureKind::Plugin, format!("the answer is not JSON: {e}")))
}

impl Repeatable for Get<'_> {
    const OP: &'static str = "api.get";
    const KIND: Kind = Kind::Read;
    type Out = Value;

    async fn perform(&self, _: &StepCx) -> Result<Done<Value>, Failure> {
        Ok(call(self.toolkit, self.spec).await?.into())
    }
}

impl Effect for Change<'_> {
    const OP: &'static str = "api.change";
    const KIND: Kind = Kind::Write;
    type Out = Value;

    async fn perform(&self, _: &StepCx) -> Result<Done<Value>, Failure> {
        let changed = call(self.toolkit, self.spec).await.map_err(|failure| match failure.kind {
            FailureKind::Timeout | FailureKind::Unavailable => Failure { kind: FailureKind::Interrupted, ..failure },
            _ => failure,
        });
        changed.map(Done::from)
    }

    /// Nothing is known of what such a call does, so it is neither found again nor repeated.
    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Value>>, Failure> {
        let spec = self.spec;
        Err(Failure::new(
            FailureKind::Interrupted,
            format!("whether {} {} took effect is not known", spec.method, spec.path),
        )
        .hint("look at the account and begin a new run"))
    }
}
