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

use libtest_mimic::{Arguments, Failed, Trial};
use sshd::Sshd;
use std::future::Future;

fn main() {
    let mut trials = Vec::new();
    connect::add(&mut trials);
    exec::add(&mut trials);
    files::add(&mut trials);
    forward::add(&mut trials);
    runner::add(&mut trials);
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A test with a server of its own.
fn with_sshd<F>(trials: &mut Vec<Trial>, name: &str, body: impl FnOnce(Sshd) -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let required = std::env::var_os("LINODETOOL_REQUIRE_ALL").is_some_and(|v| v == "1");
    let missing = sshd::program().is_none();
    let run = move || -> Result<(), Failed> {
        if missing {
            return Err("OpenSSH's server is not installed: apt-get install openssh-server".into());
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(body(Sshd::start()));
        Ok(())
    };
    trials.push(Trial::test(name, run).with_ignored_flag(missing && !required));
}
