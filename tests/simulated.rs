//! A sandbox whose machines are only simulated: runs live in its time, and what goes wrong there on purpose is met as on
//! real machines.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};
use support::{Home, is};

/// Two machines with an hour's work each.
const RECIPE: &str = r#"
let p = params(#{ size: param(0, "megabytes to send") });
let c = clusters::ensure(#{ name: "web", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "web", count: 2, type: "g6-nanode-1" }] });
let codes = lanes(c.nodes, |n| {
    if p.size > 0 { n.upload(#{ source: "large", path: "/root/large" }); }
    n.run("work", #{ creates: "/root/done", rehearse: #{ output: "worked", seconds: 3600.0 } }).stdout
});
output("said", codes);
"#;

fn main() -> ExitCode {
    support::main(
        &[
            ("a_run_lives_in_the_sandboxs_time", in_its_time),
            ("a_lost_connection_and_a_restart_end_no_run", lost_and_restarted),
            ("a_full_disk_fails_the_step_and_says_what_to_do", full),
            ("a_seed_decides_how_long_it_takes", seeded),
        ],
        || None,
    )
}

/// A sandbox that is up; it ends with the home.
fn serve(home: &Home, more: &[&str]) {
    let usual = ["sandbox", "serve", "--machines", "simulated", "--timing", "real", "--time-scale", "2000"];
    let mut command = home.command(&[&usual, more].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // Waited for, so that it leaves no zombie.
    std::thread::spawn(move || child.wait());
    std::fs::write(home.path().join("work.rhai"), RECIPE).unwrap();
}

/// Seconds that the last run took, in the sandbox's time.
fn took(home: &Home) -> Result<f64, Failed> {
    let runs = home.json(&["--sandbox", "runs", "list"])?;
    let ms = |field: &str| runs[0][field].as_f64().unwrap_or(f64::NAN);
    Ok((ms("ended_ms") - ms("started_ms")) / 1000.0)
}

fn in_its_time(home: &Home) -> Result<(), Failed> {
    serve(home, &[]);
    let told = home.json(&["--sandbox", "run", "work.rhai", "--rehearse"])?;
    let document = home.json(&["--sandbox", "run", "work.rhai"])?;
    is("what the machines said", document["outputs"]["said"].clone(), vec!["worked", "worked"])?;
    let (estimate, took) = (told["time"]["seconds"].as_f64().unwrap() * 2000.0, took(home)?);
    // A boot takes a minute and a half. How much longer it took depends on this computer.
    is("an hour's work and a boot", (3680.0..3720.0).contains(&estimate) && took > 3680.0, true)
        .map_err(|_| format!("{estimate} s told, {took} s taken").into())
}

fn lost_and_restarted(home: &Home) -> Result<(), Failed> {
    serve(home, &["--faults", "ssh-cut=web-web-1:60s,reboot=web-web-2:600s", "--seed", "1"]);
    let document = home.json(&["--sandbox", "run", "work.rhai"])?;
    is("what the machines said", document["outputs"]["said"].clone(), vec!["worked", "worked"])?;
    let log = home.ok(&["--sandbox", "runs", "log", document["run"].as_str().unwrap_or_default()])?;
    for part in ["ssh-cut (web-web-1)", "web-web-1: the connection was lost", "found again", "reboot (web-web-2)"] {
        if !log.contains(part) {
            return Err(format!("`{part}` is missing in\n{log}").into());
        }
    }
    Ok(())
}

fn full(home: &Home) -> Result<(), Failed> {
    serve(home, &["--faults", "disk-full=web-web-2:1M"]);
    std::fs::write(home.path().join("large"), vec![7; 2 << 20])?;
    let (_, error) = home.fails(&["--sandbox", "run", "work.rhai", "--set", "size=2"])?;
    let text = error.to_string();
    for part in ["No space left on device", "the node's disk is full", "web-web-2"] {
        if !text.contains(part) {
            return Err(format!("`{part}` is missing in {text}").into());
        }
    }
    Ok(())
}

fn seeded(home: &Home) -> Result<(), Failed> {
    serve(home, &["--seed", "7"]);
    home.json(&["--sandbox", "run", "work.rhai"])?;
    let took = took(home)?;
    // The slower of the two, whose work takes 1.26 times what is usual.
    is("not what is usual", (2400.0..3600.0).contains(&took) || took > 3800.0, true)
        .map_err(|_| format!("{took} s taken").into())
}
