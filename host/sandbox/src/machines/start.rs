//! The start of a machine room: in a user namespace where that works, and as what else.
//!
//! Owns: what a room is given (its arguments, its program, the mounts of its own root) and whose its folder is. Does not
//! know what a room does; see `room.rs`.

use super::fail::{Because, Result, fail};
use super::protocol::{self, Mode, ROOM, RoomConfig, Shown, What};
use super::{ids, layer, program, sys};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender};

/// What a room is to be.
pub(crate) struct Start {
    pub(crate) dir: PathBuf,
    pub(crate) mode: Mode,
    /// Whose top-level directories machines show.
    pub(crate) base: PathBuf,
    pub(crate) lock: OwnedFd,
}

/// What a room has become.
pub(crate) struct Started {
    pub(crate) pid: i32,
    pub(crate) mode: Mode,
    /// Why it is not in a user namespace, though it was to be.
    pub(crate) refused: Option<String>,
}

/// The keeper's thread: starts the room, tells, waits until it is no longer wanted, ends it.
pub(crate) fn keep(start: &Start, tell: &Sender<Result<Started>>, until: &Receiver<()>) {
    match start_room(start) {
        Ok((started, _hold)) => {
            let pid = started.pid;
            let _ = tell.send(Ok(started));
            let _ = until.recv(); // an error: the sender is gone
            let _ = sys::kill(pid, libc::SIGKILL);
            let _ = sys::wait_for(pid);
            // Left for the next life otherwise; harmless.
            let _ = fs::remove_file(start.dir.join("room.sock"));
            let _ = fs::remove_file(start.dir.join("room.pid"));
        }
        Err(e) => {
            let _ = tell.send(Err(e));
        }
    }
}

/// Answers the room and the pipe whose other end the room looks at until it has exec'ed.
fn start_room(start: &Start) -> Result<(Started, OwnedFd)> {
    if start.mode != Mode::Mapped {
        return attempt(start, start.mode).map(|(pid, hold)| (Started { pid, mode: start.mode, refused: None }, hold));
    }
    // What a kernel or a file system refuses shows nowhere but here.
    let refused = match attempt(start, Mode::Mapped) {
        Ok((pid, hold)) => return Ok((Started { pid, mode: Mode::Mapped, refused: None }, hold)),
        Err(e) => e.0,
    };
    let (pid, hold) = attempt(start, Mode::Root)?;
    Ok((Started { pid, mode: Mode::Root, refused: Some(refused) }, hold))
}

fn attempt(start: &Start, mode: Mode) -> Result<(i32, OwnedFd)> {
    let first = if mode == Mode::Mapped { ids::range_for(&start.dir) } else { sys::user_id() };
    if sys::effective_uid() == 0 {
        hand_over(&start.dir, first)?;
    }
    let exe = sys::open_self().because(|| "cannot open our own program")?;
    let (go_read, go_write) = sys::pipe().because(|| "cannot make a pipe")?;
    let (ready_read, ready_write) = sys::pipe().because(|| "cannot make a pipe")?;
    let log = start.dir.join("room.log");
    let log =
        File::options().create(true).append(true).open(&log).because(|| format!("cannot write {}", log.display()))?;
    let kept = program::keep(&start.dir)?;
    let trees = if mode == Mode::Mapped { own_root(start, first, kept.as_deref())? } else { Trees::default() };
    let config = RoomConfig {
        dir: start.dir.clone(),
        mode,
        base: start.base.clone(),
        shown: trees.shown,
        exe: kept.filter(|_| mode != Mode::Mapped),
        lock: start.lock.as_raw_fd(),
        log: log.as_raw_fd(),
        ready: ready_write.as_raw_fd(),
    };
    let argument = serde_json::to_string(&config).because(|| "cannot write the room's argument")?;
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    if mode.has_own_users() {
        flags |= libc::CLONE_NEWUSER;
    }
    let keep: Vec<_> =
        trees.open.iter().map(AsRawFd::as_raw_fd).chain([config.lock, config.log, config.ready]).collect();
    let pid = sys::spawn(&sys::Spawn {
        flags,
        exe: exe.as_raw_fd(),
        argv: &["linodetool".to_owned(), ROOM.to_owned(), argument],
        keep: &keep,
        die_with_thread: true,
        go: Some(go_read.as_raw_fd()),
    })
    .because(|| "cannot start the machine room; use --machines simulated")?;
    drop((ready_write, go_read));
    let born = ids::map(pid, mode, first).and_then(|()| {
        fs::write(start.dir.join("room.pid"), format!("{pid} {}", since(pid).unwrap_or_default()))
            .because(|| format!("cannot write {}/room.pid", start.dir.display()))?;
        let mut go = File::from(go_write.try_clone().because(|| "cannot copy a descriptor")?);
        go.write_all(b"g").because(|| "the machine room died at once")?;
        let mut answer = String::new();
        File::from(ready_read).read_to_string(&mut answer).because(|| "cannot hear from the machine room")?;
        protocol::read_answer(&answer)
    });
    if let Err(e) = born {
        let _ = sys::kill(pid, libc::SIGKILL);
        let _ = sys::wait_for(pid);
        return fail(format!("the machine room did not start: {e}"));
    }
    Ok((pid, go_write))
}

