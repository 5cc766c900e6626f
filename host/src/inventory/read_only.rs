//! A database that cannot be written now, as on a full disk: read all the same, so that what is on record can be shown.
//!
//! Owns how it is read without a byte written beside it. Does not know what for.

use super::StateError;
use super::database::{self, Trouble};
use crate::core::paths::database_in;
use crate::secrets::files::{self, FileError};
use rusqlite::{Connection, OpenFlags};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A database that is there and is only read.
pub(crate) struct ReadOnly {
    path: PathBuf,
    /// Of one whose last lines are still in its log, or that an older version wrote: SQLite reads the former, and this
    /// version the latter, only where it may write.
    copy: Option<TempDir>,
}

/// A look at a database, for queries.
pub(crate) struct Look {
    pub(crate) connection: Connection,
    /// The connection may need it.
    _there: Option<ReadOnly>,
}

impl ReadOnly {
    /// The same of the database in a state directory, if there is one.
    ///
    /// # Errors
    /// What is there cannot be a state directory, or nobody can look.
    pub(crate) fn look_in(state: &Path) -> Result<Option<Look>, StateError> {
        let path = database_in(state);
        let failed = |path: &Path, error: io::Error| Err(files::while_trying("look at", path)(error).into());
        let no_folder = |path: &Path| Err(StateError::File(FileError::NotAFolder { path: path.to_owned() }));
        match path.metadata() {
            Ok(meta) if meta.is_file() => Self::look(&path).map(Some),
            Ok(_) => failed(&path, io::Error::other("it is no file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                no_folder(state.ancestors().find(|above| above.exists()).unwrap_or(state))
            }
            Err(error) => failed(&path, error),
        }
    }

    /// Opens the database at this path for queries alone. Nothing is written beside it unless a process is at work with
    /// it, or has died so.
    pub(crate) fn look(path: &Path) -> Result<Look, StateError> {
        let rests = || log_of(path).metadata().is_ok_and(|log| log.len() > 0);
        let usual = || {
            let connection = database::open_reader(path)?;
            database::is_current(&connection, path)?;
            Ok(Look { connection, _there: None })
        };
        let alone = || {
            let there = Self::of(path)?;
            Some(Look { connection: there.reader().ok()?, _there: Some(there) })
        };
        if !rests()
            && let Some(look) = alone()
        {
            return Ok(look);
        }
        usual().or_else(|error| alone().ok_or(error))
    }

    /// The database at this path, after it could not be opened for this reason; `None` if it cannot be read either.
    pub(crate) fn after(path: &Path, error: &StateError) -> Option<(Self, Trouble)> {
        let StateError::Database { trouble, .. } = error else { return None };
        Some((Self::of(path)?, trouble.clone()))
    }

    /// The database at this path, if it can be read.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let log = log_of(path);
        let with_log = match log.metadata() {
            Ok(log) if log.len() > 0 => Some(copy(path).ok()?),
            _ => None,
        };
        let this = Self { path: path.to_owned(), copy: with_log };
        match this.reader() {
            Ok(_) => Some(this),
            Err(StateError::Database { .. }) if this.copy.is_none() => {
                let this = Self { copy: Some(copy(path).ok()?), ..this };
                this.reader().is_ok().then_some(this)
            }
            Err(_) => None,
        }
    }

    /// Opens it for queries.
    pub(crate) fn reader(&self) -> Result<Connection, StateError> {
        if let Some(copy) = &self.copy {
            let path = copy.path().join("linodetool.db");
            // Brings in what is in the log, and the schema to this version's.
            database::open_writer(&path)?;
            return database::open_reader(&path);
        }
        // Immutable: without locks and without files beside it, since nobody writes it.
        let uri = uri_of(&self.path);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(StateError::database(&self.path, "opened"))?;
        database::is_current(&connection, &self.path)?;
        Ok(connection)
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn copy(path: &Path) -> io::Result<TempDir> {
    let folder = tempfile::tempdir()?;
    let to = folder.path().join("linodetool.db");
    if log_of(path).exists() {
        std::fs::copy(log_of(path), log_of(&to))?;
    }
    std::fs::copy(path, to)?;
    Ok(folder)
}

fn uri_of(path: &Path) -> String {
    let escaped = path.as_os_str().as_bytes().iter().map(|byte| match byte {
        b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("file:{}?immutable=1", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(reader: &Connection) -> u32 {
        reader.query_row("select count(*) from source", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn it_is_read_in_place_or_with_what_is_in_its_log() {
        let dir = tempfile::Builder::new().prefix("a b?").tempdir().unwrap();
        let path = dir.path().join("linodetool.db");
        assert!(ReadOnly::of(&path).is_none());
        let writer = database::open_writer(&path).unwrap();
        writer.execute_batch("insert into source values ('r', 'p', 't')").unwrap();
        let while_open = ReadOnly::of(&path).unwrap();
        assert!(while_open.copy.is_some());
        assert_eq!(sources(&while_open.reader().unwrap()), 1);
        drop(writer);
        let after = ReadOnly::of(&path).unwrap();
        assert!(after.copy.is_none());
        assert_eq!(sources(&after.reader().unwrap()), 1);
        let beside: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(beside.len(), 1, "nothing is written beside it");
    }

    #[test]
    fn what_an_older_version_wrote_is_read_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linodetool.db");
        let older = Connection::open(&path).unwrap();
        older.execute_batch(database::MIGRATIONS[0]).unwrap();
        older.execute_batch("pragma user_version = 1; insert into source values ('r', 'p', 't')").unwrap();
        drop(older);
        let before = std::fs::read(&path).unwrap();
        let look = ReadOnly::look_in(dir.path()).unwrap().unwrap();
        assert_eq!(sources(&look.connection), 1);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
