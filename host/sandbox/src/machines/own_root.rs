//! A room's own root, where the room is in a user namespace that root made.
//!
//! Owns: that root: this computer's programs, read-only and shown as of the room's users, and the folder of the machines.
//! Nobody's home is in it, and no folder above ours needs to let us pass. Does not know who opened those mounts; see
//! `start.rs`.

use super::fail::{Because, Result};
use super::protocol::{Shown, What};
use super::{rootfs, sys};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// Where the new root is made; every system has it, and everybody may pass.
const PLACE: &str = "/tmp";

/// Makes all of it and moves there. We are alone in a new mount namespace.
pub(crate) fn enter(shown: &[Shown]) -> Result<()> {
    let root = Path::new(PLACE);
    sys::mount("room", root, "tmpfs", libc::MS_NOSUID, "mode=755,size=1m")
        .because(|| "cannot mount the room's root")?;
    for s in shown {
        let at = root.join(s.at.strip_prefix("/").unwrap_or(&s.at));
        let cannot = || format!("cannot show {} to the machine room", s.at.display());
        fs::create_dir_all(at.parent().unwrap_or(root)).because(cannot)?;
        match &s.what {
            What::Link(to) => symlink(to, &at).because(cannot)?,
            What::Tree(fd) => {
                let tree = sys::adopt_descriptor(*fd).because(cannot)?;
                if !at.exists() {
                    fs::create_dir(&at).because(cannot)?;
                }
                sys::attach(&tree, &at).because(cannot)?;
            }
        }
    }
    for name in ["proc", "sys", "dev"] {
        fs::create_dir_all(root.join(name)).because(|| format!("cannot make the room's /{name}"))?;
    }
    // Before the old one goes: the kernel gives a new /proc to those who see one.
    proc(&root.join("proc"))?;
    sys::bind("/sys", root.join("sys")).because(|| "cannot show /sys to the machine room")?;
    rootfs::nodes(&root.join("dev"))?;
    sys::pivot(root).because(|| "cannot move to the room's root")
}

/// A /proc of this pid namespace.
pub(crate) fn proc(at: &Path) -> Result<()> {
    sys::mount("proc", at, "proc", libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC, "")
        .because(|| "cannot mount /proc")
}
