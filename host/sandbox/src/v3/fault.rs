//! What went wrong, as API v3 says it: a number and a sentence.
//!
//! Owns: the refusals that many actions share. Does not know which action failed.

/// A refusal. Code 0 is none: a few actions answer "ok" in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: u64,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: u64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn ok() -> Self {
        Self::new(0, "ok")
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(4, "Authentication failed")
    }

    /// There is none, or it is somebody else's.
    pub(super) fn not_found() -> Self {
        Self::new(5, "Object not found")
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(6, format!("{parameter} is required but was not passed in"))
    }

    /// It is of the wrong type.
    pub(super) fn improper(parameter: &str, wanted: &str) -> Self {
        Self::new(7, format!("{parameter} must be {wanted}"))
    }

    /// It is of the right type, and cannot be.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(8, message)
    }
}
