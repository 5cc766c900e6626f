//! State operations: each says how a node should be, checks first, changes only what differs, and tells what it changed.
//!
//! An operation here is a plan, made without a node: one script with its arguments and its input, one round trip.
//! Owns the options of each operation (the script layer reads its maps straight into them) and the scripts. Does not
//! know recipes, nor how a command reaches a node.

mod archive;
mod directory;
mod file;
mod hosts;
mod line;
mod package;
mod plan;
mod run;
mod service;
mod sysctl;
mod transfer;
mod user;
mod wait_port;

pub use archive::Archive;
pub use directory::Directory;
pub use file::File;
pub(super) use file::plan as file_plan;
pub use hosts::{Hosts, Names};
pub use line::Line;
pub use package::Package;
pub(crate) use plan::absolute;
pub use plan::{Applied, Plan, State};
pub use run::Run;
pub use service::Service;
pub use sysctl::Sysctl;
pub use transfer::{Download, Upload};
pub use user::User;
pub use wait_port::WaitPort;

#[cfg(test)]
mod testing;
