//! `linodetool runs resume`, `run --resume`: goes on with a run that was cut off, from the step where it was.
//!
//! The text and parameters are those that were stored with the run.

use crate::cli::error::CliError;
use crate::cli::run::{Asked, RunArgs, execute};
use crate::cli::session::Session;
use crate::core::{Failure, FailureKind, RunId};
use crate::runs::{RunFilter, Status, Stored};
use crate::script::Found;
use clap::Args;
use serde_json::Value;

/// Go on with a run that was cut off or failed
///
/// What was done is not done again; what was under way is looked for first. The recipe's text and
/// parameters are those of the run, whatever became of its file.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs resume last
  linodetool runs resume 3fa9")]
pub(crate) struct ResumeArgs {
    /// The run's id, its first letters, or `last`
    pub(crate) run: String,
}

impl ResumeArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let id = session.toolkit.runs().find(&self.run)?;
        resume(session, &id, false)
    }
}

/// `run RECIPE --resume`: the run that is named, or the last one of this recipe that has not ended well.
pub(crate) fn of_recipe(session: &mut Session<'_>, recipe: &Found, run: &str, args: &RunArgs) -> Result<u8, CliError> {
    let runs = session.toolkit.runs();
    if !run.is_empty() {
        let id = runs.find(run)?;
        let own = runs.summary(&id)?.recipe;
        if own.as_ref() != Some(&recipe.path) {
            let own = own.map_or_else(|| "no recipe".to_owned(), |own| format!("recipe {own}"));
            return Err(Failure::new(FailureKind::Conflict, format!("run {id} is of {own}, not of {}", recipe.path))
                .hint(format!("linodetool runs resume {id}"))
                .into());
        }
        return resume(session, &id, args.ephemeral);
    }
    let filter = RunFilter { context: Some(session.toolkit.context().to_owned()), ..RunFilter::default() };
    let last = runs.list(&filter)?.into_iter().find(|run| run.recipe.as_ref() == Some(&recipe.path));
    match last {
        Some(run) if run.status != Status::Done => resume(session, &run.id, args.ephemeral),
        Some(run) => {
            Err(Failure::new(FailureKind::Conflict, format!("the last run of {}, {}, is done", recipe.path, run.id))
                .hint("leave --resume away to run it again: it changes only what differs")
                .into())
        }
        None => Err(Failure::not_found(format!("there is no run of {} yet", recipe.path))
            .hint("leave --resume away to begin one; `linodetool runs list` shows all")
            .into()),
    }
}

/// Takes the run up and evaluates its recipe again.
fn resume(session: &mut Session<'_>, id: &RunId, ephemeral: bool) -> Result<u8, CliError> {
    let runs = session.toolkit.runs();
    let stored = runs.stored(id)?;
    check_world(session, &stored)?;
    let Some(path) = stored.summary.recipe.clone() else {
        return Err(Failure::new(
            FailureKind::Unsupported,
            format!("run {id} is not of a recipe: {}", stored.summary.title),
        )
        .hint("do the same command again: it looks first at what is there")
        .into());
    };
    let text = stored.sources.get(&path).ok_or_else(|| Failure::internal(format!("run {id} has no text of {path}")))?;
    let recipe = Found::stored(&path, text, &session.scripts.places);
    let set = settings(&stored.params);
    let run = runs.reopen(id)?;
    session.interrupt.also(run.cancel());
    let (all, done) = run.recorded_steps();
    session.toolkit.events().note(format!("resuming run {id}: {done} of {all} steps are done"));
    execute(session, &run, &recipe, &Asked { recipe: &path, set: &set, ephemeral })
}

/// The parameters that were given, as they were.
fn settings(params: &Value) -> Vec<(String, String)> {
    let given = params.as_object().into_iter().flatten();
    given.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// `last` may be a run of another world than the one that was opened.
fn check_world(session: &Session<'_>, stored: &Stored) -> Result<(), Failure> {
    let (run, settings) = (&stored.summary, session.toolkit.settings());
    if run.context == settings.context && run.provider == settings.provider {
        return Ok(());
    }
    let message = format!("run {} belongs to context {} and provider {}", run.id, run.context, run.provider);
    Err(Failure::new(FailureKind::Conflict, message).hint(format!("linodetool runs resume {}", run.id)))
}
