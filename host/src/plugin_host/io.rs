//! Requests and timers that an instance's calls wait for.
//!
//! Known by call and io number together: a plugin that keeps nothing may number each call's ios from one.

use crate::plugin_host::instance::Post;
use crate::provider::{HttpDesk, Secrets, Time};
use linodetool_plugin::message::{HttpOut, In, State};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// All that runs for one instance. Dropped, it stops everything.
pub(crate) struct Io {
    runtime: Handle,
    http: HttpDesk,
    time: Arc<dyn Time>,
    inbox: mpsc::WeakUnboundedSender<Post>,
    running: HashMap<u64, HashMap<u64, AbortHandle>>,
}

impl Io {
    pub(crate) fn new(
        runtime: Handle,
        http: HttpDesk,
        time: Arc<dyn Time>,
        inbox: mpsc::WeakUnboundedSender<Post>,
    ) -> Self {
        Self { runtime, http, time, inbox, running: HashMap::new() }
    }

    pub(crate) fn count(&self, call: u64) -> usize {
        self.running.get(&call).map_or(0, HashMap::len)
    }

    pub(crate) fn http(&mut self, request: HttpOut, secrets: Secrets) {
        let (io, call, state, http) = (request.io, request.call, request.state.clone(), self.http.clone());
        self.start(call, io, state, async move { http.perform(request, &secrets).await });
    }

    pub(crate) fn timer(&mut self, io: u64, call: u64, state: State, after_ms: u64) {
        let sleep = self.time.sleep(Duration::from_millis(after_ms));
        self.start(call, io, state.clone(), async move {
            sleep.await;
            In::Timer { io, call, state }
        });
    }

    /// Its answer goes to the plugin now.
    pub(crate) fn done(&mut self, call: u64, io: u64) {
        if let Some(of_call) = self.running.get_mut(&call) {
            of_call.remove(&io);
            if of_call.is_empty() {
                self.running.remove(&call);
            }
        }
    }

    pub(crate) fn stop(&mut self, call: u64, io: u64) {
        if let Some(task) = self.running.get_mut(&call).and_then(|of_call| of_call.remove(&io)) {
            task.abort();
        }
        self.done(call, io);
    }

    pub(crate) fn stop_call(&mut self, call: u64) {
        for task in self.running.remove(&call).into_iter().flatten() {
            task.1.abort();
        }
    }

    fn start(&mut self, call: u64, io: u64, state: State, work: impl Future<Output = In> + Send + 'static) {
        let mut owed = Owed { inbox: self.inbox.clone(), time: self.time.clone(), call, io, state };
        let task = self.runtime.spawn(self.time.hold().task(async move {
            let message = work.await;
            owed.send(message);
        }));
        if let Some(same_number) = self.running.entry(call).or_default().insert(io, task.abort_handle()) {
            same_number.abort();
        }
    }
}

/// An answer that the plugin waits for. A bug of ours that panics on the way must not let it wait for ever.
struct Owed {
    inbox: mpsc::WeakUnboundedSender<Post>,
    time: Arc<dyn Time>,
    call: u64,
    io: u64,
    state: State,
}

impl Owed {
    fn send(&mut self, message: In) {
        if let Some(inbox) = self.inbox.upgrade() {
            let _ = inbox.send(Post::new(message, self.time.hold())); // Err: the instance is lost
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (io, call, state) = (self.io, self.call, self.state.take());
            let message = "linodetool failed inside while it did this request; please report it".into();
            self.send(In::HttpFailed { io, call, state, kind: "network".into(), message });
        }
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        for task in self.running.values().flat_map(HashMap::values) {
            task.abort();
        }
    }
}
