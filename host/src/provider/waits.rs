//! The one poller: any number of lanes wait for states of instances, and one list per tick serves them all.
//!
//! Events of the provider are hints at best ([`Waits::hint`]): they come late, twice or never, so a state is believed only when
//! the instance itself shows it.

use crate::core::Events;
use crate::provider::Client;
use crate::provider::time::Time;
use linodetool_plugin::{ById, ErrorKind, Instance, InstanceStatus, ListInstances, ProviderError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot};

/// Ids in one filtered list: a filter travels in a header, and servers take 8 KiB of headers.
const CHUNK: usize = 100;

/// Instances in one page of a list, at most (Linode API v4, `page_size`).
const PAGE: usize = 500;

/// A list may lag behind a create: what so many looks in a row do not show is asked about by id, ...
const MISSED: u32 = 2;

/// ... so many at a time.
const ASKED_BY_ID: usize = 10;

/// A list that fails in a way that may pass is asked again this often before its waiters are told.
const PATIENCE: u32 = 10;

/// How often to look. Starts at `fast`, slows down to `slow` while nothing changes.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub fast: Duration,
    pub slow: Duration,
}

impl Default for Pace {
    /// A Linode boots in 20 to 60 s; a list every 2 to 5 s is far below the limit of 200 a minute.
    fn default() -> Self {
        Self { fast: Duration::from_secs(2), slow: Duration::from_secs(5) }
    }
}

impl Pace {
    /// For an emulator on this computer, where a boot takes moments but the limit on lists is the real one.
    pub fn local() -> Self {
        Self { fast: Duration::from_millis(150), slow: Duration::from_secs(1) }
    }
}

/// What one lane waits for.
#[derive(Clone, Debug, Default)]
pub struct Wait {
    pub id: String,
    /// A tag that the instance has, best one shared with others that are waited for: then one list by tag serves all.
    pub tag: Option<String>,
    /// Any of these will do.
    pub wanted: Vec<InstanceStatus>,
    pub timeout: Duration,
    /// What has just been made may not be found for so long; only after that it counts as gone.
    pub hidden: Duration,
}

/// The waiting room of one provider. Clones share it.
#[derive(Clone)]
pub struct Waits(Arc<Inner>);

struct Inner {
    client: Client,
    runtime: Handle,
    time: Arc<dyn Time>,
    events: Events,
    pace: Pace,
    room: Mutex<Room>,
    nudge: Notify,
}

#[derive(Default)]
struct Room {
    waiters: BTreeMap<u64, Waiter>,
    last: u64,
    polling: bool,
    /// Somebody came, or a hint, since the last look.
    news: bool,
    /// How many instances the last list by a tag showed.
    tagged: HashMap<String, usize>,
}

struct Waiter {
    wait: Wait,
    entered_ms: u64,
    seen: Option<InstanceStatus>,
    /// Looks in a row that did not show it.
    missed: u32,
    answer: oneshot::Sender<Result<Instance, ProviderError>>,
}

impl Waits {
    pub fn new(client: Client, runtime: Handle, time: Arc<dyn Time>, events: Events, pace: Pace) -> Self {
        let (room, nudge) = (Mutex::default(), Notify::new());
        Self(Arc::new(Inner { client, runtime, time, events, pace, room, nudge }))
    }

    /// The instance once it is in a wanted state. An instance that is gone is `NotFound`; dropping the future ends the wait.
    pub async fn until(&self, wait: Wait) -> Result<Instance, ProviderError> {
        let (id, timeout) = (wait.id.clone(), wait.timeout);
        let (answer, answered) = oneshot::channel();
        let seat = self.enter(Waiter { wait, entered_ms: self.0.time.now_ms(), seen: None, missed: 0, answer });
        tokio::select! {
            biased;
            answer = answered => {
                answer.unwrap_or_else(|_| Err(ProviderError::new(ErrorKind::Cancelled, "the poller ended")))
            }
            () = self.0.time.sleep(timeout) => Err(seat.too_late(&id, timeout)),
        }
    }

