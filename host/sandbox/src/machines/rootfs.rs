//! A machine's file system: this computer's own programs, copy-on-write, and a private rest.
//!
//! Owns: the mounts of a machine and what its disk holds when it is new. Does not know who made the layer in between.
//!
//! One overlay per top-level directory, as root and in a user namespace alike: an overlay over `/` itself fails in a
//! user namespace (its submounts are locked), and would show this computer's odd corners.

use super::fail::{Because, Result, fail};
use super::layer::{SETTINGS, make_dir};
use super::protocol::{InitConfig, Mode, RoomConfig, disk};
use super::{layer, program, sys};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Top-level directories that start empty and are part of the disk.
const OWN: [(&str, u32); 5] = [("root", 0o700), ("home", 0o755), ("srv", 0o755), ("mnt", 0o755), ("media", 0o755)];
/// Where our own things are inside a machine: a name that no package owns.
pub(crate) const OURS: &str = "/run/linodetool";
pub(crate) const BINARY: &str = "/run/linodetool/linodetool";
/// Programs of a real system that are shims of ours in a machine.
const SHIMS: [&str; 7] = ["systemctl", "journalctl", "cloud-init", "poweroff", "reboot", "halt", "shutdown"];

/// Mounts everything and makes it `/`. We are alone in a new mount namespace.
pub(crate) fn enter(m: &InitConfig) -> Result<()> {
    let disk = disk(&m.dir, m.id);
    let root = disk.join("root");
    // The marker counts once it has a byte: a machine killed while its disk was being made starts again.
    let fresh = !fs::read(disk.join("formatted")).is_ok_and(|b| !b.is_empty());
    make_dir(&disk, 0o700)?;
    for d in ["root", "own", "upper", "work"] {
        make_dir(&disk.join(d), 0o755)?;
    }
    sys::mount("root", &root, "tmpfs", libc::MS_NOSUID, "mode=755,size=1m").because(|| "cannot mount the root")?;
    for name in layer::names(&m.base)? {
        shared(m, &disk, &root, &name).because(|| format!("cannot mount /{name}"))?;
    }
    for (name, mode) in OWN {
        let own = disk.join("own").join(name);
        make_dir(&own, mode)?;
        make_dir(&root.join(name), mode)?;
        sys::bind(&own, root.join(name)).because(|| format!("cannot mount /{name}"))?;
    }
    for (name, options) in [("tmp", "mode=1777"), ("run", "mode=755")] {
        make_dir(&root.join(name), 0o755)?;
        sys::mount("tmpfs", root.join(name), "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, options)
            .because(|| format!("cannot mount /{name}"))?;
    }
    kernel_views(m, &root)?;
    devices(&root.join("dev"))?;

    program::show(m, &root)?;

    // The disk's path is about to go: keep the marker open.
    let mut mark =
        fs::File::create(disk.join("formatted")).because(|| format!("cannot write {}/formatted", disk.display()))?;
    sys::pivot(&root).because(|| "cannot make the machine's files its root")?;
    if fresh {
        format()?;
    }
    mark.write_all(b"1").because(|| "cannot mark the disk as made")
}

fn shared(m: &InitConfig, disk: &Path, root: &Path, name: &str) -> io::Result<()> {
    let (host, layer) = (m.base.join(name), m.dir.join("layer").join(name));
    let meta = fs::symlink_metadata(&host).ok();
    let target = root.join(name);
    if meta.as_ref().is_some_and(fs::Metadata::is_symlink) {
        return symlink(fs::read_link(&host)?, target);
    }
    let mut lower: Vec<&Path> = Vec::new();
    if layer.is_dir() {
        lower.push(&layer);
    }
    // An ordinary user's layer has all of /etc; and /etc itself, where a container has mounts in it, may not be a layer
    // there.
    if meta.is_some_and(|m| m.is_dir()) && (m.mode.knows_owners() || name != "etc") {
        lower.push(&host);
    }
    if lower.is_empty() {
        return Ok(());
    }
    fs::create_dir(&target)?;
    let (upper, work) = (disk.join("upper").join(name), disk.join("work").join(name));
    for d in [&upper, &work] {
        make_dir(d, 0o755).map_err(|e| io::Error::other(e.0))?;
    }
    let lower = lower.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(":");
    match overlay(m.mode, &lower, (&upper, &work), &target) {
        Err(_) if !m.mode.knows_owners() && name == "opt" => sys::bind(&host, &target), // has mounts in it; not written to
        Err(e) if !m.mode.knows_owners() => Err(io::Error::other(format!(
            "{e}; without root this fails where there are mounts below {}, and in folders on network or overlay file systems",
            host.display()
        ))),
        r => r,
    }
}

/// /proc and /sys of the machine's own namespaces.
fn kernel_views(m: &InitConfig, root: &Path) -> Result<()> {
    let quiet = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    for name in ["proc", "sys", "dev"] {
        make_dir(&root.join(name), 0o755)?;
    }
    if let Err(e) = sys::mount("proc", root.join("proc"), "proc", quiet, "") {
        // A container masks parts of its /proc, and then a user namespace may not have an unmasked one.
        return fail(format!(
            "{e}; inside a container start it with an unmasked /proc (docker: --security-opt systempaths=unconfined), or use --machines simulated"
        ));
    }
    guard_kernel(m, root);
    if sys::mount("sysfs", root.join("sys"), "sysfs", quiet | libc::MS_RDONLY, "").is_err() {
        sys::bind("/sys", root.join("sys")).because(|| "cannot mount /sys")?;
    }
    Ok(())
}

/// Keeps what belongs to the whole kernel from machines, whose root may be real root. What fails is not there, or not
/// theirs to write in the first place.
fn guard_kernel(m: &InitConfig, root: &Path) {
    let proc = root.join("proc");
    for f in
        ["sysrq-trigger", "kcore", "kmsg", "keys", "key-users", "timer_list", "sched_debug", "kpagecount", "kpageflags"]
    {
        let _ = sys::bind_flat("/dev/null", proc.join(f));
    }
    // /proc/sys/net is the machine's own. vm and fs become files of its own, so that setting them works and changes
    // nothing here; what cannot be had so is read-only as the rest.
    let mut fixed = vec!["sys/kernel", "sys/dev", "sys/debug", "irq", "bus", "acpi", "scsi"];
    for name in SETTINGS {
        if settings(m, root, name).is_err() {
            fixed.push(if name == "vm" { "sys/vm" } else { "sys/fs" });
        }
    }
    for dir in fixed.into_iter().map(|d| proc.join(d)) {
        let _ = sys::bind_flat(&dir, &dir).and_then(|()| sys::remount_read_only(&dir));
    }
}

/// A copy-on-write view of the copy the room made: a hundred files cost one mount.
fn settings(m: &InitConfig, root: &Path, name: &str) -> io::Result<()> {
    let own = root.join(&OURS[1..]).join("settings");
    let (upper, work) = (own.join(name), own.join(format!("{name}.work")));
    for d in [&upper, &work] {
        make_dir(d, 0o755).map_err(|e| io::Error::other(e.0))?;
    }
    let lower = m.dir.join("layer/settings").join(name);
    overlay(m.mode, &lower.display().to_string(), (&upper, &work), &root.join("proc/sys").join(name))
}

/// One overlay. "volatile": it is not flushed to this computer's disk, neither when something in a machine calls fsync
/// nor when the machine ends, which would wait for all that anybody here writes. Kernels before 5.10 do not know it.
fn overlay(mode: Mode, lower: &str, (upper, work): (&Path, &Path), target: &Path) -> io::Result<()> {
    // How the kernel remembers a volatile life that is over; a new one must not go on from it after a crash of this
    // computer. A sandbox does not: it begins with no disks.
    let _ = fs::remove_dir_all(work.join("work/incompat"));
    let user = if mode.has_own_users() { ",userxattr" } else { "" };
    let options = format!("lowerdir={lower},upperdir={},workdir={}{user}", upper.display(), work.display());
    sys::mount("overlay", target, "overlay", 0, &format!("{options},volatile"))
        .or_else(|_| sys::mount("overlay", target, "overlay", 0, &options))
}

/// Whether this kernel and the folder's file system make machines' disks in the room's user namespace: tried once, so
/// that there is another way before the first machine boots.
pub(crate) fn try_overlay(room: &RoomConfig) -> Result<()> {
    let place = room.dir.join("try");
    let [upper, work, target] = ["upper", "work", "target"].map(|name| place.join(name));
    for d in [&upper, &work, &target] {
        make_dir(d, 0o755)?;
    }
    let usr = layer::names(&room.base)?.into_iter().find(|n| n == "usr").map(|n| room.base.join(n));
    let usr = usr.because(|| format!("there is no usr in {}", room.base.display()))?;
    let cannot = || format!("cannot make a machine's disk in {}", room.dir.display());
    overlay(room.mode, &usr.display().to_string(), (&upper, &work), &target).because(cannot)?;
    // A change of what is below is what older kernels refuse.
    let some = fs::read_dir(&target).ok().and_then(|mut d| d.find_map(|e| e.ok().filter(|e| e.path().is_dir())));
    let changed = some.map_or(Ok(()), |e| fs::set_permissions(e.path(), fs::Permissions::from_mode(0o755)));
    sys::unmount(&target).because(cannot)?;
    changed.because(cannot)?;
    layer::remove(&place)
}

/// The device files that everybody may have.
pub(crate) fn nodes(dev: &Path) -> Result<()> {
    for d in ["null", "zero", "full", "random", "urandom", "tty"] {
        fs::write(dev.join(d), "").because(|| format!("cannot make /dev/{d}"))?;
        sys::bind(Path::new("/dev").join(d), dev.join(d)).because(|| format!("cannot mount /dev/{d}"))?;
    }
    Ok(())
}

/// A small /dev of bind mounts (nobody in a machine may make nodes) and its own terminals.
fn devices(dev: &Path) -> Result<()> {
    sys::mount("dev", dev, "tmpfs", libc::MS_NOSUID, "mode=755,size=64k").because(|| "cannot mount /dev")?;
    nodes(dev)?;
    for d in ["pts", "shm"] {
        make_dir(&dev.join(d), 0o755)?;
    }
    let flags = libc::MS_NOSUID | libc::MS_NOEXEC;
    let options = "newinstance,ptmxmode=0666,mode=0620";
    // The group tty (5) has no id in a namespace of one user: EINVAL.
    sys::mount("devpts", dev.join("pts"), "devpts", flags, &format!("{options},gid=5"))
        .or_else(|_| sys::mount("devpts", dev.join("pts"), "devpts", flags, options))
        .because(|| "cannot mount /dev/pts")?;
    sys::mount("shm", dev.join("shm"), "tmpfs", libc::MS_NOSUID | libc::MS_NODEV, "mode=1777")
        .because(|| "cannot mount /dev/shm")?;
    let links = [
        ("pts/ptmx", "ptmx"),
        ("/proc/self/fd", "fd"),
        ("/proc/self/fd/0", "stdin"),
        ("/proc/self/fd/1", "stdout"),
        ("/proc/self/fd/2", "stderr"),
    ];
    for (to, name) in links {
        symlink(to, dev.join(name)).because(|| format!("cannot make /dev/{name}"))?;
    }
    Ok(())
}

/// Once per disk, inside the new root.
fn format() -> Result<()> {
    make_dir(Path::new("/usr/bin"), 0o755)?;
    for name in SHIMS {
        for dir in ["/usr/bin", "/usr/sbin"] {
            let _ = fs::remove_file(Path::new(dir).join(name));
        }
        let p = Path::new("/usr/bin").join(name);
        symlink(BINARY, &p).because(|| format!("cannot make {}", p.display()))?;
    }
    // Scripts call these by their full path, too.
    for name in ["poweroff", "reboot", "halt", "shutdown"] {
        let _ = symlink(BINARY, Path::new("/usr/sbin").join(name));
    }
    make_dir(Path::new("/etc/systemd/system"), 0o755)?;
    make_dir(Path::new("/root/.ssh"), 0o700)?;
    // A shell like a fresh system's: the folder of this computer's root is not there.
    for file in [".bashrc", ".profile"] {
        let _ = fs::copy(Path::new("/etc/skel").join(file), Path::new("/root").join(file));
    }
    let id = fs::read_to_string("/proc/sys/kernel/random/uuid").because(|| "cannot read a random id")?;
    replace("/etc/machine-id", &id.replace('-', ""), 0o444)
}

/// Writes a file that may be a symlink of this computer's.
pub(crate) fn replace(file: &str, text: &str, mode: u32) -> Result<()> {
    let _ = fs::remove_file(file);
    fs::write(file, text).because(|| format!("cannot write {file}"))?;
    fs::set_permissions(file, fs::Permissions::from_mode(mode)).because(|| format!("cannot set the mode of {file}"))
}
