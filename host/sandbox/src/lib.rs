//! A cloud on this computer: an emulator of the Linode API whose Linodes are Linux machines made of namespaces.
//!
//! Owns: the emulated world, its clock and ledger, the wire formats, the machines. Does not know linodetool's host.

pub mod act;
pub mod catalogue;
pub mod client;
pub mod clock;
pub mod faults;
mod jobs;
pub mod ledger;
pub mod limits;
mod line;
pub mod machines;
mod rules;
mod sandbox;
mod secret;
pub mod server;
mod state_dir;
mod v3;
mod v4;
pub mod wire;
pub mod world;

pub use jobs::Execution;
pub use sandbox::{Sandbox, Settings};
pub use server::{Handle, Ready, ServeError, ServeOptions, serve, spawn};
pub use state_dir::StateDirError;
pub mod dial;
pub mod roles;
