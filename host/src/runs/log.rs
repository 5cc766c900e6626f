//! The log of a run: everything it said, a line an event, in a file beside its lock.
//!
//! Bounded, private, and written as it happens, so that a killed process has said all it knew. Nothing is decided from it:
//! one that cannot be written stops no run. Whoever sends events has taken secrets out of them.

use super::archive::log_path;
use super::registry::Runs;
use super::run::guard;
use crate::core::{Clock, Event, Events, Failure, RunId};
use crate::inventory::StateError;
use crate::secrets::files::{FileError, FileLock, is_cut_off, while_trying};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Of one file; a run has this one and the one before it. Some 50,000 lines of output.
const MAX_FILE: u64 = 8 << 20;

/// Of one text; nobody reads more of a line.
const MAX_TEXT: usize = 16 << 10;

/// Logs that are kept: those of the newest runs.
const KEPT: usize = 200;

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Milliseconds since 1970, UTC.
    pub ms: u64,
    #[serde(flatten)]
    pub event: Event,
}

/// The logs of the runs that this process executes.
pub(super) struct Logs {
    state: PathBuf,
    clock: Arc<dyn Clock>,
    open: Mutex<HashMap<RunId, Log>>,
}

struct Log {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Logs {
    pub(super) fn new(state: &Path, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { state: state.to_owned(), clock, open: Mutex::default() })
    }

    /// Events that go to the log of whatever run is at work, and on to `next`.
    pub(super) fn before(self: &Arc<Self>, next: Events) -> Events {
        let logs = self.clone();
        Events::new(move |event| {
            for why in logs.write(&event) {
                next.note(format!("the log of the run is not written any more: {why}"));
            }
            next.send(event);
        })
    }

    /// From now on events are lines of this run's log, too.
    pub(super) fn open(&self, run: &RunId) -> io::Result<()> {
        let path = log_path(&self.state, run.as_str());
        let known = path.exists();
        let mut file = append(&path)?;
        if is_cut_off(&file) {
            file.write_all(b"\n")?;
        }
        let size = file.metadata()?.len();
        guard(&self.open).insert(run.clone(), Log { path, file, size });
        if !known {
            prune(&self.state.join("runs"));
        }
        Ok(())
    }

    /// The last line of this process.
    pub(super) fn close(&self, run: &RunId, last: Option<Event>) {
        let Some(mut log) = guard(&self.open).remove(run) else { return };
        if let Some(last) = last {
            // Not waited for: what counts is in the journal.
            let _ = log.write(&LogLine { ms: self.clock.now_ms(), event: last });
        }
    }

    /// Why logs could not be written; they are given up.
    fn write(&self, event: &Event) -> Vec<FileError> {
        let mut open = guard(&self.open);
        if open.is_empty() {
            return Vec::new();
        }
        let line = LogLine { ms: self.clock.now_ms(), event: bounded(event.clone()) };
        let mut failed = Vec::new();
        open.retain(|_, log| {
            let written = log.write(&line);
            written.map_err(|error| failed.push(while_trying("write", &log.path)(error))).is_ok()
        });
        failed
    }
}

impl Log {
    fn write(&mut self, line: &LogLine) -> io::Result<()> {
        let mut text = serde_json::to_string(line)?;
        text.push('\n');
        if self.size > 0 && self.size + text.len() as u64 > MAX_FILE {
            std::fs::rename(&self.path, older(&self.path))?;
            self.file = append(&self.path)?;
            self.size = 0;
        }
        // One call, so that a reader sees whole lines.
        self.file.write_all(text.as_bytes())?;
        self.size += text.len() as u64;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).read(true).create(true).mode(0o600).open(path)
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

fn bounded(event: Event) -> Event {
    let cut = |mut text: String| {
        if text.len() > MAX_TEXT {
            let more = text.len() - MAX_TEXT;
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            text.push_str(&format!("... ({more} bytes more)"));
        }
        text
    };
    match event {
        Event::Printed { lane, text } => Event::Printed { lane, text: cut(text) },
        Event::Output { node, line } => Event::Output { node, line: cut(line) },
        Event::Note { text } => Event::Note { text: cut(text) },
        Event::StageFailed { node, stage, message } => Event::StageFailed { node, stage, message: cut(message) },
        other => other,
    }
}

/// Removes the oldest logs, but none of a run that is at work; what cannot be removed stays.
fn prune(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let is_at_work = |log: &Path| FileLock::is_held(&log.with_extension("lock"));
    let logs = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "log"));
    let mut logs: Vec<_> = logs.filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path))).collect();
    logs.sort();
    let surplus = logs.len().saturating_sub(KEPT);
    for (_, path) in logs.drain(..surplus).filter(|(_, path)| !is_at_work(path)) {
        let _ = std::fs::remove_file(older(&path));
        let _ = std::fs::remove_file(path);
    }
}

