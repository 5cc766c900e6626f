//! The sandbox itself: one world, and the ways in: requests, time, and what machines do by themselves.
//!
//! Owns: the lock around the world, and that everything a transition wants done outside is done: jobs in order, ledger
//! before the answer. Does not know sockets; in-process callers use it directly.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::act::{self, Acted, What};
use crate::clock::{Clock, Time};
use crate::faults::{Fate, Faults, Spec};
use crate::jobs::{Execution, Jobs, Report};
use crate::ledger::{Entry, Ledger};
use crate::limits::{LimitMode, Limits};
use crate::machines::{FirewallRules, MachineError, MachineExit, Machines};
use crate::secret;
use crate::wire::{Request, Response, TIME};
use crate::world::{Seed, Status, Timing, Undone, World};
use crate::{v3, v4};

/// The scheduler looks at least this often; it is woken when there is something to do earlier.
const LONGEST_NAP: Duration = Duration::from_secs(60);
/// More troubles than these are not kept; the first ones tell what is wrong.
const MOST_TROUBLES: usize = 20;

/// What a sandbox is made with.
#[derive(Clone, Debug)]
pub struct Settings {
    pub timing: Timing,
    pub limits: LimitMode,
    pub faults: Faults,
    pub execution: Execution,
}

/// An emulated cloud with one account. Clones are the same one.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    /// For the threads that work for it.
    myself: Weak<Self>,
    state: Mutex<State>,
    /// The next timer may be due earlier than it was.
    wake: Condvar,
    clock: Arc<dyn Clock>,
    machines: Arc<dyn Machines>,
    jobs: Arc<Jobs>,
    faults: Faults,
    settings: Settings,
    stopping: AtomicBool,
    stop_wanted: Notify,
    /// Waited for at the end.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct State {
    world: World,
    limits: Limits,
    ledger: Ledger,
    /// Why firewalls are not enforced, where they cannot be.
    unenforced: Option<String>,
    /// What went wrong and shows nowhere else.
    troubles: Vec<String>,
}

