//! Turns async methods into message steps: one future per call, polled only when woken.
//!
//! Owns the calls under way. Does not know the C border, JSON, or what the provider does.
//!
//! A call that panics fails alone: its future is dropped and never polled again. That is memory-safe whatever the provider
//! does; state it shares between calls may be half-changed, so the host drains the instance and opens a new one.

use crate::context::{Answer, Cx, Desk};
use crate::error::{ErrorKind, ProviderError, Result};
use crate::http::Response;
use crate::message::{In, Out};
use crate::panics::guarded;
use crate::provider::{Provider, dispatch};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// A call polled this often in one step without waiting for the host would never end.
const MAX_POLLS: usize = 10_000;

/// An instance of a provider and the calls it works on.
pub struct Executor<P> {
    provider: Rc<P>,
    desk: Rc<Desk>,
    calls: HashMap<u64, Running>,
    ready: Ready,
    steps: u64,
}

struct Running {
    future: Pin<Box<dyn Future<Output = Result<Box<RawValue>>>>>,
    bell: Arc<Bell>,
    /// How often it was polled in which step.
    polls: (u64, usize),
}

/// Calls to poll. Behind a mutex only because a `Waker` must be `Send`.
type Ready = Arc<Mutex<Vec<u64>>>;

struct Bell {
    call: u64,
    rung: AtomicBool,
    ready: Ready,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.call);
        }
    }
}

impl<P: Provider> Executor<P> {
    /// Without calls.
    pub fn new(provider: P) -> Self {
        Self {
            provider: Rc::new(provider),
            desk: Rc::default(),
            calls: HashMap::new(),
            ready: Ready::default(),
            steps: 0,
        }
    }

    /// Takes the host's messages, goes on with every call that can, and answers what they ask for and how they ended.
    ///
    /// A future may only wait for what its `Cx` gives: what wakes it from elsewhere is seen at the next step.
    pub fn step(&mut self, messages: Vec<In>) -> Vec<Out> {
        self.steps += 1;
        for message in messages {
            self.accept(message);
        }
        loop {
            let ready = std::mem::take(&mut *self.ready.lock().unwrap_or_else(PoisonError::into_inner));
            if ready.is_empty() {
                break;
            }
            for call in ready {
                self.poll(call);
            }
        }
        std::mem::take(&mut *self.desk.out.borrow_mut())
    }

    fn accept(&mut self, message: In) {
        match message {
            In::Call { id, op, args } => self.start(id, op, args),
            In::Http { io, status, headers, body, .. } => {
                self.desk.deliver(io, Answer::Http(Response { status, headers, body }));
            }
            In::HttpFailed { io, kind, message, .. } => self.desk.deliver(io, Answer::Failed { kind, message }),
            In::Timer { io, .. } => self.desk.deliver(io, Answer::Timer),
            In::Cancel { id } => self.cancel(id),
            In::Unknown => {}
        }
    }

    fn start(&mut self, id: u64, op: String, args: Box<RawValue>) {
        if self.calls.contains_key(&id) {
            let message = format!("the host started call {id} twice: the second is ignored");
            return self.emit(Out::Log { level: "error".to_owned(), message });
        }
        let cx = Cx { call: id, desk: self.desk.clone() };
        let future = Box::pin(dispatch(self.provider.clone(), cx, op, args));
        let bell = Arc::new(Bell { call: id, rung: AtomicBool::new(false), ready: self.ready.clone() });
        bell.clone().wake();
        self.calls.insert(id, Running { future, bell, polls: (0, 0) });
    }

    fn cancel(&mut self, id: u64) {
        if let Some(running) = self.calls.remove(&id) {
            let answer = drop_guarded(running)
                .unwrap_or_else(|| ProviderError::new(ErrorKind::Cancelled, "cancelled by the host"));
            self.emit(Out::Failed { id, error: answer });
        }
    }

    fn poll(&mut self, id: u64) {
        let Some(running) = self.calls.get_mut(&id) else {
            return;
        };
        running.bell.rung.store(false, Ordering::Relaxed);
        let before = if running.polls.0 == self.steps { running.polls.1 } else { 0 };
        running.polls = (self.steps, before + 1);
        let waker = Waker::from(running.bell.clone());
        let polled = guarded(|| running.future.as_mut().poll(&mut Context::from_waker(&waker)));
        let answer = match polled {
            Ok(Poll::Pending) if running.polls.1 < MAX_POLLS => return,
            Ok(Poll::Pending) => Err(ProviderError::plugin("the call wakes itself without end")),
            Ok(Poll::Ready(answer)) => answer,
            Err(panic) => Err(panic),
        };
        let broken = self.calls.remove(&id).and_then(drop_guarded);
        self.emit(match (answer, broken) {
            (Ok(value), None) => Out::Done { id, value },
            (Err(error), _) | (Ok(_), Some(error)) => Out::Failed { id, error },
        });
    }

    fn emit(&self, message: Out) {
        self.desk.out.borrow_mut().push(message);
    }
}

/// A destructor in the future may panic too.
fn drop_guarded(running: Running) -> Option<ProviderError> {
    guarded(|| drop(running)).err()
}
