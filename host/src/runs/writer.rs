//! The journal's writer: one thread, one connection, one transaction for whatever has queued up.
//!
//! A transaction that fails ends it for this process: whatever came later would no longer follow from what is durable.

use super::chain::{self, Head};
use super::entry::Entry;
use super::journal::{Extra, Item, JournalError, Reply, RunRow, Shared};
use super::number::Number;
use super::records::HEARTBEAT;
use crate::core::Clock;
use crate::inventory::{Trouble, apply_change};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Lines of one transaction: bounds how long those that are waited for wait.
const BATCH: usize = 1_000;

/// Lines that nobody waits for lie for this long, so that a step's outcome and the next step's intent are one write to
/// the disk. A process killed meanwhile leaves a step in doubt, as one killed a moment earlier does.
const LINGER: Duration = Duration::from_millis(5);

pub(super) struct Writer {
    connection: Connection,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    runs: HashMap<Arc<str>, Owned>,
}

/// A run that this process writes.
#[derive(Clone)]
struct Owned {
    generation: i64,
    lines: u64,
    head: Head,
    /// Somebody else has raised the generation: not a line more from us.
    lost: bool,
    /// Has lines in the transaction at hand.
    touched: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection, clock: Arc<dyn Clock>, shared: Arc<Shared>) -> Self {
        Self { connection, clock, shared, runs: HashMap::new() }
    }

    /// Until all senders are gone or a transaction fails.
    pub(super) fn work(mut self, inbox: &Receiver<Item>) {
        loop {
            let first = match inbox.recv_timeout(HEARTBEAT) {
                Ok(item) => item,
                Err(RecvTimeoutError::Timeout) => {
                    // Only a message: the next line tells if the database is gone.
                    let _ = self.beat();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let batch = gather(first, inbox);
            let mut replies = Vec::new();
            let written = self.write(batch, &mut replies);
            if let Err(error) = &written {
                let _ = self.shared.down.set(explain(&self.shared.path, error));
            }
            for (reply, answer) in replies {
                // Whoever no longer waits needs no answer.
                let _ = reply.send(if written.is_ok() { answer } else { Err(self.shared.down()) });
            }
            if written.is_err() {
                return; // the queue is dropped with those in it, who then read why
            }
        }
    }

    fn write(
        &mut self,
        batch: Vec<Item>,
        replies: &mut Vec<(Reply, Result<(), JournalError>)>,
    ) -> rusqlite::Result<()> {
        let now = self.clock.now_ms();
        let mut lines = Vec::with_capacity(batch.len());
        for item in batch {
            match item {
                Item::Barrier(reply) => replies.push((reply, Ok(()))),
                Item::Line { run, entry, extra, reply } => {
                    if let Some(reply) = reply {
                        replies.push((reply, Ok(())));
                        lines.push((run, entry, extra, Some(replies.len() - 1)));
                    } else {
                        lines.push((run, entry, extra, None));
                    }
                }
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        // Immediate: what is read here, the generation, stays so until the commit.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        check_generations(&transaction, &mut self.runs)?;
        let count = lines.len() as u64;
        for (run, entry, extra, reply) in lines {
            let written = write_line(&transaction, &mut self.runs, &run, &entry, extra, now)?;
            if let (false, Some(index)) = (written, reply) {
                replies[index].1 = Err(JournalError::Lost { run: run.to_string() });
            }
        }
        for (run, owned) in self.runs.iter_mut().filter(|(_, owned)| owned.touched) {
            note_head(&transaction, run, owned, now)?;
        }
        transaction.commit()?;
        self.shared.commits.fetch_add(1, Ordering::Relaxed);
        self.shared.lines.fetch_add(count, Ordering::Relaxed);
        Ok(())
    }

    fn beat(&mut self) -> rusqlite::Result<()> {
        let now = self.clock.now_ms();
        for (run, owned) in self.runs.iter().filter(|(_, owned)| !owned.lost) {
            let sql = "update run set heartbeat_ms = ?3 where id = ?1 and generation = ?2 and status = 'running'";
            self.connection.prepare_cached(sql)?.execute(params![run, owned.generation, Number(now)])?;
        }
        Ok(())
    }
}

/// All that is queued; waits a moment for more while nobody waits for it.
fn gather(first: Item, inbox: &Receiver<Item>) -> Vec<Item> {
    let mut urgent = is_waited_for(&first);
    let mut batch = vec![first];
    let until = Instant::now() + LINGER;
    while batch.len() < BATCH {
        let next = if urgent {
            inbox.try_recv().ok()
        } else {
            inbox.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
        };
        let Some(item) = next else { break };
        urgent |= is_waited_for(&item);
        batch.push(item);
    }
    batch
}

fn is_waited_for(item: &Item) -> bool {
    matches!(item, Item::Barrier(_) | Item::Line { reply: Some(_), .. })
}

fn check_generations(transaction: &Transaction, runs: &mut HashMap<Arc<str>, Owned>) -> rusqlite::Result<()> {
    let mut query = transaction.prepare_cached("select generation from run where id = ?1")?;
    for (run, owned) in runs.iter_mut() {
        let found: Option<i64> = query.query_row([run], |row| row.get(0)).optional()?;
        owned.lost |= found != Some(owned.generation);
    }
    Ok(())
}

/// `false`: the run is not ours, nothing was written.
fn write_line(
    transaction: &Transaction,
    runs: &mut HashMap<Arc<str>, Owned>,
    run: &Arc<str>,
    entry: &Entry,
    extra: Extra,
    now: u64,
) -> rusqlite::Result<bool> {
    match &extra {
        Extra::Begin(row) => {
            insert_run(transaction, run, row, entry.ms, now)?;
            let owned = Owned { generation: 1, lines: 0, head: chain::EMPTY, lost: false, touched: true };
            runs.insert(run.clone(), owned);
        }
        Extra::Adopt => {
            // Taken up by the process that had it, with lines of before still in this transaction.
            if let Some(owned) = runs.get_mut(run).filter(|owned| owned.touched) {
                note_head(transaction, run, owned, now)?;
            }
            if let Some(owned) = adopt(transaction, run, now)? {
                runs.insert(run.clone(), owned);
            }
        }
        _ => {}
    }
    let Some(owned) = runs.get_mut(run).filter(|owned| !owned.lost) else { return Ok(false) };
    owned.head = chain::link(&owned.head, owned.lines, entry);
    insert_entry(transaction, run, owned.lines, entry, &owned.head)?;
    owned.lines += 1;
    owned.touched = true;
    match extra {
        Extra::Nothing | Extra::Begin(_) | Extra::Adopt => {}
        Extra::Changes(changes) => {
            for change in &changes {
                apply_change(transaction, change, run)?;
            }
        }
        Extra::Source(text) => {
            let sql = "insert or replace into source (run, path, text) values (?1, ?2, ?3)";
            transaction.prepare_cached(sql)?.execute(params![run, entry.args, text])?;
        }
        Extra::Finish { status, failure } => {
            let sql = "update run set status = ?2, failure = ?3, ended_ms = ?4, entries = ?5, head = ?6 where id = ?1";
            let values = params![run, status.as_str(), failure, Number(entry.ms), Number(owned.lines), owned.head];
            transaction.prepare_cached(sql)?.execute(values)?;
            runs.remove(run);
        }
    }
    Ok(true)
}

/// Brings the run's row up to its lines.
fn note_head(transaction: &Transaction, run: &str, owned: &mut Owned, now: u64) -> rusqlite::Result<()> {
    owned.touched = false;
    let sql = "update run set entries = ?2, head = ?3, heartbeat_ms = ?4 where id = ?1";
    transaction.prepare_cached(sql)?.execute(params![run, Number(owned.lines), owned.head, Number(now)]).map(drop)
}

fn insert_run(transaction: &Transaction, run: &str, row: &RunRow, started: u64, now: u64) -> rusqlite::Result<()> {
    let sql = "insert into run (id, title, command_line, context, provider, recipe, params, versions, retry_of, status,
        started_ms, generation, pid, heartbeat_ms, entries, head)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'running', ?10, 1, ?11, ?12, 0, ?13)";
    let values = params![
        run,
        row.title,
        row.command_line,
        row.context,
        row.provider,
        row.recipe,
        row.params,
        row.versions,
        row.retry_of,
        Number(started),
        std::process::id(),
        Number(now),
        chain::EMPTY
    ];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

/// Raises the generation, so that an owner who has lost the lock without knowing writes no more.
fn adopt(transaction: &Transaction, run: &str, now: u64) -> rusqlite::Result<Option<Owned>> {
    let sql =
        "update run set generation = generation + 1, status = 'running', failure = null, ended_ms = null, pid = ?2,
        heartbeat_ms = ?3 where id = ?1 returning generation, entries, head";
    transaction
        .prepare_cached(sql)?
        .query_row(params![run, std::process::id(), Number(now)], |row| {
            let (generation, Number(lines), head) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Owned { generation, lines, head, lost: false, touched: true })
        })
        .optional()
}

/// With the head after it, which tells where a line was changed later.
fn insert_entry(transaction: &Transaction, run: &str, n: u64, entry: &Entry, head: &Head) -> rusqlite::Result<()> {
    let sql = "insert into entry (run, n, kind, lane, seq, attempt, op, digest, place, began_ms, ms, args, body, head)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)";
    let values = params![
        run,
        Number(n),
        entry.kind as i64,
        entry.lane,
        entry.seq,
        entry.attempt,
        entry.op,
        entry.digest,
        entry.place,
        entry.began_ms.map(Number),
        Number(entry.ms),
        entry.args,
        entry.body,
        head
    ];
    transaction.prepare_cached(sql)?.execute(values).map(drop)
}

/// What it means for a person.
fn explain(path: &Path, error: &rusqlite::Error) -> Trouble {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    if matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase)) {
        let remedy = "`linodetool doctor` says what to do".to_owned();
        return Trouble { why: format!("the database is damaged ({error})"), remedy };
    }
    Trouble::of(path, error)
}
