//! Secrets: where they are kept, where a token comes from, how they are kept out of text.
//!
//! Owns private files and the encrypted stores. Does not know providers, runs, or what a secret is for.

pub mod files;
mod linode_cli;
pub mod redact;
pub mod store;
pub mod token;

pub use redact::Redactor;
pub use store::{GENERATED, SecretError, SecretInfo, SecretStore};
pub use token::{TokenFound, TokenSources, find_token};