    fn enter(&self, waiter: Waiter) -> Seat<'_> {
        let mut room = self.0.room();
        room.last += 1;
        let number = room.last;
        room.waiters.insert(number, waiter);
        room.news = true;
        if !std::mem::replace(&mut room.polling, true) {
            self.0.runtime.spawn(self.0.time.hold().task(poll(Arc::downgrade(&self.0))));
        }
        drop(room);
        self.0.nudge.notify_one();
        Seat { inner: &self.0, number }
    }
}

impl Waiter {
    /// Whether what it waits for may be there although nothing shows it.
    fn may_hide(&self, now_ms: u64) -> bool {
        let waited = Duration::from_millis(now_ms.saturating_sub(self.entered_ms));
        self.seen.is_none() && waited < self.wait.hidden
    }
}

/// A place in the waiting room, left when dropped.
struct Seat<'a> {
    inner: &'a Inner,
    number: u64,
}

impl Seat<'_> {
    fn too_late(&self, id: &str, timeout: Duration) -> ProviderError {
        let room = self.inner.room();
        let waiter = room.waiters.get(&self.number);
        let wanted = waiter.map(|waiter| names(&waiter.wait.wanted)).unwrap_or_default();
        let seen = waiter
            .and_then(|waiter| waiter.seen)
            .map_or_else(|| "could not be looked at".to_owned(), |status| format!("is still {}", name(status)));
        let message = format!("instance {id} {seen} after {} s, not {wanted}", timeout.as_secs());
        ProviderError::new(ErrorKind::Timeout, message)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.inner.room().waiters.remove(&self.number);
    }
}

impl Inner {
    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until a list is due: `pause` after the last one, or sooner when somebody came, but never closer than `fast`.
    async fn pause(&self, pause: Duration) {
        self.time.sleep(self.pace.fast.min(pause)).await;
        let rest = self.time.sleep(pause.saturating_sub(self.pace.fast));
        tokio::pin!(rest);
        while !self.room().news {
            tokio::select! {
                biased;
                () = &mut rest => return,
                () = self.nudge.notified() => {}
            }
        }
    }

