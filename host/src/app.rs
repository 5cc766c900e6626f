//! The composition root: the only file that names every concrete type.
//!
//! Puts a Toolkit together from paths, settings and what the caller supplies. Does not parse arguments nor print.

pub mod emulated;

use std::path::PathBuf;
use std::sync::Arc;

use linodetool_plugin::RawOperation;
use reqwest::Url;
use tokio::runtime::Runtime;

use crate::core::{BoxFuture, Events, Failure, FailureKind, Paths, Secret, SystemClock, Time};
use crate::nodes::{Dialer, Direct, Limits, Nodes, Simulation};
use crate::plugin_host::{Dirs, Opening, Place, Plugins};
use crate::provider::{Credential, Origin, Pace, Provider, ProxySettings};
use crate::runs::{Durability, Runs};
use crate::script::{Embedded, Host, Places};
use crate::secrets::SecretStore;
use crate::secrets::token::{TokenSources, find_token};
use crate::toolkit::{Confirm, Parts, Settings, Toolkit};
use emulated::Emulated;

/// Where the sandbox is and how it is spoken to.
#[derive(Clone, Debug)]
pub struct SandboxAccess {
    /// Base URL of its API v4.
    pub v4: String,
    pub token: Secret<String>,
    /// Its folder, in which the machine room listens.
    pub dir: PathBuf,
}

/// Where Linode's APIs are.
const LINODE: &str = "https://api.linode.com";

/// The bundled plugin for Linode's API v3.
const V3: &str = "linode-v3";

/// The value of an environment variable.
pub type Env = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What an application is made from.
pub struct Options {
    pub paths: Paths,
    /// `default/default` unless named.
    pub context: String,
    /// `linode-v4`.
    pub provider: String,
    pub sandbox: Option<SandboxAccess>,
    /// In place of any cloud, one whose machines are only simulated.
    pub emulated: Option<Emulated>,
    pub token_cmd: Option<String>,
    /// The environment.
    pub env: Env,
    pub confirm: Arc<dyn Confirm>,
    pub events: Events,
}

/// A Toolkit and what runs it. Dropped last: its runtime carries all effects.
pub struct App {
    pub toolkit: Toolkit,
    pub scripts: Host,
    pub plugins: Plugins,
    pub runtime: Runtime,
}

/// Recipes and libraries in the binary, by path below `scripts/`.
pub const SCRIPTS: Embedded = Embedded(&[
    ("recipes/hadoop.rhai", include_str!("../../scripts/recipes/hadoop.rhai")),
    ("lib/hadoop.rhai", include_str!("../../scripts/lib/hadoop.rhai")),
    ("lib/wordcount.rhai", include_str!("../../scripts/lib/wordcount.rhai")),
]);

