//! All runs of a state directory: begun and taken up again. What they left is read in `archive`.

use super::archive;
use super::chain::canonical_json;
use super::crash::CrashPoints;
use super::entry::{Entry, EntryKind};
use super::journal::{Durability, Extra, Journal, RunRow, Traffic};
use super::load;
use super::log::Logs;
use super::past::Past;
use super::records::{NewRun, RunSummary, Status};
use super::run::{Run, guard};
use crate::core::{Event, Events, Failure, FailureKind, Paths, RunId, Time};
use crate::inventory::{Inventory, ReadOnly, SqliteStore, StateError, Trouble, database};
use crate::secrets::files::{self, FileLock};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::runtime::Handle;

/// Opened once per process. Clones are the same.
#[derive(Clone)]
pub struct Runs(pub(super) Arc<Shared>);

/// What all runs of a process share.
pub(super) struct Shared {
    pub(super) journal: Arc<Journal>,
    pub(super) handle: Handle,
    pub(super) time: Arc<dyn Time>,
    /// Those of the caller, by way of the logs.
    pub(super) events: Events,
    pub(super) logs: Arc<Logs>,
    pub(super) state: PathBuf,
    database: PathBuf,
    reader: Mutex<Connection>,
    inventory: Inventory,
    /// Of a process that may be made to die.
    pub(super) points: OnceLock<Arc<CrashPoints>>,
    /// The database may be a copy, which ends with this.
    _read_only: Option<ReadOnly>,
}

/// A state directory, and what works with it.
pub(super) struct Around {
    pub(super) state: PathBuf,
    pub(super) database: PathBuf,
    pub(super) handle: Handle,
    pub(super) time: Arc<dyn Time>,
    pub(super) events: Events,
}

impl Runs {
    /// Opens the state directory, which is made if absent. Effects run on the runtime of `handle`, which must have
    /// threads of its own.
    pub fn open(paths: &Paths, handle: Handle, time: Arc<dyn Time>, events: Events) -> Result<Self, StateError> {
        Self::open_as(Durability::Durable, paths, handle, time, events)
    }

    /// The same for what is worth less.
    pub fn open_as(
        durability: Durability,
        paths: &Paths,
        handle: Handle,
        time: Arc<dyn Time>,
        events: Events,
    ) -> Result<Self, StateError> {
        Self::open_in(durability, paths, handle, time, events).map_err(StateError::kept)
    }

    fn open_in(
        durability: Durability,
        paths: &Paths,
        handle: Handle,
        time: Arc<dyn Time>,
        events: Events,
    ) -> Result<Self, StateError> {
        database::prepare_state_dir(&paths.state)?;
        let around = Around { state: paths.state.clone(), database: paths.database(), handle, time, events };
        let writer = match durability {
            Durability::Durable => database::open_writer(&around.database),
            Durability::Scratch => database::open_scratch_writer(&around.database),
        };
        match writer {
            Ok(writer) => Self::over(writer, durability, around),
            Err(error) => match ReadOnly::after(&around.database, &error) {
                Some((there, trouble)) => Self::read_only(there, trouble, around),
                None => Err(error),
            },
        }
    }

    /// What is on record can be looked at, and nothing begun.
    fn read_only(there: ReadOnly, trouble: Trouble, around: Around) -> Result<Self, StateError> {
        let readers = [there.reader()?, there.reader()?];
        let journal = Journal::closed(&around.database, trouble);
        Ok(Self::assemble(journal, readers, Some(there), around))
    }

    pub(super) fn over(writer: Connection, durability: Durability, around: Around) -> Result<Self, StateError> {
        files::private_dir(&around.state.join("runs"))?;
        let database = &around.database;
        let journal = Journal::start(writer, database, around.time.clone(), durability)?;
        let readers = [database::open_reader(database)?, database::open_reader(database)?];
        Ok(Self::assemble(journal, readers, None, around))
    }

