//! Recipes that are killed and go on: `recipe test --crash-everywhere` with the real binary.
//!
//! With machines of namespaces a handful of points, among them the middle of a command: real SSH, the real runner.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::Value;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{Home, is};

const SMALL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/crash/small.rhai");

fn main() -> ExitCode {
    support::main(
        &[
            ("real_machines_go_on_with_what_was_under_way", real_machines),
            ("an_interrupt_leaves_nothing_behind", interrupted),
            ("a_recipe_that_fails_by_itself_is_no_case", fails_by_itself),
        ],
        support::lacking(&[]).as_deref(),
    )
}

fn real_machines(home: &Home) -> Result<(), Failed> {
    let report = test(home, SMALL, &["--machines", "namespaces", "--points", ":running,node.file,nodes.ready"])?;
    is("failures", report["failures"].clone(), Value::Array(Vec::new()))?;
    is("killed while a node was at work", report["operations"]["node.run"]["running"]["survived"].clone(), 4)?;
    is("survived", report["survived"].clone(), report["tried"].clone())?;
    is("nothing is left", left(home.path()), 0)
}

/// Runs the test in a home of its own; its report.
fn test(home: &Home, recipe: &str, arguments: &[&str]) -> Result<Value, Failed> {
    let mut command = home.command(&["--json", "recipe", "test", recipe, "--crash-everywhere"]);
    let output = command.args(arguments).env("TMPDIR", home.path()).output()?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        format!("{error}: {said}").into()
    })
}

/// Worlds that are still there.
fn left(folder: &Path) -> usize {
    let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name().to_string_lossy().into_owned();
    std::fs::read_dir(folder).unwrap().map(name).filter(|name| name.starts_with("linodetool-crash-")).count()
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
    let stopped = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    is("the signal was sent", stopped.success(), true)?;
    let ended = child.wait()?;
    is("exit code", ended.code(), 130)?;
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

fn fails_by_itself(home: &Home) -> Result<(), Failed> {
    let recipe = home.path().join("broken.rhai");
    std::fs::write(&recipe, r#"let p = params(#{ n: param(1, "a number") }); fail("no")"#)?;
    let report = test(home, recipe.to_str().unwrap_or_default(), &["--machines", "simulated"])?;
    let message = "the recipe does not run to its end even when nobody disturbs it";
    is("message", report["error"]["message"].clone(), message)
}
