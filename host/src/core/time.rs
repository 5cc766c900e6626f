//! Clock and sleep in one, and holding time still while something is under way: nothing where time is the computer's own.
//!
//! Owns the seam and how a future's work is counted. Does not know how virtual time jumps (`virtual_time.rs`).

use super::clock::{Clock, SystemClock};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};
use tokio::task::coop::unconstrained;

/// A future that can be stored and sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Clock and sleep, so that they always agree. By default the computer's own.
pub trait Time: Clock {
    /// Ready after that long.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        // Made when first polled: a plugin's thread, which asks for it, is no thread of the runtime.
        Box::pin(async move { tokio::time::sleep(time).await })
    }

    /// How long something unmoved by the clock on the wall has counted: for limits, which a clock that is set or a computer
    /// that sleeps must neither cut short nor make endless.
    fn elapsed(&self) -> Duration {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        BEGUN.get_or_init(Instant::now).elapsed()
    }

    /// Time stands still until what this gives is dropped: for work that no sleep of this time tells the end of.
    fn hold(&self) -> Hold {
        Hold::default()
    }
}

impl Time for SystemClock {}

/// Who counts what is under way.
pub(super) trait Count: Send + Sync {
    fn up(&self);
    /// At zero time may go on.
    fn down(&self);
}

/// One thing that is under way, until dropped.
#[derive(Default)]
pub struct Hold(Option<Arc<dyn Count>>);

impl Hold {
    pub(super) fn new(count: Arc<dyn Count>) -> Self {
        count.up();
        Self(Some(count))
    }

    /// A task of its own: held from now until it ends, but not while it waits.
    pub fn task<F: Future>(mut self, work: F) -> Watched<F> {
        Watched::new(self.0.take(), work, true)
    }

    /// Work that a thread which is held waits for: not held while it waits.
    pub fn waiting<F: Future>(&self, work: F) -> Watched<F> {
        Watched::new(self.0.clone(), work, false)
    }

    /// For threads that a thread which is held begins.
    pub fn crew(&self) -> Crew {
        Crew { count: self.0.clone(), left: AtomicUsize::new(1) }
    }
}

impl Clone for Hold {
    /// One more.
    fn clone(&self) -> Self {
        self.0.clone().map(Self::new).unwrap_or_default()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            count.down();
        }
    }
}

/// A future that is counted from when it is woken until it waits again: exactly, since its waker counts before it wakes.
/// Without tokio's budget, which makes a task that is far from waiting wait, and wakes it only later; for the same reason
/// what is watched must not use `yield_now`.
pub struct Watched<F> {
    work: Pin<Box<F>>,
    alarm: Option<Arc<Alarm>>,
    /// Whether its end ends the count, or leaves it to the thread that waits for it.
    own: bool,
}

const ASLEEP: u8 = 0;
const POLLED: u8 = 1;
const WOKEN: u8 = 2;
const OVER: u8 = 3;

struct Alarm {
    count: Arc<dyn Count>,
    state: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl<F> Watched<F> {
    fn new(count: Option<Arc<dyn Count>>, work: F, own: bool) -> Self {
        let alarm = |count| Arc::new(Alarm { count, state: AtomicU8::new(WOKEN), waker: Mutex::default() });
        Self { work: Box::pin(work), alarm: count.map(alarm), own }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Some(alarm) = self.alarm.clone() else { return self.work.as_mut().poll(cx) };
        if alarm.state.swap(POLLED, Ordering::AcqRel) == ASLEEP {
            alarm.count.up(); // polled without being woken, as one of several in a task
        }
        alarm.listen(cx.waker());
        let waker = Waker::from(alarm.clone());
        let done = pin!(unconstrained(self.work.as_mut())).poll(&mut Context::from_waker(&waker));
        if done.is_ready() {
            alarm.state.store(OVER, Ordering::Release);
            if self.own {
                alarm.count.down();
            }
        } else if alarm.state.compare_exchange(POLLED, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            alarm.count.down();
        }
        done
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        let Some(alarm) = &self.alarm else { return };
        match (alarm.state.swap(OVER, Ordering::AcqRel), self.own) {
            (POLLED | WOKEN, true) => alarm.count.down(),
            (ASLEEP, false) => alarm.count.up(),
            _ => {}
        }
    }
}

impl Alarm {
    fn listen(&self, waker: &Waker) {
        let mut kept = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *kept {
            Some(kept) => kept.clone_from(waker),
            None => *kept = Some(waker.clone()),
        }
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let wakes = |state| (state == ASLEEP || state == POLLED).then_some(WOKEN);
        match self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, wakes) {
            Ok(ASLEEP) => self.count.up(),
            Ok(_) => {}
            Err(_) => return,
        }
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Threads that share the work of the one that began them and waits for their end. The last to end leaves its count to
/// that thread, so that there is no moment between them in which nothing seems to be under way.
pub struct Crew {
    count: Option<Arc<dyn Count>>,
    left: AtomicUsize,
}

impl Crew {
    /// The calling thread's own part.
    pub fn me(&self) -> Hand<'_> {
        Hand(self)
    }

    /// One more thread, before it is started.
    pub fn hand(&self) -> Hand<'_> {
        self.left.fetch_add(1, Ordering::AcqRel);
        if let Some(count) = &self.count {
            count.up();
        }
        Hand(self)
    }
}

/// A thread at work, until dropped.
pub struct Hand<'a>(&'a Crew);

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        if self.0.left.fetch_sub(1, Ordering::AcqRel) > 1
            && let Some(count) = &self.0.count
        {
            count.down();
        }
    }
}
