//! One line of the journal. Lines are only ever added; a step's state is what its lines add up to.

use std::borrow::Cow;
use std::sync::Arc;

/// What a line says. The numbers are stored: never change one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// The run began; the body is its description.
    Begin = 1,
    /// A process took over the run; the body says which.
    Owner = 2,
    /// The text of a recipe or module; `args` is its path, `digest` its hash.
    Source = 3,
    /// A place without an effect, such as a fan-out.
    Mark = 4,
    /// A write is about to start.
    Intent = 5,
    /// A step gave a value. With `op`: a read, which has no intent.
    Done = 6,
    /// A step failed; the body is the failure. With `op`: a read.
    Failed = 7,
    /// A write ended without telling whether it took effect; the body is the failure.
    Doubt = 8,
    /// The run set an output: `args` is its name.
    Output = 9,
    /// The run ended; the body is its status and failure.
    Finish = 10,
    /// Something known of the run as a whole: `args` is its name.
    Fact = 11,
}

impl EntryKind {
    pub(super) fn from_number(number: i64) -> Option<Self> {
        use EntryKind::{Begin, Done, Doubt, Fact, Failed, Finish, Intent, Mark, Output, Owner, Source};
        let all = [Begin, Owner, Source, Mark, Intent, Done, Failed, Doubt, Output, Finish, Fact];
        all.into_iter().find(|kind| *kind as i64 == number)
    }
}

/// SHA-256 of an operation and its arguments, the first half.
pub(super) type StepDigest = [u8; 16];

/// A line, before it has its number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    pub(super) lane: Arc<str>,
    pub(super) seq: u32,
    pub(super) attempt: u32,
    pub(super) op: Option<Cow<'static, str>>,
    pub(super) digest: Option<StepDigest>,
    pub(super) place: Option<String>,
    /// When a read began; a write's intent tells that itself.
    pub(super) began_ms: Option<u64>,
    pub(super) ms: u64,
    pub(super) args: Option<String>,
    pub(super) body: Option<String>,
}

impl Entry {
    /// A line that belongs to the run and to no step.
    pub(super) fn of_run(kind: EntryKind, ms: u64) -> Self {
        Self {
            kind,
            lane: Arc::from(""),
            seq: 0,
            attempt: 0,
            op: None,
            digest: None,
            place: None,
            began_ms: None,
            ms,
            args: None,
            body: None,
        }
    }
}
