//! `linodetool runs`: what was done, by which command, step by step.

use clap::{Args, Subcommand};

/// List past runs, and show their steps
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs list
  linodetool runs show 3fa9c01b2d")]
pub(crate) struct RunsArgs {
    #[command(subcommand)]
    pub(crate) command: RunsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// List runs, newest first; every command that changed something is one
    #[command(visible_alias = "ls")]
    List {
        /// Show at most that many
        #[arg(long, value_name = "COUNT", default_value_t = 20)]
        limit: usize,
    },
    /// Show a run: its parameters, steps and outputs
    Show {
        /// The run's id, or its first letters
        run: String,
    },
}
