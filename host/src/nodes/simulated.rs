//! Machines that are only simulated, in a rehearsal or a crash test: reached by messages to an emulator in place of SSH.
//!
//! Owns: what each thing done on a node is as a message, and how its answer and its time are told. Does not know how a
//! message reaches the emulator.

use super::error::{NO_SPACE, short};
use super::output::{Output, Stream};
use super::runner::{Inspected, LOSSES, Outcome, Place, RunnerCommand};
use super::states::Applied;
use super::{Copied, Facts, Limits, NodeError, OnLine, Result, Stat, Target};
use crate::core::{BoxFuture, Events, Time};
use linodetool_sandbox::act::{self, Act, Acted, Request, What};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The way to an emulator's machines.
pub trait Simulator: Send + Sync {
    /// # Errors
    /// A text, if it gave no answer.
    fn act(&self, request: Request) -> BoxFuture<'_, std::result::Result<Acted, String>>;
}

/// A command that nothing is known of is asked about again this often at most: it has a time at which it ends.
const LOOKS: u32 = 1_000;

/// Commands about which something is assumed that are told apart.
const MOST_ASSUMPTIONS: usize = 100;

/// Between attempts to reach a machine that comes up.
const PAUSE: Duration = Duration::from_secs(1);

/// Simulated machines, and the time in which they work.
pub struct Simulation {
    door: Box<dyn Simulator>,
    time: Arc<dyn Time>,
    events: Events,
    assumed: Mutex<BTreeMap<(Assumption, String), usize>>,
}

/// What is taken to be so, since nothing can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// A command succeeds and writes nothing.
    Silent,
    /// The command that would say that there is nothing to do fails.
    Needed,
    /// A question is answered with yes.
    Yes,
}

impl Simulation {
    pub fn new(door: Box<dyn Simulator>, time: Arc<dyn Time>, events: Events) -> Self {
        Self { door, time, events, assumed: Mutex::default() }
    }

    /// Notes what is assumed, for whoever asks later.
    pub fn assume(&self, what: Assumption, of: &str) {
        let mut assumed = self.assumed.lock().unwrap_or_else(PoisonError::into_inner);
        // One line for each command, whatever the number of nodes; no more lines than anybody reads.
        if assumed.len() < MOST_ASSUMPTIONS || assumed.contains_key(&(what, of.to_owned())) {
            *assumed.entry((what, of.to_owned())).or_default() += 1;
        }
    }

    /// What was assumed so far, of which command, and how often.
    pub fn assumed(&self) -> Vec<(Assumption, String, usize)> {
        let assumed = self.assumed.lock().unwrap_or_else(PoisonError::into_inner);
        assumed.iter().map(|((what, of), times)| (*what, of.clone(), *times)).collect()
    }

    /// Does it, and lets the time pass that it takes.
    async fn ask(&self, target: &Target, act: Act) -> Result<What> {
        let address = target.address.ip().to_string();
        let operation = operation(&act);
        let acted = self.door.act(Request { address, act }).await;
        let unreachable = |reason| {
            let (node, address) = (target.name.clone(), target.address);
            NodeError::Unreachable { node, address, reason, waited: Duration::ZERO }
        };
        let Acted { takes_ms, what } = acted.map_err(unreachable)?;
        if takes_ms > 0 {
            self.time.sleep(Duration::from_millis(takes_ms)).await;
        }
        let node = target.name.clone();
        match what {
            What::Unreachable { why } => Err(unreachable(why)),
            What::Lost => {
                Err(NodeError::Lost { node, during: "while a command ran", reason: "it was closed there".into() })
            }
            What::Full => {
                let (message, output) = (NO_SPACE.to_owned(), String::new());
                Err(NodeError::Operation { node, operation, message, hint: None, output })
            }
            what => Ok(what),
        }
    }

    /// The same for what is done at most once in a place of its own: if its connection is lost, it is asked again.
    async fn begin(&self, target: &Target, act: Act) -> Result<What> {
        match self.ask(target, act.clone()).await {
            Err(error) if error.is_lost() => {
                self.events.note(error.reconnecting(&target.name));
                self.ask_again(target, act).await
            }
            answer => answer,
        }
    }

    /// Of what has begun: whatever becomes of a connection, it is asked once the machine answers.
    async fn ask_again(&self, target: &Target, act: Act) -> Result<What> {
        for loss in 1..=LOSSES {
            match self.ask(target, act.clone()).await {
                Err(error) if error.is_away() => {
                    self.events.note(error.reconnecting(&target.name));
                    self.time.sleep(Duration::from_millis(100) * loss).await;
                    self.connect(target, Limits::default().reconnect).await.map_err(NodeError::once_begun)?;
                }
                answer => return answer,
            }
        }
        self.ask(target, act).await.map_err(NodeError::once_begun)
    }