impl Sandbox {
    /// An empty account; ids go on after those in the ledger.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>, machines: Arc<dyn Machines>, ledger: Ledger) -> Self {
        let last_id = ledger.entries().iter().map(|entry| entry.id).max().unwrap_or(0);
        let mut world = World::new(settings.timing, clock.now(), last_id);
        world.set_faults(&settings.faults);
        let state =
            State { world, limits: Limits::new(settings.limits), ledger, unenforced: None, troubles: Vec::new() };
        let jobs = Arc::new(Jobs::new(Arc::clone(&machines), settings.execution));
        let inner = Arc::new_cyclic(|myself| Inner {
            myself: Weak::clone(myself),
            state: Mutex::new(state),
            wake: Condvar::new(),
            clock,
            machines,
            jobs,
            faults: settings.faults.clone(),
            settings,
            stopping: AtomicBool::new(false),
            stop_wanted: Notify::new(),
            threads: Mutex::default(),
        });
        Self { inner }
    }

    /// Answers a request.
    pub fn handle(&self, request: &Request) -> Response {
        let time = request.header(TIME).and_then(|time| time.parse().ok());
        if let Some(time) = time {
            self.inner.clock.follow(Time(time));
        }
        if v4::resource(&request.path).is_some() || v3::is_at(&request.path) {
            let mut answer = self.answer(request);
            let Timing { read, write, .. } = self.inner.settings.timing;
            answer.delay += if request.method == "GET" { read } else { write };
            // Whoever says what time it is has the emulator's.
            if time.is_some() { answer } else { self.in_real_time(answer) }
        } else if request.path.starts_with("/sandbox/") {
            self.own(request)
        } else {
            let sentence = "Nothing is here: API v4 is under /v4 and /v4beta, API v3 at /.";
            Response::new(404, json!({"errors": [{"reason": sentence}]}))
        }
    }

    /// A client waits in its own time, which passes more slowly than the emulator's.
    fn in_real_time(&self, mut response: Response) -> Response {
        let scale = self.inner.clock.scale();
        for (_, value) in response.headers.iter_mut().filter(|(name, _)| scale > 0.0 && name == "Retry-After") {
            let wait = value.parse().map(Duration::from_secs).unwrap_or_default();
            // Whole seconds are all that it can say, and none would ask for a request at once.
            *value = wait.div_f64(scale).as_secs_f64().ceil().max(1.0).to_string();
        }
        response
    }

    /// A request of the API, and what happens to it.
    fn answer(&self, request: &Request) -> Response {
        self.transition(|state, now| {
            let about = v4::linode_of(&state.world, &request.path).or_else(|| v3::linode_of(&state.world, request));
            let label = about.map(|linode| linode.label.clone());
            let fate = self.inner.faults.fate(request, label.as_deref(), state.world.linodes.len(), now);
            if let Some(instead) = fate.as_ref().and_then(Fate::before) {
                return instead;
            }
            let handle = if v3::is_at(&request.path) { v3::handle } else { v4::handle };
            let response = handle(&mut state.world, &mut state.limits, now, request);
            match fate {
                Some(fate) => fate.after(response),
                None => response,
            }
        })
    }

    /// How long `delay` of the emulator's time takes; zero if its clock only moves when somebody moves it.
    pub(crate) fn really(&self, delay: Duration) -> Duration {
        let clock = &self.inner.clock;
        clock.sleep_until(clock.now().after(delay)).unwrap_or_default()
    }

    /// Does what is due by now.
    pub fn tick(&self) {
        self.transition(|_, _| ());
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Time> {
        self.lock().world.next_due()
    }

    /// A new token with these scopes (`*`, or words like `linodes:read_only`).
    pub fn add_token(&self, scopes: &str) -> std::io::Result<String> {
        let secret = secret::random()?;
        self.transition(|state, now| state.world.add_token(&secret, "", scopes, now));
        Ok(secret)
    }

    /// What depends on who came first depends on names from now on, so that one life can be compared with another.
    pub(crate) fn repeatable(&self) {
        self.lock().world.give_addresses_by_name();
    }

    /// Puts into this world, which is new, what is there in the one that it stands for; what is to run runs at once.
    ///
    /// # Errors
    /// What the machines say.
    pub fn seed(&self, seed: Seed) -> Result<(), MachineError> {
        let running = self.transition(|state, now| state.world.sow(seed, now));
        running.iter().try_for_each(|spec| self.inner.machines.boot(spec))
    }

    /// Everything ever created and destroyed.
    pub fn ledger(&self) -> Vec<Entry> {
        self.lock().ledger.entries().to_vec()
    }

    /// What goes wrong in it, to be changed or looked at.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// A machine went down by itself.
    pub fn machine_exited(&self, exit: MachineExit) {
        if self.stopping() {
            return; // They all go down now.
        }
        self.transition(|state, now| {
            "a machine went down by itself".clone_into(&mut state.world.reason);
            state.world.machine_exited(exit, now);
        });
    }

    /// Starts the threads that watch the time and the machines. They end when the sandbox is stopped.
    pub fn start_threads(&self) -> std::io::Result<()> {
        let sandbox = self.clone();
        let watch = std::thread::Builder::new().name("sandbox-time".to_owned()).spawn(move || sandbox.watch_time())?;
        self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner).push(watch);
        if let Some(exits) = self.inner.machines.exits() {
            // Holds nothing: it ends when the machines are dropped, which it must not delay.
            let inner = Arc::downgrade(&self.inner);
            std::thread::Builder::new().name("sandbox-exits".to_owned()).spawn(move || {
                while let Ok(exit) = exits.recv() {
                    let Some(inner) = inner.upgrade() else { return };
                    Self { inner }.machine_exited(exit);
                }
            })?;
        }
        Ok(())
    }

    /// Returns when somebody asked for the end through the API.
    pub async fn stop_wanted(&self) {
        self.inner.stop_wanted.notified().await;
    }

    /// Ends the cloud: powers off and removes all machines, for at most `patience`, and notes what died.
    pub fn stop(&self, patience: Duration) {
        let end = Instant::now() + patience;
        {
            // With the lock, so that nobody is between looking and sleeping.
            let _state = self.lock();
            self.inner.stopping.store(true, Ordering::SeqCst);
            self.inner.wake.notify_all();
        }
        for thread in std::mem::take(&mut *self.inner.threads.lock().unwrap_or_else(PoisonError::into_inner)) {
            if thread.join().is_err() {
                tracing::error!("a thread of the sandbox panicked");
            }
        }
        // Those of Linodes that were just deleted may still be there.
        let mut linodes: BTreeSet<u64> = self.inner.jobs.stop(end).into_iter().collect();
        linodes.extend(self.lock().world.linodes.keys());
        let linodes = linodes.into_iter().collect();
        self.end_machines(linodes, end);
        let now = self.inner.clock.now().wire();
        if let Err(error) = self.lock().ledger.all_died(&now, "the sandbox was stopped") {
            tracing::error!(%error, "cannot write the sandbox's ledger");
        }
    }

    /// All at once, or up to eight at a time; what takes longer than `patience` is left to the end of the machines' room.
    fn end_machines(&self, linodes: Vec<u64>, end: Instant) {
        let patience = end.saturating_duration_since(Instant::now());
        if linodes.is_empty() {
            return;
        }
        let (told, answer) = std::sync::mpsc::channel();
        let machines = Arc::clone(&self.inner.machines);
        let spawned = std::thread::Builder::new().name("sandbox-stop".to_owned()).spawn(move || {
            let _ = told.send(machines.delete_all()); // nobody waits any more
        });
        let at_once = spawned.is_ok().then(|| answer.recv_timeout(patience).ok().flatten()).flatten();
        match at_once {
            Some(Ok(())) => return,
            Some(Err(error)) => tracing::warn!(%error, "cannot end all machines at once"),
            None => {}
        }
        let patience = end.saturating_duration_since(Instant::now());
        let (done, all_done) = std::sync::mpsc::channel::<()>();
        let left = Arc::new(Mutex::new(linodes));
        for _ in 0..8 {
            let (left, done, machines) = (Arc::clone(&left), done.clone(), Arc::clone(&self.inner.machines));
            let spawned = std::thread::Builder::new().name("sandbox-stop".to_owned()).spawn(move || {
                loop {
                    let next = left.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(id) = next else { break };
                    for outcome in [machines.power_off(id), machines.delete(id)] {
                        if let Err(error) = outcome {
                            tracing::warn!(linode = id, %error, "cannot end a machine");
                        }
                    }
                }
                drop(done);
            });
            if let Err(error) = spawned {
                tracing::error!(%error, "cannot start a thread to end the machines");
            }
        }
        drop(done);
        // Nothing is ever sent: the channel closes when the last thread is through.
        let _ = all_done.recv_timeout(patience);
    }

    fn watch_time(&self) {
        let mut state = self.lock();
        while !self.stopping() {
            let nap = match state.world.next_due() {
                None => LONGEST_NAP,
                Some(due) => self.inner.clock.sleep_until(due).unwrap_or(LONGEST_NAP).min(LONGEST_NAP),
            };
            if nap.is_zero() {
                drop(state);
                self.tick();
                state = self.lock();
            } else {
                state = self.inner.wake.wait_timeout(state, nap).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }

    fn stopping(&self) -> bool {
        self.inner.stopping.load(Ordering::SeqCst)
    }

    /// Everything that changes the world goes through here: first what is due, then the change, then what follows.
    fn transition<T>(&self, change: impl FnOnce(&mut State, Time) -> T) -> T {
        let mut state = self.lock();
        let now = self.inner.clock.now();
        self.inner.machines.time_is(now);
        state.world.run_due(now);
        let result = change(&mut state, now);
        self.inner.settle(&mut state);
        drop(state);
        self.inner.jobs.run_inline(&*self.inner);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.lock()
    }

    /// The sandbox's own calls, which no cloud has.
    fn own(&self, request: &Request) -> Response {
        let secret = request.header("authorization").and_then(|header| header.strip_prefix("Bearer "));
        let entitled = secret
            .is_some_and(|secret| self.lock().world.tokens.get(secret.trim()).is_some_and(|token| token.scopes == "*"));
        if !entitled {
            return Response::new(401, json!({"errors": [{"reason": "Invalid Token"}]}));
        }
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/sandbox/status") => Response::new(200, self.status()),
            ("GET", "/sandbox/ledger") => Response::new(200, json!({"entries": self.lock().ledger.entries()})),
            ("POST", "/sandbox/nodes/act") => self.act(&request.body),
            ("GET", "/sandbox/faults") => {
                let parameters = request.parameters();
                let after =
                    parameters.iter().find(|(name, _)| name == "after").and_then(|(_, number)| number.parse().ok());
                Response::new(200, json!({"faults": self.inner.faults.log(after.unwrap_or_default())}))
            }
            ("POST", "/sandbox/faults") => self.set_faults(&request.body),
            ("POST", "/sandbox/stop") => {
                self.inner.stop_wanted.notify_one();
                Response::new(200, json!({}))
            }
            _ => Response::new(404, json!({"errors": [{"reason": "Not found"}]})),
        }
    }

    /// On a machine that is only simulated; one whose Linode is not shown as running does not answer yet.
    fn act(&self, body: &[u8]) -> Response {
        let request: act::Request = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(why) => return Response::new(400, json!({"errors": [{"reason": format!("{why}")}]})),
        };
        self.tick();
        let now = self.inner.clock.now();
        let id = self.inner.machines.simulated_at(&request.address);
        let runs = |id| self.lock().world.linodes.get(&id).is_some_and(|linode| linode.status == Status::Running);
        let acted = match id {
            Some(id) if !runs(id) => {
                let what = What::Unreachable { why: "connection refused".to_owned() };
                Some(Acted { takes_ms: 0, what })
            }
            _ => self.inner.machines.act(request, now),
        };
        match acted.map(serde_json::to_value) {
            Some(Ok(acted)) => Response::new(200, acted),
            Some(Err(why)) => Response::new(500, json!({"errors": [{"reason": format!("{why}")}]})),
            None => {
                Response::new(501, json!({"errors": [{"reason": "These machines are real: reach them over SSH."}]}))
            }
        }
    }

    /// `{"spec": "flaky", "seed": 7}`; what is not given stays.
    fn set_faults(&self, body: &[u8]) -> Response {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let wrong = |reason: String| Response::new(400, json!({"errors": [{"field": "spec", "reason": reason}]}));
        let (spec, seed) = (body["spec"].as_str().map(Spec::parse), body["seed"].as_u64());
        match spec.transpose() {
            Ok(None) if seed.is_none() => wrong("spec is required".to_owned()),
            Ok(spec) => {
                self.inner.faults.replace(spec, seed);
                Response::new(200, self.faults_told())
            }
            Err(error) => wrong(error.to_string()),
        }
    }

    fn faults_told(&self) -> Value {
        let (spec, seed) = self.inner.faults.in_force();
        json!({"in_force": spec, "seed": seed, "injected": self.inner.faults.count()})
    }

    fn status(&self) -> Value {
        self.tick();
        let jobs = self.inner.jobs.pending();
        let state = self.lock();
        let world = &state.world;
        let count = |status: Status| world.linodes.values().filter(|linode| linode.status == status).count();
        json!({
            "pid": std::process::id(),
            "began": world.began.wire(),
            "now": self.inner.clock.now().wire(),
            "now_ms": self.inner.clock.now().0,
            "linodes": {"total": world.linodes.len(), "running": count(Status::Running), "offline": count(Status::Offline)},
            "jobs": jobs,
            "limits": if self.inner.settings.limits == LimitMode::Real { "real" } else { "off" },
            "timing": if self.inner.settings.timing == Timing::real() { "real" } else { "fast" },
            "time_scale": self.inner.clock.scale(),
            "faults": self.faults_told(),
            "simulated": self.inner.machines.are_simulated(),
            "machines_run": self.inner.machines.about(),
            "firewalls_enforced": state.unenforced.is_none(),
            "firewalls_not_enforced_because": state.unenforced,
            "troubles": state.troubles,
        })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands on what the transitions want done outside, in their order, since the world is still locked.
    fn settle(&self, state: &mut State) {
        // What a Linode's host has still to do begins when the Linode comes to rest.
        state.world.advance_hosts(self.clock.now());
        let outside = state.world.take_outside();
        for entry in outside.ledger {
            if let Err(error) = state.ledger.append(entry) {
                state.trouble(format!("The ledger cannot be written: {error}"));
            }
        }
        if outside.timers_changed {
            self.wake.notify_all();
        }
        if let Some(myself) = self.myself.upgrade() {
            let report: Arc<dyn Report> = myself;
            self.jobs.submit(outside.jobs, outside.firewalls_changed, &report);
        }
    }
}

impl State {
    fn trouble(&mut self, what: String) {
        tracing::error!("{what}");
        if self.troubles.len() < MOST_TROUBLES {
            self.troubles.push(what);
        }
    }
}

/// How outcomes of jobs come back. The jobs hold no strong reference to it: they end with the sandbox.
impl Report for Inner {
    fn job_done(&self, linode: u64, operation: u64, outcome: Result<(), Undone>) {
        let mut state = self.lock();
        let now = self.clock.now();
        state.world.run_due(now);
        if let Err(Undone { why, .. }) = &outcome
            && !state.world.linodes.contains_key(&linode)
        {
            state.trouble(format!("Machine {linode} of a deleted Linode: {why}"));
        }
        state.world.job_done(linode, operation, outcome, now);
        self.settle(&mut state);
    }

    fn firewalls_in_force(&self) -> Vec<FirewallRules> {
        self.lock().world.firewalls_in_force()
    }

    fn firewalls_set(&self, outcome: Result<(), MachineError>) {
        let mut state = self.lock();
        let why = outcome.err().map(|error| error.to_string());
        if let Some(why) = &why
            && state.unenforced.is_none()
        {
            tracing::warn!(%why, "firewalls are not enforced");
        }
        state.unenforced = why;
    }
}
