//! A lane: a branch of a run whose steps are in sequence. `Lane::step` is the only door to effects.

use super::bounds::Repeats;
use super::chain::{canonical_json, step_digest};
use super::crash::Phase;
use super::difference::{self, Departure, Difference};
use super::effect::{Done, Effect, Kind, Place, StepCx, StepError};
use super::entry::{Entry, EntryKind, StepDigest};
use super::journal::Extra;
use super::load::{Recorded, decode_failure};
use super::records::{StepState, place_text, step_path};
use super::run::Run;
use crate::core::{Failure, FailureKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A branch of a run. One thread at a time walks it; lanes know nothing of each other.
pub struct Lane {
    run: Arc<Run>,
    path: Arc<str>,
    mode: Mode,
    next: AtomicU32,
    repeats: Repeats,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    Live,
    /// Reads run without being journaled, writes are refused.
    Probe,
}

/// An effect under way.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + 'a>>;

/// A step that is about to be done: what identifies it, and its attempt.
struct Step {
    seq: u32,
    op: &'static str,
    digest: StepDigest,
    args: String,
    place: String,
    attempt: u32,
    intent_ms: u64,
}

impl Lane {
    pub(super) fn root(run: Arc<Run>) -> Arc<Self> {
        Arc::new(Self {
            run,
            path: Arc::from(""),
            mode: Mode::Live,
            next: AtomicU32::new(0),
            repeats: Repeats::default(),
        })
    }

    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Empty for the root, otherwise `fan_out_seq.lane_name`, nested.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The lane of this name in the fan-out that `mark` gave the number of. Two of one name would share a journal: the
    /// caller sees to it that there are none.
    pub fn child(&self, fan_out: u32, name: &str) -> Arc<Self> {
        let path = format!("{}.{}", step_path(&self.path, fan_out), escape(name));
        Arc::new(Self {
            run: self.run.clone(),
            path: path.into(),
            mode: self.mode,
            next: AtomicU32::new(0),
            repeats: Repeats::default(),
        })
    }

    /// A lane for looking around while waiting: reads are done and not journaled, writes are refused.
    pub fn probe(&self) -> Arc<Self> {
        let (run, path) = (self.run.clone(), self.path.clone());
        Arc::new(Self { run, path, mode: Mode::Probe, next: AtomicU32::new(0), repeats: Repeats::default() })
    }

    /// Whether the next step was done by a process before: then nothing need be waited for.
    pub fn is_next_done(&self) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        self.mode == Mode::Live && self.run.recorded(&self.path, next).is_some_and(|step| step.state == StepState::Done)
    }

    /// Notes a place in the journal that has no effect of its own, such as a fan-out and the names of its lanes. Gives
    /// its number, for `child`.
    pub fn mark(&self, at: &Place, op: &'static str, args: &impl Serialize) -> Result<u32, StepError> {
        self.check_open()?;
        if self.mode == Mode::Probe {
            return Err(StepError::Refused(format!("`{op}` cannot be used while waiting for a condition")));
        }
        let step = self.next_step(at, op, args, Kind::Read)?;
        match self.meet(&step)? {
            Some(old) if old.state == StepState::Done => {}
            _ if self.run.follows() => return Err(StepError::NotYet),
            _ => {
                let entry = self.first_line(EntryKind::Mark, &step, Some("null".to_owned()));
                self.run.shared.journal.later(&self.run.key, entry, Extra::Nothing)?;
            }
        }
        Ok(step.seq)
    }

    /// The door: does the effect, or answers with what an earlier process journaled. Blocks until the outcome is there
    /// or the run is cancelled.
    ///
    /// # Panics
    /// If called from a worker thread of the async runtime, which must not block. Call it from a thread of its own or
    /// `spawn_blocking`.
    pub fn step<E: Effect>(&self, at: &Place, effect: &E) -> Result<E::Out, StepError> {
        self.check_open()?;
        if self.mode == Mode::Probe {
            return self.look::<E>(effect);
        }
        let mut step = self.next_step(at, E::OP, effect, E::KIND)?;
        let mut in_doubt = false;
        if let Some(old) = self.meet(&step)? {
            let is_history = || self.run.went_on_after(&self.path, step.seq);
            match old.state {
                StepState::Done => return decode(&old.body, &self.name(step.seq), E::OP),
                StepState::Failed if is_history() => return Err(StepError::Failed(decode_failure(&old.body))),
                StepState::Failed => step.attempt = old.attempt + 1,
                // Its outcome was told to be unknown, and the script took that for an answer.
                StepState::Intent if !old.body.is_empty() && is_history() => {
                    return Err(StepError::Failed(decode_failure(&old.body)));
                }
                StepState::Intent => {
                    (step.attempt, step.intent_ms) = (old.attempt, old.intent_ms);
                    in_doubt = true;
                }
            }
        }
        if self.run.follows() {
            return Err(StepError::NotYet);
        }
        match E::KIND {
            Kind::Read => self.read(effect, &step),
            Kind::Write => self.write(effect, &step, in_doubt),
        }
    }

    fn look<E: Effect>(&self, effect: &E) -> Result<E::Out, StepError> {
        if E::KIND == Kind::Write {
            return Err(StepError::OnlyLooks(E::OP));
        }
        if self.run.follows() {
            return Err(StepError::NotYet);
        }
        if let Some(bounded) = self.run.bounded() {
            bounded.look(&self.repeats, self.run.now())?;
        }
        let path = format!("{}probe", if self.path.is_empty() { String::new() } else { format!("{}.", self.path) });
        let cx = self.context(path, 1, self.run.now());
        let done = self.wait(Box::pin(effect.perform(&cx)))?.map_err(StepError::Failed)?;
        Ok(done.value)
    }

    fn read<E: Effect>(&self, effect: &E, step: &Step) -> Result<E::Out, StepError> {
        let cx = self.context(self.name(step.seq), step.attempt, step.intent_ms);
        let (kind, body, changes, result) = match self.wait(Box::pin(effect.perform(&cx)))? {
            Ok(Done { value, changes }) => (EntryKind::Done, encode(&value, E::OP)?, changes, Ok(value)),
            Err(failure) => (EntryKind::Failed, encode(&failure, E::OP)?, Vec::new(), Err(StepError::Failed(failure))),
        };
        self.pass(step, Phase::Effect);
        let mut entry = self.first_line(kind, step, Some(body));
        entry.began_ms = Some(step.intent_ms);
        entry.ms = self.run.now();
        self.run.note_ended(&self.path, step.seq, kind == EntryKind::Done);
        self.run.shared.journal.later(&self.run.key, entry, Extra::Changes(changes))?;
        result
    }

    fn write<E: Effect>(&self, effect: &E, step: &Step, in_doubt: bool) -> Result<E::Out, StepError> {
        if !in_doubt {
            self.pass(step, Phase::Before);
            let entry = self.first_line(EntryKind::Intent, step, None);
            self.run.shared.journal.before_effect(&self.run.key, entry)?;
        }
        let mut cx = self.context(self.name(step.seq), step.attempt, step.intent_ms);
        cx.in_doubt = in_doubt;
        self.pass(step, Phase::Intent);
        let found = if in_doubt {
            match self.wait(Box::pin(effect.reconcile(&cx)))? {
                Ok(found) => found,
                Err(failure) => return Err(self.leave_in_doubt(step, failure)),
            }
        } else {
            None
        };
        let result = match found {
            Some(done) => Ok(done),
            None => self.wait(Box::pin(effect.perform(&cx)))?,
        };
        self.pass(step, Phase::Effect);
        match result {
            Ok(Done { value, changes }) => {
                self.outcome(step, EntryKind::Done, encode(&value, E::OP)?, changes)?;
                Ok(value)
            }
            // What did not get as far as the effect says nothing of what an earlier process may have done.
            Err(failure) if is_unknown(failure.kind) || in_doubt && is_no_verdict(failure.kind) => {
                Err(self.leave_in_doubt(step, failure))
            }
            Err(failure) => {
                self.outcome(step, EntryKind::Failed, encode(&failure, E::OP)?, Vec::new())?;
                Err(StepError::Failed(failure))
            }
        }
    }

    /// Notes why the outcome is unknown, since the script is told so and may go on.
    fn leave_in_doubt(&self, step: &Step, failure: Failure) -> StepError {
        if self.run.cancel().is_set() {
            return StepError::Cancelled;
        }
        let noted = encode(&failure, step.op).and_then(|body| self.outcome(step, EntryKind::Doubt, body, Vec::new()));
        noted.err().unwrap_or(StepError::Failed(failure))
    }

    fn outcome(
        &self,
        step: &Step,
        kind: EntryKind,
        body: String,
        changes: Vec<crate::inventory::Change>,
    ) -> Result<(), StepError> {
        let mut entry = Entry::of_run(kind, self.run.now());
        entry.lane = self.path.clone();
        entry.seq = step.seq;
        entry.attempt = step.attempt;
        entry.body = Some(body);
        self.run.note_ended(&self.path, step.seq, kind == EntryKind::Done);
        Ok(self.run.shared.journal.later(&self.run.key, entry, Extra::Changes(changes))?)
    }

    fn pass(&self, step: &Step, phase: Phase) {
        // The name is made only where somebody wants it.
        if self.run.shared.points.get().is_some() {
            self.run.pass(&self.name(step.seq), step.attempt, phase, step.op);
        }
    }

    fn check_open(&self) -> Result<(), StepError> {
        if self.run.has_ended() {
            return Err(StepError::Refused(format!("run {} has ended", self.run.id())));
        }
        if self.run.cancel().is_set() { Err(StepError::Cancelled) } else { Ok(()) }
    }

    fn next_step(&self, at: &Place, op: &'static str, args: &impl Serialize, kind: Kind) -> Result<Step, StepError> {
        let args = canonical_json(args).map_err(|error| unjournaled(op, &error))?;
        let digest = step_digest(op, &args);
        if let Some(bounded) = self.run.bounded() {
            bounded.step(&self.repeats, &digest, kind, self.run.now())?;
        }
        let seq = self.next.fetch_add(1, Ordering::Relaxed);
        Ok(Step { seq, op, digest, args, place: place_text(at), attempt: 1, intent_ms: self.run.now() })
    }

    /// What the journal has at this place, if it is the same step.
    fn meet(&self, step: &Step) -> Result<Option<&Recorded>, StepError> {
        let Some(old) = self.run.recorded(&self.path, step.seq) else {
            // Only a text that was changed comes here before all that the journal has of later.
            let next = self.run.follows().then(|| self.run.next_after(&self.path, step.seq)).flatten();
            return next.map_or(Ok(None), |(path, next)| Err(self.diverged(path, next, step, Departure::Earlier)));
        };
        if old.op == step.op && old.digest == step.digest || self.run.may_replace(&self.path, step.seq, old) {
            old.met.store(true, Ordering::Relaxed);
            return Ok(Some(old));
        }
        let how = if old.op == step.op {
            let was = self.run.recorded_args(&self.path, step.seq);
            Departure::Argument(was.and_then(|was| difference::argument(&was, &step.args)))
        } else {
            Departure::Other
        };
        Err(self.diverged(self.name(step.seq), old, step, how))
    }

    fn diverged(&self, path: String, old: &Recorded, step: &Step, how: Departure) -> StepError {
        let difference = Difference {
            step: path,
            was: old.op.clone(),
            was_at: old.place.clone(),
            is: step.op.to_owned(),
            is_at: step.place.clone(),
            in_doubt: old.state == StepState::Intent,
            how,
        };
        self.run.note_difference(&difference);
        StepError::Diverged(Box::new(difference))
    }

    /// Waits for the effect on this thread; when the run is cancelled, the effect is dropped where it is. It is in a box
    /// since it may be large, and thousands of lanes have each a stack of its own.
    fn wait<T>(&self, effect: Boxed<'_, T>) -> Result<Result<T, Failure>, StepError> {
        let cancel = self.run.cancel();
        let answer = self.run.shared.handle.block_on(self.run.waiting(cancel.guard(effect)));
        match answer {
            // An effect that watches the token itself tells of the cancel as a failure.
            Some(Err(_)) if cancel.is_set() => Err(StepError::Cancelled),
            Some(result) => Ok(result),
            None => Err(StepError::Cancelled),
        }
    }

    fn context(&self, step: String, attempt: u32, intent_ms: u64) -> StepCx {
        let shared = &self.run.shared;
        StepCx {
            run: self.run.id().clone(),
            step,
            attempt,
            intent_ms,
            in_doubt: false,
            cancel: self.run.cancel().clone(),
            events: shared.events.clone(),
            time: shared.time.clone(),
            points: shared.points.get().cloned(),
        }
    }

    fn first_line(&self, kind: EntryKind, step: &Step, body: Option<String>) -> Entry {
        Entry {
            kind,
            lane: self.path.clone(),
            seq: step.seq,
            attempt: step.attempt,
            op: Some(Cow::Borrowed(step.op)),
            digest: Some(step.digest),
            place: Some(step.place.clone()),
            began_ms: None,
            ms: step.intent_ms,
            args: Some(step.args.clone()),
            body,
        }
    }

    fn name(&self, seq: u32) -> String {
        step_path(&self.path, seq)
    }
}

