//! The command line as data: the global options and the list of commands.
//!
//! Owns what is common to all commands; each command's own options are in its file. Does not know what a command does.

use super::{
    api, catalogue, cluster, completions, cp, doctor, error, exec, forward, inventory, node, plugin, recipe, run, runs,
    sandbox, secret,
};
use clap::{Args, ColorChoice, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  linodetool run recipes/hadoop.rhai --sandbox   A Hadoop cluster here, without an account
  linodetool run recipes/hadoop.rhai             The same on Linode; its cost is confirmed first
  linodetool node list                           What there is
  linodetool doctor                              What this computer lacks, and how to mend it";

/// Create and run large secure clusters on Linode
#[derive(Debug, Parser)]
#[command(name = "linodetool", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes, before or after its name.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Write one JSON document to stdout, also for an error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Work in the sandbox, a cloud on this computer; started if it does not run
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,
    /// Use this provider plugin [default: linode-v4]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) provider: Option<String>,
    /// Keep things apart under this name: APPLICATION/CUSTOMER [default: default/default]
    #[arg(long, global = true, value_name = "CONTEXT")]
    pub(crate) context: Option<String>,
    /// Keep the inventory, runs and secrets here [default: ~/.local/state/linodetool]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// Get the API token from what this shell command prints
    #[arg(long, global = true, value_name = "COMMAND")]
    pub(crate) token_cmd: Option<String>,
    /// Go on without asking, whatever it costs or destroys
    #[arg(long, short = 'y', global = true)]
    pub(crate) yes: bool,
    /// Show no progress, only results and errors
    #[arg(long, short = 'q', global = true)]
    pub(crate) quiet: bool,
    /// Use no colours; so does the variable NO_COLOR
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Show more: the output of commands on nodes; twice for the log
    #[arg(long, short = 'v', global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::RunArgs),
    Recipe(recipe::RecipeArgs),
    Node(node::NodeArgs),
    Exec(exec::ExecArgs),
    Cp(cp::CpArgs),
    Forward(forward::ForwardArgs),
    Cluster(cluster::ClusterArgs),
    Inventory(inventory::InventoryArgs),
    Regions(catalogue::RegionsArgs),
    Types(catalogue::TypesArgs),
    Images(catalogue::ImagesArgs),
    Api(api::ApiArgs),
    Runs(runs::RunsArgs),
    Secret(secret::SecretArgs),
    Plugin(plugin::PluginArgs),
    Sandbox(sandbox::SandboxArgs),
    Doctor(doctor::DoctorArgs),
    Completions(completions::CompletionsArgs),
}

/// The whole command line as clap sees it, with the exit codes at the end of the long help.
pub(crate) fn command(color: bool) -> clap::Command {
    let choice = if color { ColorChoice::Auto } else { ColorChoice::Never };
    Cli::command().color(choice).after_long_help(format!("{EXAMPLES}\n\n{}", error::exit_codes()))
}

/// Reads a `NAME=VALUE` argument.
pub(crate) fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it must look like NAME=VALUE".to_owned()),
    }
}