    pub(super) async fn connect(&self, target: &Target, patience: Duration) -> Result<()> {
        let until = self.time.now_ms().saturating_add(u64::try_from(patience.as_millis()).unwrap_or(u64::MAX));
        loop {
            match self.ask(target, Act::Connect).await {
                Err(NodeError::Unreachable { .. }) if self.time.now_ms() < until => self.time.sleep(PAUSE).await,
                Err(NodeError::Unreachable { node, address, reason, .. }) => {
                    return Err(NodeError::Unreachable { node, address, reason, waited: patience });
                }
                done => return done.map(drop),
            }
        }
    }

    pub(super) async fn exec(&self, target: &Target, command: &str) -> Result<Output> {
        match self.ask(target, Act::Exec { command: command.to_owned() }).await? {
            What::Exited { code, output } => Ok(wrote(code, output)),
            other => Err(odd(target, &other)),
        }
    }

    pub(super) async fn run(&self, target: &Target, place: &Place, command: &RunnerCommand) -> Result<Outcome> {
        let rehearsed = command.rehearse.clone().unwrap_or_default();
        let begun = act::Command {
            place: place.key(),
            command: command.command.clone(),
            creates: command.creates.clone(),
            output: rehearsed.output,
            takes_ms: rehearsed.seconds.map(|seconds| (seconds.max(0.0) * 1000.0) as u64),
        };
        let began = self.begin(target, Act::Run(Box::new(begun))).await?;
        self.follow(target, place, began, command.on_line.as_ref()).await
    }

    /// Until it has ended.
    async fn follow(
        &self,
        target: &Target,
        place: &Place,
        mut what: What,
        on_line: Option<&OnLine>,
    ) -> Result<Outcome> {
        for _ in 0..LOOKS {
            match what {
                What::Running { left_ms } => self.time.sleep(Duration::from_millis(left_ms.max(1))).await,
                What::Exited { code, output } => {
                    if let Some(tell) = on_line {
                        output.lines().for_each(|line| tell(Stream::Out, line));
                    }
                    return Ok(Outcome::Ended(wrote(code, output)));
                }
                What::Skipped => return Ok(Outcome::Skipped("creates")),
                What::Interrupted => {
                    let (node, command) = (target.name.clone(), format!("command of {place}"));
                    return Err(NodeError::Interrupted { node, command, output: String::new() });
                }
                other => return Err(odd(target, &other)),
            }
            what = self.ask_again(target, Act::Inspect { place: place.key() }).await?;
        }
        Err(odd(target, &what))
    }

    pub(super) async fn inspect(&self, target: &Target, place: &Place) -> Result<Inspected> {
        let what = self.ask(target, Act::Inspect { place: place.key() }).await?;
        inspected(target, &what)
    }

    pub(super) async fn stop(&self, target: &Target, place: &Place) -> Result<Inspected> {
        let what = self.ask(target, Act::Stop { place: place.key() }).await?;
        inspected(target, &what)
    }

    pub(super) async fn forget_cut(&self, target: &Target, place: &Place) -> Result<()> {
        self.ask(target, Act::Forget { place: place.key() }).await.map(drop)
    }

    pub(super) async fn apply(&self, target: &Target, wish: act::Wish) -> Result<Applied> {
        let applied = match wish.place {
            Some(_) => self.begin(target, Act::Apply(Box::new(wish))).await?,
            None => self.ask(target, Act::Apply(Box::new(wish))).await?,
        };
        match applied {
            What::Applied { changed, detail } => Ok(Applied { changed, detail, notes: Vec::new() }),
            other => Err(odd(target, &other)),
        }
    }

    /// Makes a file of which this is known be on a node.
    pub async fn put(&self, target: &Target, path: &str, file: act::File) -> Result<Applied> {
        match self.ask(target, Act::Write { path: path.to_owned(), file }).await? {
            What::Applied { changed, detail } => Ok(Applied { changed, detail, notes: Vec::new() }),
            other => Err(odd(target, &other)),
        }
    }

    /// The file at a path, if there is one.
    pub async fn file(&self, target: &Target, path: &str) -> Result<Option<act::File>> {
        match self.ask(target, Act::Look { path: path.to_owned() }).await? {
            What::File(file) => Ok(Some(file)),
            What::Absent | What::Directory => Ok(None),
            other => Err(odd(target, &other)),
        }
    }

