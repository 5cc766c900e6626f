//! One thread per open instance. It owns the instance and the books of its calls; async callers talk to it through a channel.
//!
//! Does not know why instances are opened anew (`keeper.rs`), nor how requests are done (`io.rs`).

use crate::core::{Events, Hold};
use crate::plugin_host::ffi::{PluginFile, RawInstance, TooLarge};
use crate::plugin_host::io::Io;
use crate::plugin_host::watchdog::{Watched, watch};
use crate::provider::{HttpDesk, Secrets, Time};
use linodetool_plugin::message::{In, Out, read_out};
use linodetool_plugin::{ErrorKind, ProviderError};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch as watched};

/// Bounds of one instance.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A step, `open` and `close` return within this time.
    pub step: Duration,
    /// Messages in one step.
    pub batch: usize,
    /// Calls under way; more wait.
    pub calls: usize,
    /// Requests and timers under way for one call.
    pub ios: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // 4,096 lanes may call at once; a plugin that pages 500 things at a time needs a few requests side by side.
        Self { step: Duration::from_secs(5), batch: 256, calls: 4096, ios: 64 }
    }
}

pub(crate) type Answer = Result<Box<RawValue>, ProviderError>;

/// What an instance needs besides its plugin.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) runtime: Handle,
    pub(crate) http: HttpDesk,
    pub(crate) time: Arc<dyn Time>,
    pub(crate) events: Events,
    pub(crate) limits: Limits,
}

/// An open instance. When the last user drops it, the thread closes it and ends.
pub(crate) struct Instance {
    shared: Arc<Shared>,
    inbox: mpsc::UnboundedSender<Post>,
    time: Arc<dyn Time>,
    ended: watched::Receiver<()>,
}

/// A message for the plugin. The queue is bounded by what its senders hold: a call its place in the room until it is over,
/// an answer the place of its request.
pub(crate) struct Post {
    pub(crate) message: In,
    book: Option<Book>,
    /// Until the plugin has answered it.
    hold: Hold,
}

/// What is kept for a call under way.
struct Book {
    secrets: Secrets,
    _place: OwnedSemaphorePermit,
}

/// What callers, watchdog and thread have in common. Locked for moments, never during a step.
pub(crate) struct Shared {
    callers: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    /// Places for calls; closed when the instance is lost, since a thread that hangs gives none back.
    room: Arc<Semaphore>,
    poisoned: Mutex<Option<ProviderError>>,
    tainted: AtomicBool,
    left_behind: AtomicBool,
    last_call: AtomicU64,
    steps: AtomicU64,
    pub(crate) watched: Watched,
}

impl Instance {
    pub(crate) async fn open(file: PluginFile, config: String, around: Surroundings) -> Result<Self, ProviderError> {
        let (inbox, messages) = mpsc::unbounded_channel();
        let (opened, is_open) = oneshot::channel();
        let (ending, ended) = watched::channel(());
        let limits = around.limits;
        let shared = Arc::new(Shared::new(limits.calls));
        let (time, _opening) = (around.time.clone(), around.time.hold());
        let io = Io::new(around.runtime.clone(), around.http, around.time, inbox.downgrade());
        let plugin = file.manifest.name.clone();
        let for_thread = shared.clone();
        let started = thread::Builder::new().name(format!("plugin-{plugin}")).spawn(move || {
            let _ending = ending; // dropped last, when the instance is closed
            match file.open(&config) {
                Ok(instance) => {
                    let _ = opened.send(Ok(()));
                    let books = HashMap::new();
                    Worker { instance, shared: for_thread, io, limits, books, plugin, events: around.events }
                        .run(messages);
                }
                Err(error) => drop(opened.send(Err(error))),
            }
        });
        started.map_err(|why| ProviderError::plugin(format!("no thread for the plugin: {why}")))?;
        tokio::select! {
            answer = is_open => answer.map_err(|_| ProviderError::plugin("the plugin's thread ended in open"))??,
            () = tokio::time::sleep(limits.step) => {
                return Err(ProviderError::plugin(format!("the plugin's open did not return within {:?}", limits.step)));
            }
        }
        around.runtime.spawn(watch(Arc::downgrade(&shared), limits.step));
        Ok(Self { shared, inbox, time, ended })
    }

