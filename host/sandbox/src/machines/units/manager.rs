//! Services' lives: start in order, watch, restart, stop.
//!
//! Owns: states and the rules of Restart=. Does not know verbs.

use super::super::fail::{Because, Result, fail};
use super::super::init::{Children, Ended};
use super::file::{ETC, FOREVER, UnitFile, name_of};
use super::order::order;
use super::policy::{clean, failure, restarts, signal_number};
use super::processes::{end, lives, members, signal_all};
use super::run;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};

/// systemd's defaults.
const START_LIMIT: (usize, Duration) = (5, Duration::from_secs(10));
const RESTART_AFTER: Duration = Duration::from_millis(100);
const STOP_WITHIN: Duration = Duration::from_secs(90);
/// At a shutdown a service gets no more than this: a power-off is asked for by someone who waits.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(8);
/// How often a daemon that is not our child by birth is looked at.
const TICK: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum State {
    #[default]
    Inactive,
    Activating,
    Active,
    Deactivating,
    /// Waits for its RestartSec=.
    AutoRestart,
    Failed,
}

/// What is known of a unit that was ever started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unit {
    pub(crate) state: State,
    /// Changes with every start and stop, so that a watcher of an earlier life keeps quiet.
    life: u64,
    pub(crate) main: i32,
    invocation: String,
    /// systemd's `Result`: success, exit-code, signal, timeout, start-limit-hit, resources.
    pub(crate) result: &'static str,
    pub(crate) ended: Option<Ended>,
    pub(crate) restarts: u32,
    starts: Vec<Instant>,
}

/// A start under way: nothing, then how it went.
type Job = watch::Receiver<Option<Result<()>>>;

#[derive(Clone)]
pub(crate) struct Manager {
    children: Arc<Children>,
    units: Arc<Mutex<HashMap<String, Unit>>>,
    /// Starts that are under way, to be joined by whoever wants the same.
    jobs: Arc<Mutex<HashMap<String, Job>>>,
}

impl Manager {
    pub(crate) fn new(children: Arc<Children>) -> Self {
        Self { children, units: Arc::default(), jobs: Arc::default() }
    }

    pub(crate) fn unit(&self, unit: &str) -> Unit {
        self.units().get(unit).cloned().unwrap_or_default()
    }

    pub(crate) fn known(&self) -> BTreeMap<String, Unit> {
        self.units().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    fn units(&self) -> MutexGuard<'_, HashMap<String, Unit>> {
        self.units.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts what is enabled, each after those it names in After=.
    pub(crate) async fn start_enabled(&self) {
        let mut wanted = HashSet::new();
        for target in ["multi-user", "default", "graphical", "network-online"] {
            for e in fs::read_dir(format!("{ETC}/{target}.target.wants")).into_iter().flatten().flatten() {
                if let Some(name) = e.file_name().to_str().filter(|n| n.ends_with(".service")) {
                    wanted.insert(name_of(name));
                }
            }
        }
        self.start_all(wanted.into_iter().collect()).await;
    }

    /// Starts units with what they require and want; answers each named unit's own result.
    pub(crate) async fn start_all(&self, named: Vec<String>) -> Vec<(String, Result<()>)> {
        let order = order(&named, &|u| UnitFile::read(u).ok());
        let mut done: HashMap<String, Job> = HashMap::new();
        for (unit, after) in order {
            let waits: Vec<_> = after.iter().filter_map(|a| done.get(a).cloned()).collect();
            done.insert(unit.clone(), self.job(unit, waits));
        }
        let mut results = Vec::new();
        for unit in named {
            if let Some(r) = done.get(&unit) {
                results.push((unit, outcome(r.clone()).await));
            }
        }
        results
    }

    /// Starts one unit in the background when those before it have been.
    fn job(&self, unit: String, waits: Vec<Job>) -> Job {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(j) = jobs.get(&unit) {
            return j.clone();
        }
        let (tx, rx) = watch::channel(None);
        jobs.insert(unit.clone(), rx.clone());
        let m = self.clone();
        tokio::spawn(async move {
            for w in waits {
                let _ = outcome(w).await; // After= is order alone
            }
            let r = m.start(&unit).await;
            m.jobs.lock().unwrap_or_else(PoisonError::into_inner).remove(&unit);
            let _ = tx.send(Some(r));
        });
        rx
    }

    /// Starts one unit now. Boxed: a restart starts from within a start's watcher.
    fn start<'a>(&'a self, unit: &'a str) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
        Box::pin(async move {
            let f = UnitFile::read(unit)?;
            let (life, invocation) = match self.begin(unit, &f)? {
                Some(b) => b,
                None => return Ok(()),
            };
            match self.launch(unit, &f, life, &invocation).await {
                Ok(()) => Ok(()),
                Err(e) => {
                    end(&invocation, &members(&invocation), libc::SIGTERM, Duration::from_secs(2)).await;
                    self.change(unit, life, |u| (u.state, u.main) = (State::Failed, 0));
                    if restarts(&f, self.unit(unit).ended, false) {
                        self.again(unit.to_owned(), f, life);
                    }
                    fail(format!(
                        "Job for {unit}.service failed: {e}. See \"systemctl status {unit}.service\" and \"journalctl -u {unit}.service\"."
                    ))
                }
            }
        })
    }

