//! The sandbox as a server on this computer's loopback.
//!
//! Owns: the listener, the life of the process's sandbox from lock to last machine, and HTTP. Does not know the API.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use tokio::sync::oneshot;

use crate::clock::{Clock, ManualClock, ScaledClock};
use crate::faults::Faults;
use crate::jobs::Execution;
use crate::ledger::Ledger;
use crate::limits::LimitMode;
use crate::line::{Lines, Switch};
use crate::machines::Machines;
use crate::sandbox::{Sandbox, Settings};
use crate::state_dir::{Running, StateDir, StateDirError};
use crate::wire::{Mishap, Request, Response};
use crate::world::Timing;

/// A request's body may be this long; the longest real one (user data) is far shorter.
const LONGEST_BODY: usize = 2 * 1024 * 1024;
/// Eleven days a second; beyond that the time of a long run could not be counted.
const MOST_SCALE: f64 = 1_000_000.0;
/// Connections that are open at the end get this long to finish.
const FAREWELL: Duration = Duration::from_secs(2);
/// Machines get this long at the end, all together.
const LAST_PATIENCE: Duration = Duration::from_secs(60);

/// How a sandbox is served.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Must be a loopback address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Where token, ledger and `sandbox.json` are kept; without it nothing is written anywhere.
    pub state: Option<PathBuf>,
    /// How much faster than the computer's the sandbox's time runs.
    pub time_scale: f64,
    /// Time stands but for what its clients say of theirs, in the header [`crate::wire::TIME`] of each request: for those that live in
    /// virtual time. Machines are simulated then.
    pub virtual_time: bool,
    pub timing: Timing,
    pub limits: LimitMode,
    pub faults: Faults,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state: None,
            time_scale: 1.0,
            virtual_time: false,
            timing: Timing::fast(),
            limits: LimitMode::Real,
            faults: Faults::none(),
        }
    }
}

/// What a server that listens says of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Ready {
    /// `http://127.0.0.1:PORT/v4`
    pub v4: String,
    /// `http://127.0.0.1:PORT`: of API v3 there is but one address.
    pub v3: String,
    pub token: String,
    pub token_file: Option<PathBuf>,
    pub pid: u32,
}

impl std::fmt::Debug for Ready {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready").field("v4", &self.v4).field("pid", &self.pid).finish_non_exhaustive()
    }
}

