//! One at a time, among the calls of one instance of the plugin. Does not know what for.

use std::cell::{Cell, RefCell};
use std::task::{Poll, Waker};

/// Free or held.
#[derive(Default)]
pub(crate) struct Lock {
    held: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

/// Frees the lock when it goes, also when its call is cancelled.
pub(crate) struct Held<'a>(&'a Lock);

impl Lock {
    pub(crate) async fn hold(&self) -> Held<'_> {
        std::future::poll_fn(|context| {
            if self.held.replace(true) {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(Held(self))
        })
        .await
    }
}

impl Drop for Held<'_> {
    /// Wakes all: one that was woken alone might be cancelled before it takes its turn.
    fn drop(&mut self) {
        self.0.held.set(false);
        let waiting = self.0.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }
}
