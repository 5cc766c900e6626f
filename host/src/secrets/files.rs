//! Private files: made with mode 0600 in folders of mode 0700, replaced in one piece.
//!
//! Owns how bytes reach the disk. Does not know what they mean.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A private file or folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot {what} {path}: {source}", path = path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{path} is not a folder", path = path.display())]
    NotAFolder { path: PathBuf },
    #[error("{path} holds secrets and may be read or changed by others (mode {mode:o})", path = path.display())]
    Exposed { path: PathBuf, mode: u32 },
}

impl FileError {
    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Io { path, source, .. } => remedy(source, path),
            Self::NotAFolder { path } => format!("move {} away or name another state directory", path.display()),
            Self::Exposed { path, .. } => {
                format!("run `chmod 600 {}` after making sure that nobody else has read it", path.display())
            }
        }
    }
}

/// What a person can do about a system error at this place.
pub(crate) fn remedy(error: &io::Error, path: &Path) -> String {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => format!("make room on the disk that holds {path}"),
        io::ErrorKind::ReadOnlyFilesystem => {
            format!(
                "mount the file system that holds {path} writable, or name another state directory with --state-dir"
            )
        }
        io::ErrorKind::PermissionDenied => {
            format!("check the owner and the mode of {path}, or name another state directory with --state-dir")
        }
        _ => format!("check the owner, the mode and the free space of {path}"),
    }
}

/// What keeps this process from writing in a folder, if that can be seen from outside.
pub(crate) fn obstacle(folder: &Path) -> Option<io::Error> {
    let errno = match rustix::fs::access(folder, rustix::fs::Access::WRITE_OK) {
        Err(errno) => errno,
        // What SQLite needs beside a database, at the least, is not there.
        Ok(()) if rustix::fs::statvfs(folder).is_ok_and(|there| there.f_bavail * there.f_frsize < 64 << 10) => {
            rustix::io::Errno::NOSPC
        }
        Ok(()) => return None,
    };
    Some(errno.into())
}

/// Adds what was tried and where to a system error.
pub(crate) fn while_trying<'a>(what: &'static str, path: &'a Path) -> impl Fn(io::Error) -> FileError + 'a {
    move |source| FileError::Io { what, path: path.to_owned(), source }
}

/// Makes the folder and those above it with mode 0700; what exists keeps its mode.
pub fn private_dir(path: &Path) -> Result<(), FileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    match made {
        Ok(()) => Ok(()),
        Err(_) if path.exists() && !path.is_dir() => Err(FileError::NotAFolder { path: path.to_owned() }),
        Err(source) if source.kind() == io::ErrorKind::NotADirectory => {
            let path = path.ancestors().find(|above| above.exists()).unwrap_or(path).to_owned();
            Err(FileError::NotAFolder { path })
        }
        Err(source) => Err(FileError::Io { what: "make the folder", path: path.to_owned(), source }),
    }
}

/// Opens for reading and writing, made with mode 0600 if absent; never truncated.
pub fn open_private(path: &Path) -> Result<File, FileError> {
    let mut options = OpenOptions::new();
    let opened = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map_err(while_trying("open", path))
}

/// Reads a private file; `None` if there is none. One that others may read is refused.
pub fn read_private(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(while_trying("open", path)(error)),
    };
    let mode = file.metadata().map_err(while_trying("look at", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FileError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut file, &mut bytes).map_err(while_trying("read", path))?;
    Ok(Some(bytes))
}

