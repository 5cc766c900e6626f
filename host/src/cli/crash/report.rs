//! What a test of crashes found, for people and as JSON.

use super::case::Verdict;
use super::points::Case;
use crate::cli::render::plain::seconds;
use crate::cli::render::table::Table;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Exit code of a test whose recipe did not survive: it has an error.
pub(super) const FAILED: u8 = 10;

#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) recipe: String,
    /// That an undisturbed run comes by.
    pub(super) points: usize,
    pub(super) tried: usize,
    pub(super) survived: usize,
    /// Processes that were killed.
    pub(super) deaths: u32,
    /// That happened in all worlds.
    pub(super) faults: u64,
    pub(super) seconds: f64,
    /// Tried and survived by operation and phase.
    pub(super) operations: BTreeMap<String, BTreeMap<&'static str, Count>>,
    pub(super) failures: Vec<FailedCase>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Count {
    pub(super) tried: usize,
    pub(super) survived: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct FailedCase {
    /// Where it was killed; and where again.
    pub(super) at: String,
    pub(super) operation: String,
    pub(super) problems: Vec<String>,
    /// The last lines of its last process.
    pub(super) said: String,
    /// The command that tries this alone.
    pub(super) reproduce: String,
}

impl Report {
    pub(super) fn of(recipe: &str) -> Self {
        Self { recipe: recipe.to_owned(), ..Self::default() }
    }

    /// Takes a case in; the text of a failure.
    pub(super) fn add(&mut self, case: &Case, verdict: &Verdict, reproduce: impl Fn() -> String) -> Option<String> {
        let survived = verdict.problems.is_empty();
        self.tried += 1;
        self.survived += usize::from(survived);
        self.deaths += verdict.deaths;
        self.faults += verdict.faults;
        let phase = match &case.second {
            Some(_) => "twice",
            None => case.phase.map_or("", |phase| phase.as_str()),
        };
        let count = self.operations.entry(case.op.clone()).or_default().entry(phase).or_default();
        count.tried += 1;
        count.survived += usize::from(survived);
        if survived {
            return None;
        }
        let failed = FailedCase {
            at: case.to_string(),
            operation: case.op.clone(),
            problems: verdict.problems.clone(),
            said: verdict.said.clone(),
            reproduce: reproduce(),
        };
        let text = failed.text();
        self.failures.push(failed);
        Some(text)
    }

    /// A line an operation, then the sum.
    pub(super) fn text(&self) -> String {
        let mut table = Table::new(["OPERATION", "BEFORE", "INTENT", "RUNNING", "EFFECT", "TWICE"]);
        for (op, phases) in &self.operations {
            let cell = |phase: &str| match phases.get(phase) {
                None => "-".to_owned(),
                Some(count) => format!("{}/{}", count.survived, count.tried),
            };
            let cells = ["before", "intent", "running", "effect", "twice"].map(cell);
            let [before, intent, running, effect, twice] = cells;
            table.row([op.clone(), before, intent, running, effect, twice]);
        }
        let survived = if self.survived == self.tried { "all".to_owned() } else { self.survived.to_string() };
        let faults = if self.faults == 0 { String::new() } else { format!(", with {} faults", self.faults) };
        let seconds = seconds(Duration::from_secs_f64(self.seconds));
        format!(
            "{}\n\n{}: {} runs, killed {} times at points of {}{faults}: {survived} survived, in {seconds}",
            table.plain(),
            self.recipe,
            self.tried,
            self.deaths,
            self.points,
        )
    }
}

impl FailedCase {
    fn text(&self) -> String {
        let mut lines = vec![format!("killed at {} ({}), it did not survive:", self.at, self.operation)];
        lines.extend(self.problems.iter().map(|problem| format!("  {problem}")));
        lines.extend(self.said.lines().map(|line| format!("  | {line}")));
        lines.push(format!("  alone: {}", self.reproduce));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::Phase;
    use expect_test::expect;

    #[test]
    fn a_report_counts_by_operation_and_names_what_reproduces() {
        let mut report = Report { points: 9, seconds: 3.0, ..Report::of("mine.rhai") };
        let case = |second: Option<&str>| Case {
            first: "3#1:effect".into(),
            second: second.map(str::to_owned),
            op: "node.run".into(),
            phase: Some(Phase::Effect),
        };
        let fine = Verdict { deaths: 1, faults: 3, ..Verdict::default() };
        let bad = Verdict {
            deaths: 2,
            problems: vec!["node web-1 is missing".into()],
            said: "error: no".into(),
            ..Verdict::default()
        };
        assert!(report.add(&case(None), &fine, String::new).is_none());
        let text = report.add(&case(Some("3#1:intent")), &bad, || "linodetool recipe test".into()).unwrap();
        expect![[r#"
            killed at 3#1:effect+3#1:intent (node.run), it did not survive:
              node web-1 is missing
              | error: no
              alone: linodetool recipe test

            OPERATION  BEFORE  INTENT  RUNNING  EFFECT  TWICE
            node.run   -       -       -        1/1     0/1

            mine.rhai: 2 runs, killed 3 times at points of 9, with 3 faults: 1 survived, in 3.0 s"#]]
        .assert_eq(&format!("{text}\n\n{}", report.text()));
    }
}
