//! Starting this very binary again in namespaces of its own.
//!
//! Owns: clone(2) and what may be done between it and exec. Does not know which role the new process plays.

use super::{c_string, check};
use std::ffi::CString;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// What the new process is to be.
pub(crate) struct Spawn<'a> {
    /// `CLONE_NEW*`.
    pub(crate) flags: libc::c_int,
    /// An open file of the binary: a path may be gone or hidden in the child.
    pub(crate) exe: RawFd,
    pub(crate) argv: &'a [String],
    /// Descriptors that stay open, under the same number; all others close.
    pub(crate) keep: &'a [RawFd],
    /// Die (SIGKILL) with the *thread* that calls [`spawn`].
    pub(crate) die_with_thread: bool,
    /// Wait for one byte on this pipe before exec; its end means that the parent is gone.
    pub(crate) go: Option<RawFd>,
}

/// clone(2) and execveat(2); answers the child's pid.
pub(crate) fn spawn(s: &Spawn<'_>) -> io::Result<libc::pid_t> {
    let argv: Vec<CString> = s.argv.iter().map(c_string).collect();
    let argp: Vec<_> = argv.iter().map(|a| a.as_ptr()).chain([ptr::null()]).collect();
    let envp = [c"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".as_ptr(), ptr::null()];
    // SAFETY: without CLONE_VM this is a fork: the child has its own copy of all memory. It runs nothing but system
    // calls until it has exec'ed, so locks that other threads held do not matter.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::c_long::from(s.flags | libc::SIGCHLD), 0, 0, 0, 0) };
    if pid == 0 {
        // SAFETY: we are the child, alone in our memory; all pointers were made before the clone and live on.
        unsafe { child(s, &argp, &envp) }
    }
    if pid < 0 { Err(io::Error::last_os_error()) } else { Ok(pid as libc::pid_t) }
}

/// # Safety
/// Only in a freshly cloned child; `argv` and `env` end with null pointers.
unsafe fn child(s: &Spawn<'_>, argv: &[*const libc::c_char], env: &[*const libc::c_char]) -> ! {
    // SAFETY: plain system calls on memory of our own; exit codes 101 and up tell where it ended.
    unsafe {
        let mut none: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut none);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut());
        if let Some(go) = s.go {
            let mut b = 0u8;
            if libc::read(go, (&raw mut b).cast(), 1) != 1 {
                libc::_exit(101);
            }
            // In a new user namespace we are nobody until the maps are written; the change of credentials must come
            // before PR_SET_PDEATHSIG, which it clears.
            if s.flags & libc::CLONE_NEWUSER != 0 {
                libc::setresgid(0, 0, 0);
                libc::setresuid(0, 0, 0);
            }
        }
        if s.die_with_thread {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            // The parent may have died in between: it then no longer holds the pipe.
            if let Some(go) = s.go {
                let mut p = libc::pollfd { fd: go, events: 0, revents: 0 };
                libc::poll(&raw mut p, 1, 0);
                if p.revents & libc::POLLHUP != 0 {
                    libc::_exit(102);
                }
            }
        }
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        for &fd in s.keep {
            libc::fcntl(fd, libc::F_SETFD, 0);
        }
        libc::syscall(libc::SYS_execveat, s.exe, c"".as_ptr(), argv.as_ptr(), env.as_ptr(), libc::AT_EMPTY_PATH);
        libc::_exit(127)
    }
}

/// This binary, to be executed again even if its path is replaced meanwhile.
pub(crate) fn open_self() -> io::Result<OwnedFd> {
    // SAFETY: a constant path; the descriptor is ours.
    unsafe {
        check(libc::open(c"/proc/self/exe".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC))
            .map(|fd| OwnedFd::from_raw_fd(fd))
    }
}
