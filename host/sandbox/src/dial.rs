//! The way into the machines from outside: connections that the machine room opens and passes on.
//!
//! Owns: `dial` and the ProxyCommand. Does not know SSH or what answers.

use crate::machines::ask_room_to_dial;
use crate::machines::role::{copy, receive, send};
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::path::Path;

/// Connects to a machine's address. The room of `dir` opens the connection inside and passes its descriptor: nothing
/// relays, the socket is as good as a local one.
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

/// For `ssh` as ProxyCommand: connects standard input and output to `addr`; with `fdpass` (ssh's `ProxyUseFdpass yes`)
/// passes the connection itself through standard output and returns at once.
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
