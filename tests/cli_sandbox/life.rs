//! How a sandbox begins and ends, and what is left of it.

use crate::support::Home;
use crate::{SLOW, create, is};
use libtest_mimic::Failed;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn a_taken_port_is_named_with_its_remedy(home: &Home) -> Result<(), Failed> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let (code, error) = home.fails(&["sandbox", "serve", "--listen", &taken.local_addr()?.to_string()])?;
    is(code, 14)?;
    is(error["message"].as_str().unwrap_or_default().contains("choose another with --listen, or port 0"), true)?;
    let folder = home.path().join(".local/state/linodetool/sandbox");
    is(std::os::unix::fs::MetadataExt::mode(&folder.metadata()?) & 0o777, 0o700)
}

pub(crate) fn a_lost_token_is_told_with_the_way_out(home: &Home) -> Result<(), Failed> {
    home.ok(&["--sandbox", "regions"])?;
    let pid = home.json(&["sandbox", "status"])?["pid"].to_string();
    std::fs::write(home.path().join(".local/state/linodetool/sandbox/token"), "another")?;
    let (code, error) = home.fails(&["sandbox", "stop"])?;
    is(code, 14)?;
    let hint =
        format!("its token file is not the one it was started with; end it with `kill {pid}`, then start it again");
    is(error["hint"].clone(), hint)?;
    Command::new("kill").arg(&pid).status()?;
    // Stopping waits for what is about to end.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while home.code(&["sandbox", "stop"])? != 0 && std::time::Instant::now() < end {}
    is(home.code(&["sandbox", "status"])?, 3)
}

pub(crate) fn what_dies_leaves_nothing(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("slow.rhai"), SLOW)?;
    let mut child = home.command(&["--sandbox", "run", "slow.rhai"]).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while lines.next().ok_or("it ended early")?? != "sleeping" {}
    child.kill()?;
    child.wait()?;
    is(home.json(&["--sandbox", "runs", "list"])?[0]["status"].clone(), "interrupted")?;
    // The same command goes on: nothing is made twice.
    std::fs::write(home.path().join("slow.rhai"), SLOW.replace("sleep 600", "true"))?;
    home.ok(&["--sandbox", "run", "slow.rhai"])?;
    is(home.json(&["--sandbox", "node", "list"])?.as_array().map_or(0, Vec::len), 1)?;

    let pid = home.json(&["sandbox", "status"])?["pid"].to_string();
    Command::new("kill").args(["-KILL", &pid]).status()?;
    // Its end is a matter of the kernel's; a command that begins meanwhile may still see it.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while Path::new("/proc").join(&pid).join("exe").exists() && std::time::Instant::now() < end {
        std::thread::yield_now();
    }
    is(home.code(&["--sandbox", "exec", "all", "--", "true"])?, 14)?;
    create(home, "web-1")?;
    home.ok(&["--sandbox", "exec", "web-1", "--", "true"])?;
    home.ok(&["sandbox", "reset"])?;
    is(home.path().join(".local/state/linodetool/sandbox").exists(), false)
}

pub(crate) fn a_sandbox_that_cannot_start_says_why(home: &Home) -> Result<(), Failed> {
    let state = home.path().join("file");
    std::fs::write(&state, "")?;
    let (code, error) = home.fails(&["--state-dir", "file", "--sandbox", "regions"])?;
    is(code, 14)?;
    is(error["kind"].clone(), "sandbox")?;
    is(error["hint"].is_string(), true)
}

pub(crate) fn a_new_sandbox_knows_nothing_of_the_last_one(home: &Home) -> Result<(), Failed> {
    create(home, "web-1")?;
    let (code, _) = home.fails(&["sandbox", "serve"])?;
    is(code, 14)?;
    home.ok(&["sandbox", "stop"])?;
    let (code, _) = home.fails(&["--sandbox", "exec", "web-1", "--", "true"])?;
    is(code, 14)?;
    home.ok(&["--sandbox", "regions"])?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))
}
