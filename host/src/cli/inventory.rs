//! `linodetool inventory`: what other programs want to know of the nodes.

use clap::{Args, Subcommand, ValueEnum};

/// Give the inventory to other programs
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool inventory export --format ssh-config > ~/.ssh/linodetool.conf
  linodetool inventory export --format ansible cluster:hadoop")]
pub(crate) struct InventoryArgs {
    #[command(subcommand)]
    pub(crate) command: InventoryCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum InventoryCommand {
    /// Write the nodes in a format of another program
    Export {
        /// Which nodes [default: all]
        selector: Option<String>,
        /// Which format
        #[arg(long, value_enum)]
        format: Format,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Host entries for ~/.ssh/config
    SshConfig,
    /// An inventory for ansible
    Ansible,
    /// All that is recorded
    Json,
}
