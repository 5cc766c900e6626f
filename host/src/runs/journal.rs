//! The journal's front: a queue to its one writer thread. Only an intent, or a barrier, is waited for.

use super::entry::Entry;
use super::records::Status;
use super::writer;
use crate::core::{Clock, Failure, FailureKind};
use crate::inventory::{Change, StateError, Trouble};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

/// Why a line is not in the journal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum JournalError {
    /// The disk is full, the database is gone, ...: nothing more is written by this process.
    #[error("the journal {path} cannot be written: {trouble}", path = path.display())]
    Down { path: PathBuf, trouble: Trouble },
    /// Another process has taken the run over.
    #[error("run {run} was taken over by another process; this one has stopped writing it")]
    Lost { run: String },
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let message = error.to_string();
        match error {
            JournalError::Down { path, trouble } => StateError::Down { path, trouble }.into(),
            JournalError::Lost { run } => Self::new(FailureKind::Conflict, message)
                .hint(format!("that process goes on with it: linodetool runs log {run} --follow")),
        }
    }
}

/// Told when a line is durable, or why it is not.
pub(super) type Reply = SyncSender<Result<(), JournalError>>;

/// What goes with a line, in its transaction.
pub(super) enum Extra {
    Nothing,
    Changes(Vec<Change>),
    Begin(Box<RunRow>),
    /// This process takes over a run that was begun before.
    Adopt,
    /// The text of the recipe or module that the line names.
    Source(String),
    Finish {
        status: Status,
        failure: Option<String>,
    },
}

/// The row of a new run.
pub(super) struct RunRow {
    pub(super) title: String,
    pub(super) command_line: String,
    pub(super) context: String,
    pub(super) provider: String,
    pub(super) recipe: Option<String>,
    pub(super) params: String,
    pub(super) versions: String,
    pub(super) retry_of: Option<String>,
}

/// What the writer is asked.
#[allow(clippy::large_enum_variant, reason = "nearly all are lines")]
pub(super) enum Item {
    Line { run: Arc<str>, entry: Entry, extra: Extra, reply: Option<Reply> },
    Barrier(Reply),
}

/// Counts since the journal was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Transactions, each one write to the disk that was waited for.
    pub commits: u64,
    pub lines: u64,
}

/// What front and writer share.
pub(super) struct Shared {
    /// The database.
    pub(super) path: PathBuf,
    pub(super) down: OnceLock<Trouble>,
    pub(super) commits: AtomicU64,
    pub(super) lines: AtomicU64,
}

/// How much the journal's lines are worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// An intent is on the disk before its effect begins, whatever happens to this computer.
    #[default]
    Durable,
    /// Nothing is waited for: of a run that is worth nothing once its process has ended, such as a rehearsal.
    Scratch,
}

/// The queue. Dropped last, it waits until all that was queued is durable.
pub(super) struct Journal {
    durability: Durability,
    queue: Option<Sender<Item>>,
    writer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Journal {
    pub(super) fn start(
        connection: Connection,
        path: &Path,
        clock: Arc<dyn Clock>,
        durability: Durability,
    ) -> Result<Self, StateError> {
        let (queue, inbox) = channel();
        let shared = Arc::new(Shared::of(path));
        let writer = std::thread::Builder::new().name("journal".to_owned()).spawn({
            let shared = shared.clone();
            move || writer::Writer::new(connection, clock, shared).work(&inbox)
        });
        let writer = writer.map_err(|error| {
            let why = format!("no thread can be started: {error}");
            StateError::Down { path: path.to_owned(), trouble: Trouble { why, remedy: "end other programs".into() } }
        })?;
        Ok(Self { durability, queue: Some(queue), writer: Some(writer), shared })
    }

    /// Of a database that is only read: whoever wants to write is told why.
    pub(super) fn closed(path: &Path, trouble: Trouble) -> Self {
        let shared = Shared { down: trouble.into(), ..Shared::of(path) };
        Self { durability: Durability::Durable, queue: None, writer: None, shared: Arc::new(shared) }
    }

    /// An error if nothing can be written (any more).
    pub(super) fn check(&self) -> Result<(), JournalError> {
        if self.shared.down.get().is_some() { Err(self.down()) } else { Ok(()) }
    }

    /// Queued, first in, first out: durable before any line that is waited for later.
    pub(super) fn later(&self, run: &Arc<str>, entry: Entry, extra: Extra) -> Result<(), JournalError> {
        self.send(Item::Line { run: run.clone(), entry, extra, reply: None })
    }

    /// Returns when the line, and all before it, is durable.
    pub(super) fn now(&self, run: &Arc<str>, entry: Entry, extra: Extra) -> Result<(), JournalError> {
        let (reply, answer) = sync_channel(1);
        self.send(Item::Line { run: run.clone(), entry, extra, reply: Some(reply) })?;
        answer.recv().unwrap_or_else(|_| Err(self.down()))
    }

    /// An intent: returns when its effect may begin.
    pub(super) fn before_effect(&self, run: &Arc<str>, entry: Entry) -> Result<(), JournalError> {
        match self.durability {
            Durability::Durable => self.now(run, entry, Extra::Nothing),
            Durability::Scratch => self.later(run, entry, Extra::Nothing),
        }
    }

    /// Returns when all that was queued is durable.
    pub(super) fn barrier(&self) -> Result<(), JournalError> {
        if self.queue.is_none() {
            return Ok(()); // closed: nothing was queued
        }
        let (reply, answer) = sync_channel(1);
        self.send(Item::Barrier(reply))?;
        answer.recv().unwrap_or_else(|_| Err(self.down()))
    }

    /// The same, for who knows no journal.
    pub(super) fn settle(&self) -> Result<(), StateError> {
        self.barrier().map_err(|_| {
            let (path, trouble) = self.shared.trouble();
            StateError::Down { path, trouble }
        })
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            commits: self.shared.commits.load(Ordering::Relaxed),
            lines: self.shared.lines.load(Ordering::Relaxed),
        }
    }

    fn send(&self, item: Item) -> Result<(), JournalError> {
        self.check()?;
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(item).is_ok());
        if sent { Ok(()) } else { Err(self.down()) }
    }

    fn down(&self) -> JournalError {
        self.shared.down()
    }
}

impl Shared {
    fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), down: OnceLock::new(), commits: AtomicU64::new(0), lines: AtomicU64::new(0) }
    }

    pub(super) fn down(&self) -> JournalError {
        let (path, trouble) = self.trouble();
        JournalError::Down { path, trouble }
    }

    fn trouble(&self) -> (PathBuf, Trouble) {
        let stopped = || Trouble { why: "its writer has stopped".into(), remedy: "report it as a bug".into() };
        (self.path.clone(), self.down.get().cloned().unwrap_or_else(stopped))
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(writer) = self.writer.take() {
            // A panic of the writer was told to whoever waited for it.
            let _ = writer.join();
        }
    }
}
