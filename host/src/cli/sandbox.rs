//! `linodetool sandbox`: the cloud on this computer.
//!
//! The lifecycle itself is in `sandbox/`. Does not know what the sandbox emulates.

pub(crate) mod background;
mod commands;
pub(crate) mod faults;
pub(crate) mod lifecycle;
mod serve;

use clap::{Args, Subcommand, ValueEnum};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Run a cloud on this computer: the Linode API, with real Linux machines behind it
///
/// It is for trying out one's own recipes; it is no security boundary.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool sandbox serve                 For other programs: prints URL and token, serves until Ctrl-C
  linodetool sandbox status
  linodetool sandbox faults flaky          From now on it fails now and then, as real clouds do
  linodetool sandbox stop                  Ends it with all its machines")]
pub(crate) struct SandboxArgs {
    #[command(subcommand)]
    pub(crate) command: SandboxCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SandboxCommand {
    Serve(ServeArgs),
    /// Show whether the sandbox runs, and where
    Status,
    /// Stop the sandbox and all its machines
    Stop,
    /// Stop the sandbox and forget all that was made in it
    Reset,
    Faults(faults::FaultsArgs),
    /// Connect stdin and stdout to a machine (ssh's ProxyCommand)
    #[command(hide = true)]
    Dial(DialArgs),
}

/// Serve until stopped; prints one JSON line with URLs and token
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Listen here; only addresses of this computer itself are taken
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// What a Linode is
    #[arg(long, value_enum, default_value_t = MachineKind::Namespaces)]
    pub(crate) machines: MachineKind,
    /// Show machines this system instead of this computer's: a directory with /usr and /bin/sh, as debootstrap makes it
    ///
    /// Commands with --sandbox use the sandbox that runs, so start this one first.
    #[arg(long, value_name = "DIR")]
    pub(crate) rootfs: Option<PathBuf>,
    /// Whether request limits are in force
    #[arg(long, value_enum, default_value_t = Limits::Real)]
    pub(crate) limits: Limits,
    /// How long a Linode takes to get ready
    #[arg(long, value_enum, default_value_t = Timing::Fast)]
    pub(crate) timing: Timing,
    /// Make the emulated time pass that many times as fast
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    pub(crate) time_scale: f64,
    #[command(flatten)]
    pub(crate) faults: faults::FaultArgs,
    /// Keep its token, ledger and machines here [default: sandbox/ in the state directory]
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Started by another linodetool: outlives its terminal
    #[arg(long, hide = true)]
    pub(crate) background: bool,
}

#[derive(Args, Debug)]
pub(crate) struct DialArgs {
    /// The machine's address
    pub(crate) host: IpAddr,
    /// The port there
    pub(crate) port: u16,
    /// Pass the open connection on to ssh instead of the bytes
    #[arg(long)]
    pub(crate) fdpass: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MachineKind {
    /// A Linux machine made of namespaces
    Namespaces,
    /// Nothing but its entry in the API
    Simulated,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Limits {
    /// Those of the real API
    Real,
    /// None
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timing {
    /// As long as its machine takes
    Fast,
    /// As long as a real one
    Real,
}
