//! Runs and steps as data: what is asked for, listed and shown.

use super::effect::Place;
use crate::core::{Failure, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A process that executes a run is heard of at least so often.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(3);

/// What begins a run.
#[derive(Clone, Debug, Default)]
pub struct NewRun {
    /// `run recipes/hadoop.rhai`, `node create web-1`, ...
    pub title: String,
    /// As typed, without secrets.
    pub command_line: String,
    /// `application/customer`.
    pub context: String,
    pub provider: String,
    /// Path and text of the recipe, if it is one.
    pub recipe: Option<(String, String)>,
    pub params: Value,
    /// Of linodetool and of the plugins in use.
    pub versions: BTreeMap<String, String>,
    /// What else whoever takes it up should know, by name.
    pub facts: BTreeMap<String, Value>,
}

/// Parameter of a run that is a single command: what it asks for, from which it can go on.
pub const REQUEST: &str = "request";

/// What a run was begun with, and what was noted of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub summary: RunSummary,
    pub params: Value,
    pub versions: BTreeMap<String, String>,
    /// Texts by path.
    pub sources: BTreeMap<String, String>,
    pub facts: BTreeMap<String, Value>,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Running,
    /// Its process died: `runs resume` goes on.
    Interrupted,
    Done,
    Failed,
    Cancelled,
    /// It did what it could; something is left that needs another command.
    Incomplete,
    /// What it made was destroyed again by `runs undo`; it cannot be taken up any more.
    Undone,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Incomplete => "incomplete",
            Self::Undone => "undone",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        use Status::{Cancelled, Done, Failed, Incomplete, Interrupted, Running, Undone};
        let all = [Running, Interrupted, Done, Failed, Cancelled, Incomplete, Undone];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which runs to list; all that is given must match. Newest first.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    pub context: Option<String>,
    pub status: Option<Status>,
    /// Part of the title.
    pub title: Option<String>,
    pub limit: Option<usize>,
}

/// The process that executes a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Owner {
    pub pid: u32,
    /// When it was last heard of.
    pub heartbeat_ms: u64,
}

/// A run without its steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    pub id: RunId,
    pub title: String,
    pub command_line: String,
    pub context: String,
    pub provider: String,
    pub recipe: Option<String>,
    pub status: Status,
    pub failure: Option<Failure>,
    pub started_ms: u64,
    pub ended_ms: Option<u64>,
    /// Of a run that is executed now.
    pub owner: Option<Owner>,
    /// When a process that executes it, or did so, was last heard of; it may have lived on for `HEARTBEAT`.
    pub heard_ms: u64,
    pub retry_of: Option<RunId>,
    /// `runs resume` can go on with it.
    pub resumable: bool,
    /// Steps that failed, or whose outcome is not known, as it ended: those that it went on after, if it ended well.
    pub failed_steps: u32,
    /// Times that a process took it up; 1 for one that was never resumed.
    pub generation: u32,
    /// Lines of its journal.
    pub lines: u64,
    /// Head of its hash chain, hexadecimal.
    pub head: String,
}

impl RunSummary {
    /// It did something about another run, such as `runs cancel`, or about what runs have left. A retry is a run like any.
    pub(super) fn is_about_runs(&self) -> bool {
        let is_about = |title: &str| title.starts_with("runs ") || title == "cluster gc";
        self.recipe.is_none() && self.retry_of.is_none() && is_about(&self.title)
    }

    /// What a process that is dead now had under way, it had until then at most.
    pub fn at_work_until_ms(&self) -> u64 {
        self.heard_ms.saturating_add(u64::try_from(HEARTBEAT.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A run with all that its journal holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDetail {
    pub summary: RunSummary,
    pub params: Value,
    pub versions: BTreeMap<String, String>,
    /// In the order of their last line.
    pub steps: Vec<StepRecord>,
    pub outputs: BTreeMap<String, Value>,
    /// Texts by path.
    pub sources: BTreeMap<String, String>,
    /// What was noted of it, by name.
    pub facts: BTreeMap<String, Value>,
}

impl RunDetail {
    /// Steps whose outcome is not known. Of a run that is executed now, some of them are just being done.
    pub fn in_doubt(&self) -> impl Iterator<Item = &StepRecord> {
        self.steps.iter().filter(|step| step.state == StepState::Intent)
    }
}

/// What a step's place in the journal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Read,
    Write,
    /// No effect of its own: a fan-out.
    Mark,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Begun, outcome unknown.
    Intent,
    Done,
    Failed,
}

/// A step as the journal holds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepRecord {
    /// `seq`, or `fan_out_seq.lane_name.seq`.
    pub path: String,
    pub lane: String,
    pub seq: u32,
    pub kind: StepKind,
    pub op: String,
    /// Hexadecimal.
    pub digest: String,
    pub args: Value,
    /// `file:line:column`.
    pub place: String,
    pub state: StepState,
    pub attempt: u32,
    pub started_ms: u64,
    pub ended_ms: Option<u64>,
    pub outcome: Option<Value>,
    /// Of a failed step; of one in doubt, why its outcome is unknown.
    pub failure: Option<Failure>,
    /// Number of its last line in the journal.
    pub order: u64,
}

/// Whether a run's journal is as it was written.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChainReport {
    pub run: RunId,
    /// None of a run that the journal does not have.
    pub title: Option<String>,
    pub lines: u64,
    /// Computed from the lines, hexadecimal.
    pub head: String,
    /// The audit log vouches for that many lines from the first: those of a run until it last ended, of one that is or was
    /// under way fewer, and none of one that never ended.
    pub audited_lines: u64,
    /// What does not fit; empty if all does.
    pub problems: Vec<Problem>,
}

/// What does not fit in a run's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line, where it is known.
    pub line: Option<u64>,
    /// Path of the step that it is about.
    pub step: Option<String>,
    pub op: Option<String>,
    pub what: String,
}

impl Problem {
    pub(super) fn of_run(what: impl Into<String>) -> Self {
        Self { line: None, step: None, op: None, what: what.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(step) = &self.step {
            write!(f, "at step {step}")?;
            if let Some(op) = &self.op {
                write!(f, " (`{op}`)")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.what)?;
        self.line.map_or(Ok(()), |line| write!(f, " (line {line})"))
    }
}

/// Path of a step within its lane.
pub(super) fn step_path(lane: &str, seq: u32) -> String {
    if lane.is_empty() { seq.to_string() } else { format!("{lane}.{seq}") }
}

/// How a place is stored.
pub(super) fn place_text(place: &Place) -> String {
    place.to_string()
}
