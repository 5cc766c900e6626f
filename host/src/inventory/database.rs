//! The database in the state directory: where it may be, its schema and versions.
//!
//! Knows that a journal shares it (one transaction for a step's outcome and its rows), not what a step is.

use super::{damage, network};
use crate::core::{Failure, FailureKind};
use crate::secrets::files::{self, FileError};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The state directory or its database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    #[error("the state directory cannot be used: {0}")]
    File(#[from] FileError),
    #[error("the state directory {path} is on a network file system ({kind}), where locks are not reliable", path = path.display())]
    Network { path: PathBuf, kind: &'static str },
    #[error("{path} was written by a newer linodetool: {found}", path = path.display())]
    TooNew { path: PathBuf, found: Newer },
    #[error("the database {path} cannot be {doing}: {trouble}", path = path.display())]
    Database { path: PathBuf, doing: &'static str, trouble: Trouble },
    #[error("the database {path} is damaged: {why}", path = path.display())]
    Damaged {
        path: PathBuf,
        /// What was kept of it, to rescue from.
        copy: Option<PathBuf>,
        why: String,
    },
    #[error("what the inventory has of {table} {name} cannot be read: {source}")]
    Row { table: &'static str, name: String, source: serde_json::Error },
    #[error("the journal {path} cannot be written: {trouble}", path = path.display())]
    Down { path: PathBuf, trouble: Trouble },
}

/// What a newer version wrote that this one does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Newer(pub(crate) String);

/// Why a database cannot be used just now, and what a person can do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Trouble {
    pub why: String,
    pub remedy: String,
}

impl Trouble {
    /// Of what SQLite said of the database at this path.
    pub(crate) fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let told = |why: &str, remedy: String| Self { why: why.to_owned(), remedy };
        let code = error.sqlite_error_code();
        if code == Some(ErrorCode::DatabaseBusy) {
            let why = format!("another process has held it locked for more than {} seconds", PATIENCE.as_secs());
            return told(&why, "end or continue the process that was stopped in the middle".to_owned());
        }
        if code == Some(ErrorCode::DiskFull) {
            return Self::of_system(path, &io::ErrorKind::StorageFull.into());
        }
        // SQLite's own words are about the call that failed, such as "disk I/O error" for a full disk.
        Self::seen(path).unwrap_or_else(|| told(&error.to_string(), files::remedy(&io::Error::other("unknown"), path)))
    }

    /// What can be seen from outside.
    fn seen(path: &Path) -> Option<Self> {
        let places = [path.parent().unwrap_or(path), path].into_iter().filter(|place| place.exists());
        places.into_iter().find_map(files::obstacle).map(|error| Self::of_system(path, &error))
    }

    fn of_system(path: &Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only".to_owned(),
            io::ErrorKind::PermissionDenied => "its owner or mode forbids it".to_owned(),
            _ => error.to_string(),
        };
        Self { why, remedy: files::remedy(error, path) }
    }
}

impl StateError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::File(error) => error.hint(),
            Self::Network { .. } => "name a folder on a local disk with --state-dir".to_owned(),
            Self::TooNew { .. } => {
                "update linodetool, or keep this version's state elsewhere with --state-dir".to_owned()
            }
            Self::Database { trouble, .. } => trouble.remedy.clone(),
            Self::Damaged { path, copy, .. } => damage::hint(path, copy.as_deref()),
            Self::Row { .. } => {
                "if a newer linodetool wrote it, update this one; otherwise something else has changed the \
                database: bring it back from a backup"
                    .to_owned()
            }
            Self::Down { trouble, .. } => {
                format!("nothing was begun that is not in the journal; {}, then give the command again", trouble.remedy)
            }
        }
    }

    /// Of a database that is damaged, a copy is kept before anything else can change it. For whoever works with it: whoever
    /// only looks writes nothing.
    pub(crate) fn kept(self) -> Self {
        match self {
            Self::Damaged { path, copy: None, why } => Self::Damaged { copy: damage::keep_copy(&path).ok(), path, why },
            other => other,
        }
    }

    pub(crate) fn database(path: &Path, doing: &'static str) -> impl Fn(rusqlite::Error) -> Self {
        move |source| match damage::of(&source) {
            Some(why) => Self::Damaged { path: path.to_owned(), copy: None, why },
            None if let Some(found) = newer(&source) => Self::TooNew { path: path.to_owned(), found },
            None => Self::Database { path: path.to_owned(), doing, trouble: Trouble::of(path, &source) },
        }
    }
}

