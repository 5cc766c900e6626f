//! The world of one case: an emulated cloud in this process, a state directory of its own, and processes that work there.
//!
//! Owns the folders and the processes, which end with it whatever happens. Does not know points or what is compared.

use super::case::Bench;
use super::{Machines, POINTS};
use crate::cli::sandbox::lifecycle;
use crate::core::{Events, Failure, FailureKind, Paths, SystemClock};
use crate::runs::{RunFilter, RunSummary, Runs};
use crate::secrets::files::FileLock;
use linodetool_sandbox::faults::Faults;
use linodetool_sandbox::ledger::Entry;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::Machines as Kind;
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use linodetool_sandbox::machines::simulated::Simulated;
use linodetool_sandbox::server::{self, Handle, ServeOptions};
use linodetool_sandbox::world::Timing;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A process that has not ended by then never will.
const LONGEST: Duration = Duration::from_secs(900);
/// How often a process is looked after.
const GLANCE: Duration = Duration::from_millis(2);
/// How much of what a process said is kept for the report.
const LAST_LINES: usize = 15;
const PREFIX: &str = "linodetool-crash-";

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Badly,
    /// By SIGKILL.
    Killed,
}

/// Where all worlds of a test are; gone with it. What a killed one left is removed by the next.
pub(super) struct Folder {
    dir: TempDir,
    _lock: FileLock,
}

impl Folder {
    /// In memory where that is possible: a case writes much and keeps nothing.
    pub(super) fn new(machines: Machines) -> Result<Self, Failure> {
        let memory = Path::new("/dev/shm");
        let base = match machines {
            Machines::Simulated if memory.is_dir() => memory.to_owned(),
            _ => std::env::temp_dir(),
        };
        sweep(&base);
        let cannot = |e: std::io::Error| {
            Failure::new(FailureKind::Local, format!("no folder can be made in {}: {e}", base.display()))
                .hint("set TMPDIR to a folder with room")
        };
        let dir = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&base).map_err(cannot)?;
        let lock = FileLock::wait(&dir.path().join("lock")).map_err(|e| Failure::internal(e.to_string()))?;
        Ok(Self { dir, _lock: lock })
    }
}

/// Removes folders of tests that were killed.
fn sweep(base: &Path) {
    let ours = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(base).into_iter().flatten().flatten() {
        let (path, meta) = (entry.path(), entry.metadata());
        let left = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && meta.is_ok_and(|meta| meta.is_dir() && meta.uid() == ours)
            && path.join("lock").exists()
            && !FileLock::is_held(&path.join("lock"));
        if left {
            // What cannot be removed is only in the way of nobody.
            let _ = std::fs::remove_dir_all(path);
        }
    }
}

/// One cloud and one state directory.
pub(super) struct World<'a> {
    bench: &'a Bench<'a>,
    // The cloud ends before its folder does.
    server: Handle,
    simulated: Arc<Simulated>,
    dir: TempDir,
}

