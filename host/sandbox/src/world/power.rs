//! How a Linode gets from one status to the next.
//!
//! Owns: the operations (create, boot, reboot, shutdown), their timers, and what the outcome of a machine's work means.
//! Does not know who asked, nor how a machine does its work.
//!
//! ```text
//! create -> provisioning -(Created)-> booting -(job done)-(Running)-> running, busy -(Settled)-> running
//!                                 \-> offline                  \-> failed: offline
//! running -> shutting_down -(job done)-(Down)-> offline
//! ```

use std::time::Duration;

use super::{Job, Linode, Status, Undone, Work, World};
use crate::clock::Time;
use crate::faults::{Fault, USUAL};
use crate::machines::{HowEnded, MachineExit, MachineSpec};
use crate::world::DiskStatus;

/// The watchdog gives up after this many starts in [`RESCUE_WINDOW`]: a machine that always dies must not boot for ever.
const RESCUES: usize = 3;
const RESCUE_WINDOW: Duration = Duration::from_secs(15 * 60);
/// What the event of a boot says that fails by a fault of the sandbox's.
const DOOM: &str = "The host could not boot this Linode.";

/// What goes on with a Linode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Tells this operation from all others, in timers and outcomes.
    pub serial: u64,
    /// None for a restart from inside, which the API does not see.
    pub event: Option<u64>,
    pub began: Time,
    kind: Kind,
    /// The machine ended by itself before it was known that it had come up, or that it was ended.
    ended: Option<MachineExit>,
    /// The machine has come up; the event is about to be finished.
    up: bool,
    /// A former life is ended first.
    restarts: bool,
    /// Nothing comes up, by a fault of the sandbox's.
    doomed: bool,
    /// It comes up this much later, by a fault of the sandbox's.
    hangs: Duration,
    /// Thousandths of the usual time.
    pace: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// With whether it boots afterwards.
    Create(bool),
    Up,
    Down,
}

impl Operation {
    fn new(serial: u64, event: Option<u64>, began: Time, kind: Kind) -> Self {
        let (hangs, pace) = (Duration::ZERO, USUAL);
        Self { serial, event, began, kind, ended: None, up: false, restarts: false, doomed: false, hangs, pace }
    }

    pub(super) fn create(serial: u64, event: u64, began: Time, boots: bool) -> Self {
        Self::new(serial, Some(event), began, Kind::Create(boots))
    }
}

/// What is due later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    Created {
        linode: u64,
        operation: u64,
    },
    Running {
        linode: u64,
        operation: u64,
    },
    Settled {
        linode: u64,
        operation: u64,
    },
    Down {
        linode: u64,
        operation: u64,
    },
    /// The machine restarts by itself, by a fault of the sandbox's.
    Upset {
        linode: u64,
    },
    /// A job of its host's is done.
    HostJob {
        linode: u64,
        job: u64,
    },
}

/// Why an operation cannot be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    NoSuchLinode,
    Busy,
    AlreadyRunning,
    /// It has nothing to boot from, or not the profile that was named.
    NoConfig,
}

impl World {
    /// Begins to boot a Linode that is off.
    pub fn boot(&mut self, id: u64, config: Option<u64>, now: Time) -> Result<(), Refusal> {
        let linode = self.linodes.get(&id).ok_or(Refusal::NoSuchLinode)?;
        if linode.busy() {
            return Err(Refusal::Busy);
        }
        if linode.status == Status::Running {
            return Err(Refusal::AlreadyRunning);
        }
        linode.config_entity(config).ok_or(Refusal::NoConfig)?;
        self.begin_up(id, config, "linode_boot", now);
        Ok(())
    }

    /// Begins to restart a Linode; one that is off is booted.
    pub fn reboot(&mut self, id: u64, config: Option<u64>, now: Time) -> Result<(), Refusal> {
        let linode = self.linodes.get(&id).ok_or(Refusal::NoSuchLinode)?;
        if linode.busy() {
            return Err(Refusal::Busy);
        }
        linode.config_entity(config).ok_or(Refusal::NoConfig)?;
        self.begin_up(id, config, "linode_reboot", now);
        Ok(())
    }

    /// Begins to shut a Linode down; for one that is off that is soon done.
    pub fn shutdown(&mut self, id: u64, now: Time) -> Result<(), Refusal> {
        let linode = self.linodes.get(&id).ok_or(Refusal::NoSuchLinode)?;
        if linode.busy() {
            return Err(Refusal::Busy);
        }
        let pace = self.faults.pace("shutdown", &linode.label);
        let course = (now, self.timing.shutdown);
        let event = self.events.begin("linode_shutdown", (linode.entity(), None), course, now);
        let serial = self.new_id("operation");
        let operation = Operation { pace, ..Operation::new(serial, Some(event), now, Kind::Down) };
        self.begin(id, operation, Status::ShuttingDown);
        self.outside.jobs.push(Job { linode: id, operation: serial, work: Work::PowerOff });
        Ok(())
    }

