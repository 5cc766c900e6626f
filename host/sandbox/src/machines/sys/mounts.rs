//! Mounting. Owns: mount(2) and its kin. Does not know what is mounted where.

use super::{c_string, check};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

// From linux/mount.h; the libc crate has only the calls' numbers.
const OPEN_TREE_CLONE: libc::c_uint = 1;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_uint = 4;
const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_IDMAP: u64 = 0x10_0000;

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

/// The files at a path, without mounts below, as a mount that is nowhere yet.
pub(crate) fn open_tree(path: &Path) -> io::Result<OwnedFd> {
    let p = c_string(path);
    let flags = OPEN_TREE_CLONE | libc::O_CLOEXEC as libc::c_uint;
    // SAFETY: a C string that lives through the call; the descriptor is owned as soon as it is known to be one.
    unsafe {
        check(libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, p.as_ptr(), flags) as libc::c_int)
            .map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// What lies at a path inside a folder for somebody whose root the folder is.
pub(crate) fn open_below(folder: &Path, path: &Path) -> io::Result<OwnedFd> {
    let (folder, p) = (File::open(folder)?, c_string(path));
    // SAFETY: all zeroes is a valid value of it.
    let mut how: libc::open_how = unsafe { std::mem::zeroed() };
    (how.flags, how.resolve) = ((libc::O_PATH | libc::O_CLOEXEC) as u64, libc::RESOLVE_IN_ROOT);
    let (fd, size) = (folder.as_raw_fd(), size_of::<libc::open_how>());
    // SAFETY: a C string and a struct, with its size, that live through the call; the descriptor is owned as soon as it
    // is known to be one.
    unsafe {
        check(libc::syscall(libc::SYS_openat2, fd, p.as_ptr(), &raw const how, size) as libc::c_int)
            .map(|fd| OwnedFd::from_raw_fd(fd))
    }
}

/// Makes a mount that is nowhere yet read-only, and shows its files as those of the same ids in a user namespace.
pub(crate) fn show_to(tree: &OwnedFd, users: &File) -> io::Result<()> {
    #[repr(C)]
    struct Attributes {
        set: u64,
        clear: u64,
        propagation: u64,
        users: u64,
    }
    let users = users.as_raw_fd() as u64;
    let a = Attributes { set: MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, users };
    let (fd, flags) = (tree.as_raw_fd(), libc::AT_EMPTY_PATH);
    // SAFETY: a constant path and one struct, with its size, that live through the call.
    let r = unsafe {
        libc::syscall(libc::SYS_mount_setattr, fd, c"".as_ptr(), flags, &raw const a, size_of::<Attributes>())
    };
    check(r as libc::c_int).map(drop)
}

/// Puts a mount that is nowhere yet at its place.
pub(crate) fn attach(tree: &impl AsRawFd, target: &Path) -> io::Result<()> {
    let (t, from) = (c_string(target), tree.as_raw_fd());
    let flags = MOVE_MOUNT_F_EMPTY_PATH;
    // SAFETY: C strings that live through the call.
    let r = unsafe { libc::syscall(libc::SYS_move_mount, from, c"".as_ptr(), libc::AT_FDCWD, t.as_ptr(), flags) };
    check(r as libc::c_int).map(drop)
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
