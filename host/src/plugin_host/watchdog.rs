//! Frees the callers of a step that does not return. Nothing can end the thread itself: it is left behind.
//!
//! Ticks only while calls are under way, so that an idle provider costs nothing.

use crate::plugin_host::instance::Shared;
use linodetool_plugin::ProviderError;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What the thread notes and the watchdog reads.
pub(crate) struct Watched {
    /// Milliseconds since `born` at which the running step began, plus one; 0 when idle.
    step_began: AtomicU64,
    born: Instant,
    asleep: AtomicBool,
    wake: Notify,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self {
            step_began: AtomicU64::new(0),
            born: Instant::now(),
            asleep: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    pub(crate) fn step_begins(&self) {
        self.step_began.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn step_ended(&self) {
        self.step_began.store(0, Ordering::Relaxed);
    }

    /// A call begins: from now on there may be steps.
    pub(crate) fn wake(&self) {
        if self.asleep.swap(false, Ordering::AcqRel) {
            self.wake.notify_one();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.born.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    fn stuck_for(&self) -> Duration {
        match self.step_began.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            began => Duration::from_millis(self.now().saturating_sub(began)),
        }
    }
}

/// Runs as long as the instance is in use.
pub(crate) async fn watch(shared: Weak<Shared>, limit: Duration) {
    let tick = (limit / 4).max(Duration::from_millis(10));
    loop {
        tokio::time::sleep(tick).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        if shared.watched.stuck_for() > limit {
            let message = format!("the plugin's step did not return within {limit:?}; its instance is given up");
            shared.leave_behind(&ProviderError::plugin(message));
            return;
        }
        if shared.is_idle() {
            // Set before the second look: whoever comes in between wakes us.
            shared.watched.asleep.store(true, Ordering::Release);
            if shared.is_idle() {
                shared.watched.wake.notified().await;
            }
            shared.watched.asleep.store(false, Ordering::Release);
        }
    }
}