    /// The machines have done a job, or could not. Outcomes of operations that are over are ignored.
    pub fn job_done(&mut self, id: u64, operation: u64, outcome: Result<(), Undone>, now: Time) {
        let Some(present) = self.operation(id, operation).cloned() else { return };
        let timing = self.timing.at(present.pace);
        let doom = || Undone { why: DOOM.to_owned(), runs_on: false };
        let outcome = outcome.and_then(|()| if present.doomed { Err(doom()) } else { Ok(()) });
        match (present.kind, outcome) {
            (Kind::Create(_), _) => {}
            (Kind::Up, Ok(())) => {
                let due = present.began.after(timing.running).max(now).after(present.hangs);
                self.soon(due, Timer::Running { linode: id, operation }, now);
            }
            (Kind::Down, Ok(())) => {
                let due = present.began.after(timing.shutdown).max(now);
                self.soon(due, Timer::Down { linode: id, operation }, now);
            }
            (_, Err(Undone { why, runs_on })) => {
                match present.event {
                    Some(event) => self.events.fail(event, &why, now),
                    None => self.fail_unseen(id, &why, now),
                }
                let ran = present.kind == Kind::Down || present.restarts;
                let runs = runs_on && ran && present.ended.is_none();
                self.end(id, if runs { Status::Running } else { Status::Offline }, now);
            }
        }
    }

    /// A machine went down by itself.
    pub fn machine_exited(&mut self, exit: MachineExit, now: Time) {
        let Some(linode) = self.linodes.get_mut(&exit.id) else { return };
        let former = exit.life < linode.life;
        if let Some(present) = linode.operation.as_mut().filter(|present| !present.up) {
            // The word of its end came before the word of its boot, or its boot is about to fail. In a shutdown or a
            // restart it may be the former life that ended by itself, just before it would have been ended.
            if !former || present.restarts && present.ended.is_none() {
                present.ended = Some(exit);
            }
            return;
        }
        if former || linode.status != Status::Running {
            return; // It was on its way down anyway.
        }
        // `running` is shown a little before the boot's event is finished.
        if let Some(event) = linode.operation.take().and_then(|operation| operation.event) {
            self.events.finish(event, now);
        }
        match exit.how {
            HowEnded::PoweredOff => self.end(exit.id, Status::Offline, now),
            // Nothing of this shows in the API: the Linode runs on.
            HowEnded::Rebooted => {
                let serial = self.new_id("operation");
                let status = Status::Running;
                self.begin(exit.id, Operation::new(serial, None, now, Kind::Up), status);
                self.boot_job(exit.id, serial, now);
            }
            HowEnded::Died => {
                self.end(exit.id, Status::Offline, now);
                self.rescue(exit.id, now);
            }
        }
    }

    /// The watchdog (Lassie): starts again what died, within limits.
    fn rescue(&mut self, id: u64, now: Time) {
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        linode.rescues.retain(|then| now.since(*then) < RESCUE_WINDOW);
        if !linode.watchdog || linode.rescues.len() >= RESCUES {
            return;
        }
        linode.rescues.push(now);
        self.begin_up(id, None, "lassie_reboot", now);
    }

    pub(super) fn timer_due(&mut self, timer: Timer, now: Time) {
        match timer {
            Timer::Created { linode, operation } => self.created(linode, operation, now),
            Timer::Running { linode, operation } => self.running(linode, operation, now),
            Timer::Settled { linode, operation } => {
                let Some(present) = self.operation(linode, operation) else { return };
                if let Some(event) = present.event {
                    self.events.finish(event, now);
                }
                self.end(linode, Status::Running, now);
                self.perhaps_upset(linode, now);
            }
            Timer::Upset { linode: id } => {
                let rests = |linode: &&Linode| linode.status == Status::Running && !linode.busy();
                if self.linodes.get(&id).filter(rests).is_some() {
                    // As when its host is restarted: the API shows it, and nobody has asked for it.
                    self.begin_up(id, None, "host_reboot", now);
                }
            }
            Timer::HostJob { linode, job } => self.host_job_due(linode, job, now),
            Timer::Down { linode, operation } => {
                let Some(present) = self.operation(linode, operation) else { return };
                if let Some(event) = present.event {
                    self.events.finish(event, now);
                }
                self.end(linode, Status::Offline, now);
            }
        }
    }

