//! The door to plugins: list them, open one as a provider.

use crate::core::failure::near_names;
use crate::core::{Events, Failure, FailureKind};
use crate::plugin_host::discovery::{Found, Place, find_all};
use crate::plugin_host::ffi::{LoadError, PluginFile};
use crate::plugin_host::instance::{Limits, Surroundings};
use crate::plugin_host::keeper::Keeper;
use crate::plugin_host::trust::{InstalledError, Protection, Trusted};
use crate::provider::{
    Calls, Client, Governor, GovernorSettings, HttpClients, HttpDesk, HttpParts, OnHoldup, Origin, OriginError, Pace,
    Provider, ProxySettings, RealTime, Recorder, RetryPolicy, Time, Transport, Waits,
};
use linodetool_plugin::{Manifest, ProviderError};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

/// Where plugins are looked for.
#[derive(Clone, Debug)]
pub struct Dirs {
    /// The executable that bundled plugins lie beside.
    pub exe: PathBuf,
    /// The user's plugin folder, with `plugins.json`.
    pub user: PathBuf,
}

/// How a plugin is opened.
#[derive(Clone)]
pub struct Opening {
    pub origin: Origin,
    /// For the plugin's own keys; `base_url` is set by the host.
    pub config: Map<String, Value>,
    /// Shares rate limits with the user's other processes; absent: with none.
    pub limits_folder: Option<PathBuf>,
    /// Hears when a rate limit holds requests back, and for how long.
    pub on_holdup: Option<OnHoldup>,
    pub events: Events,
    pub time: Arc<dyn Time>,
    pub retry: RetryPolicy,
    pub pace: Pace,
    pub recorder: Option<Arc<dyn Recorder>>,
    /// In place of the network: an emulator in this process.
    pub transport: Option<Arc<dyn Transport>>,
    pub limits: Limits,
}

impl Default for Opening {
    fn default() -> Self {
        Self {
            origin: Origin::default(),
            config: Map::new(),
            limits_folder: None,
            on_holdup: None,
            events: Events::none(),
            time: Arc::new(RealTime),
            retry: RetryPolicy::default(),
            pace: Pace::default(),
            recorder: None,
            transport: None,
            limits: Limits::default(),
        }
    }
}

/// One line of `plugin list`.
#[derive(Clone, Debug)]
pub struct PluginInfo {
    pub name: String,
    pub path: PathBuf,
    pub place: Place,
    pub sha256: Option<String>,
    /// What it says of itself, or why it cannot be used.
    pub manifest: Result<Manifest, String>,
}