/// Replaces the file in one piece: whoever reads sees the old bytes or the new ones, also after a loss of power.
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    // Of a bare name the parent is an empty path, which cannot be opened.
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    private_dir(folder)?;
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let draft = folder.join(format!(".{name}.{}", crate::core::random_hex(6)));
    let written = write_new(&draft, bytes).and_then(|()| {
        std::fs::rename(&draft, path).map_err(while_trying("replace", path))?;
        // The new name itself is durable only when its folder is.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(while_trying("write the folder", folder))
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written
}

/// Makes a private file where there is none; durable when this returns.
///
/// # Errors
/// Of kind `AlreadyExists` if there is something, which is left as it is.
pub fn create_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let made = write_new(path, bytes);
    if let Err(FileError::Io { source, .. }) = &made
        && source.kind() != io::ErrorKind::AlreadyExists
    {
        let _ = std::fs::remove_file(path);
    }
    made
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).map_err(while_trying("make", path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(while_trying("write", path))
}

/// Adds one line to a private log and waits until it is durable.
pub fn append_private(path: &Path, line: &str) -> Result<(), FileError> {
    let mut options = OpenOptions::new();
    let mut file =
        options.append(true).read(true).create(true).mode(0o600).open(path).map_err(while_trying("open", path))?;
    // One write call, so that lines of several processes do not mix.
    let line = format!("{}{line}\n", if is_cut_off(&file) { "\n" } else { "" });
    file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(while_trying("write", path))
}

/// Whether the last line of a file is not whole, as after a full disk: what is added then begins a line of its own.
pub(crate) fn is_cut_off(file: &File) -> bool {
    let mut last = [0];
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    length > 0 && file.read_exact_at(&mut last, length - 1).is_ok() && last != *b"\n"
}

/// An exclusive lock on a file, let go when dropped (or when the process dies).
#[derive(Debug)]
pub struct FileLock {
    path: PathBuf,
    file: File,
}

impl FileLock {
    /// Waits for the lock.
    pub fn wait(path: &Path) -> Result<Self, FileError> {
        loop {
            let file = open_private(path)?;
            file.lock().map_err(while_trying("lock", path))?;
            if is_still_at(&file, path) {
                return Ok(Self { path: path.to_owned(), file });
            }
        }
    }

    /// `None` if somebody else holds it.
    pub fn attempt(path: &Path) -> Result<Option<Self>, FileError> {
        loop {
            let file = open_private(path)?;
            match file.try_lock() {
                Ok(()) if is_still_at(&file, path) => return Ok(Some(Self { path: path.to_owned(), file })),
                Ok(()) => {}
                Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
                Err(std::fs::TryLockError::Error(error)) => return Err(while_trying("lock", path)(error)),
            }
        }
    }

    /// Writes into the file, for those who find it locked.
    pub fn note(&self, text: &str) -> Result<(), FileError> {
        let write = || {
            self.file.set_len(0)?;
            self.file.write_all_at(text.as_bytes(), 0)
        };
        write().map_err(while_trying("write", &self.path))
    }

    /// What whoever holds the lock has noted.
    pub fn noted(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok().filter(|text| !text.is_empty())
    }

    /// Removes the file while it is still locked, so that no two owners can meet at different files.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// Whether anybody holds the lock; a file that is absent is held by nobody.
    pub fn is_held(path: &Path) -> bool {
        let Ok(file) = File::open(path) else { return false };
        matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock))
    }
}

/// A file that was removed by its last owner while we waited locks nobody out.
fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn files_are_0600_in_folders_0700() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/secret");
        replace_private(&path, b"one").unwrap();
        replace_private(&path, b"two").unwrap();
        assert_eq!(read_private(&path).unwrap().unwrap(), b"two");
        assert_eq!((mode(&path), mode(&dir.path().join("a/b")), mode(&dir.path().join("a"))), (0o600, 0o700, 0o700));
        let left: Vec<_> = std::fs::read_dir(dir.path().join("a/b")).unwrap().collect();
        assert_eq!(left.len(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, "x").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let said = read_private(&path).unwrap_err().to_string().replace(dir.path().to_str().unwrap(), "DIR");
        expect!["DIR/key holds secrets and may be read or changed by others (mode 644)"].assert_eq(&said);
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        append_private(&path, "one").unwrap();
        std::fs::write(&path, "one\ntw").unwrap();
        append_private(&path, "three").unwrap();
        append_private(&path, "four").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntw\nthree\nfour\n");
    }

    #[test]
    fn one_owner_at_a_time_also_when_the_file_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!FileLock::is_held(&path));
        let first = FileLock::attempt(&path).unwrap().unwrap();
        assert!(FileLock::is_held(&path));
        assert!(FileLock::attempt(&path).unwrap().is_none());
        let waiter = std::thread::spawn({
            let path = path.clone();
            move || FileLock::wait(&path).unwrap()
        });
        first.remove();
        let second = waiter.join().unwrap();
        assert!(FileLock::attempt(&path).unwrap().is_none(), "the waiter holds the file that is there now");
        drop(second);
        assert!(FileLock::attempt(&path).unwrap().is_some());
    }
}
