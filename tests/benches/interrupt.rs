//! From Ctrl-C to the prompt: how long the whole program takes to end while 20 lanes each wait for a command on a node.
//!
//! `cargo bench -p linodetool --bench interrupt`. In the sandbox, with machines made of namespaces and real SSH.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is there to print, and may stop at anything unexpected

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const LANES: usize = 20;
const ROUNDS: usize = 20;

/// Commands are under way that long after their lanes have said that they begin; nothing shows it from outside.
const UNDER_WAY: Duration = Duration::from_millis(700);

fn main() {
    // `cargo test --all-targets` starts benches too, where figures mean nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let home = tempfile::Builder::new().prefix("lt-interrupt-").tempdir().unwrap();
    let cluster = format!(
        "let c = clusters::ensure(#{{ name: \"b\", region: \"us-east\", image: \"linode/debian12\", \
         roles: [#{{ role: \"node\", count: {LANES}, type: \"g6-nanode-1\" }}] }});\n"
    );
    std::fs::write(home.path().join("make.rhai"), &cluster).unwrap();
    let hang = format!("{cluster}lanes(c.nodes, |n| {{ print(\"at work\"); n.run(\"sleep 60\") }});\n");
    std::fs::write(home.path().join("hang.rhai"), hang).unwrap();
    let made = linodetool(home.path(), &["--sandbox", "-q", "run", "make.rhai"]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut times: Vec<_> = (0..ROUNDS).map(|_| round(home.path())).collect();
    let stopped = linodetool(home.path(), &["sandbox", "stop"]).output().unwrap();
    assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let (least, median, most) = (ms(times[0]), ms(times[ROUNDS / 2]), ms(times[ROUNDS - 1]));
    println!(
        "Ctrl-C to prompt, {LANES} lanes in commands, {ROUNDS} times: {least:.1} / {median:.1} / {most:.1} ms (min / median / max)"
    );
}

fn round(home: &Path) -> Duration {
    let mut child = linodetool(home, &["--sandbox", "run", "hang.rhai"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    for _ in 0..LANES {
        while !lines.next().unwrap().unwrap().ends_with("at work") {}
    }
    std::thread::sleep(UNDER_WAY);
    let pid = Pid::from_child(&child);
    let began = Instant::now();
    kill_process(pid, Signal::INT).unwrap();
    let status = child.wait().unwrap();
    let took = began.elapsed();
    assert_eq!(status.code(), Some(130));
    took
}

fn linodetool(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linodetool"));
    command
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("HOME", home)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}
