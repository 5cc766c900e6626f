//! How far a run may go that nobody would see the end of: a rehearsed recipe may wait for ever for what never comes.
//!
//! Owns when it is enough. Steps and the run's own time are counted, never the computer's clock, so that the same recipe
//! ends at the same step, or in lanes at about the same. Does not know what such a run is for.

use super::effect::{Kind, StepError};
use super::entry::StepDigest;
use crate::core::{Failure, FailureKind};
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A look while waiting for a condition, which has a limit of its own, counts for so much less than a step.
const LOOKS: u32 = 10;

/// What a run may do at most.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// Steps in a row in one lane that were all done before in that lane, with the same arguments.
    pub same: u32,
    /// Steps in all.
    pub steps: u64,
    /// Until this moment in the run's time, in milliseconds since 1970.
    pub until_ms: u64,
    /// What to do about a recipe that goes further.
    pub hint: String,
}

/// Bounds, and how many steps there were.
pub(super) struct Bounded {
    bounds: Bounds,
    began_ms: u64,
    steps: AtomicU64,
}

/// What a lane has done again and again.
#[derive(Default)]
pub(super) struct Repeats(Mutex<Repeated>);

#[derive(Default)]
struct Repeated {
    seen: HashSet<StepDigest>,
    same: u32,
}

impl Bounded {
    pub(super) fn new(bounds: Bounds, began_ms: u64) -> Self {
        Self { bounds, began_ms, steps: AtomicU64::new(0) }
    }

    /// Before a step is done.
    pub(super) fn step(
        &self,
        repeats: &Repeats,
        digest: &StepDigest,
        kind: Kind,
        now_ms: u64,
    ) -> Result<(), StepError> {
        let mut repeated = repeats.0.lock().unwrap_or_else(PoisonError::into_inner);
        repeated.same = if repeated.seen.insert(*digest) { 0 } else { repeated.same + 1 };
        // What is written is rather what the loop is about than what it waits with, so the error is to stand there.
        let room = if kind == Kind::Write { 0 } else { self.bounds.same / 10 };
        self.check(repeated.same, self.bounds.same.saturating_add(room), now_ms)
    }

    /// Before a look.
    pub(super) fn look(&self, repeats: &Repeats, now_ms: u64) -> Result<(), StepError> {
        let mut repeated = repeats.0.lock().unwrap_or_else(PoisonError::into_inner);
        repeated.same += 1;
        self.check(repeated.same, self.bounds.same.saturating_mul(LOOKS), now_ms)
    }

    fn check(&self, same: u32, most: u32, now_ms: u64) -> Result<(), StepError> {
        let steps = self.steps.fetch_add(1, Ordering::Relaxed);
        let why = if same >= most {
            format!("{most} steps in a row did only what was done before")
        } else if steps >= self.bounds.steps {
            format!("it would take more than {} steps", self.bounds.steps)
        } else if now_ms >= self.bounds.until_ms {
            let days = self.bounds.until_ms.saturating_sub(self.began_ms) as f64 / 86_400_000.0;
            format!("it would take more than {days} days")
        } else {
            return Ok(());
        };
        let failure = Failure::new(FailureKind::Script, format!("the recipe comes to no end: {why}"));
        Err(StepError::Endless(Box::new(failure.hint(&self.bounds.hint))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    /// Steps as letters, big ones for writes and `?` for looks, each an hour long, and where a lane of them is ended.
    fn ended(steps: &str) -> String {
        let bounds = Bounds { same: 20, steps: 100, until_ms: 90 * 3_600_000, hint: "look at it".into() };
        let (bounded, repeats) = (Bounded::new(bounds, 0), Repeats::default());
        for (number, letter) in (1..).zip(steps.chars()) {
            let (digest, now_ms) = ([u8::try_from(letter).unwrap_or_default(); 16], number * 3_600_000);
            let kind = if letter.is_uppercase() { Kind::Write } else { Kind::Read };
            let step = match letter {
                '?' => bounded.look(&repeats, now_ms),
                '-' => Ok(()),
                _ => bounded.step(&repeats, &digest, kind, now_ms),
            };
            if let Err(error) = step {
                return format!("{letter} {number}: {error}\n");
            }
        }
        "goes on\n".to_owned()
    }

    #[test]
    fn only_what_does_nothing_new_for_long_is_ended() {
        let lines = [
            ended(&"Rw".repeat(10)),
            ended(&"Rw".repeat(20)),
            ended(&format!("{}N{}", "Rw".repeat(10), "Rw".repeat(10))),
            ended(&"w".repeat(30)),
            ended(&"?".repeat(80)),
            ended(&format!("Rw{}Rw", "-".repeat(90))),
        ];
        expect![[r#"
            goes on
            R 23: the recipe comes to no end: 20 steps in a row did only what was done before
            goes on
            w 23: the recipe comes to no end: 22 steps in a row did only what was done before
            goes on
            R 93: the recipe comes to no end: it would take more than 3.75 days
        "#]]
        .assert_eq(&lines.concat());
    }
}