/// A plugin that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    #[error("there is no provider `{name}`; found are: {}", list(.known))]
    Unknown { name: String, known: Vec<String> },
    #[error("{path} says it is the provider `{found}`, but it stands for `{name}`; install it under its own name")]
    OtherName { path: PathBuf, name: String, found: String },
    #[error(transparent)]
    Installed(#[from] InstalledError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Origin(#[from] OriginError),
    #[error("plugin {name} cannot be opened: {error}")]
    Open { name: String, error: ProviderError },
    #[error("HTTPS cannot be used on this computer: {0}")]
    Http(Arc<reqwest::Error>),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// All plugins of this computer. Clones share what is loaded.
#[derive(Clone)]
pub struct Plugins(Arc<Inner>);

struct Inner {
    dirs: Dirs,
    runtime: Handle,
    proxy: ProxySettings,
    clients: OnceCell<HttpClients>,
    loaded: Mutex<HashMap<PathBuf, PluginFile>>,
}

impl Plugins {
    /// Touches no file.
    pub fn new(dirs: Dirs, runtime: Handle, proxy: ProxySettings) -> Self {
        Self(Arc::new(Inner { dirs, runtime, proxy, clients: OnceCell::new(), loaded: Mutex::default() }))
    }

    /// Where the provider of this name comes from; nothing is loaded. Tokens of the environment are for bundled ones alone.
    pub fn find(&self, name: &str) -> Result<Found, PluginError> {
        let all = find_all(&self.0.dirs.exe, &self.0.dirs.user)?;
        match all.iter().find(|found| found.name == name) {
            Some(found) => Ok(found.clone()),
            None => {
                let known = all.into_iter().map(|found| found.name).collect();
                Err(PluginError::Unknown { name: name.to_owned(), known })
            }
        }
    }

    /// All plugins, loaded to see what they say; those that cannot be used with the reason.
    pub fn list(&self) -> Result<Vec<PluginInfo>, PluginError> {
        let found = find_all(&self.0.dirs.exe, &self.0.dirs.user)?;
        Ok(found.iter().map(|found| self.info(found)).collect())
    }

    /// The provider of this name, open.
    pub async fn open(&self, name: &str, opening: Opening) -> Result<Provider, PluginError> {
        let keeper = Arc::new(self.open_keeper(self.load_named(name)?, &opening).await?);
        let manifest = Arc::new(keeper.manifest().clone());
        let client = Client::new(keeper);
        let Opening { time, events, pace, .. } = opening;
        let waits = Waits::new(client.clone(), self.0.runtime.clone(), time, events, pace);
        Ok(Provider { client, waits, manifest })
    }

    /// Any plugin file, for those that judge plugins.
    pub async fn open_file(
        &self,
        path: &Path,
        protection: &Protection,
        opening: Opening,
    ) -> Result<Keeper, PluginError> {
        self.open_keeper(self.load(path, protection)?, &opening).await
    }

    fn info(&self, found: &Found) -> PluginInfo {
        let loaded = self.load(&found.path, &found.protection).and_then(|file| same_name(file, &found.name));
        let sha256 = Trusted::open(&found.path, &found.protection).ok().and_then(|mut file| file.sha256().ok());
        PluginInfo {
            name: found.name.clone(),
            path: found.path.clone(),
            place: found.place,
            sha256,
            manifest: loaded.map(|file| file.manifest).map_err(|error| error.to_string()),
        }
    }

    fn load_named(&self, name: &str) -> Result<PluginFile, PluginError> {
        let found = self.find(name)?;
        same_name(self.load(&found.path, &found.protection)?, name)
    }

    fn load(&self, path: &Path, protection: &Protection) -> Result<PluginFile, PluginError> {
        let mut loaded = self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = loaded.get(path) {
            return Ok(file.clone());
        }
        let file = PluginFile::load(path, protection)?;
        loaded.insert(path.to_owned(), file.clone());
        Ok(file)
    }

    async fn open_keeper(&self, file: PluginFile, opening: &Opening) -> Result<Keeper, PluginError> {
        let name = file.manifest.name.clone();
        let allowed = opening.origin.allowed(&file.manifest)?;
        let base = allowed[0].clone();
        let credential = opening.origin.credential.clone().filter(|credential| {
            let bound = allowed.iter().any(|url| credential.is_for(url));
            if !bound {
                let origin = &credential.origin;
                opening
                    .events
                    .note(format!("the token for {origin} is not given to plugin {name}, which speaks to {base}"));
            }
            bound
        });
        let settings = GovernorSettings {
            folder: opening.limits_folder.clone(),
            events: opening.events.clone(),
            time: opening.time.clone(),
            on_holdup: opening.on_holdup.clone(),
        };
        let account = credential.as_ref().map_or(base.as_str(), |credential| credential.token.reveal());
        let governor = Governor::new(settings, account, &file.manifest.rate_classes);
        let make = || async { HttpClients::new(self.0.proxy.clone()).map_err(|why| PluginError::Http(Arc::new(why))) };
        let transport = match &opening.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(self.0.clients.get_or_try_init(make).await?.clone()),
        };
        let http = HttpDesk::new(HttpParts {
            transport,
            plugin: name.clone(),
            allowed,
            credential,
            governor,
            retry: opening.retry,
            time: opening.time.clone(),
            events: opening.events.clone(),
            recorder: opening.recorder.clone(),
        });
        let mut config = opening.config.clone();
        config.insert("base_url".into(), base.as_str().trim_end_matches('/').into());
        let around = Surroundings {
            runtime: self.0.runtime.clone(),
            http,
            time: opening.time.clone(),
            events: opening.events.clone(),
            limits: opening.limits,
        };
        let config = Value::Object(config).to_string();
        Keeper::open(file, config, around).await.map_err(|error| PluginError::Open { name, error })
    }
}

