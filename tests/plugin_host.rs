//! The plugin contract seen from the host: what a plugin may do wrong, and that the host lives and says what it was.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

#[path = "plugin_host/files.rs"]
mod files;
#[path = "plugin_host/limits.rs"]
mod limits;
#[path = "plugin_host/loading.rs"]
mod loading;
#[path = "plugin_host/opening.rs"]
mod opening;
#[path = "plugin_host/stepping.rs"]
mod stepping;
#[path = "plugin_host/trusting.rs"]
mod trusting;

use linodetool::plugin_host::{Dirs, Keeper, Limits, Opening, PluginError, Plugins, Protection};
use linodetool::provider::{Calls, Client, Origin, ProxySettings, Secrets};
use linodetool_plugin::{ProviderError, Raw};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Nobody listens on this port; requests are refused before they would be sent.
const NOWHERE: &str = "http://127.0.0.1:9/v1";

fn exe() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn plugins(user: &Path) -> Plugins {
    Plugins::new(Dirs { exe: exe(), user: user.to_owned() }, Handle::current(), ProxySettings::default())
}

fn opening(mode: &str) -> Opening {
    let origin = Origin { base_url: Some(NOWHERE.parse().unwrap()), credential: None };
    let config = Map::from_iter([("mode".to_owned(), Value::from(mode))]);
    Opening { origin, config, ..Opening::default() }
}

async fn open(file: &Path, opening: Opening) -> Result<Keeper, PluginError> {
    plugins(Path::new("/nonexistent")).open_file(file, &Protection::LikeExecutable(exe()), opening).await
}

async fn bad() -> Arc<Keeper> {
    Arc::new(open(&files::misbehaving(), opening("")).await.unwrap())
}

async fn impatient() -> Arc<Keeper> {
    let limits = Limits { step: Duration::from_millis(400), ..Limits::default() };
    Arc::new(open(&files::misbehaving(), Opening { limits, ..opening("") }).await.unwrap())
}

fn raw(path: &str, body: impl serde::Serialize) -> Box<RawValue> {
    let args = Raw { path: path.into(), body: serde_json::value::to_raw_value(&body).ok(), ..Raw::default() };
    serde_json::value::to_raw_value(&args).unwrap()
}

async fn say(bad: &Keeper, path: &str) -> Result<Box<RawValue>, ProviderError> {
    bad.call("raw", raw(path, Value::Null), Secrets::none()).await
}

/// The error's text; panics of the plugin name a line, which is cut off.
async fn error_of(bad: &Keeper, path: &str) -> String {
    cut(&say(bad, path).await.unwrap_err().to_string())
}

fn cut(text: &str) -> String {
    text.split("lib.rs:").next().unwrap_or_default().to_owned()
}

async fn assert_alive(bad: &Keeper) {
    let answer = bad.call("raw", raw("echo", json!("here")), Secrets::none()).await.unwrap();
    assert_eq!(answer.get(), "\"here\"");
}

fn client(bad: &Arc<Keeper>) -> Client {
    Client::new(bad.clone())
}
