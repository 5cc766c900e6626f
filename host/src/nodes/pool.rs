//! The connections that are kept: one per machine, shared, opened again when lost. Does not know what they are used for.

use super::connection::{Connection, LOGIN, LoginError, Session};
use super::{Dialer, Direct, NodeError, Result, Simulation, Target};
use crate::core::Events;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// What the pool may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Logins at the same time. More only queue at slow machines and make none of them faster.
    pub logins: usize,
    /// Commands at the same time in a fan-out.
    pub commands: usize,
    /// How long a lost connection is tried again while something on the node is waited for; a reboot takes a minute or two.
    pub reconnect: Duration,
    /// Where the runner keeps its records on a node; nothing else lies there, since it removes what is old.
    pub node_dir: String,
    /// Where a file lies on this computer while it is relayed from node to node.
    pub scratch: PathBuf,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            logins: 16,
            commands: 256,
            reconnect: Duration::from_secs(300),
            node_dir: "/var/lib/linodetool/runs".into(),
            scratch: std::env::temp_dir(),
        }
    }
}

/// Connections that may be lost before somebody is told.
const TRIES: u32 = 3;

/// The way to all machines. Clones share everything.
#[derive(Clone)]
pub struct Nodes(pub(super) Arc<Inner>);

pub(super) struct Inner {
    runtime: Handle,
    dialer: Arc<dyn Dialer>,
    pub(super) limits: Limits,
    logins: Semaphore,
    slots: Mutex<HashMap<[u8; 32], Slot>>,
    simulation: Option<Simulation>,
    /// Hears of what is made good silently.
    pub(super) events: Events,
}

/// Held while it is being filled, so that many callers make one login.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<Connection>>>>;

impl Nodes {
    /// `runtime` is where connections live; futures of this type must be polled there.
    pub fn new(runtime: Handle, dialer: Arc<dyn Dialer>, limits: Limits, events: Events) -> Self {
        Self::with(runtime, dialer, limits, events, None)
    }

    /// Machines that are only simulated.
    pub fn simulated(runtime: Handle, simulation: Simulation) -> Self {
        let dialer = Arc::new(Direct::default());
        Self::with(runtime, dialer, Limits::default(), Events::none(), Some(simulation))
    }

    fn with(
        runtime: Handle,
        dialer: Arc<dyn Dialer>,
        limits: Limits,
        events: Events,
        simulation: Option<Simulation>,
    ) -> Self {
        let logins = Semaphore::new(limits.logins.max(1));
        Self(Arc::new(Inner { runtime, dialer, limits, logins, slots: Mutex::default(), simulation, events }))
    }

    /// What takes the place of all machines, if they are only simulated.
    pub fn simulation(&self) -> Option<&Simulation> {
        self.0.simulation.as_ref()
    }

    /// Where its futures are to be spawned.
    pub fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// Makes sure that the machine can be reached, trying again until `patience` is over while it comes up.
    pub async fn connect(&self, target: &Target, patience: Duration) -> Result<()> {
        match self.simulation() {
            Some(simulation) => simulation.connect(target, patience).await,
            None => self.connection(target, patience).await.map(drop),
        }
    }

    /// Does something that may be done twice, once more if its connection is lost, and again.
    pub async fn persistently<T, F>(&self, target: &Target, work: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        for _ in 0..TRIES {
            match work().await {
                Err(error) if error.is_lost() => self.0.events.note(format!("{}: {error}; once more", target.name)),
                outcome => return outcome,
            }
        }
        work().await
    }

    /// Hangs up on one machine, for instance before it is rebuilt.
    pub async fn disconnect(&self, target: &Target) {
        let slot = self.slots().remove(&target.identity());
        if let Some(slot) = slot
            && let Some(connection) = slot.lock().await.take()
        {
            connection.close().await;
        }
    }

    /// Hangs up on all machines.
    pub async fn disconnect_all(&self) {
        let slots: Vec<_> = self.slots().drain().collect();
        for (_, slot) in slots {
            if let Some(connection) = slot.lock().await.take() {
                connection.close().await;
            }
        }
    }

    /// The machine's connection; opened if there is none, with attempts until `patience` is over.
    pub(super) async fn connection(&self, target: &Target, patience: Duration) -> Result<Arc<Connection>> {
        let slot = self.slots().entry(target.identity()).or_default().clone();
        let began = Instant::now();
        // Whoever waits here for somebody else's login waits in the same time, not after it; one attempt is everybody's.
        let waited = tokio::time::timeout(patience.max(LOGIN), slot.lock()).await;
        let mut kept = waited.map_err(|_| unreachable(target, "another login goes on".into(), began.elapsed()))?;
        if let Some(connection) = kept.as_ref().filter(|c| !c.is_closed()) {
            return Ok(connection.clone());
        }
        // In a box, as all that is large and rare: each lane has room on its stack for what may happen in it.
        let login = Box::pin(self.login(target, patience.saturating_sub(began.elapsed())));
        let connection = Arc::new(login.await?);
        *kept = Some(connection.clone());
        Ok(connection)
    }

    /// A channel for a command. A connection that turns out to be dead is replaced once: nothing was started on it.
    pub(super) async fn session(&self, target: &Target, patience: Duration) -> Result<Session> {
        let mut last = None;
        for _ in 0..2 {
            let connection = self.connection(target, patience).await?;
            match connection.session().await {
                Ok(session) => return Ok(session),
                Err(error) => last = Some(error.to_string()),
            }
            self.forget(target, &connection).await;
        }
        let reason = last.unwrap_or_default();
        Err(NodeError::Lost { node: target.name.clone(), during: "before the command began", reason })
    }

    pub(super) async fn forget(&self, target: &Target, dead: &Arc<Connection>) {
        let slot = self.slots().get(&target.identity()).cloned();
        if let Some(slot) = slot {
            let mut kept = slot.lock().await;
            if kept.as_ref().is_some_and(|c| Arc::ptr_eq(c, dead)) {
                *kept = None;
            }
        }
    }

    async fn login(&self, target: &Target, patience: Duration) -> Result<Connection> {
        // While a machine boots its port refuses at once: ask often at first, then less.
        const FIRST: Duration = Duration::from_millis(50);
        const LONGEST: Duration = Duration::from_secs(2);
        // A machine's SSH server may be up before its first boot has written the key.
        const REFUSALS: Duration = Duration::from_secs(20);
        let began = Instant::now();
        let (mut pause, mut refused) = (FIRST, None);
        loop {
            let attempt = Connection::open(self.0.dialer.as_ref(), target, &self.0.logins).await;
            let left = patience.saturating_sub(began.elapsed());
            match attempt {
                Ok(connection) => return Ok(connection),
                Err(LoginError::Final(error)) => return Err(error),
                Err(LoginError::Refused) => {
                    let first = *refused.get_or_insert_with(Instant::now);
                    if left.is_zero() || first.elapsed() > REFUSALS {
                        let (node, user) = (target.name.clone(), target.user.clone());
                        return Err(NodeError::Refused { node, address: target.address, user });
                    }
                    pause = pause.max(Duration::from_secs(1));
                }
                Err(LoginError::NotYet(reason)) if left.is_zero() => {
                    return Err(unreachable(target, reason, began.elapsed()));
                }
                Err(LoginError::NotYet(reason)) => {
                    tracing::debug!(node = target.name, reason, "not reachable yet");
                }
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(LONGEST);
        }
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], Slot>> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unreachable(target: &Target, reason: String, waited: Duration) -> NodeError {
    NodeError::Unreachable { node: target.name.clone(), address: target.address, reason, waited }
}
