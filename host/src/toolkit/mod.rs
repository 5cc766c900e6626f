//! The Toolkit services, one file each: what a recipe, a command or an application asks for.
//!
//! A service turns a request into steps of a run and decides only from their outcomes. Does not know Rhai, the command line
//! or how anything is shown.

mod account;
pub mod adopt;
pub mod api;
pub mod artifacts;
pub mod cloud_init;
pub mod clusters;
pub mod commands;
pub mod configuration;
pub mod exported_keys;
mod fetch;
pub mod firewall_rules;
pub mod firewalls;
pub mod first_boot;
pub mod gc;
pub mod http;
pub mod info;
pub mod inventory;
pub mod keys;
pub mod lanes;
mod locks;
pub mod names;
mod node_firewalls;
pub mod nodes;
pub mod operations;
pub mod packing;
pub mod plan;
mod redaction;
mod repeat;
pub mod resources;
pub mod secrets;
pub mod seen;
mod stages;
pub mod states;
pub mod tasks;
pub mod texts;
pub mod transfers;
pub mod undo;
pub mod words;

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::core::{Events, Failure, Time};
use crate::inventory::{Inventory, Node};
use crate::nodes::{Nodes, Target};
use crate::provider::Provider;
use crate::runs::{Effect, Lane, Place, Runs, StepError};
use crate::secrets::SecretStore;
use crate::secrets::files::FileLock;
pub use configuration::Settings;
pub use plan::{Confirm, Plan, Yes};
pub use repeat::Repeatable;

/// What the services are made of. Put together by `app`.
pub struct Parts {
    pub settings: Settings,
    pub runs: Runs,
    pub nodes: Nodes,
    pub secrets: SecretStore,
    /// Opens the provider when it is first needed.
    pub open_provider: OpenProvider,
    pub confirm: Arc<dyn Confirm>,
    pub events: Events,
    pub time: Arc<dyn Time>,
    pub handle: Handle,
    /// For downloads that can be made again.
    pub cache: PathBuf,
    /// Folder of the locks that processes share.
    pub locks: PathBuf,
}

/// Opens the provider of the settings; called once.
pub type OpenProvider = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<Provider, Failure>> + Send>> + Send + Sync>;

/// The Toolkit: every service, for one context and one provider. Clones share it.
#[derive(Clone)]
pub struct Toolkit(Arc<Inner>);

struct Inner {
    parts: Parts,
    provider: OnceCell<Provider>,
    artifacts: artifacts::Holders,
    assumed: artifacts::Assumed,
    changes: AtomicU64,
    known: redaction::Known,
    pages: OnceLock<Result<reqwest::Client, Failure>>,
    /// By id.
    lost: OnceLock<HashMap<String, nodes::Lost>>,
    births: Mutex<Weak<FileLock>>,
}

impl Toolkit {
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            parts,
            pages: OnceLock::new(),
            lost: OnceLock::new(),
            provider: OnceCell::new(),
            artifacts: artifacts::Holders::default(),
            assumed: artifacts::Assumed::default(),
            changes: AtomicU64::new(0),
            known: redaction::Known::default(),
            births: Mutex::default(),
        }))
    }

    pub fn settings(&self) -> &Settings {
        &self.0.parts.settings
    }

    pub fn runs(&self) -> &Runs {
        &self.0.parts.runs
    }

    pub fn inventory(&self) -> &Inventory {
        self.0.parts.runs.inventory()
    }

    pub fn secret_store(&self) -> &SecretStore {
        &self.0.parts.secrets
    }

    /// Connections to nodes.
    pub fn connections(&self) -> &Nodes {
        &self.0.parts.nodes
    }

    pub fn events(&self) -> &Events {
        &self.0.parts.events
    }

    pub fn handle(&self) -> &Handle {
        &self.0.parts.handle
    }

    pub(crate) fn time(&self) -> &dyn Time {
        &*self.0.parts.time
    }

    pub(crate) fn cache(&self) -> &std::path::Path {
        &self.0.parts.cache
    }

    fn locks(&self) -> &std::path::Path {
        &self.0.parts.locks
    }

    fn birth_lock(&self) -> MutexGuard<'_, Weak<FileLock>> {
        self.0.births.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn confirm(&self) -> &dyn Confirm {
        &*self.0.parts.confirm
    }

    /// One client for all pages of nodes, made when first needed.
    fn page_client(&self) -> Result<&reqwest::Client, Failure> {
        self.0.pages.get_or_init(http::client).as_ref().map_err(Clone::clone)
    }

    /// Work that would hold up others, on a thread of its own; virtual time waits for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _hold = self.time().hold();
        tokio::task::spawn_blocking(work).await.map_err(|e| Failure::internal(format!("work on a thread failed: {e}")))
    }

    fn holders(&self) -> &artifacts::Holders {
        &self.0.artifacts
    }

    fn assumed(&self) -> &artifacts::Assumed {
        &self.0.assumed
    }

    fn known(&self) -> &redaction::Known {
        &self.0.known
    }

    fn known_lost(&self) -> &OnceLock<HashMap<String, nodes::Lost>> {
        &self.0.lost
    }

    /// The provider, opened when it is first asked for.
    pub async fn provider(&self) -> Result<&Provider, Failure> {
        self.0.provider.get_or_try_init(|| (self.0.parts.open_provider)()).await
    }

    /// How many operations have changed something so far. A resumed run counts what its earlier processes changed too.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, changed: bool) {
        self.0.changes.fetch_add(u64::from(changed), Ordering::Relaxed);
    }

    /// The context that scopes everything stored.
    pub fn context(&self) -> &str {
        &self.settings().context
    }

    /// What to type for a command about what this Toolkit works with.
    pub(crate) fn program(&self) -> &'static str {
        if self.settings().sandbox { "linodetool --sandbox" } else { "linodetool" }
    }

    /// How a node is reached, with the key from the secret store.
    ///
    /// # Errors
    /// `Ssh` if the node has no address or its key is not in the store.
    pub fn target(&self, node: &Node) -> Result<Target, Failure> {
        keys::target(self, node)
    }
}

/// Where in which lane a service is asked: every service's first argument.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub lane: &'a Arc<Lane>,
    pub place: &'a Place,
}

impl At<'_> {
    /// Through the door.
    pub(crate) fn step<E: Effect>(&self, effect: &E) -> Result<E::Out, StepError> {
        self.lane.step(self.place, effect)
    }
}
