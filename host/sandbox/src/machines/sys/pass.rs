//! Passing an open descriptor over a Unix socket. Owns: SCM_RIGHTS. Does not know what the descriptor is.

use std::io;
use std::mem::size_of_val;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// Sends one byte and, with it, a descriptor.
pub(crate) fn send(socket: BorrowedFd<'_>, byte: u8, passed: BorrowedFd<'_>) -> io::Result<()> {
    let mut b = [byte];
    let mut iov = libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 1 };
    let mut space = [0u64; 4];
    // SAFETY: the message points at locals that outlive the call; `space` is aligned and roomy enough for one
    // descriptor, so the first header exists.
    let sent = unsafe {
        let mut m: libc::msghdr = std::mem::zeroed();
        m.msg_iov = &raw mut iov;
        m.msg_iovlen = 1;
        m.msg_control = space.as_mut_ptr().cast();
        m.msg_controllen = libc::CMSG_SPACE(4) as _;
        let c = libc::CMSG_FIRSTHDR(&raw const m);
        (*c).cmsg_level = libc::SOL_SOCKET;
        (*c).cmsg_type = libc::SCM_RIGHTS;
        (*c).cmsg_len = libc::CMSG_LEN(4) as _;
        ptr::write_unaligned(libc::CMSG_DATA(c).cast::<RawFd>(), passed.as_raw_fd());
        libc::sendmsg(socket.as_raw_fd(), &raw const m, libc::MSG_NOSIGNAL)
    };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Receives one byte and, perhaps, a descriptor with it. `None`: the other side hung up.
pub(crate) fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<(u8, Option<OwnedFd>)>> {
    let mut b = [0u8];
    let mut iov = libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 1 };
    let mut space = [0u64; 4];
    // SAFETY: as in `send`; a header that the kernel wrote with SCM_RIGHTS holds a descriptor that is ours now.
    unsafe {
        let mut m: libc::msghdr = std::mem::zeroed();
        m.msg_iov = &raw mut iov;
        m.msg_iovlen = 1;
        m.msg_control = space.as_mut_ptr().cast();
        m.msg_controllen = size_of_val(&space) as _;
        let n = libc::recvmsg(socket.as_raw_fd(), &raw mut m, libc::MSG_CMSG_CLOEXEC);
        if n < 0 {
            return Err(io::Error::last_os_error());
        }
        if n == 0 {
            return Ok(None);
        }
        let c = libc::CMSG_FIRSTHDR(&raw const m);
        let fd = (!c.is_null() && (*c).cmsg_type == libc::SCM_RIGHTS)
            .then(|| OwnedFd::from_raw_fd(ptr::read_unaligned(libc::CMSG_DATA(c).cast::<RawFd>())));
        Ok(Some((b[0], fd)))
    }
}
