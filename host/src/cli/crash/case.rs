//! One case: a run that is killed at a point, resumed, and compared with one that nobody disturbed.
//!
//! Owns the order of processes in a case. Does not know how their world is made, nor what an end state is.

use super::judge::EndState;
use super::points::{self, Case, Point};
use super::world::{Ended, Folder, World};
use super::{Machines, TestArgs};
use crate::cli::args::Globals;
use crate::cli::environment::Environment;
use crate::cli::sandbox::faults::read;
use crate::core::{Cancel, Failure, FailureKind, Paths};
use crate::runs::{RunSummary, Status};
use linodetool_sandbox::faults::{Faults, Spec};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// With faults a run may fail honestly; somebody who resumes it so often without an end would call that broken.
const TRIES: u32 = 10;

/// How a case came out.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) deaths: u32,
    /// That happened in its world.
    pub(super) faults: u64,
    /// What is not as in the undisturbed run; empty if it survived.
    pub(super) problems: Vec<String>,
    /// The last lines of the process that should have ended well.
    pub(super) said: String,
}

/// What all cases share.
pub(super) struct Bench<'a> {
    pub(super) cancel: Cancel,
    pub(super) exe: PathBuf,
    pub(super) paths: &'a Paths,
    pub(super) vars: &'a BTreeMap<String, String>,
    pub(super) globals: &'a Globals,
    pub(super) machines: Machines,
    /// Of the worlds in which runs are killed, with their seed.
    faults: Option<(Spec, u64)>,
    pub(super) folder: Folder,
    pub(super) runtime: tokio::runtime::Runtime,
    run: Vec<String>,
}

impl<'a> Bench<'a> {
    pub(super) fn open(
        args: &TestArgs,
        env: &'a Environment,
        paths: &'a Paths,
        globals: &'a Globals,
        cancel: &Cancel,
    ) -> Result<Self, Failure> {
        let mut run = vec!["run".to_owned(), args.recipe.clone()];
        run.extend(args.set.iter().flat_map(|(name, value)| ["--set".to_owned(), format!("{name}={value}")]));
        Ok(Self {
            cancel: cancel.clone(),
            exe: paths.exe.clone(),
            paths,
            vars: env.vars(),
            globals,
            machines: args.machines,
            faults: args
                .faults
                .as_deref()
                .map(|given| read(given, &paths.work))
                .transpose()?
                .map(|spec| (spec, args.seed)),
            folder: Folder::new(args.machines)?,
            runtime: crate::app::runtime()?,
            run,
        })
    }

    /// Runs the recipe whole: the points it comes by, and how everything is then.
    pub(super) fn undisturbed(&self) -> Result<(Vec<Point>, EndState), Failure> {
        let world = World::open(self, Faults::none())?;
        let list = world.path().join("points");
        let ended = world.process(&self.run, &format!("list={}", list.display()))?;
        if !matches!(ended, Ended::Well) {
            let why = "the recipe does not run to its end even when nobody disturbs it";
            let mut failure = Failure::new(FailureKind::Failed, why).hint("mend that first; what it said is above");
            failure.output = Some(world.said());
            return Err(failure);
        }
        let cannot = |e| Failure::internal(format!("the list of points cannot be read: {e}"));
        let points = points::read(&std::fs::read_to_string(&list).map_err(cannot)?);
        let state = EndState::of(&world)?;
        match state.problems() {
            [] => Ok((points, state)),
            problems => Err(Failure::new(
                FailureKind::Failed,
                format!("even undisturbed the recipe leaves what it should not: {}", problems.join("; ")),
            )),
        }
    }

    /// Kills a run at the case's points, resumes it, and compares.
    pub(super) fn attempt(&self, case: &Case, wanted: &EndState) -> Verdict {
        let mut verdict = Verdict::default();
        let faults = self.faults.clone().map_or_else(Faults::none, |(spec, seed)| Faults::of(spec, seed));
        let tried = World::open(self, faults).and_then(|world| {
            let tried = self.live(&world, case, wanted, &mut verdict);
            verdict.faults = world.faults();
            if tried.is_err() || !verdict.problems.is_empty() {
                verdict.said = world.said();
            }
            tried
        });
        if let Err(failure) = tried {
            let hint = failure.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
            verdict.problems.push(format!("{failure}{hint}"));
        }
        verdict
    }

    fn live(&self, world: &World, case: &Case, wanted: &EndState, verdict: &mut Verdict) -> Result<(), Failure> {
        match world.process(&self.run, &format!("at={}", case.first))? {
            Ended::Killed => verdict.deaths += 1,
            // A fault may have led it around the point, or ended it: then that is what it goes on from.
            _ if self.faults.is_some() => {}
            Ended::Well => verdict.problems.push(format!("the run never came by {}: it took another path", case.first)),
            Ended::Badly => {
                verdict.problems.push(format!("the run failed before it came by {}", case.first));
                return Ok(());
            }
        }
        if let Some(second) = &case.second
            && let Some(Ended::Killed) = self.go_on(world, &format!("at={second}"))?
        {
            verdict.deaths += 1;
        }
        let tries = if self.faults.is_some() { TRIES } else { 1 };
        let mut ended = None;
        for _ in 0..tries {
            ended = self.go_on(world, "live")?;
            if matches!(ended, None | Some(Ended::Well)) {
                break;
            }
        }
        if let Some(Ended::Badly | Ended::Killed) = ended {
            verdict.problems.push("the resumed run did not end well".to_owned());
        }
        let state = EndState::of(world)?;
        verdict.problems.extend(state.problems().iter().cloned());
        verdict.problems.extend(wanted.differences(&state));
        Ok(())
    }

    /// What a person would do next; nothing if the run had ended before it died.
    fn go_on(&self, world: &World, points: &str) -> Result<Option<Ended>, Failure> {
        match world.newest_run()? {
            // It died before its first line was durable: nothing has happened.
            None => world.process(&self.run, points).map(Some),
            Some(RunSummary { status: Status::Done, .. }) => Ok(None),
            Some(run) => world.process(&["runs".into(), "resume".into(), run.id.to_string()], points).map(Some),
        }
    }
}
