//! What we, the machine room and the machines' inits say to each other.
//!
//! Owns: requests, the room's and the inits' configuration, the plan of addresses, paths in the folder. Does not know who
//! carries them out.

use super::fail::{Because, Result};
use super::{MachineError, MachineSpec};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The first arguments by which our processes know their roles.
pub(crate) const ROOM: &str = "sandbox-machine-room";
pub(crate) const SFTP: &str = "sandbox-machine-sftp";

/// Where the room's own address lies, from which every dial comes: documentation's network, which is part of "anywhere"
/// in a firewall rule and of neither network of the machines.
pub(crate) const ROOM_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// Public addresses: the network for benchmarks (RFC 2544), which no real host has.
pub(crate) const PUBLIC: (Ipv4Addr, u8) = (Ipv4Addr::new(198, 18, 0, 0), 15);
/// Linode's private addresses.
pub(crate) const PRIVATE: (Ipv4Addr, u8) = (Ipv4Addr::new(192, 168, 128, 0), 17);

/// What a machine's init ends with after an orderly shutdown; anything else is an accident.
pub(crate) const EXIT_POWER_OFF: i32 = 16;
pub(crate) const EXIT_REBOOT: i32 = 17;

/// Whose rights the room has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Made by root: a user namespace with ids that nobody has, to which this computer's files are shown as root's.
    Mapped,
    /// Real root; machines get a bounding set.
    Root,
    /// A user namespace with a range of ids.
    Range,
    /// A user namespace with our own id alone, as root.
    Single,
}

impl Mode {
    /// Whether the owners of this computer's files have ids in a machine, so that the files can be copied up there.
    pub(crate) fn knows_owners(self) -> bool {
        matches!(self, Self::Mapped | Self::Root)
    }

    /// Whether the room is in a user namespace.
    pub(crate) fn has_own_users(self) -> bool {
        self != Self::Root
    }
}

/// A place in the room's own root, and what is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) at: PathBuf,
    pub(crate) what: What,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum What {
    /// The descriptor of a mount that is nowhere yet.
    Tree(i32),
    /// A symbolic link to there.
    Link(PathBuf),
}

/// How a room is to be; its argument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RoomConfig {
    pub(crate) dir: PathBuf,
    pub(crate) mode: Mode,
    /// Whose top-level directories machines show.
    pub(crate) base: PathBuf,
    /// What a root of the room's own has; none: it stays in this computer's.
    pub(crate) shown: Vec<Shown>,
    /// Our binary by its path, where it is to be shown at `DIR/bin` because it cannot be executed from there.
    pub(crate) exe: Option<PathBuf>,
    /// Descriptors: the folder's lock, held while the room lives; its log; where to say that it is ready.
    pub(crate) lock: i32,
    pub(crate) log: i32,
    pub(crate) ready: i32,
}

/// Which machine an init is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct InitConfig {
    pub(crate) id: u64,
    pub(crate) dir: PathBuf,
    pub(crate) mode: Mode,
    pub(crate) base: PathBuf,
}

/// One request to the room per connection: a line of JSON. The first byte of the answer is `K` (done) or `E` (why not).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    Boot(Box<MachineSpec>),
    PowerOff(u64),
    Delete(u64),
    /// Every machine and every disk: the room's last.
    DeleteAll,
    /// A ruleset for `nft`.
    Firewalls(String),
    /// A TCP connection inside, its descriptor with the `K`.
    Dial(SocketAddr),
    /// A line of JSON for each machine that ends by itself, until one of us ends.
    Watch,
}

/// The file-system name of a folder's socket, however long the folder's path is: a socket's has 107 bytes at most.
/// The open folder must live as long as the name is used.
pub(crate) fn room_socket(dir: &Path) -> io::Result<(std::fs::File, PathBuf)> {
    let folder = std::fs::File::open(dir)?;
    let name = PathBuf::from(format!("/proc/self/fd/{}/room.sock", folder.as_raw_fd()));
    Ok((folder, name))
}

/// A listener in the folder, in place of an earlier one.
pub(crate) fn listen(dir: &Path) -> Result<UnixListener> {
    let (_open, name) = room_socket(dir).because(|| format!("cannot open {}", dir.display()))?;
    match std::fs::remove_file(&name) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).because(|| format!("cannot remove {}/room.sock", dir.display()));
        }
        _ => {}
    }
    UnixListener::bind(&name).because(|| format!("cannot listen on {}/room.sock", dir.display()))
}

/// Connects to the room of a folder and states a request; the answer is yet to be read.
pub(crate) fn ask_room(dir: &Path, request: &Request) -> io::Result<UnixStream> {
    let (_open, name) = room_socket(dir)?;
    let mut s = UnixStream::connect(name)?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    s.write_all(&line)?;
    Ok(s)
}

/// Asks for a connection; the answer carries its descriptor.
pub(crate) fn ask_room_to_dial(dir: &Path, to: SocketAddr) -> io::Result<UnixStream> {
    ask_room(dir, &Request::Dial(to))
        .map_err(|e| io::Error::new(e.kind(), format!("the machine room of {} does not answer: {e}", dir.display())))
}

/// Asks and waits for the whole answer.
pub(crate) fn call(dir: &Path, request: &Request) -> Result<String> {
    let mut s = ask_room(dir, request).because(|| format!("the machine room of {} does not answer", dir.display()))?;
    let mut answer = String::new();
    s.read_to_string(&mut answer).because(|| "the machine room hung up")?;
    read_answer(&answer)
}

/// What comes after the `K`, or the reason after the `E`.
pub(crate) fn read_answer(answer: &str) -> Result<String> {
    match answer.split_at_checked(1) {
        Some(("K", text)) => Ok(text.trim_end().to_owned()),
        Some(("E", why)) => Err(MachineError(why.trim_end().to_owned())),
        _ => Err(MachineError("the machine room died before it answered".to_owned())),
    }
}

/// The name of a machine's port on the bridge.
pub(crate) fn port(id: u64) -> Result<String> {
    // An interface's name has 15 bytes.
    if id >= 100_000_000_000_000 {
        super::fail::fail(format!("the id {id} is too large for a machine: 14 digits at most"))
    } else {
        Ok(format!("m{id}"))
    }
}

/// The folder of a machine's disk.
pub(crate) fn disk(dir: &Path, id: u64) -> PathBuf {
    dir.join("disks").join(id.to_string())
}
