//! Nodes against a real OpenSSH server on loopback. Where none is installed they are ignored, unless
//! `LINODETOOL_REQUIRE_ALL=1` says that everything must run.

#![allow(clippy::unwrap_used, reason = "a test's way to fail")]

#[path = "nodes/connect.rs"]
mod connect;
#[path = "nodes/exec.rs"]
mod exec;
#[path = "nodes/files.rs"]
mod files;
#[path = "nodes/forward.rs"]
mod forward;
#[path = "nodes/runner.rs"]
mod runner;
#[path = "nodes/sshd.rs"]
mod sshd;
#[path = "support/trials.rs"]
mod trials;

use libtest_mimic::{Failed, Trial};
use sshd::Sshd;
use std::future::Future;
use std::process::ExitCode;

fn main() -> ExitCode {
    trials::main(|| {
        let mut trials = Vec::new();
        connect::add(&mut trials);
        exec::add(&mut trials);
        files::add(&mut trials);
        forward::add(&mut trials);
        runner::add(&mut trials);
        trials
    })
}

/// A test with a server of its own.
fn with_sshd<F>(trials: &mut Vec<Trial>, name: &str, body: impl FnOnce(Sshd) -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let lacking = sshd::program().is_none().then_some("no sshd: apt-get install openssh-server");
    let run = move || -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(body(Sshd::start()));
        Ok(())
    };
    trials.push(trials::trial(name, lacking, run));
}
