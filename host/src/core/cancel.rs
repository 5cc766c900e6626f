//! A cancel token for blocking and for async code.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Set once; everybody who waits with it wakes at once. Clones are the same token.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Inner>);

#[derive(Default)]
struct Inner {
    set: AtomicBool,
    lock: Mutex<()>,
    changed: Condvar,
    woken: Notify,
}

impl Cancel {
    pub fn set(&self) {
        let _guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.set.store(true, Ordering::Release);
        self.0.changed.notify_all();
        self.0.woken.notify_waiters();
    }

    pub fn is_set(&self) -> bool {
        self.0.set.load(Ordering::Acquire)
    }

    /// Blocks; `false` if it was cut short.
    pub fn sleep(&self, time: Duration) -> bool {
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.changed.wait_timeout_while(guard, time, |()| !self.is_set());
        waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Ready when the token is set.
    pub async fn cancelled(&self) {
        let woken = self.0.woken.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        if !self.is_set() {
            woken.await;
        }
    }

    /// The future's answer, or `None` if the token was set first.
    pub async fn guard<F: Future>(&self, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            () = self.cancelled() => None,
            output = work => Some(output),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_wakes_when_the_token_is_set() {
        let cancel = Cancel::default();
        let sleeper = std::thread::spawn({
            let cancel = cancel.clone();
            move || cancel.sleep(Duration::from_secs(60))
        });
        cancel.set();
        assert!(!sleeper.join().unwrap());
    }

    #[tokio::test]
    async fn a_guarded_future_ends_when_the_token_is_set() {
        let cancel = Cancel::default();
        assert_eq!(cancel.guard(async { 7 }).await, Some(7));
        cancel.set();
        assert_eq!(cancel.guard(std::future::pending::<()>()).await, None);
    }
}
