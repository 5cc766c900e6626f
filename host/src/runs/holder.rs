//! Who has hold of a run: noted in its lock file, for the message to whoever wants it too. The lock alone decides.

use super::archive::lock_path;
use super::records::RunSummary;
use super::registry::Shared;
use crate::core::clock::utc;
use crate::core::{Failure, FailureKind};
use crate::inventory::StateError;
use crate::secrets::files::FileLock;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// The process that holds a lock.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    since_ms: u64,
}

impl Shared {
    /// Takes hold of a run.
    pub(super) fn lock_run(&self, run: &RunSummary) -> Result<FileLock, Failure> {
        self.journal.check()?;
        let path = lock_path(&self.state, run.id.as_str());
        // Somebody who lists runs holds a lock for a moment; an owner holds it for long.
        for _ in 0..20 {
            if let Some(lock) = FileLock::attempt(&path).map_err(StateError::from)? {
                self.note_holder(&lock);
                return Ok(lock);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let (id, heard) = (&run.id, run.owner.as_ref().map(|owner| owner.heartbeat_ms));
        let ago = |heard: u64| format!(", last heard of {} s ago", self.time.now_ms().saturating_sub(heard) / 1000);
        let heard = heard.map_or_else(String::new, ago);
        let message = match holder(&path) {
            Some((Holder { pid, host, since_ms }, user)) => {
                let who = user.map_or_else(String::new, |user| format!("{user}'s "));
                format!("run {id} is being executed by {who}process {pid} on {host} since {}{heard}", utc(since_ms))
            }
            None => format!("run {id} is being executed by another process{heard}"),
        };
        Err(Failure::new(FailureKind::Conflict, message)
            .hint(format!("wait for it (linodetool runs log {id} --follow), or stop that process and try again")))
    }

    /// Notes that this process holds the lock.
    pub(super) fn note_holder(&self, lock: &FileLock) {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let holder = Holder { pid: std::process::id(), host, since_ms: self.time.now_ms() };
        // Only a message would be lost.
        let _ = serde_json::to_string(&holder).map(|text| lock.note(&text));
    }
}

/// Who holds the lock, and the name of the user if the system knows it.
fn holder(path: &Path) -> Option<(Holder, Option<String>)> {
    let holder = serde_json::from_str(&FileLock::noted(path)?).ok()?;
    let uid = std::fs::metadata(path).ok()?.uid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some((holder, user_of(&users, uid).map(str::to_owned)))
}

/// The user of that number in the text of a passwd(5) file.
fn user_of(users: &str, uid: u32) -> Option<&str> {
    let mut lines = users.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn users_have_names() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!((super::user_of(users, 1000), super::user_of(users, 7)), (Some("ann"), None));
    }
}
