//! How long a rehearsed run takes, and what was waited for: from its end back to its beginning, always to the step that ended
//! last before.
//!
//! Owns: that walk. Time in which no step was under way is the recipe's own waiting.

use super::report::{Course, Share};
use super::words::{RECIPE, waited_for};
use crate::runs::{StepKind, StepRecord};
use std::collections::HashMap;
use std::time::Duration;

/// Steps by when they were under way. The first words are those of the recipe's own waiting.
pub(super) struct Steps {
    began_ms: u64,
    steps: Vec<Step>,
    words: Vec<String>,
    index: HashMap<String, u32>,
}

#[derive(Clone, Copy)]
struct Step {
    from: u64,
    to: u64,
    words: u32,
}

impl Steps {
    pub(super) fn new(began_ms: u64) -> Self {
        let (words, index) = (vec![RECIPE.to_owned()], [(RECIPE.to_owned(), 0)].into());
        Self { began_ms, steps: Vec::new(), words, index }
    }

    pub(super) fn note(&mut self, step: &StepRecord, sandbox: bool) {
        let Some(to) = step.ended_ms.filter(|to| *to > step.started_ms) else { return };
        if step.kind == StepKind::Mark {
            return;
        }
        let words = waited_for(step, sandbox);
        self.add(step.started_ms, to, words);
    }

    fn add(&mut self, from: u64, to: u64, words: String) {
        let words = *self.index.entry(words).or_insert_with_key(|words| {
            self.words.push(words.clone());
            u32::try_from(self.words.len() - 1).unwrap_or(u32::MAX)
        });
        self.steps.push(Step { from, to, words });
    }

    pub(super) fn course(mut self, ended_ms: u64) -> Course {
        // Of those that end at the same moment the shortest is the one that was waited for last.
        self.steps.sort_by_key(|step| (step.to, step.from));
        let mut shares = vec![0; self.words.len()];
        let mut now = ended_ms;
        for step in self.steps.iter().rev() {
            if step.to > now || step.from < self.began_ms {
                continue;
            }
            shares[0] += now - step.to;
            shares[step.words as usize] += step.to - step.from;
            now = step.from;
        }
        shares[0] += now.saturating_sub(self.began_ms);
        let mut shares: Vec<_> = self.words.into_iter().zip(shares).filter(|(_, ms)| *ms > 0).collect();
        shares.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let shares = shares.into_iter().map(|(what, ms)| Share { what, seconds: seconds(ms) }).collect();
        Course { seconds: seconds(ended_ms.saturating_sub(self.began_ms)), shares }
    }
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::Steps;
    use expect_test::expect;

    #[test]
    fn time_is_told_by_what_was_waited_for_last() {
        let mut steps = Steps::new(1_000);
        let mut step = |from: u64, to: u64, words: &str| steps.add(1_000 + from, 1_000 + to, words.to_owned());
        // Two nodes boot; the slower one decides, whatever the other one does meanwhile.
        step(0, 60_000, "boot");
        step(0, 90_000, "boot");
        step(60_000, 80_000, "packages");
        step(90_000, 110_000, "packages");
        step(110_000, 110_050, "configuring");
        // The recipe waits, with and without a step for it, then runs a command.
        step(110_050, 112_050, super::RECIPE);
        step(115_050, 140_050, "command: count");
        let course = steps.course(141_050);
        let line = |share: &super::Share| format!("{:.2} s {}\n", share.seconds, share.what);
        expect![[r#"
            90.00 s boot
            25.00 s command: count
            20.00 s packages
            5.00 s waiting in the recipe
            0.05 s configuring
        "#]]
        .assert_eq(&course.shares.iter().map(line).collect::<String>());
        assert!((course.seconds - 140.05).abs() < 1e-9);
    }
}
