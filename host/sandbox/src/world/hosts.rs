//! The jobs of the Linodes' hosts: what API v3 asks of a Linode waits in a queue of its own and is done in order, one at a
//! time, while API v4 refuses what comes too early.
//!
//! Owns: the queues, and what the end of a job does to disks. A job that is about power is an operation of `power.rs`; one
//! whose Linode is busy otherwise waits until it rests. Does not know who asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::{DiskStatus, Job, Outcome, Refusal, Status, Timer, Work, World};
use crate::catalogue::Type;
use crate::clock::Time;

/// Of each Linode so many jobs that are done are remembered.
const REMEMBERED: usize = 100;
/// A disk without a system on it is made in moments.
const EMPTY_DISK: Duration = Duration::from_secs(5);

/// All queues.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    queues: BTreeMap<u64, VecDeque<HostJob>>,
    /// Linodes that have come to rest, or have something new to do.
    rested: Vec<u64>,
    /// Made without a system, and never run since.
    brand_new: BTreeSet<u64>,
    failed_to_boot: BTreeSet<u64>,
}

/// One job.
#[derive(Clone, Debug)]
pub struct HostJob {
    pub id: u64,
    /// `linode.boot`, `fs.create`, ...
    pub action: &'static str,
    pub label: String,
    pub entered: Time,
    pub state: JobState,
    work: HostWork,
}

/// How far a job has come.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    Waiting,
    /// With the serial of its operation, or the event of what is done to disks.
    Running {
        began: Time,
        operation: Option<u64>,
        event: Option<u64>,
    },
    Done {
        began: Time,
        ended: Time,
        /// What went wrong, if anything did.
        failure: Option<String>,
    },
}

/// What is to be done.
#[derive(Clone, Debug)]
pub enum HostWork {
    Boot(Option<u64>),
    Reboot(Option<u64>),
    Shutdown,
    /// With whether a system is put on it.
    MakeDisk(u64, bool),
    RemoveDisk(u64),
    ResizeDisk(u64, u64),
    /// Takes what is on the disk into an image.
    MakeImage(u64),
    Retype(&'static Type),
    /// All of a Linode's disks come from another one.
    CopyDisks,
}

impl HostWork {
    /// Its name in API v3, its event in API v4, and what it is called.
    fn names(&self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Boot(_) => ("linode.boot", "linode_boot", "Linode initial boot"),
            Self::Reboot(_) => ("linode.reboot", "linode_reboot", "System Reboot"),
            Self::Shutdown => ("linode.shutdown", "linode_shutdown", "System Shutdown"),
            Self::MakeDisk(..) => ("fs.create", "disk_create", "Create Filesystem"),
            Self::RemoveDisk(_) => ("fs.delete", "disk_delete", "Delete Filesystem"),
            Self::ResizeDisk(..) => ("fs.resize", "disk_resize", "Resize Filesystem"),
            Self::MakeImage(_) => ("disk.imagize", "disk_imagize", "Create Image"),
            Self::CopyDisks => ("linode.clone", "linode_clone", "Clone"),
            Self::Retype(_) => ("linode.migrate", "linode_resize", "Migrate"),
        }
    }
}

impl World {
    /// Puts a job at the end of a Linode's queue; its id.
    pub fn ask_host(&mut self, linode: u64, work: HostWork, about: &str, now: Time) -> u64 {
        let id = self.new_id("job");
        let (action, _, name) = work.names();
        let label = if about.is_empty() { name.to_owned() } else { format!("{name} - {about}") };
        let job = HostJob { id, action, label, entered: now, state: JobState::Waiting, work };
        self.hosts.queues.entry(linode).or_default().push_back(job);
        self.hosts.rested.push(linode);
        self.advance_hosts(now);
        id
    }

    /// The jobs of a Linode, oldest first.
    pub fn host_jobs(&self, linode: u64) -> impl Iterator<Item = &HostJob> {
        self.hosts.queues.get(&linode).into_iter().flatten()
    }

    /// Whether its host has something to do for it.
    pub fn host_is_busy(&self, linode: u64) -> bool {
        self.host_jobs(linode).any(HostJob::is_pending)
    }

