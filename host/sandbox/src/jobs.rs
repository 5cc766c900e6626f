//! The machines' work, off the callers' threads.
//!
//! Owns: the order of jobs (one Linode's in order, different ones' at the same time) and the threads that do them. Does not
//! know what an outcome means: it reports.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use crate::machines::{FirewallRules, MachineError, Machines};
use crate::world::{Job, Work};

/// Machines that boot or end at the same time: enough to hide their waiting, few enough for a small computer.
const MOST_WORKERS: usize = 32;

/// The key under which the firewalls are put in force; no Linode has this id.
const FIREWALLS: u64 = 0;

/// Where outcomes go, and where the firewalls in force are known.
pub(crate) trait Report: Send + Sync {
    fn job_done(&self, linode: u64, operation: u64, outcome: Result<(), String>);
    fn firewalls_in_force(&self) -> Vec<FirewallRules>;
    fn firewalls_set(&self, outcome: Result<(), MachineError>);
}

/// How work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// On threads of its own, while the callers go on.
    Threads,
    /// By the caller, before it goes on: for machines that are only simulated, and for tests.
    Inline,
}

/// The jobs that wait and those that are done.
pub(crate) struct Jobs {
    machines: Arc<dyn Machines>,
    execution: Execution,
    state: Mutex<Queue>,
    changed: Condvar,
    stale_firewalls: AtomicBool,
    /// Held while firewalls are put in force, so that older ones never come after newer ones.
    firewalls: Mutex<()>,
}

#[derive(Default)]
struct Queue {
    /// Per Linode what waits; a key without entry has neither waiting nor present work.
    waiting: HashMap<u64, VecDeque<Option<Job>>>,
    /// Linodes whose next job nobody does yet.
    ready: VecDeque<u64>,
    workers: usize,
    idle: usize,
    stopped: bool,
}

impl Jobs {
    pub(crate) fn new(machines: Arc<dyn Machines>, execution: Execution) -> Self {
        Self {
            machines,
            execution,
            state: Mutex::default(),
            changed: Condvar::new(),
            stale_firewalls: AtomicBool::new(false),
            firewalls: Mutex::new(()),
        }
    }

    /// Puts jobs into their queues. Never blocks for long: it may be called with the world locked, so that the order of
    /// jobs is that of the transitions.
    pub(crate) fn submit(self: &Arc<Self>, jobs: Vec<Job>, firewalls_changed: bool, report: &Arc<dyn Report>) {
        if jobs.is_empty() && !firewalls_changed {
            return;
        }
        let mut queue = self.lock();
        if firewalls_changed {
            self.stale_firewalls.store(true, Ordering::SeqCst);
            queue.push(FIREWALLS, None);
        }
        for job in jobs {
            queue.push(job.linode, Some(job));
        }
        if self.execution == Execution::Threads {
            let wanted = queue.ready.len().saturating_sub(queue.idle).min(MOST_WORKERS - queue.workers);
            for _ in 0..wanted {
                self.start_worker(&mut queue, report);
            }
            drop(queue);
            self.changed.notify_all();
        }
    }

    /// Does all that waits, if the caller is the one to do it. To be called with nothing locked.
    pub(crate) fn run_inline(&self, report: &dyn Report) {
        if self.execution != Execution::Inline {
            return;
        }
        loop {
            let Some((key, job)) = self.lock().next() else { return };
            self.perform(job, report);
            self.lock().finished(key);
        }
    }

    /// How many Linodes have work waiting or under way.
    pub(crate) fn pending(&self) -> usize {
        self.lock().waiting.len()
    }

    /// No new work is begun after this.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.changed.notify_all();
    }

    fn start_worker(self: &Arc<Self>, queue: &mut Queue, report: &Arc<dyn Report>) {
        let (jobs, report): (Arc<Self>, Weak<dyn Report>) = (Arc::clone(self), Arc::downgrade(report));
        let spawned = std::thread::Builder::new().name("sandbox-jobs".to_owned()).spawn(move || jobs.work(&report));
        match spawned {
            Ok(_) => queue.workers += 1,
            // The others, or the next that can be started, will do it.
            Err(error) => tracing::error!(%error, workers = queue.workers, "cannot start a thread for the machines"),
        }
    }

    fn work(&self, report: &Weak<dyn Report>) {
        let mut queue = self.lock();
        loop {
            if queue.stopped {
                break;
            }
            let Some((key, job)) = queue.next() else {
                queue.idle += 1;
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
                continue;
            };
            drop(queue);
            let Some(report) = report.upgrade() else { return };
            self.perform(job, &*report);
            drop(report);
            queue = self.lock();
            queue.finished(key);
            self.changed.notify_all();
        }
        queue.workers -= 1;
    }

    fn perform(&self, job: Option<Job>, report: &dyn Report) {
        let Some(job) = job else { return self.put_firewalls_in_force(report) };
        let outcome = match &job.work {
            Work::Boot(spec) => {
                // A machine that is to be guarded must not run before its guard stands.
                self.put_firewalls_in_force(report);
                self.machines.boot(spec)
            }
            Work::PowerOff => self.machines.power_off(job.linode),
            Work::Reboot(spec) => self.machines.power_off(job.linode).and_then(|()| self.machines.boot(spec)),
            Work::Delete => self.machines.delete(job.linode),
        };
        report.job_done(job.linode, job.operation, outcome.map_err(|error| error.to_string()));
    }

    fn put_firewalls_in_force(&self, report: &dyn Report) {
        if !self.stale_firewalls.load(Ordering::SeqCst) {
            return;
        }
        let _one_at_a_time = self.firewalls.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stale_firewalls.swap(false, Ordering::SeqCst) {
            let outcome = self.machines.set_firewalls(&report.firewalls_in_force());
            report.firewalls_set(outcome);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, key: u64, job: Option<Job>) {
        if let Some(waiting) = self.waiting.get_mut(&key) {
            // Firewalls that wait to be put in force will be the newest when they are.
            if job.is_some() || waiting.is_empty() {
                waiting.push_back(job);
            }
            return;
        }
        self.waiting.insert(key, VecDeque::from([job]));
        self.ready.push_back(key);
    }

    fn next(&mut self) -> Option<(u64, Option<Job>)> {
        while let Some(key) = self.ready.pop_front() {
            if let Some(job) = self.waiting.get_mut(&key).and_then(VecDeque::pop_front) {
                return Some((key, job));
            }
            self.waiting.remove(&key);
        }
        None
    }

    /// The job of this key is done: the next one may be, if there is one.
    fn finished(&mut self, key: u64) {
        if self.waiting.get(&key).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&key);
        } else if self.waiting.contains_key(&key) {
            self.ready.push_back(key);
        }
    }
}
