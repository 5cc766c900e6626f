//! The few system calls std has no name for.
//!
//! Owns: all `unsafe` of the machines: clone into namespaces, mounts, descriptor passing, credentials, terminals. Does
//! not know what a machine is.
#![allow(unsafe_code)]

mod mounts;
mod pass;
mod process;
mod spawn;
mod terminal;

pub(crate) use mounts::{
    attach, bind, bind_flat, is_no_exec, mount, open_below, open_tree, pivot, remount_read_only, set_attribute,
    show_to, unmount,
};
pub(crate) use pass::{receive, send};
pub(crate) use process::{
    Identity, Limit, adopt_descriptor, broadcast_arp, drop_capabilities, effective_uid, frame_socket, group_id,
    interface_index, kill, redirect, see_end_of, session_of, set_host_name, try_lock, user_id, wait_for, wait_for_any,
};
pub(crate) use spawn::{MACHINE, Spawn, clone_sibling, close_all_but, close_all_but_two, exit, fork, open_self, spawn};
pub(crate) use terminal::Terminal;

use std::ffi::{CString, OsStr};
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

/// The result of a system call that answers a negative number on error.
fn check(r: libc::c_int) -> io::Result<libc::c_int> {
    if r < 0 { Err(io::Error::last_os_error()) } else { Ok(r) }
}

/// A C string; what follows a NUL is cut off, which no path of ours has.
fn c_string(s: impl AsRef<OsStr>) -> CString {
    let bytes = s.as_ref().as_bytes();
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    CString::new(&bytes[..end]).unwrap_or_default()
}

/// A pipe, (read, write); both ends close on exec.
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut p = [0; 2];
    // SAFETY: the kernel writes two descriptors into an array of two.
    check(unsafe { libc::pipe2(p.as_mut_ptr(), libc::O_CLOEXEC) })?;
    // SAFETY: both were made just now and belong to nobody else.
    Ok(unsafe { (OwnedFd::from_raw_fd(p[0]), OwnedFd::from_raw_fd(p[1])) })
}

/// Reads until the end and writes it all. Not `std::io::copy`: that is splice(2) where one side is a pipe, and a splice
/// that waits for a socket holds the pipe's lock, so that whoever polls the other end sleeps in the kernel, unkillable.
pub(crate) fn copy(mut from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut b = [0u8; 32 << 10];
    loop {
        match from.read(&mut b) {
            Ok(0) => return Ok(()),
            Ok(n) => to.write_all(&b[..n])?,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
