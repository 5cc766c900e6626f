//! Which nodes have which artifact, and whose turn it is to get it.
//!
//! Does not know how an artifact comes to a node.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

use crate::nodes::Target;

/// The nodes of every artifact: each serves one other at a time, so the copies grow like a tree.
#[derive(Default)]
pub(crate) struct Holders(Mutex<HashMap<String, Arc<Queue>>>);

impl Holders {
    pub(super) fn of(&self, digest: &str) -> Arc<Queue> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(digest.to_owned()).or_default().clone()
    }
}

/// A node that has an artifact.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) target: Target,
    /// Its address as the other nodes see it.
    pub(super) via: SocketAddr,
}

/// Nodes that wait for one artifact.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<QueueState>,
    changed: Notify,
}

#[derive(Default)]
struct QueueState {
    free: Vec<Holder>,
    /// Somebody fetches from the source.
    fetching: bool,
    /// Nodes that have it, busy ones too.
    have: usize,
}

/// A node's turn: it copies from a holder, or fetches from the source.
pub(super) struct Turn {
    queue: Arc<Queue>,
    pub(super) from: Option<Holder>,
    over: bool,
}

impl Queue {
    pub(super) async fn turn(self: &Arc<Self>) -> Turn {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut state = self.lock();
                let from = state.free.pop();
                if from.is_some() || (state.have == 0 && !state.fetching) {
                    state.fetching |= from.is_none();
                    return Turn { queue: self.clone(), from, over: false };
                }
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// This node has it now, and serves others.
    pub(super) fn done(mut self, node: Holder) {
        let mut state = self.queue.lock();
        state.have += 1;
        state.free.push(node);
        drop(state);
        self.end();
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            let mut state = self.queue.lock();
            match self.from.take() {
                Some(holder) => state.free.push(holder),
                None => state.fetching = false,
            }
            drop(state);
            self.queue.changed.notify_waiters();
        }
    }
}

/// A turn that failed lets the next node try.
impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Secret;

    fn node(name: &str) -> Holder {
        let target = Target {
            name: name.into(),
            address: ([127, 0, 0, 1], 22).into(),
            user: "root".into(),
            key: Secret::new(String::new()),
            host_keys: Vec::new(),
        };
        Holder { via: target.address, target }
    }

    #[tokio::test]
    async fn the_first_fetches_and_the_others_copy_like_a_tree() {
        let queue = Arc::new(Queue::default());
        let first = queue.turn().await;
        assert!(first.from.is_none());
        let second = tokio::spawn({
            let queue = queue.clone();
            async move { queue.turn().await.from.as_ref().map(|t| t.target.name.clone()) }
        });
        first.done(node("a"));
        assert_eq!(second.await.unwrap().as_deref(), Some("a"));
        let (third, other) = (queue.turn().await, ());
        assert_eq!(third.from.as_ref().unwrap().target.name, "a");
        third.done(node("b"));
        let (one, two) = (queue.turn().await, queue.turn().await);
        let mut names =
            [one.from.as_ref().unwrap().target.name.clone(), two.from.as_ref().unwrap().target.name.clone()];
        names.sort();
        assert_eq!((names, other), (["a".to_owned(), "b".to_owned()], ()));
    }

    #[tokio::test]
    async fn a_fetch_that_fails_lets_the_next_one_fetch() {
        let queue = Arc::new(Queue::default());
        drop(queue.turn().await);
        assert!(queue.turn().await.from.is_none());
    }
}
