//! Creates whose answers are lost: found again, never made twice.

use crate::support::{World, begin, begin_with, paths, within};
use linodetool::app::App;
use linodetool::core::events::Event;
use linodetool::core::{Clock, Events, FailureKind, Secret, SystemClock, Time};
use linodetool::nodes::{Direct, Limits, Nodes};
use linodetool::plugin_host::{Dirs, Opening, Plugins};
use linodetool::provider::{
    Answer, BoxFuture, Credential, HttpClients, NoAnswer, Origin, Pace, ProxySettings, RetryPolicy, Transport,
};
use linodetool::runs::{Run, Runs, StepError};
use linodetool::secrets::SecretStore;
use linodetool::toolkit::nodes::NodeSpec;
use linodetool::toolkit::{At, Parts, Settings, Toolkit, Yes};
use linodetool_plugin::{EventStatus, ListEvents};
use linodetool_sandbox::faults::Spec;
use linodetool_sandbox::machines::simulated::Simulated;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(crate) const WORKS: u8 = 0;
/// The next create takes effect, its answer does not arrive.
pub(crate) const LOSES_ANSWER: u8 = 1;
/// The next create does not arrive.
pub(crate) const LOSES_REQUEST: u8 = 2;
/// As `LOSES_ANSWER`, and from then on nothing goes through.
pub(crate) const LOSES_ALL: u8 = 3;
pub(crate) const DOWN: u8 = 4;
/// The next request about firewalls does not arrive, and no answer comes.
pub(crate) const STALLS: u8 = 5;

/// The network, with faults.
#[derive(Clone)]
struct Network {
    inner: HttpClients,
    mode: Arc<AtomicU8>,
}

/// The computer's clock, and more.
struct Later(Arc<AtomicU64>);

impl Time for Later {}

impl Clock for Later {
    fn now_ms(&self) -> u64 {
        SystemClock.now_ms() + self.0.load(Ordering::SeqCst)
    }
}

impl Transport for Network {
    fn send(&self, request: reqwest::Request) -> BoxFuture<'_, Result<Answer, NoAnswer>> {
        Box::pin(async move {
            let create = request.method() == "POST" && request.url().path().ends_with("/linode/instances");
            let mode = self.mode.load(Ordering::SeqCst);
            let lost = || NoAnswer::Lost("the connection was reset".into());
            match mode {
                DOWN => return Err(lost()),
                STALLS if request.url().path().contains("/networking/firewalls") => {
                    self.mode.store(WORKS, Ordering::SeqCst);
                    return std::future::pending().await;
                }
                LOSES_REQUEST if create => {
                    self.mode.store(WORKS, Ordering::SeqCst);
                    return Err(lost());
                }
                _ => {}
            }
            let answer = self.inner.send(request).await;
            if create && (mode == LOSES_ANSWER || mode == LOSES_ALL) {
                self.mode.store(if mode == LOSES_ALL { DOWN } else { WORKS }, Ordering::SeqCst);
                return Err(lost());
            }
            answer
        })
    }
}

pub(crate) struct Process {
    pub(crate) app: App,
    pub(crate) mode: Arc<AtomicU8>,
    /// Milliseconds by which its clock is ahead.
    pub(crate) later: Arc<AtomicU64>,
    told: Mutex<Receiver<Event>>,
}

impl Process {
    pub(crate) fn wait_for_note(&self, part: &str) {
        self.wait_for(|event| matches!(event, Event::Note { text } if text.contains(part)));
    }

    pub(crate) fn wait_for_stage(&self, part: &str) {
        self.wait_for(|event| matches!(event, Event::Stage { stage, .. } if stage.contains(part)));
    }

    fn wait_for(&self, is: impl Fn(&Event) -> bool) {
        let told = self.told.lock().unwrap();
        while let Ok(event) = told.recv_timeout(Duration::from_secs(60)) {
            if is(&event) {
                return;
            }
        }
    }
}

