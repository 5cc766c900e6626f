//! What a hundred nodes cost in API calls and in time, against the floor that Linode's published limits set.
//!
//! `cargo bench -p linodetool --bench api_calls`. The v4 plugin, the rate governor and the one poller are the real ones, the
//! cloud is the emulator with the real limits and simulated machines, called without a network. SSH is no part of it.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is there to print, and may stop at anything unexpected

use linodetool::core::Secret;
use linodetool::plugin_host::{Dirs, Opening, Plugins};
use linodetool::provider::{
    Answer, BoxFuture, Credential, NoAnswer, Origin, Pace, Provider, ProxySettings, Transport, Wait,
};
use linodetool_plugin::{CreateInstance, InstanceStatus, RateClass};
use linodetool_sandbox::clock::ScaledClock;
use linodetool_sandbox::faults::Faults;
use linodetool_sandbox::ledger::Ledger;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::simulated::Simulated;
use linodetool_sandbox::wire;
use linodetool_sandbox::world::Timing;
use linodetool_sandbox::{Execution, Sandbox, Settings};
use reqwest::Request;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::{Handle, Runtime};

const NODES: usize = 100;
const TAG: &str = "cluster:bench";
const URL: &str = "http://127.0.0.1:9/v4";

fn main() {
    let runtime = Runtime::new().unwrap();
    for (timing, pace, what) in [
        (Timing::fast(), Pace::local(), "the sandbox's timing"),
        (Timing::real(), Pace::default(), "the timing of the real API"),
    ] {
        runtime.block_on(round(timing, pace, what));
    }
}

async fn round(timing: Timing, pace: Pace, what: &str) {
    let cloud = Arc::new(Counting::new(timing));
    let provider = open(&cloud, pace).await;
    let began = Instant::now();
    let lanes: Vec<_> = (1..=NODES).map(|number| tokio::spawn(lane(provider.clone(), number))).collect();
    for lane in lanes {
        lane.await.unwrap();
    }
    let seconds = began.elapsed().as_secs_f64();
    let slow = floor(&provider.manifest.rate_classes, &timing);
    println!("{NODES} nodes, {what}: {seconds:.1} s; the limit on creates and the last boot allow {slow:.1} s");
    let calls = cloud.calls.lock().unwrap();
    for (call, count) in &*calls {
        println!("  {count:>5}  {call}");
    }
    let count = |call: &str| calls.get(call).copied().unwrap_or(0);
    let ticks = (seconds / pace.fast.as_secs_f64()).ceil() as usize + 1;
    let (creates, lists) = (count("POST /v4/linode/instances"), count("GET /v4/linode/instances"));
    assert_eq!(creates, NODES, "one create for each node, and none refused");
    assert!(lists <= ticks, "{lists} lists in {ticks} ticks");
    assert_eq!(calls.values().sum::<usize>(), creates + lists, "nothing else is asked");
    cloud.sandbox.stop(Duration::from_secs(10));
}

/// What one node's lane asks of the provider.
async fn lane(provider: Provider, number: usize) {
    let create = CreateInstance {
        label: format!("bench-node-{number}"),
        region: "us-east".into(),
        type_id: "g6-nanode-1".into(),
        image: "linode/debian12".into(),
        tags: vec![TAG.into()],
        authorized_keys: vec![
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJNdVC6XfwFHvFPGhV3H4U2jhPrDlZpmhHYTFwR0wD3n bench".into(),
        ],
        ..CreateInstance::default()
    };
    let instance = provider.client.create_instance(&create).await.unwrap();
    let wait = Wait {
        id: instance.id,
        tag: Some(TAG.into()),
        wanted: vec![InstanceStatus::Running],
        timeout: Duration::from_secs(600),
        ..Wait::default()
    };
    provider.waits.until(wait).await.unwrap();
}

/// The creates that fit into no earlier window, and then the last node's own time.
fn floor(classes: &[RateClass], timing: &Timing) -> f64 {
    let creates = classes.iter().find(|class| class.name.contains("create")).unwrap();
    let windows = (NODES - 1) / creates.calls as usize;
    windows as f64 * f64::from(creates.per_seconds) + (timing.create + timing.running).as_secs_f64()
}

/// The emulator in this process, and how often what was asked of it.
struct Counting {
    sandbox: Sandbox,
    token: String,
    calls: Mutex<BTreeMap<String, usize>>,
}

impl Counting {
    fn new(timing: Timing) -> Self {
        let settings =
            Settings { timing, limits: LimitMode::Real, faults: Faults::none(), execution: Execution::Inline };
        let clock = Arc::new(ScaledClock::new(1.0));
        let sandbox = Sandbox::new(settings, clock, Arc::new(Simulated::new()), Ledger::in_memory());
        sandbox.start_threads().unwrap();
        let token = sandbox.add_token("*").unwrap();
        Self { sandbox, token, calls: Mutex::default() }
    }
}

impl Transport for Counting {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        let path = request.url().path().to_owned();
        *self.calls.lock().unwrap().entry(format!("{} {path}", request.method())).or_default() += 1;
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap().to_owned())
        };
        let asked = wire::Request {
            method: request.method().to_string(),
            path,
            query: request.url().query().unwrap_or_default().to_owned(),
            headers: request.headers().iter().map(header).collect(),
            body: request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_owned(),
        };
        let answer = self.sandbox.handle(&asked);
        let bytes = answer.body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let headers = answer.headers.into_iter().collect();
        Box::pin(std::future::ready(Ok(Answer { status: answer.status, headers, bytes })))
    }
}

async fn open(cloud: &Arc<Counting>, pace: Pace) -> Provider {
    let exe = PathBuf::from(env!("CARGO_BIN_EXE_linodetool"));
    let dirs = Dirs { exe, user: Path::new("/nonexistent").to_owned() };
    let plugins = Plugins::new(dirs, Handle::current(), ProxySettings::default());
    let credential = Credential { origin: URL.parse().unwrap(), token: Secret::new(cloud.token.clone()) };
    let origin = Origin { base_url: URL.parse().ok(), credential: Some(credential) };
    let opening = Opening { origin, pace, transport: Some(cloud.clone()), ..Opening::default() };
    plugins.open("linode-v4", opening).await.unwrap()
}
