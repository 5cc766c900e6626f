//! Drives a provider in-process: scripted HTTP answers, virtual time, no host, no network.

use crate::error::Result;
use crate::executor::Executor;
use crate::message::{Body, Headers, HttpOut, In, Out};
use crate::provider::Provider;
use serde_json::Value;
use serde_json::value::to_raw_value;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// `Driver::new(provider).on("GET /v4/regions", 200, json!({..})).call("regions.list", json!({}))`
pub struct Driver<P> {
    executor: Executor<P>,
    script: Vec<Scripted>,
    timers: BinaryHeap<Reverse<(u64, u64, u64)>>,
    pub requests: Vec<HttpOut>,
    pub progress: Vec<String>,
    pub forgotten: Vec<u64>,
    pub now_ms: u64,
    last_call: u64,
}

struct Scripted {
    request: String,
    status: u16,
    body: Value,
}

impl<P: Provider> Driver<P> {
    pub fn new(provider: P) -> Self {
        Self {
            executor: Executor::new(provider),
            script: Vec::new(),
            timers: BinaryHeap::new(),
            requests: Vec::new(),
            progress: Vec::new(),
            forgotten: Vec::new(),
            now_ms: 0,
            last_call: 0,
        }
    }

    /// The next request whose "METHOD url" ends so is answered with this; answers of one request are used in turn.
    pub fn on(mut self, request: &str, status: u16, body: Value) -> Self {
        self.script.push(Scripted { request: request.to_owned(), status, body });
        self
    }

    /// Runs one operation to its end; time jumps from timer to timer.
    pub fn call(&mut self, operation: &str, args: Value) -> Result<Value> {
        self.last_call += 1;
        let id = self.last_call;
        let mut input = vec![In::Call { id, op: operation.to_owned(), args: to_raw_value(&args)? }];
        loop {
            let mut next = Vec::new();
            for message in self.executor.step(std::mem::take(&mut input)) {
                match message {
                    Out::Done { value, .. } => return Ok(serde_json::from_str(value.get())?),
                    Out::Failed { error, .. } => return Err(error),
                    Out::Http(request) => {
                        next.push(self.answer(&request));
                        self.requests.push(request);
                    }
                    Out::Timer { io, call, after_ms, .. } => {
                        self.timers.push(Reverse((self.now_ms + after_ms, io, call)))
                    }
                    Out::Progress { message, .. } => self.progress.push(message),
                    Out::Forget { io, .. } => self.forgotten.push(io),
                    Out::Log { .. } | Out::Fatal { .. } | Out::Unknown => {}
                }
            }
            if next.is_empty() {
                let Some(Reverse((at, io, call))) = self.timers.pop() else {
                    panic!("{operation} waits for nothing: it would never end");
                };
                self.now_ms = at;
                next.push(In::Timer { io, call, state: None });
            }
            input = next;
        }
    }

    pub fn send(&mut self, messages: Vec<In>) -> Vec<Out> {
        self.executor.step(messages)
    }

    fn answer(&mut self, request: &HttpOut) -> In {
        let asked = format!("{} {}", request.method, request.url);
        let found = self.script.iter().position(|s| {
            let (method, path) = s.request.split_once(' ').unwrap_or(("GET", &s.request));
            request.method == method && request.url.ends_with(path)
        });
        let Some(found) = found else { panic!("no scripted answer for {asked}") };
        let Scripted { status, body, .. } = self.script.remove(found);
        let json = to_raw_value(&body).ok();
        let body = Body { json, ..Body::default() };
        In::Http { io: request.io, call: request.call, state: None, status, headers: Headers::new(), body }
    }
}