/// Why a sandbox cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(
        "the sandbox listens on this computer only, and {listen} is no loopback address: use 127.0.0.1:PORT, and a tunnel to reach it from elsewhere"
    )]
    NotLoopback { listen: SocketAddr },
    #[error(
        "cannot listen on {listen}: {source}; another program may use this port: choose another with --listen, or port 0 for any"
    )]
    Listen { listen: SocketAddr, source: io::Error },
    #[error("--time-scale must be above 0 and at most {MOST_SCALE}, not {scale}")]
    TimeScale { scale: f64 },
    #[error(transparent)]
    State(#[from] StateDirError),
    #[error("cannot open the sandbox's ledger {path}: {source}")]
    Ledger { path: PathBuf, source: io::Error },
    #[error("the sandbox cannot {what}: {source}")]
    System { what: &'static str, source: io::Error },
}

/// Serves until SIGINT, SIGTERM or a call to stop, then ends all machines. `ready` is called when it listens.
pub fn serve(options: ServeOptions, machines: Arc<dyn Machines>, ready: impl FnOnce(&Ready)) -> Result<(), ServeError> {
    let server = Server::open(options, machines)?;
    let runtime = runtime()?;
    let signal = {
        let _inside = runtime.enter();
        Signals::new().map_err(|source| ServeError::System { what: "watch for signals", source })?
    };
    ready(&server.ready);
    runtime.block_on(server.run(signal.any()))
}

/// A sandbox served by a thread of this process, for tests and benches. Stops when it is dropped.
pub struct Handle {
    /// `http://127.0.0.1:PORT/v4`
    pub url: String,
    pub token: String,
    sandbox: Sandbox,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

/// Serves in the background; when this returns, it listens.
pub fn spawn(options: ServeOptions, machines: Arc<dyn Machines>) -> Result<Handle, ServeError> {
    let server = Server::open(options, machines)?;
    let runtime = runtime()?;
    let Ready { v4: url, token, .. } = server.ready.clone();
    let sandbox = server.sandbox.clone();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("sandbox".to_owned())
        .spawn(move || {
            runtime.block_on(server.run(async {
                // An error means that the handle is gone: that ends it as well.
                let _: Result<(), _> = stopped.await;
            }))
        })
        .map_err(|source| ServeError::System { what: "start a thread", source })?;
    Ok(Handle { url, token, sandbox, stop: Some(stop), thread: Some(thread) })
}

impl Handle {
    /// The sandbox itself, for what its API does not offer.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Ends it and all its machines.
    pub fn stop(mut self) -> Result<(), ServeError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), ServeError> {
        if let Some(stop) = self.stop.take() {
            let _: Result<(), ()> = stop.send(());
        }
        let ended = self.thread.take().map(JoinHandle::join);
        match ended {
            None => Ok(()),
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(ServeError::System {
                what: "end in order",
                source: io::Error::other("its thread panicked; the panic was reported where it happened"),
            }),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the sandbox did not end in order");
        }
    }
}

/// A sandbox that listens and does not answer yet.
struct Server {
    listener: TcpListener,
    sandbox: Sandbox,
    dir: Option<StateDir>,
    ready: Ready,
}

impl Server {
    fn open(options: ServeOptions, machines: Arc<dyn Machines>) -> Result<Self, ServeError> {
        if !options.listen.ip().is_loopback() {
            return Err(ServeError::NotLoopback { listen: options.listen });
        }
        if !(options.time_scale > 0.0 && options.time_scale <= MOST_SCALE) {
            return Err(ServeError::TimeScale { scale: options.time_scale });
        }
        let dir = options.state.as_deref().map(StateDir::open).transpose()?;
        let failed = |source| ServeError::Listen { listen: options.listen, source };
        let listener = TcpListener::bind(options.listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;

        let scaled = ScaledClock::new(options.time_scale);
        let clock: Arc<dyn Clock> = match options.virtual_time {
            true => Arc::new(ManualClock::new(scaled.now())),
            false => Arc::new(scaled),
        };
        let started = clock.now().wire();
        let ledger = match &dir {
            None => Ledger::in_memory(),
            Some(dir) => Ledger::open(&dir.ledger_path(), &started)
                .map_err(|source| ServeError::Ledger { path: dir.ledger_path(), source })?,
        };
        let settings = Settings {
            timing: options.timing,
            limits: options.limits,
            faults: options.faults,
            execution: if options.virtual_time { Execution::Inline } else { Execution::Threads },
        };
        let sandbox = Sandbox::new(settings, clock, machines, ledger);
        if options.virtual_time {
            sandbox.repeatable();
        }
        let token = sandbox.add_token("*").map_err(|source| ServeError::System { what: "make a token", source })?;
        let ready = Ready {
            v4: format!("http://{address}/v4"),
            v3: format!("http://{address}"),
            token,
            token_file: dir.as_ref().map(StateDir::token_path),
            pid: std::process::id(),
        };
        if let Some(dir) = &dir {
            dir.write_token(&ready.token)?;
            let (pid, v4, virtual_time) = (ready.pid, ready.v4.clone(), options.virtual_time);
            dir.announce(&Running { pid, v4, token_file: dir.token_path(), started, virtual_time })?;
        }
        Ok(Self { listener, sandbox, dir, ready })
    }

    async fn run(self, stopped: impl Future<Output = ()>) -> Result<(), ServeError> {
        let served = self.answer(stopped).await;
        if let Some(dir) = &self.dir {
            dir.withdraw();
        }
        let sandbox = self.sandbox.clone();
        let ended = tokio::task::spawn_blocking(move || sandbox.stop(LAST_PATIENCE)).await;
        if let Err(error) = ended {
            tracing::error!(%error, "the machines were not ended in order");
        }
        served
    }

    async fn answer(&self, stopped: impl Future<Output = ()>) -> Result<(), ServeError> {
        let failed = |what| move |source| ServeError::System { what, source };
        let listener = self.listener.try_clone().map_err(failed("use its listener"))?;
        let listener = Lines::new(tokio::net::TcpListener::from_std(listener).map_err(failed("use its listener"))?);
        self.sandbox.start_threads().map_err(failed("start a thread"))?;
        let sandbox = self.sandbox.clone();
        let app = axum::Router::new()
            .fallback(move |ConnectInfo(switch): ConnectInfo<Switch>, request| answer(sandbox.clone(), switch, request))
            .into_make_service_with_connect_info::<Switch>();
        let (farewell, ends) = oneshot::channel::<()>();
        let server = axum::serve(listener, app).with_graceful_shutdown(async {
            let _: Result<(), _> = ends.await;
        });
        let mut server = tokio::spawn(server.into_future());
        tokio::select! {
            ended = &mut server => return match ended {
                Ok(outcome) => outcome.map_err(failed("answer")),
                Err(error) => Err(failed("answer")(io::Error::other(error))),
            },
            () = stopped => {}
            () = self.sandbox.stop_wanted() => {}
        }
        let _: Result<(), ()> = farewell.send(());
        if tokio::time::timeout(FAREWELL, &mut server).await.is_err() {
            server.abort();
        }
        Ok(())
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, ServeError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("sandbox-http")
        .enable_all()
        .build()
        .map_err(|source| ServeError::System { what: "start its threads", source })
}

/// The signals that end a server.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn any(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// One request over HTTP.
async fn answer(sandbox: Sandbox, switch: Switch, request: axum::extract::Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > LONGEST_BODY) {
        // Before it is sent: a client that is answered while it still sends may never see the answer.
        return bare(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let body = match to_bytes(body, LONGEST_BODY).await {
        Ok(body) => body,
        Err(_) => return bare(StatusCode::PAYLOAD_TOO_LARGE),
    };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let request = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
    };
    // A transition takes microseconds, a long list a few milliseconds: not worth a thread of its own.
    let response = sandbox.handle(&request);
    if !response.delay.is_zero() {
        tokio::time::sleep(sandbox.really(response.delay)).await;
    }
    respond(response, &switch)
}

fn respond(response: Response, switch: &Switch) -> axum::response::Response {
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content = response.content();
    match response.mishap {
        Some(Mishap::Closed) => switch.cut_after(0),
        // Half of the body and less than any head: it breaks in the middle in any case.
        Some(Mishap::Broken) => switch.cut_after(64 + content.as_ref().map_or(0, |(_, text)| text.len() / 2)),
        _ => {}
    }
    let mut answer = axum::response::Response::default();
    *answer.status_mut() = status;
    if let Some((kind, text)) = content {
        answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        *answer.body_mut() = Body::from(Bytes::from(text));
    }
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

fn bare(status: StatusCode) -> axum::response::Response {
    let mut answer = axum::response::Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}
