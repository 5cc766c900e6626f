//! Figures of the journal: steps a second, commits a step, time to take up a long run, time from cancel to answer.
//!
//! `cargo bench -p linodetool --bench journal`. In the folder of `TMPDIR`, whose disk decides.

#![expect(clippy::print_stdout, reason = "figures are what a bench is for")]

use linodetool::core::{Events, Failure, Paths, SystemClock};
use linodetool::inventory::{Change, Node};
use linodetool::runs::{Done, Effect, Kind, NewRun, Place, Runs, StepCx, StepError};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A write that takes no time and changes a row.
#[derive(Serialize)]
struct Touch {
    node: String,
    command: &'static str,
}

impl Effect for Touch {
    const OP: &'static str = "node.run";
    const KIND: Kind = Kind::Write;
    type Out = String;

    async fn perform(&self, _cx: &StepCx) -> Result<Done<String>, Failure> {
        let node = Node { name: self.node.clone(), context: "default/default".into(), ..Node::default() };
        Ok(Done::with("some output of a command".to_owned(), vec![Change::put_node(node)]))
    }

    async fn reconcile(&self, _cx: &StepCx) -> Result<Option<Done<String>>, Failure> {
        Ok(None)
    }
}

#[derive(Serialize)]
struct Look(u32);

impl Effect for Look {
    const OP: &'static str = "node.facts";
    const KIND: Kind = Kind::Read;
    type Out = u32;

    async fn perform(&self, _cx: &StepCx) -> Result<Done<u32>, Failure> {
        Ok(self.0.into())
    }

    async fn reconcile(&self, _cx: &StepCx) -> Result<Option<Done<u32>>, Failure> {
        Ok(None)
    }
}

#[derive(Serialize)]
struct Hang;

impl Effect for Hang {
    const OP: &'static str = "node.wait";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _cx: &StepCx) -> Result<Done<()>, Failure> {
        std::future::pending().await
    }

    async fn reconcile(&self, _cx: &StepCx) -> Result<Option<Done<()>>, Failure> {
        Ok(None)
    }
}

fn main() {
    // `cargo test --all-targets` starts benches too, where figures mean nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    for (lanes, each) in [(1, 2_000), (16, 500), (64, 400), (256, 100)] {
        let folder = tempfile::tempdir().expect("a folder");
        let (rate, commits) = steps(&open(folder.path(), &runtime), lanes, each);
        println!("write steps, {lanes:>3} lanes: {rate:>7.0}/s, {commits:.2} commits a step");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let rate = reads(&open(folder.path(), &runtime), 100_000);
    println!("read steps,    1 lane:  {rate:>7.0}/s");
    for count in [10_000, 100_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let (load, replay) = resume(folder.path(), &runtime, count);
        println!("resume of {count:>6} done steps: load {load:.0?}, replay {replay:.0?}");
    }
    let mut times: Vec<_> = (0..21).map(|_| cancel(&runtime)).collect();
    times.sort();
    println!("cancel to answer: median {:.1?}, worst {:.1?}", times[10], times[20]);
}

fn open(folder: &Path, runtime: &tokio::runtime::Runtime) -> Runs {
    let elsewhere = Path::new("/nowhere").to_owned();
    let paths = Paths {
        state: folder.to_owned(),
        config: elsewhere.clone(),
        data: elsewhere.clone(),
        cache: elsewhere.clone(),
        linode_cli: elsewhere.clone(),
        home: elsewhere.clone(),
        work: elsewhere.clone(),
        exe: elsewhere,
    };
    Runs::open(&paths, runtime.handle().clone(), Arc::new(SystemClock), Events::none()).expect("a state directory")
}

fn place() -> Place {
    Place::new("lib/hadoop.rhai", 12, 34)
}

/// Write steps a second, each durable before its effect, and commits a step.
fn steps(runs: &Runs, lanes: u32, each: u32) -> (f64, f64) {
    let run = runs.begin(NewRun::default()).expect("a run");
    let root = run.root();
    let fan_out = root.mark(&place(), "lanes", &lanes).expect("a fan-out");
    runs.barrier().expect("durable");
    let (before, begin) = (runs.traffic(), Instant::now());
    std::thread::scope(|scope| {
        for number in 0..lanes {
            let lane = root.child(fan_out, &format!("worker-{number}"));
            scope.spawn(move || {
                for _ in 0..each {
                    let touch = Touch { node: format!("worker-{number}"), command: "systemctl is-active hadoop" };
                    lane.step(&place(), &touch).expect("a step");
                }
            });
        }
    });
    runs.barrier().expect("durable");
    let all = f64::from(lanes * each);
    let commits = runs.traffic().commits - before.commits;
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let commits = commits as f64 / all;
    (all / begin.elapsed().as_secs_f64(), commits)
}

fn reads(runs: &Runs, count: u32) -> f64 {
    let run = runs.begin(NewRun::default()).expect("a run");
    let root = run.root();
    let begin = Instant::now();
    for number in 0..count {
        root.step(&place(), &Look(number)).expect("a step");
    }
    runs.barrier().expect("durable");
    f64::from(count) / begin.elapsed().as_secs_f64()
}

/// Time to load a run of that many done writes, and for a script to come by them all.
fn resume(folder: &Path, runtime: &tokio::runtime::Runtime, count: u32) -> (Duration, Duration) {
    const LANES: u32 = 100;
    let walk = |runs: &Runs, run: &Arc<linodetool::runs::Run>| {
        let root = run.root();
        let fan_out = root.mark(&place(), "lanes", &LANES).expect("a fan-out");
        std::thread::scope(|scope| {
            for number in 0..LANES {
                let lane = root.child(fan_out, &format!("worker-{number}"));
                scope.spawn(move || {
                    for _ in 0..count / LANES {
                        let touch = Touch { node: format!("worker-{number}"), command: "systemctl is-active hadoop" };
                        lane.step(&place(), &touch).expect("a step");
                    }
                });
            }
        });
        runs.barrier().expect("durable");
    };
    let runs = open(folder, runtime);
    let run = runs.begin(NewRun::default()).expect("a run");
    walk(&runs, &run);
    let id = run.id().clone();
    drop((run, runs));
    let runs = open(folder, runtime);
    let begin = Instant::now();
    let run = runs.reopen(&id).expect("the run");
    let load = begin.elapsed();
    let begin = Instant::now();
    walk(&runs, &run);
    (load, begin.elapsed())
}

fn cancel(runtime: &tokio::runtime::Runtime) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let runs = open(folder.path(), runtime);
    let run = runs.begin(NewRun::default()).expect("a run");
    let lane = run.root();
    let waiter = std::thread::spawn(move || {
        let answer = lane.step(&place(), &Hang);
        (answer, Instant::now())
    });
    std::thread::sleep(Duration::from_millis(30));
    let begin = Instant::now();
    run.cancel().set();
    let (answer, at) = waiter.join().expect("the lane");
    assert_eq!(answer, Err(StepError::Cancelled));
    at.duration_since(begin)
}
