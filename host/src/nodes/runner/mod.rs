//! Durable commands: each is started once, in a record of its own on the node, and outlives the connection, this
//! process and this computer. Owns the scripts on the node. Does not know runs: the caller says where the record lies.
//!
//! A short command costs one round trip: claim, start, wait and answer are one `exec`. One that takes longer, and whose
//! lines somebody wants to see, is followed on a second channel; after a lost connection only what is new is fetched.

mod place;
mod said;
#[cfg(test)]
mod tests;

pub use place::Place;

use super::exec::{Capture, Ended, check_env};
use super::output::Stream;
use super::quote::{exports, sh_command};
use super::{NodeError, Nodes, OnLine, Output, Result, Target};
use said::{Said, State, Trailer};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinHandle;

const START: &str = include_str!("start.sh");
const WATCH: &str = include_str!("watch.sh");
/// What the answer of a start may hold of each stream; the rest is fetched by following.
const CAP: usize = 256 * 1024;
/// A command that takes longer is followed, if somebody listens.
const FOLLOW_AFTER: Duration = Duration::from_millis(700);
/// How long a node keeps the records of a run after its last command began there.
pub const RECORDS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Losses in a row without a byte of progress before it is given up.
pub(super) const LOSSES: u32 = 20;

/// A command to run durably.
#[derive(Clone, Default)]
pub struct RunnerCommand {
    /// For `sh`.
    pub command: String,
    pub cwd: Option<String>,
    /// Variables. They reach the node beside the command line and lie in no file there.
    pub env: BTreeMap<String, String>,
    /// What it reads; in a file that only its owner can read, until it begins.
    pub stdin: Option<Vec<u8>>,
    /// It is not started if this path exists.
    pub creates: Option<String>,
    /// It is not started if this command succeeds.
    pub unless: Option<String>,
    /// After this it is stopped.
    pub timeout: Option<Duration>,
    pub on_line: Option<OnLine>,
    /// How it comes out on a simulated machine.
    pub rehearse: Option<Rehearsed>,
}

/// What a command gives where it is only rehearsed. Written as a text, or as `#{ output, seconds }`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "RehearsedAs")]
pub struct Rehearsed {
    /// What it writes.
    pub output: String,
    /// How long it takes.
    pub seconds: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RehearsedAs {
    Text(String),
    Map {
        #[serde(default)]
        output: String,
        seconds: Option<f64>,
    },
}

impl From<RehearsedAs> for Rehearsed {
    fn from(given: RehearsedAs) -> Self {
        match given {
            RehearsedAs::Text(output) => Self { output, seconds: None },
            RehearsedAs::Map { output, seconds } => Self { output, seconds },
        }
    }
}

/// How a durable command came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran to its end; the exit code is in the output.
    Ended(Output),
    /// Nothing to do: what it creates is there, or `unless` succeeded.
    Skipped(&'static str),
}

/// What a record on a node says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inspected {
    /// Never started.
    Absent,
    Running,
    Exited(i32),
    /// Cut by a reboot or a kill.
    Interrupted,
}

impl Nodes {
    /// Runs a command, or waits for it if its record says that it was started already.
    pub async fn run(&self, target: &Target, place: &Place, command: &RunnerCommand) -> Result<Outcome> {
        check_env(&command.env)?;
        if let Some(simulation) = self.simulation() {
            return simulation.run(target, place, command).await;
        }
        // The limit is the command's, not the login's, which has its own.
        self.connect(target, Duration::ZERO).await?;
        Box::pin(self.run_connected(target, place, command)).await.map_err(NodeError::once_begun)
    }

    async fn run_connected(&self, target: &Target, place: &Place, command: &RunnerCommand) -> Result<Outcome> {
        let mut watch = Watch::new(self, target, place, &command.command, command.on_line.clone());
        let work = watch.start(command);
        match command.timeout {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    let output = std::mem::take(&mut watch.capture).finish(Ended::default()).last_lines();
                    self.stop_soon(target, place).await?;
                    let (node, command) = (target.name.clone(), command.command.clone());
                    Err(NodeError::Timeout { node, command, limit, output })
                }
            },
        }
    }

    /// What the record says now.
    pub async fn inspect(&self, target: &Target, place: &Place) -> Result<Inspected> {
        match self.simulation() {
            Some(simulation) => simulation.inspect(target, place).await,
            None => self.ask(target, place, "inspect").await,
        }
    }

    /// Stops a command and all that it started: first politely, after five seconds by force.
    pub async fn stop(&self, target: &Target, place: &Place) -> Result<Inspected> {
        match self.simulation() {
            Some(simulation) => simulation.stop(target, place).await,
            None => self.ask(target, place, "stop").await,
        }
    }

    /// Removes the record of a command that was cut, so that its place can be used again; any other record stays.
    pub async fn forget_cut(&self, target: &Target, place: &Place) -> Result<()> {
        match self.simulation() {
            Some(simulation) => simulation.forget_cut(target, place).await,
            None => self.ask(target, place, "forget").await.map(drop),
        }
    }

    /// Stops one whose start may still be on its way.
    async fn stop_soon(&self, target: &Target, place: &Place) -> Result<()> {
        const TRIES: u32 = 10;
        for _ in 0..TRIES {
            if self.stop(target, place).await? != Inspected::Absent {
                break;
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    }

    async fn ask(&self, target: &Target, place: &Place, mode: &str) -> Result<Inspected> {
        let mut watch = Watch::new(self, target, place, "", None);
        let said = watch.call(&watch.looking(mode), &[]).await?;
        Ok(match said.state {
            State::Absent => Inspected::Absent,
            State::Running => Inspected::Running,
            State::Exited(code) => Inspected::Exited(code),
            State::Interrupted => Inspected::Interrupted,
            _ => return Err(watch.broken(&said)),
        })
    }
}

/// One command as this side sees it.
struct Watch<'a> {
    nodes: &'a Nodes,
    target: &'a Target,
    place: &'a Place,
    command: &'a str,
    capture: Capture,
    /// Bytes of each stream that have arrived.
    seen: [u64; 2],
}

