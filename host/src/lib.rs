//! Linode Cluster Toolkit: the library behind the `linodetool` command.
//!
//! Layers, arrows down only: `cli, repl > rehearsal > script > toolkit > runs > provider, nodes, inventory, secrets > core`;
//! `plugin_host` implements `provider`'s trait. `app` is the composition root.

pub mod app;
pub mod cli;
pub mod core;
pub mod inventory;
pub mod nodes;
pub mod plugin_host;
pub mod provider;
pub mod rehearsal;
pub mod runs;
pub mod script;
pub mod secrets;
pub mod toolkit;
