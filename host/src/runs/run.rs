//! A run: one durable execution, owned by one process.

use super::bounds::{Bounded, Bounds};
use super::chain::canonical_json;
use super::crash::Phase;
use super::difference::Difference;
use super::entry::{Entry, EntryKind};
use super::journal::{Extra, JournalError};
use super::lane::Lane;
use super::load::Steps;
use super::past::{Past, not_done};
use super::records::{RunSummary, Status};
use super::registry::Shared;
use crate::core::clock::utc;
use crate::core::time::{Crew, Watched};
use crate::core::{Cancel, Event, Failure, Hold, RunId};
use crate::inventory::Trouble;
use crate::secrets::files::{self, FileError, FileLock};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// The end of a run as the name of a point; no lane's step is called so.
const END: &str = "end";
const END_OP: &str = "run.end";

/// A run that this process executes. Dropped without `finish`, it is *interrupted* and can be taken up again.
pub struct Run {
    pub(super) shared: Arc<Shared>,
    /// For the thread that walks the root lane, until the run ends.
    hold: Mutex<Hold>,
    id: RunId,
    pub(super) key: Arc<str>,
    context: String,
    cancel: Cancel,
    /// Steps of the processes before this one; empty for a new run.
    pub(super) steps: Steps,
    sources: Mutex<BTreeMap<String, String>>,
    outputs: Mutex<BTreeMap<String, Value>>,
    facts: Mutex<BTreeMap<String, Value>>,
    failure: Mutex<Option<Failure>>,
    lock: Mutex<Option<FileLock>>,
    ended: AtomicBool,
    /// Steps are answered by the journal or not at all, and nothing is written.
    follows: bool,
    /// The text is not the one it was begun with.
    pub(super) other_text: AtomicBool,
    /// Steps that failed, or whose outcome is not known.
    failed: Mutex<HashSet<(Arc<str>, u32)>>,
    /// Where a script left the path of the journal.
    differences: Mutex<Vec<Difference>>,
    bounded: OnceLock<Bounded>,
}