    /// A new life, unless it lives already or was started too often.
    fn begin(&self, unit: &str, f: &UnitFile) -> Result<Option<(u64, String)>> {
        let invocation = fs::read_to_string("/proc/sys/kernel/random/uuid")
            .because(|| "cannot read a random id")?
            .trim()
            .replace('-', "");
        let mut units = self.units();
        let u = units.entry(unit.to_owned()).or_default();
        if matches!(u.state, State::Active | State::Activating) {
            return Ok(None);
        }
        let burst = f.get("StartLimitBurst").and_then(|b| b.parse().ok()).unwrap_or(START_LIMIT.0);
        let interval =
            f.duration("StartLimitIntervalSec").or(f.duration("StartLimitInterval")).unwrap_or(START_LIMIT.1);
        u.starts.retain(|t| t.elapsed() < interval);
        if burst > 0 && u.starts.len() >= burst {
            (u.state, u.result) = (State::Failed, "start-limit-hit");
            return fail(format!("Job for {unit}.service failed: start request repeated too quickly"));
        }
        u.starts.push(Instant::now());
        u.life += 1;
        (u.state, u.main, u.result, u.ended) = (State::Activating, 0, "success", None);
        u.invocation.clone_from(&invocation);
        Ok(Some((u.life, invocation)))
    }

    /// Runs the start commands until the unit counts as started.
    async fn launch(&self, unit: &str, f: &UnitFile, life: u64, invocation: &str) -> Result<()> {
        run::folders(f).inspect_err(|_| self.change(unit, life, |u| u.result = "resources"))?;
        for c in f.all("ExecStartPre") {
            self.step(unit, f, c, life, invocation).await?;
        }
        let kind = f.get("Type").unwrap_or(if f.get("ExecStart").is_some() { "simple" } else { "oneshot" });
        if kind == "oneshot" {
            for c in f.all("ExecStart") {
                self.step(unit, f, c, life, invocation).await?;
            }
            for c in f.all("ExecStartPost") {
                self.step(unit, f, c, life, invocation).await?;
            }
            let state = if f.yes("RemainAfterExit") { State::Active } else { State::Inactive };
            self.change(unit, life, |u| u.state = state);
            return Ok(());
        }
        let command = f.get("ExecStart").because(|| "it has no ExecStart=")?;
        let main = if kind == "forking" {
            self.step(unit, f, command, life, invocation).await?;
            (forked(f, invocation).await.because(|| "nothing of it runs after its ExecStart= has ended")?, None)
        } else {
            let started = run::start(&self.children, unit, f, command, invocation, None);
            let (pid, ended) = started.inspect_err(|_| self.change(unit, life, |u| u.result = "resources"))?;
            (pid, Some(ended))
        };
        self.change(unit, life, |u| (u.state, u.main) = (State::Active, main.0));
        tokio::spawn(self.clone().watch(unit.to_owned(), f.clone(), life, main));
        for c in f.all("ExecStartPost") {
            self.step(unit, f, c, life, invocation).await?;
        }
        Ok(())
    }