/// One process of a user over a network that does `mode`.
pub(crate) fn process(world: &World, mode: u8) -> Process {
    let (sender, told) = channel();
    let sender = Mutex::new(sender);
    let events = Events::new(move |event| drop(sender.lock().unwrap().send(event)));
    let mut app = world.user().app;
    let paths = paths(world.dir.path());
    let handle = app.runtime.handle().clone();
    let later = Arc::new(AtomicU64::new(0));
    let clock = Arc::new(Later(later.clone()));
    let mode = Arc::new(AtomicU8::new(mode));
    let transport = Network { inner: HttpClients::new(ProxySettings::default()).unwrap(), mode: mode.clone() };
    let dirs = Dirs { exe: paths.exe.clone(), user: paths.plugins() };
    let plugins = Plugins::new(dirs, handle.clone(), ProxySettings::default());
    let base: reqwest::Url = world.cloud.url.parse().unwrap();
    let token = Secret::new(world.cloud.token.clone());
    let opening = Opening {
        origin: Origin { base_url: Some(base.clone()), credential: Some(Credential { origin: base, token }) },
        pace: Pace::local(),
        transport: Some(Arc::new(transport)),
        retry: RetryPolicy { base: Duration::from_millis(10), ..RetryPolicy::default() },
        ..Opening::default()
    };
    app.toolkit = Toolkit::new(Parts {
        settings: Settings {
            context: "default/default".into(),
            provider: "linode-v4".into(),
            sandbox: true,
            work: paths.work.clone(),
        },
        runs: Runs::open(&paths, handle.clone(), clock.clone(), events.clone()).unwrap(),
        nodes: Nodes::new(handle.clone(), Arc::new(Direct::default()), Limits::default(), Events::none()),
        secrets: SecretStore::open(&paths.state, "default/default", clock.clone()).unwrap(),
        open_provider: Box::new(move || {
            let (plugins, opening) = (plugins.clone(), opening.clone());
            Box::pin(async move { Ok(plugins.open("linode-v4", opening).await?) })
        }),
        confirm: Arc::new(Yes),
        events,
        time: clock,
        handle,
        cache: paths.cache.clone(),
        locks: paths.state.join("locks"),
    });
    Process { app, mode, later, told: Mutex::new(told) }
}

pub(crate) fn world() -> World {
    World::new(tempfile::tempdir().unwrap(), Arc::new(Simulated::new()))
}

pub(crate) fn web() -> NodeSpec {
    NodeSpec {
        name: "web-1".into(),
        region: "us-east".into(),
        type_id: "g6-nanode-1".into(),
        image: "linode/debian12".into(),
        ..NodeSpec::default()
    }
}

fn cut_at_ssh(process: &Process, run: &Arc<Run>) -> (FailureKind, Vec<Event>) {
    cut_at_ssh_of(process, run, 1, |at| process.app.toolkit.create_node(at, &web()).map(drop))
}

