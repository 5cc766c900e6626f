//! The judge: everything that was ever created and destroyed, in order, with the reason.
//!
//! Owns: the append-only record in memory and on disk. Does not know the rules of the world; it is only told.
//! A line is in the file before the request that caused it is answered, so it outlives a killed sandbox.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// One thing that came to be or ceased to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// In the emulator's time, as the API writes it.
    pub time: String,
    pub what: What,
    /// `linode`, `firewall`, `stackscript` or `sshkey`.
    pub kind: String,
    pub id: u64,
    pub label: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The request that did it, `POST /v4/linode/instances`, or what happened otherwise.
    pub reason: String,
}

/// What happened to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Created,
    Destroyed,
    /// It was there when the sandbox that held it ended.
    Died,
}

/// The record. Entries are never changed or removed.
#[derive(Debug, Default)]
pub struct Ledger {
    entries: Vec<Entry>,
    file: Option<File>,
    /// The file ends within a line: the next entry must not be glued to it.
    torn: bool,
}

impl Ledger {
    /// A record that ends with the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Continues the record in `path`. What was alive in it died with the sandbox that made it: that is noted now.
    pub fn open(path: &Path, now: &str) -> io::Result<Self> {
        let earlier = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let torn = earlier.last().is_some_and(|last| *last != b'\n');
        let entries = read(&String::from_utf8_lossy(&earlier), path);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let mut ledger = Self { entries, file: Some(file), torn };
        ledger.all_died(now, "the sandbox that held it ended")?;
        Ok(ledger)
    }

    /// Notes that everything that was alive is so no more.
    pub fn all_died(&mut self, now: &str, reason: &str) -> io::Result<()> {
        for mut entry in alive(&self.entries) {
            now.clone_into(&mut entry.time);
            entry.what = What::Died;
            reason.clone_into(&mut entry.reason);
            self.append(entry)?;
        }
        Ok(())
    }

    /// Adds an entry; the file has it when this returns.
    pub fn append(&mut self, entry: Entry) -> io::Result<()> {
        let written = match &mut self.file {
            None => Ok(()),
            Some(file) => {
                let end = if self.torn { "\n" } else { "" };
                let line = format!("{end}{}\n", serde_json::to_string(&entry)?);
                let written = file.write_all(line.as_bytes());
                self.torn = written.is_err();
                written
            }
        };
        self.entries.push(entry);
        written
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// The entries of a file. A line that a kill or a full disk cut short says nothing and is passed over.
fn read(text: &str, path: &Path) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                tracing::warn!(path = %path.display(), line = at + 1, %error, "a line of the ledger is damaged: passed over");
            }
        }
    }
    entries
}

/// What was created and neither destroyed nor lost since.
fn alive(entries: &[Entry]) -> Vec<Entry> {
    let mut living: Vec<Entry> = Vec::new();
    let mut place = std::collections::HashMap::new();
    for entry in entries {
        let key = (entry.kind.clone(), entry.id);
        match entry.what {
            What::Created => {
                place.insert(key, living.len());
                living.push(entry.clone());
            }
            What::Destroyed | What::Died => {
                if let Some(at) = place.remove(&key) {
                    living[at].kind.clear();
                }
            }
        }
    }
    living.retain(|entry| !entry.kind.is_empty());
    living
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(what: What, id: u64) -> Entry {
        Entry {
            time: "2026-01-01T00:00:00".to_owned(),
            what,
            kind: "linode".to_owned(),
            id,
            label: format!("linode{id}"),
            tags: Vec::new(),
            reason: "POST /v4/linode/instances".to_owned(),
        }
    }

    #[test]
    fn a_second_sandbox_notes_what_died_with_the_first() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.jsonl");
        let mut first = Ledger::open(&path, "2026-01-01T00:00:00").expect("opens");
        for made in [entry(What::Created, 1), entry(What::Created, 2), entry(What::Destroyed, 1)] {
            first.append(made).expect("appends");
        }
        drop(first);
        // A kill in the middle of a line, and of a letter.
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"{\"time\":\"20\xc3").expect("writes");
        drop(file);

        let second = Ledger::open(&path, "2026-01-02T00:00:00").expect("opens again");
        let told: Vec<_> = second.entries().iter().map(|entry| (entry.what, entry.id, entry.time.as_str())).collect();
        assert_eq!(
            told,
            [
                (What::Created, 1, "2026-01-01T00:00:00"),
                (What::Created, 2, "2026-01-01T00:00:00"),
                (What::Destroyed, 1, "2026-01-01T00:00:00"),
                (What::Died, 2, "2026-01-02T00:00:00"),
            ]
        );
        let third = Ledger::open(&path, "2026-01-03T00:00:00").expect("opens once more");
        assert_eq!(third.entries().len(), 4, "nothing dies twice");
    }

    #[test]
    fn an_entry_after_one_that_was_cut_short_is_on_a_line_of_its_own() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("ledger.jsonl");
        let mut ledger = Ledger::open(&path, "2026-01-01T00:00:00").expect("opens");
        ledger.append(entry(What::Created, 1)).expect("appends");
        // The disk is full in the middle of a line, and has room again.
        let whole = ledger.file.replace(File::open(&path).expect("opens")).expect("a file");
        ledger.append(entry(What::Created, 2)).expect_err("cannot be written");
        (&whole).write_all(b"{\"time\":\"20").expect("writes");
        ledger.file = Some(whole);
        ledger.append(entry(What::Created, 3)).expect("appends");
        ledger.append(entry(What::Created, 4)).expect("appends");
        let text = std::fs::read_to_string(&path).expect("text");
        let ids: Vec<_> = read(&text, &path).iter().map(|entry| entry.id).collect();
        assert_eq!(ids, [1, 3, 4], "{text}");
    }
}
