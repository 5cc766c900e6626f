//! `linodetool runs retry`: a new run of the same text and parameters, after one of which something failed.

use super::resume::{not_kept, settings};
use crate::cli::error::CliError;
use crate::cli::request::Request;
use crate::cli::run::{Asked, dollars_an_hour, execute};
use crate::cli::session::Session;
use crate::core::{Failure, FailureKind};
use crate::nodes::was_cut;
use crate::runs::{RunDetail, Status, StepState};
use crate::script::Found;
use clap::Args;

/// Do again what failed, as a new run of the same recipe text and parameters
///
/// Operations look first at what is there, so only what is missing is done. A run that was cut off goes on with
/// `runs resume` instead.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs retry last
  linodetool runs retry 3fa9
  linodetool runs retry last --again")]
pub(crate) struct RetryArgs {
    /// The run's id, its first letters, or `last`
    pub(crate) run: String,
    /// Do also those steps again of which nobody knows how far they came, such as a command that a reboot cut
    #[arg(long)]
    pub(crate) again: bool,
    /// Another limit than the run was begun with: US dollars an hour for all of the recipe's clusters
    #[arg(long, value_name = "PER_HOUR", value_parser = dollars_an_hour)]
    pub(crate) max_cost: Option<f64>,
}

impl RetryArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let runs = session.toolkit.runs();
        let of = runs.show(&runs.find(&self.run)?)?;
        super::check_world(session, &of.summary)?;
        super::check_version(&of.versions, &of.summary)?;
        can_be_retried(&of, self.again)?;
        let Some(path) = of.summary.recipe.as_deref() else {
            let request = Request::of(&of.params).ok_or_else(|| not_kept(&of.summary))?;
            return request.retry(session, &of.summary.id, &of.summary.title);
        };
        let text = of.sources.get(path).cloned().unwrap_or_default();
        let (id, recipe) = (&of.summary.id, Found::stored(path, &text, &session.scripts.places));
        session.keep_limit(&of.facts);
        let title = format!("run {path}");
        let run = session.begin_retry(id, &title, Some((path.to_owned(), text)), of.params.clone())?;
        // Imports, too, are what they were.
        of.sources.iter().try_for_each(|(path, text)| run.source(path, text))?;
        session.toolkit.events().note(format!("trying again what run {id} left undone"));
        let set = settings(&of.params);
        execute(session, &run, &recipe, &Asked { recipe: path, set: &set, ephemeral: false })
    }
}

/// The run has ended, and something of it failed.
fn can_be_retried(of: &RunDetail, again: bool) -> Result<(), Failure> {
    let (run, id) = (&of.summary, &of.summary.id);
    let refused = |message: String, hint: String| Err(Failure::new(FailureKind::Conflict, message).hint(hint));
    let resume = || format!("linodetool runs resume {id}");
    match run.status {
        Status::Running => refused(
            format!("run {id} is being executed"),
            format!("wait for its end; linodetool runs log {id} --follow shows what it does"),
        ),
        Status::Interrupted | Status::Cancelled if !again => {
            refused(format!("run {id} was cut off and has not failed; it goes on from there"), resume())
        }
        _ if again && of.in_doubt().next().is_some() => Ok(()),
        // Nothing finds out any more: a reboot cut it, or the run went on without it and is done.
        _ if of.in_doubt().any(|step| run.status == Status::Done || step.failure.as_ref().is_some_and(was_cut)) => {
            refused(
                format!("run {id} has a step of which nobody knows how far it came: {}", doubtful(of)),
                format!(
                    "see what it left behind; to do it again with all else that failed: linodetool runs retry {id} --again"
                ),
            )
        }
        _ if of.in_doubt().next().is_some() => refused(
            format!("run {id} has a step of which it is not known whether it took effect; this finds out"),
            resume(),
        ),
        Status::Done if !of.steps.iter().any(|step| step.state == StepState::Failed) => refused(
            format!("run {id} is done, and none of its steps failed"),
            format!("to do it again: {}", run.command_line),
        ),
        _ => Ok(()),
    }
}

/// The first step in doubt, as it is told.
fn doubtful(of: &RunDetail) -> String {
    let step = of.in_doubt().next();
    let failure = step.and_then(|step| step.failure.as_ref());
    failure.map_or_else(|| step.map(|step| step.op.clone()).unwrap_or_default(), ToString::to_string)
}
