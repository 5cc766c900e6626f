//! Kills a process that executes a run, at each point of its life, and looks at what its journal promises.
//!
//! The test's own executable is the child: `the_child` does nothing unless it is told so by the environment. A child
//! tells each point on its standard output and waits for a byte; at the chosen one it gets SIGKILL instead. The ledger
//! file stands for the world: what is written there has happened.

#![expect(clippy::unwrap_used, reason = "a test")]

use linodetool::core::{Events, Failure, Paths, RunId, SystemClock};
use linodetool::inventory::{Change, Node};
use linodetool::runs::{Done, Effect, Kind, NewRun, Place, RunFilter, Runs, Status, StepCx, StepState};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

const FOLDER: &str = "LINODETOOL_TEST_KILL_FOLDER";
/// Set: the child tells its points and does not wait, so that it dies anywhere.
const FREE: &str = "LINODETOOL_TEST_KILL_FREE";
/// Steps of the root lane, then lanes of as many steps each.
const STEPS: u32 = 3;
const LANES: u32 = 3;
const CONTEXT: &str = "default/default";

/// Where a child may be killed. Told to the parent, which lets it go on or kills it. One lane at a time.
struct Points {
    lock: Mutex<()>,
    waits: bool,
}

impl Points {
    fn pass(&self, name: &str) {
        let _one_at_a_time = self.lock.lock().unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "point {name}").unwrap();
        out.flush().unwrap();
        if self.waits {
            let mut go_on = [0];
            std::io::stdin().read_exact(&mut go_on).unwrap();
        }
    }
}

#[derive(Serialize)]
struct Make {
    name: String,
    #[serde(skip)]
    folder: PathBuf,
    #[serde(skip)]
    points: Arc<Points>,
}

impl Effect for Make {
    const OP: &'static str = "things.make";
    const KIND: Kind = Kind::Write;
    type Out = String;

    async fn perform(&self, cx: &StepCx) -> Result<Done<String>, Failure> {
        self.points.pass("intent is durable");
        let mut ledger = std::fs::OpenOptions::new().append(true).create(true).open(ledger(&self.folder)).unwrap();
        ledger.write_all(format!("{} {}\n", cx.tag(), self.name).as_bytes()).unwrap();
        self.points.pass("effect has happened");
        Ok(self.done())
    }

    async fn reconcile(&self, cx: &StepCx) -> Result<Option<Done<String>>, Failure> {
        self.points.pass("reconciling");
        let happened = lines(&self.folder).iter().any(|line| *line == format!("{} {}", cx.tag(), self.name));
        Ok(happened.then(|| self.done()))
    }
}

impl Make {
    fn done(&self) -> Done<String> {
        let node = Node { name: self.name.clone(), context: CONTEXT.into(), ..Node::default() };
        Done::with(format!("made {}", self.name), vec![Change::put_node(node)])
    }
}

fn ledger(folder: &Path) -> PathBuf {
    folder.join("ledger")
}

fn lines(folder: &Path) -> Vec<String> {
    std::fs::read_to_string(ledger(folder)).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn open(folder: &Path, runtime: &tokio::runtime::Runtime) -> Runs {
    let paths = Paths {
        state: folder.join("state"),
        config: folder.into(),
        data: folder.into(),
        cache: folder.into(),
        linode_cli: folder.into(),
        home: folder.into(),
        work: folder.into(),
        exe: folder.into(),
    };
    Runs::open(&paths, runtime.handle().clone(), Arc::new(SystemClock), Events::none()).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
}

/// The life of a child: takes up the run if there is one, else begins it.
#[test]
fn the_child() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let points = Arc::new(Points { lock: Mutex::new(()), waits: std::env::var_os(FREE).is_none() });
    let runtime = runtime();
    let runs = open(&folder, &runtime);
    let make = |name: String| Make { name, folder: folder.clone(), points: points.clone() };
    points.pass("opened");
    let run = match runs.list(&RunFilter::default()).unwrap().first() {
        Some(run) => runs.reopen(&run.id).unwrap(),
        None => runs.begin(NewRun { title: "test".into(), context: CONTEXT.into(), ..NewRun::default() }).unwrap(),
    };
    points.pass("begun");
    let root = run.root();
    let at = Place::new("test.rhai", 1, 1);
    for number in 0..STEPS {
        root.step(&at, &make(format!("root-{number}"))).unwrap();
        points.pass("step is done");
    }
    let fan_out = root.mark(&at, "lanes", &LANES).unwrap();
    std::thread::scope(|scope| {
        for lane in 0..LANES {
            let (lane_of_run, at, make, points) = (root.child(fan_out, &format!("n-{lane}")), &at, &make, &points);
            scope.spawn(move || {
                for number in 0..STEPS {
                    lane_of_run.step(at, &make(format!("n-{lane}-{number}"))).unwrap();
                    points.pass("lane's step is done");
                }
            });
        }
    });
    assert_eq!(run.unmet(), []);
    points.pass("before the end");
    run.finish(Status::Done).unwrap();
    points.pass("ended");
}

/// A child of ours that is killed when the test fails.
struct Guarded(Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a child; kills it at that point (from 1), if it comes so far. Gives the number of points, and whether it ended.
fn live(folder: &Path, kill_at: usize) -> (usize, bool) {
    live_as(&mut the_command(folder), kill_at)
}

fn the_command(folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["the_child", "--exact", "--nocapture", "--test-threads=1"]).env(FOLDER, folder);
    command
}

