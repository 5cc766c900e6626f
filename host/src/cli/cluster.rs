//! `linodetool cluster`: named sets of nodes.

use clap::{Args, Subcommand};

/// List, show and destroy clusters
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool cluster list
  linodetool cluster status hadoop
  linodetool cluster destroy hadoop")]
pub(crate) struct ClusterArgs {
    #[command(subcommand)]
    pub(crate) command: ClusterCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClusterCommand {
    /// List clusters
    #[command(visible_alias = "ls")]
    List,
    /// Show a cluster as it is recorded, with its nodes
    Show(ClusterName),
    /// Ask the provider how a cluster's nodes are now
    Status(ClusterName),
    /// Delete a cluster: its nodes, their disks, its firewall and keys
    Destroy(ClusterName),
}

#[derive(Args, Debug)]
pub(crate) struct ClusterName {
    /// The cluster's name
    pub(crate) cluster: String,
}
