//! The machines' work, off the callers' threads.
//!
//! Owns: the order of jobs (one Linode's in order, different ones' at the same time) and the threads that do them. Does not
//! know what an outcome means: it reports.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use crate::machines::{FirewallRules, MachineError, Machines};
use crate::world::{Job, Undone, Work};

/// Machines that boot or end at the same time: enough to hide their waiting, few enough for a small computer.
const MOST_WORKERS: usize = 32;

/// The key under which the firewalls are put in force; no Linode has this id.
const FIREWALLS: u64 = 0;

/// Where outcomes go, and where the firewalls in force are known.
pub(crate) trait Report: Send + Sync {
    fn job_done(&self, linode: u64, operation: u64, outcome: Result<(), Undone>);
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

    /// No new work is begun after this. Waits for what is under way, until `end` at most, and tells which Linodes had
    /// work that is not done.
    pub(crate) fn stop(&self, end: Instant) -> Vec<u64> {
        let mut queue = self.lock();
        queue.stopped = true;
        self.changed.notify_all();
        while queue.workers > 0 {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::warn!(workers = queue.workers, "machines are still at work; they are not waited for");
                break;
            }
            queue = self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.waiting.keys().copied().filter(|key| *key != FIREWALLS).collect()
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
            // Without anybody to report to the sandbox is gone, and so is the wish for the work.
            if let Some(report) = report.upgrade() {
                self.perform(job, &*report);
            }
            queue = self.lock();
            queue.finished(key);
            self.changed.notify_all();
        }
        queue.workers -= 1;
        drop(queue);
        self.changed.notify_all();
    }

    fn perform(&self, job: Option<Job>, report: &dyn Report) {
        let Some(job) = job else { return self.put_firewalls_in_force(report) };
        if matches!(job.work, Work::Boot(_) | Work::Reboot(_)) {
            // A machine that is to be guarded must not run before its guard stands.
            self.put_firewalls_in_force(report);
        }
        let undone = |error: MachineError, runs_on| Undone { why: error.to_string(), runs_on };
        let boot = |spec| guarded(|| self.machines.boot(spec)).map_err(|error| undone(error, false));
        let power_off = || guarded(|| self.machines.power_off(job.linode)).map_err(|error| undone(error, true));
        let outcome = match &job.work {
            Work::Boot(spec) => boot(spec),
            Work::PowerOff => power_off(),
            Work::Reboot(spec) => power_off().and_then(|()| boot(spec)),
            Work::Delete => guarded(|| self.machines.delete(job.linode)).map_err(|error| undone(error, true)),
        };
        report.job_done(job.linode, job.operation, outcome);
    }

    fn put_firewalls_in_force(&self, report: &dyn Report) {
        // First the lock: whoever boots a machine waits for the guard that another one is just putting up.
        let _one_at_a_time = self.firewalls.lock().unwrap_or_else(PoisonError::into_inner);
        if self.stale_firewalls.swap(false, Ordering::SeqCst) {
            let firewalls = report.firewalls_in_force();
            let outcome = guarded(|| self.machines.set_firewalls(&firewalls));
            // What did not work now may work at the next boot, which must not be without a guard for that.
            self.stale_firewalls.fetch_or(outcome.is_err(), Ordering::SeqCst);
            report.firewalls_set(outcome);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A panic of the machines is an error like others: the Linode must not stay busy for ever, nor its worker be lost.
fn guarded(work: impl FnOnce() -> Result<(), MachineError>) -> Result<(), MachineError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(MachineError("the sandbox's machines failed inside: the panic was reported where it happened".to_owned()))
    })
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Barrier;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::*;
    use crate::machines::{MachineExit, MachineSpec};

    /// Notes what is done, and how much of it at once. The boots of machines 1 and 2 wait for each other, the firewalls
    /// for a word.
    struct Noted {
        seen: Mutex<Seen>,
        together: Barrier,
        go: Mutex<Receiver<()>>,
    }

    impl Noted {
        fn new() -> (Arc<Self>, Sender<()>) {
            let (say, go) = channel();
            (Arc::new(Self { seen: Mutex::default(), together: Barrier::new(2), go: Mutex::new(go) }), say)
        }
    }

    #[derive(Default)]
    struct Seen {
        calls: BTreeMap<u64, Vec<&'static str>>,
        present: usize,
        most: usize,
        firewalls: usize,
        booted_unguarded: usize,
    }

    impl Noted {
        fn call(&self, id: u64, what: &'static str) -> Result<(), MachineError> {
            {
                let mut seen = self.seen.lock().unwrap();
                seen.calls.entry(id).or_default().push(what);
                seen.present += 1;
                seen.most = seen.most.max(seen.present);
                seen.booted_unguarded += usize::from(what == "boot" && seen.firewalls == 0);
            }
            if id <= 2 && what == "boot" {
                self.together.wait();
            }
            std::thread::yield_now();
            self.seen.lock().unwrap().present -= 1;
            Ok(())
        }
    }

    impl Machines for Noted {
        fn boot(&self, spec: &MachineSpec) -> Result<(), MachineError> {
            self.call(spec.id, "boot")
        }

        fn power_off(&self, id: u64) -> Result<(), MachineError> {
            self.call(id, "power_off")
        }

        fn delete(&self, id: u64) -> Result<(), MachineError> {
            self.call(id, "delete")
        }

        fn set_firewalls(&self, _: &[FirewallRules]) -> Result<(), MachineError> {
            self.go.lock().unwrap().recv().unwrap();
            self.seen.lock().unwrap().firewalls += 1;
            Ok(())
        }

        fn exits(&self) -> Option<Receiver<MachineExit>> {
            None
        }
    }

    #[derive(Default)]
    struct Reported(Mutex<Vec<(u64, u64)>>, Condvar);

    impl Report for Reported {
        fn job_done(&self, linode: u64, operation: u64, outcome: Result<(), Undone>) {
            outcome.unwrap();
            self.0.lock().unwrap().push((linode, operation));
            self.1.notify_all();
        }

        fn firewalls_in_force(&self) -> Vec<FirewallRules> {
            Vec::new()
        }

        fn firewalls_set(&self, _: Result<(), MachineError>) {}
    }

    #[test]
    fn what_is_not_done_at_the_end_is_told() {
        let jobs = Arc::new(Jobs::new(Noted::new().0, Execution::Threads));
        let report: Arc<dyn Report> = Arc::new(Reported::default());
        assert_eq!(jobs.stop(Instant::now() + Duration::from_secs(30)), [0_u64; 0]);
        jobs.submit(vec![Job { linode: 7, operation: 1, work: Work::Delete }], true, &report);
        assert_eq!(jobs.stop(Instant::now() + Duration::from_secs(30)), [7]);
    }

    #[test]
    fn one_linodes_jobs_are_done_in_order_and_different_ones_at_once() {
        let (machines, go) = Noted::new();
        let jobs = Arc::new(Jobs::new(machines.clone(), Execution::Threads));
        let reported = Arc::new(Reported::default());
        let report: Arc<dyn Report> = reported.clone();
        for linode in 1..=100 {
            let job = |operation, work| Job { linode, operation, work };
            let spec = || Box::new(MachineSpec { id: linode, ..MachineSpec::default() });
            let three = vec![job(1, Work::Boot(spec())), job(2, Work::Reboot(spec())), job(3, Work::Delete)];
            jobs.submit(three, linode == 1, &report);
        }
        // One puts the firewalls in force; all others have a boot in their hands. Any that does not wait goes on to a next.
        let late = Instant::now() + Duration::from_secs(30);
        while jobs.lock().ready.len() > 101 - MOST_WORKERS {
            assert!(Instant::now() < late, "{} workers took no job", jobs.lock().ready.len());
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        let mut done = reported.0.lock().unwrap();
        while done.len() < 300 {
            let (next, late) = reported.1.wait_timeout(done, Duration::from_secs(30)).unwrap();
            assert!(!late.timed_out(), "only {} jobs were done", next.len());
            done = next;
        }
        for linode in 1..=100 {
            let order: Vec<u64> = done.iter().filter(|one| one.0 == linode).map(|one| one.1).collect();
            assert_eq!(order, [1, 2, 3]);
        }
        drop(done);
        let left = jobs.stop(Instant::now() + Duration::from_secs(30));
        assert_eq!(left, [0_u64; 0]);
        let seen = machines.seen.lock().unwrap();
        assert!(seen.calls.values().all(|calls| *calls == ["boot", "power_off", "boot", "delete"]));
        assert!((2..=MOST_WORKERS).contains(&seen.most), "{} at once", seen.most);
        assert_eq!(seen.booted_unguarded, 0, "firewalls come first");
        assert_eq!((jobs.pending(), jobs.lock().workers), (0, 0));
    }
}
