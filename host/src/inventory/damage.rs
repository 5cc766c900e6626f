//! A damaged database: how it is told from one that only cannot be used now, and the copy that is kept of it.
//!
//! Repairs nothing and begins nothing anew: an inventory that is empty all of a sudden would be the greater harm.

use crate::core::clock::utc;
use rusqlite::ErrorCode;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What SQLite keeps beside a database while it is in use; the second holds what is not in the first yet.
const PARTS: [&str; 2] = ["", "-wal"];

/// SQLite's words if they mean that the file's content is wrong.
pub(super) fn of(error: &rusqlite::Error) -> Option<String> {
    let damaged = matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
    damaged.then(|| error.to_string())
}

pub(super) fn hint(path: &Path, copy: Option<&Path>) -> String {
    let kept = match copy {
        Some(copy) => format!("a copy as it was found is {}", copy.display()),
        None => "copy it as it is before anything else".to_owned(),
    };
    let from = copy.unwrap_or(path).display();
    let path = path.display();
    format!(
        "nodes go on as they are, and their keys are not in it; {kept}. To rescue what can be read: \
         `sqlite3 {from} .recover | sqlite3 rescued.db`, then put rescued.db in the place of {path} and remove {path}-wal and \
         {path}-shm. Or move all three away to begin with an empty inventory, to which nodes that exist are strangers"
    )
}

/// `linodetool.db.corrupt-20260131120000`, after the time of its last change: the same damage is copied once, however many
/// commands meet it.
pub(super) fn keep_copy(path: &Path) -> io::Result<PathBuf> {
    let changed = std::fs::metadata(path)?.modified()?;
    let ms = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let date = utc(u64::try_from(ms).unwrap_or_default()).replace(|c: char| !c.is_ascii_digit(), "");
    let copy = with(path, &format!(".corrupt-{date}"));
    if copy.exists() {
        return Ok(copy);
    }
    // The database last, under its name only when it is whole: who sees it has all.
    for part in PARTS.iter().rev() {
        let (from, to) = (with(path, part), with(&copy, part));
        if !from.exists() {
            continue;
        }
        let draft = with(&to, &format!(".{}", crate::core::random_hex(6)));
        let copied = copy_private(&from, &draft).and_then(|()| std::fs::rename(&draft, &to));
        if copied.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
        copied?;
    }
    Ok(copy)
}

/// For the owner alone, whatever mode the damaged one has.
fn copy_private(from: &Path, to: &Path) -> io::Result<()> {
    let mut to = File::options().write(true).create_new(true).mode(0o600).open(to)?;
    io::copy(&mut File::open(from)?, &mut to)?;
    to.sync_all()
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::super::StateError;
    use super::super::database::{examine, open_reader};
    use super::*;
    use expect_test::expect;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    /// The message, the hint and the files beside it, without what differs each time.
    fn told(error: &StateError, dir: &Path) -> String {
        let mut files: Vec<_> = std::fs::read_dir(dir)
            .unwrap()
            .map(|file| file.unwrap())
            .map(|file| {
                format!("{:o} {}", file.metadata().unwrap().permissions().mode() & 0o777, file.file_name().display())
            })
            .collect();
        files.sort();
        let text = format!("{error}\nhint: {}\n{}", error.hint(), files.join("\n"));
        let text = text.replace(dir.to_str().unwrap(), "DIR");
        let date = text.split(".corrupt-").nth(1).unwrap().split(|c: char| !c.is_ascii_digit()).next().unwrap();
        assert_eq!(date.len(), 14);
        text.replace(date, "DATE")
    }

    fn open_writer(path: &Path) -> Result<rusqlite::Connection, StateError> {
        super::super::database::open_writer(path).map_err(StateError::kept)
    }

    #[test]
    fn what_is_no_database_is_copied_once_and_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linodetool.db");
        drop(open_writer(&path).unwrap());
        let text = "this is no database, only text".repeat(100);
        std::fs::write(&path, &text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let first = told(&open_writer(&path).unwrap_err(), dir.path());
        expect![[r#"
            the database DIR/linodetool.db is damaged: file is not a database
            hint: nodes go on as they are, and their keys are not in it; a copy as it was found is DIR/linodetool.db.corrupt-DATE. To rescue what can be read: `sqlite3 DIR/linodetool.db.corrupt-DATE .recover | sqlite3 rescued.db`, then put rescued.db in the place of DIR/linodetool.db and remove DIR/linodetool.db-wal and DIR/linodetool.db-shm. Or move all three away to begin with an empty inventory, to which nodes that exist are strangers
            600 linodetool.db.corrupt-DATE
            644 linodetool.db"#]]
        .assert_eq(&first);
        assert_eq!(told(&examine(&path).unwrap_err(), dir.path()), first);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn a_damaged_page_is_found_when_it_is_read_or_examined() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linodetool.db");
        let writer = open_writer(&path).unwrap();
        for n in 0..500 {
            let sql = format!("insert into source values ('r', 'p{n}', '{}')", "x".repeat(500));
            writer.execute_batch(&sql).unwrap();
        }
        drop(writer);
        assert!(examine(&path).is_ok());
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xA5);
        std::fs::write(&path, &bytes).unwrap();
        let read = open_reader(&path).unwrap();
        let all = read.query_row("select sum(length(text)) from source", [], |row| row.get::<_, i64>(0));
        let error = StateError::database(&path, "read")(all.unwrap_err());
        // Whoever only looks writes nothing.
        assert!(matches!(&error, StateError::Damaged { copy: None, .. }), "{error}");
        assert!(matches!(error.kept(), StateError::Damaged { copy: Some(_), .. }));
        drop(read);
        assert!(matches!(examine(&path).unwrap_err(), StateError::Damaged { copy: Some(_), .. }));
        // An error that passes is none of damage.
        assert_eq!(of(&rusqlite::Error::QueryReturnedNoRows), None);
    }
}
