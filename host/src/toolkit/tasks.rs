//! tasks: runs seen as data. Waiting for and cancelling other runs come with resuming them.

use crate::core::{Failure, RunId};
use crate::runs::{RunDetail, RunSummary};
use crate::toolkit::Toolkit;

impl Toolkit {
    /// Runs of the context, newest first.
    pub fn list_runs(&self) -> Result<Vec<RunSummary>, Failure> {
        Ok(self.runs().list(self.context())?)
    }

    /// One run with its steps.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn show_run(&self, id: &RunId) -> Result<RunDetail, Failure> {
        Ok(self.runs().show(id)?)
    }
}