/// Puts everything together. Opens the state directory; no plugin is loaded and no token is looked for until needed.
///
/// # Errors
/// `State` if the state directory cannot be used, `Local` without threads.
pub fn build(options: Options) -> Result<App, Failure> {
    let runtime = runtime()?;
    let handle = runtime.handle().clone();
    let Options { paths, context, provider, sandbox, emulated, token_cmd, env, confirm, events } = options;
    let time: Arc<dyn Time> = match &emulated {
        Some(emulated) => emulated.time.clone(),
        None => Arc::new(SystemClock),
    };
    let passing = emulated.as_ref().and_then(|emulated| emulated.passing.clone());
    let durability = if passing.is_some() { Durability::Scratch } else { Durability::Durable };
    let runs = Runs::open_as(durability, &paths, handle.clone(), time.clone(), events.clone())?;
    let events = runs.events().clone();
    let mut secrets = SecretStore::open(&paths.state, &context, time.clone())?;
    if let Some(passing) = passing {
        secrets = secrets.passing(passing);
    }
    if let Some(otherwise) = emulated.as_ref().and_then(|emulated| emulated.secrets.clone()) {
        secrets = secrets.or_else(otherwise);
    }
    let plugins = plugins(&paths, &runtime, &*env);
    let dialer: Arc<dyn Dialer> = match &sandbox {
        Some(access) => Arc::new(SandboxDialer(access.dir.clone())),
        None => Arc::new(Direct::default()),
    };
    let opener = Opener {
        plugins: plugins.clone(),
        name: provider.clone(),
        sandbox: sandbox.clone(),
        emulated: emulated.clone(),
        token_cmd,
        env,
        paths: paths.clone(),
        secrets: secrets.clone(),
        events: events.clone(),
    };
    let opener = Arc::new(opener);
    let toolkit = Toolkit::new(Parts {
        settings: Settings { context, provider, sandbox: sandbox.is_some(), work: paths.work.clone() },
        runs,
        nodes: match emulated {
            Some(emulated) => {
                let time = emulated.time.clone();
                Nodes::simulated(handle.clone(), Simulation::new(Box::new(emulated), time, events.clone()))
            }
            None => Nodes::new(handle.clone(), dialer, Limits::default(), events.clone()),
        },
        secrets,
        open_provider: Box::new(move || {
            let opener = opener.clone();
            Box::pin(async move { opener.open().await })
        }),
        confirm,
        events: events.clone(),
        time,
        handle,
        cache: paths.cache.clone(),
        locks: paths.state.join("locks"),
    });
    let scripts = Host {
        places: Places { work: paths.work.clone(), data: paths.data.clone(), embedded: SCRIPTS },
        registers: vec![crate::script::modules::toolkit::register],
        services: Some(Arc::new(toolkit.clone())),
        events,
    };
    Ok(App { toolkit, scripts, plugins, runtime })
}

/// What can be known of recipes without a Toolkit: their text and parameters.
pub fn scripts(paths: &Paths) -> Host {
    Host {
        places: Places { work: paths.work.clone(), data: paths.data.clone(), embedded: SCRIPTS },
        registers: vec![crate::script::modules::toolkit::register],
        services: None,
        events: Events::none(),
    }
}

/// The runtime that all effects run on.
///
/// # Errors
/// `Local` if the system gives no threads.
pub fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().thread_name("linodetool").enable_all().build();
    built.map_err(|e| Failure::new(FailureKind::Local, format!("the system gives no threads: {e}")))
}

/// Plugins beside the executable and in the user's folder.
pub fn plugins(paths: &Paths, runtime: &Runtime, env: &dyn Fn(&str) -> Option<String>) -> Plugins {
    let proxy = ProxySettings {
        https: env("https_proxy").or_else(|| env("HTTPS_PROXY")),
        except: env("no_proxy").or_else(|| env("NO_PROXY")),
    };
    let dirs = Dirs { exe: paths.exe.clone(), user: paths.plugins() };
    Plugins::new(dirs, runtime.handle().clone(), proxy)
}

/// The operations of a provider's own API, as its plugin lists them. Needs no token and asks nobody.
///
/// # Errors
/// `Plugin` if there is no such plugin, `Unsupported` if it lists none.
pub async fn operations(plugins: &Plugins, name: &str) -> Result<Vec<RawOperation>, Failure> {
    let provider = plugins.open(name, Opening::default()).await?;
    crate::toolkit::operations::known(&provider.client).await
}

/// Opens the provider with the credential that belongs to it.
struct Opener {
    plugins: Plugins,
    name: String,
    sandbox: Option<SandboxAccess>,
    emulated: Option<Emulated>,
    token_cmd: Option<String>,
    env: Env,
    paths: Paths,
    secrets: SecretStore,
    events: Events,
}

