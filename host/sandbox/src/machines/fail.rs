//! Errors of the machines' side: one sentence that says what was tried and why it failed.
//!
//! Owns: turning system errors into [`MachineError`] with context. They are text because they cross from the machines'
//! processes to ours over a pipe or a socket. Does not know who reads them.

use super::MachineError;
use std::fmt::Display;

pub(crate) type Result<T, E = MachineError> = std::result::Result<T, E>;

/// An error made of one sentence.
pub(crate) fn fail<T>(why: impl Into<String>) -> Result<T> {
    Err(MachineError(why.into()))
}

/// Adds what was tried to an error.
pub(crate) trait Because<T> {
    fn because<D: Display>(self, what: impl FnOnce() -> D) -> Result<T>;
}

impl<T, E: Display> Because<T> for std::result::Result<T, E> {
    fn because<D: Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.map_err(|e| MachineError(format!("{}: {e}", what())))
    }
}

impl<T> Because<T> for Option<T> {
    fn because<D: Display>(self, what: impl FnOnce() -> D) -> Result<T> {
        self.ok_or_else(|| MachineError(what().to_string()))
    }
}
