//! Machines made of namespaces: our side of the machine room.
//!
//! Owns: the room's life (it dies with this value and with this process), the folder's lock. Does not know what happens
//! inside the room; see `room.rs`.

use super::fail::{Because, Result, fail};
use super::protocol::{self, ROOM, Request, RoomConfig};
use super::{FirewallRules, HowEnded, MachineError, MachineExit, MachineSpec, Machines, firewall, layer, support, sys};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use super::protocol::Mode;
pub use super::support::Support;

/// How long an earlier room in the same folder may take to die with its process; a thousand machines take a second.
const EARLIER: Duration = Duration::from_secs(15);

/// What may be chosen.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Remove the disks that an earlier life left in the folder.
    pub forget_disks: bool,
    /// How long an earlier life in the folder may take to die; fifteen seconds unless told otherwise.
    pub wait_for_earlier: Option<Duration>,
    /// As an ordinary user, do without the range of ids of /etc/subuid.
    pub single_user: bool,
}

/// The machines of one folder. Dropping it, or the death of this process, ends them all; their disks stay.
pub struct Namespaces {
    dir: PathBuf,
    mode: Mode,
    room: i32,
    /// Dropped to end the room.
    stay: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
    exits: Mutex<Option<Receiver<MachineExit>>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// What should be running, to tell of all if the room dies.
    running: Mutex<BTreeSet<u64>>,
    closing: AtomicBool,
}

impl Namespaces {
    /// Starts the machine room of a folder (made if it is not there, 0700).
    ///
    /// # Errors
    /// One sentence where the folder cannot be used or this computer cannot run machines; then it names
    /// `--machines simulated`.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, MachineError> {
        let mut mode = Self::support().map_err(MachineError)?.mode;
        if mode == Mode::Range && options.single_user {
            mode = Mode::Single;
        }
        let dir = std::path::absolute(dir).because(|| format!("cannot use the folder {}", dir.display()))?;
        refuse_shared(&dir)?;
        layer::make_dir(&dir, 0o700)?;
        let dir = fs::canonicalize(&dir).because(|| format!("cannot use the folder {}", dir.display()))?;
        refuse_shared(&dir)?; // once more: there may be symlinks in it
        let lock = take(&dir, options.wait_for_earlier.unwrap_or(EARLIER))?;
        let (shared, (stay, until)) = (Arc::new(Shared::default()), channel());
        let (tell, told) = channel();
        let start = Start { dir: dir.clone(), mode, lock };
        // The room dies with the thread that clones it, so that thread lives as long as we do.
        let keeper = std::thread::Builder::new()
            .name("machine-room".to_owned())
            .spawn(move || keep(&start, &tell, &until))
            .because(|| "cannot start a thread")?;
        let room = told.recv().because(|| "the machine room's thread died")??;
        let this = Self { dir, mode, room, stay: Some(stay), keeper: Some(keeper), exits: Mutex::default(), shared };
        // From here on a failure drops `this`, which ends the room.
        *lock_of(&this.exits) = Some(this.watch()?);
        if options.forget_disks {
            this.forget()?;
        }
        Ok(this)
    }

    /// In which mode machines would run here, what is lost in it, or why they cannot run: one sentence for the user.
    pub fn support() -> Result<Support, String> {
        support::probe()
    }

    /// Whose rights the machines have here.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The folder, for [`crate::dial`].
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The process id of the room.
    pub fn room(&self) -> i32 {
        self.room
    }

    /// As [`Machines::boot`]; answers how many milliseconds each phase took.
    pub fn boot_phases(&self, spec: &MachineSpec) -> Result<String, MachineError> {
        lock_of(&self.shared.running).insert(spec.id);
        let phases = protocol::call(&self.dir, &Request::Boot(Box::new(spec.clone())));
        if phases.as_ref().is_err_and(|e| !e.0.contains("runs already")) {
            lock_of(&self.shared.running).remove(&spec.id);
        }
        phases
    }

    /// Passes the ends of machines on; the room's own end is the end of all.
    fn watch(&self) -> Result<Receiver<MachineExit>> {
        let s = protocol::ask_room(&self.dir, &Request::Watch).because(|| "the machine room does not answer")?;
        let (ended, exits) = channel();
        let shared = self.shared.clone();
        let pass_on = move || {
            for line in BufReader::new(s).lines().map_while(Result::ok) {
                let Ok(exit) = serde_json::from_str::<MachineExit>(&line) else { continue }; // the first line is a K
                lock_of(&shared.running).remove(&exit.id);
                let _ = ended.send(exit);
            }
            if !shared.closing.load(Ordering::Acquire) {
                for id in std::mem::take(&mut *lock_of(&shared.running)) {
                    let _ = ended.send(MachineExit { id, how: HowEnded::Died });
                }
            }
        };
        std::thread::Builder::new()
            .name("machine-exits".to_owned())
            .spawn(pass_on)
            .because(|| "cannot start a thread")?;
        Ok(exits)
    }

    fn forget(&self) -> Result<()> {
        for e in fs::read_dir(self.dir.join("disks")).into_iter().flatten().flatten() {
            if let Some(id) = e.file_name().to_str().and_then(|n| n.parse().ok()) {
                self.delete(id)?;
            }
        }
        Ok(())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::Release);
        self.stay = None;
        if let Some(k) = self.keeper.take() {
            let _ = k.join();
        }
    }
}

impl Machines for Namespaces {
    fn boot(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        self.boot_phases(spec).map(drop)
    }

    fn power_off(&self, id: u64) -> Result<(), MachineError> {
        protocol::call(&self.dir, &Request::PowerOff(id))?;
        lock_of(&self.shared.running).remove(&id);
        Ok(())
    }