/// The list of installed plugins lies in the user's own folders, which may be another user's.
fn unreadable(list: &Path, error: &io::Error) -> String {
    let closed = list.ancestors().skip(1).find(|folder| folder.parent().is_some_and(|above| above.read_dir().is_ok()));
    match (error.kind(), closed) {
        (io::ErrorKind::PermissionDenied, Some(folder)) => format!(
            "it would name the plugins that you have installed, and is looked for below HOME; {} cannot be entered by this \
             user: run as its owner, or set HOME to a folder of your own",
            folder.display()
        ),
        (io::ErrorKind::PermissionDenied, None) => format!(
            "it would name the plugins that you have installed, and is looked for below HOME: set HOME to a folder of your own, or \
             give yourself access to {}",
            list.display()
        ),
        _ => format!("it would name the plugins that you have installed; check {}", list.display()),
    }
}

fn same_name(file: PluginFile, name: &str) -> Result<PluginFile, PluginError> {
    if file.manifest.name == name {
        return Ok(file);
    }
    Err(PluginError::OtherName { path: file.path, name: name.to_owned(), found: file.manifest.name })
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        let failure = Self::new(FailureKind::Plugin, error.to_string());
        match &error {
            PluginError::Unknown { known, .. } if known.is_empty() => failure.hint(
                "bundled plugins lie beside linodetool: unpack the whole tarball, or `cargo build --release`; \
                 `linodetool doctor` looks again",
            ),
            PluginError::Unknown { name, known } => {
                let near = near_names(name, known.iter().map(String::as_str)).first().map(|near| (*near).to_owned());
                let failure = Self { kind: FailureKind::NotFound, ..failure };
                near.map_or(failure.clone(), |near| failure.hint(format!("did you mean `{near}`?")))
            }
            PluginError::Open { error, .. } => Self { kind: Self::from(error.clone()).kind, ..failure },
            PluginError::Installed(InstalledError::Unreadable { path, source }) => {
                failure.hint(unreadable(path, source))
            }
            PluginError::Http(_) => Self { kind: FailureKind::Local, ..failure },
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_home_that_cannot_be_read_is_told_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        // What is not there is as closed to this user as what may not be entered.
        let path = dir.path().join("home/.local/share/linodetool/plugins/plugins.json");
        let told = |kind: io::ErrorKind| {
            let error = InstalledError::Unreadable { path: path.clone(), source: kind.into() };
            let failure = Failure::from(PluginError::from(error));
            let text = format!("{failure}\nhint: {}", failure.hint.as_deref().unwrap_or("none"));
            text.replace(dir.path().to_str().unwrap(), "DIR")
        };
        expect![[r#"
            cannot read DIR/home/.local/share/linodetool/plugins/plugins.json: permission denied
            hint: it would name the plugins that you have installed, and is looked for below HOME; DIR/home cannot be entered by this user: run as its owner, or set HOME to a folder of your own"#]].assert_eq(&told(io::ErrorKind::PermissionDenied));
        expect![[r#"
            cannot read DIR/home/.local/share/linodetool/plugins/plugins.json: timed out
            hint: it would name the plugins that you have installed; check DIR/home/.local/share/linodetool/plugins/plugins.json"#]].assert_eq(&told(io::ErrorKind::TimedOut));
    }
}