/// Whether it took effect is not known.
fn is_unknown(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Interrupted | FailureKind::Cancelled)
}

/// It was not even tried, as far as this failure tells.
fn is_no_verdict(kind: FailureKind) -> bool {
    use FailureKind::{Auth, Internal, Local, Plugin, Ssh, State, Unavailable};
    matches!(kind, Auth | Internal | Local | Plugin | Ssh | State | Unavailable)
}

fn encode(value: &impl Serialize, op: &str) -> Result<String, StepError> {
    serde_json::to_string(value).map_err(|error| unjournaled(op, &error))
}

fn unjournaled(op: &str, error: &serde_json::Error) -> StepError {
    StepError::Refused(format!("`{op}` cannot be journaled: {error}"))
}

fn decode<T: DeserializeOwned>(json: &str, step: &str, op: &str) -> Result<T, StepError> {
    serde_json::from_str(json).map_err(|error| {
        let text = format!(
            "the outcome of step {step} (`{op}`) was written by another version of linodetool and cannot be read: {error}"
        );
        StepError::Refused(text)
    })
}

/// A lane's name as a part of a path: a dot would look like another lane, a slash like a folder. No two names become
/// the same.
fn escape(name: &str) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            text.push(byte as char);
        } else {
            let _ = write!(text, "~{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn lane_names_stay_apart() {
        assert_eq!(super::escape("worker-1"), "worker-1");
        assert_eq!(super::escape("a.b/c ~é"), "a~2eb~2fc~20~7e~c3~a9");
    }
}
