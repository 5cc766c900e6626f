//! Time that jumps to the earliest sleeper as soon as nothing is under way, for rehearsals and tests.
//!
//! Owns the present moment and who sleeps until when. Does not know what is under way: whoever works holds it (`time.rs`).

use super::clock::Clock;
use super::time::{BoxFuture, Count, Hold, Time};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Clones are the same time.
#[derive(Clone)]
pub struct VirtualTime(Arc<Tide>);

struct Tide {
    now: AtomicU64,
    /// What is under way. At zero nothing can happen any more but by sleepers.
    busy: AtomicUsize,
    sleepers: Mutex<Sleepers>,
}

#[derive(Default)]
struct Sleepers {
    /// By the moment they wake at and a number of their own.
    waiting: BTreeMap<(u64, u64), Arc<Sleeper>>,
    last: u64,
}

#[derive(Default)]
struct Sleeper {
    /// Set with one count up, which the sleep takes down when it is polled or dropped.
    woken: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl VirtualTime {
    /// Begins at this moment, in milliseconds since 1970.
    pub fn new(start_ms: u64) -> Self {
        Self(Arc::new(Tide { now: AtomicU64::new(start_ms), busy: AtomicUsize::new(0), sleepers: Mutex::default() }))
    }
}

impl Clock for VirtualTime {
    fn now_ms(&self) -> u64 {
        self.0.now.load(Ordering::Acquire)
    }
}

impl Time for VirtualTime {
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let ms = u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        Box::pin(Sleep { tide: self.0.clone(), until: self.now_ms().saturating_add(ms), seat: None })
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now_ms())
    }

    fn hold(&self) -> Hold {
        Hold::new(self.0.clone())
    }
}

impl Count for Tide {
    fn up(&self) {
        self.busy.fetch_add(1, Ordering::AcqRel);
    }

    fn down(&self) {
        if self.busy.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.jump();
        }
    }
}

impl Tide {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To the earliest sleeper, and wakes all of that moment. With nobody asleep time stands: something from outside,
    /// a person's answer or a Ctrl-C, is waited for.
    fn jump(&self) {
        let mut woken = Vec::new();
        {
            let mut sleepers = self.sleepers();
            if self.busy.load(Ordering::Acquire) != 0 {
                return;
            }
            let Some((&(moment, _), _)) = sleepers.waiting.first_key_value() else { return };
            self.now.fetch_max(moment, Ordering::AcqRel);
            while let Some(entry) = sleepers.waiting.first_entry().filter(|entry| entry.key().0 == moment) {
                let sleeper = entry.remove();
                self.up();
                sleeper.woken.store(true, Ordering::Release);
                woken.push(sleeper);
            }
        }
        for sleeper in woken {
            let waker = sleeper.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

struct Sleep {
    tide: Arc<Tide>,
    until: u64,
    seat: Option<(u64, Arc<Sleeper>)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some((_, sleeper)) = &self.seat {
            let mut waker = sleeper.waker.lock().unwrap_or_else(PoisonError::into_inner);
            if !sleeper.woken.load(Ordering::Acquire) {
                *waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            drop(waker);
            self.seat = None;
            self.tide.down();
            return Poll::Ready(());
        }
        let mut sleepers = self.tide.sleepers();
        if self.tide.now.load(Ordering::Acquire) >= self.until {
            return Poll::Ready(());
        }
        sleepers.last += 1;
        let number = sleepers.last;
        let sleeper = Arc::new(Sleeper { waker: Mutex::new(Some(cx.waker().clone())), ..Sleeper::default() });
        sleepers.waiting.insert((self.until, number), sleeper.clone());
        drop(sleepers);
        self.seat = Some((number, sleeper));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some((number, sleeper)) = self.seat.take() else { return };
        let was_waiting = self.tide.sleepers().waiting.remove(&(self.until, number)).is_some();
        if !was_waiting && sleeper.woken.load(Ordering::Acquire) {
            self.tide.down();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    }

    #[test]
    fn sleepers_wake_in_order_and_no_hour_passes() {
        let (runtime, time) = (runtime(), VirtualTime::new(1_000));
        let (told, heard) = mpsc::channel();
        let begun = time.hold();
        for seconds in [3600, 60, 7200, 60] {
            let (time, told) = (time.clone(), told.clone());
            let work = {
                let time = time.clone();
                async move {
                    time.sleep(Duration::from_secs(seconds)).await;
                    told.send((seconds, time.now_ms())).unwrap();
                }
            };
            runtime.spawn(time.hold().task(work));
        }
        drop((told, begun));
        assert_eq!(
            heard.iter().collect::<Vec<_>>(),
            [(60, 61_000), (60, 61_000), (3600, 3_601_000), (7200, 7_201_000)]
        );
    }

    /// A thread at work, a task that another one feeds, and threads of a crew: no timeout may fire meanwhile.
    #[test]
    fn no_timeout_fires_while_anything_is_under_way() {
        let (runtime, time) = (runtime(), VirtualTime::new(0));
        let thread = time.hold();
        for round in 0..300 {
            let (ask, asked) = tokio::sync::oneshot::channel::<tokio::sync::oneshot::Sender<u32>>();
            runtime.spawn(time.hold().task(async move {
                let mut turns = 0;
                std::future::poll_fn(|cx| {
                    turns += 1;
                    cx.waker().wake_by_ref();
                    if turns > 3 { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                asked.await.unwrap().send(round).unwrap();
            }));
            let (answer, answered) = tokio::sync::oneshot::channel();
            let crew = thread.crew();
            std::thread::scope(|scope| {
                let hand = crew.hand();
                scope.spawn(|| {
                    let _hand = hand;
                    ask.send(answer).unwrap();
                });
                drop(crew.me());
            });
            let limit = time.sleep(Duration::from_secs(600));
            let got = runtime.block_on(thread.waiting(async {
                tokio::select! {
                    biased;
                    got = answered => got.ok(),
                    () = limit => None,
                }
            }));
            assert_eq!((got, time.now_ms()), (Some(round), 0));
        }
    }

    #[test]
    fn a_sleep_that_is_given_up_moves_nothing() {
        let (runtime, time) = (runtime(), VirtualTime::new(0));
        let thread = time.hold();
        runtime.block_on(thread.waiting(async {
            let (short, long) = (time.sleep(Duration::from_millis(5)), time.sleep(Duration::from_secs(5)));
            tokio::select! {
                () = short => {}
                () = long => unreachable!("the shorter one is first"),
            }
        }));
        runtime.block_on(thread.waiting(time.sleep(Duration::ZERO)));
        assert_eq!((time.now_ms(), time.0.sleepers().waiting.len()), (5, 0));
        assert_eq!(time.0.busy.load(Ordering::Acquire), 1);
    }
}