/// Reads a log, also while it is written.
pub struct LogReader {
    path: PathBuf,
    file: Option<File>,
    /// Of a line that is not whole yet.
    rest: Vec<u8>,
}

impl Runs {
    /// The log of a run, from its beginning as far as it is kept.
    pub fn log(&self, run: &RunId) -> LogReader {
        LogReader::new(log_path(self.state(), run.as_str()))
    }
}

impl LogReader {
    fn new(path: PathBuf) -> Self {
        let file = File::open(older(&path)).ok();
        Self { path, file, rest: Vec::new() }
    }

    /// The lines that are there and were not read yet. Those of another version are given as their text.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self) -> Result<Vec<LogLine>, Failure> {
        let read = self.read_bytes().map_err(|error| StateError::from(while_trying("read", &self.path)(error)));
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend(read?);
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
        self.rest = bytes.split_off(end);
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.lines().map(line).collect())
    }

    fn read_bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // The older file, then the newer one; more than one turn only if it is turned over just now.
        for _ in 0..3 {
            if let Some(file) = &mut self.file {
                file.read_to_end(&mut bytes)?;
                let there = std::fs::metadata(&self.path).ok();
                if there.is_none_or(|there| file.metadata().is_ok_and(|ours| ours.ino() == there.ino())) {
                    break;
                }
                // It is the older one now: what was written to it since it was read is there, and no more will be.
                file.read_to_end(&mut bytes)?;
            }
            self.file = match File::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            };
        }
        Ok(bytes)
    }
}

fn line(text: &str) -> LogLine {
    serde_json::from_str(text).unwrap_or_else(|_| LogLine { ms: 0, event: Event::Note { text: text.to_owned() } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::SystemClock;

    fn note(text: &str) -> Event {
        Event::Note { text: text.into() }
    }

    fn texts(reader: &mut LogReader) -> Vec<String> {
        let lines = reader.read().unwrap().into_iter();
        lines.filter_map(|line| if let Event::Note { text } = line.event { Some(text) } else { None }).collect()
    }

    #[test]
    fn a_log_is_read_while_it_is_written_and_turned_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("runs")).unwrap();
        let logs = Logs::new(dir.path(), Arc::new(SystemClock));
        let events = logs.before(Events::none());
        let run = RunId::random();
        events.send(note("of no run"));
        logs.open(&run).unwrap();
        let path = log_path(dir.path(), run.as_str());
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mut reader = LogReader::new(path.clone());
        events.send(note("one"));
        assert_eq!(texts(&mut reader), ["one"]);
        assert_eq!(texts(&mut reader), [""; 0]);
        let long = "x".repeat(MAX_TEXT + 10);
        for _ in 0..MAX_FILE / MAX_TEXT as u64 {
            events.send(note(&long));
        }
        events.send(note("two"));
        let read = texts(&mut reader);
        assert_eq!(read.last().unwrap(), "two");
        assert!(read[0].ends_with("x... (10 bytes more)"), "{}", read[0].len());
        assert_eq!(read.len() as u64, MAX_FILE / MAX_TEXT as u64 + 1, "none is lost when it is turned over");
        logs.close(&run, Some(note("end")));
        events.send(note("after the end"));
        assert_eq!(texts(&mut reader), ["end"]);
        // From the beginning.
        assert_eq!(texts(&mut LogReader::new(path)).first().unwrap(), "one");
    }

    #[test]
    fn only_the_newest_logs_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("runs")).unwrap();
        let logs = Logs::new(dir.path(), Arc::new(SystemClock));
        for _ in 0..KEPT + 5 {
            logs.open(&RunId::random()).unwrap();
        }
        assert_eq!(std::fs::read_dir(dir.path().join("runs")).unwrap().count(), KEPT);
    }
}
