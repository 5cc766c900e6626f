//! `linodetool recipe test --crash-everywhere`: the proof that a recipe goes on from wherever its process dies.
//!
//! Owns the cases, who works on them, and how a process of ours is told to die. What dies is a real process of this very
//! binary, by a real SIGKILL; the world it works on lives in this process and judges. Does not know what a step does.

mod case;
mod judge;
mod points;
mod report;
mod world;

use super::args::{Globals, assignment};
use super::environment::Environment;
use super::error::{CliError, OK};
use super::interrupt::Interrupt;
use super::output::Output;
use super::run::RunArgs;
use super::sandbox::lifecycle::of_client;
use crate::app::emulated::Emulated;
use crate::core::{Failure, FailureKind, Paths, Secret, VirtualTime};
use crate::provider::Pace;
use crate::runs::{CrashPoints, Runs};
use crate::script;
use case::Bench;
use clap::{Args, ValueEnum};
use judge::EndState;
use linodetool_sandbox::client;
use points::{Case, Selection};
use report::Report;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Names the point at which a process of ours dies; see `CrashPoints::parse`. Not for users.
pub(crate) const POINTS: &str = "LINODETOOL_CRASH";

/// Between two lines of progress.
const PROGRESS: Duration = Duration::from_secs(10);

/// What cases that fail say is shown of so many; a recipe that cannot be resumed fails in all of them.
const SHOWN: usize = 20;

/// Prove that a recipe goes on from wherever its process dies
///
/// Runs the recipe once undisturbed in a sandbox of its own, and then once for each point of it: just before a step is
/// noted in the journal, after that, while a node executes a command, and after its effect. There the process gets a SIGKILL; `runs resume` must
/// bring everything to the same end, with nothing made twice and nothing left over. No account is used.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool recipe test ./mine.rhai --crash-everywhere
  linodetool recipe test hadoop --crash-everywhere --set workers=2 --points 1/20
  linodetool recipe test hadoop --crash-everywhere --points node.run,:running
  linodetool recipe test ./mine.rhai --crash-everywhere --points '4.web-1.2#1:effect'
  linodetool recipe test ./mine.rhai --crash-everywhere --points 1/20 --faults flaky --seed 7")]
pub(crate) struct TestArgs {
    /// A recipe's path or name
    recipe: String,
    /// Kill it at every point, and resume it
    #[arg(long, required = true)]
    crash_everywhere: bool,
    /// Set a parameter of the recipe
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    set: Vec<(String, String)>,
    /// So many at the same time [default: one per processor]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// What a Linode is
    #[arg(long, value_enum, default_value_t = Machines::Simulated)]
    machines: Machines,
    /// Only these: all, 1/N (each Nth, and each operation in each phase), or a list of operations, :PHASE (before, intent,
    /// running, effect), STEP#ATTEMPT:PHASE, and A+B (killed at A, and again at B while resuming)
    #[arg(long, value_name = "SPEC", default_value = "all")]
    points: Selection,
    /// Let the cloud of the killed runs fail as real ones do, too: `flaky`, `lost-reply:5%`, or a file of such lines (see
    /// `linodetool sandbox faults --help`); they are resumed until they end well
    #[arg(long, value_name = "SPEC|FILE")]
    faults: Option<String>,
    /// Decides which points are chosen by 1/N, where runs are killed a second time, and which faults happen
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Machines {
    /// A Linux machine made of namespaces: real commands, in real time
    Namespaces,
    /// Simulated, in virtual time: commands succeed, and say what the recipe gives for a rehearsal
    Simulated,
}

impl TestArgs {
    pub(crate) fn run(
        &self,
        env: &Environment,
        paths: &Paths,
        globals: &Globals,
        scripts: &script::Host,
        out: &Output,
    ) -> Result<u8, CliError> {
        let run = RunArgs { recipe: self.recipe.clone(), set: self.set.clone(), ..RunArgs::default() };
        run.check(scripts)?;
        let interrupt = Interrupt::watch(out)?;
        let began = Instant::now();
        let bench = Bench::open(self, env, paths, globals, interrupt.cancel())?;
        let (points, wanted) = bench.undisturbed()?;
        let cases = self.points.cases(&points, self.seed)?;
        out.note(&format!("{}: {} points, {} runs to kill", self.recipe, points.len(), cases.len()));
        let jobs = self.jobs.map_or_else(processors, usize::from).min(cases.len());
        let report = self.try_all(&bench, &cases, &wanted, jobs, out);
        if interrupt.cancel().is_set() {
            return Err(Failure::new(FailureKind::Cancelled, "interrupted").into());
        }
        let report = Report { points: points.len(), seconds: began.elapsed().as_secs_f64(), ..report };
        out.result(&report, || report.text())?;
        if report.failures.is_empty() { Ok(OK) } else { Err(CliError::Exit(report::FAILED)) }
    }

