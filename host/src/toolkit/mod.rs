//! The Toolkit services.

pub mod cloud_init;
pub mod firewall_rules;
pub mod names;
pub mod packing;
pub mod words;