    fn assemble(
        journal: Journal,
        [for_inventory, for_runs]: [Connection; 2],
        read_only: Option<ReadOnly>,
        around: Around,
    ) -> Self {
        let Around { state, database, handle, time, events } = around;
        let journal = Arc::new(journal);
        let settle = {
            let journal = journal.clone();
            move || journal.settle()
        };
        let inventory = Inventory::new(Arc::new(SqliteStore::over(&database, for_inventory)), Arc::new(settle));
        let logs = Logs::new(&state, time.clone());
        let events = logs.before(events);
        Self(Arc::new(Shared {
            journal,
            handle,
            time,
            events,
            logs,
            state,
            database,
            reader: Mutex::new(for_runs),
            inventory,
            points: OnceLock::new(),
            _read_only: read_only,
        }))
    }

    /// From now on all runs of this process go by these points. The first call decides.
    pub fn watch_points(&self, points: CrashPoints) {
        let _ = self.0.points.set(Arc::new(points));
    }

    /// Begins a run.
    pub fn begin(&self, new: NewRun) -> Result<Arc<Run>, Failure> {
        self.begin_as(new, None)
    }

    /// Begins a run that does again what another one left undone.
    pub fn begin_retry(&self, of: &RunId, new: NewRun) -> Result<Arc<Run>, Failure> {
        self.begin_as(new, Some(of))
    }

    fn begin_as(&self, new: NewRun, retry_of: Option<&RunId>) -> Result<Arc<Run>, Failure> {
        let shared = &self.0;
        shared.journal.check()?;
        let id = RunId::random();
        let lock = FileLock::attempt(&shared.lock_path(id.as_str())).map_err(StateError::from)?;
        let Some(lock) = lock else {
            return Err(Failure::internal(format!("the new run's id {id} is in use")));
        };
        shared.note_holder(&lock);
        let json = |value: &Value| canonical_json(value).map_err(|error| Failure::internal(error.to_string()));
        let mut entry = Entry::of_run(EntryKind::Begin, shared.time.now_ms());
        let begun = json!({
            "title": new.title, "command_line": new.command_line, "context": new.context, "provider": new.provider,
            "params": new.params, "versions": new.versions, "retry_of": retry_of,
        });
        entry.body = Some(json(&begun)?);
        let row = RunRow {
            title: new.title.clone(),
            command_line: new.command_line,
            context: new.context.clone(),
            provider: new.provider,
            recipe: new.recipe.as_ref().map(|(path, _)| path.clone()),
            params: json(&new.params)?,
            versions: json(&json!(new.versions))?,
            retry_of: retry_of.map(RunId::to_string),
        };
        // Not waited for: it is durable before the first intent is.
        let key: Arc<str> = Arc::from(id.as_str());
        shared.journal.later(&key, entry, Extra::Begin(Box::new(row)))?;
        let run = Run::new(shared.clone(), id, new.context, lock, Past::default());
        if let Some((path, text)) = new.recipe {
            run.source(&path, &text)?;
        }
        for (name, value) in new.facts {
            run.note_fact(&name, value)?;
        }
        shared.announce(run.id(), new.title);
        Ok(run)
    }

    /// Takes up a run that has not ended well: its steps answer with what the journal holds.
    pub fn reopen(&self, id: &RunId) -> Result<Arc<Run>, Failure> {
        let shared = &self.0;
        let before = shared.summary(id)?;
        let lock = shared.lock_run(&before)?;
        // Read again under the lock: another process may have ended it meanwhile.
        let before = shared.summary(id)?;
        if before.status == Status::Done {
            return Err(Failure::new(FailureKind::Conflict, format!("run {id} is done"))
                .hint(format!("`linodetool runs show {id}` shows it; begin a new run to do it again")));
        }
        if before.status == Status::Undone {
            return Err(Failure::new(FailureKind::Conflict, format!("run {id} is undone: what it made is destroyed"))
                .hint(format!("`linodetool runs retry {id}` does it all again, as a new run")));
        }
        shared.journal.now(&Arc::from(id.as_str()), shared.taken_over(), Extra::Adopt)?;
        let past = shared.past(&before)?;
        shared.announce(id, before.title);
        Ok(Run::new(shared.clone(), id.clone(), before.context, lock, past))
    }

