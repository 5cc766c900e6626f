//! `linodetool exec`: one command on many nodes at once.

use clap::Args;

/// Run a command on many nodes at once
///
/// Equal outputs are shown once, with the nodes that gave them. If the command fails anywhere, the exit code is 9.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool exec cluster:hadoop -- uptime
  linodetool exec 'web-*,!web-3' -- systemctl restart nginx
  linodetool exec role:worker -- sh -c 'df -h / | tail -1'")]
pub(crate) struct ExecArgs {
    /// Which nodes: a name, `cluster:NAME`, `role:NAME`, `web-*`; a comma joins, `!` excludes
    pub(crate) selector: String,
    /// Give up on a node after that many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(crate) timeout: u64,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}
