//! Points at which a process may be made to die, for the proof that a run goes on from any of them.
//!
//! Owns the names of the points and the death: a SIGKILL to this process, whatever its other lanes are at. Does not know
//! who asks for it: a process that nobody told of points passes each for the price of one look at an empty cell.

use crate::core::{Failure, FailureKind};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// What is durable of a step when its process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not even its intent.
    Before,
    /// Its intent; the effect is not begun.
    Intent,
    /// Its intent, while a node executes its command.
    Running,
    /// Its effect, and in the journal no outcome.
    Effect,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Before, Self::Intent, Self::Running, Self::Effect];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Intent => "intent",
            Self::Running => "running",
            Self::Effect => "effect",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What this process does at its points.
#[derive(Debug)]
pub enum CrashPoints {
    /// Goes on.
    Live,
    /// Dies at this one, `4.worker-1.2#1:effect`: step, attempt and phase.
    DieAt(String),
    /// Writes each into a file, with its operation.
    List(Mutex<File>),
}

impl CrashPoints {
    /// Reads `live`, `at=POINT` or `list=FILE`.
    ///
    /// # Errors
    /// `Usage` for anything else, `Local` if the file cannot be made.
    pub fn parse(spec: &str) -> Result<Self, Failure> {
        match spec.split_once('=') {
            None if spec == "live" => Ok(Self::Live),
            Some(("at", point)) if !point.is_empty() => Ok(Self::DieAt(point.to_owned())),
            Some(("list", file)) if !file.is_empty() => {
                let file = PathBuf::from(file);
                let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(&file);
                let cannot = |e| Failure::new(FailureKind::Local, format!("{} cannot be written: {e}", file.display()));
                Ok(Self::List(Mutex::new(opened.map_err(cannot)?)))
            }
            _ => Err(Failure::usage(format!("`{spec}` names no point to die at"))
                .hint("write `live`, `at=STEP#ATTEMPT:PHASE` or `list=FILE`")),
        }
    }

    /// Whether this process is to die there.
    pub(super) fn is_at(&self, step: &str, attempt: u32, phase: Phase) -> bool {
        matches!(self, Self::DieAt(point) if *point == name(step, attempt, phase))
    }

    /// Goes on, or does not.
    pub(super) fn pass(&self, step: &str, attempt: u32, phase: Phase, op: &str) {
        if self.is_at(step, attempt, phase) {
            die();
        }
        self.tell(step, attempt, phase, op);
    }

    /// Lists the point, if this process does.
    pub(super) fn tell(&self, step: &str, attempt: u32, phase: Phase, op: &str) {
        if let Self::List(file) = self {
            let line = format!("{} {op}\n", name(step, attempt, phase));
            // A list that misses a point is noticed by whoever wants all of them.
            let _ = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        }
    }
}

fn name(step: &str, attempt: u32, phase: Phase) -> String {
    format!("{step}#{attempt}:{phase}")
}

/// As `kill -9` from outside: nothing is flushed, dropped or told.
pub(super) fn die() -> ! {
    // It cannot fail for one's own process; if it did, the run would never end, and whoever waits for the death says so.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn points_are_told_apart_by_step_attempt_and_phase() {
        let points = CrashPoints::parse("at=4.worker-1.2#1:effect").unwrap();
        assert!(points.is_at("4.worker-1.2", 1, Phase::Effect));
        assert!(!points.is_at("4.worker-1.2", 2, Phase::Effect));
        assert!(!points.is_at("4.worker-1.2", 1, Phase::Intent));
        assert!(!points.is_at("worker-1.2", 1, Phase::Effect));
        assert!(!CrashPoints::parse("live").unwrap().is_at("0", 1, Phase::Before));
    }

    #[test]
    fn a_list_has_a_line_a_point() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("points");
        let points = CrashPoints::parse(&format!("list={}", file.display())).unwrap();
        points.pass("0", 1, Phase::Before, "keys.ensure");
        points.pass("3.web-1.0", 2, Phase::Running, "node.run");
        expect![[r#"
            0#1:before keys.ensure
            3.web-1.0#2:running node.run
        "#]]
        .assert_eq(&std::fs::read_to_string(file).unwrap());
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["", "at=", "list=", "0#1:before"] {
            let failure = CrashPoints::parse(wrong).unwrap_err();
            assert_eq!(failure.message, format!("`{wrong}` names no point to die at"));
        }
    }
}
