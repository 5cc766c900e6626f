//! The children of pid 1: its own and those it adopts.
//!
//! Owns: every call of wait. `tokio::process` must not be used in pid 1: a reaper that waits for anyone takes its
//! children's statuses. Does not know what the children do.

use crate::machines::sys;
use std::collections::HashMap;
use std::io;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// How a child ended, as wait(2) tells it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended(pub(crate) i32);

impl Ended {
    /// The exit code, if it exited.
    pub(crate) fn exited(self) -> Option<i32> {
        libc::WIFEXITED(self.0).then(|| libc::WEXITSTATUS(self.0))
    }

    /// The signal, if one ended it.
    pub(crate) fn signal(self) -> Option<i32> {
        libc::WIFSIGNALED(self.0).then(|| libc::WTERMSIG(self.0))
    }

    /// As a shell tells it: 128 and the signal for one that was killed.
    pub(crate) fn code(self) -> i32 {
        self.exited().unwrap_or_else(|| 128 + self.signal().unwrap_or(0))
    }

    pub(crate) fn success(self) -> bool {
        self.exited() == Some(0)
    }
}

#[derive(Default)]
pub(crate) struct Children {
    waiting: Mutex<HashMap<i32, oneshot::Sender<Ended>>>,
}

impl Children {
    /// Starts reaping.
    pub(crate) fn start() -> io::Result<Arc<Self>> {
        let all = Arc::new(Self::default());
        let mut died = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::child())?;
        let me = all.clone();
        tokio::spawn(async move {
            loop {
                me.reap();
                if died.recv().await.is_none() {
                    return;
                }
            }
        });
        Ok(all)
    }

    fn reap(&self) {
        // The lock keeps us away from a spawn in progress, which on a failing exec waits for its child itself.
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((pid, status)) = sys::wait_for_any() {
            if let Some(tx) = waiting.remove(&pid) {
                let _ = tx.send(Ended(status)); // nobody asks any more
            }
        }
    }

    /// Starts a command; the receiver tells how it ended.
    pub(crate) fn spawn(&self, cmd: &mut Command) -> io::Result<(Child, oneshot::Receiver<Ended>)> {
        let (tx, rx) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let child = cmd.spawn()?;
        waiting.insert(child.id() as i32, tx);
        Ok((child, rx))
    }
}
