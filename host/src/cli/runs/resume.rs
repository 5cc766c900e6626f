//! `linodetool runs resume`, `run --resume`: goes on with a run that was cut off, from the step where it was.
//!
//! The text and parameters are those that were stored with the run.

use crate::cli::error::CliError;
use crate::cli::request::Request;
use crate::cli::run::{Asked, RunArgs, dollars_an_hour, execute};
use crate::cli::session::Session;
use crate::core::{Failure, FailureKind, RunId};
use crate::runs::{Run, RunFilter, RunSummary, Status, Stored};
use crate::script::{self, Found};
use crate::toolkit::plan::MAX_COST;
use clap::Args;
use serde_json::Value;
use std::sync::Arc;

/// Go on with a run that was cut off or failed
///
/// What was done is not done again; what was under way is looked for first. The recipe's text and
/// parameters are those of the run, whatever became of its file; with --current the present text is
/// used, if it takes the same path as far as that is done.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs resume last
  linodetool runs resume 3fa9
  linodetool runs resume last --current
  linodetool runs resume last --max-cost 0.50")]
pub(crate) struct ResumeArgs {
    /// The run's id, its first letters, or `last`
    pub(crate) run: String,
    /// Go on with the recipe's present text; refused, and nothing is changed, if a step that is done differs
    #[arg(long)]
    pub(crate) current: bool,
    /// Another limit than the run was begun with: US dollars an hour for all of the recipe's clusters
    #[arg(long, value_name = "PER_HOUR", value_parser = dollars_an_hour)]
    pub(crate) max_cost: Option<f64>,
}

/// How a run goes on.
#[derive(Clone, Copy)]
struct How {
    /// With the recipe's present text.
    current: bool,
    ephemeral: bool,
}

impl ResumeArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let id = session.toolkit.runs().find(&self.run)?;
        resume(session, &id, How { current: self.current, ephemeral: false })
    }
}

/// `run RECIPE --resume`: the run that is named, or the last one of this recipe that has not ended well.
pub(crate) fn of_recipe(session: &mut Session<'_>, recipe: &Found, run: &str, args: &RunArgs) -> Result<u8, CliError> {
    let runs = session.toolkit.runs();
    let how = How { current: args.current, ephemeral: args.ephemeral };
    if !run.is_empty() {
        let id = runs.find(run)?;
        let own = runs.summary(&id)?.recipe;
        if own.as_ref() != Some(&recipe.path) {
            let own = own.map_or_else(|| "no recipe".to_owned(), |own| format!("recipe {own}"));
            return Err(Failure::new(FailureKind::Conflict, format!("run {id} is of {own}, not of {}", recipe.path))
                .hint(format!("linodetool runs resume {id}"))
                .into());
        }
        return resume(session, &id, how);
    }
    let filter = RunFilter { context: Some(session.toolkit.context().to_owned()), ..RunFilter::default() };
    let last = runs.list(&filter)?.into_iter().find(|run| run.recipe.as_ref() == Some(&recipe.path));
    match last {
        Some(run) if run.status != Status::Done => resume(session, &run.id, how),
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
fn resume(session: &mut Session<'_>, id: &RunId, how: How) -> Result<u8, CliError> {
    let runs = session.toolkit.runs();
    let stored = runs.stored(id)?;
    super::check_world(session, &stored.summary)?;
    super::check_version(&stored.versions, &stored.summary)?;
    session.wait(session.toolkit.check_account(&stored))?;
    session.keep_limit(&stored.facts);
    let Some(path) = stored.summary.recipe.clone() else {
        let request = Request::of(&stored.params).ok_or_else(|| not_kept(&stored.summary))?;
        let run = runs.reopen(id)?;
        say(session, &run)?;
        return request.go_on(session, &run);
    };
    let set = settings(&stored.params);
    let (recipe, run) =
        if how.current { present(session, &stored, &path, &set)? } else { past(session, &stored, &path)? };
    say(session, &run)?;
    execute(session, &run, &recipe, &Asked { recipe: &path, set: &set, ephemeral: how.ephemeral })
}

/// From now on Ctrl-C cancels the run that was taken up, and whoever takes it up next goes by its present limit.
fn say(session: &Session<'_>, run: &Arc<Run>) -> Result<(), Failure> {
    session.interrupt.also(run.cancel());
    let (all, done) = run.recorded_steps();
    let id = run.id();
    session.toolkit.events().note(format!("resuming run {id}: {done} of {all} steps are done"));
    session.limit.max_hourly().map_or(Ok(()), |max| run.note_fact(MAX_COST, max.into()))
}

/// Of `linodetool api`: given again, it does not look at what is there.
pub(super) fn is_call(run: &RunSummary) -> bool {
    run.recipe.is_none() && run.title.starts_with("api ")
}

/// A command whose request is not kept with its run.
pub(super) fn not_kept(run: &RunSummary) -> Failure {
    if is_call(run) {
        let message = format!("run {} is one call of the provider's API, which nothing goes on with", run.id);
        return Failure::new(FailureKind::Unsupported, message)
            .hint("look at the account whether it took effect; if it did not, give the command again");
    }
    let message = format!("run {} is of a command that is given again rather than gone on with: {}", run.id, run.title);
    Failure::new(FailureKind::Unsupported, message)
        .hint(format!("it looks first at what is there: {}", run.command_line))
}

/// The recipe as it was when the run began.
fn past(session: &Session<'_>, stored: &Stored, path: &str) -> Result<(Found, Arc<Run>), CliError> {
    let id = &stored.summary.id;
    let text = stored.sources.get(path).ok_or_else(|| Failure::internal(format!("run {id} has no text of {path}")))?;
    let places = &session.scripts.places;
    let recipe = Found::stored(path, text, places);
    let run = session.toolkit.runs().reopen(id)?;
    let changed = script::changed_since(&stored.sources, path, places);
    if !changed.is_empty() {
        let (files, has) = (changed.join(", "), if changed.len() == 1 { "has" } else { "have" });
        session.toolkit.events().note(format!(
            "{files} {has} changed since; the run goes on with the text that it was begun with (--current: with the present one)"
        ));
    }
    Ok((recipe, run))
}

/// The recipe as it is now. That its steps are those of the journal is found out before anything is touched.
fn present(
    session: &Session<'_>,
    stored: &Stored,
    path: &str,
    set: &[(String, String)],
) -> Result<(Found, Arc<Run>), CliError> {
    let (id, runs) = (&stored.summary.id, session.toolkit.runs());
    let recipe = script::find_recipe(path, &session.scripts.places)?;
    let followed = runs.follow(id)?;
    session.interrupt.also(followed.cancel());
    let texts = script::follow(&followed, &recipe, set, &session.scripts).map_err(|mut error| {
        if error.kind() == FailureKind::Diverged || error.failure.hint.is_none() {
            let settle = match followed.difference() {
                Some(difference) if difference.in_doubt => {
                    " (whether that step took effect is not known: this finds out)"
                }
                _ => "",
            };
            error.failure.hint = Some(format!(
                "nothing was changed; go on with the text it was begun with: linodetool runs resume {id}{settle}"
            ));
        }
        CliError::script(error)
    })?;
    drop(followed);
    let run = runs.reopen(id)?;
    run.replace_sources(&texts)?;
    Ok((recipe, run))
}

/// The parameters that were given, as they were.
pub(super) fn settings(params: &Value) -> Vec<(String, String)> {
    let given = params.as_object().into_iter().flatten();
    given.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
