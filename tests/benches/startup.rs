//! How long linodetool takes to answer without doing anything: `--version`, `--help`, a completion script, a wrong command.
//!
//! Prints the median and the slowest of many starts. To be run with `cargo bench --bench startup`.

#![allow(clippy::print_stdout, reason = "it is there to print")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const STARTS: usize = 50;

fn main() {
    for line in ["--version", "--help", "run --help", "completions bash", "rnu"] {
        let mut times: Vec<Duration> = (0..STARTS).map(|_| start(line)).collect();
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!("{line:<18} median {:>6.1} ms   slowest {:>6.1} ms", ms(times[STARTS / 2]), ms(times[STARTS - 1]));
    }
}

fn start(line: &str) -> Duration {
    let began = Instant::now();
    let ended = Command::new(env!("CARGO_BIN_EXE_linodetool"))
        .args(line.split(' '))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(ended.is_ok(), "linodetool cannot be started: {ended:?}");
    began.elapsed()
}
