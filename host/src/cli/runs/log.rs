//! `linodetool runs log`: what a run said, and, while it is executed, what it says.

use crate::cli::error::{CliError, OK};
use crate::cli::render::plain::{text_of, word_of};
use crate::cli::session::Session;
use crate::core::clock::utc;
use crate::core::{Event, Failure, FailureKind};
use crate::runs::LogLine;
use clap::Args;
use std::time::Duration;

/// How often a log is looked at that is followed; a person does not see the difference to at once.
const LOOK: Duration = Duration::from_millis(100);

/// Show what a run said: stages, notes, retries, limits, and what commands wrote on nodes
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs log last
  linodetool runs log 3fa9 --node hadoop-worker-1
  linodetool runs log last --follow")]
pub(crate) struct LogArgs {
    /// The run's id, its first letters, or `last`
    pub(crate) run: String,
    /// Go on showing what is added, until the run ends; with --json a document a line
    #[arg(long, short)]
    follow: bool,
    /// Only what this node did and said
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
}

impl LogArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let (out, runs) = (session.out, session.toolkit.runs());
        let id = runs.find(&self.run)?;
        let mut log = runs.log(&id);
        let wanted = |line: &LogLine| self.node.is_none() || self.node.as_deref() == speaker(&line.event);
        if !self.follow {
            let mut lines = log.read()?;
            if lines.is_empty() {
                return Err(Failure::not_found(format!("there is no log of run {id} any more"))
                    .hint(format!("its steps are kept: linodetool runs show {id}"))
                    .into());
            }
            lines.retain(wanted);
            out.result(&lines, || lines.iter().map(text).collect())?;
            return Ok(OK);
        }
        loop {
            // Asked before reading: what was said before its end is then read as well.
            let runs_on = runs.is_owned(&id);
            for line in log.read()?.iter().filter(|line| wanted(line)) {
                match out.json() {
                    true => out.data(&serde_json::to_string(line).map_err(|e| Failure::internal(e.to_string()))?)?,
                    false => out.data(&text(line))?,
                }
            }
            if !runs_on {
                return Ok(OK);
            }
            if !session.interrupt.cancel().sleep(LOOK) {
                return Err(CliError::Failure(Box::new(Failure::new(
                    FailureKind::Cancelled,
                    "interrupted; the run goes on",
                ))));
            }
        }
    }
}

/// The node that an event is about, or the lane that printed.
fn speaker(event: &Event) -> Option<&str> {
    match event {
        Event::Stage { node, .. }
        | Event::StageDone { node, .. }
        | Event::StageFailed { node, .. }
        | Event::Output { node, .. } => Some(node),
        Event::Printed { lane, .. } => lane.rsplit('.').next(),
        Event::RunStarted { .. } | Event::Note { .. } | Event::OutputSet { .. } => None,
    }
}

/// A line of text for each line that was said.
fn text(line: &LogLine) -> String {
    let said = match &line.event {
        Event::RunStarted { run, title } => format!("run {run}: {title}"),
        Event::Stage { node, stage } => format!("[{node}] {stage} ..."),
        Event::StageDone { node, stage, ending } => format!("[{node}] {stage} ... {}", word_of(*ending)),
        Event::StageFailed { node, stage, message } => format!("[{node}] {stage} ... failed: {message}"),
        event => text_of(event).unwrap_or_default(),
    };
    let time = utc(line.ms);
    said.lines().map(|said| format!("{time} {said}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::render::plain::tests::events;
    use expect_test::expect;

    #[test]
    fn each_line_has_its_time_and_node() {
        let lines = events().into_iter().map(|(tenths, event)| LogLine { ms: 1_769_860_700_000 + tenths * 100, event });
        expect![[r#"
            2026-01-31T11:58:20Z run 3fa9c01b2d: recipes/hadoop.rhai
            2026-01-31T11:58:20Z [hadoop-master-1] create ...
            2026-01-31T11:58:20Z [hadoop-worker-1] create ...
            2026-01-31T11:58:20Z [hadoop-master-1] create ... ok
            2026-01-31T11:58:20Z [hadoop-worker-1] create ... ok
            2026-01-31T11:58:20Z [hadoop-worker-1] boot ...
            2026-01-31T11:58:20Z [hadoop-worker-1] boot ... ready
            2026-01-31T11:58:20Z [hadoop-worker-1] package java ...
            2026-01-31T11:58:20Z [hadoop-master-1] package java ...
            2026-01-31T11:58:20Z [hadoop-worker-1] one
            2026-01-31T11:58:20Z [hadoop-worker-1] two
            2026-01-31T11:58:20Z hello
            2026-01-31T11:58:21Z [hadoop-worker-1] package java ... unchanged
            2026-01-31T11:58:21Z [hadoop-master-1] | Reading package lists
            2026-01-31T11:58:22Z note: the create limit holds the run back for 12 s
            2026-01-31T11:59:33Z [hadoop-master-1] package java ... failed: no room on the disk
            2026-01-31T11:59:33Z output words = 12
        "#]]
        .assert_eq(&lines.map(|line| text(&line)).collect::<String>());
    }
}
