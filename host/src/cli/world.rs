//! The world a command works in: what the command line says, or that of the run which it is about.
//!
//! Owns nothing else. A run goes on where it was: same context, same provider, same sandbox or none, same folder.

use super::args::{Command, Globals};
use super::sandbox::lifecycle;
use crate::core::{Failure, FailureKind, Paths};
use crate::runs::{self, Stored};
use std::path::PathBuf;

/// Fact of a run: the folder it was begun in.
pub(crate) const WORK: &str = "work";

/// The run that a command is about, as it was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct About<'a> {
    pub(crate) run: &'a str,
    /// The run goes on, or is done again; otherwise it is only looked at.
    pub(crate) works: bool,
}

/// Globals and paths as the command means them.
pub(crate) fn of(globals: &Globals, paths: &Paths, command: &Command) -> Result<(Globals, Paths), Failure> {
    let (mut globals, mut paths) = (globals.clone(), paths.clone());
    let Some(about) = command.about() else { return Ok((globals, paths)) };
    let sandbox = lifecycle::state(&paths.sandbox());
    let found = match globals.sandbox {
        true => None,
        false => runs::peek(&paths.state, about.run),
    };
    let found = found.or_else(|| {
        let found = runs::peek(&sandbox, about.run)?;
        globals.sandbox = true;
        Some(found)
    });
    if let Some(run) = found.filter(|_| about.works) {
        let own = &run.summary;
        same("context", globals.context.as_deref(), &own.context, &run)?;
        same("provider", globals.provider.as_deref(), &own.provider, &run)?;
        (globals.context, globals.provider) = (Some(own.context.clone()), Some(own.provider.clone()));
        if let Some(work) = run.facts.get(WORK).and_then(|work| work.as_str()) {
            paths.work = PathBuf::from(work);
        }
    }
    Ok((globals, paths))
}

/// What was said must be what the run has.
fn same(what: &str, said: Option<&str>, own: &str, run: &Stored) -> Result<(), Failure> {
    let said = match said {
        // A bare name is an application of the default customer.
        Some(said) if what == "context" && !said.contains('/') => format!("{said}/default"),
        Some(said) => said.to_owned(),
        None => return Ok(()),
    };
    if said == own {
        return Ok(());
    }
    let id = &run.summary.id;
    Err(Failure::new(FailureKind::Conflict, format!("run {id} belongs to {what} {own}, not to {said}"))
        .hint(format!("leave --{what} away: the run brings its own"))
        .field(what))
}