    /// So many workers, each with the next case.
    fn try_all(&self, bench: &Bench, cases: &[Case], wanted: &EndState, jobs: usize, out: &Output) -> Report {
        let (next, report) = (AtomicUsize::new(0), Mutex::new(Report::of(&self.recipe)));
        let said = Mutex::new(Instant::now());
        let work = || {
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                let verdict = bench.attempt(case, wanted);
                if bench.cancel.is_set() {
                    return;
                }
                let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(failure) = report.add(case, &verdict, || self.reproduce(case))
                    && report.failures.len() <= SHOWN
                {
                    out.note(&failure);
                }
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                if said.elapsed() > PROGRESS {
                    *said = Instant::now();
                    out.note(&format!("{} of {} tried, {} survived", report.tried, cases.len(), report.survived));
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..jobs {
                scope.spawn(work);
            }
        });
        report.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The command that tries this case alone.
    fn reproduce(&self, case: &Case) -> String {
        let machines = match self.machines {
            Machines::Namespaces => "namespaces",
            Machines::Simulated => "simulated",
        };
        let mut words =
            vec!["linodetool", "recipe", "test", &self.recipe, "--crash-everywhere", "--machines", machines]
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>();
        for (name, value) in &self.set {
            words.extend(["--set".to_owned(), format!("{name}={value}")]);
        }
        if let Some(faults) = &self.faults {
            words.extend(["--faults".to_owned(), faults.clone(), "--seed".to_owned(), self.seed.to_string()]);
        }
        words.extend(["--points".to_owned(), case.to_string()]);
        words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

/// As a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./=:,+@%".contains(&b);
    if !word.is_empty() && word.bytes().all(plain) { word.to_owned() } else { crate::nodes::sh_quote(word) }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The cloud of a test, if it is one in virtual time.
pub(crate) fn emulated(outer: &Paths) -> Result<Option<Emulated>, CliError> {
    let Some(running) = client::status(&outer.sandbox()).filter(|running| running.virtual_time) else {
        return Ok(None);
    };
    let token = std::fs::read_to_string(&running.token_file)
        .map_err(|e| Failure::new(FailureKind::Local, format!("the cloud's token cannot be read: {e}")))?;
    let now = client::details(&running).map_err(|e| of_client(&e))?["now_ms"].as_u64();
    let now = now.ok_or_else(|| Failure::internal("the cloud does not tell its time"))?;
    let (token, time) = (Secret::new(token.trim().to_owned()), Arc::new(VirtualTime::new(now)));
    Ok(Some(Emulated::elsewhere(&running.v4, token, time, Pace::default())?))
}

/// Makes this process one that dies where it was told to, and with the process that started it.
pub(crate) fn obey(points: &str, runs: &Runs) -> Result<(), Failure> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(|e| Failure::new(FailureKind::Local, format!("this process cannot be tied to its parent: {e}")))?;
    runs.watch_points(CrashPoints::parse(points)?);
    Ok(())
}
