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
    /// `linode`, `firewall`, `stackscript`, `sshkey`, `token`, or `sandbox` itself.
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
}

impl Ledger {
    /// A record that ends with the process.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// Continues the record in `path`. What was alive in it died with the sandbox that made it: that is noted now.
    pub fn open(path: &Path, now: &str) -> io::Result<Self> {
        let earlier = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // A last line that a kill cut short says nothing and is passed over; the next one starts on a new line.
        let entries: Vec<Entry> = earlier.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        if !earlier.is_empty() && !earlier.ends_with('\n') {
            file.write_all(b"\n")?;
        }
        let mut ledger = Self { entries, file: Some(file) };
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
                let mut line = serde_json::to_string(&entry)?;
                line.push('\n');
                file.write_all(line.as_bytes())
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
        // A kill in the middle of a line.
        let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
        file.write_all(b"{\"time\":\"20").expect("writes");
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
}