impl<'a> Watch<'a> {
    fn new(nodes: &'a Nodes, target: &'a Target, place: &'a Place, command: &'a str, on_line: Option<OnLine>) -> Self {
        Self { nodes, target, place, command, capture: Capture::new(on_line), seen: [0; 2] }
    }

    async fn start(&mut self, command: &RunnerCommand) -> Result<Outcome> {
        let mut losses = 0;
        loop {
            let mut begun = self.begin(command);
            let said = match self.capture.tells() {
                false => Some(begun.answer().await),
                true => tokio::time::timeout(FOLLOW_AFTER, begun.answer()).await.ok(),
            };
            let pending = match said {
                None => Some(begun),
                Some(Err(error)) => {
                    self.lost(error, &mut losses).await?;
                    continue;
                }
                Some(Ok(said)) => match said.state {
                    State::Skipped(why) => return Ok(Outcome::Skipped(why)),
                    State::Exited(code) if said.out.len() < CAP && said.err.len() < CAP => {
                        self.take(Stream::Out, &said.out);
                        self.take(Stream::Err, &said.err);
                        return Ok(Outcome::Ended(self.finish(code)));
                    }
                    State::Exited(_) | State::Claimed => None,
                    _ => return Err(self.broken(&said)),
                },
            };
            match self.follow(pending).await? {
                Followed::To(outcome) => return Ok(outcome),
                // It is begun again: a place is claimed once, whichever start comes first.
                Followed::StartLost(error) => self.lost(error, &mut losses).await?,
            }
        }
    }

    /// The start as a task of its own, since it goes on while the command is followed.
    fn begin(&self, command: &RunnerCommand) -> Begun {
        let payload = (!command.env.is_empty() || command.stdin.is_some()).then(|| {
            let stdin = command.stdin.as_deref().unwrap_or_default();
            ([exports(&command.env).as_bytes(), b"\n", stdin].concat(), stdin.len().to_string())
        });
        let (stdin, length) = payload.unwrap_or_default();
        let start = self.starting(command, &length);
        let (nodes, target, place) = (self.nodes.clone(), self.target.clone(), self.place.clone());
        let name = self.target.name.clone();
        let task = self.nodes.runtime().spawn(async move {
            let mut watch = Watch::new(&nodes, &target, &place, "", None);
            watch.call(&start, &stdin).await
        });
        Begun { task, node: name }
    }

    /// Streams what is new until the command ends. `begun` is its start, while that has not answered.
    async fn follow(&mut self, mut begun: Option<Begun>) -> Result<Followed> {
        let mut losses = 0;
        loop {
            let before = self.seen;
            let answer = self.stream().await;
            if self.seen != before {
                losses = 0;
            }
            match answer {
                Ok(State::Exited(code)) => return Ok(Followed::To(Outcome::Ended(self.finish(code)))),
                Ok(State::Absent) => {
                    let Some(pending) = &mut begun else { return Err(self.gone()) };
                    // Not claimed yet: `unless` takes its time, or the machine is slow.
                    match tokio::time::timeout(FOLLOW_AFTER, pending.answer()).await {
                        Err(_) => {}
                        Ok(Err(error)) => return Ok(Followed::StartLost(error)),
                        Ok(Ok(said)) => match said.state {
                            State::Skipped(why) => return Ok(Followed::To(Outcome::Skipped(why))),
                            State::Exited(_) | State::Claimed => begun = None,
                            _ => return Err(self.broken(&said)),
                        },
                    }
                }
                Ok(State::Interrupted) => {
                    let output = std::mem::take(&mut self.capture).finish(Ended::default()).last_lines();
                    let (node, command) = (self.target.name.clone(), self.command.to_owned());
                    return Err(NodeError::Interrupted { node, command, output });
                }
                Ok(state) => return Err(self.broken(&Said { state, ..Said::default() })),
                Err(error) => self.lost(error, &mut losses).await?,
            }
        }
    }

