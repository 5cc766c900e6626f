//! Drives a provider in-process: scripted HTTP answers, virtual time, no host, no network, no loading.
//!
//! ```
//! # use linodetool_plugin::{testing::{Driver, Reply}, *};
//! # use serde_json::json;
//! # struct Cloud;
//! # impl Provider for Cloud {
//! #     async fn get_account(&self, cx: &Cx, _: NoArguments) -> Result<Account> {
//! #         cx.http(Request::get("https://cloud.example/account").auth(Auth::Bearer)).await?.json()
//! #     }
//! # }
//! let mut driver = Driver::new(Cloud);
//! driver.on("GET /account", Reply::json(200, json!({ "id": "7" })));
//! let shown = driver.show("account.get", json!({}));
//! assert!(shown.starts_with("> GET https://cloud.example/account\n  auth bearer, safe to repeat\n< 200\n= "));
//! ```
//!
//! A mistake in the script is a panic that says what was asked and what was expected: this module is for tests alone.

use crate::error::Result;
use crate::executor::Executor;
use crate::message::{Auth, Body, Headers, HttpOut, In, Out};
use crate::provider::Provider;
use serde_json::Value;
use serde_json::value::to_raw_value;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write;

/// A call that takes more steps than this is taken to be endless.
const MAX_STEPS: usize = 10_000;

/// Holds a provider, the answers it will get, and what it did.
pub struct Driver<P> {
    executor: Executor<P>,
    script: Vec<(String, Reply)>,
    timers: BinaryHeap<Reverse<(u64, u64, u64)>>,
    shown: String,
    /// Every request so far, in the order they were asked.
    pub requests: Vec<HttpOut>,
    /// Virtual time since the start.
    pub now_ms: u64,
    last_call: u64,
}

/// What the provider's service answers.
#[derive(Debug)]
pub struct Reply(Inner);

#[derive(Debug)]
enum Inner {
    Answer { status: u16, headers: Headers, body: Body },
    Lost { kind: String, message: String },
}

impl Reply {
    /// A JSON body.
    #[expect(clippy::needless_pass_by_value, reason = "so that `json!` can be written in its place")]
    pub fn json(status: u16, body: Value) -> Self {
        let json = Some(to_raw_value(&body).expect("a Value is JSON"));
        Self::answer(status, Body { json, ..Body::default() })
    }

    /// A body that is not JSON, as from a proxy in between.
    pub fn text(status: u16, body: &str) -> Self {
        Self::answer(status, Body { text: Some(body.to_owned()), ..Body::default() })
    }

    /// No body at all.
    pub fn empty(status: u16) -> Self {
        Self::answer(status, Body::default())
    }

    /// No answer: `kind` is what a host says, `timeout`, `connect`, ...
    pub fn lost(kind: &str, message: &str) -> Self {
        Self(Inner::Lost { kind: kind.to_owned(), message: message.to_owned() })
    }

    /// Adds a header; only an answer has any.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Inner::Answer { headers, .. } = &mut self.0 {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        self
    }

    fn answer(status: u16, body: Body) -> Self {
        Self(Inner::Answer { status, headers: Headers::new(), body })
    }
}

impl<P: Provider> Driver<P> {
    /// A fresh instance at time 0.
    pub fn new(provider: P) -> Self {
        Self {
            executor: Executor::new(provider),
            script: Vec::new(),
            timers: BinaryHeap::new(),
            shown: String::new(),
            requests: Vec::new(),
            now_ms: 0,
            last_call: 0,
        }
    }

    /// The next request whose `METHOD url` has this method and ends so is answered with this. Answers of one request are used
    /// in turn, each once.
    pub fn on(&mut self, request: &str, reply: Reply) -> &mut Self {
        assert!(request.contains(' '), "`{request}`: write METHOD and path");
        self.script.push((request.to_owned(), reply));
        self
    }

    /// Runs one operation to its end; time jumps from timer to timer.
    ///
    /// # Errors
    /// What the operation failed with.
    ///
    /// # Panics
    /// When it asks for what is not in the script, or waits for nothing.
    #[expect(clippy::needless_pass_by_value, reason = "so that `json!` can be written in its place")]
    pub fn call(&mut self, operation: &str, args: Value) -> Result<Value> {
        self.last_call += 1;
        let id = self.last_call;
        let mut input = vec![In::Call { id, op: operation.to_owned(), args: to_raw_value(&args)? }];
        for _ in 0..MAX_STEPS {
            let mut answers = Vec::new();
            for message in self.executor.step(std::mem::take(&mut input)) {
                match message {
                    Out::Done { id: done, value } if done == id => return Ok(serde_json::from_str(value.get())?),
                    Out::Failed { id: failed, error } if failed == id => return Err(error),
                    other => answers.extend(self.react(other)),
                }
            }
            if answers.is_empty() {
                let Some(Reverse((at, io, call))) = self.timers.pop() else {
                    panic!("{operation} waits for nothing: it would never end");
                };
                self.now_ms = at;
                answers.push(In::Timer { io, call, state: None });
            }
            input = answers;
        }
        panic!("{operation} did not end within {MAX_STEPS} steps");
    }

