//! tasks: runs seen as data. Waiting for and cancelling other runs come with resuming them.

use crate::core::{Failure, RunId};
use crate::runs::{RunDetail, RunFilter, RunSummary};
use crate::toolkit::Toolkit;

impl Toolkit {
    /// Runs of the context, newest first.
    pub fn list_runs(&self) -> Result<Vec<RunSummary>, Failure> {
        self.runs().list(&RunFilter { context: Some(self.context().into()), ..RunFilter::default() })
    }

    /// One run with its steps.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn show_run(&self, id: &RunId) -> Result<RunDetail, Failure> {
        self.runs().show(id)
    }
}
