//! Faults of the sandbox as commands see them: `--faults`, `sandbox faults`, and how they get into a run's log.
//!
//! Does not know what a fault does; the grammar is the sandbox's.

use super::lifecycle::of_client;
use crate::cli::error::{CliError, OK};
use crate::cli::output::Output;
use crate::core::{Events, Failure, FailureKind, Paths, random_hex};
use clap::Args;
use linodetool_sandbox::client::{self, Running};
use linodetool_sandbox::faults::{Injected, Spec};
use serde_json::json;
use std::path::Path;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between looks for faults that have happened: they should stand in the log beside what was done about them.
const GLANCE: Duration = Duration::from_millis(100);

/// Faults for the sandbox.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FaultArgs {
    /// Let the sandbox fail as real clouds do: `flaky`, `lost-reply:5%`, a file of such lines, or `none` (see `sandbox faults --help`)
    #[arg(long, value_name = "SPEC|FILE")]
    pub(crate) faults: Option<String>,
    /// Draw faults, and how long everything takes, from this number, so that all comes again with it [default for faults: a
    /// new one, which is told; without any, everything takes what is usual]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Faults that somebody wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// None: those that are in force.
    pub(crate) spec: Option<Spec>,
    pub(crate) seed: Option<u64>,
}

impl FaultArgs {
    /// # Errors
    /// `Usage` for what is no list of faults.
    pub(crate) fn wanted(&self, work: &Path) -> Result<Option<Wanted>, Failure> {
        let spec = self.faults.as_ref().map(|given| read(given, work)).transpose()?;
        // For no faults none is made up, which would change how long everything takes.
        let some = spec.as_ref().is_some_and(|spec| spec.to_string() != "none");
        let drawn = || some.then(|| u64::from_str_radix(&random_hex(2), 16).unwrap_or_default());
        let seed = self.seed.or_else(drawn);
        Ok((spec.is_some() || seed.is_some()).then_some(Wanted { spec, seed }))
    }
}

/// Faults by their names, or from a file of such lines.
///
/// # Errors
/// `Usage` for what is no list of faults.
pub(crate) fn read(given: &str, work: &Path) -> Result<Spec, Failure> {
    let path = work.join(given);
    let text = if path.is_file() {
        std::fs::read_to_string(&path).map_err(|e| {
            Failure::new(FailureKind::Local, format!("the faults in {} cannot be read: {e}", path.display()))
        })?
    } else if given.contains('/') && !given.contains('=') {
        let message = format!("there is no file {}", path.display());
        return Err(Failure::not_found(message).field("faults"));
    } else {
        given.to_owned()
    };
    if text.lines().all(|line| line.split('#').next().unwrap_or_default().split(',').all(|word| word.trim().is_empty()))
    {
        let failure = Failure::usage("no fault is named").field("faults");
        return Err(failure.hint(format!("`none` ends those that are in force; {}", Spec::names())));
    }
    Spec::parse(&text).map_err(|e| Failure::usage(e.to_string()).hint(Spec::names()).field("faults"))
}

/// Show which faults are in force and which have happened, or set them
#[derive(Args, Debug)]
#[command(after_help = Spec::help())]
pub(crate) struct FaultsArgs {
    /// From now on let these happen: a list of faults, a file of them, or `none`
    #[arg(value_name = "SPEC|FILE")]
    pub(crate) spec: Option<String>,
    /// Draw them from this number [default: a new one, which is told]
    #[arg(long, value_name = "N", requires = "spec")]
    pub(crate) seed: Option<u64>,
}

impl FaultsArgs {
    pub(crate) fn run(&self, paths: &Paths, out: &Output) -> Result<u8, CliError> {
        let wanted = FaultArgs { faults: self.spec.clone(), seed: self.seed }.wanted(&paths.work)?;
        let Some(running) = client::status(&paths.sandbox()) else {
            let failure = Failure::new(FailureKind::NotFound, "no sandbox runs, so it has no faults");
            return Err(CliError::sandbox(failure.hint("start one with them: linodetool sandbox serve --faults SPEC")));
        };
        if let Some(wanted) = &wanted {
            set(&running, wanted).map_err(CliError::sandbox)?;
        }
        let failed = |e| CliError::sandbox(of_client(&e));
        let details = client::details(&running).map_err(failed)?;
        // Those of former rules belong to whoever asked for them.
        let happened = if wanted.is_some() { Vec::new() } else { client::faults(&running, 0).map_err(failed)? };
        let faults = &details["faults"];
        let document = json!({ "in_force": faults["in_force"], "seed": faults["seed"], "happened": happened });
        out.result(&document, || text(&line(faults), &happened))?;
        Ok(OK)
    }
}

/// Tells a running sandbox.
pub(crate) fn set(running: &Running, wanted: &Wanted) -> Result<(), Failure> {
    let spec = wanted.spec.as_ref().map(Spec::to_string);
    client::set_faults(running, spec.as_deref(), wanted.seed).map(drop).map_err(|e| of_client(&e))
}

/// What a sandbox says of its faults, as one line.
pub(crate) fn line(faults: &serde_json::Value) -> String {
    match faults["in_force"].as_str() {
        None | Some("none") => "none".to_owned(),
        Some(spec) => format!("{spec} (seed {}; {} so far)", faults["seed"], faults["injected"]),
    }
}

fn text(line: &str, happened: &[Injected]) -> String {
    let one = |fault: &Injected| format!("{}Z  {:>4}  {:<13} {}", fault.time, fault.number, fault.what, fault.place);
    let lines = std::iter::once(format!("in force: {line}")).chain(happened.iter().map(one));
    lines.collect::<Vec<_>>().join("\n")
}

/// Tells of each fault that happens in the sandbox as a note, beside what is noted of its consequences. Ends when dropped,
/// after a last look.
pub(crate) struct Watch {
    eye: Arc<Eye>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Eye {
    running: Running,
    /// The last one that was told.
    last: Mutex<u64>,
    events: Events,
}

impl Watch {
    /// `after` is the last one that does not count.
    pub(crate) fn start(running: Running, after: u64, events: Events) -> Option<Self> {
        let (stop, stopped) = channel();
        let eye = Arc::new(Eye { running, last: Mutex::new(after), events });
        let watches = eye.clone();
        let watch = move || {
            while matches!(stopped.recv_timeout(GLANCE), Err(RecvTimeoutError::Timeout)) {
                watches.look();
            }
        };
        // Without it the run goes as well; only its log lacks these lines.
        let thread = std::thread::Builder::new().name("faults".into()).spawn(watch).ok()?;
        Some(Self { eye, stop: Some(stop), thread: Some(thread) })
    }

    /// Tells of what has happened so far.
    pub(crate) fn look(&self) {
        self.eye.look();
    }
}

impl Eye {
    fn look(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // A sandbox that has just ended has told all it could.
        for fault in client::faults(&self.running, *last).unwrap_or_default() {
            *last = fault.number.max(*last);
            self.events.note(format!("sandbox fault {fault}"));
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic has been reported where it happened
        }
        self.look();
    }
}
