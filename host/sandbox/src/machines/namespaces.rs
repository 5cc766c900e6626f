//! Machines made of namespaces: our side of the machine room.
//!
//! Owns: the room's life (it dies with this value and with this process), the folder's lock. Does not know what happens
//! inside the room; see `room.rs`.

use super::fail::{Because, Result, fail};
use super::protocol::{self, Request};
use super::start::{self, Start};
use super::{FirewallRules, HowEnded, MachineError, MachineExit, MachineSpec, Machines, firewall, layer, support, sys};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
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
    /// As root, do without a user namespace: root in a machine is this computer's, less a few rights.
    pub real_root: bool,
    /// A folder with a system that machines show instead of this computer's.
    pub rootfs: Option<PathBuf>,
}

/// The machines of one folder. Dropping it, or the death of this process, ends them all; their disks stay.
pub struct Namespaces {
    dir: PathBuf,
    mode: Mode,
    /// Why the room has another mode than the best.
    refused: Option<String>,
    room: i32,
    /// Dropped to end the room.
    stay: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
    exits: Mutex<Option<Receiver<MachineExit>>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// What should be running and in which life, to tell of all if the room dies.
    running: Mutex<BTreeMap<u64, u64>>,
    closing: AtomicBool,
}

impl Namespaces {
    /// Starts the machine room of a folder (made if it is not there, 0700).
    ///
    /// # Errors
    /// One sentence where the folder cannot be used or this computer cannot run machines; then it names
    /// `--machines simulated`.
    pub fn open(dir: &Path, options: &Options) -> Result<Self, MachineError> {
        let support = Self::support().map_err(MachineError)?;
        let mode = match support.mode {
            Mode::Range if options.single_user => Mode::Single,
            Mode::Mapped if options.real_root => Mode::Root,
            mode => mode,
        };
        let asked = (support.mode != mode).then(|| "it was asked for".to_owned());
        let dir = std::path::absolute(dir).because(|| format!("cannot use the folder {}", dir.display()))?;
        let base = options.rootfs.as_deref().map_or(Ok(PathBuf::from("/")), layer::system)?;
        refuse_shared(&dir, &base)?;
        layer::make_dir(&dir, 0o700)?;
        let dir = fs::canonicalize(&dir).because(|| format!("cannot use the folder {}", dir.display()))?;
        refuse_shared(&dir, &base)?; // once more: there may be symlinks in it
        let lock = take(&dir, options.wait_for_earlier.unwrap_or(EARLIER))?;
        // The disks of another range, or of none, would stand in the way. An ordinary user can only ask the room.
        if options.forget_disks && sys::effective_uid() == 0 {
            layer::remove(&dir.join("disks"))?;
        }
        let (shared, (stay, until)) = (Arc::new(Shared::default()), channel());
        let (tell, told) = channel();
        let start = Start { dir: dir.clone(), mode, base, lock };
        // The room dies with the thread that clones it, so that thread lives as long as we do.
        let keeper = std::thread::Builder::new()
            .name("machine-room".to_owned())
            .spawn(move || start::keep(&start, &tell, &until))
            .because(|| "cannot start a thread")?;
        let started = told.recv().because(|| "the machine room's thread died")??;
        let this = Self {
            dir,
            mode: started.mode,
            refused: started.refused.or(support.refused).or(asked),
            room: started.pid,
            stay: Some(stay),
            keeper: Some(keeper),
            exits: Mutex::default(),
            shared,
        };
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

    /// How the machines run, and why not more safely; follows "machines run".
    pub fn about(&self) -> String {
        support::about(self.mode, self.refused.as_deref())
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
        lock_of(&self.shared.running).insert(spec.id, spec.life);
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
                let mut running = lock_of(&shared.running);
                if running.get(&exit.id).is_some_and(|life| *life <= exit.life) {
                    running.remove(&exit.id);
                }
                drop(running);
                let _ = ended.send(exit);
            }
            if !shared.closing.load(Ordering::Acquire) {
                for (id, life) in std::mem::take(&mut *lock_of(&shared.running)) {
                    let _ = ended.send(MachineExit { id, life, how: HowEnded::Died });
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

    fn about(&self) -> String {
        Self::about(self)
    }
}

/// A disk cannot lie in what is the lower layer of its own overlay; nor that in what machines' folders are.
fn refuse_shared(dir: &Path, base: &Path) -> Result<()> {
    for system in [Path::new("/"), base] {
        if let Some(top) = layer::names(system)?.into_iter().find(|top| dir.starts_with(system.join(top))) {
            return fail(format!(
                "machines cannot live in {}: {} is part of their own file system; choose a folder elsewhere with --state",
                dir.display(),
                system.join(top).display()
            ));
        }
    }
    if base.starts_with(dir) {
        return fail(format!("the root file system {} cannot lie in the machines' folder", base.display()));
    }
    Ok(())
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
    pid.parse().ok().and_then(start::since).is_some_and(|s| s == since)
}

fn lock_of<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}
