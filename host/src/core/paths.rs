//! Where files are kept, decided once at the top from the environment and flags.

use std::path::{Path, PathBuf};

/// The folders of one process. Private ones are made with mode 0700 by whoever first writes there.
#[derive(Clone, Debug)]
pub struct Paths {
    /// Database, secrets, locks, logs: `$XDG_STATE_HOME/linodetool` or `--state-dir`. The sandbox has one of its own below it.
    pub state: PathBuf,
    /// The user's settings: `$XDG_CONFIG_HOME/linodetool`.
    pub config: PathBuf,
    /// The user's recipes and plugins: `$XDG_DATA_HOME/linodetool`.
    pub data: PathBuf,
    /// Downloads that can be made again: `$XDG_CACHE_HOME/linodetool`.
    pub cache: PathBuf,
    /// linode-cli's configuration file.
    pub linode_cli: PathBuf,
    pub home: PathBuf,
    /// Folder the command was started in.
    pub work: PathBuf,
    /// This executable.
    pub exe: PathBuf,
}

impl Paths {
    pub fn database(&self) -> PathBuf {
        database_in(&self.state)
    }

    pub fn plugins(&self) -> PathBuf {
        self.data.join("plugins")
    }

    /// The sandbox's own folder: its token, ledger, machines, and the state directory used with it.
    pub fn sandbox(&self) -> PathBuf {
        self.state.join("sandbox")
    }
}

/// The database of a state directory.
pub fn database_in(state: &Path) -> PathBuf {
    state.join("linodetool.db")
}
