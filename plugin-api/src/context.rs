//! What an operation may ask of the host: HTTP, time, progress.

use crate::error::{ErrorKind, ProviderError, Result};
use crate::message::{Auth, Body, Headers, HttpOut, Out};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::to_raw_value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// One call's view of the host.
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
        if let Some(waker) = slot.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}

impl Cx {
    /// Sends the request when first polled. Several may run at once under any join of futures.
    pub async fn http(&self, request: Request) -> Result<Response> {
        let Request { method, url, auth, headers, body, class, safe_to_repeat } = request;
        let call = self.call;
        let io = self.ask(|io| {
            Out::Http(HttpOut { io, call, state: None, method, url, auth, headers, body, class, safe_to_repeat })
        });
        match io.await {
            Answer::Http(response) => Ok(response),
            Answer::Failed { kind, message } => Err(ProviderError::new(network_kind(&kind), message)),
            Answer::Timer => Err(ProviderError::plugin("the host answered a request with a timer")),
        }
    }

    pub async fn sleep_ms(&self, after_ms: u64) {
        let call = self.call;
        self.ask(|io| Out::Timer { io, call, state: None, after_ms }).await;
    }

    pub fn progress(&self, message: impl Into<String>) {
        self.desk.out.borrow_mut().push(Out::Progress { call: self.call, message: message.into() });
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

fn network_kind(kind: &str) -> ErrorKind {
    if kind == "timeout" { ErrorKind::Timeout } else { ErrorKind::Network }
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

#[derive(Debug, Default)]
pub struct Request {
    method: String,
    url: String,
    auth: Option<Auth>,
    headers: Headers,
    body: Body,
    class: String,
    safe_to_repeat: bool,
}

impl Request {
    pub fn get(url: impl Into<String>) -> Self {
        Self { method: "GET".into(), url: url.into(), safe_to_repeat: true, ..Self::default() }
    }

    pub fn post(url: impl Into<String>) -> Self {
        Self { method: "POST".into(), url: url.into(), ..Self::default() }
    }

    /// Where the host puts the credential.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.auth = Some(auth);
        self
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }

    pub fn class(mut self, class: &str) -> Self {
        self.class = class.into();
        self
    }

    pub fn json(mut self, body: &impl Serialize) -> Result<Self> {
        self.body.json = Some(to_raw_value(body)?);
        Ok(self)
    }
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Body,
}

impl Response {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        match &self.body.json {
            Some(json) => Ok(serde_json::from_str(json.get())?),
            None => Err(ProviderError::new(ErrorKind::Unavailable, "the provider did not answer in JSON")),
        }
    }
}

/// Runs futures side by side and answers in their order. Small enough not to need a crate in every plugin.
pub async fn join_all<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut lanes: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(move |context| {
        let mut waiting = false;
        for (future, answer) in &mut lanes {
            if answer.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(output) => *answer = Some(output),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(lanes.iter_mut().filter_map(|lane| lane.1.take()).collect()) }
    })
    .await
}
