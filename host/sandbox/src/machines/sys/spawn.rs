//! Starting this very binary again in namespaces of its own.
//!
//! Owns: clone(2) and what may be done between it and exec. Does not know which role the new process plays.

use super::{c_string, check};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
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
            // Not the C library's calls: those ask all threads, for which they take a lock that another thread may
            // have held at the clone.
            if s.flags & libc::CLONE_NEWUSER != 0 {
                libc::syscall(libc::SYS_setresgid, 0, 0, 0);
                libc::syscall(libc::SYS_setresuid, 0, 0, 0);
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

/// The namespaces of a machine.
pub(crate) const MACHINE: libc::c_int =
    libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET;

/// A copy of this process, which has one thread; `true` in the original.
pub(crate) fn fork() -> io::Result<bool> {
    // SAFETY: by the caller's contract no other thread holds a lock that the copy would find locked for ever.
    check(unsafe { libc::fork() }).map(|pid| pid != 0)
}

/// A copy of this process, which has one thread, in namespaces of its own and as a child of this one's parent: `None` in
/// the copy, its pid in the original.
pub(crate) fn clone_sibling(flags: libc::c_int) -> io::Result<Option<libc::pid_t>> {
    let mut flags = libc::c_long::from(flags | libc::CLONE_PARENT | libc::SIGCHLD);
    // The C library keeps a thread's number, and its own fork has the kernel correct it at this very place.
    let mut number: libc::c_ulong = 0;
    // SAFETY: the kernel writes one address.
    if unsafe { libc::prctl(libc::PR_GET_TID_ADDRESS, &raw mut number) } == 0 && number != 0 {
        flags |= libc::c_long::from(libc::CLONE_CHILD_SETTID | libc::CLONE_CHILD_CLEARTID);
    }
    // SAFETY: without CLONE_VM this is a fork: the copy has its own memory, and by the caller's contract nobody held a
    // lock in it. The number's place is what the C library told the kernel at the start. x86-64 and aarch64 differ in the
    // order of the last two arguments.
    let pid = unsafe {
        #[cfg(target_arch = "x86_64")]
        let pid = libc::syscall(libc::SYS_clone, flags, 0, 0, number, 0);
        #[cfg(not(target_arch = "x86_64"))]
        let pid = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, number);
        pid
    };
    match pid {
        0 => Ok(None),
        p if p > 0 => Ok(Some(p as libc::pid_t)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Closes every descriptor but the standard streams and this one, whose number changes.
pub(crate) fn close_all_but(kept: OwnedFd) -> io::Result<OwnedFd> {
    // Out of the way of the number it is to have.
    let high = copy_from(&kept, 10)?;
    std::mem::forget(kept);
    // SAFETY: nobody uses the other descriptors any more, by the caller's contract: it is a copy that begins anew.
    unsafe {
        check(libc::dup3(high, 3, libc::O_CLOEXEC))?;
        check(libc::syscall(libc::SYS_close_range, 4, u32::MAX, 0) as libc::c_int)?;
        Ok(OwnedFd::from_raw_fd(3))
    }
}

/// As [`close_all_but`], for two.
pub(crate) fn close_all_but_two(a: OwnedFd, b: OwnedFd) -> io::Result<(OwnedFd, OwnedFd)> {
    let (high_a, high_b) = (copy_from(&a, 10)?, copy_from(&b, 10)?);
    std::mem::forget((a, b));
    // SAFETY: as above.
    unsafe {
        check(libc::dup3(high_a, 3, libc::O_CLOEXEC))?;
        check(libc::dup3(high_b, 4, libc::O_CLOEXEC))?;
        check(libc::syscall(libc::SYS_close_range, 5, u32::MAX, 0) as libc::c_int)?;
        Ok((OwnedFd::from_raw_fd(3), OwnedFd::from_raw_fd(4)))
    }
}

/// A copy with a number not below `least`; it closes with the others.
fn copy_from(fd: &OwnedFd, least: RawFd) -> io::Result<RawFd> {
    // SAFETY: no memory involved.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) })
}

/// The end of a copy, without what the original has registered for its own.
pub(crate) fn exit(code: libc::c_int) -> ! {
    // SAFETY: cannot fail.
    unsafe { libc::_exit(code) }
}

/// This binary, to be executed again even if its path is replaced meanwhile.
pub(crate) fn open_self() -> io::Result<OwnedFd> {
    // SAFETY: a constant path; the descriptor is ours.
    unsafe {
        check(libc::open(c"/proc/self/exe".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC))
            .map(|fd| OwnedFd::from_raw_fd(fd))
    }
}
