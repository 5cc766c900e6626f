//! Pseudo-terminals. Owns: the pty pair and its size. Does not know who types.

use super::check;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use tokio::io::unix::AsyncFd;

/// The master's side of a terminal, non-blocking.
pub(crate) struct Terminal(OwnedFd);

impl Terminal {
    /// A new pair: the master, and the slave for the program.
    pub(crate) fn open() -> io::Result<(Self, OwnedFd)> {
        // Not openpty(3): we are alone with a devpts whose ptmx is ours.
        // SAFETY: constant paths; each descriptor is owned as soon as it is known to be one.
        unsafe {
            let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
            let m = OwnedFd::from_raw_fd(check(libc::open(c"/dev/ptmx".as_ptr(), flags | libc::O_NONBLOCK))?);
            let unlock: libc::c_int = 0;
            check(libc::ioctl(m.as_raw_fd(), libc::TIOCSPTLCK, &raw const unlock))?;
            let s = check(libc::ioctl(m.as_raw_fd(), libc::TIOCGPTPEER, flags))?;
            Ok((Self(m), OwnedFd::from_raw_fd(s)))
        }
    }

    /// To be waited for by the runtime.
    pub(crate) fn watched(self) -> io::Result<AsyncFd<Self>> {
        // SAFETY: it owns its descriptor and always answers the same one.
        unsafe { AsyncFd::register(self) }.map_err(io::Error::from)
    }

    pub(crate) fn resize(&self, columns: u32, rows: u32) {
        let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        let w = libc::winsize { ws_row: short(rows), ws_col: short(columns), ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: the kernel reads one struct. A failure only means that the program is gone.
        unsafe { libc::ioctl(self.0.as_raw_fd(), libc::TIOCSWINSZ, &raw const w) };
    }

    /// Reads what is there. A master whose slaves are all closed says EIO: that is its end.
    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        // SAFETY: pointer and length of one slice.
        match unsafe { libc::read(self.0.as_raw_fd(), buf.as_mut_ptr().cast(), buf.len()) } {
            n if n >= 0 => Ok(n as usize),
            _ => match io::Error::last_os_error() {
                e if e.raw_os_error() == Some(libc::EIO) => Ok(0),
                e => Err(e),
            },
        }
    }

    pub(crate) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        // SAFETY: pointer and length of one slice.
        match unsafe { libc::write(self.0.as_raw_fd(), buf.as_ptr().cast(), buf.len()) } {
            n if n >= 0 => Ok(n as usize),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl AsRawFd for Terminal {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}