/// Whether it is one value that cannot be read, and not the database.
pub(crate) fn is_about_a_value(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
    matches!(error, FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | Utf8Error(..))
}

/// What it says to a person.
pub(crate) fn words(error: &rusqlite::Error) -> String {
    match newer(error) {
        Some(Newer(found)) => format!("a newer linodetool wrote it: {found}"),
        None => error.to_string(),
    }
}

fn newer(error: &rusqlite::Error) -> Option<Newer> {
    let rusqlite::Error::FromSqlConversionFailure(_, _, why) = error else { return None };
    why.downcast_ref::<Newer>().cloned()
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::new(FailureKind::State, error.to_string()).hint(error.hint())
    }
}

/// Each brings the schema from its index to the next version. Never edit one that was released: add one.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    create table run (
        ordinal integer primary key autoincrement, id text not null unique, title text not null, command_line text not null, context text not null,
        provider text not null, recipe text, params text not null, versions text not null, retry_of text,
        status text not null, failure text, started_ms integer not null, ended_ms integer,
        generation integer not null, pid integer not null, heartbeat_ms integer not null,
        entries integer not null, head blob not null);
    create table entry (
        run text not null, n integer not null, kind integer not null, lane text not null, seq integer not null,
        attempt integer not null, op text, digest blob, place text, began_ms integer, ms integer not null, args text, body text,
        primary key (run, n)) without rowid;
    create table source (run text not null, path text not null, text text not null, primary key (run, path)) without rowid;
    create table cluster (context text not null, name text not null, doc text not null, primary key (context, name)) without rowid;
    create table node (
        context text not null, name text not null, cluster text, doc text not null, primary key (context, name)) without rowid;
    create index node_cluster on node (context, cluster);
    create table resource (
        context text not null, kind text not null, name text not null, doc text not null,
        primary key (context, kind, name)) without rowid;
",
    "alter table entry add column head blob;",
];

/// Makes the state directory and checks that it can hold a database.
pub fn prepare_state_dir(state: &Path) -> Result<(), StateError> {
    files::private_dir(state)?;
    let kind = network::kind_of(state).map_err(|error| files::while_trying("look at", state)(error))?;
    match kind {
        Some(kind) => Err(StateError::Network { path: state.to_owned(), kind }),
        None => Ok(()),
    }
}

