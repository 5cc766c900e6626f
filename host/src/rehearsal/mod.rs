//! Rehearsals: a recipe run to its end in a cloud of its own that stands for the present one, and told what it would do.
//!
//! Owns: how that cloud is made, from the inventory, the journal and what else is known, and what is concluded from the run.
//! Reads the user's state and writes nothing there; reaches no network. Does not know terminals, nor how a report looks.

mod changes;
mod cost;
mod course;
mod past;
mod report;
mod seed;
mod unknown;
mod words;

use crate::app::emulated::Emulator;
use crate::app::{self, App, Env, Options, SandboxAccess};
use crate::core::{Cancel, Clock, Events, Failure, FailureKind, Paths, Secret, Time, VirtualTime};
use crate::runs::{Bounds, NewRun, Run, Status};
use crate::script::{self, Found, ScriptError};
use crate::toolkit::seen::Seen;
use crate::toolkit::{Toolkit, Yes};
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::simulated::Pace;
use linodetool_sandbox::world::Timing;
pub use report::{Cost, Counted, Course, Destroyed, Made, NodeChange, Rehearsal, Share, Work};
use seed::Present;
use std::collections::HashMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use unknown::Missing;

/// What is to be rehearsed.
pub struct Asked<'a> {
    /// The user's folders, of the world that the run is for. They are only read, and need not be there.
    pub paths: &'a Paths,
    /// `application/customer`.
    pub context: &'a str,
    pub provider: &'a str,
    pub cloud: Cloud,
    pub recipe: &'a Found,
    /// Parameters, as they were given.
    pub set: &'a [(String, String)],
    /// The time of day, in milliseconds since 1970.
    pub now_ms: u64,
    /// Cuts it short.
    pub cancel: &'a dyn Fn(&Cancel),
}

/// The cloud that the run is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cloud {
    /// An account, with its limits and times.
    Real,
    /// A sandbox, which has its own.
    Sandbox {
        timing: Timing,
        limits: LimitMode,
        /// How fast its machines work.
        machines: &'static Pace,
        /// All of it passes that many times as fast as this computer's time.
        scale: f64,
        /// It is yet to be started, so that nothing is in it.
        is_new: bool,
    },
}

/// A rehearsal, and the error that ended the recipe, if one did: then the rehearsal tells what was reached.
pub struct Outcome {
    pub rehearsal: Rehearsal,
    pub error: Option<ScriptError>,
}

/// Rehearses a recipe. Blocks for as long as that takes to compute, so never call it on a worker of an async runtime.
///
/// # Errors
/// The present state cannot be read, or this computer has no room for a temporary folder.
pub fn rehearse(asked: &Asked<'_>) -> Result<Outcome, Failure> {
    let present = match asked.cloud {
        Cloud::Sandbox { is_new: true, .. } => Present::default(),
        _ => Present::read(&asked.paths.state, asked.context)?,
    };
    let mut stage = Stage::build(asked)?;
    stage.seed(asked, &present)?;
    // What is there already has taken its time, too.
    stage.began_ms = stage.cloud.time.now_ms();
    let run = stage.app.toolkit.runs().begin(NewRun {
        title: format!("rehearsal of {}", asked.recipe.path),
        context: asked.context.to_owned(),
        provider: asked.provider.to_owned(),
        recipe: Some((asked.recipe.path.clone(), asked.recipe.text.clone())),
        ..NewRun::default()
    })?;
    (asked.cancel)(run.cancel());
    run.bound(bounds(asked.now_ms));
    let outcome = script::run(&run, asked.recipe, asked.set, &stage.app.scripts);
    run.finish(if outcome.is_ok() { Status::Done } else { Status::Failed })?;
    let error = outcome.err();
    if let Some(error) = error.as_ref().filter(|error| error.failure.kind == FailureKind::Cancelled) {
        return Err(error.failure.clone());
    }
    let mut rehearsal = report::make(asked, &stage, &present, &run)?;
    rehearsal.failure = error.as_ref().map(|error| error.failure.clone());
    Ok(Outcome { rehearsal, error })
}

/// Far more than any recipe does that comes to its end: a thousand nodes take some ten thousand steps in lanes of a few dozen,
/// and what is waited for again and again comes within hours or not at all.
fn bounds(now_ms: u64) -> Bounds {
    let hint = "a loop that waits for what a command writes never ends in a rehearsal, where it writes nothing: say what it would \
        write, `node.run(\"...\", #{ rehearse: \"output\" })`, or wait with `wait_until`, which has a timeout";
    Bounds { same: 10_000, steps: 3_000_000, until_ms: now_ms.saturating_add(7 * 86_400_000), hint: hint.to_owned() }
}

