//! `linodetool forward`: a port of a node on this computer.

use clap::Args;

/// Reach a port of a node from this computer, through SSH
///
/// Listens on 127.0.0.1 until Ctrl-C. The node's firewall may stay closed.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool --sandbox forward hadoop-master-1 9870     then open http://127.0.0.1:9870/
  linodetool forward db-1 5432 --local-port 15432")]
pub(crate) struct ForwardArgs {
    /// The node's name
    pub(crate) node: String,
    /// The port on the node
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: u16,
    /// The port on this computer; 0: any free one [default: the same]
    #[arg(long, value_name = "PORT")]
    pub(crate) local_port: Option<u16>,
    /// The address on the node [default: its private address, then localhost]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) host: Option<String>,
}
