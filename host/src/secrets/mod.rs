//! Secrets: where they are kept, and where a token comes from.
//!
//! Owns private files and the encrypted stores. Does not know providers, runs, or what a secret is for.

pub mod files;
mod linode_cli;
pub mod sealed;
pub mod store;
pub mod token;

pub use store::{GENERATED, Otherwise, Passing, SecretError, SecretInfo, SecretStore};
pub use token::{TokenFound, TokenSources, find_token};