impl Run {
    pub(super) fn new(shared: Arc<Shared>, id: RunId, context: String, lock: FileLock, past: Past) -> Arc<Self> {
        Arc::new(Self {
            hold: Mutex::new(shared.time.hold()),
            failed: Mutex::new(not_done(&past.steps)),
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
            follows: past.follows,
            other_text: AtomicBool::new(past.follows),
            differences: Mutex::default(),
            bounded: OnceLock::new(),
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

    /// To be asked by a thread that walks a lane before it begins others, each with a hand of it, and waits for them.
    pub fn crew(&self) -> Crew {
        guard(&self.hold).crew()
    }

    /// Work that a thread which walks a lane waits for.
    pub(super) fn waiting<F: Future>(&self, work: F) -> Watched<F> {
        guard(&self.hold).waiting(work)
    }

    /// Blocks a thread that walks a lane for that long, in the run's time; `false` if the run was cancelled meanwhile.
    pub fn pause(&self, time: Duration) -> bool {
        let pause = self.cancel.guard(self.shared.time.sleep(time));
        self.shared.handle.block_on(self.waiting(pause)).is_some()
    }

    /// Lets it go no further than that. To be said once, before its first step.
    pub fn bound(&self, bounds: Bounds) {
        let _ = self.bounded.set(Bounded::new(bounds, self.now()));
    }

    pub(super) fn bounded(&self) -> Option<&Bounded> {
        self.bounded.get()
    }

    /// Set to cut the run short: every waiting step returns at once, and its write stays in doubt.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Keeps the text of a recipe or module, so that the run can be taken up when the file has changed.
    pub fn source(&self, path: &str, text: &str) -> Result<(), Failure> {
        let known = guard(&self.sources).insert(path.to_owned(), text.to_owned());
        if self.follows || known.as_deref() == Some(text) {
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

    /// All texts that were kept, by path.
    pub fn stored_sources(&self) -> BTreeMap<String, String> {
        guard(&self.sources).clone()
    }

    /// From now on these texts are the run's; whatever else it imports is read anew. A last step that failed may then be
    /// another one: that it failed is often why the text was changed.
    pub fn replace_sources(&self, texts: &BTreeMap<String, String>) -> Result<(), Failure> {
        self.other_text.store(true, Ordering::Relaxed);
        guard(&self.sources).clear();
        texts.iter().try_for_each(|(path, text)| self.source(path, text))
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
        if self.follows {
            return Ok(());
        }
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

    /// Ends the run: all of it durable, the head of its chain in the audit log, its lock let go.
    pub fn finish(&self, status: Status) -> Result<RunSummary, Failure> {
        if matches!(status, Status::Running | Status::Interrupted) {
            return Err(Failure::internal(format!("a run cannot end as {status}")));
        }
        if self.ended.swap(true, Ordering::AcqRel) {
            return Err(Failure::internal(format!("run {} has ended already", self.id)));
        }
        *guard(&self.hold) = Hold::default();
        let failure = guard(&self.failure).take();
        let failure = failure.map(|failure| canonical_json(&failure)).transpose();
        let failure = failure.map_err(|error| Failure::internal(error.to_string()))?;
        let mut entry = Entry::of_run(EntryKind::Finish, self.now());
        entry.body =
            Some(json!({ "status": status, "failure": failure, "failed_steps": self.failed_steps() }).to_string());
        self.pass(END, 1, Phase::Before, END_OP);
        let ended = self.shared.journal.now(&self.key, entry, Extra::Finish { status, failure });
        ended.map_err(|error| self.way_on(error))?;
        self.pass(END, 1, Phase::Effect, END_OP);
        let summary = self.shared.summary(&self.id)?;
        if let Err(error) = self.write_audit(&summary) {
            // The run is no less done; who verifies its chain sees that the line is missing.
            let text = format!("run {} has ended, but the audit log lacks it: {error}; {}", self.id, error.hint());
            self.shared.events.note(text);
        }
        // Before the lock is let go: who follows the log reads on until then.
        let why = summary.failure.as_ref().map_or_else(String::new, |failure| format!(": {failure}"));
        let text = format!("run {} has ended: {}{why}", self.id, summary.status);
        self.shared.logs.close(&self.id, Some(Event::Note { text }));
        if let Some(lock) = guard(&self.lock).take() {
            lock.remove();
        }
        Ok(summary)
    }

    /// What to do about a journal that cannot be written, now that this run is at its end.
    fn way_on(&self, error: JournalError) -> Failure {
        let JournalError::Down { trouble: Trouble { remedy, .. }, .. } = &error else { return error.into() };
        let (id, remedy) = (&self.id, remedy.clone());
        let hint = match self.shared.summary(id) {
            Ok(run) if run.recipe.is_some() || run.resumable => {
                format!("nothing is lost: {remedy}, then go on: linodetool runs resume {id}")
            }
            Ok(_) => format!("{remedy}; what was begun is told by: linodetool runs show {id}"),
            Err(_) => format!("nothing was changed: {remedy}, then give the command again"),
        };
        Failure::from(error).hint(hint)
    }

    fn write_audit(&self, run: &RunSummary) -> Result<(), FileError> {
        let line = json!({
            "time": run.ended_ms.map(utc), "run": run.id, "title": run.title, "context": run.context,
            "status": run.status, "lines": run.lines, "head": run.head,
        });
        let path = self.shared.audit_log();
        files::append_private(&path, &line.to_string())
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
        self.shared.time.now_ms()
    }

    /// Keeps count of the steps that are not done, for the run's end.
    pub(super) fn note_ended(&self, lane: &Arc<str>, seq: u32, done: bool) {
        let mut failed = guard(&self.failed);
        let place = (lane.clone(), seq);
        let _ = if done { failed.remove(&place) } else { failed.insert(place) };
    }

    fn failed_steps(&self) -> usize {
        guard(&self.failed).len()
    }

    /// Whether it only follows its journal.
    pub(super) fn follows(&self) -> bool {
        self.follows
    }

    pub(super) fn note_difference(&self, difference: &Difference) {
        guard(&self.differences).push(difference.clone());
    }

    /// The first step, in the order of the lanes, where the script left the path of the journal.
    pub fn difference(&self) -> Option<Difference> {
        let order = |a: &&Difference, b: &&Difference| crate::inventory::store::natural_order(&a.step, &b.step);
        guard(&self.differences).iter().min_by(order).cloned()
    }
}

impl Drop for Run {
    /// Its last lines are durable before its lock is let go: whoever takes it up then sees all of it.
    fn drop(&mut self) {
        if !self.has_ended() {
            // A journal that is down has told so to whoever waited for it.
            let _ = self.shared.journal.barrier();
        }
        self.shared.logs.close(&self.id, None);
    }
}

impl From<JournalError> for super::StepError {
    fn from(error: JournalError) -> Self {
        Self::Journal(Box::new(error.into()))
    }
}

pub(super) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these hold is whole after each statement, so a panic elsewhere does not spoil it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a line says of a text.
pub(super) fn text_digest(text: &str) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(text)[..16]);
    digest
}
