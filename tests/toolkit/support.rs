//! A Toolkit over an emulator in this process, with the real plugin; each world has a folder of its own.

use linodetool::app::{self, App, Options, SandboxAccess};
use linodetool::core::events::Event;
use linodetool::core::{Events, Failure, Paths, Secret};
use linodetool::runs::{NewRun, Place, Run, StepError};
use linodetool::toolkit::clusters::{ClusterSpec, Members, RoleSpec};
use linodetool::toolkit::{At, Confirm, Yes};
use linodetool_sandbox::ledger::What;
use linodetool_sandbox::machines::Machines;
use linodetool_sandbox::{Handle, ServeOptions, spawn};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// A cloud and a user's folders. Dropping it ends both.
pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) cloud: Handle,
}

impl World {
    pub(crate) fn new(dir: tempfile::TempDir, machines: Arc<dyn Machines>) -> Self {
        Self { dir, cloud: spawn(ServeOptions::default(), machines).unwrap() }
    }

    pub(crate) fn paths(&self) -> Paths {
        paths(self.dir.path())
    }

    pub(crate) fn access(&self) -> SandboxAccess {
        let token = Secret::new(self.cloud.token.clone());
        SandboxAccess { v4: self.cloud.url.clone(), token, dir: self.dir.path().join("room") }
    }

    pub(crate) fn user(&self) -> User {
        self.user_who(Arc::new(Yes))
    }

    pub(crate) fn user_who(&self, confirm: Arc<dyn Confirm>) -> User {
        self.user_as(self.access(), confirm)
    }

    #[allow(dead_code, reason = "each target uses its part of this file")]
    pub(crate) fn user_with(&self, access: SandboxAccess) -> User {
        self.user_as(access, Arc::new(Yes))
    }

    fn user_as(&self, access: SandboxAccess, confirm: Arc<dyn Confirm>) -> User {
        let (sender, told) = channel();
        let sender = Mutex::new(sender);
        let events = Events::new(move |event| drop(sender.lock().unwrap().send(event)));
        let options = Options { sandbox: Some(access), confirm, events, ..options(self.paths()) };
        User { app: app::build(options).unwrap(), told: Mutex::new(told) }
    }

    /// `created linode a, ...`: all that was made and destroyed, by the cloud's own record.
    pub(crate) fn ledger(&self) -> Vec<String> {
        let ours = |kind: &str| matches!(kind, "linode" | "firewall");
        let entries = self.cloud.sandbox().ledger().into_iter().filter(|entry| ours(&entry.kind));
        let word = |what: &What| format!("{what:?}").to_lowercase();
        entries.map(|entry| format!("{} {} {}", word(&entry.what), entry.kind, entry.label)).collect()
    }
}

/// Folders below one.
pub(crate) fn paths(dir: &Path) -> Paths {
    Paths {
        state: dir.join("state"),
        config: dir.join("config"),
        data: dir.join("data"),
        cache: dir.join("cache"),
        linode_cli: dir.join("linode-cli"),
        home: dir.to_owned(),
        work: dir.to_owned(),
        exe: std::env::current_exe().unwrap(),
    }
}

/// Of a user with an empty environment.
pub(crate) fn options(paths: Paths) -> Options {
    Options {
        paths,
        context: "default/default".into(),
        provider: "linode-v4".into(),
        sandbox: None,
        emulated: None,
        token_cmd: None,
        env: Arc::new(|_| None),
        confirm: Arc::new(Yes),
        events: Events::none(),
    }
}

/// One process of a user.
pub(crate) struct User {
    pub(crate) app: App,
    told: Mutex<Receiver<Event>>,
}

impl User {
    pub(crate) fn begin(&self) -> Arc<Run> {
        begin(&self.app)
    }

    /// In a run of its own.
    pub(crate) fn run<T>(&self, work: impl FnOnce(At<'_>) -> Result<T, StepError>) -> Result<T, Failure> {
        within(&self.begin(), work)
    }

    pub(crate) fn ensure(&self, spec: &ClusterSpec) -> Result<Members, Failure> {
        self.run(|at| self.app.toolkit.ensure_cluster(at, spec))
    }

    /// All that was told so far, a line each.
    #[allow(dead_code, reason = "each target uses its part of this file")]
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().try_iter().map(|event| format!("{event:?}")).collect()
    }
}

pub(crate) fn begin(app: &App) -> Arc<Run> {
    begin_with(app, serde_json::Value::Null)
}

pub(crate) fn begin_with(app: &App, params: serde_json::Value) -> Arc<Run> {
    let new = NewRun {
        title: "test".into(),
        context: "default/default".into(),
        provider: "linode-v4".into(),
        params,
        ..NewRun::default()
    };
    app.toolkit.runs().begin(new).unwrap()
}

pub(crate) fn within<T>(run: &Arc<Run>, work: impl FnOnce(At<'_>) -> Result<T, StepError>) -> Result<T, Failure> {
    let (lane, place) = (run.root(), Place::default());
    work(At { lane: &lane, place: &place }).map_err(Failure::from)
}

/// A cluster `c` of `count` nodes.
pub(crate) fn cluster(count: u32) -> ClusterSpec {
    ClusterSpec {
        name: "c".into(),
        region: "us-east".into(),
        image: "linode/debian12".into(),
        roles: vec![RoleSpec { role: "node".into(), count, type_id: "g6-nanode-1".into() }],
        firewall: true,
        private_ip: true,
        tags: Vec::new(),
        ssh_key: None,
    }
}