fn live_as(command: &mut Command, kill_at: usize) -> (usize, bool) {
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut child = Guarded(child);
    let mut stdin = child.0.stdin.take().unwrap();
    let stdout = BufReader::new(child.0.stdout.take().unwrap());
    let mut points = 0;
    for line in stdout.lines() {
        if line.unwrap().contains("point ") {
            points += 1;
            if points == kill_at {
                child.0.kill().unwrap(); // SIGKILL
                child.0.wait().unwrap();
                return (points, false);
            }
            // A child that does not wait may be gone already.
            let _ = stdin.write_all(b".");
        }
    }
    (points, child.0.wait().unwrap().success())
}

/// What must hold after any death: nothing happened without an intent, what is done has happened and has its row, what
/// has happened is done or in doubt, no lane has a gap.
fn check_promises(folder: &Path) -> usize {
    let runtime = runtime();
    let runs = open(folder, &runtime);
    let happened: BTreeSet<String> =
        lines(folder).iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect();
    let rows: BTreeSet<String> = runs.inventory().nodes(CONTEXT).unwrap().into_iter().map(|node| node.name).collect();
    let Some(run) = runs.list(&RunFilter::default()).unwrap().pop() else {
        assert!(happened.is_empty(), "effects without a run");
        return 0;
    };
    assert_ne!(run.status, Status::Running, "a dead process holds no run");
    assert_eq!(runs.verify(&run.id).unwrap().problems, []);
    let steps = runs.show(&run.id).unwrap().steps;
    let name = |step: &linodetool::runs::StepRecord| step.args["name"].as_str().unwrap_or_default().to_owned();
    let writes: Vec<_> = steps.iter().filter(|step| step.op == Make::OP).collect();
    let done: BTreeSet<_> = writes.iter().filter(|step| step.state == StepState::Done).map(|step| name(step)).collect();
    let intents: BTreeSet<_> = writes.iter().map(|step| name(step)).collect();
    assert!(happened.is_subset(&intents), "{happened:?} without intents {intents:?}");
    assert!(done.is_subset(&happened), "{done:?} are done, but only {happened:?} happened");
    assert_eq!(done, rows, "outcomes and rows are one transaction");
    let mut lanes: std::collections::BTreeMap<&str, Vec<u32>> = std::collections::BTreeMap::new();
    for step in &steps {
        lanes.entry(&step.lane).or_default().push(step.seq);
    }
    for (lane, mut seqs) in lanes {
        seqs.sort_unstable();
        assert!(seqs.iter().copied().eq(0..u32::try_from(seqs.len()).unwrap()), "lane {lane:?} has a gap: {seqs:?}");
    }
    assert!(RunId::parse(run.id.as_str()).is_some());
    writes.iter().filter(|step| step.state == StepState::Intent).count()
}

/// Each effect has happened, and only once.
fn check_once(folder: &Path, made: usize) {
    let all = lines(folder);
    let names: BTreeSet<_> = all.iter().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!((all.len(), names.len()), (made, made), "{all:?}");
}

#[test]
fn a_run_that_dies_anywhere_goes_on() {
    let made = (STEPS + LANES * STEPS) as usize;
    let runtime = runtime();
    for told in (1..40).step_by(3) {
        let folder = tempfile::tempdir().unwrap();
        live_as(the_command(folder.path()).env(FREE, "1"), told);
        let doubts = check_promises(folder.path());
        let is_done = || {
            let run = open(folder.path(), &runtime).list(&RunFilter::default()).unwrap().pop();
            run.is_some_and(|run| run.status == Status::Done)
        };
        if !is_done() {
            assert!(live(folder.path(), usize::MAX).1, "killed after {told} points with {doubts} in doubt");
        }
        assert!(is_done());
        check_promises(folder.path());
        check_once(folder.path(), made);
    }
}

#[test]
fn a_killed_run_goes_on_where_it_was() {
    let wanted = {
        let folder = tempfile::tempdir().unwrap();
        let (points, ended) = live(folder.path(), usize::MAX);
        assert!(ended);
        check_promises(folder.path());
        (points, lines(folder.path()).len())
    };
    let (points, made) = wanted;
    assert_eq!(made, (STEPS + LANES * STEPS) as usize);
    let (mut kills, mut doubts) = (0, 0);
    for point in 1..=points {
        let folder = tempfile::tempdir().unwrap();
        let (_, ended) = live(folder.path(), point);
        assert!(!ended);
        kills += 1;
        doubts += check_promises(folder.path());
        if point == points {
            continue; // it had ended before it died
        }
        if point % 3 == 0 {
            // Again, while it is taken up.
            let (_, ended) = live(folder.path(), 1 + point % 7);
            kills += usize::from(!ended);
            doubts += check_promises(folder.path());
            if ended {
                continue;
            }
        }
        let (_, ended) = live(folder.path(), usize::MAX);
        assert!(ended, "killed at {point}");
        assert_eq!(check_promises(folder.path()), 0);
        check_once(folder.path(), made);
    }
    assert!(kills > points && doubts > points / 4, "{points} points, {kills} kills, {doubts} in doubt");
}