    fn created(&mut self, id: u64, operation: u64, now: Time) {
        let Some(Operation { event, kind: Kind::Create(boots), .. }) = self.operation(id, operation).cloned() else {
            return;
        };
        if let Some(event) = event {
            self.events.finish(event, now);
        }
        self.end(id, Status::Offline, now);
        if let Some(linode) = self.linodes.get_mut(&id) {
            for disk in &mut linode.disks {
                disk.status = DiskStatus::Ready;
            }
        }
        if boots {
            self.begin_up(id, None, "linode_boot", now);
        }
    }

    fn running(&mut self, id: u64, operation: u64, now: Time) {
        let Some(present) = self.operation(id, operation) else { return };
        let timing = self.timing.at(present.pace);
        let due = present.began.after(timing.boot).max(now.after(timing.settle));
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        linode.status = Status::Running;
        linode.updated = now;
        if let Some(present) = &mut linode.operation {
            present.up = true;
            if let Some(exit) = present.ended.take().filter(|exit| exit.life == linode.life) {
                return self.machine_exited(exit, now);
            }
        }
        self.soon(due, Timer::Settled { linode: id, operation }, now);
    }

    /// Begins a boot or a restart, according to whether it runs.
    fn begin_up(&mut self, id: u64, config: Option<u64>, action: &'static str, now: Time) {
        let serial = self.new_id("operation");
        let Some(linode) = self.linodes.get(&id) else { return };
        let runs = linode.status == Status::Running;
        let about = (linode.entity(), linode.config_entity(config));
        let event = self.events.begin(action, about, (now, self.timing.boot), now);
        let label = &linode.label;
        let doomed = self.faults.befalls(Fault::BootFail, label, now).is_some();
        let pace = self.faults.pace("boot", label);
        let hangs = self.faults.befalls(Fault::BootHang, label, now).map(|hit| hit.time).unwrap_or_default();
        let work = match (doomed, runs) {
            // Off it stays, or is.
            (true, _) => Work::PowerOff,
            (false, true) => Work::Reboot(self.spec(linode, serial, now)),
            (false, false) => Work::Boot(self.spec(linode, serial, now)),
        };
        let status = if action == "linode_reboot" { Status::Rebooting } else { Status::Booting };
        let operation =
            Operation { restarts: runs, doomed, hangs, pace, ..Operation::new(serial, Some(event), now, Kind::Up) };
        self.begin(id, operation, status);
        if !doomed {
            self.lives(id, serial);
        }
        self.outside.jobs.push(Job { linode: id, operation: serial, work });
    }

    /// What is booted, and what goes wrong in that boot.
    fn spec(&self, linode: &Linode, life: u64, now: Time) -> Box<MachineSpec> {
        let mut spec = linode.spec();
        spec.life = life;
        let time = |fault| self.faults.befalls(fault, &linode.label, now).map(|hit| hit.time);
        spec.faults.ssh_refused = time(Fault::SshRefused);
        spec.faults.ssh_cut = time(Fault::SshCut);
        spec.pace = Some(self.faults.pace("work", &linode.label));
        spec
    }

    /// A machine that has come up may not stay so.
    fn perhaps_upset(&mut self, id: u64, now: Time) {
        let Some(linode) = self.linodes.get(&id) else { return };
        if let Some(hit) = self.faults.befalls(Fault::Reboot, &linode.label, now) {
            self.at(now.after(hit.time), Timer::Upset { linode: id });
        }
    }

    fn boot_job(&mut self, id: u64, operation: u64, now: Time) {
        let Some(linode) = self.linodes.get(&id) else { return };
        let work = Work::Boot(self.spec(linode, operation, now));
        self.lives(id, operation);
        self.outside.jobs.push(Job { linode: id, operation, work });
    }

    fn fail_unseen(&mut self, id: u64, why: &str, now: Time) {
        let Some(linode) = self.linodes.get(&id) else { return };
        let about = (linode.entity(), linode.config_entity(None));
        let event = self.events.begin("linode_boot", about, (now, Duration::ZERO), now);
        self.events.fail(event, why, now);
    }

    /// What its machine did in a life before this one counts no more.
    fn lives(&mut self, id: u64, life: u64) {
        if let Some(linode) = self.linodes.get_mut(&id) {
            linode.life = life;
        }
    }

    fn begin(&mut self, id: u64, operation: Operation, status: Status) {
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        linode.status = status;
        linode.operation = Some(operation);
    }

    fn end(&mut self, id: u64, status: Status, now: Time) {
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        linode.operation = None;
        linode.status = status;
        linode.updated = now;
        self.host_rests(id);
    }

    fn operation(&self, id: u64, serial: u64) -> Option<&Operation> {
        self.linodes.get(&id)?.operation.as_ref().filter(|present| present.serial == serial)
    }

    /// At once if it is due already, so that a fast cloud needs no timer.
    fn soon(&mut self, due: Time, timer: Timer, now: Time) {
        if due <= now {
            self.timer_due(timer, now);
        } else {
            self.at(due, timer);
        }
    }
}
