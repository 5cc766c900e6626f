//! Runs of the past: listed, found, shown. Begins and changes nothing.

use super::load;
use super::records::{RunDetail, RunFilter, RunSummary, StepRecord, StepState, Stored};
use super::registry::Runs;
use crate::core::paths::database_in;
use crate::core::{Failure, RunId};
use crate::inventory::{ReadOnly, StateError, database};
use crate::secrets::files::FileLock;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// The run that a person means, in the state directory of a world that is not opened. `None` also where nothing can be
/// read: whoever opens that world is told why.
pub fn peek(state: &Path, text: &str) -> Option<Stored> {
    let database = database_in(state);
    if !database.is_file() {
        return None;
    }
    let is_held = |id: &str| FileLock::is_held(&lock_path(state, id));
    let ask = |reader: &Connection| {
        let all = load::summaries(reader, &RunFilter::default(), &is_held)?;
        which(&all, text).map_or(Ok(None), |id| load::stored(reader, id.as_str(), &is_held))
    };
    match ask(&database::open_reader(&database).ok()?) {
        Ok(found) => found,
        Err(_) => ask(&ReadOnly::of(&database)?.reader().ok()?).ok()?,
    }
}

/// Calls with the runs of a context in a state directory that is not opened, and with each of their steps that has ended
/// well, as they ended: oldest run first. Of operations that are wanted; nothing is kept meanwhile, and nothing is made
/// where there is nothing.
///
/// # Errors
/// The database cannot be read.
pub fn past(
    state: &Path,
    context: &str,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(&RunId, StepRecord),
) -> Result<(), StateError> {
    let Some(look) = ReadOnly::look_in(state)? else { return Ok(()) };
    let reader = &look.connection;
    let database = database_in(state);
    let failed = StateError::database(&database, "read");
    let filter = RunFilter { context: Some(context.to_owned()), ..RunFilter::default() };
    let runs = load::summaries(reader, &filter, &|id| FileLock::is_held(&lock_path(state, id))).map_err(&failed)?;
    for run in runs.iter().rev() {
        let mut done = |step: StepRecord| {
            if step.state == StepState::Done {
                each(&run.id, step);
            }
        };
        load::each_step(reader, run.id.as_str(), wanted, &mut done).map_err(&failed)?;
    }
    Ok(())
}

impl Runs {
    /// Calls with each attempt at a step of a run as it ended, in the order of their ends, without keeping them.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn each_step(&self, id: &RunId, each: &mut dyn FnMut(StepRecord)) -> Result<(), Failure> {
        self.0.journal.barrier()?;
        Ok(self.0.read(|reader| load::each_step(reader, id.as_str(), &|_| true, each))?)
    }

    /// Newest first.
    pub fn list(&self, filter: &RunFilter) -> Result<Vec<RunSummary>, Failure> {
        self.0.journal.barrier()?;
        Ok(self.0.read(|reader| load::summaries(reader, filter, &|id| self.0.is_held(id)))?)
    }

    pub fn show(&self, id: &RunId) -> Result<RunDetail, Failure> {
        let Stored { summary, params, versions, sources, facts } = self.stored(id)?;
        let (steps, outputs) = self
            .0
            .read(|reader| Ok((load::step_records(reader, id.as_str())?, load::outputs(reader, id.as_str())?)))?;
        Ok(RunDetail { summary, params, versions, steps, outputs, sources, facts })
    }

    /// The run that a person means: an id, the beginning of one that fits no other, or `last`.
    pub fn find(&self, text: &str) -> Result<RunId, Failure> {
        which(&self.list(&RunFilter::default())?, text)
    }

    /// One run without its steps.
    pub fn summary(&self, id: &RunId) -> Result<RunSummary, Failure> {
        self.0.journal.barrier()?;
        self.0.summary(id)
    }

    /// What a run was begun with: what it takes to go on with it or to do it again.
    pub fn stored(&self, id: &RunId) -> Result<Stored, Failure> {
        self.0.journal.barrier()?;
        let found = self.0.read(|reader| load::stored(reader, id.as_str(), &|id| self.0.is_held(id)))?;
        found.ok_or_else(|| no_such_run(id.as_str()))
    }

    /// Whether a process has hold of the run, and may still add to its log.
    pub fn is_owned(&self, id: &RunId) -> bool {
        self.0.is_held(id.as_str())
    }
}

pub(super) fn lock_path(state: &Path, id: &str) -> PathBuf {
    state.join("runs").join(format!("{id}.lock"))
}

pub(super) fn log_path(state: &Path, id: &str) -> PathBuf {
    state.join("runs").join(format!("{id}.log"))
}

/// What is said of a run that neither `last` nor its id finds.
pub fn unknown(text: &str) -> Failure {
    match which(&[], text) {
        Ok(id) => no_such_run(id.as_str()),
        Err(failure) => failure,
    }
}

/// `last` is what was done last, not what was done about that since: whoever cancels the last run can still resume it so.
fn which(all: &[RunSummary], text: &str) -> Result<RunId, Failure> {
    if text == "last" {
        let newest = all.iter().find(|run| !run.is_about_runs()).or(all.first()).map(|run| run.id.clone());
        return newest.ok_or_else(|| Failure::not_found("there are no runs yet"));
    }
    let mut found = all.iter().filter(|run| !text.is_empty() && run.id.as_str().starts_with(text));
    match (found.next(), found.next()) {
        (Some(run), None) => Ok(run.id.clone()),
        (Some(_), Some(_)) => Err(Failure::usage(format!("more than one run begins with `{text}`"))
            .hint("`linodetool runs list` shows their ids")),
        (None, _) => Err(no_such_run(text).near(text, all.iter().map(|run| run.id.as_str()))),
    }
}

pub(super) fn no_such_run(id: &str) -> Failure {
    Failure::not_found(format!("no run has the id `{id}`"))
        .hint("`linodetool runs list` shows their ids; `last` is the newest")
}
