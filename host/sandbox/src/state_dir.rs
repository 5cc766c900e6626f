//! The sandbox's folder: who holds it, its token, its ledger, and where the server is to be found.
//!
//! Owns: the files and that one server at a time has them. Does not know the world.
//!
//! `lock` is held as long as the server lives, so a killed one leaves nothing to clean up. `sandbox.json` says where it
//! listens; it is written last and removed first.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::machines::effective_uid;

/// Who only asks whether a server runs holds the lock for less than this.
const ASKING: Duration = Duration::from_secs(1);

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateDirError {
    #[error(
        "a sandbox already runs in {dir} (process {pid}): stop it with `linodetool sandbox stop`, or choose another folder with --state"
    )]
    Held { dir: PathBuf, pid: String },
    #[error(
        "the sandbox's folder {dir} can be changed by other users: `chmod go-w {dir}`, or choose another with --state"
    )]
    Open { dir: PathBuf },
    #[error(
        "the sandbox's folder {dir} belongs to another user (uid {owner}): choose one of your own with --state, or let its owner do this"
    )]
    Foreign { dir: PathBuf, owner: u32 },
    #[error("cannot {what} {path}: {source}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
}

/// What `sandbox.json` tells a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    /// `http://127.0.0.1:PORT/v4`
    pub v4: String,
    pub token_file: PathBuf,
    /// UTC, as the API writes times.
    pub started: String,
    /// It has no time but that of its clients.
    #[serde(default)]
    pub virtual_time: bool,
}

impl Running {
    /// Where API v3 is: it has but one address, above that of v4.
    pub fn v3(&self) -> &str {
        self.v4.strip_suffix("/v4").unwrap_or(&self.v4)
    }
}

/// The folder, held.
#[derive(Debug)]
pub(crate) struct StateDir {
    dir: PathBuf,
    lock: File,
}

impl StateDir {
    /// Makes the folder if need be and takes hold of it.
    pub(crate) fn open(dir: &Path) -> Result<Self, StateDirError> {
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |source| StateDirError::Io { what, path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed("make the folder", dir))?;
        trusted(dir)?;
        let path = dir.join("lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        match take(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let known = lock.read_to_string(&mut pid).is_ok() && !pid.trim().is_empty();
                let pid = if known { pid.trim().to_owned() } else { "unknown".to_owned() };
                return Err(StateDirError::Held { dir: dir.to_owned(), pid });
            }
            Err(TryLockError::Error(source)) => return Err(StateDirError::Io { what: "lock", path, source }),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| write!(lock, "{}", std::process::id()))
            .map_err(failed("write", &path))?;
        // Left by one that was killed.
        let _: io::Result<()> = std::fs::remove_file(dir.join("sandbox.json"));
        Ok(Self { dir: dir.to_owned(), lock })
    }

    pub(crate) fn ledger_path(&self) -> PathBuf {
        self.dir.join("ledger.jsonl")
    }

    pub(crate) fn token_path(&self) -> PathBuf {
        self.dir.join("token")
    }

    /// Writes the token, for its owner's eyes only.
    pub(crate) fn write_token(&self, token: &str) -> Result<(), StateDirError> {
        self.write("token", token.as_bytes())
    }

    /// Tells clients where the server is.
    pub(crate) fn announce(&self, running: &Running) -> Result<(), StateDirError> {
        let text = serde_json::to_vec_pretty(running).map_err(|source| StateDirError::Io {
            what: "write",
            path: self.dir.join("sandbox.json"),
            source: source.into(),
        })?;
        self.write("sandbox.json", &text)
    }

    /// The server is gone from now on.
    pub(crate) fn withdraw(&self) {
        for name in ["sandbox.json", "token"] {
            let path = self.dir.join(name);
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = %path.display(), %error, "cannot remove");
            }
        }
        let _: io::Result<()> = self.lock.set_len(0);
    }

    /// All of a file or nothing of it.
    fn write(&self, name: &str, text: &[u8]) -> Result<(), StateDirError> {
        let (path, partial) = (self.dir.join(name), self.dir.join(format!(".{name}.new")));
        let write = || -> io::Result<()> {
            // A file that is already there would keep its mode.
            match std::fs::remove_file(&partial) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
            file.write_all(text)?;
            file.sync_all()?;
            std::fs::rename(&partial, &path)
        };
        write().map_err(|source| StateDirError::Io { what: "write", path: path.clone(), source })
    }
}

/// Whoever owns a folder, or can put files into it, could replace token and ledger, and send clients elsewhere.
fn trusted(dir: &Path) -> Result<(), StateDirError> {
    let dir = dir.to_owned();
    match dir.metadata() {
        Err(source) => Err(StateDirError::Io { what: "look at", path: dir, source }),
        Ok(known) if ![0, effective_uid()].contains(&known.uid()) => {
            Err(StateDirError::Foreign { dir, owner: known.uid() })
        }
        Ok(known) if known.mode() & 0o022 != 0 => Err(StateDirError::Open { dir }),
        Ok(_) => Ok(()),
    }
}

/// Takes the lock. Who only asks has it shared and soon gives it back; a server has it alone, and for long.
fn take(lock: &File) -> Result<(), TryLockError> {
    let until = Instant::now() + ASKING;
    loop {
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) if Instant::now() < until && lock.try_lock_shared().is_ok() => {
                lock.unlock().map_err(TryLockError::Error)?;
                std::thread::sleep(Duration::from_millis(1));
            }
            taken => return taken,
        }
    }
}

/// Whether a server holds this folder.
pub(crate) fn held(dir: &Path) -> bool {
    // Shared, and at once given back: who only asks must not keep a server from starting for longer.
    OpenOptions::new()
        .read(true)
        .open(dir.join("lock"))
        .is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// What `sandbox.json` in a folder says, if a server holds the folder.
pub(crate) fn running(dir: &Path) -> Result<Option<Running>, StateDirError> {
    if !held(dir) {
        return Ok(None);
    }
    trusted(dir)?;
    let told = std::fs::read(dir.join("sandbox.json")).ok();
    let running: Option<Running> = told.and_then(|text| serde_json::from_slice(&text).ok());
    // What is sent to a server is this folder's token and no other file.
    Ok(running.map(|running| Running { token_file: dir.join("token"), ..running }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_asks_keeps_nobody_from_starting() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("lock");
        let asks = File::create(&path).expect("a file");
        asks.lock_shared().expect("asked");
        std::thread::scope(|threads| {
            let starts = threads.spawn(|| StateDir::open(dir.path()).map(drop));
            // It has seen the lock taken when it has opened the file; how often it tries is its own affair.
            std::thread::yield_now();
            asks.unlock().expect("asked enough");
            starts.join().expect("no panic").expect("the folder is free");
        });
    }

    #[test]
    fn a_folder_of_another_user_is_not_used() {
        let dir = tempfile::tempdir().expect("a folder");
        if std::os::unix::fs::chown(dir.path(), Some(12345), None).is_err() {
            return; // only root can give folders away
        }
        let refused = StateDir::open(dir.path()).expect_err("refused").to_string();
        expect_test::expect!["the sandbox's folder DIR belongs to another user (uid 12345): choose one of your own with --state, or let its owner do this"].assert_eq(&refused.replace(&dir.path().display().to_string(), "DIR"));
        let server = File::create(dir.path().join("lock")).expect("a file");
        server.lock().expect("held");
        let asked = running(dir.path()).expect_err("not asked either").to_string();
        assert_eq!(asked, refused);
    }
}
