//! `linodetool runs verify`: whether the records of runs are as they were written, and what to do if not.

use crate::cli::error::{CliError, DAMAGED, OK};
use crate::cli::render::table::Table;
use crate::cli::session::Session;
use crate::runs::ChainReport;
use clap::Args;
use serde_json::json;
use std::path::Path;

/// Check that the records of runs are as they were written
///
/// The steps of a run are a chain of hashes, whose end is also in the audit log once the run has ended; its recipe's text
/// and parameters have digests. A run whose process was killed is fine: it only ends earlier, and the audit log may end
/// before it. The exit code is 12 if a record is damaged. Nothing is changed.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs verify
  linodetool runs verify 3fa9c01b2d
  linodetool runs verify last --json")]
pub(crate) struct VerifyArgs {
    /// The run's id, its first letters, or `last` [default: all runs, of all contexts]
    pub(crate) run: Option<String>,
}

impl VerifyArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let (out, runs) = (session.out, session.toolkit.runs());
        let reports = match &self.run {
            Some(run) => vec![runs.verify(&runs.find(run)?)?],
            None => runs.verify_all()?,
        };
        let damaged = reports.iter().filter(|report| !report.problems.is_empty()).count();
        let hint = (damaged > 0).then(|| {
            let program = session.toolkit.program();
            advice(&session.paths.state, program)
        });
        let document = json!({ "damaged": damaged, "runs": reports, "hint": hint });
        out.result(&document, || {
            let table = table(&reports).show(out, "There are no runs yet.");
            hint.map_or_else(|| table.clone(), |hint| format!("{table}\n\n{hint}"))
        })?;
        Ok(if damaged == 0 { OK } else { DAMAGED })
    }
}

fn table(reports: &[ChainReport]) -> Table {
    let mut table = Table::new(["RUN", "LINES", "WHAT", "RECORD"]);
    for report in reports {
        let title = report.title.clone().unwrap_or_else(|| "-".to_owned());
        table.row([report.run.to_string(), report.lines.to_string(), title, record(report)]);
    }
    table
}

/// Problems of a run that are told; --json has all.
const TOLD: usize = 3;

fn record(report: &ChainReport) -> String {
    let problems = &report.problems;
    let [first, ..] = problems.as_slice() else {
        // One that never ended has no line there; whoever rewrites a record may have taken it away.
        let unheard = report.audited_lines == 0;
        return if unheard { "fine, but not in the audit log" } else { "fine" }.to_owned();
    };
    let colon = if first.step.is_some() { "" } else { ":" };
    let told: Vec<_> = problems.iter().take(TOLD).map(ToString::to_string).collect();
    let more = problems.len() - told.len();
    let more = if more > 0 { format!("; and {more} more (see --json)") } else { String::new() };
    format!("damaged{colon} {}{more}", told.join("; "))
}

/// What is safe, what is not, what is next.
fn advice(state: &Path, program: &str) -> String {
    let state = state.display();
    format!(
        "Nothing was changed. Nodes do not depend on these records and go on.\n\
         Not safe are `runs resume`, `runs retry` and `runs undo` of a damaged run: they believe its record.\n\
         Keep a copy of {state}/linodetool.db and {state}/audit.jsonl to look into it, and check this computer: \
         linodetool doctor\n\
         To do the work anew, give the command of the run again: it looks first at what is there. What belongs to \
         nothing is found by: {program} cluster gc"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::RunId;
    use crate::runs::Problem;

    #[test]
    fn a_run_is_a_line() {
        let problem = |step: Option<&str>, what: &str| Problem {
            line: step.map(|_| 5),
            step: step.map(str::to_owned),
            op: step.map(|_| "node.run".to_owned()),
            what: what.to_owned(),
        };
        let report = |title: Option<&str>, problems: Vec<Problem>| ChainReport {
            run: RunId::parse("3fa9c01b2d").unwrap(),
            title: title.map(str::to_owned),
            lines: 10,
            head: String::new(),
            audited_lines: 10,
            problems,
        };
        let step = || problem(Some("2.web-1.0"), "the outcome is not as it was written");
        let reports = [
            report(Some("run hadoop"), vec![]),
            report(Some("run hadoop"), vec![step()]),
            report(Some("node create web-1"), vec![problem(None, "lines 3 to 4 are missing"), step(), step(), step()]),
            report(None, vec![problem(None, "the audit log tells of it, and the journal has nothing of it")]),
        ];
        expect_test::expect![[r#"
            RUN         LINES  WHAT               RECORD
            3fa9c01b2d  10     run hadoop         fine
            3fa9c01b2d  10     run hadoop         damaged at step 2.web-1.0 (`node.run`): the outcome is not as it was written (line 5)
            3fa9c01b2d  10     node create web-1  damaged: lines 3 to 4 are missing; at step 2.web-1.0 (`node.run`): the outcome is not as it was written (line 5); at step 2.web-1.0 (`node.run`): the outcome is not as it was written (line 5); and 1 more (see --json)
            3fa9c01b2d  10     -                  damaged: the audit log tells of it, and the journal has nothing of it"#]].assert_eq(&table(&reports).plain());
    }
}
