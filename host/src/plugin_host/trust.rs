//! Which files may be loaded. A plugin runs with all rights of its user, so nobody else may have been able to write it.
//!
//! The file that was checked is the one that is loaded: it is opened once and, on Linux, loaded through its descriptor.

use crate::core::digest::sha256_of;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Group and everybody.
const OTHERS_WRITE: u32 = 0o022;

/// Why a file is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum Untrusted {
    #[error("plugin path {0} is not absolute; give the whole path")]
    Relative(PathBuf),
    #[error("cannot read plugin {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} may be written by others (mode {mode:03o}), and a plugin runs as you; run: chmod go-w {path}")]
    Writable { path: PathBuf, mode: u32 },
    #[error(
        "{path} may be written by more people (mode {mode:03o}) than {exe} (mode {exe_mode:03o}); give it the same mode"
    )]
    WiderThanExecutable { path: PathBuf, mode: u32, exe: PathBuf, exe_mode: u32 },
    #[error("{path} belongs to user {owner}, not to {expected}; a plugin runs as you: install your own copy of it")]
    Owner { path: PathBuf, owner: u32, expected: String },
    #[error("{0} is not a regular file")]
    NotAFile(PathBuf),
    #[error(
        "{path} is not the file that was installed (SHA-256 {found}, installed was {recorded}); if you changed it, run: \
         linodetool plugin install {path}"
    )]
    Changed { path: PathBuf, found: String, recorded: String },
}

/// How well a file must be protected.
#[derive(Clone, Debug)]
pub enum Protection {
    /// A bundled plugin: as well as the executable beside it, whatever the umask was that both were made with.
    LikeExecutable(PathBuf),
    /// A foreign one: nobody but the user and root may write it or a folder above it, and it is what was installed.
    Installed { sha256: String },
    /// A foreign one that is being installed.
    New,
}

/// A file that may be loaded, open.
#[derive(Debug)]
pub(crate) struct Trusted {
    pub(crate) path: PathBuf,
    file: File,
}

impl Trusted {
    pub(crate) fn open(given: &Path, protection: &Protection) -> Result<Self, Untrusted> {
        if !given.is_absolute() {
            return Err(Untrusted::Relative(given.to_owned()));
        }
        let unreadable = |source| Untrusted::Unreadable { path: given.to_owned(), source };
        // Links are resolved first, then no part of what is checked is one.
        let path = given.canonicalize().map_err(unreadable)?;
        let file = File::options()
            .read(true)
            // Neither follow a link put there just now, nor hang on a pipe.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(&path)
            .map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(Untrusted::NotAFile(path));
        }
        match protection {
            Protection::LikeExecutable(exe) => like_executable(&path, &metadata, exe)?,
            Protection::Installed { .. } | Protection::New => own(&path, &metadata)?,
        }
        let mut trusted = Self { path, file };
        if let Protection::Installed { sha256 } = protection {
            let found = trusted.sha256().map_err(unreadable)?;
            if !found.eq_ignore_ascii_case(sha256) {
                return Err(Untrusted::Changed { path: trusted.path, found, recorded: sha256.clone() });
            }
        }
        Ok(trusted)
    }

    /// Of the whole file, in hexadecimal digits.
    pub(crate) fn sha256(&mut self) -> io::Result<String> {
        self.file.rewind()?;
        sha256_of(&self.file).map(|(digest, _)| digest)
    }

    /// The reason if it would kill the process that loads it.
    pub(crate) fn cut_short(&self) -> Option<String> {
        super::elf::cut_short(&self.file)
    }

    /// The path that leads to exactly this file, whatever happens to its name.
    pub(crate) fn load_path(&self) -> PathBuf {
        if cfg!(target_os = "linux") {
            format!("/proc/self/fd/{}", self.file.as_raw_fd()).into()
        } else {
            self.path.clone()
        }
    }

    /// The loader knows libraries by this name: were the number used again, it would answer with the old library.
    pub(crate) fn keep_open(self) -> PathBuf {
        std::mem::forget(self.file);
        self.path
    }
}