/// Simulated machines have no SSH: the run is cut when that many nodes have come so far. With what was told until then.
pub(crate) fn cut_at_ssh_of(
    process: &Process,
    run: &Arc<Run>,
    nodes: usize,
    work: impl FnOnce(At<'_>) -> Result<(), StepError> + Send,
) -> (FailureKind, Vec<Event>) {
    std::thread::scope(|scope| {
        let work = scope.spawn(|| within(run, work));
        let (mut at_ssh, mut told) = (0, Vec::new());
        while at_ssh < nodes
            && let Ok(event) = process.told.lock().unwrap().recv_timeout(Duration::from_secs(60))
        {
            at_ssh += usize::from(matches!(&event, Event::Stage { stage, .. } if stage == "ssh"));
            told.push(event);
        }
        run.cancel().set();
        (work.join().unwrap().unwrap_err().kind, told)
    })
}

#[test]
fn a_create_whose_answer_is_lost_is_adopted() {
    let world = world();
    let process = process(&world, LOSES_ANSWER);
    let run = begin(&process.app);
    assert_eq!(cut_at_ssh(&process, &run).0, FailureKind::Cancelled);
    assert_eq!(world.ledger(), ["created linode web-1"]);
}

#[test]
fn a_create_that_never_arrived_is_sent_again() {
    let world = world();
    let process = process(&world, LOSES_REQUEST);
    let run = begin(&process.app);
    let told = cut_at_ssh(&process, &run).1;
    let again = |event: &Event| matches!(event, Event::Note { text } if text.contains("asking for it again"));
    assert!(told.iter().any(again), "{told:?}");
    assert_eq!(world.ledger(), ["created linode web-1"]);
}

#[test]
fn a_create_without_answer_that_hides_is_found_when_it_shows() {
    let world = world();
    let faults = Spec::parse("invisible=web-1:3s").unwrap();
    world.cloud.sandbox().faults().replace(Some(faults), Some(1));
    let process = process(&world, LOSES_ANSWER);
    let run = begin(&process.app);
    assert_eq!(cut_at_ssh(&process, &run).0, FailureKind::Cancelled);
    assert_eq!(world.ledger(), ["created linode web-1"]);
    assert_eq!(process.app.toolkit.inventory().nodes("default/default").unwrap().len(), 1);
}

#[test]
fn a_node_that_hides_is_destroyed_all_the_same() {
    let world = world();
    let faults = Spec::parse("invisible=web-1:2s,boot-fail=web-1").unwrap();
    let process = process(&world, WORKS);
    world.cloud.sandbox().faults().replace(Some(faults), Some(1));
    let run = begin(&process.app);
    let work = |at: At<'_>| process.app.toolkit.create_node(at, &web());
    std::thread::scope(|scope| {
        let create = scope.spawn(|| within(&run, work));
        while process.app.toolkit.inventory().nodes("default/default").unwrap().is_empty() {
            std::thread::yield_now();
        }
        run.cancel().set();
        create.join().unwrap().unwrap_err();
    });
    within(&begin(&process.app), |at| process.app.toolkit.delete_node(at, "web-1")).unwrap();
    assert_eq!(world.ledger(), ["created linode web-1", "destroyed linode web-1"]);
}

#[test]
fn a_run_that_was_cut_while_a_boot_failed_boots_again() {
    let world = world();
    let process = process(&world, WORKS);
    world.cloud.sandbox().faults().replace(Some(Spec::parse("boot-fail=web-1").unwrap()), Some(1));
    let toolkit = &process.app.toolkit;
    let run = begin_with(&process.app, serde_json::json!({ "request": {} }));
    std::thread::scope(|scope| {
        let create = scope.spawn(|| within(&run, |at| toolkit.create_node(at, &web())));
        process.wait_for_stage("boot");
        run.cancel().set();
        assert_eq!(create.join().unwrap().unwrap_err().kind, FailureKind::Cancelled);
    });
    let id = run.id().clone();
    drop(run);
    let boot_failed = || {
        let events = toolkit.handle().block_on(async {
            toolkit.provider().await.unwrap().client.list_events(&ListEvents::default()).await.unwrap()
        });
        events.items.iter().any(|event| event.action == "linode_boot" && event.status == EventStatus::Failed)
    };
    assert!((0..3000).any(|_| boot_failed() || {
        std::thread::sleep(Duration::from_millis(10));
        false
    }));
    let again = toolkit.runs().reopen(&id).unwrap();
    assert_eq!(cut_at_ssh(&process, &again).0, FailureKind::Cancelled);
    assert_eq!(world.ledger(), ["created linode web-1"]);
}

#[test]
fn a_create_that_cannot_be_looked_for_is_found_when_the_run_is_resumed() {
    let world = world();
    let first = process(&world, LOSES_ALL);
    let run = begin_with(&first.app, serde_json::json!({ "request": {} }));
    let failure = within(&run, |at| first.app.toolkit.create_node(at, &web())).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted, "{failure}");
    assert!(first.app.toolkit.inventory().nodes("default/default").unwrap().is_empty());
    let id = run.id().clone();
    drop(run);
    first.mode.store(WORKS, Ordering::SeqCst);
    // Who begins anew is told whose the label is, and what to do.
    let anew = begin(&first.app);
    let failure = within(&anew, |at| first.app.toolkit.create_node(at, &web())).unwrap_err();
    let said = format!("{failure}\n{}", failure.hint.as_deref().unwrap_or_default()).replace(id.as_str(), "RUN");
    let number = said.split(' ').nth(2).unwrap().to_owned();
    expect_test::expect![[r#"
        web-1: Linode ID with the label web-1 was made by run RUN (`test`), which was cut off
        go on with it, nothing is made twice: linodetool runs resume RUN"#]]
    .assert_eq(&said.replace(&number, "ID"));
    let again = first.app.toolkit.runs().reopen(&id).unwrap();
    assert_eq!(cut_at_ssh(&first, &again).0, FailureKind::Cancelled);
    assert_eq!(world.ledger(), ["created linode web-1"]);
    assert_eq!(first.app.toolkit.inventory().nodes("default/default").unwrap().len(), 1);
}
