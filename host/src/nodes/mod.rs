//! Nodes: reaching machines over SSH, running commands on them, moving files, and bringing them into a wanted state.
//!
//! Owns connections, the durable command runner, and the scripts that run on a node. Does not know runs, inventory,
//! providers or recipes: whoever calls hands in a [`Target`] and a place for each command's record.
//!
//! Every future here may be dropped at any time (`Cancel::guard` does): its channel is closed and the shared connection
//! stays good. A command started through the runner goes on; [`Nodes::stop`] ends it.

mod artifact;
mod connection;
mod dialer;
mod error;
mod exec;
mod facts;
mod fan_out;
mod files;
mod forward;
mod host_key;
mod keys;
mod output;
mod pool;
mod quote;
mod runner;
mod simulated;
pub mod states;
mod target;
mod template;

pub use artifact::Copied;
pub use dialer::{Dialer, Direct};
pub use error::{NodeError, hint_of_full_disk, was_cut};
pub use exec::{ExecOptions, OnLine};
pub use facts::Facts;
pub use files::{FileOptions, Stat};
pub use forward::Forward;
pub use keys::{KeyPair, fingerprint};
pub use output::{Output, Stream};
pub use pool::{Limits, Nodes};
pub use quote::sh_quote;
pub use runner::{Inspected, Outcome, Place, RECORDS_KEPT, Rehearsed, RunnerCommand};
pub use simulated::{Assumption, Simulation, Simulator};
pub use target::Target;
pub use template::{as_text, render};

/// Result of everything here.
pub type Result<T, E = NodeError> = std::result::Result<T, E>;