/// A cloud of its own with a Toolkit that works in it. Gone when dropped.
struct Stage {
    app: App,
    cloud: Emulator,
    missing: Missing,
    /// The one that the account showed last, if it is used.
    catalogue: Option<Seen>,
    began_ms: u64,
    /// Dropped last: all of the above is in it.
    _folder: tempfile::TempDir,
}

impl Stage {
    fn build(asked: &Asked<'_>) -> Result<Self, Failure> {
        let folder = folder()?;
        let time = VirtualTime::new(asked.now_ms);
        let cloud = match asked.cloud {
            Cloud::Real => Emulator::new(time),
            Cloud::Sandbox { timing, limits, machines, .. } => Emulator::with(time, timing, limits, *machines),
        };
        let mut emulated = cloud.access()?;
        let missing = Missing::default();
        emulated.secrets = Some(missing.otherwise(asked)?);
        let sandbox = matches!(asked.cloud, Cloud::Sandbox { .. });
        // It says that this is a sandbox; nobody goes there.
        let nowhere =
            SandboxAccess { v4: emulated.v4.to_string(), token: Secret::new(String::new()), dir: folder.path().into() };
        let nothing: Env = Arc::new(|_| None);
        let app = app::build(Options {
            paths: Paths {
                state: folder.path().join("state"),
                cache: folder.path().join("cache"),
                ..asked.paths.clone()
            },
            context: asked.context.to_owned(),
            provider: asked.provider.to_owned(),
            sandbox: sandbox.then_some(nowhere),
            emulated: Some(emulated),
            token_cmd: None,
            env: nothing,
            confirm: Arc::new(Yes),
            events: Events::none(),
        })?;
        let seen = || Seen::read(&asked.paths.cache, asked.provider);
        let catalogue = if sandbox { None } else { seen() };
        Ok(Self { app, cloud, missing, catalogue, began_ms: asked.now_ms, _folder: folder })
    }

    fn toolkit(&self) -> &Toolkit {
        &self.app.toolkit
    }

    /// Makes its world what the present one is.
    fn seed(&self, asked: &Asked<'_>, present: &Present) -> Result<(), Failure> {
        seed::sow(self, present, self.catalogue.as_ref())?;
        let members = past::replay(self, &asked.paths.state, asked.context, present).unwrap_or_else(|failure| {
            self.missing
                .note(format!("what runs have done on nodes so far, since their journal cannot be read: {failure}"));
            HashMap::new()
        });
        self.wait(seed::guard(self.toolkit(), present, &members))
    }

    /// Waits for something outside of a run.
    fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        // Time goes on only while somebody who is held waits.
        let hold = self.cloud.time.hold();
        self.app.runtime.block_on(hold.waiting(work))
    }
}

const FOLDERS: &str = "linodetool-rehearsal-";

/// For all that a rehearsal writes; in memory where that is possible.
fn folder() -> Result<tempfile::TempDir, Failure> {
    let (mut named, memory) = (tempfile::Builder::new(), Path::new("/dev/shm"));
    let prefix = format!("{FOLDERS}{}-", std::process::id());
    named.prefix(&prefix);
    sweep(memory);
    let made = if memory.is_dir() { named.tempdir_in(memory).or_else(|_| named.tempdir()) } else { named.tempdir() };
    made.map_err(|e| {
        Failure::new(FailureKind::Local, format!("no temporary folder can be made: {e}"))
            .hint("set TMPDIR to a folder with room")
    })
}

/// Removes what a rehearsal of this process has written. For a process that ends in the middle of it.
pub fn leave() {
    let ours = format!("{FOLDERS}{}-", std::process::id());
    for base in [Path::new("/dev/shm"), &std::env::temp_dir()] {
        for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&ours) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Removes folders of processes that were killed: they take memory.
fn sweep(base: &Path) {
    let ours = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(FOLDERS).and_then(|rest| rest.split('-').next());
        // Nothing is concluded where processes cannot be seen.
        let is_dead = |process: &str| Path::new("/proc/self").exists() && !Path::new("/proc").join(process).exists();
        let is_left = process.is_some_and(|process| process.parse::<u32>().is_ok() && is_dead(process));
        if is_left && entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == ours) {
            // What cannot be removed is only in the way of nobody.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn outputs(run: &Run) -> serde_json::Map<String, serde_json::Value> {
    run.outputs().into_iter().collect()
}
