//! Mounting. Owns: mount(2) and its kin. Does not know what is mounted where.

use super::{c_string, check};
use std::io;
use std::path::Path;

/// `mount -t KIND -o DATA SOURCE TARGET`, the error with all of that in it.
pub(crate) fn mount(
    source: &str,
    target: impl AsRef<Path>,
    kind: &str,
    flags: libc::c_ulong,
    data: &str,
) -> io::Result<()> {
    let target = target.as_ref();
    let (s, t, k, d) = (c_string(source), c_string(target), c_string(kind), c_string(data));
    // SAFETY: four C strings that live through the call.
    check(unsafe { libc::mount(s.as_ptr(), t.as_ptr(), k.as_ptr(), flags, d.as_ptr().cast()) }).map(drop).map_err(|e| {
        io::Error::new(e.kind(), format!("mount -t {kind} -o '{data}' {source} {}: {e}", target.display()))
    })
}

/// The same files at two places, mounts below included.
pub(crate) fn bind(source: impl AsRef<Path>, target: impl AsRef<Path>) -> io::Result<()> {
    mount(&source.as_ref().to_string_lossy(), target, "none", libc::MS_BIND | libc::MS_REC, "")
}

/// As [`bind`], without mounts below.
pub(crate) fn bind_flat(source: impl AsRef<Path>, target: impl AsRef<Path>) -> io::Result<()> {
    mount(&source.as_ref().to_string_lossy(), target, "none", libc::MS_BIND, "")
}

/// Makes a bind mount of /proc read-only. The flags are those /proc was mounted with: a user namespace may not drop one.
pub(crate) fn remount_read_only(target: impl AsRef<Path>) -> io::Result<()> {
    let flags = libc::MS_BIND | libc::MS_REMOUNT | libc::MS_RDONLY | libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    mount("none", target, "none", flags, "")
}

/// Whether nothing may be executed on the file system of a folder.
pub(crate) fn is_no_exec(folder: &Path) -> io::Result<bool> {
    let path = c_string(folder);
    // SAFETY: all zeroes is a valid value of it.
    let mut fs: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a C string and a struct that live through the call.
    check(unsafe { libc::statvfs(path.as_ptr(), &raw mut fs) })?;
    Ok(fs.f_flag & libc::ST_NOEXEC != 0)
}

/// Takes a mount away, now from the tree and for good when its last user is gone.
pub(crate) fn unmount(target: impl AsRef<Path>) -> io::Result<()> {
    let t = c_string(target.as_ref());
    // SAFETY: a C string that lives through the call.
    check(unsafe { libc::umount2(t.as_ptr(), libc::MNT_DETACH) }).map(drop)
}

/// pivot_root onto `root`, and away with the old root.
pub(crate) fn pivot(root: &Path) -> io::Result<()> {
    std::env::set_current_dir(root)?;
    // SAFETY: constant paths. Both the same: the old root then lies on top of the new one and is detached by the next call.
    check(unsafe { libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr()) } as libc::c_int)?;
    unmount(".")?;
    std::env::set_current_dir("/")
}

/// Sets an extended attribute to one letter: overlayfs' way of marking directories.
pub(crate) fn set_attribute(path: &Path, name: &str, value: &[u8]) -> io::Result<()> {
    let (p, n) = (c_string(path), c_string(name));
    // SAFETY: C strings and a slice that live through the call.
    check(unsafe { libc::lsetxattr(p.as_ptr(), n.as_ptr(), value.as_ptr().cast(), value.len(), 0) }).map(drop)
}
