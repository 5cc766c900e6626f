//! Starts the sandbox's server as a process of its own that outlives the command.
//!
//! Owns: the log file, the wait for the server's first line, and what is said when it dies instead. Does not know what the
//! server serves.

use super::faults::Wanted;
use super::lifecycle::Wish;
use crate::core::{Cancel, Failure, FailureKind, Secret};
use serde::Deserialize;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Starting takes well under a second; a computer that is very busy is given this long.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// How often a Ctrl-C is looked for while the server starts.
const GLANCE: Duration = Duration::from_millis(20);

/// How much of the log is shown when the server dies.
const LAST_LINES: usize = 12;

/// The first line that a server writes.
#[derive(Debug, Deserialize)]
struct ReadyLine {
    v4: String,
    token: String,
}

/// A server that is up.
#[derive(Clone, Debug)]
pub(crate) struct Started {
    pub(crate) v4: String,
    pub(crate) token: Secret<String>,
}

/// The command line of the server.
pub(crate) fn command(exe: &Path, folder: &Path, wish: &Wish) -> Command {
    let mut command = Command::new(exe);
    command.args(["sandbox", "serve", "--background", "--listen", "127.0.0.1:0", "--state"]).arg(folder);
    let Wanted { spec, seed } = wish.faults.clone().unwrap_or_default();
    if let Some(spec) = spec {
        command.args(["--faults", &spec.to_string()]);
    }
    if let Some(seed) = seed {
        command.args(["--seed", &seed.to_string()]);
    }
    if let Some(scale) = wish.time_scale {
        command.args(["--time-scale", &scale.to_string()]);
    }
    command
}

/// Where the server's log is.
pub(crate) fn log_file(folder: &Path) -> PathBuf {
    folder.join("sandbox.log")
}

/// Starts `command` and waits for its line.
///
/// # Errors
/// With the last lines of its log if it ends or says nothing in time. It is not left running then.
pub(crate) fn start(
    mut command: Command,
    folder: &Path,
    deadline: Duration,
    cancel: &Cancel,
) -> Result<Started, Failure> {
    let log = log_file(folder);
    let cannot = |e: io::Error| {
        Failure::new(FailureKind::State, format!("the sandbox's folder {} cannot be used: {e}", folder.display()))
            .hint("give a writable folder with --state-dir")
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&log).map_err(cannot)?;
    let mut child = command
        // The sandbox has a token of its own; the real one is none of its business.
        .env_remove("LINODE_TOKEN")
        .env_remove("LINODE_CLI_TOKEN")
        .current_dir("/")
        // A group of its own: Ctrl-C in this terminal is not meant for it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .map_err(|e| Failure::new(FailureKind::Local, format!("the sandbox's server cannot be started: {e}")))?;
    let outcome = child
        .stdout
        .take()
        .map_or_else(|| Err("it has no stdout".to_owned()), |stdout| first_line(stdout, deadline, cancel));
    match outcome.and_then(|line| read(&line)) {
        Ok(line) => Ok(Started { v4: line.v4, token: Secret::new(line.token) }),
        Err(why) => {
            end(&mut child);
            if cancel.is_set() {
                return Err(Failure::new(FailureKind::Cancelled, "interrupted while the sandbox was starting"));
            }
            let mut failure = Failure::new(FailureKind::Local, format!("the sandbox does not start: {why}"))
                .hint(format!("see {}; `linodetool doctor` checks what the sandbox needs", log.display()));
            failure.output = last_lines(&log).ok().filter(|text| !text.is_empty());
            Err(failure)
        }
    }
}

