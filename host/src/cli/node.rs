//! `linodetool node`: single machines.

use clap::{Args, Subcommand};

/// Create, list, start, stop, log in to and delete nodes
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool node create us-east g6-nanode-1 linode/debian12 --name web-1
  linodetool node create newark '1gb' 'debian 12'
  linodetool node ssh web-1 -- uptime
  linodetool node delete web-1")]
pub(crate) struct NodeArgs {
    #[command(subcommand)]
    pub(crate) command: NodeCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    Create(CreateArgs),
    /// List nodes
    #[command(visible_alias = "ls")]
    List {
        /// Which ones: a name, `cluster:NAME`, `role:NAME`, `web-*`; a comma joins, `!` excludes
        selector: Option<String>,
    },
    /// Show all that is known of a node
    Show {
        /// The node's name
        node: String,
    },
    /// Log in to a node, or run a command there, with this computer's ssh
    #[command(after_help = "\
The node's key and its known host key are given to ssh for this login only.

Examples:
  linodetool node ssh web-1
  linodetool node ssh web-1 -- journalctl -u nginx -f
  linodetool node ssh web-1 -- -L 8080:localhost:80")]
    Ssh {
        /// The node's name
        node: String,
        /// A command, or options of ssh, passed on as they are
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENT")]
        arguments: Vec<String>,
    },
    /// Power nodes on
    #[command(visible_alias = "boot")]
    Start(SelectArgs),
    /// Shut nodes down; they go on costing until they are deleted
    #[command(visible_alias = "shutdown")]
    Stop(SelectArgs),
    /// Restart nodes
    Reboot(SelectArgs),
    /// Delete nodes and all that is on their disks
    #[command(visible_alias = "rm")]
    Delete(SelectArgs),
}

/// Create a node, and wait until it can be logged in to
///
/// Region, type and image may be written loosely; what could mean several things is refused with the candidates.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    /// Where: `us-east`, `newark`, ...
    pub(crate) region: String,
    /// What: `g6-nanode-1`, `1gb`, ...
    #[arg(value_name = "TYPE")]
    pub(crate) kind: String,
    /// The image on its disk: `linode/debian12`, `'debian 12'`, ...
    pub(crate) image: String,
    /// Its name [default: node-1, node-2, ...]
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    /// Do not wait until it answers
    #[arg(long)]
    pub(crate) no_wait: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SelectArgs {
    /// Which ones: a name, `cluster:NAME`, `role:NAME`, `web-*`; a comma joins, `!` excludes
    pub(crate) selector: String,
}
