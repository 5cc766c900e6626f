//! Effects: what a step does, and what it is given.

use super::crash::{self, CrashPoints, Phase};
use super::difference::Difference;
use super::tags;
use crate::core::{Cancel, Events, Failure, FailureKind, RunId, Time};
use crate::inventory::Change;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// What a step does to the world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only observes: no intent is written, nobody waits for its outcome to be durable.
    Read,
    /// Changes something: its intent is durable before it starts.
    Write,
}

/// One effect. The value is its arguments: its JSON is stored and its digest identifies the step, so that a handle to a
/// service is a field with `#[serde(skip)]`, and a secret is named by reference.
pub trait Effect: Serialize + Send + Sync {
    /// `instances.create`, `node.run`, ...
    const OP: &'static str;
    const KIND: Kind;
    /// What it gives; stored, so fields may be added with defaults only.
    type Out: Serialize + DeserializeOwned + Send;

    /// Does it. Runs on the lane's own thread and must not block it: a cancel drops the future where it waits.
    ///
    /// A failure of kind `Interrupted` or `Cancelled` says that a write may have taken effect: the step stays in doubt.
    /// Any other says that it did not, or that what it left is found by the next attempt.
    fn perform(&self, cx: &StepCx) -> impl Future<Output = Result<Done<Self::Out>, Failure>> + Send;

    /// An intent without an outcome was found. `Some`: it took effect, this is its outcome. `None`: it did not, and will
    /// not any more; it is performed now, as the same attempt. An error leaves it in doubt. Never asked of a read
    /// (`performs_again` is the answer there).
    fn reconcile(&self, cx: &StepCx) -> impl Future<Output = Result<Option<Done<Self::Out>>, Failure>> + Send;
}

/// For `reconcile` of reads, and of writes that may be done twice without harm.
pub fn performs_again<T>() -> impl Future<Output = Result<Option<Done<T>>, Failure>> + Send
where
    T: Send,
{
    std::future::ready(Ok(None))
}

/// A step's value, and the rows that are written together with it.
#[derive(Clone, Debug)]
pub struct Done<T> {
    pub value: T,
    pub changes: Vec<Change>,
}

impl<T> Done<T> {
    #[must_use]
    pub fn with(value: T, changes: Vec<Change>) -> Self {
        Self { value, changes }
    }
}

impl<T> From<T> for Done<T> {
    fn from(value: T) -> Self {
        Self { value, changes: Vec::new() }
    }
}

/// What an effect is given.
#[derive(Clone)]
pub struct StepCx {
    pub run: RunId,
    /// `seq`, or `fan_out_seq.lane_name.seq`: the same in every attempt.
    pub step: String,
    /// From 1; one more each time a step that failed is tried again.
    pub attempt: u32,
    /// When the intent of this attempt was written; of one in doubt, the last moment at which a process may have been at it:
    /// a request may wait for long for the provider's limits. How long an answer has been lost is counted from here.
    pub intent_ms: u64,
    /// An earlier process may have done some or all of this attempt, and what `reconcile` could not find is done again. What
    /// tells of changes must count it as one: a script decides by that what else has to be done.
    pub in_doubt: bool,
    pub cancel: Cancel,
    pub events: Events,
    pub time: Arc<dyn Time>,
    pub(super) points: Option<Arc<CrashPoints>>,
}

impl StepCx {
    /// Marks what this attempt creates: `lt-s-` and 24 hexadecimal digits.
    pub fn tag(&self) -> String {
        tags::step_tag(self.run.as_str(), &self.step, self.attempt)
    }

    /// Marks of the attempts before this one, newest first: what they left, if they left anything.
    pub fn earlier_tags(&self) -> Vec<String> {
        (1..self.attempt).rev().map(|attempt| tags::step_tag(self.run.as_str(), &self.step, attempt)).collect()
    }

    /// Marks what belongs to a cluster: `lt-c-` and 16 hexadecimal digits.
    pub fn cluster_tag(&self, context: &str, cluster: &str) -> String {
        tags::cluster_tag(context, cluster)
    }

    /// `RUN/STEP.ATTEMPT`: a name for what this attempt keeps elsewhere. Safe as a path: no `..`, no space, no quote.
    pub fn token(&self) -> String {
        format!("{}/{}.{}", self.run, self.step, self.attempt)
    }

    /// Whether this process is to die while a node executes this step's command: then the effect sees to it that it runs,
    /// and calls `die`. To be asked by an effect that starts something elsewhere, as it starts it.
    pub fn dies_while_running(&self, op: &str) -> bool {
        let Some(points) = &self.points else { return false };
        points.tell(&self.step, self.attempt, Phase::Running, op);
        points.is_at(&self.step, self.attempt, Phase::Running)
    }

    /// The death that was asked for.
    pub fn die(&self) -> ! {
        crash::die()
    }

    pub fn now_ms(&self) -> u64 {
        self.time.now_ms()
    }

    /// How long ago that was. A create whose answer was lost may still take effect for some
    /// minutes: until then `reconcile` must not say that it never will.
    pub fn since_intent(&self) -> Duration {
        Duration::from_millis(self.now_ms().saturating_sub(self.intent_ms))
    }
}

/// Where a step was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// A recipe or module; empty for a command.
    pub file: String,
    pub line: u32,
    pub column: u32,
}

impl Place {
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", 0) => f.write_str("the command"),
            (file, 0) => f.write_str(file),
            (file, line) => write!(f, "{file}:{line}:{}", self.column),
        }
    }
}

/// Why a step gave no value.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StepError {
    /// The effect failed; a script may catch this.
    #[error("{0}")]
    Failed(Failure),
    /// The script took another path than its journal; a script cannot catch this.
    #[error("{0}")]
    Diverged(Box<Difference>),
    /// The run only follows its journal, and this is the first step of its lane that the journal does not answer.
    #[error("the journal has no answer to this step yet")]
    NotYet,
    #[error("cancelled")]
    Cancelled,
    /// Nothing was done: the journal cannot be written, or another process has taken the run over. A script cannot catch
    /// this.
    #[error("{0}")]
    Journal(Box<Failure>),
    /// Nothing was done: the run has gone as far as it may (`Bounds`). A script cannot catch this.
    #[error("{0}")]
    Endless(Box<Failure>),
    /// Nothing was done: the step cannot be done here or cannot be journaled. A script cannot catch this.
    #[error("{0}")]
    Refused(String),
    /// Nothing was done: this operation changes something, and the lane only looks. A script cannot catch this.
    #[error("`{0}` changes something, which is not possible while waiting for a condition")]
    OnlyLooks(&'static str),
}

impl From<StepError> for Failure {
    fn from(error: StepError) -> Self {
        let message = error.to_string();
        match error {
            StepError::Failed(failure) => failure,
            StepError::Journal(failure) | StepError::Endless(failure) => *failure,
            StepError::Diverged(_) => Self::new(FailureKind::Diverged, message)
                .hint("resume it with the recipe it was begun with, or begin a new run"),
            StepError::NotYet => Self::internal(message),
            StepError::Cancelled => Self::new(FailureKind::Cancelled, message),
            StepError::Refused(_) | StepError::OnlyLooks(_) => Self::new(FailureKind::State, message),
        }
    }
}
