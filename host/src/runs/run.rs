//! A run: one durable execution, owned by one process.

use super::chain::canonical_json;
use super::crash::Phase;
use super::entry::{Entry, EntryKind};
use super::journal::{Extra, JournalError};
use super::lane::Lane;
use super::load::{Recorded, Steps};
use super::records::{RunSummary, Status, StepState, step_path};
use super::registry::Shared;
use crate::core::clock::utc;
use crate::core::{Cancel, Event, Failure, FailureKind, RunId};
use crate::secrets::files::{self, FileLock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The end of a run as the name of a point; no lane's step is called so.
const END: &str = "end";
const END_OP: &str = "run.end";

/// A run that this process executes. Dropped without `finish`, it is *interrupted* and can be taken up again.
pub struct Run {
    pub(super) shared: Arc<Shared>,
    id: RunId,
    pub(super) key: Arc<str>,
    context: String,
    cancel: Cancel,
    /// Steps of the processes before this one; empty for a new run.
    steps: Steps,
    sources: Mutex<BTreeMap<String, String>>,
    outputs: Mutex<BTreeMap<String, Value>>,
    facts: Mutex<BTreeMap<String, Value>>,
    failure: Mutex<Option<Failure>>,
    lock: Mutex<Option<FileLock>>,
    ended: AtomicBool,
}

/// What a run has from the processes before.
#[derive(Default)]
pub(super) struct Past {
    pub(super) steps: Steps,
    pub(super) sources: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, Value>,
    pub(super) facts: BTreeMap<String, Value>,
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, id: RunId, context: String, lock: FileLock, past: Past) -> Arc<Self> {
        Arc::new(Self {
            shared,
            key: Arc::from(id.as_str()),
            id,
            context,
            cancel: Cancel::default(),
            steps: past.steps,
            sources: Mutex::new(past.sources),
            outputs: Mutex::new(past.outputs),
            facts: Mutex::new(past.facts),
            failure: Mutex::default(),
            lock: Mutex::new(Some(lock)),
            ended: AtomicBool::new(false),
        })
    }

    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// `application/customer`.
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The lane that all others branch from.
    pub fn root(self: &Arc<Self>) -> Arc<Lane> {
        Lane::root(self.clone())
    }

    /// Set to cut the run short: every waiting step returns at once, and its write stays in doubt.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Keeps the text of a recipe or module, so that the run can be taken up when the file has changed.
    pub fn source(&self, path: &str, text: &str) -> Result<(), Failure> {
        let known = guard(&self.sources).insert(path.to_owned(), text.to_owned());
        if known.as_deref() == Some(text) {
            return Ok(());
        }
        let mut entry = Entry::of_run(EntryKind::Source, self.now());
        entry.args = Some(path.to_owned());
        entry.digest = Some(text_digest(text));
        Ok(self.shared.journal.later(&self.key, entry, Extra::Source(text.to_owned()))?)
    }

    /// The text that was kept at this path.
    pub fn stored_source(&self, path: &str) -> Option<String> {
        guard(&self.sources).get(path).cloned()
    }

    /// Notes something of the run as a whole that whoever takes it up should know. The last value of a name counts.
    pub fn note_fact(&self, name: &str, value: Value) -> Result<(), Failure> {
        let mut facts = guard(&self.facts);
        if facts.get(name) != Some(&value) {
            self.named_value(EntryKind::Fact, name, &value)?;
            facts.insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// What was noted under this name, by this process or one before it.
    pub fn fact(&self, name: &str) -> Option<Value> {
        guard(&self.facts).get(name).cloned()
    }

    /// A result of the run. Durable when `finish` returns.
    pub fn set_output(&self, name: &str, value: Value) -> Result<(), Failure> {
        let mut outputs = guard(&self.outputs);
        if outputs.get(name) != Some(&value) {
            self.named_value(EntryKind::Output, name, &value)?;
            outputs.insert(name.to_owned(), value.clone());
        }
        drop(outputs);
        self.shared.events.send(Event::OutputSet { name: name.to_owned(), value });
        Ok(())
    }

    fn named_value(&self, kind: EntryKind, name: &str, value: &Value) -> Result<(), Failure> {
        let body = canonical_json(value).map_err(|error| Failure::internal(error.to_string()))?;
        let mut entry = Entry::of_run(kind, self.now());
        entry.args = Some(name.to_owned());
        entry.body = Some(body);
        Ok(self.shared.journal.later(&self.key, entry, Extra::Nothing)?)
    }

    pub fn outputs(&self) -> BTreeMap<String, Value> {
        guard(&self.outputs).clone()
    }

    /// Why the run fails; kept by the `finish` that follows.
    pub fn set_failure(&self, failure: Failure) {
        *guard(&self.failure) = Some(failure);
    }

    /// Waits until all that was said so far is durable. Before anything is shown as done.
    pub fn barrier(&self) -> Result<(), Failure> {
        Ok(self.shared.journal.barrier()?)
    }

    /// Steps of the journal that the script has not come by, first ones first, as `(path, operation, place)`: a resumed
    /// script that ends while there are any has taken another path.
    pub fn unmet(&self) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        for (lane, steps) in &self.steps {
            for (seq, step) in (0..).zip(steps) {
                if let Some(step) = step.as_ref().filter(|step| !step.met.load(Ordering::Relaxed)) {
                    found.push((step_path(lane, seq), step.op.clone(), step.place.clone()));
                }
            }
        }
        found.sort_by(|a, b| crate::inventory::store::natural_order(&a.0, &b.0));
        found
    }

    /// Ends the run: all of it durable, the head of its chain in the audit log, its lock let go.
    pub fn finish(&self, status: Status) -> Result<RunSummary, Failure> {
        if matches!(status, Status::Running | Status::Interrupted) {
            return Err(Failure::internal(format!("a run cannot end as {status}")));
        }
        if self.ended.swap(true, Ordering::AcqRel) {
            return Err(Failure::internal(format!("run {} has ended already", self.id)));
        }
        let failure = guard(&self.failure).take();
        let failure = failure.map(|failure| canonical_json(&failure)).transpose();
        let failure = failure.map_err(|error| Failure::internal(error.to_string()))?;
        let mut entry = Entry::of_run(EntryKind::Finish, self.now());
        entry.body = Some(json!({ "status": status, "failure": failure }).to_string());
        self.pass(END, 1, Phase::Before, END_OP);
        self.shared.journal.now(&self.key, entry, Extra::Finish { status, failure })?;
        self.pass(END, 1, Phase::Effect, END_OP);
        let summary = self.shared.summary(&self.id)?;
        self.write_audit(&summary)?;
        if let Some(lock) = guard(&self.lock).take() {
            lock.remove();
        }
        Ok(summary)
    }

    fn write_audit(&self, run: &RunSummary) -> Result<(), Failure> {
        let line = json!({
            "time": run.ended_ms.map(utc), "run": run.id, "title": run.title, "context": run.context,
            "status": run.status, "lines": run.lines, "head": run.head,
        });
        let path = self.shared.audit_log();
        files::append_private(&path, &line.to_string()).map_err(|error| {
            let hint = error.hint();
            Failure::new(FailureKind::State, format!("the run has ended, but the audit log lacks it: {error}"))
                .hint(hint)
        })
    }

    /// A point where this process may be made to die.
    pub(super) fn pass(&self, step: &str, attempt: u32, phase: Phase, op: &str) {
        if let Some(points) = self.shared.points.get() {
            points.pass(step, attempt, phase, op);
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    pub(super) fn now(&self) -> u64 {
        self.shared.clock.now_ms()
    }

    pub(super) fn recorded(&self, lane: &str, seq: u32) -> Option<&Recorded> {
        self.steps.get(lane)?.get(seq as usize)?.as_ref()
    }

    /// A failure is history if the script went on after it, otherwise it is tried again. After it means: a later step in
    /// its lane, or past the fan-out in a lane above.
    pub(super) fn went_on_after(&self, lane: &str, seq: u32) -> bool {
        let (mut lane, mut seq) = (lane, seq);
        loop {
            if self.steps.get(lane).is_some_and(|steps| steps.len() > seq as usize + 1) {
                return true;
            }
            // `7.worker-2` is the lane `worker-2` of the fan-out that is step 7 of the lane above.
            let Some((fan_out, _name)) = lane.rsplit_once('.') else { return false };
            let (above, number) = fan_out.rsplit_once('.').unwrap_or(("", fan_out));
            let Ok(number) = number.parse() else { return false };
            (lane, seq) = (above, number);
        }
    }

    /// Counts of steps from before: all, done.
    pub fn recorded_steps(&self) -> (usize, usize) {
        let all = self.steps.values().flatten().flatten();
        all.fold((0, 0), |(all, done), step| (all + 1, done + usize::from(step.state == StepState::Done)))
    }
}

impl Drop for Run {
    /// Its last lines are durable before its lock is let go: whoever takes it up then sees all of it.
    fn drop(&mut self) {
        if !self.has_ended() {
            // A journal that is down has told so to whoever waited for it.
            let _ = self.shared.journal.barrier();
        }
    }
}

impl From<JournalError> for super::StepError {
    fn from(error: JournalError) -> Self {
        Self::Refused(error.to_string())
    }
}

pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is whole after each statement, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn text_digest(text: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(text)[..16]);
    digest
}
