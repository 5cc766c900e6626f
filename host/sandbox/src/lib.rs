//! A cloud on this computer: an emulator of the Linode API whose Linodes are Linux machines made of namespaces.
//!
//! Owns: the emulated world, its clock and ledger, the wire formats, the machines. Does not know linodetool's host.

pub mod dial;
pub mod machines;
pub mod roles;