    /// One command of a start to its end; a failure counts unless it begins with `-`.
    async fn step(&self, unit: &str, f: &UnitFile, command: &str, life: u64, invocation: &str) -> Result<()> {
        let usual = if f.get("Type") == Some("oneshot") { FOREVER } else { STOP_WITHIN };
        let limit = f.limit(&["TimeoutStartSec", "TimeoutSec"]).unwrap_or(usual);
        self.step_within(limit, (unit, f), command, life, invocation).await
    }

    async fn step_within(
        &self,
        limit: Duration,
        (unit, f): (&str, &UnitFile),
        command: &str,
        life: u64,
        invocation: &str,
    ) -> Result<()> {
        let main = Some(self.unit(unit).main).filter(|p| *p > 0);
        let (pid, ended) = run::start(&self.children, unit, f, command, invocation, main)
            .inspect_err(|_| self.change(unit, life, |u| u.result = "resources"))?;
        let ended = tokio::time::timeout(limit, ended).await.ok().and_then(std::result::Result::ok);
        let Some(e) = ended else {
            let _ = super::super::sys::kill(pid, libc::SIGKILL);
            self.change(unit, life, |u| u.result = "timeout");
            return fail(format!("{command} did not end within {} s", limit.as_secs()));
        };
        if e.success() || command.starts_with('-') {
            return Ok(());
        }
        self.change(unit, life, |u| (u.ended, u.result) = (Some(e), failure(e)));
        fail(format!("{command} ended with code {}", e.code()))
    }

    /// Changes a unit if it is still in this life.
    fn change(&self, unit: &str, life: u64, f: impl FnOnce(&mut Unit)) {
        if let Some(u) = self.units().get_mut(unit).filter(|u| u.life == life) {
            f(u);
        }
    }

    /// Waits for the end of a running service and starts it again if its file says so.
    async fn watch(self, unit: String, f: UnitFile, life: u64, (main, ended): (i32, Option<oneshot::Receiver<Ended>>)) {
        let ended = match ended {
            Some(e) => e.await.ok(),
            None => {
                // A daemon that forked is our child by adoption, with nobody to tell us how it ended.
                while lives(main) {
                    sleep(TICK).await;
                }
                Some(Ended(0))
            }
        };
        let u = self.unit(&unit);
        if u.life != life {
            return; // stopped on purpose
        }
        let ok = ended.is_some_and(|e| clean(&f, e));
        if ok && f.yes("RemainAfterExit") {
            return self.change(&unit, life, |u| (u.main, u.ended) = (0, ended));
        }
        end(&u.invocation, &members(&u.invocation), libc::SIGTERM, Duration::from_secs(5)).await;
        for c in f.all("ExecStopPost") {
            let _ = self.step_within(stop_limit(&f), (&unit, &f), c, life, &u.invocation).await;
        }
        let (state, result) =
            if ok { (State::Inactive, "success") } else { (State::Failed, ended.map_or("resources", failure)) };
        self.change(&unit, life, |u| (u.state, u.result, u.main, u.ended) = (state, result, 0, ended));
        if restarts(&f, ended, ok) {
            self.again(unit, f, life);
        }
    }

    fn again(&self, unit: String, f: UnitFile, life: u64) {
        self.change(&unit, life, |u| u.state = State::AutoRestart);
        let m = self.clone();
        tokio::spawn(async move {
            sleep(f.duration("RestartSec").unwrap_or(RESTART_AFTER)).await;
            let waits = m.units().get(&unit).is_some_and(|u| u.life == life && u.state == State::AutoRestart);
            if waits {
                m.change(&unit, life, |u| u.restarts += 1);
                let _ = m.start(&unit).await; // its state tells
            }
        });
    }

