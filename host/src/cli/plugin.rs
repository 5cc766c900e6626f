//! `linodetool plugin`: providers on this computer.

use super::environment::Environment;
use super::error::{CliError, OK};
use super::output::Output;
use super::render::table::Table;
use crate::app;
use crate::core::{Failure, Paths};
use crate::plugin_host::{Place, PluginInfo};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// List the provider plugins
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool plugin list")]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that are found, and why one cannot be used
    #[command(visible_alias = "ls")]
    List,
}

impl PluginArgs {
    pub(crate) fn run(&self, env: &Environment, paths: &Paths, out: &Output) -> Result<u8, CliError> {
        let PluginCommand::List = self.command;
        let plugins = find(env, paths)?;
        let documents: Vec<_> = plugins.iter().map(document).collect();
        out.result(&documents, || {
            table(&plugins).show(out, "No plugins are found; bundled ones lie beside linodetool.")
        })?;
        Ok(OK)
    }
}

/// All plugins, with what they say or why they cannot be used.
pub(crate) fn find(env: &Environment, paths: &Paths) -> Result<Vec<PluginInfo>, Failure> {
    let runtime = app::runtime()?;
    let plugins = app::plugins(paths, &runtime, &|name| env.var(name).map(str::to_owned));
    Ok(plugins.list()?)
}

fn from(place: Place) -> &'static str {
    match place {
        Place::Bundled => "bundled",
        Place::Installed => "installed",
    }
}

fn document(plugin: &PluginInfo) -> Value {
    let mut value =
        json!({ "name": plugin.name, "path": plugin.path, "from": from(plugin.place), "sha256": plugin.sha256 });
    match &plugin.manifest {
        Ok(manifest) => value["manifest"] = json!(manifest),
        Err(why) => value["error"] = json!(why),
    }
    value
}

fn table(plugins: &[PluginInfo]) -> Table {
    let mut table = Table::new(["PLUGIN", "VERSION", "FROM", "FILE", "STATE"]);
    for plugin in plugins {
        let (version, state) = match &plugin.manifest {
            Ok(manifest) => (manifest.version.clone(), "ready".to_owned()),
            Err(why) => ("-".to_owned(), why.clone()),
        };
        table.row([
            plugin.name.clone(),
            version,
            from(plugin.place).to_owned(),
            plugin.path.display().to_string(),
            state,
        ]);
    }
    table
}
