//! The steps of a run that failed, as the run's end lists them. Does not know how they are shown.

use super::records::{RunDetail, StepKind, StepRecord, StepState};
use crate::core::Failure;
use serde::Serialize;

/// A step that failed, or whose outcome was told to be unknown, with what its last attempt said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailedStep {
    /// Its path, `seq` or `fan_out_seq.lane_name.seq`.
    pub step: String,
    pub op: String,
    pub attempt: u32,
    /// `file:line:column`.
    pub place: String,
    /// Names the node, if there is one.
    #[serde(flatten)]
    pub failure: Failure,
}

impl RunDetail {
    /// Steps that failed, the first one first. Those that the script went on after are among them.
    pub fn failed_steps(&self) -> Vec<FailedStep> {
        self.steps.iter().filter_map(failed).collect()
    }
}

fn failed(step: &StepRecord) -> Option<FailedStep> {
    if step.state == StepState::Done || step.kind == StepKind::Mark {
        return None;
    }
    let mut failure = step.failure.clone()?;
    if failure.node.is_none() && step.op.starts_with("node.") {
        failure.node = step.args["node"].as_str().map(str::to_owned);
    }
    let (path, op, place) = (step.path.clone(), step.op.clone(), step.place.clone());
    Some(FailedStep { step: path, op, attempt: step.attempt, place, failure })
}