/// The file and every folder above it belong to root or the user, and nobody else may write them.
fn own(path: &Path, metadata: &Metadata) -> Result<(), Untrusted> {
    check_own(path, metadata, false)?;
    for folder in path.ancestors().skip(1) {
        let unreadable = |source| Untrusted::Unreadable { path: folder.to_owned(), source };
        check_own(folder, &folder.symlink_metadata().map_err(unreadable)?, true)?;
    }
    Ok(())
}

fn check_own(path: &Path, metadata: &Metadata, folder: bool) -> Result<(), Untrusted> {
    let mode = metadata.mode();
    let sticky = folder && mode & 0o1000 != 0; // as in /tmp: others cannot replace what is ours
    if mode & OTHERS_WRITE != 0 && !sticky {
        return Err(Untrusted::Writable { path: path.to_owned(), mode: mode & 0o777 });
    }
    if ![0, own_user()].contains(&metadata.uid()) {
        let expected = "you or root".into();
        return Err(Untrusted::Owner { path: path.to_owned(), owner: metadata.uid(), expected });
    }
    Ok(())
}

/// Who may write the executable may do anything to us already; nobody else may write the plugin or its folder.
fn like_executable(path: &Path, metadata: &Metadata, exe: &Path) -> Result<(), Untrusted> {
    let of = |path: &Path| path.metadata().map_err(|source| Untrusted::Unreadable { path: path.to_owned(), source });
    let (exe_folder, folder) = (exe.parent().unwrap_or(exe), path.parent().unwrap_or(path));
    let (exe_is, exe_folder_is, folder_is) = (of(exe)?, of(exe_folder)?, of(folder)?);
    for (what, is, like, like_is) in [(path, metadata, exe, &exe_is), (folder, &folder_is, exe_folder, &exe_folder_is)]
    {
        if is.uid() != like_is.uid() && is.uid() != 0 {
            let expected = format!("user {} as {} does", like_is.uid(), like.display());
            return Err(Untrusted::Owner { path: what.to_owned(), owner: is.uid(), expected });
        }
        let (mode, exe_mode) = (is.mode() & 0o777, like_is.mode() & 0o777);
        if mode & OTHERS_WRITE & !exe_mode != 0 {
            return Err(Untrusted::WiderThanExecutable { path: what.to_owned(), mode, exe: like.to_owned(), exe_mode });
        }
    }
    Ok(())
}

fn own_user() -> u32 {
    // The effective user's id without unsafe code: what stands for this process belongs to it.
    let probe = if cfg!(target_os = "linux") { "/proc/self" } else { "/dev/fd" };
    Path::new(probe).metadata().map_or(u32::MAX, |metadata| metadata.uid())
}

/// What `plugins.json` in the user's plugin folder records of one installed plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Absolute, or relative to the plugin folder.
    pub path: PathBuf,
    pub sha256: String,
}

/// `plugins.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    #[error("cannot read {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} may be read or written by others (mode {mode:03o}); run: chmod 600 {path}")]
    Open { path: PathBuf, mode: u32 },
    #[error("{path} belongs to user {owner}, neither to you nor to root; remove it and install your plugins again")]
    Owner { path: PathBuf, owner: u32 },
    #[error("{path} is not what linodetool wrote ({reason}); remove it and install your plugins again")]
    Malformed { path: PathBuf, reason: String },
}

impl Installed {
    /// All that are recorded, by name. No file: none.
    pub fn read(folder: &Path) -> Result<BTreeMap<String, Self>, InstalledError> {
        let path = folder.join("plugins.json");
        let unreadable = |source| InstalledError::Unreadable { path: path.clone(), source };
        let mut file = match File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(source) => return Err(unreadable(source)),
        };
        let metadata = file.metadata().map_err(unreadable)?;
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(InstalledError::Open { path, mode });
        }
        if ![0, own_user()].contains(&metadata.uid()) {
            return Err(InstalledError::Owner { path, owner: metadata.uid() });
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        let mut all: BTreeMap<String, Self> = serde_json::from_str(&text)
            .map_err(|why| InstalledError::Malformed { path: path.clone(), reason: why.to_string() })?;
        for installed in all.values_mut() {
            installed.path = folder.join(&installed.path);
        }
        Ok(all)
    }
}