    fn delete(&self, id: u64) -> Result<(), MachineError> {
        protocol::call(&self.dir, &Request::Delete(id))?;
        lock_of(&self.shared.running).remove(&id);
        Ok(())
    }

    fn delete_all(&self) -> Option<Result<(), MachineError>> {
        let done = protocol::call(&self.dir, &Request::DeleteAll).map(drop);
        if done.is_ok() {
            lock_of(&self.shared.running).clear();
        }
        Some(done)
    }

    fn set_firewalls(&self, firewalls: &[FirewallRules]) -> Result<(), MachineError> {
        protocol::call(&self.dir, &Request::Firewalls(firewall::ruleset(firewalls)?)).map(drop)
    }

    fn exits(&self) -> Option<Receiver<MachineExit>> {
        lock_of(&self.exits).take()
    }
}

struct Start {
    dir: PathBuf,
    mode: Mode,
    lock: OwnedFd,
}

/// The keeper's thread: starts the room, tells, waits until it is no longer wanted, ends it.
fn keep(start: &Start, tell: &Sender<Result<i32>>, until: &Receiver<()>) {
    match start_room(start) {
        Ok((pid, _hold)) => {
            let _ = tell.send(Ok(pid));
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

/// Answers the room's pid and the pipe whose other end the room looks at until it has exec'ed.
fn start_room(start: &Start) -> Result<(i32, OwnedFd)> {
    let exe = sys::open_self().because(|| "cannot open our own program")?;
    let (go_read, go_write) = sys::pipe().because(|| "cannot make a pipe")?;
    let (ready_read, ready_write) = sys::pipe().because(|| "cannot make a pipe")?;
    let config = RoomConfig {
        dir: start.dir.clone(),
        mode: start.mode,
        exe: std::env::current_exe().unwrap_or_default(),
        lock: start.lock.as_raw_fd(),
        ready: ready_write.as_raw_fd(),
    };
    let argument = serde_json::to_string(&config).because(|| "cannot write the room's argument")?;
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWNET | libc::CLONE_NEWPID | libc::CLONE_NEWIPC;
    if !start.mode.is_root() {
        flags |= libc::CLONE_NEWUSER;
    }
    let pid = sys::spawn(&sys::Spawn {
        flags,
        exe: exe.as_raw_fd(),
        argv: &["linodetool".to_owned(), ROOM.to_owned(), argument],
        keep: &[config.lock, config.ready],
        die_with_thread: true,
        go: Some(go_read.as_raw_fd()),
    })
    .because(|| "cannot start the machine room; use --machines simulated")?;
    drop((ready_write, go_read));
    let born = map_ids(pid, start.mode).and_then(|()| {
        fs::write(start.dir.join("room.pid"), format!("{pid} {}", started(pid).unwrap_or_default()))
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

/// Who is who in the room's user namespace.
fn map_ids(pid: i32, mode: Mode) -> Result<()> {
    let (uid, gid) = (sys::user_id(), sys::group_id());
    match mode {
        Mode::Root => Ok(()),
        Mode::Range => {
            let (uid_start, gid_start, length) =
                support::id_range().because(|| "the range of ids in /etc/subuid is gone")?;
            for (tool, id, start) in [("newuidmap", uid, uid_start), ("newgidmap", gid, gid_start)] {
                let args = [
                    pid.to_string(),
                    "0".to_owned(),
                    id.to_string(),
                    "1".to_owned(),
                    "1".to_owned(),
                    start,
                    length.clone(),
                ];
                let out = Command::new(tool).args(args).output().because(|| format!("cannot run {tool}"))?;
                if !out.status.success() {
                    return fail(format!(
                        "{tool} refuses the range of ids: {}",
                        String::from_utf8_lossy(&out.stderr).trim()
                    ));
                }
            }
            Ok(())
        }
        Mode::Single => {
            for (file, text) in
                [("setgroups", "deny".to_owned()), ("uid_map", format!("0 {uid} 1")), ("gid_map", format!("0 {gid} 1"))]
            {
                fs::write(format!("/proc/{pid}/{file}"), text).because(|| format!("cannot write the room's {file}"))?;
            }
            Ok(())
        }
    }
}

/// A disk cannot lie in what is the lower layer of its own overlay.
fn refuse_shared(dir: &Path) -> Result<()> {
    match layer::SHARED.iter().find(|top| dir.starts_with(Path::new("/").join(top))) {
        Some(top) => fail(format!(
            "machines cannot live in {}: /{top} is part of their own file system; choose a folder elsewhere with --state",
            dir.display()
        )),
        None => Ok(()),
    }
}

/// The folder's lock, once an earlier room is wholly gone.
fn take(dir: &Path, patience: Duration) -> Result<OwnedFd> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let lock = OwnedFd::from(file.because(|| format!("cannot write {}", path.display()))?);
    let until = Instant::now() + patience;
    loop {
        // The lock alone is not enough: a dying room closes its files before its machines are dead.
        if sys::try_lock(&lock).because(|| format!("cannot lock {}", path.display()))? && !earlier_room_lives(dir) {
            return Ok(lock);
        }
        if Instant::now() > until {
            return fail(format!(
                "another linodetool uses the machines in {}; stop it or choose another folder with --state",
                dir.display()
            ));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn earlier_room_lives(dir: &Path) -> bool {
    let Ok(text) = fs::read_to_string(dir.join("room.pid")) else { return false };
    let Some((pid, since)) = text.split_once(' ') else { return false };
    pid.parse().ok().and_then(started).is_some_and(|s| s == since)
}

/// When a process was started, in the kernel's own count; `None` if it is gone or only waits to be waited for.
fn started(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let after_name: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(after_name.first(), Some(&("Z" | "X"))) { None } else { after_name.get(19).map(|s| (*s).to_owned()) }
}

fn lock_of<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
