//! The rate governor: at most N starts in any window, per account and rate class, for all processes of the user together.
//!
//! A sliding window as published, not a bucket that lets twice as many through. The provider's own word (429, Retry-After,
//! X-RateLimit headers) corrects it. Requests of a class wait in line; only the first in line looks at the shared ring, so
//! nothing is reserved ahead and a process that dies leaves no gap.

use crate::core::Events;
use crate::core::ids::hex;
use crate::provider::retry::retry_after;
use crate::provider::ring::{Locked, Ring, State};
use crate::provider::time::Time;
use linodetool_plugin::RateClass;
use linodetool_plugin::message::Headers;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// Requests reach the provider after different delays, so two that are just a window apart here may be closer there.
const MARGIN_MS: u64 = 250;

/// How long the first in line waits before a person is told.
const FIRST_NAP: Duration = Duration::from_secs(1);

/// Longest that the provider's word holds a class back.
const LONGEST_BLOCK: Duration = Duration::from_secs(300);

/// How long a ring that another process holds is waited for before it is given up.
const LOCK_TRIES: u32 = 2_000;

/// A request that must wait for a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdup {
    pub class: String,
    /// Until the first in line may start.
    pub wait: Duration,
    /// Requests in line, this one included.
    pub waiting: u64,
    /// Until the last in line may start.
    pub eta: Duration,
    /// The limit: so many in ...
    pub calls: u64,
    /// ... so much time.
    pub window: Duration,
}

/// What a governor is made from.
#[derive(Clone)]
pub struct GovernorSettings {
    /// Folder shared by all processes of the user; absent: this process alone counts.
    pub folder: Option<PathBuf>,
    pub events: Events,
    pub time: Arc<dyn Time>,
    /// Told of every wait that is worth telling, for those who show an ETA; `events` get it as a line.
    pub on_holdup: Option<OnHoldup>,
}

/// Hears of holdups. Must not block.
pub type OnHoldup = Arc<dyn Fn(&Holdup) + Send + Sync>;

/// Admits requests. Clones share everything.
#[derive(Clone)]
pub struct Governor(Arc<Inner>);

struct Inner {
    classes: HashMap<String, Class>,
    settings: GovernorSettings,
    told: std::sync::Mutex<HashMap<String, u64>>,
}

struct Class {
    limit: RateClass,
    ring: Mutex<Ring>,
    /// Held by the first in line. Fair: the others follow in order.
    line: Mutex<()>,
    waiting: AtomicU64,
    /// The limit that the provider's last answer named, if it was lower than the published one.
    said: AtomicU64,
}

impl Governor {
    /// `account` tells accounts apart, a token for example; only its hash is kept.
    pub fn new(settings: GovernorSettings, account: &str, classes: &[RateClass]) -> Self {
        let account = hex(&Sha256::digest(account)[..8]);
        let classes = classes
            .iter()
            .filter(|class| class.calls > 0 && class.per_seconds > 0)
            .map(|class| (class.name.clone(), Class::new(class, &account, &settings)))
            .collect();
        Self(Arc::new(Inner { classes, settings, told: std::sync::Mutex::default() }))
    }

    /// No limits at all.
    pub fn unlimited(time: Arc<dyn Time>) -> Self {
        Self::new(GovernorSettings { folder: None, events: Events::none(), time, on_holdup: None }, "", &[])
    }

    /// Ready when a request of this class may start; a class that the manifest does not name is never held back.
    pub async fn admit(&self, class: &str) {
        let Some(class) = self.0.classes.get(class) else {
            return;
        };
        let _counted = Counted::new(&class.waiting);
        let _first = class.line.lock().await;
        let mut looked = false;
        loop {
            let wait = self.try_start(class).await;
            if wait.is_zero() {
                return;
            }
            // The first nap is short: those who come at the same time are in line when the line is told.
            let nap = if looked { wait } else { wait.min(FIRST_NAP) };
            if looked {
                self.tell(class, wait);
            }
            looked = true;
            self.0.settings.time.sleep(nap).await;
        }
    }

    /// Corrects the class by what the provider said with an answer.
    pub async fn learn(&self, class: &str, status: u16, headers: &Headers) {
        let Some(class) = self.0.classes.get(class) else {
            return;
        };
        let now = self.0.settings.time.now_ms();
        let number = |name: &str| headers.get(name).and_then(|text| text.trim().parse::<u64>().ok());
        let blocked_until = (status == 429).then(|| {
            let wish = retry_after(headers, LONGEST_BLOCK);
            // Without advice: as if the whole window had to pass for one slot of it.
            let wish = wish.unwrap_or_else(|| class.window() / class.limit.calls.max(1));
            now + millis(wish)
        });
        // Only downwards: what is published holds where the provider says more.
        let published = u64::from(class.limit.calls);
        let said = number("x-ratelimit-limit").filter(|&limit| limit > 0);
        let limit = said.map(|limit| if limit < published { limit } else { 0 });
        let news = limit.is_some_and(|limit| class.said.swap(limit, Ordering::Relaxed) != limit);
        if blocked_until.is_none() && !news {
            return;
        }
        let corrected = self.with_ring(class, |ring| {
            let mut state = ring.state()?;
            let before = if is_meant(state.blocked_until, now) { state.blocked_until } else { 0 };
            state.blocked_until = before.max(blocked_until.unwrap_or(0));
            state.limit = limit.unwrap_or(state.limit);
            ring.set_state(state)
        });
        corrected.await;
    }