/// Makes the folder that of a room's root, which may be another one than last time. What can be made anew goes.
fn hand_over(dir: &Path, owner: u32) -> Result<()> {
    let cannot = || format!("cannot use the folder {}", dir.display());
    if let Some(other) = ids::owner_of_disks(dir).filter(|other| *other != owner) {
        return fail(format!("the disks in {} belong to the user {other}; remove them to begin anew", dir.display()));
    }
    if fs::metadata(dir).because(cannot)?.uid() == owner {
        return Ok(());
    }
    for name in ["layer", "try", "disks"] {
        match fs::remove_dir_all(dir.join(name)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e).because(cannot),
            _ => {}
        }
    }
    for name in ["bin", "room.log", "room.sock", "room.pid"] {
        let _ = fs::remove_file(dir.join(name));
    }
    chown(dir, Some(owner), Some(owner)).because(cannot)
}

/// What a room is to see; the descriptors stay open until it has them.
#[derive(Default)]
struct Trees {
    shown: Vec<Shown>,
    open: Vec<OwnedFd>,
}

impl Trees {
    fn add(&mut self, path: &Path, at: PathBuf, users: Option<&File>) -> Result<()> {
        let tree = sys::open_tree(path).because(|| format!("cannot open the files of {}", path.display()))?;
        if let Some(users) = users {
            sys::show_to(&tree, users).because(|| {
                format!("cannot show {} to other users (its file system or the kernel refuses)", path.display())
            })?;
        }
        self.shown.push(Shown { at, what: What::Tree(tree.as_raw_fd()) });
        self.open.push(tree);
        Ok(())
    }

    fn add_all(&mut self, base: &Path, at: &Path, users: &File) -> Result<()> {
        for name in layer::names(base)? {
            let (path, at) = (base.join(&name), at.join(&name));
            match fs::symlink_metadata(&path) {
                Ok(m) if m.is_symlink() => {
                    let to = fs::read_link(&path).because(|| format!("cannot read {}", path.display()))?;
                    self.shown.push(Shown { at, what: What::Link(to) });
                }
                Ok(m) if m.is_dir() => self.add(&path, at, Some(users))?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// This computer's programs, those that machines show, our folder: each at its own path, so that nobody has to know.
fn own_root(start: &Start, first: u32, program: Option<&Path>) -> Result<Trees> {
    let users = ids::namespace(first)?;
    let mut trees = Trees::default();
    trees.add_all(Path::new("/"), Path::new("/"), &users)?;
    if start.base != Path::new("/") {
        trees.add_all(&start.base, &start.base, &users)?;
    }
    trees.add(&start.dir, start.dir.clone(), None)?;
    if let Some(program) = program {
        trees.add(program, start.dir.join("bin"), None)?;
    }
    Ok(trees)
}

/// Whether a room could be in a user namespace, as far as that can be told without one.
pub(crate) fn probe_own_users() -> Result<()> {
    let users = ids::namespace(ids::range_for(Path::new("/")))?;
    Trees::default().add_all(Path::new("/"), Path::new("/"), &users)
}

/// When a process was started, in the kernel's own count; `None` if it is gone or only waits to be waited for.
pub(crate) fn since(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(after_name.first(), Some(&("Z" | "X"))) { None } else { after_name.get(19).map(|s| (*s).to_owned()) }
}