    /// Stops a unit; no error if it does not run.
    pub(crate) async fn stop(&self, unit: &str, at_most: Duration) {
        let f = UnitFile::read(unit).unwrap_or_default();
        let (life, invocation, main, ran) = {
            let mut units = self.units();
            let Some(u) = units.get_mut(unit) else { return };
            let ran = matches!(u.state, State::Active | State::Activating);
            u.life += 1;
            u.state = if ran { State::Deactivating } else { State::Inactive };
            (u.life, u.invocation.clone(), u.main, ran)
        };
        if !ran {
            return;
        }
        let patience = stop_limit(&f).min(at_most);
        for c in f.all("ExecStop") {
            if let Ok((_, ended)) = run::start(&self.children, unit, &f, c, &invocation, Some(main).filter(|p| *p > 0))
            {
                let _ = tokio::time::timeout(patience, ended).await;
            }
        }
        let signal = f.get("KillSignal").and_then(signal_number).unwrap_or(libc::SIGTERM);
        let everyone = members(&invocation);
        let in_time = match f.get("KillMode").unwrap_or("control-group") {
            "none" => true,
            "process" => {
                signal_all(&[main].map(|p| if p > 0 { p } else { i32::MAX }), signal);
                let until = Instant::now() + patience;
                while main > 0 && lives(main) && Instant::now() < until {
                    sleep(Duration::from_millis(10)).await;
                }
                true
            }
            "mixed" if main > 0 => end(&invocation, &[main], signal, patience).await,
            _ => end(&invocation, &everyone, signal, patience).await,
        };
        for c in f.all("ExecStopPost") {
            let _ = self.step_within(patience, (unit, &f), c, life, &invocation).await;
        }
        let (state, result) = if in_time { (State::Inactive, "success") } else { (State::Failed, "timeout") };
        self.change(unit, life, |u| (u.state, u.result, u.main) = (state, result, 0));
    }

    pub(crate) async fn stop_named(&self, unit: &str) {
        self.stop(unit, FOREVER).await;
    }

    /// Stops everything at once: the machine goes down.
    pub(crate) async fn stop_all(&self) {
        let all: Vec<String> = self.units().keys().cloned().collect();
        let stops: Vec<_> = all
            .into_iter()
            .map(|unit| {
                let m = self.clone();
                tokio::spawn(async move { m.stop(&unit, SHUTDOWN_WITHIN).await })
            })
            .collect();
        for s in stops {
            let _ = s.await;
        }
    }

    /// Forgets failures.
    pub(crate) fn reset(&self, unit: Option<&str>) {
        for (_, u) in self.units().iter_mut().filter(|(n, _)| unit.is_none_or(|w| w == n.as_str())) {
            u.starts.clear();
            if u.state == State::Failed {
                (u.state, u.result, u.restarts) = (State::Inactive, "success", 0);
            }
        }
    }

    /// Sends a signal to every process of a unit, or runs its ExecReload=.
    pub(crate) fn signal(&self, unit: &str, signal: i32) {
        signal_all(&members(&self.unit(unit).invocation), signal);
    }

    pub(crate) async fn reload(&self, unit: &str) -> Result<()> {
        let (f, u) = (UnitFile::read(unit)?, self.unit(unit));
        if u.state != State::Active {
            return fail(format!("{unit}.service is not active, cannot reload."));
        }
        if f.get("ExecReload").is_none() {
            return fail(format!(
                "Failed to reload {unit}.service: Job type reload is not applicable for unit {unit}.service."
            ));
        }
        for c in f.all("ExecReload") {
            self.step(unit, &f, c, u.life, &u.invocation).await?;
        }
        Ok(())
    }
}

fn stop_limit(f: &UnitFile) -> Duration {
    f.limit(&["TimeoutStopSec", "TimeoutSec"]).unwrap_or(STOP_WITHIN)
}

async fn outcome(mut job: Job) -> Result<()> {
    match job.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(Ok(()))) => Ok(()),
        Ok(Some(Err(e))) => fail(e.0.clone()),
        _ => fail("the start was lost"),
    }
}

/// The main process of a service that forked: what PIDFile= says, else the oldest of those left.
async fn forked(f: &UnitFile, invocation: &str) -> Option<i32> {
    let read = || {
        f.get("PIDFile").and_then(|p| {
            fs::read_to_string(if p.starts_with('/') { p.to_owned() } else { format!("/run/{p}") })
                .ok()?
                .trim()
                .parse()
                .ok()
        })
    };
    // A daemon may write its file a moment after its parent has ended.
    for _ in 0..100 {
        if f.get("PIDFile").is_none() {
            break;
        }
        match read() {
            Some(pid) if lives(pid) => return Some(pid),
            _ => sleep(Duration::from_millis(20)).await,
        }
    }
    members(invocation).into_iter().next()
}