    /// Notes a start and answers zero, or answers how long to wait.
    async fn try_start(&self, class: &Class) -> Duration {
        let now = self.0.settings.time.now_ms();
        let window = millis(class.window()) + MARGIN_MS;
        let started = self.with_ring(class, |ring| start(ring, u64::from(class.limit.calls), now, window)).await;
        Duration::from_millis(started)
    }

    /// A ring that cannot be used any more is replaced by one in memory: a limit of our own beats none.
    async fn with_ring<T: Default>(&self, class: &Class, mut work: impl FnMut(&mut Locked<'_>) -> io::Result<T>) -> T {
        let mut ring = class.ring.lock().await;
        for _ in 0..LOCK_TRIES {
            let done = match ring.try_lock() {
                Ok(Some(mut locked)) => work(&mut locked),
                Ok(None) => {
                    self.0.settings.time.sleep(Duration::from_millis(1)).await;
                    continue;
                }
                Err(error) => Err(error),
            };
            match done {
                Ok(done) => return done,
                Err(error) => self.fall_back(&mut ring, &error.to_string()),
            }
        }
        self.fall_back(&mut ring, "another process holds it for seconds");
        match ring.try_lock() {
            Ok(Some(mut locked)) => work(&mut locked).unwrap_or_default(),
            _ => T::default(),
        }
    }

    fn fall_back(&self, ring: &mut Ring, why: &str) {
        let events = &self.0.settings.events;
        events.note(format!("the file of rate limits cannot be used ({why}); this process now counts for itself"));
        *ring = Ring::memory(u32::try_from(ring.slots()).unwrap_or(u32::MAX));
    }

    /// At most once a window and class, and not for moments.
    fn tell(&self, class: &Class, wait: Duration) {
        let now = self.0.settings.time.now_ms();
        let holdup = class.holdup(wait);
        {
            let mut told = self.0.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let last = told.entry(holdup.class.clone()).or_insert(0);
            if holdup.eta < Duration::from_secs(1) || now < *last + millis(holdup.window) / 2 {
                return;
            }
            *last = now;
        }
        if let Some(on_holdup) = &self.0.settings.on_holdup {
            on_holdup(&holdup);
        }
        self.0.settings.events.note(holdup.to_string());
    }
}

impl Class {
    fn new(limit: &RateClass, account: &str, settings: &GovernorSettings) -> Self {
        let ring = settings.folder.as_deref().and_then(|folder| match open_ring(folder, account, limit) {
            Ok(ring) => Some(ring),
            Err(error) => {
                let folder = folder.display();
                settings.events.note(format!(
                    "rate limits cannot be shared through {folder} ({error}); each process counts for itself"
                ));
                None
            }
        });
        Self {
            limit: limit.clone(),
            ring: Mutex::new(ring.unwrap_or_else(|| Ring::memory(limit.calls))),
            line: Mutex::default(),
            waiting: AtomicU64::new(0),
            said: AtomicU64::new(0),
        }
    }

    fn window(&self) -> Duration {
        Duration::from_secs(u64::from(self.limit.per_seconds))
    }

    fn holdup(&self, wait: Duration) -> Holdup {
        let calls = u64::from(self.limit.calls);
        let waiting = self.waiting.load(Ordering::Relaxed);
        let windows = waiting.saturating_sub(1) / calls;
        let eta = wait + self.window() * u32::try_from(windows).unwrap_or(u32::MAX);
        Holdup { class: self.limit.name.clone(), wait, waiting, eta, calls, window: self.window() }
    }
}

impl std::fmt::Display for Holdup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { class, waiting, calls, .. } = self;
        let (eta, window) = (self.eta.as_secs_f64().ceil(), self.window.as_secs());
        write!(
            f,
            "the provider allows {calls} `{class}` requests in {window} s: {waiting} wait, the last about {eta} s"
        )
    }
}

/// One request in line, also when it gives up.
struct Counted<'a>(&'a AtomicU64);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Milliseconds to wait, or 0 and the start is noted. The start that is `limit` starts ago must be a window old.
fn start(ring: &mut Locked<'_>, slots: u64, now: u64, window: u64) -> io::Result<u64> {
    let state = ring.state()?;
    if is_meant(state.blocked_until, now) {
        return Ok(state.blocked_until - now);
    }
    let limit = if state.limit == 0 { slots } else { state.limit.min(slots) };
    let before = ring.time(state.head + slots - limit)?;
    // A time in the future was noted before the clock was set back: it says nothing.
    if before <= now && before + window > now {
        return Ok(before + window - now);
    }
    ring.set_time(state.head, now)?;
    ring.set_state(State { head: (state.head + 1) % slots, ..state })?;
    Ok(0)
}

/// Whether a block holds now. One further ahead than the provider could have meant was noted before the clock was set back.
fn is_meant(blocked_until: u64, now: u64) -> bool {
    blocked_until > now && blocked_until - now <= millis(LONGEST_BLOCK)
}

fn open_ring(folder: &Path, account: &str, limit: &RateClass) -> io::Result<Ring> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let class: String = limit.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ring::file(&folder.join(format!("{account}-{class}-{}.ring", limit.per_seconds)), limit.calls)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