/// The line itself, or why there is none.
fn first_line(stdout: ChildStdout, deadline: Duration, cancel: &Cancel) -> Result<String, String> {
    let lines = reader(stdout)?;
    let end = Instant::now() + deadline;
    loop {
        match lines.recv_timeout(GLANCE) {
            Ok(Some(line)) => return Ok(line),
            Ok(None) | Err(RecvTimeoutError::Disconnected) => return Err("its server ended at once".to_owned()),
            Err(RecvTimeoutError::Timeout) if cancel.is_set() => return Err("interrupted".to_owned()),
            Err(RecvTimeoutError::Timeout) if Instant::now() >= end => {
                return Err(format!("its server said nothing in {} s", deadline.as_secs()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Reads one line on a thread, since a pipe cannot be read with a deadline.
fn reader(stdout: ChildStdout) -> Result<Receiver<Option<String>>, String> {
    let (sender, lines) = channel();
    let read = move || {
        let mut line = String::new();
        // A line is a few hundred bytes; what is longer is no line of ours.
        let read = BufReader::new(stdout.take(64 * 1024)).read_line(&mut line);
        let _ = sender.send(read.ok().filter(|bytes| *bytes > 0).map(|_| line));
    };
    std::thread::Builder::new().name("sandbox".into()).spawn(read).map_err(|e| e.to_string())?;
    Ok(lines)
}

fn read(line: &str) -> Result<ReadyLine, String> {
    // The line holds the token, so it is not shown.
    serde_json::from_str(line).map_err(|e| format!("its server's first line cannot be read ({e})"))
}

fn end(child: &mut Child) {
    // It is our own child, so its id is no other process's.
    let _ = child.kill();
    let _ = child.wait();
}

fn last_lines(log: &Path) -> io::Result<String> {
    const TAIL: u64 = 16 * 1024;
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text.lines().collect();
    Ok(lines[lines.len().saturating_sub(LAST_LINES)..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    fn failing(script: &str, deadline: Duration, expected: &Expect) {
        let dir = tempfile::tempdir().unwrap();
        let failure = start(shell(script), dir.path(), deadline, &Cancel::default()).unwrap_err();
        let text = format!(
            "{failure}\n{}\n{}",
            failure.output.as_deref().unwrap_or_default(),
            failure.hint.as_deref().unwrap_or_default()
        );
        expected.assert_eq(&text.replace(&*dir.path().to_string_lossy(), "DIR"));
    }

    #[test]
    fn a_server_that_says_its_line_is_up() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("new");
        let script = r#"echo '{"v4":"http://127.0.0.1:1/v4","token":"t0","more":1}'; echo noise >&2"#;
        let started = start(shell(script), &folder, DEADLINE, &Cancel::default()).unwrap();
        assert_eq!((started.v4.as_str(), started.token.reveal().as_str()), ("http://127.0.0.1:1/v4", "t0"));
        assert!(!format!("{started:?}").contains("t0"));
    }

    #[test]
    fn an_early_death_shows_the_end_of_the_log() {
        failing(
            "for n in $(seq 20); do echo line $n >&2; done; exit 3",
            DEADLINE,
            &expect![[r#"
            the sandbox does not start: its server ended at once
            line 9
            line 10
            line 11
            line 12
            line 13
            line 14
            line 15
            line 16
            line 17
            line 18
            line 19
            line 20
            see DIR/sandbox.log; `linodetool doctor` checks what the sandbox needs"#]],
        );
        failing(
            "echo secret-token",
            DEADLINE,
            &expect![[r#"
            the sandbox does not start: its server's first line cannot be read (expected value at line 1 column 1)

            see DIR/sandbox.log; `linodetool doctor` checks what the sandbox needs"#]],
        );
    }

    #[test]
    fn a_silent_server_is_given_up() {
        failing(
            "exec sleep 60",
            Duration::ZERO,
            &expect![[r#"
            the sandbox does not start: its server said nothing in 0 s

            see DIR/sandbox.log; `linodetool doctor` checks what the sandbox needs"#]],
        );
    }

    #[test]
    fn an_interrupt_ends_the_wait() {
        let dir = tempfile::tempdir().unwrap();
        let cancel = Cancel::default();
        cancel.set();
        let failure = start(shell("exec sleep 60"), dir.path(), DEADLINE, &cancel).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Cancelled);
    }
}