    /// A Linode that was made without a system has never run since.
    pub fn is_brand_new(&self, linode: u64) -> bool {
        self.hosts.brand_new.contains(&linode)
    }

    /// Its last boot came to nothing.
    pub fn failed_to_boot(&self, linode: u64) -> bool {
        self.hosts.failed_to_boot.contains(&linode)
    }

    /// A Linode that was just made is whole already: there was nothing to put on it.
    pub fn finish_bare(&mut self, linode: u64, now: Time) {
        self.hosts.brand_new.insert(linode);
        if let Some(operation) = self.linodes.get(&linode).and_then(|one| one.operation.as_ref()).map(|one| one.serial)
        {
            self.timer_due(Timer::Created { linode, operation }, now);
        }
    }

    /// Goes on with the queues of Linodes that have come to rest.
    pub(crate) fn advance_hosts(&mut self, now: Time) {
        while let Some(linode) = self.hosts.rested.pop() {
            while self.advance_host(linode, now) {}
        }
    }

    pub(super) fn host_rests(&mut self, linode: u64) {
        if self.linodes.get(&linode).is_some_and(|one| one.status == Status::Running) {
            self.hosts.brand_new.remove(&linode);
        }
        if self.hosts.queues.contains_key(&linode) {
            self.hosts.rested.push(linode);
        }
    }

    pub(super) fn forget_host(&mut self, linode: u64, now: Time) {
        self.hosts.brand_new.remove(&linode);
        self.hosts.failed_to_boot.remove(&linode);
        for job in self.hosts.queues.remove(&linode).into_iter().flatten() {
            if let JobState::Running { event: Some(event), operation: None, .. } = job.state {
                self.events.fail(event, "The Linode was deleted.", now);
            }
        }
    }

    pub(super) fn host_job_due(&mut self, linode: u64, id: u64, now: Time) {
        let Some(job) = self.hosts.queues.get(&linode).and_then(|jobs| jobs.iter().find(|job| job.id == id)).cloned()
        else {
            return;
        };
        let JobState::Running { event: Some(event), .. } = job.state else { return };
        let failure = self.finish_disk_work(linode, &job.work, now).err();
        match &failure {
            None => self.events.finish(event, now),
            Some(why) => self.events.fail(event, why, now),
        }
        self.end_job(linode, id, failure, now);
        self.hosts.rested.push(linode);
    }

    /// One step; false when there is nothing more to do now.
    fn advance_host(&mut self, linode: u64, now: Time) -> bool {
        let Some(next) = self.host_jobs(linode).find(|job| job.is_pending()).cloned() else { return false };
        match next.state {
            JobState::Done { .. } => false,
            JobState::Waiting if self.linodes.get(&linode).is_none_or(|one| one.busy()) => false,
            JobState::Waiting => {
                self.begin_job(linode, &next, now);
                true
            }
            // Its timer tells.
            JobState::Running { operation: None, .. } => false,
            JobState::Running { operation: Some(serial), event, .. } => {
                let present = self.linodes.get(&linode).and_then(|one| one.operation.as_ref());
                if present.is_some_and(|present| present.serial == serial) {
                    return false;
                }
                let event = event.and_then(|id| self.events.even_hidden(id));
                let failed = event.filter(|event| matches!(event.outcome, Outcome::Failed { .. }));
                let failure = failed.map(|event| event.message.clone());
                if matches!(next.work, HostWork::Boot(_) | HostWork::Reboot(_)) {
                    if failure.is_some() {
                        self.hosts.failed_to_boot.insert(linode);
                    } else {
                        self.hosts.brand_new.remove(&linode);
                    }
                }
                self.end_job(linode, next.id, failure, now);
                true
            }
        }
    }