    /// Dropping the future cancels the call.
    pub(crate) async fn call(&self, op: String, args: Box<RawValue>, secrets: Secrets) -> Answer {
        let Ok(place) = self.shared.room.clone().acquire_owned().await else {
            return Err(self.shared.reason());
        };
        let id = self.shared.last_call.fetch_add(1, Ordering::Relaxed) + 1;
        let (caller, answer) = oneshot::channel();
        self.shared.register(id, caller)?;
        let mut guard = CancelOnDrop { id, instance: self, armed: true };
        let post = Post {
            message: In::Call { id, op, args },
            book: Some(Book { secrets, _place: place }),
            hold: self.time.hold(),
        };
        if self.inbox.send(post).is_err() {
            guard.armed = false;
            self.shared.take(id);
            return Err(self.shared.reason());
        }
        self.shared.watched.wake();
        let answer = answer.await;
        guard.armed = false;
        answer.unwrap_or_else(|_| Err(self.shared.reason()))
    }

    /// A call failed inside the plugin, or the instance is lost: new calls belong to a fresh one.
    pub(crate) fn is_used_up(&self) -> bool {
        self.shared.tainted.load(Ordering::Relaxed) || self.shared.is_poisoned()
    }

    /// Its thread hangs in the plugin.
    pub(crate) fn is_left_behind(&self) -> bool {
        self.shared.left_behind.load(Ordering::Relaxed)
    }

    /// Steps so far.
    pub(crate) fn steps(&self) -> u64 {
        self.shared.steps.load(Ordering::Relaxed)
    }

    /// Changes when the thread has ended, which is after the instance was closed.
    pub(crate) fn ended(&self) -> watched::Receiver<()> {
        self.ended.clone()
    }
}

struct CancelOnDrop<'a> {
    id: u64,
    instance: &'a Instance,
    armed: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.instance.shared.take(self.id);
            let _ = self.instance.inbox.send(Post::new(In::Cancel { id: self.id }, self.instance.time.hold())); // Err: there is nothing left to cancel
        }
    }
}

impl Post {
    pub(crate) fn new(message: In, hold: Hold) -> Self {
        Self { message, book: None, hold }
    }
}

impl Shared {
    fn new(calls: usize) -> Self {
        Self {
            callers: Mutex::default(),
            room: Arc::new(Semaphore::new(calls)),
            poisoned: Mutex::default(),
            tainted: AtomicBool::new(false),
            left_behind: AtomicBool::new(false),
            last_call: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            watched: Watched::new(),
        }
    }

    /// The poison is looked at under the callers' lock, so that no call slips in behind `poison`.
    fn register(&self, id: u64, caller: oneshot::Sender<Answer>) -> Result<(), ProviderError> {
        let mut callers = lock(&self.callers);
        if let Some(reason) = lock(&self.poisoned).clone() {
            return Err(reason);
        }
        callers.insert(id, caller);
        Ok(())
    }

    fn take(&self, id: u64) -> Option<oneshot::Sender<Answer>> {
        lock(&self.callers).remove(&id)
    }