    pub(super) async fn stat(&self, target: &Target, path: &str) -> Result<Option<Stat>> {
        let (kind, size) = match self.ask(target, Act::Look { path: path.to_owned() }).await? {
            What::File(file) => ("file", file.size),
            What::Directory => ("directory", 0),
            _ => return Ok(None),
        };
        let (owner, group) = ("root".to_owned(), "root".to_owned());
        Ok(Some(Stat { kind: kind.into(), size, mode: "0644".into(), owner, group, modified: 0 }))
    }

    pub(super) async fn copy(&self, source: &Target, path: &str, target: &Target, dest: &str) -> Result<Copied> {
        let from = source.address.ip().to_string();
        let act = Act::Copy { from, path: path.to_owned(), dest: dest.to_owned() };
        match self.ask(target, act).await? {
            What::Done => Ok(Copied::Direct),
            _ => {
                let (node, message) = (source.name.clone(), "there is no such file".into());
                Err(NodeError::File { node, path: path.to_owned(), message })
            }
        }
    }

    pub(super) async fn facts(&self, target: &Target) -> Result<Facts> {
        let What::Facts(facts) = self.ask(target, Act::Facts).await? else { return Ok(Facts::default()) };
        let image = facts.image.rsplit('/').next().unwrap_or_default();
        let digit = image.find(|c: char| c.is_ascii_digit()).unwrap_or(image.len());
        Ok(Facts {
            os: image[..digit].to_owned(),
            os_version: image[digit..].to_owned(),
            arch: "x86_64".into(),
            hostname: facts.hostname,
            cpus: u32::try_from(facts.cpus).unwrap_or(u32::MAX),
            memory_mb: facts.memory_mb,
            disk_mb: facts.disk_mb,
            disk_free_mb: facts.disk_mb,
            boot_id: format!("rehearsal-{}", facts.boots),
            ..Facts::default()
        })
    }

    pub(super) async fn port_open(&self, target: &Target, host: &str, port: u16) -> Result<bool> {
        let what = self.ask(target, Act::Port { host: host.to_owned(), port }).await?;
        Ok(matches!(what, What::Port { open: true }))
    }

    /// Waits until a port takes connections; `false` if it has not after that long.
    pub(super) async fn wait_port(&self, target: &Target, host: &str, port: u16, limit: Duration) -> Result<bool> {
        let until = self.time.now_ms() + u64::try_from(limit.as_millis()).unwrap_or(u64::MAX / 2);
        loop {
            match self.port_open(target, host, port).await {
                Ok(true) => return Ok(true),
                Err(error) if !error.is_away() || self.time.now_ms() >= until => return Err(error),
                _ => {}
            }
            if self.time.now_ms() >= until {
                return Ok(false);
            }
            self.time.sleep(PAUSE).await;
        }
    }

    /// A forwarded port would lead nowhere.
    pub(super) fn no_forward(target: &Target, port: u16) -> NodeError {
        NodeError::Unreachable {
            node: target.name.clone(),
            address: SocketAddr::new(target.address.ip(), port),
            reason: "a simulated machine has no network".into(),
            waited: Duration::ZERO,
        }
    }
}

/// What an act is for whoever reads that it failed.
fn operation(act: &Act) -> String {
    match act {
        Act::Exec { command } => short(command),
        Act::Run(command) => short(&command.command),
        Act::Apply(wish) => format!("{} {}", wish.kind, wish.name),
        Act::Write { path, .. } | Act::Look { path } | Act::Copy { dest: path, .. } => format!("file {path}"),
        _ => "a command".to_owned(),
    }
}

fn inspected(target: &Target, what: &What) -> Result<Inspected> {
    Ok(match what {
        What::Absent | What::Skipped => Inspected::Absent,
        What::Running { .. } => Inspected::Running,
        What::Exited { code, .. } => Inspected::Exited(*code),
        What::Interrupted => Inspected::Interrupted,
        other => return Err(odd(target, other)),
    })
}

fn wrote(code: i32, output: String) -> Output {
    Output { exit_code: Some(code), stdout: output.into_bytes(), ..Output::default() }
}

/// An emulator of another version.
fn odd(target: &Target, what: &What) -> NodeError {
    let reason = format!("the emulator gave an answer that does not fit: {what:?}");
    NodeError::Lost { node: target.name.clone(), during: "in a simulation", reason }
}