    fn begin_job(&mut self, linode: u64, job: &HostJob, now: Time) {
        let begun = match job.work {
            HostWork::Boot(config) => self.boot(linode, config, now),
            HostWork::Reboot(config) => self.reboot(linode, config, now),
            HostWork::Shutdown => self.shutdown(linode, now),
            _ => return self.begin_disk_work(linode, job, now),
        };
        if let Err(refusal) = begun {
            let why = match refusal {
                Refusal::AlreadyRunning => "It runs already.",
                Refusal::NoConfig => "There is no configuration profile to boot.",
                Refusal::NoSuchLinode | Refusal::Busy => "It could not be begun.",
            };
            return self.end_job(linode, job.id, Some(why.to_owned()), now);
        }
        self.hosts.failed_to_boot.remove(&linode);
        let operation = self.linodes.get(&linode).and_then(|one| one.operation.as_ref());
        let (serial, event) = (operation.map(|one| one.serial), operation.and_then(|one| one.event));
        self.set_job(linode, job.id, JobState::Running { began: now, operation: serial, event });
    }

    fn begin_disk_work(&mut self, linode: u64, job: &HostJob, now: Time) {
        let Some(one) = self.linodes.get(&linode) else { return };
        let timing = self.timing.at(self.faults.pace("disk", &one.label));
        let takes = match job.work {
            HostWork::MakeDisk(_, true) | HostWork::Retype(_) | HostWork::CopyDisks => timing.create,
            _ => timing.create.min(EMPTY_DISK),
        };
        let about = (one.entity(), None);
        let event = self.events.begin(job.work.names().1, about, (now, takes), now);
        self.set_job(linode, job.id, JobState::Running { began: now, operation: None, event: Some(event) });
        if takes.is_zero() {
            self.host_job_due(linode, job.id, now);
        } else {
            self.at(now.after(takes), Timer::HostJob { linode, job: job.id });
        }
    }

    fn finish_disk_work(&mut self, linode: u64, work: &HostWork, now: Time) -> Result<(), String> {
        let Some(one) = self.linodes.get_mut(&linode) else { return Ok(()) };
        one.updated = now;
        let gone = || "The disk is gone.".to_owned();
        match *work {
            HostWork::MakeDisk(id, _) => {
                one.disks.iter_mut().find(|disk| disk.id == id).ok_or_else(gone)?.status = DiskStatus::Ready;
            }
            HostWork::ResizeDisk(id, size) => {
                one.disks.iter_mut().find(|disk| disk.id == id).ok_or_else(gone)?.size = size;
            }
            HostWork::RemoveDisk(id) => {
                one.disks.retain(|disk| disk.id != id);
                if one.disks.iter().all(|disk| disk.filesystem == "swap") {
                    // With the last disk goes what the machine has written, and what its first boot was to do.
                    one.image = None;
                    one.launch = super::Launch::default();
                    let operation = self.new_id("operation");
                    self.outside.jobs.push(Job { linode, operation, work: Work::Delete });
                }
            }
            HostWork::CopyDisks => one.disks.iter_mut().for_each(|disk| disk.status = DiskStatus::Ready),
            HostWork::Retype(to) => {
                one.linode_type = to;
                one.alerts = super::Alerts::of(to);
            }
            HostWork::MakeImage(image) => {
                if let Some(image) = self.images.get_mut(&image) {
                    image.creating = false;
                }
            }
            HostWork::Boot(_) | HostWork::Reboot(_) | HostWork::Shutdown => {}
        }
        Ok(())
    }

    fn set_job(&mut self, linode: u64, id: u64, state: JobState) {
        let jobs = self.hosts.queues.get_mut(&linode);
        if let Some(job) = jobs.and_then(|jobs| jobs.iter_mut().find(|job| job.id == id)) {
            job.state = state;
        }
    }

    fn end_job(&mut self, linode: u64, id: u64, failure: Option<String>, now: Time) {
        let Some(jobs) = self.hosts.queues.get_mut(&linode) else { return };
        if let Some(job) = jobs.iter_mut().find(|job| job.id == id) {
            let began = if let JobState::Running { began, .. } = job.state { began } else { now };
            job.state = JobState::Done { began, ended: now, failure };
        }
        let done = jobs.iter().filter(|job| !job.is_pending()).count();
        if done > REMEMBERED
            && let Some(oldest) = jobs.iter().position(|job| !job.is_pending())
        {
            jobs.remove(oldest);
        }
    }
}

impl HostJob {
    /// Not done yet.
    pub fn is_pending(&self) -> bool {
        !matches!(self.state, JobState::Done { .. })
    }
}