    fn waits(&self, call: u64) -> bool {
        lock(&self.callers).contains_key(&call)
    }

    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.callers).is_empty()
    }

    /// The instance is lost: all that it owes fails.
    fn poison(&self, reason: &ProviderError) {
        let mut callers = lock(&self.callers);
        lock(&self.poisoned).get_or_insert_with(|| reason.clone());
        self.room.close();
        for (_, caller) in callers.drain() {
            let _ = caller.send(Err(reason.clone())); // Err: it has just been cancelled
        }
    }

    pub(crate) fn leave_behind(&self, reason: &ProviderError) {
        self.left_behind.store(true, Ordering::Relaxed);
        self.poison(reason);
    }

    fn is_poisoned(&self) -> bool {
        lock(&self.poisoned).is_some()
    }

    fn reason(&self) -> ProviderError {
        lock(&self.poisoned).clone().unwrap_or_else(|| ProviderError::plugin("the plugin is closed"))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The thread's side.
struct Worker {
    instance: RawInstance,
    shared: Arc<Shared>,
    io: Io,
    limits: Limits,
    books: HashMap<u64, Book>,
    plugin: String,
    events: Events,
}

/// However the thread ends, nobody waits for it any longer.
struct NobodyWaits(Arc<Shared>);

impl Drop for NobodyWaits {
    fn drop(&mut self) {
        self.0.poison(&ProviderError::plugin("the plugin is closed"));
    }
}

impl Worker {
    fn run(mut self, mut messages: mpsc::UnboundedReceiver<Post>) {
        let _nobody_waits = NobodyWaits(self.shared.clone());
        let mut posts = Vec::new();
        loop {
            linger(&messages);
            // All that waits goes into one step.
            if messages.blocking_recv_many(&mut posts, self.limits.batch) == 0 {
                break;
            }
            if let Err(reason) = self.step(&mut posts) {
                self.shared.poison(&reason);
            }
            if self.shared.is_poisoned() {
                break;
            }
        }
        // `io` stops what still runs when it is dropped, `instance` closes; a step that hung and came back ends here too.
    }

    fn step(&mut self, posts: &mut Vec<Post>) -> Result<(), ProviderError> {
        let (mut batch, mut holds) = (Vec::with_capacity(posts.len()), Vec::with_capacity(posts.len()));
        for Post { message, book, hold } in posts.drain(..) {
            self.note(&message, book);
            batch.push(message);
            holds.push(hold);
        }
        let bytes = serde_json::to_vec(&batch)?;
        self.shared.watched.step_begins();
        let answer = self.instance.step(&bytes);
        self.shared.watched.step_ended();
        self.shared.steps.fetch_add(1, Ordering::Relaxed);
        let answer = answer
            .map_err(|TooLarge(bytes)| {
                ProviderError::plugin(format!("the plugin's answer of {bytes} bytes is too large"))
            })?
            .ok_or_else(|| ProviderError::plugin("the plugin gave no answer to a step"))?;
        let answers = read_out(&answer)
            .map_err(|why| ProviderError::plugin(format!("the plugin's answer cannot be read: {why}")))?;
        answers.into_iter().try_for_each(|message| self.handle(message))
    }

    /// What a message to the plugin begins and ends on our side.
    fn note(&mut self, message: &In, book: Option<Book>) {
        match (message, book) {
            (In::Call { id, .. }, Some(book)) => drop(self.books.insert(*id, book)),
            (In::Cancel { id }, _) => self.forget(*id),
            (In::Http { io, call, .. } | In::HttpFailed { io, call, .. } | In::Timer { io, call, .. }, _) => {
                self.io.done(*call, *io);
            }
            (In::Call { .. } | In::Unknown, _) => {}
        }
    }

    fn handle(&mut self, message: Out) -> Result<(), ProviderError> {
        match message {
            Out::Http(request) => {
                if let Some(secrets) = self.may_ask(request.call) {
                    self.io.http(request, secrets);
                }
            }
            Out::Timer { io, call, state, after_ms } => {
                if self.may_ask(call).is_some() {
                    self.io.timer(io, call, state, after_ms);
                }
            }
            Out::Forget { io, call } => self.io.stop(call, io),
            Out::Done { id, value } => self.answer(id, Ok(value)),
            Out::Failed { id, error } => {
                if error.kind == ErrorKind::Plugin {
                    self.shared.tainted.store(true, Ordering::Relaxed);
                }
                self.answer(id, Err(error));
            }
            Out::Progress { call, message } if self.shared.waits(call) => self.events.note(message),
            Out::Progress { .. } | Out::Unknown => {}
            Out::Log { level, message } => log(&self.plugin, &level, &message),
            Out::Fatal { message } => return Err(ProviderError::plugin(message)),
        }
        Ok(())
    }

    /// The call's secrets, or nothing when the call is over or asks for too much.
    fn may_ask(&mut self, call: u64) -> Option<Secrets> {
        if !self.shared.waits(call) {
            return None;
        }
        if self.io.count(call) >= self.limits.ios {
            let most = self.limits.ios;
            let message = format!("one call of the plugin asked for more than {most} requests and timers at once");
            self.shared.tainted.store(true, Ordering::Relaxed);
            self.answer(call, Err(ProviderError::plugin(message)));
            return None;
        }
        self.books.get(&call).map(|book| book.secrets.clone())
    }

    fn answer(&mut self, id: u64, answer: Answer) {
        self.forget(id);
        // None: cancelled meanwhile, answered twice, or never asked.
        if let Some(caller) = self.shared.take(id) {
            let _ = caller.send(answer); // Err: it has just been cancelled
        }
    }

    fn forget(&mut self, call: u64) {
        self.io.stop_call(call);
        self.books.remove(&call);
    }
}

fn log(plugin: &str, level: &str, message: &str) {
    match level {
        "error" => tracing::error!(plugin, "{message}"),
        "warn" | "warning" => tracing::warn!(plugin, "{message}"),
        "info" => tracing::info!(plugin, "{message}"),
        "trace" => tracing::trace!(plugin, "{message}"),
        _ => tracing::debug!(plugin, "{message}"),
    }
}

/// A caller that goes on at once comes back sooner than a parked thread wakes: 55 us were measured for a call without this, 18 with.
fn linger(messages: &mpsc::UnboundedReceiver<Post>) {
    const LINGER: Duration = Duration::from_micros(100);
    let began = Instant::now();
    while messages.is_empty() && !messages.is_closed() && began.elapsed() < LINGER {
        std::hint::spin_loop();
    }
}
