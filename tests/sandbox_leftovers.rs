//! Whatever dies, nothing stays behind: after `sandbox stop` or the next start there is no process and no mount of a sandbox
//! whose server, or whose user's command, was killed.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::json;
use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use support::{Home, is, leftovers};

fn main() -> ExitCode {
    let tests: &[support::Test] = &[
        ("stop_after_the_server_was_killed", stop_after_the_server_was_killed),
        ("a_start_after_the_server_was_killed", a_start_after_the_server_was_killed),
        ("stop_after_a_command_was_killed", stop_after_a_command_was_killed),
        ("stop_with_a_machine_that_ignores_the_end", stop_with_a_machine_that_ignores_the_end),
    ];
    support::main(tests, || support::no_machines(&[]))
}

fn create(home: &Home, name: &str) -> Result<(), Failed> {
    let create = ["--sandbox", "node", "create", "us-east", "g6-nanode-1", "linode/debian12", "--name", name];
    home.json(&create).map(drop)
}

/// Kills a process that a test's home started, at once.
fn kill(pid: &str) -> Result<(), Failed> {
    let killed = Command::new("kill").args(["-KILL", pid]).status()?;
    is("killed", killed.success(), true)
}

fn kill_the_server(home: &Home) -> Result<(), Failed> {
    let pid = home.json(&["sandbox", "status"])?["pid"].to_string();
    kill(&pid)
}

fn stop_after_the_server_was_killed(home: &Home) -> Result<(), Failed> {
    create(home, "web-1")?;
    // One that nobody would end but the end of its machine.
    home.ok(&["--sandbox", "exec", "web-1", "--", "setsid sleep 1000 >/dev/null 2>&1 </dev/null &"])?;
    kill_the_server(home)?;
    home.ok(&["sandbox", "stop"])?;
    leftovers::none(home.path())
}

fn a_start_after_the_server_was_killed(home: &Home) -> Result<(), Failed> {
    create(home, "web-1")?;
    kill_the_server(home)?;
    // A new world, in which the old name is free and the old machine is not.
    create(home, "web-1")?;
    is("hostname", home.json(&["--sandbox", "exec", "web-1", "--", "hostname"])?[0]["stdout"].clone(), "web-1\n")?;
    let status = home.json(&["sandbox", "status"])?;
    is("linodes", status["details"]["linodes"]["total"].clone(), 1)?;
    is("stopped", home.json(&["sandbox", "stop"])?, json!({ "stopped": true }))?;
    leftovers::none(home.path())
}

const SLOW: &str = r#"
let c = clusters::ensure(#{ name: "slow", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", type: "g6-nanode-1" }] });
print("made");
c.nodes[0].run("sleep 1000");
"#;

fn stop_after_a_command_was_killed(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("slow.rhai"), SLOW)?;
    let mut command = home.command(&["--json", "--sandbox", "run", "slow.rhai"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // Ends with an error if the recipe ends before.
    while lines.next().ok_or("it ended early")?? != "made" {}
    child.kill()?;
    child.wait()?;
    // What it made is on record, and works.
    is("nodes", home.json(&["--sandbox", "node", "list"])?[0]["name"].clone(), "slow-node-1")?;
    home.ok(&["--sandbox", "exec", "slow-node-1", "--", "true"])?;
    is("stopped", home.json(&["sandbox", "stop"])?, json!({ "stopped": true }))?;
    leftovers::none(home.path())
}

fn stop_with_a_machine_that_ignores_the_end(home: &Home) -> Result<(), Failed> {
    create(home, "web-1")?;
    let stubborn = "setsid sh -c 'trap \"\" TERM INT HUP; while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &";
    home.ok(&["--sandbox", "exec", "web-1", "--", stubborn])?;
    is("stopped", home.json(&["sandbox", "stop"])?, json!({ "stopped": true }))?;
    leftovers::none(home.path())
}