    /// One look at all that is waited for. `true`: something changed.
    async fn look(&self) -> Result<bool, ProviderError> {
        let mut found = HashMap::new();
        let lists = {
            let room = self.room();
            lists(&room.waiters, &room.tagged)
        };
        for list in lists {
            let shown = self.client.list_instances(&list).await?.items;
            if let Some(tag) = list.tag {
                self.room().tagged.insert(tag, shown.len());
            }
            found.extend(shown.into_iter().map(|instance| (instance.id.clone(), instance)));
        }
        let missing = self.deliver(&found);
        let mut changed = missing.changed;
        for id in missing.ids.into_iter().take(ASKED_BY_ID) {
            changed = true;
            match self.client.get_instance(&ById::new(&id)).await {
                Ok(instance) => drop(self.deliver(&HashMap::from([(id, instance)]))),
                Err(error) if error.kind == ErrorKind::NotFound => {
                    let message = format!("instance {id} is gone: somebody destroyed it while it was waited for");
                    let now = self.time.now_ms();
                    let told = |waiter: &Waiter| waiter.wait.id == id && !waiter.may_hide(now);
                    self.fail(&ProviderError { message, ..error }, told);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(changed)
    }

    fn deliver(&self, found: &HashMap<String, Instance>) -> Missing {
        let mut room = self.room();
        let mut missing = Missing::default();
        let numbers: Vec<_> = room.waiters.keys().copied().collect();
        for number in numbers {
            let Some(waiter) = room.waiters.get_mut(&number) else {
                continue;
            };
            let Some(instance) = found.get(&waiter.wait.id) else {
                waiter.missed += 1;
                missing.changed = true;
                if waiter.missed >= MISSED {
                    missing.ids.insert(waiter.wait.id.clone());
                }
                continue;
            };
            waiter.missed = 0;
            missing.changed |= waiter.seen.replace(instance.status) != Some(instance.status);
            if waiter.wait.wanted.contains(&instance.status)
                && let Some(waiter) = room.waiters.remove(&number)
            {
                let _ = waiter.answer.send(Ok(instance.clone())); // Err: it has just given up
            }
        }
        missing
    }

    fn fail(&self, error: &ProviderError, whom: impl Fn(&Waiter) -> bool) {
        let mut room = self.room();
        let numbers: Vec<_> = room.waiters.iter().filter(|(_, w)| whom(w)).map(|(number, _)| *number).collect();
        for number in numbers {
            if let Some(waiter) = room.waiters.remove(&number) {
                let _ = waiter.answer.send(Err(error.clone())); // Err: it has just given up
            }
        }
    }
}

#[derive(Default)]
struct Missing {
    ids: BTreeSet<String>,
    changed: bool,
}

/// Runs while anybody waits.
async fn poll(room: Weak<Inner>) {
    let mut pause = Duration::ZERO;
    let mut failures = 0;
    loop {
        let Some(inner) = room.upgrade() else {
            return;
        };
        inner.pause(if pause.is_zero() { inner.pace.fast } else { pause }).await;
        let waiting = {
            let mut room = inner.room();
            room.polling = !room.waiters.is_empty();
            room.news = false;
            room.waiters.len()
        };
        if waiting == 0 {
            return;
        }
        match inner.look().await {
            Ok(changed) => {
                failures = 0;
                pause = if changed { inner.pace.fast } else { slower(pause, inner.pace) };
            }
            Err(error) if may_pass(&error) && failures < PATIENCE => {
                failures += 1;
                pause = inner.pace.slow;
                inner.events.note(format!("{waiting} waits go on although the provider said: {error}"));
            }
            Err(error) => inner.fail(&error, |_| true),
        }
    }
}

fn slower(pause: Duration, pace: Pace) -> Duration {
    pause.max(pace.fast).mul_f64(1.3).min(pace.slow)
}

/// Not those that will be said again: a wrong token, a missing right, a plugin that cannot list.
fn may_pass(error: &ProviderError) -> bool {
    use ErrorKind::{Busy, Network, Plugin, RateLimited, Timeout, Unavailable};
    matches!(error.kind, Busy | Network | Plugin | RateLimited | Timeout | Unavailable)
}

/// One list for each tag that is waited for, and one for each hundred ids without a tag. `tagged`: how many instances carry
/// a tag, as far as it is known.
fn lists(waiters: &BTreeMap<u64, Waiter>, tagged: &HashMap<String, usize>) -> Vec<ListInstances> {
    let mut tags: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    for Waiter { wait, .. } in waiters.values() {
        match &wait.tag {
            Some(tag) => drop(tags.entry(tag).or_default().insert(&wait.id)),
            None => drop(ids.insert(&wait.id)),
        }
    }
    // Few of many tags are cheaper by id, all in one list.
    if tags.len() > 1 {
        ids.extend(tags.values().filter(|ids| ids.len() <= CHUNK / 10).flatten());
        tags.retain(|_, ids| ids.len() > CHUNK / 10);
    }
    // So are few of the many that carry one: the others are up already, or not begun yet.
    tags.retain(|tag, waited| {
        let all = tagged.get(*tag).copied().unwrap_or(0);
        let by_tag = waited.len() * 2 > all || waited.len().div_ceil(CHUNK) > all.div_ceil(PAGE);
        if !by_tag {
            ids.extend(waited.iter());
        }
        by_tag
    });
    let ids: Vec<_> = ids.into_iter().map(str::to_owned).collect();
    let by_tag = tags.keys().map(|tag| ListInstances { tag: Some((*tag).to_owned()), ..ListInstances::default() });
    let by_id = ids.chunks(CHUNK).map(|ids| ListInstances { ids: ids.to_vec(), ..ListInstances::default() });
    by_tag.chain(by_id).collect()
}

/// As users see it, `shutting_down`.
fn name(status: InstanceStatus) -> String {
    serde_json::to_value(status).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

fn names(statuses: &[InstanceStatus]) -> String {
    statuses.iter().map(|status| name(*status)).collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests;
