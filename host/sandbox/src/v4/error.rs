//! The error bodies of the API.
//!
//! Owns: `{"errors":[{"reason","field"}]}` and the refusals that many calls share. Does not know which call failed.

use serde_json::{Value, json};

use crate::wire::Response;

/// A refusal: a status and one or more problems.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    field: Option<String>,
    reason: String,
}

impl Refused {
    /// A refusal of the request as a whole.
    pub(crate) fn new(status: u16, reason: impl Into<String>) -> Self {
        Self { status, problems: vec![Problem { field: None, reason: reason.into() }] }
    }

    /// 400, because of one field.
    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { status: 400, problems: vec![Problem { field: Some(field.into()), reason: reason.into() }] }
    }

    /// 404: there is none, or it is somebody else's.
    pub(crate) fn not_found() -> Self {
        Self::new(404, "Not found")
    }

    /// 400, because another operation is on its way.
    pub(crate) fn busy() -> Self {
        Self::new(400, "Linode busy.")
    }

    pub(crate) fn response(&self) -> Response {
        let errors: Vec<Value> = self
            .problems
            .iter()
            .map(|problem| match &problem.field {
                Some(field) => json!({"reason": problem.reason, "field": field}),
                None => json!({"reason": problem.reason}),
            })
            .collect();
        Response::new(self.status, json!({ "errors": errors }))
    }
}

/// Collects what is wrong with a body, since the API tells all of it at once.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.0.push(Problem { field: Some(field.into()), reason: reason.into() });
    }

    pub(crate) fn add_general(&mut self, reason: impl Into<String>) {
        self.0.push(Problem { field: None, reason: reason.into() });
    }

    /// Nothing was wrong, or all that was.
    pub(crate) fn none(self) -> Result<(), Refused> {
        if self.0.is_empty() { Ok(()) } else { Err(Refused { status: 400, problems: self.0 }) }
    }
}
