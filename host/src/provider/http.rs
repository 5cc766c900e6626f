//! HTTP for plugins: allow-list, credential, secrets, limits, retries, redaction, recording.
//!
//! Takes a plugin's request message and gives the answer message. Does not know what a plugin is or who called.

use crate::core::Events;
use crate::core::Redactor;
use crate::provider::origin::{Credential, lies_under};
use crate::provider::request::{Refused, build};
use crate::provider::retry::{Outcome, RetryPolicy};
use crate::provider::time::Time;
use crate::provider::transport::{Answer, NoAnswer, Transport};
use crate::provider::{Governor, Secrets};
use linodetool_plugin::Auth;
use linodetool_plugin::message::{Body, Headers, HttpOut, In};
use reqwest::Url;
use std::sync::Arc;

/// Headers that decide where a request goes or how long it is are not a plugin's to set.
const FORBIDDEN: [&str; 7] =
    ["host", "connection", "content-length", "transfer-encoding", "proxy-authorization", "proxy-connection", "upgrade"];

/// By which an emulator says that it made an answer wrong on purpose, and how.
const ON_PURPOSE: &str = "x-sandbox-fault";

/// A request and its answer as they may be stored: no credential, no secrets.
#[derive(Clone, Debug)]
pub struct Exchange<'a> {
    pub plugin: &'a str,
    pub method: &'a str,
    pub url: &'a str,
    pub request: &'a Body,
    pub try_number: u32,
    /// Status, headers and body, or why there was none.
    pub answer: Result<(u16, &'a Headers, &'a Body), &'a str>,
    pub millis: u64,
}

/// Sees every exchange.
pub trait Recorder: Send + Sync {
    fn record(&self, exchange: &Exchange<'_>);
}

/// What a desk is made from.
#[derive(Clone)]
pub struct HttpParts {
    pub transport: Arc<dyn Transport>,
    pub plugin: String,
    /// Requests go to these places or not at all.
    pub allowed: Vec<Url>,
    pub credential: Option<Credential>,
    pub governor: Governor,
    pub retry: RetryPolicy,
    pub time: Arc<dyn Time>,
    pub events: Events,
    pub recorder: Option<Arc<dyn Recorder>>,
}

/// Where a plugin's requests are done. Clones share everything.
#[derive(Clone)]
pub struct HttpDesk(Arc<HttpParts>);

/// A request that got no answer.
struct Failure {
    kind: &'static str,
    message: String,
}

impl HttpDesk {
    pub fn new(parts: HttpParts) -> Self {
        Self(Arc::new(parts))
    }

    /// Does the request and gives the message that answers it. `secrets` are those of the call that asks.
    pub async fn perform(&self, mut request: HttpOut, secrets: &Secrets) -> In {
        let (io, call, state) = (request.io, request.call, request.state.take());
        match self.send(request, secrets).await {
            Ok((status, headers, body)) => In::Http { io, call, state, status, headers, body },
            Err(Failure { kind, message }) => In::HttpFailed { io, call, state, kind: kind.into(), message },
        }
    }

    async fn send(&self, request: HttpOut, secrets: &Secrets) -> Result<(u16, Headers, Body), Failure> {
        let url = self.check(&request)?;
        let token = self.0.credential.as_ref().map(|credential| credential.token.reveal().as_str());
        let redactor = Redactor::new(token.into_iter().chain(secrets.values()));
        let mut tries = 0;
        loop {
            tries += 1;
            self.0.governor.admit(&request.class).await;
            // What cannot be written down, a header with a line break, will not get better.
            let out = self.build(&url, &request, secrets)?;
            let began = self.0.time.now_ms();
            let answer = self.0.transport.send(out).await;
            if let Ok(answer) = &answer {
                self.0.governor.learn(&request.class, answer.status, &answer.headers).await;
            }
            let again = self.0.retry.again(tries, outcome(&answer), request.safe_to_repeat);
            let on_purpose = answer.as_ref().ok().and_then(|answer| answer.headers.get(ON_PURPOSE)).cloned();
            let millis = self.0.time.now_ms().saturating_sub(began);
            let done = match answer {
                Ok(answer) => Ok(answer.redacted(&redactor)),
                Err(none) => Err(failure(&none, &redactor)),
            };
            self.record(&request, &done, tries, millis);
            let Some(again) = again else {
                return done;
            };
            let (what, seconds) = (what(&request, &url), again.pause.as_secs_f64());
            let fault = on_purpose.map(|fault| format!(" (sandbox fault {fault})")).unwrap_or_default();
            self.0.events.note(format!("{what}: {}{fault}; try {} in {seconds:.1} s", again.why, tries + 1));
            self.0.time.sleep(again.pause).await;
        }
    }

