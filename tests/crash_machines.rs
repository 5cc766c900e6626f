//! Recipes that are killed while real machines are at work: real SSH, the real runner, the middle of a command.
#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "crash/common.rs"]
mod common;
#[path = "support/mod.rs"]
mod support;

use common::{left, survived, test};
use libtest_mimic::Failed;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{Home, is};

const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/crash/small.rhai");

fn main() -> ExitCode {
    support::main(
        &[
            ("what_is_under_way_on_a_machine_is_found_again", found_again),
            ("an_interrupt_leaves_nothing_behind", interrupted),
        ],
        || support::no_machines(&[]),
    )
}

fn found_again(home: &Home) -> Result<(), Failed> {
    let report = test(home, SMALL, &["--machines", "namespaces", "--points", ":running,node.file,nodes.ready"])?;
    is("killed while a node was at work", report["operations"]["node.run"]["running"]["survived"].clone(), 4)?;
    survived(home, &report)
}

fn interrupted(home: &Home) -> Result<(), Failed> {
    let mut command = home.command(&["recipe", "test", SMALL, "--crash-everywhere", "--machines", "namespaces"]);
    let command = command.env("TMPDIR", home.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    let began = Instant::now();
    while children(child.id()).is_empty() && began.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let worked = children(child.id());
    let stopped = Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    is("the signal was sent", stopped.success(), true)?;
    is("exit code", child.wait()?.code(), 130)?;
    is("there was a process", worked.is_empty(), false)?;
    let alive: Vec<u32> = worked.into_iter().filter(|pid| Path::new(&format!("/proc/{pid}")).exists()).collect();
    is("processes that are left", alive, Value::Array(Vec::new()))?;
    is("worlds that are left", left(home.path()), 0)
}

/// Children of a process.
fn children(pid: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>()).collect()
}