/// Other processes commit within milliseconds; only a stopped one holds the lock for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Opens the database for its one writer in this process; made and migrated if need be.
pub fn open_writer(path: &Path) -> Result<Connection, StateError> {
    // SQLite would make it with the umask's mode; the files beside it take over this one's.
    files::open_private(path).map_err(|error| {
        let trouble = Trouble::seen(path).unwrap_or_else(|| Trouble { why: error.to_string(), remedy: error.hint() });
        StateError::Database { path: path.to_owned(), doing: "opened", trouble }
    })?;
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    switch_to_wal(&connection).map_err(StateError::database(path, "opened"))?;
    connection
        .execute_batch(
            // FULL: an intent that was told to be durable survives a loss of power. macOS needs fullfsync for the same.
            "pragma synchronous = full; pragma fullfsync = 1; pragma wal_autocheckpoint = 4000;",
        )
        .map_err(StateError::database(path, "opened"))?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// The same for a database that is worth nothing once this process has ended: the disk is never waited for.
pub fn open_scratch_writer(path: &Path) -> Result<Connection, StateError> {
    let connection = open_writer(path)?;
    // Nor is anything copied out of the log before there is much of it.
    connection
        .execute_batch("pragma synchronous = off; pragma wal_autocheckpoint = 40000")
        .map_err(StateError::database(path, "opened"))?;
    Ok(connection)
}

/// While several processes make the database at once, SQLite answers this one change with "busy" and does not wait as it
/// does elsewhere.
fn switch_to_wal(connection: &Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.execute_batch("pragma journal_mode = wal") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// Opens it for queries.
pub fn open_reader(path: &Path) -> Result<Connection, StateError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.execute_batch("pragma query_only = 1").map_err(StateError::database(path, "opened"))?;
    Ok(connection)
}

/// Looks at a database that is there, for its version and for damage, and changes nothing in it.
pub fn examine(path: &Path) -> Result<(), StateError> {
    examined(path).map_err(StateError::kept)
}

fn examined(path: &Path) -> Result<(), StateError> {
    let connection = open_reader(path)?;
    let failed = StateError::database(path, "read");
    known_version(&connection, path)?;
    let found: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0)).map_err(failed)?;
    if found == "ok" { Ok(()) } else { Err(StateError::Damaged { path: path.to_owned(), copy: None, why: found }) }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StateError> {
    let failed = StateError::database(path, "opened");
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(&failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    Ok(connection)
}

/// What this version of linodetool writes.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// The version of the schema, if it is none of the future's.
fn known_version(connection: &Connection, path: &Path) -> Result<i64, StateError> {
    let found = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: i64 = found.map_err(StateError::database(path, "read"))?;
    if found <= KNOWN {
        return Ok(found);
    }
    let found = Newer(format!("its schema is {found}, this version knows up to {KNOWN}"));
    Err(StateError::TooNew { path: path.to_owned(), found })
}

/// Refuses one that would have to be migrated.
pub(super) fn is_current(connection: &Connection, path: &Path) -> Result<(), StateError> {
    match known_version(connection, path)? {
        KNOWN => Ok(()),
        found => {
            let why = format!("its schema is {found}, and it must be written to be brought to {KNOWN}");
            let trouble = Trouble { why, remedy: "make it writable".to_owned() };
            Err(StateError::Database { path: path.to_owned(), doing: "read", trouble })
        }
    }
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StateError> {
    if known_version(connection, path)? == KNOWN {
        return Ok(());
    }
    let failed = StateError::database(path, "migrated");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&failed)?;
    // Another process may have migrated while we waited for the lock.
    let from = usize::try_from(known_version(&transaction, path)?).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(migration).map_err(&failed)?;
    }
    transaction.pragma_update(None, "user_version", KNOWN).map_err(&failed)?;
    transaction.commit().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check_refused(state: &Path, dir: &Path, expected: &Expect) {
        let refused = prepare_state_dir(state).and_then(|()| open_writer(&state.join("linodetool.db")).map(drop));
        let error = refused.unwrap_err();
        let text = format!("{error}\nhint: {}", error.hint());
        expected.assert_eq(&text.replace(dir.to_str().unwrap(), "DIR"));
    }

    #[test]
    fn a_newer_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        open_writer(&dir.path().join("linodetool.db")).unwrap().pragma_update(None, "user_version", 99).unwrap();
        check_refused(
            dir.path(),
            dir.path(),
            &expect![[r#"
                DIR/linodetool.db was written by a newer linodetool: its schema is 99, this version knows up to 2
                hint: update linodetool, or keep this version's state elsewhere with --state-dir"#]],
        );
    }

    #[test]
    fn a_file_instead_of_a_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("state");
        std::fs::write(&file, "").unwrap();
        let expected = expect![[r#"
            the state directory cannot be used: DIR/state is not a folder
            hint: move DIR/state away or name another state directory"#]];
        check_refused(&file, dir.path(), &expected);
        check_refused(&file.join("below"), dir.path(), &expected);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_refused() {
        check_refused(
            Path::new("/proc/linodetool-state"),
            Path::new("/nowhere"),
            &expect![[r#"
                the state directory cannot be used: cannot make the folder /proc/linodetool-state: No such file or directory (os error 2)
                hint: check the owner, the mode and the free space of /proc/linodetool-state"#]],
        );
    }

    #[test]
    fn the_database_is_private() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linodetool.db");
        let connection = open_writer(&path).unwrap();
        connection.execute_batch("insert into source values ('r', 'p', 't')").unwrap();
        let mut modes: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|file| file.unwrap())
            .map(|file| format!("{} {:o}", file.file_name().display(), file.metadata().unwrap().mode() & 0o777))
            .collect();
        modes.sort();
        expect!["linodetool.db 600, linodetool.db-shm 600, linodetool.db-wal 600"].assert_eq(&modes.join(", "));
    }

    #[test]
    fn many_processes_may_make_it_at_once() {
        for _ in 0..5 {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("linodetool.db");
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| open_writer(&path).unwrap());
                }
            });
        }
    }
}