    /// A run that only follows its journal: it does nothing, writes nothing and answers up to the end of what was done. Its
    /// texts are not those that were kept: each is taken as it is now.
    pub fn follow(&self, id: &RunId) -> Result<Arc<Run>, Failure> {
        let shared = &self.0;
        shared.journal.barrier()?;
        let before = shared.summary(id)?;
        let lock = shared.lock_run(&before)?;
        let past = Past { follows: true, sources: [].into(), ..shared.past(&before)? };
        Ok(Run::new(shared.clone(), id.clone(), before.context, lock, past))
    }

    /// Where those who work for a run send their events: to its log, and on to whoever listens.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    pub(super) fn state(&self) -> &Path {
        &self.0.state
    }

    /// Keeps everybody else from taking up a run, for as long as what this gives lives.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while a process executes it.
    pub fn hold(&self, id: &RunId) -> Result<Held, Failure> {
        self.0.journal.barrier()?;
        let lock = self.0.lock_run(&self.0.summary(id)?)?;
        // Read under the lock: whoever had it may have ended the run meanwhile.
        let before = self.0.summary(id)?;
        Ok(Held { shared: self.0.clone(), before, lock })
    }

    /// Clusters, nodes and resources; each query sees all that was written before it.
    pub fn inventory(&self) -> &Inventory {
        &self.0.inventory
    }

    /// Waits until all that was said so far is durable.
    pub fn barrier(&self) -> Result<(), Failure> {
        Ok(self.0.journal.barrier()?)
    }

    /// Counts of the journal's work.
    pub fn traffic(&self) -> Traffic {
        self.0.journal.traffic()
    }
}

/// A run that nobody takes up meanwhile.
pub struct Held {
    shared: Arc<Shared>,
    before: RunSummary,
    lock: FileLock,
}

impl Held {
    /// How it stood when it was taken hold of.
    pub fn status(&self) -> Status {
        self.before.status
    }

    /// Notes that what the run made was destroyed by another run. It ends so, however it stood.
    pub fn undone_by(self, other: &RunId) -> Result<RunSummary, Failure> {
        let Self { shared, before, lock } = self;
        shared.journal.later(&Arc::from(before.id.as_str()), shared.taken_over(), Extra::Adopt)?;
        let run = Run::new(shared, before.id, before.context, lock, Past::default());
        run.set_failure(Failure::new(FailureKind::Cancelled, format!("undone by run {other}")));
        run.finish(Status::Undone)
    }
}

impl Shared {
    fn announce(&self, run: &RunId, title: String) {
        let opened = self.logs.open(run);
        self.events.send(Event::RunStarted { run: run.to_string(), title });
        if let Err(error) = opened {
            self.events.note(format!("there will be no log of the run: {error}"));
        }
    }

    /// What is there of a run; `before` is it as it stood before this process took it up.
    fn past(&self, before: &RunSummary) -> Result<Past, StateError> {
        let id = &before.id;
        self.read(|reader| {
            Ok(Past {
                steps: load::recorded(reader, id.as_str(), before.at_work_until_ms())?,
                sources: load::sources(reader, id.as_str())?,
                outputs: load::outputs(reader, id.as_str())?,
                facts: load::facts(reader, id.as_str())?,
                follows: false,
            })
        })
    }

    /// The line by which this process takes over a run.
    fn taken_over(&self) -> Entry {
        let mut entry = Entry::of_run(EntryKind::Owner, self.time.now_ms());
        entry.body = Some(json!({ "pid": std::process::id() }).to_string());
        entry
    }

    pub(super) fn summary(&self, id: &RunId) -> Result<RunSummary, Failure> {
        let found = self.read(|reader| load::find(reader, id.as_str(), &|id| self.is_held(id)))?;
        found.ok_or_else(|| archive::no_such_run(id.as_str()))
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.state.join("audit.jsonl")
    }

    pub(super) fn read<T>(&self, query: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StateError> {
        let failed = StateError::database(&self.database, "read");
        query(&guard(&self.reader)).map_err(|error| failed(error).kept())
    }

    fn lock_path(&self, id: &str) -> PathBuf {
        archive::lock_path(&self.state, id)
    }

    pub(super) fn is_held(&self, id: &str) -> bool {
        FileLock::is_held(&self.lock_path(id))
    }
}
