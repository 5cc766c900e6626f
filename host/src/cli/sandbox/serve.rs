//! `linodetool sandbox serve`: this process is the sandbox until it is stopped.

use super::faults::Wanted;
use super::lifecycle::{machines, put_aside_state};
use super::{Limits, MachineKind, ServeArgs, Timing};
use crate::cli::environment::Environment;
use crate::cli::error::{CliError, OK};
use crate::cli::logging;
use crate::cli::output::Output;
use crate::core::{Failure, FailureKind, Paths};
use linodetool_sandbox::client;
use linodetool_sandbox::faults::Faults;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::Machines;
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use linodetool_sandbox::machines::simulated::Simulated;
use linodetool_sandbox::server::{self, Ready, ServeError, ServeOptions};
use serde_json::json;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

impl ServeArgs {
    pub(crate) fn run(&self, env: &Environment, paths: &Paths, out: &Output) -> Result<u8, CliError> {
        logging::start(env, "info");
        let faults = Faults::none();
        if let Some(Wanted { spec, seed }) = self.faults.wanted(&paths.work)? {
            faults.replace(spec, seed);
        }
        let folder = self.state.as_ref().map_or_else(|| paths.sandbox(), |dir| paths.work.join(dir));
        if let Some(running) = client::status(&folder) {
            return Err(CliError::sandbox(
                Failure::new(
                    FailureKind::Conflict,
                    format!("a sandbox runs in {} already: process {}, {}", folder.display(), running.pid, running.v4),
                )
                .hint("use that one, stop it with `linodetool sandbox stop`, or give another folder with --state"),
            ));
        }
        if self.background {
            ignore_hangup()?;
        }
        // Nobody else has any business in it; what is made below it relies on that.
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|e| {
            CliError::sandbox(
                Failure::new(FailureKind::State, format!("the folder {} cannot be made: {e}", folder.display()))
                    .hint("give another folder with --state"),
            )
        })?;
        let machines = self.machines(&folder, paths)?;
        put_aside_state(&folder)?;
        let options = ServeOptions {
            listen: self.listen,
            state: Some(folder.clone()),
            time_scale: self.time_scale,
            virtual_time: false,
            timing: match self.timing {
                Timing::Fast => linodetool_sandbox::world::Timing::fast(),
                Timing::Real => linodetool_sandbox::world::Timing::real(),
            },
            limits: match self.limits {
                Limits::Real => LimitMode::Real,
                Limits::Off => LimitMode::Off,
            },
            faults,
        };
        let mut told = Ok(());
        server::serve(options, machines, |ready| told = tell(ready, &folder, out)).map_err(|e| of_server(&e))?;
        told.map(|()| OK)
    }

    fn machines(&self, folder: &Path, paths: &Paths) -> Result<Arc<dyn Machines>, CliError> {
        match self.machines {
            MachineKind::Simulated if self.rootfs.is_some() => {
                Err(Failure::usage("simulated machines have no files: leave out --rootfs, or --machines").into())
            }
            MachineKind::Simulated => Ok(Arc::new(Simulated::new())),
            MachineKind::Namespaces => {
                // The world begins empty, so a disk that is left is nobody's.
                let rootfs = self.rootfs.as_ref().map(|dir| paths.work.join(dir));
                let options = Options { forget_disks: true, rootfs, ..Options::default() };
                let opened = Namespaces::open(&machines(folder), &options);
                let opened = opened.map_err(|e| CliError::sandbox(Failure::new(FailureKind::Local, e.to_string())))?;
                Ok(Arc::new(opened))
            }
        }
    }
}

/// One line, whoever reads it.
fn tell(ready: &Ready, folder: &Path, out: &Output) -> Result<(), CliError> {
    let line = json!({ "v4": ready.v4, "v3": ready.v3, "token": ready.token, "pid": ready.pid, "state": folder });
    out.data(&line.to_string())
}

fn of_server(error: &ServeError) -> CliError {
    let kind = match error {
        ServeError::NotLoopback { .. } | ServeError::TimeScale { .. } => {
            return Failure::usage(error.to_string()).into();
        }
        ServeError::Listen { .. } => FailureKind::Conflict,
        _ => FailureKind::Local,
    };
    CliError::sandbox(Failure::new(kind, error.to_string()))
}

/// A server in the background outlives the terminal that it was started from.
fn ignore_hangup() -> Result<(), Failure> {
    let cannot = |e: std::io::Error| Failure::new(FailureKind::Local, format!("signals cannot be watched: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let mut hangup = {
        let _inside = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map_err(cannot)?
    };
    let ignore = move || runtime.block_on(async { while hangup.recv().await.is_some() {} });
    std::thread::Builder::new().name("hangup".into()).spawn(ignore).map_err(cannot)?;
    Ok(())
}
