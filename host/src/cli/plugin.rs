//! `linodetool plugin`: providers on this computer.

use clap::{Args, Subcommand};

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