impl Opener {
    async fn open(&self) -> Result<Provider, Failure> {
        // A name that nobody has is told before a token is looked for.
        let place = self.plugins.find(&self.name)?.place;
        if let Some(emulated) = &self.emulated {
            let opening = Opening {
                origin: emulated_origin(&self.name, emulated.v4.clone(), emulated.token.clone()),
                events: self.events.clone(),
                time: emulated.time.clone(),
                transport: Some(emulated.transport.clone()),
                pace: emulated.pace,
                ..Opening::default()
            };
            return self.is_spoken(self.plugins.open(&self.name, opening).await?, "a rehearsal");
        }
        let (origin, pace) = match (&self.sandbox, place) {
            (Some(access), _) => (emulated_origin(&self.name, url(&access.v4)?, access.token.clone()), Pace::local()),
            (None, Place::Bundled) => (self.linode().await?, Pace::default()),
            // What the user keeps for Linode is not even read for a plugin that somebody else made.
            (None, Place::Installed) => (Origin::default(), Pace::default()),
        };
        let opening = Opening {
            origin,
            limits_folder: Some(self.paths.state.join("limits")),
            events: self.events.clone(),
            pace,
            ..Opening::default()
        };
        let provider = self.plugins.open(&self.name, opening).await?;
        if self.sandbox.is_some() { self.is_spoken(provider, "the sandbox") } else { Ok(provider) }
    }

    /// An emulated cloud has Linode's APIs; a plugin for another one would only wonder at the answers.
    fn is_spoken(&self, provider: Provider, whose: &str) -> Result<Provider, Failure> {
        let urls = &provider.manifest.base_urls;
        if urls.is_empty() || urls.iter().any(|url| is_at(url, LINODE)) {
            return Ok(provider);
        }
        let name = &self.name;
        let message = format!("provider {name} cannot be used in {whose}, whose cloud answers to Linode's APIs alone");
        Err(Failure::new(FailureKind::Unsupported, message).hint("leave --provider away, or name one of Linode"))
    }

    /// The user's token is for Linode's own API and no other place, whatever a manifest says.
    async fn linode(&self) -> Result<Origin, Failure> {
        let (env, secrets, file) = (self.env.clone(), self.secrets.clone(), self.paths.linode_cli.clone());
        let token_cmd = self.token_cmd.clone();
        let found = tokio::task::spawn_blocking(move || {
            find_token(&TokenSources {
                token_cmd: token_cmd.as_deref(),
                env: &|name| env(name),
                stored: Some(&secrets),
                linode_cli: &file,
                user: None,
            })
        });
        let found = found.await.map_err(|e| Failure::internal(e.to_string()))??;
        let linode = url(LINODE)?;
        Ok(Origin { base_url: None, credential: Some(Credential { origin: linode, token: found.token }) })
    }
}

/// Where the emulator speaks the API of this provider: v3 has but one address, above that of v4.
fn emulated_origin(provider: &str, mut base: Url, token: Secret<String>) -> Origin {
    if provider == V3 {
        base.set_path("");
    }
    Origin { base_url: Some(base.clone()), credential: Some(Credential { origin: base, token }) }
}

/// Whether a URL is of this origin.
fn is_at(url: &str, origin: &str) -> bool {
    let of = |text: &str| Url::parse(text).map(|url| url.origin()).ok();
    of(url).is_some_and(|found| Some(found) == of(origin))
}

fn url(text: &str) -> Result<Url, Failure> {
    Url::parse(text).map_err(|e| Failure::internal(format!("{text} is no URL: {e}")))
}

/// Reaches machines through the sandbox's room, which opens the connection inside and hands it over.
struct SandboxDialer(PathBuf);

impl Dialer for SandboxDialer {
    fn dial(&self, address: std::net::SocketAddr) -> BoxFuture<'_, std::io::Result<tokio::net::TcpStream>> {
        let dir = self.0.clone();
        Box::pin(async move {
            let dialled = tokio::task::spawn_blocking(move || linodetool_sandbox::dial::dial(&dir, address));
            let stream = dialled.await.map_err(std::io::Error::other)??;
            stream.set_nonblocking(true)?;
            tokio::net::TcpStream::from_std(stream)
        })
    }
}
