//! A cloud whose machines are only simulated, in virtual time: the emulator in this process, or in one that tests this one.
//!
//! Owns how requests, and what is done on machines, reach it. Does not know what it is for.

use std::sync::Arc;
use std::time::Duration;

use linodetool_plugin::message::Headers;
use linodetool_sandbox::act;
use linodetool_sandbox::clock::{ManualClock, Time as Moment};
use linodetool_sandbox::faults::Faults;
use linodetool_sandbox::ledger::Ledger;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::simulated::{Pace, Simulated};
use linodetool_sandbox::wire;
use linodetool_sandbox::world::Timing;
use linodetool_sandbox::{Execution, Sandbox, Settings};
use reqwest::{Method, Request, Url};

use crate::core::{BoxFuture, Clock, Failure, FailureKind, Secret, Time, VirtualTime};
use crate::nodes::Simulator;
use crate::provider::{Answer, HttpClients, NoAnswer, Pace as Polling, ProxySettings, Transport};
use crate::secrets::{Otherwise, Passing};

/// Where such a cloud is, how it is spoken to, and its time.
#[derive(Clone)]
pub struct Emulated {
    /// Base URL of its API v4.
    pub v4: Url,
    pub token: Secret<String>,
    pub transport: Arc<dyn Transport>,
    pub time: Arc<dyn Time>,
    /// How often it is looked how far it is.
    pub pace: Polling,
    /// Who knows the user's secrets, where the state directory does not hold them.
    pub secrets: Option<Otherwise>,
    /// Of a cloud that ends with this process, and all that is known of it too: where secrets made for it are kept, and
    /// nothing waits for the disk. None where processes come and go, and may die.
    pub passing: Option<Passing>,
}

impl Emulated {
    /// An emulator of another process on this computer, in whose time all is done.
    ///
    /// # Errors
    /// `Local` if this computer has no network at all.
    pub fn elsewhere(v4: &str, token: Secret<String>, time: Arc<dyn Time>, pace: Polling) -> Result<Self, Failure> {
        let cannot = |e| Failure::new(FailureKind::Local, format!("nothing can be sent on this computer: {e}"));
        let clients = HttpClients::new(ProxySettings::default()).map_err(cannot)?;
        let transport = Arc::new(Elsewhere { clients, time: time.clone() });
        Ok(Self { v4: super::url(v4)?, token, transport, time, pace, secrets: None, passing: None })
    }
}

/// The way to an emulator in another process, which is told this one's time.
struct Elsewhere {
    clients: HttpClients,
    time: Arc<dyn Time>,
}

impl Transport for Elsewhere {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        Box::pin(async move {
            // No virtual time passes while an answer is on its way.
            let _hold = self.time.hold();
            request.headers_mut().insert(wire::TIME, self.time.now_ms().into());
            self.clients.send(request).await
        })
    }
}

/// How often to look at a cloud of such times.
pub fn polling(timing: Timing) -> Polling {
    if timing == Timing::fast() { Polling::local() } else { Polling::default() }
}

/// An emulator of this process, and what only those who have it here can ask.
#[derive(Clone)]
pub struct Emulator {
    pub sandbox: Sandbox,
    pub machines: Arc<Simulated>,
    clock: Arc<ManualClock>,
    pub time: VirtualTime,
    /// How often it is looked how far it is.
    pub polling: Polling,
    passing: Passing,
}

impl Emulator {
    /// An empty account with the real cloud's limits and times. Nothing in it passes but by this time.
    pub fn new(time: VirtualTime) -> Self {
        Self::with(time, Timing::real(), LimitMode::Real, Pace::LINODE)
    }

    /// The same with other limits and times, and machines that work so fast.
    pub fn with(time: VirtualTime, timing: Timing, limits: LimitMode, pace: Pace) -> Self {
        let settings = Settings { timing, limits, faults: Faults::none(), execution: Execution::Inline };
        let clock = Arc::new(ManualClock::new(Moment(time.now_ms())));
        let machines = Arc::new(Simulated::at(pace));
        let sandbox = Sandbox::new(settings, clock.clone(), machines.clone(), Ledger::in_memory());
        let polling = polling(timing);
        Self { sandbox, machines, clock, time, polling, passing: Passing::default() }
    }

    /// The way to it.
    ///
    /// # Errors
    /// `Local` if the system gives no random numbers.
    pub fn access(&self) -> Result<Emulated, Failure> {
        let token = self.sandbox.add_token("*").map_err(|e| Failure::new(FailureKind::Local, e.to_string()))?;
        // Nobody listens there: the requests never leave this process.
        let v4 = super::url("http://127.0.0.1:9/v4")?;
        Ok(Emulated {
            v4,
            token: Secret::new(token),
            transport: Arc::new(self.clone()),
            time: Arc::new(self.time.clone()),
            pace: self.polling,
            secrets: None,
            passing: Some(self.passing.clone()),
        })
    }

    /// And how long it takes.
    fn answer(&self, request: &Request) -> (Answer, Duration) {
        self.clock.advance_to(Moment(self.time.now_ms()));
        let text = |value: &reqwest::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let request = wire::Request {
            method: request.method().to_string(),
            path: request.url().path().to_owned(),
            query: request.url().query().unwrap_or_default().to_owned(),
            headers: request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: request.body().and_then(reqwest::Body::as_bytes).map(<[u8]>::to_vec).unwrap_or_default(),
        };
        let response = self.sandbox.handle(&request);
        let mut headers: Headers =
            response.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
        let bytes = match response.body {
            Some(body) => {
                headers.insert("content-type".into(), "application/json".into());
                serde_json::to_vec(&body).unwrap_or_default()
            }
            None => Vec::new(),
        };
        (Answer { status: response.status, headers, bytes }, response.delay)
    }
}

impl Transport for Emulator {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        Box::pin(async move {
            let (answer, takes) = self.answer(&request);
            if !takes.is_zero() {
                self.time.sleep(takes).await;
            }
            Ok(answer)
        })
    }
}

/// What is done on machines goes the same way as other requests.
impl Simulator for Emulated {
    fn act(&self, request: act::Request) -> BoxFuture<'_, Result<act::Acted, String>> {
        Box::pin(async move {
            let mut url = self.v4.clone();
            url.set_path("/sandbox/nodes/act");
            let mut post = Request::new(Method::POST, url);
            let bearer = format!("Bearer {}", self.token.reveal()).parse();
            post.headers_mut().insert("authorization", bearer.map_err(|_| "the token cannot be sent".to_owned())?);
            *post.body_mut() = Some(serde_json::to_vec(&request).map_err(|e| e.to_string())?.into());
            let answer = self.transport.send(post).await.map_err(|e| e.to_string())?;
            if answer.status == 200 {
                return serde_json::from_slice(&answer.bytes).map_err(|e| e.to_string());
            }
            Err(format!("the emulator answered {}: {}", answer.status, String::from_utf8_lossy(&answer.bytes)))
        })
    }
}
