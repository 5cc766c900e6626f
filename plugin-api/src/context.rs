//! What an operation may ask of the host: HTTP, time, progress, log lines.
//!
//! Owns the desk where answers wait for the futures that want them. Does not know how a request is sent, what time it is, or
//! how calls are polled (`executor`).

use crate::error::{ErrorKind, ProviderError, Result, Retry};
use crate::http::{Request, Response};
use crate::message::{HttpOut, Out};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// One call's view of the host. Every method of [`Provider`](crate::Provider) gets one.
pub struct Cx {
    pub(crate) call: u64,
    pub(crate) desk: Rc<Desk>,
}

/// Where answers wait for futures and messages wait for the end of the step. One per instance.
#[derive(Default)]
pub(crate) struct Desk {
    pub(crate) out: RefCell<Vec<Out>>,
    pub(crate) waiting: RefCell<HashMap<u64, Rc<Slot>>>,
    last_io: Cell<u64>,
}

#[derive(Default)]
pub(crate) struct Slot {
    answer: RefCell<Option<Answer>>,
    waker: RefCell<Option<Waker>>,
}

pub(crate) enum Answer {
    Http(Response),
    Failed { kind: String, message: String },
    Timer,
}

impl Desk {
    /// An answer from the host; one nobody waits for any more is dropped.
    pub(crate) fn deliver(&self, io: u64, answer: Answer) {
        let Some(slot) = self.waiting.borrow_mut().remove(&io) else {
            return;
        };
        *slot.answer.borrow_mut() = Some(answer);
        let waker = slot.waker.borrow_mut().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Cx {
    /// Sends a request. Nothing is sent before the future is first polled; several may run at once under any join of
    /// futures; dropping one tells the host to stop.
    ///
    /// Whatever the provider answered is an `Ok`, an error status too.
    ///
    /// # Errors
    /// `Network` or `Timeout` when no answer came: what was asked may or may not have happened. `Invalid` when the host refused
    /// to send it.
    pub async fn http(&self, request: Request) -> Result<Response> {
        let Request { method, url, auth, headers, body, class, safe_to_repeat } = request;
        let call = self.call;
        let io = self.ask(|io| {
            Out::Http(HttpOut { io, call, state: None, method, url, auth, headers, body, class, safe_to_repeat })
        });
        match io.await {
            Answer::Http(response) => Ok(response),
            Answer::Failed { kind, message } => Err(unanswered(&kind, message)),
            Answer::Timer => Err(ProviderError::plugin("the host answered a request with a timer")),
        }
    }

    /// Waits, by the host's clock, which is virtual in tests and rehearsals.
    pub async fn sleep_ms(&self, after_ms: u64) {
        let call = self.call;
        self.ask(|io| Out::Timer { io, call, state: None, after_ms }).await;
    }

    /// Says how far this call is; for a person, who may not see it.
    pub fn progress(&self, message: impl Into<String>) {
        self.desk.out.borrow_mut().push(Out::Progress { call: self.call, message: message.into() });
    }

    /// A line for the host's log. A plugin's own `log` or `tracing` reaches nobody.
    pub fn log(&self, level: Level, message: impl Into<String>) {
        self.desk.out.borrow_mut().push(Out::Log { level: level.name().to_owned(), message: message.into() });
    }

    fn ask(&self, message: impl FnOnce(u64) -> Out) -> Io {
        let io = self.desk.last_io.get() + 1;
        self.desk.last_io.set(io);
        let slot = Rc::new(Slot::default());
        self.desk.waiting.borrow_mut().insert(io, slot.clone());
        self.desk.out.borrow_mut().push(message(io));
        Io { io, call: self.call, desk: self.desk.clone(), slot }
    }
}

/// How important a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever looks for a bug in the plugin.
    Debug,
    /// Worth knowing afterwards.
    Info,
    /// Went well in the end, but should be looked at.
    Warn,
    /// Did not go well.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What the host calls `refused` it has not sent, so it cannot have had an effect; any other kind leaves that open.
fn unanswered(kind: &str, message: String) -> ProviderError {
    match kind {
        "refused" => ProviderError { retry: Some(Retry::Never), ..ProviderError::new(ErrorKind::Invalid, message) },
        "timeout" => ProviderError::new(ErrorKind::Timeout, message),
        _ => ProviderError::new(ErrorKind::Network, message),
    }
}

/// Ready when the host has answered; dropped early, it tells the host to stop.
struct Io {
    io: u64,
    call: u64,
    desk: Rc<Desk>,
    slot: Rc<Slot>,
}

impl Future for Io {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        if let Some(answer) = self.slot.answer.borrow_mut().take() {
            return Poll::Ready(answer);
        }
        *self.slot.waker.borrow_mut() = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        if self.desk.waiting.borrow_mut().remove(&self.io).is_some() {
            self.desk.out.borrow_mut().push(Out::Forget { io: self.io, call: self.call });
        }
    }
}
