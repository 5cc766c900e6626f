//! What is done on simulated machines and what comes of it: the JSON of `POST /sandbox/nodes/act`.
//!
//! Owns: the words. Does not know who asks, nor what a machine remembers (`machines/simulated`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One thing to do on the machine that has this address, public or private.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub address: String,
    #[serde(flatten)]
    pub act: Act,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Act {
    /// Log in.
    Connect,
    /// A command that lives with its connection; nothing is kept but that it ran.
    Exec { command: String },
    /// A command with a record of its own in `place`, begun at most once.
    Run(Box<Command>),
    /// What the record in `place` says.
    Inspect { place: String },
    /// Ends what runs there.
    Stop { place: String },
    /// Removes the record of a command that was cut; any other stays.
    Forget { place: String },
    /// Brings a thing into a state.
    Apply(Box<Wish>),
    /// Puts a file there, of which digest and size are known, and the content if it is short.
    Write { path: String, file: File },
    /// What lies at a path.
    Look { path: String },
    /// Fetches a file from another machine.
    Copy { from: String, path: String, dest: String },
    /// What the machine is.
    Facts,
    /// Whether a port of a host takes connections, as the machine sees it.
    Port { host: String, port: u16 },
}

/// A command with a record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    pub place: String,
    pub command: String,
    /// It is not begun if this path exists; otherwise the path exists when it has ended without being cut.
    pub creates: Option<String>,
    /// What it writes.
    pub output: String,
    /// How long it takes, where that is known.
    pub takes_ms: Option<u64>,
}

/// A thing and the state it is to be in. What is not among the settings may be as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wish {
    /// `file`, `package`, `service`, ...
    pub kind: String,
    /// A path, a user's name, ...
    pub name: String,
    pub settings: BTreeMap<String, String>,
    /// It must not be there.
    pub absent: bool,
    /// Restart it if it runs.
    pub restart: bool,
    /// What came of it is kept here, and answers whoever asks again.
    pub place: Option<String>,
    /// Bytes that it puts on the disk, where that is known.
    pub size: u64,
}

/// A file by what is known of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct File {
    /// SHA-256; none of a file that a command has made.
    pub digest: Option<String>,
    pub size: u64,
    /// Of short files.
    pub content: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Acted {
    /// How long it takes on such a machine: the caller lets that much time pass.
    pub takes_ms: u64,
    #[serde(flatten)]
    pub what: What,
}

/// The answer proper.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum What {
    /// There is no machine with that address, or it does not run.
    Unreachable {
        why: String,
    },
    Done,
    Applied {
        changed: bool,
        detail: String,
    },
    /// Of a record: `left_ms` until it ends.
    Running {
        left_ms: u64,
    },
    Exited {
        code: i32,
        output: String,
    },
    Skipped,
    Interrupted,
    /// The connection was cut before the answer: what was begun goes on.
    Lost,
    /// The disk has no room for it.
    Full,
    /// No record, no file.
    Absent,
    File(File),
    Directory,
    Facts(Facts),
    Port {
        open: bool,
    },
}

/// What a machine says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    pub hostname: String,
    /// `linode/debian12`
    pub image: String,
    pub cpus: u64,
    pub memory_mb: u64,
    pub disk_mb: u64,
    /// Another one after each boot.
    pub boots: u64,
}