impl<'a> World<'a> {
    pub(super) fn open(bench: &'a Bench<'a>, faults: Faults) -> Result<Self, Failure> {
        let cannot = |e: std::io::Error| Failure::new(FailureKind::Local, format!("no folder can be made: {e}"));
        let dir = tempfile::Builder::new().prefix("case-").tempdir_in(bench.folder.dir.path()).map_err(cannot)?;
        let folder = dir.path().join("sandbox");
        let simulated = Arc::new(Simulated::new());
        let machines: Arc<dyn Kind> = match bench.machines {
            Machines::Simulated => simulated.clone(),
            Machines::Namespaces => {
                let opened = Namespaces::open(&lifecycle::machines(&folder), &Options::default());
                Arc::new(opened.map_err(|e| Failure::new(FailureKind::Local, e.to_string()))?)
            }
        };
        let options = match bench.machines {
            Machines::Simulated => {
                ServeOptions { virtual_time: true, timing: Timing::real(), ..ServeOptions::default() }
            }
            // Waiting for them in real time proves nothing.
            Machines::Namespaces => ServeOptions { limits: LimitMode::Off, ..ServeOptions::default() },
        };
        let options = ServeOptions { state: Some(folder), faults, ..options };
        let server = server::spawn(options, machines)
            .map_err(|e| Failure::new(FailureKind::Local, format!("the emulated cloud does not start: {e}")))?;
        Ok(Self { bench, server, simulated, dir })
    }

    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs this binary in this world, with what it is to do at its points.
    pub(super) fn process(&self, arguments: &[String], points: &str) -> Result<Ended, Failure> {
        let cannot = |e: std::io::Error| Failure::new(FailureKind::Local, format!("linodetool cannot be started: {e}"));
        let said = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(self.log());
        let said = said.map_err(cannot)?;
        let globals = self.bench.globals;
        let named = [("--provider", &globals.provider), ("--context", &globals.context)];
        let named = named.into_iter().filter_map(|(option, value)| Some([option, value.as_deref()?]));
        let mut command = Command::new(&self.bench.exe);
        command
            .arg("--state-dir")
            .arg(self.path())
            .args(["--sandbox", "--json"])
            .args(named.flatten())
            .args(arguments)
            .env_clear()
            .envs(self.bench.vars.iter().filter(|(name, _)| !name.starts_with("LINODE_")))
            .env(POINTS, points)
            .stdin(Stdio::null())
            .stdout(said.try_clone().map_err(cannot)?)
            .stderr(said)
            // A Ctrl-C in this terminal is ours to pass on.
            .process_group(0);
        let child = command.spawn().map_err(cannot)?;
        let status = self.wait(child)?;
        Ok(match status.signal() {
            Some(9) => Ended::Killed,
            _ if status.success() => Ended::Well,
            _ => Ended::Badly,
        })
    }

    fn wait(&self, mut child: Child) -> Result<ExitStatus, Failure> {
        let began = Instant::now();
        loop {
            let looked = child.try_wait();
            if let Ok(Some(status)) = looked {
                return Ok(status);
            }
            let failure = match looked {
                Err(e) => Failure::new(FailureKind::Local, format!("a process cannot be waited for: {e}")),
                Ok(_) if !self.bench.cancel.sleep(GLANCE) => Failure::new(FailureKind::Cancelled, "interrupted"),
                Ok(_) if began.elapsed() > LONGEST => {
                    let text = format!("it does not end: killed after {} s", LONGEST.as_secs());
                    Failure::new(FailureKind::Timeout, text)
                }
                Ok(_) => continue,
            };
            // It is our own child, so its id is no other process's.
            let _ = child.kill();
            let _ = child.wait();
            return Err(failure);
        }
    }

    /// The newest run of this world.
    pub(super) fn newest_run(&self) -> Result<Option<RunSummary>, Failure> {
        Ok(self.runs()?.list(&RunFilter { limit: Some(1), ..RunFilter::default() })?.pop())
    }

    /// The journal and inventory, while no process works on them.
    pub(super) fn runs(&self) -> Result<Runs, Failure> {
        let handle = self.bench.runtime.handle().clone();
        Ok(Runs::open(&self.paths(), handle, Arc::new(SystemClock), Events::none())?)
    }

    /// The folders as a process in this world has them.
    pub(super) fn paths(&self) -> Paths {
        Paths { state: lifecycle::state(&self.dir.path().join("sandbox")), ..self.bench.paths.clone() }
    }

    /// Everything that was ever created and destroyed.
    pub(super) fn ledger(&self) -> Vec<Entry> {
        self.server.sandbox().ledger()
    }

    /// How many faults have happened.
    pub(super) fn faults(&self) -> u64 {
        self.server.sandbox().faults().count()
    }

    /// What a simulated machine has come to.
    pub(super) fn memory(&self, id: &str) -> BTreeMap<String, String> {
        id.parse().map(|id| self.simulated.memory(id)).unwrap_or_default()
    }

    /// The end of what the last process said.
    pub(super) fn said(&self) -> String {
        let text = std::fs::read(self.log()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }

    fn log(&self) -> PathBuf {
        self.path().join("said")
    }
}