    async fn stream(&mut self) -> Result<State> {
        let command = self.looking("follow");
        let (mut trailer, capture, seen) = (Trailer::default(), &mut self.capture, &mut self.seen);
        let mut sink = |stream: Stream, bytes: &[u8]| {
            let mut take = |bytes: &[u8]| {
                seen[stream as usize] += bytes.len() as u64;
                capture.push(stream, bytes);
            };
            match stream {
                Stream::Out => trailer.push(bytes, take),
                Stream::Err => take(bytes),
            }
        };
        self.nodes.stream(self.target, &command, &[][..], &mut sink).await?;
        // An exec that ended without its trailer was cut, by a shutdown for instance.
        trailer.state().ok_or_else(|| self.cut())
    }

    /// One exec of the runner whose answer is small.
    async fn call(&mut self, command: &str, stdin: &[u8]) -> Result<Said> {
        let (mut trailer, mut said) = (Trailer::default(), Said::default());
        let mut sink = |stream: Stream, bytes: &[u8]| match stream {
            Stream::Out => trailer.push(bytes, |b| said.out.extend_from_slice(b)),
            Stream::Err => said.err.extend_from_slice(bytes),
        };
        self.nodes.stream(self.target, command, stdin, &mut sink).await?;
        said.state = match trailer.state() {
            Some(state) => state,
            None if said.err.is_empty() => return Err(self.cut()),
            None => State::Broken,
        };
        Ok(said)
    }

    fn starting(&self, command: &RunnerCommand, payload: &str) -> String {
        let (run, step) = (self.place.run_folder(), self.place.step_name());
        let base = &self.nodes.0.limits.node_dir;
        let cwd = command.cwd.as_deref().unwrap_or("/");
        let [creates, unless] = [&command.creates, &command.unless].map(|o| o.as_deref().unwrap_or_default());
        let (cap, days) = (CAP.to_string(), (RECORDS_KEPT.as_secs() / 86_400).to_string());
        // The text is an argument, since it may have to give itself to another shell.
        sh_command(
            "eval \"$1\"",
            &[START, base, &run, &step, cwd, creates, unless, payload, &cap, &days, &command.command],
        )
    }

    fn looking(&self, mode: &str) -> String {
        let (run, step) = (self.place.run_folder(), self.place.step_name());
        let [out, err] = self.seen.map(|n| n.to_string());
        sh_command(WATCH, &[mode, &self.nodes.0.limits.node_dir, &run, &step, &out, &err])
    }

    /// After a lost connection: until the machine answers again, as after a reboot, or it was lost too often.
    async fn lost(&self, error: NodeError, losses: &mut u32) -> Result<()> {
        if !error.is_away() || *losses >= LOSSES {
            return Err(error);
        }
        *losses += 1;
        self.nodes.0.events.note(error.reconnecting(&self.target.name));
        tokio::time::sleep(Duration::from_millis(100) * *losses).await;
        self.nodes.connect(self.target, self.nodes.0.limits.reconnect).await
    }

    fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self.seen[stream as usize] += bytes.len() as u64;
        self.capture.push(stream, bytes);
    }

    fn finish(&mut self, code: i32) -> Output {
        std::mem::take(&mut self.capture).finish(Ended { exit_code: Some(code), signal: None })
    }

    fn cut(&self) -> NodeError {
        let node = self.target.name.clone();
        NodeError::Lost { node, during: "while a command ran", reason: "the runner was cut".into() }
    }

    fn broken(&self, said: &Said) -> NodeError {
        let text = String::from_utf8_lossy(&said.err);
        let why = text.trim();
        self.of_record(if why.is_empty() { "the command could not be started" } else { why })
    }

    fn gone(&self) -> NodeError {
        self.of_record("the record of the command is gone")
    }

    fn of_record(&self, message: &str) -> NodeError {
        let path = self.place.path(&self.nodes.0.limits.node_dir);
        NodeError::File { node: self.target.name.clone(), path, message: message.to_owned() }
    }
}

/// How far following has come.
enum Followed {
    To(Outcome),
    /// Nothing shows that it began, and the connection that should have begun it is gone.
    StartLost(NodeError),
}

/// A start under way; given up when dropped, which does not end the command.
struct Begun {
    task: JoinHandle<Result<Said>>,
    node: String,
}

impl Begun {
    async fn answer(&mut self) -> Result<Said> {
        (&mut self.task).await.unwrap_or_else(|e| {
            let node = self.node.clone();
            Err(NodeError::Lost { node, during: "while a command began", reason: e.to_string() })
        })
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.task.abort();
    }
}
