//! Inventory: the durable record of clusters, nodes and other resources.
//!
//! Owns the state directory's database: its schema, versions, and the rows of resources. Does not know HTTP, Rhai,
//! how a node is reached, or what a step is.

pub mod change;
mod damage;
pub mod database;
pub mod exports;
#[cfg(test)]
mod memory;
pub mod model;
mod network;
mod read_only;
pub mod selector;
mod sqlite;
pub mod store;

pub use change::{Change, NodePatch};
pub use database::{StateError, Trouble};
#[cfg(test)]
pub(crate) use memory::MemoryStore;
pub use model::{Cluster, KeyRef, Node, Resource, Role};
pub(crate) use read_only::ReadOnly;
pub use selector::Selector;
pub use sqlite::SqliteStore;
pub(crate) use sqlite::apply as apply_change;
pub(crate) use store::natural_order;
pub use store::{Inventory, Store};
