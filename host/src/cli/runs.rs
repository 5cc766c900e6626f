//! `linodetool runs`: what was done, by which command, step by step.

use super::error::{CliError, OK};
use super::render::failures::listing;
use super::render::plain::seconds;
use super::render::table::{Table, or_dash};
use super::session::{Need, Session};
use super::world::About;
use crate::core::clock::utc;
use crate::core::{Failure, FailureKind};
use crate::nodes::was_cut;
use crate::runs::{RunDetail, RunFilter, RunSummary, Status, StepKind, StepState};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::time::Duration;

mod cancel;
mod log;
pub(super) mod resume;
mod retry;
pub(super) mod undo;
mod verify;

/// List past runs, show and verify what they did, go on with one that was cut off, or take it back
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs list
  linodetool runs show 3fa9c01b2d
  linodetool runs log last --follow
  linodetool runs resume last
  linodetool runs undo 3fa9c01b2d")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, newest first; every command that changed something is one
    #[command(visible_alias = "ls")]
    List {
        /// Show at most that many
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        limit: usize,
    },
    /// Show a run: its parameters, steps and outputs
    Show {
        /// The run's id, its first letters, or `last`
        run: String,
    },
    Log(log::LogArgs),
    Resume(resume::ResumeArgs),
    Retry(retry::RetryArgs),
    Cancel(cancel::CancelArgs),
    Undo(undo::UndoArgs),
    Verify(verify::VerifyArgs),
}

impl RunsArgs {
    /// What it needs of the sandbox.
    pub(crate) fn need(&self) -> Need {
        match &self.command {
            RunsCommand::Resume(_) | RunsCommand::Cancel(_) | RunsCommand::Undo(_) => Need::Run,
            RunsCommand::Retry(_) => Need::Cloud,
            RunsCommand::List { .. } | RunsCommand::Show { .. } | RunsCommand::Log(_) | RunsCommand::Verify(_) => {
                Need::Records
            }
        }
    }

    pub(crate) fn max_cost(&self) -> Option<f64> {
        match &self.command {
            RunsCommand::Resume(args) => args.max_cost,
            RunsCommand::Retry(args) => args.max_cost,
            _ => None,
        }
    }

    pub(crate) fn about(&self) -> Option<About<'_>> {
        match &self.command {
            RunsCommand::List { .. } => None,
            RunsCommand::Show { run } => Some(About { run, works: false }),
            RunsCommand::Log(args) => Some(About { run: &args.run, works: false }),
            RunsCommand::Resume(args) => Some(About { run: &args.run, works: true }),
            RunsCommand::Retry(args) => Some(About { run: &args.run, works: true }),
            RunsCommand::Cancel(args) => Some(About { run: &args.run, works: true }),
            RunsCommand::Undo(args) => Some(About { run: &args.run, works: true }),
            RunsCommand::Verify(args) => args.run.as_deref().map(|run| About { run, works: false }),
        }
    }

    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let (out, runs) = (session.out, session.toolkit.runs());
        match &self.command {
            RunsCommand::List { limit } => {
                let filter = RunFilter {
                    context: Some(session.toolkit.context().to_owned()),
                    limit: Some(*limit),
                    ..RunFilter::default()
                };
                let list = runs.list(&filter)?;
                out.result(&list, || table(&list).show(out, "There are no runs yet."))?;
            }
            RunsCommand::Show { run } => {
                let detail = runs.show(&runs.find(run)?)?;
                let program = session.toolkit.program();
                out.result(&detail, || show(&detail, program))?;
            }
            RunsCommand::Log(args) => return args.run(session),
            RunsCommand::Resume(args) => return args.run(session),
            RunsCommand::Retry(args) => return args.run(session),
            RunsCommand::Cancel(args) => return args.run(session),
            RunsCommand::Undo(args) => return args.run(session),
            RunsCommand::Verify(args) => return args.run(session),
        }
        Ok(OK)
    }
}

/// What can be done with a run that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WayOn {
    Resume,
    /// It ended, and something of it failed.
    Retry,
    /// A reboot cut a command of it, which nothing but a person repeats.
    RetryAgain,
    /// Its command looks first at what is there: it is simply given again.
    Again,
}

fn way_on(run: &RunSummary) -> Option<WayOn> {
    match run.status {
        Status::Done => (run.failed_steps > 0).then_some(WayOn::Retry),
        Status::Running | Status::Undone => None,
        _ if resume::is_call(run) => None,
        _ if run.resumable && run.failure.as_ref().is_some_and(was_cut) => Some(WayOn::RetryAgain),
        _ if run.resumable => Some(WayOn::Resume),
        Status::Incomplete | Status::Interrupted | Status::Failed | Status::Cancelled => Some(WayOn::Again),
    }
}