    fn check(&self, request: &HttpOut) -> Result<Url, Failure> {
        let url = Url::parse(&request.url).map_err(|why| refused(format!("{}: {why}", request.url)))?;
        if !self.0.allowed.iter().any(|base| lies_under(base, &url)) {
            let allowed: Vec<_> = self.0.allowed.iter().map(Url::as_str).collect();
            let (plugin, allowed) = (&self.0.plugin, allowed.join(", "));
            return Err(refused(format!("plugin {plugin} may not reach {url}: it is opened for {allowed}")));
        }
        let auth = match &request.auth {
            Some(Auth::Header(name)) => Some(name),
            _ => None,
        };
        let mut names = request.headers.keys().chain(auth);
        if let Some(name) = names.find(|name| FORBIDDEN.contains(&name.to_ascii_lowercase().as_str())) {
            return Err(refused(format!("plugin {} may not set the header `{name}`", self.0.plugin)));
        }
        Ok(url)
    }

    /// A token that is bound elsewhere stays here: the request goes without, and the provider says what it thinks of that.
    fn build(&self, url: &Url, request: &HttpOut, secrets: &Secrets) -> Result<reqwest::Request, Failure> {
        let credential = self.0.credential.as_ref().filter(|credential| credential.is_for(url));
        let token = credential.map(|credential| credential.token.reveal().as_str());
        build(url.clone(), request, token, secrets).map_err(|Refused(why)| refused(why))
    }

    fn record(&self, request: &HttpOut, done: &Result<(u16, Headers, Body), Failure>, try_number: u32, millis: u64) {
        let status = done.as_ref().map_or(0, |(status, ..)| *status);
        tracing::debug!(plugin = self.0.plugin, method = request.method, url = request.url, status, millis, "http");
        if let Some(recorder) = &self.0.recorder {
            let answer = match done {
                Ok((status, headers, body)) => Ok((*status, headers, body)),
                Err(failure) => Err(failure.message.as_str()),
            };
            let (method, url) = (request.method.as_str(), request.url.as_str());
            let plugin = self.0.plugin.as_str();
            recorder.record(&Exchange { plugin, method, url, request: &request.body, try_number, answer, millis });
        }
    }
}

fn outcome(answer: &Result<Answer, NoAnswer>) -> Outcome<'_> {
    match answer {
        Ok(Answer { status, headers, bytes }) => Outcome::Answered { status: *status, headers, body: bytes },
        Err(NoAnswer::NotSent(_)) => Outcome::NotSent,
        Err(NoAnswer::Distrusted(_)) => Outcome::Distrusted,
        Err(NoAnswer::TimedOut(_) | NoAnswer::Lost(_)) => Outcome::Lost,
    }
}

fn failure(none: &NoAnswer, redactor: &Redactor) -> Failure {
    let kind = match none {
        NoAnswer::TimedOut(_) => "timeout",
        NoAnswer::NotSent(_) | NoAnswer::Distrusted(_) | NoAnswer::Lost(_) => "network",
    };
    Failure { kind, message: redactor.text(&none.to_string()).into_owned() }
}

fn refused(message: String) -> Failure {
    Failure { kind: "refused", message }
}

fn what(request: &HttpOut, url: &Url) -> String {
    format!("{} {}", request.method, url.path())
}

#[cfg(test)]
mod tests;
