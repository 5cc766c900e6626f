//! Where the machines' inits come from: a copy of the room, made before it had threads, that clones itself for each.
//!
//! Owns: that process and its one socket. Does not know what an init does. To execute a large program anew costs more
//! than the rest of a machine's start: its relocations, its pages, the C library's questions to the processor, which a
//! hypervisor answers.
//!
//! A machine of a room in a user namespace is in one of its own below, with the same ids: its root has no right to
//! anything of the room's, nor of another machine's.

use super::protocol::InitConfig;
use super::{ids, init, sys};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, PoisonError};

/// The room's side.
pub(crate) struct Nursery(Mutex<UnixStream>);

impl Nursery {
    /// To be called while the room has one thread, no secret and no random numbers, all of which its copies would share.
    pub(crate) fn open() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        if sys::fork()? {
            return Ok(Self(Mutex::new(ours)));
        }
        let served = sys::close_all_but(OwnedFd::from(theirs)).and_then(|s| serve(&UnixStream::from(s)));
        sys::exit(i32::from(served.is_err()))
    }

    /// Starts an init, as a child of the room; answers its pid. `go` and `ready` are its pipes.
    pub(crate) fn bear(&self, config: &InitConfig, go: BorrowedFd<'_>, ready: BorrowedFd<'_>) -> io::Result<i32> {
        let mut line = serde_json::to_vec(config)?;
        line.push(b'\n');
        let socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut s = &*socket;
        sys::send(s.as_fd(), b'g', go)?;
        sys::send(s.as_fd(), b'r', ready)?;
        s.write_all(&line)?;
        let mut answer = [0; 4];
        s.read_exact(&mut answer)?;
        match i32::from_ne_bytes(answer) {
            pid if pid > 0 => Ok(pid),
            error => Err(io::Error::from_raw_os_error(-error)),
        }
    }
}

/// The copy's life: an init for each request, until the room is gone.
fn serve(room: &UnixStream) -> io::Result<()> {
    loop {
        let Some((_, go)) = sys::receive(room.as_fd())? else { return Ok(()) };
        let ready = sys::receive(room.as_fd())?.and_then(|r| r.1);
        let (Some(go), Some(ready)) = (go, ready) else { return Err(io::ErrorKind::InvalidData.into()) };
        let mut line = String::new();
        // Nothing of the next request is read along: it comes after the answer to this one.
        BufReader::with_capacity(4096, room).read_line(&mut line)?;
        let config: InitConfig = serde_json::from_str(&line)?;
        let own_users = if config.mode.has_own_users() { libc::CLONE_NEWUSER } else { 0 };
        let (known, tell) = sys::pipe()?;
        let answer = match sys::clone_sibling(sys::MACHINE | own_users) {
            Ok(None) => {
                drop(tell);
                // The end instead of a byte: init says what it has to do without.
                let known = File::from(known).read_exact(&mut [0]).is_ok();
                let code = match sys::close_all_but_two(go, ready) {
                    Ok((go, ready)) if known => init::run(&config, File::from(go), File::from(ready)),
                    Ok((_, ready)) => init::refuse(File::from(ready), "its user namespace was not made"),
                    Err(_) => 1,
                };
                sys::exit(code)
            }
            Ok(Some(pid)) => {
                if own_users == 0 || ids::map_as_here(pid).is_ok() {
                    let _ = File::from(tell).write_all(b"k"); // broken: it has died, which the room notices
                }
                pid
            }
            Err(e) => -e.raw_os_error().unwrap_or(libc::EIO),
        };
        let mut s = room;
        s.write_all(&answer.to_ne_bytes())?;
    }
}