impl WayOn {
    fn word(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Retry | Self::RetryAgain => "retry",
            Self::Again => "again",
        }
    }

    /// What to type, and why that.
    fn command(self, run: &RunSummary, program: &str) -> String {
        let id = &run.id;
        match self {
            Self::Resume => format!("{program} runs resume {id}"),
            Self::Retry => {
                let steps =
                    if run.failed_steps == 1 { "step".to_owned() } else { format!("{} steps", run.failed_steps) };
                format!("{program} runs retry {id} (does the {steps} again that it went on without)")
            }
            Self::RetryAgain => {
                format!(
                    "{program} runs retry {id} --again (a command was cut on its node: `runs resume` does not repeat it)"
                )
            }
            Self::Again => format!("{program} {} (the same again: it looks first at what is there)", run.title),
        }
    }
}

fn table(runs: &[RunSummary]) -> Table {
    let mut table = Table::new(["RUN", "STATUS", "GO ON", "BEGAN", "TOOK", "WHAT"]);
    for run in runs {
        let again = run.retry_of.as_ref().map_or_else(String::new, |of| format!(" (retry of {of})"));
        table.row([
            run.id.to_string(),
            run.status.to_string(),
            or_dash(way_on(run).map(WayOn::word)),
            utc(run.started_ms),
            took(run.started_ms, run.ended_ms),
            format!("{}{again}", what(run)),
        ]);
    }
    table
}

/// `last` may be a run of another world than the one that was opened.
fn check_world(session: &Session<'_>, run: &RunSummary) -> Result<(), Failure> {
    let settings = session.toolkit.settings();
    if run.context == settings.context && run.provider == settings.provider {
        return Ok(());
    }
    let message = format!("run {} belongs to context {} and provider {}", run.id, run.context, run.provider);
    Err(Failure::new(FailureKind::Conflict, message)
        .hint(format!("name it by its id, {}: it then brings its own", run.id)))
}

/// A run of a newer version may hold what this one would misunderstand.
fn check_version(stored: &BTreeMap<String, String>, run: &RunSummary) -> Result<(), Failure> {
    let Some(began) = stored.get("linodetool") else { return Ok(()) };
    let number = |text: &str| text.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>();
    let own = env!("CARGO_PKG_VERSION");
    match (number(began), number(own)) {
        (Some(there), Some(here)) if there > here => {
            let message =
                format!("run {} was begun by linodetool {began}, and this is {own}, which may misread it", run.id);
            Err(Failure::new(FailureKind::Unsupported, message)
                .hint("nothing was changed; update linodetool, or go on with the version that began it"))
        }
        _ => Ok(()),
    }
}

/// The title; of a run that failed also why, up to a line of a terminal.
fn what(run: &RunSummary) -> String {
    let Some(failure) = &run.failure else { return run.title.clone() };
    let why = failure.to_string();
    let why = why.lines().next().unwrap_or_default();
    let cut: String = why.chars().take(WHY).collect();
    let more = if cut.len() < why.len() { "..." } else { "" };
    format!("{}: {cut}{more}", run.title)
}

/// Characters of a failure in the list; `runs show` has all of it.
const WHY: usize = 60;

fn took(from: u64, to: Option<u64>) -> String {
    or_dash(to.map(|to| seconds(Duration::from_millis(to.saturating_sub(from)))))
}

/// Head, failure, outputs, then a line a step. Reads that went well are only counted.
fn show(detail: &RunDetail, program: &str) -> String {
    let run = &detail.summary;
    let mut head = vec![
        format!("run       {}", run.id),
        format!("what      {}", run.title),
        format!("status    {}", run.status),
        format!("began     {}", utc(run.started_ms)),
        format!("took      {}", took(run.started_ms, run.ended_ms)),
        format!("provider  {}", run.provider),
    ];
    head.extend(run.retry_of.iter().map(|of| format!("retry of  {of}")));
    head.extend(way_on(run).map(|way| format!("go on     {}", way.command(run, program))));
    if let Some(failure) = &run.failure {
        head.push(format!("failure   {failure}"));
        head.extend(failure.hint.iter().map(|hint| format!("hint      {hint}")));
    }
    let mut parts = vec![head.join("\n")];
    if !detail.outputs.is_empty() {
        let lines: Vec<_> = detail.outputs.iter().map(|(name, value)| format!("  {name} = {value}")).collect();
        parts.push(format!("outputs:\n{}", lines.join("\n")));
    }
    let failed = detail.failed_steps();
    if !failed.is_empty() {
        parts.push(listing(&failed));
    }
    let quiet = |step: &&crate::runs::StepRecord| step.kind == StepKind::Read && step.state == StepState::Done;
    let mut table = Table::new(["STEP", "WHAT", "STATE", "TOOK", "WHERE"]);
    for step in detail.steps.iter().filter(|step| step.kind != StepKind::Mark && !quiet(step)) {
        let state = match step.state {
            StepState::Intent => "in doubt",
            StepState::Done => "done",
            StepState::Failed => "failed",
        };
        let place = if step.place.is_empty() { "-".to_owned() } else { step.place.clone() };
        table.row([step.path.clone(), step.op.clone(), state.to_owned(), took(step.started_ms, step.ended_ms), place]);
    }
    let reads = detail.steps.iter().filter(quiet).count();
    let reads = if reads == 1 { "1 read".to_owned() } else { format!("{reads} reads") };
    parts.push(format!("{}\n\nand {reads}", table.plain()));
    parts.join("\n\n")
}
