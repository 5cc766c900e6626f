//! The way into the machines from outside: connections that the machine room opens and passes on.
//!
//! Owns: `dial` and the ProxyCommand. Does not know SSH or what answers.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

#[cfg(target_os = "linux")]
pub use linux::{dial, proxy};

#[cfg(target_os = "linux")]
mod linux {
    use super::{Path, SocketAddr, TcpStream, io};
    use crate::machines::role::{ask_room_to_dial, copy, receive, send};
    use std::io::{Read, Write};
    use std::net::Shutdown;
    use std::os::fd::AsFd;

    /// Connects to a machine's address. The room of `dir` opens the connection inside and passes its descriptor:
    /// nothing relays, the socket is as good as a local one.
    pub fn dial(dir: &Path, addr: SocketAddr) -> io::Result<TcpStream> {
        let mut s = ask_room_to_dial(dir, addr)?;
        match receive(s.as_fd())? {
            Some((b'K', Some(fd))) => Ok(fd.into()),
            Some(_) => {
                let mut why = String::new();
                s.read_to_string(&mut why)?;
                Err(io::Error::new(io::ErrorKind::ConnectionRefused, why.trim_end().to_owned()))
            }
            None => Err(io::Error::new(io::ErrorKind::ConnectionReset, "the machine room hung up")),
        }
    }

    /// For `ssh` as ProxyCommand: connects standard input and output to `addr`; with `fdpass` (ssh's `ProxyUseFdpass
    /// yes`) passes the connection itself through standard output and returns at once.
    pub fn proxy(dir: &Path, addr: SocketAddr, fdpass: bool) -> io::Result<()> {
        let t = dial(dir, addr)?;
        if fdpass {
            return send(io::stdout().as_fd(), 0, t.as_fd());
        }
        let up = t.try_clone()?;
        std::thread::spawn(move || {
            let _ = copy(io::stdin().lock(), &up);
            let _ = up.shutdown(Shutdown::Write);
        });
        // Not io::stdout(): it waits for the end of a line.
        let mut out = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
        copy(&t, &mut out)?;
        out.flush()
    }
}

/// There are no machines but on Linux.
#[cfg(not(target_os = "linux"))]
pub fn dial(_: &Path, _: SocketAddr) -> io::Result<TcpStream> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "sandbox machines need Linux"))
}

/// There are no machines but on Linux.
#[cfg(not(target_os = "linux"))]
pub fn proxy(dir: &Path, addr: SocketAddr, _: bool) -> io::Result<()> {
    dial(dir, addr).map(drop)
}