    /// Runs one operation and shows every exchange and its outcome as text: `>` request, `<` status of the answer, `@` timer,
    /// `~` progress, `#` log line, `x` request no longer wanted, `=` value or `!` error. Answers that were not asked for are
    /// listed at the end.
    pub fn show(&mut self, operation: &str, args: Value) -> String {
        self.shown.clear();
        let outcome = self.call(operation, args);
        let mut shown = std::mem::take(&mut self.shown);
        match outcome {
            Ok(value) => show_value(&mut shown, &value),
            Err(error) => line(&mut shown, format_args!("! {}", compact(&error))),
        }
        for (request, _) in self.script.drain(..) {
            line(&mut shown, format_args!("? never asked: {request}"));
        }
        shown
    }

    /// One step with messages of your own, for what [`call`](Self::call) does not do: cancelling, late answers, many calls.
    pub fn send(&mut self, messages: Vec<In>) -> Vec<Out> {
        self.executor.step(messages)
    }

    fn react(&mut self, message: Out) -> Option<In> {
        match message {
            Out::Http(request) => {
                show_request(&mut self.shown, &request);
                let answer = self.answer(&request);
                self.requests.push(request);
                return Some(answer);
            }
            Out::Timer { io, call, after_ms, .. } => {
                line(&mut self.shown, format_args!("@ {after_ms} ms"));
                self.timers.push(Reverse((self.now_ms.saturating_add(after_ms), io, call)));
            }
            Out::Progress { message, .. } => line(&mut self.shown, format_args!("~ {message}")),
            Out::Log { level, message } => line(&mut self.shown, format_args!("# {level} {message}")),
            Out::Forget { io, .. } => {
                line(&mut self.shown, format_args!("x {io}"));
                self.timers.retain(|Reverse((_, timer, _))| *timer != io);
            }
            Out::Fatal { message } => panic!("the instance is lost: {message}"),
            Out::Done { .. } | Out::Failed { .. } | Out::Unknown => {}
        }
        None
    }

    fn answer(&mut self, request: &HttpOut) -> In {
        let HttpOut { io, call, method, url, .. } = request;
        let fits = |asked: &str| asked.split_once(' ').is_some_and(|(m, path)| m == method && url.ends_with(path));
        let Some(place) = self.script.iter().position(|(asked, _)| fits(asked)) else {
            let left: Vec<_> = self.script.iter().map(|(asked, _)| asked.as_str()).collect();
            panic!("no scripted answer for {method} {url}; left in the script: {left:?}");
        };
        let (io, call, state) = (*io, *call, None);
        match self.script.remove(place).1.0 {
            Inner::Answer { status, headers, body } => {
                line(&mut self.shown, format_args!("< {status}"));
                In::Http { io, call, state, status, headers, body }
            }
            Inner::Lost { kind, message } => {
                line(&mut self.shown, format_args!("< lost: {kind}"));
                In::HttpFailed { io, call, state, kind, message }
            }
        }
    }
}

fn show_request(shown: &mut String, request: &HttpOut) {
    line(shown, format_args!("> {} {}", request.method, request.url));
    let mut notes = Vec::new();
    match &request.auth {
        Some(Auth::Bearer) => notes.push("auth bearer".to_owned()),
        Some(other) => notes.push(format!("auth {}", compact(other))),
        None => {}
    }
    if !request.class.is_empty() {
        notes.push(format!("class {}", request.class));
    }
    if request.safe_to_repeat {
        notes.push("safe to repeat".to_owned());
    }
    if !notes.is_empty() {
        line(shown, format_args!("  {}", notes.join(", ")));
    }
    for (name, value) in &request.headers {
        line(shown, format_args!("  {name}: {value}"));
    }
    if let Some(json) = &request.body.json {
        line(shown, format_args!("  {json}"));
    } else if request.body.form.is_some() || request.body.text.is_some() || request.body.base64.is_some() {
        line(shown, format_args!("  {}", compact(&request.body)));
    }
}

/// On one line; a whole list with one item a line.
fn show_value(shown: &mut String, value: &Value) {
    match value.get("items").and_then(Value::as_array) {
        Some(items) if !items.is_empty() && value.get("next").is_none() => {
            for item in items {
                line(shown, format_args!("= {item}"));
            }
        }
        _ => line(shown, format_args!("= {value}")),
    }
}

fn compact(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|e| format!("(cannot be shown: {e})"))
}

fn line(shown: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(shown, "{text}"); // writing to a String does not fail
}
