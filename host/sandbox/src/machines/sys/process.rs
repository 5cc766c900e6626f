//! Processes: signals, waiting, who they are, what they may.
//!
//! Owns: credentials and capabilities. Does not know why a process is to die.

use super::{c_string, check};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// kill(2); a negative number is a process group.
pub(crate) fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory involved.
    check(unsafe { libc::kill(pid, signal) }).map(drop)
}

/// Waits for one child of ours and answers its wait status.
pub(crate) fn wait_for(pid: i32) -> io::Result<i32> {
    loop {
        let mut status = 0;
        // SAFETY: the kernel writes one integer.
        match check(unsafe { libc::waitpid(pid, &raw mut status, 0) }) {
            Ok(_) => return Ok(status),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Returns when a child of ours has ended. Its pid stays its own until [`wait_for`].
pub(crate) fn see_end_of(pid: i32) {
    loop {
        // SAFETY: plain data, for which all zeros are a value.
        let mut told: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let flags = libc::WEXITED | libc::WNOWAIT;
        // SAFETY: the kernel writes one siginfo_t.
        match check(unsafe { libc::waitid(libc::P_PID, pid as libc::id_t, &raw mut told, flags) }) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            _ => return, // an error: there is no such child, which is the end too
        }
    }
}

/// The next child that has ended, if any: (pid, wait status). Does not block.
pub(crate) fn wait_for_any() -> Option<(i32, i32)> {
    let mut status = 0;
    // SAFETY: the kernel writes one integer.
    let pid = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    (pid > 0).then_some((pid, status))
}

pub(crate) fn effective_uid() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::geteuid() }
}

pub(crate) fn user_id() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::getuid() }
}

pub(crate) fn group_id() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::getgid() }
}

/// The session a process belongs to.
pub(crate) fn session_of(pid: i32) -> Option<i32> {
    // SAFETY: no memory involved.
    check(unsafe { libc::getsid(pid) }).ok()
}

/// The number of a network interface.
pub(crate) fn interface_index(name: &str) -> io::Result<u32> {
    // SAFETY: a C string that lives through the call.
    match unsafe { libc::if_nametoindex(c_string(name).as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        i => Ok(i),
    }
}

/// A socket that sends Ethernet frames. To be kept: closing one waits for a grace period of the whole kernel's.
pub(crate) fn frame_socket() -> io::Result<OwnedFd> {
    // SAFETY: no memory involved; the descriptor is owned as soon as it is known to be one.
    unsafe {
        check(libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0)).map(|s| OwnedFd::from_raw_fd(s))
    }
}

/// Sends an Ethernet frame with ARP in it from an interface to all on its link.
pub(crate) fn broadcast_arp(socket: &OwnedFd, index: u32, frame: &[u8]) -> io::Result<()> {
    let arp = (libc::ETH_P_ARP as u16).to_be();
    // SAFETY: all zeroes is a valid address.
    let mut to: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    (to.sll_family, to.sll_protocol, to.sll_ifindex, to.sll_halen) = (libc::AF_PACKET as u16, arp, index as i32, 6);
    to.sll_addr[..6].fill(0xff);
    let (size, to) = (size_of_val(&to) as libc::socklen_t, (&raw const to).cast());
    // SAFETY: pointers and lengths of one slice and one address that live through the call.
    let sent = unsafe { libc::sendto(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0, to, size) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub(crate) fn set_host_name(name: &str) -> io::Result<()> {
    // SAFETY: pointer and length of one slice.
    check(unsafe { libc::sethostname(name.as_ptr().cast(), name.len()) }).map(drop)
}

/// Takes a descriptor by the number it was passed under across exec.
///
/// The caller's contract with who started us: the number is open and nobody else's.
pub(crate) fn adopt_descriptor(fd: RawFd) -> io::Result<File> {
    close_on_exec(fd)?;
    // SAFETY: fcntl has just shown that it is open; it is ours by contract.
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn close_on_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: no memory involved; a number that is not open is an error.
    check(unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) }).map(drop)
}

/// Makes `to` (one of 0, 1, 2) what `from` is.
pub(crate) fn redirect(from: BorrowedFd<'_>, to: RawFd) -> io::Result<()> {
    // SAFETY: replaces a standard stream, which nobody here owns.
    check(unsafe { libc::dup2(from.as_raw_fd(), to) }).map(drop)
}

/// An exclusive lock on an open file; `false` where another has it.
pub(crate) fn try_lock(file: &OwnedFd) -> io::Result<bool> {
    // SAFETY: no memory involved.
    match check(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }) {
        Ok(_) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(e) => Err(e),
    }
}

/// Takes capabilities away from this process and all it will start.
pub(crate) fn drop_capabilities(which: &[u32]) -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    #[derive(Default)]
    struct Set {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    for c in which {
        // SAFETY: no memory involved.
        check(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, *c, 0, 0, 0) })?;
    }
    let mut header = Header { version: 0x2008_0522, pid: 0 };
    let mut sets = [Set::default(), Set::default()];
    // SAFETY: version 3 of the call reads one header and writes two sets.
    check(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, sets.as_mut_ptr()) } as i32)?;
    for c in which {
        let (set, bit) = (&mut sets[(c / 32) as usize], 1u32 << (c % 32));
        set.effective &= !bit;
        set.permitted &= !bit;
        set.inheritable &= !bit;
    }
    // SAFETY: as above, reading.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, sets.as_ptr()) } as i32).map(drop)
}

/// One resource limit, soft and hard the same; `None` is infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) resource: u32,
    pub(crate) value: Option<u64>,
}

/// What a command is to run as.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
    /// Its standard input is a terminal, which is to be its controlling one.
    pub(crate) terminal: bool,
    /// Entered after the change of user, `/` where that fails.
    pub(crate) folder: String,
    pub(crate) limits: Vec<Limit>,
    pub(crate) umask: Option<u32>,
}

impl Identity {
    /// Makes `cmd` run so, in a session of its own.
    pub(crate) fn apply(self, cmd: &mut Command) {
        // Not Command::current_dir: that happens earlier, as root, and fails if it is not there.
        let folder = c_string(&self.folder);
        // root as root is no change, and setgroups fails in a namespace of one user.
        let stays = effective_uid() == self.uid;
        let before_exec = move || {
            // SAFETY: between fork and exec only system calls are made, on memory copied before.
            unsafe {
                check(libc::setsid())?;
                if self.terminal {
                    check(libc::ioctl(0, libc::TIOCSCTTY, 0))?;
                }
                for l in &self.limits {
                    let v = l.value.unwrap_or(libc::RLIM_INFINITY);
                    if libc::setrlimit(l.resource as _, &libc::rlimit { rlim_cur: v, rlim_max: v }) != 0 {
                        // Without root's rights the hard limit is the most there is.
                        let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                        libc::getrlimit(l.resource as _, &raw mut now);
                        now.rlim_cur = now.rlim_max.min(v);
                        libc::setrlimit(l.resource as _, &raw const now);
                    }
                }
                if let Some(m) = self.umask {
                    libc::umask(m as _);
                }
                if !stays {
                    check(libc::setgroups(self.groups.len(), self.groups.as_ptr()))?;
                    check(libc::setresgid(self.gid, self.gid, self.gid))?;
                    check(libc::setresuid(self.uid, self.uid, self.uid))?;
                }
                if libc::chdir(folder.as_ptr()) != 0 {
                    libc::chdir(c"/".as_ptr());
                }
            }
            Ok(())
        };
        // SAFETY: the closure keeps to what is allowed after fork, see there.
        unsafe { cmd.pre_exec(before_exec) };
    }
}
