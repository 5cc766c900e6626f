//! Tests of runs, steps and lanes against a world in memory.

use super::*;
use crate::core::{Cancel, Clock, Events, Failure, FailureKind, Paths, RunId, Time};
use crate::inventory::{Change, Node};
use expect_test::{Expect, expect};
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

mod doubt;
mod journal;
mod lanes;
mod resume;
mod steps;
mod verify;

/// One second a look.
struct Ticking(AtomicU64);

impl Time for Ticking {}

impl Clock for Ticking {
    fn now_ms(&self) -> u64 {
        1_000 * self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// What is outside: lives on when the runs are dropped, as the cloud does.
#[derive(Clone, Default)]
struct World(Arc<Mutex<WorldState>>);

#[derive(Default)]
struct WorldState {
    /// `tag name` of all that was ever made.
    made: Vec<(String, String)>,
    /// The next calls fail so.
    failures: Vec<Failure>,
    /// Reconciling fails so.
    lost: Option<Failure>,
    reads: u32,
}

impl World {
    fn made(&self) -> Vec<String> {
        self.0.lock().unwrap().made.iter().map(|(_, name)| name.clone()).collect()
    }

    fn fail_next(&self, failure: Failure) {
        self.0.lock().unwrap().failures.push(failure);
    }
}

/// A write: makes something that carries the step's tag.
#[derive(Serialize)]
struct Make {
    name: String,
    #[serde(skip)]
    world: World,
}

impl Effect for Make {
    const OP: &'static str = "things.make";
    const KIND: Kind = Kind::Write;
    type Out = String;

    async fn perform(&self, cx: &StepCx) -> Result<Done<String>, Failure> {
        let mut world = self.world.0.lock().unwrap();
        if let Some(failure) = world.failures.pop() {
            return Err(failure);
        }
        world.made.push((cx.tag(), self.name.clone()));
        Ok(made(&self.name))
    }

    async fn reconcile(&self, cx: &StepCx) -> Result<Option<Done<String>>, Failure> {
        let world = self.world.0.lock().unwrap();
        if let Some(failure) = &world.lost {
            return Err(failure.clone());
        }
        Ok(world.made.iter().any(|(tag, _)| *tag == cx.tag()).then(|| made(&self.name)))
    }
}

fn made(name: &str) -> Done<String> {
    let node = Node { name: name.into(), context: "default/default".into(), ..Node::default() };
    Done::with(format!("made {name}"), vec![Change::put_node(node)])
}

/// A write that never answers.
#[derive(Serialize)]
struct Hang;

impl Effect for Hang {
    const OP: &'static str = "things.hang";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _cx: &StepCx) -> Result<Done<()>, Failure> {
        std::future::pending().await
    }

    async fn reconcile(&self, _cx: &StepCx) -> Result<Option<Done<()>>, Failure> {
        Ok(Some(().into()))
    }
}

/// A read: counts how often it looked.
#[derive(Serialize)]
struct Look {
    #[serde(skip)]
    world: World,
}

impl Effect for Look {
    const OP: &'static str = "things.look";
    const KIND: Kind = Kind::Read;
    type Out = u32;

    async fn perform(&self, _cx: &StepCx) -> Result<Done<u32>, Failure> {
        let mut world = self.world.0.lock().unwrap();
        if let Some(failure) = world.failures.pop() {
            return Err(failure);
        }
        world.reads += 1;
        Ok(world.reads.into())
    }

    fn reconcile(&self, _cx: &StepCx) -> impl Future<Output = Result<Option<Done<u32>>, Failure>> + Send {
        performs_again()
    }
}

/// A state directory, a runtime, and a world that outlives both.
struct Desk {
    dir: tempfile::TempDir,
    runtime: Runtime,
    clock: Arc<Ticking>,
    world: World,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        Self { dir, runtime, clock: Arc::new(Ticking(AtomicU64::new(1))), world: World::default() }
    }

    fn paths(&self) -> Paths {
        paths(self.dir.path())
    }

    fn open(&self) -> Runs {
        Runs::open(&self.paths(), self.runtime.handle().clone(), self.clock.clone(), Events::none()).unwrap()
    }

    fn make(&self, name: &str) -> Make {
        Make { name: name.into(), world: self.world.clone() }
    }

    fn look(&self) -> Look {
        Look { world: self.world.clone() }
    }
}

fn paths(state: &Path) -> Paths {
    let none = Path::new("/nowhere").to_owned();
    Paths {
        state: state.to_owned(),
        config: none.clone(),
        data: none.clone(),
        cache: none.clone(),
        linode_cli: none.clone(),
        home: none.clone(),
        work: none.clone(),
        exe: none,
    }
}

fn new_run() -> NewRun {
    NewRun {
        title: "run hadoop.rhai".into(),
        command_line: "linodetool run hadoop.rhai".into(),
        context: "default/default".into(),
        provider: "linode-v4".into(),
        recipe: Some(("hadoop.rhai".into(), "nodes::create(#{})".into())),
        params: serde_json::json!({ "workers": 3 }),
        versions: [("linodetool".to_owned(), "0.1.0".to_owned())].into(),
        facts: [].into(),
    }
}

fn at(line: u32) -> Place {
    Place::new("hadoop.rhai", line, 5)
}

/// Steps one a line: path, operation, state, attempt, what came of it.
fn check_steps(runs: &Runs, id: &RunId, expected: &Expect) {
    let detail = runs.show(id).unwrap();
    let mut text = String::new();
    for step in &detail.steps {
        let came = match (&step.outcome, &step.failure) {
            (Some(value), _) => value.to_string(),
            (None, Some(failure)) => failure.to_string(),
            (None, None) => "?".to_owned(),
        };
        let state = format!("{:?}", step.state).to_lowercase();
        text += &format!("{} {} {} #{}: {came}\n", step.path, step.op, state, step.attempt);
    }
    expected.assert_eq(&text);
}

fn failed(kind: FailureKind, message: &str) -> Failure {
    Failure::new(kind, message)
}

/// The token is set by another thread as soon as the step is at work.
fn cancel_after(cancel: &Cancel, time: Duration) -> std::thread::JoinHandle<Instant> {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        Cancel::default().sleep(time);
        let now = Instant::now();
        cancel.set();
        now
    })
}
