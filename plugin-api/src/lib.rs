//! Everything a plugin author needs and nothing of the host.
//!
//! A plugin is sans-IO: it turns messages into messages. Does not know sockets, threads, clocks or tokens.

#![warn(missing_docs)]

pub mod abi;
pub mod context;
pub mod error;
pub mod executor;
pub mod export;
pub mod http;
mod join;
pub mod manifest;
pub mod message;
pub mod model;
pub mod operations;
mod panics;
pub mod provider;
pub mod testing;

pub use context::{Cx, Level};
pub use error::{ErrorKind, ProviderError, Result, Retry};
pub use export::Plugin;
pub use http::{Request, Response};
pub use join::{join_all, try_join_lanes};
pub use manifest::{BEFORE_IDS, ConfigKey, MESSAGES, Manifest, RateClass};
pub use message::Auth;
pub use model::*;
pub use operations::{Effect, Found, OPERATIONS, OperationInfo};
pub use provider::Provider;
#[doc(hidden)]
pub use serde_json;
