//! The namespace machines where there are none: the same names, and one sentence.
//!
//! Owns: nothing; see `namespaces.rs`, which takes this module's place on Linux.

use super::{FirewallRules, MachineError, MachineExit, MachineSpec, Machines};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::Duration;

const WHY: &str = "this computer cannot run sandbox machines: they need Linux; use --machines simulated";

/// As on Linux.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub forget_disks: bool,
    pub wait_for_earlier: Option<Duration>,
    pub single_user: bool,
    pub real_root: bool,
    pub rootfs: Option<PathBuf>,
}

/// As on Linux.
#[allow(unsafe_code)]
pub(crate) fn effective_uid() -> u32 {
    // SAFETY: cannot fail.
    unsafe { libc::geteuid() }
}

/// As on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Mapped,
    Root,
    Range,
    Single,
}

/// As on Linux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    pub mode: Mode,
    pub lost: Vec<String>,
    pub firewalls: bool,
    pub refused: Option<String>,
}

impl Support {
    pub fn about(&self) -> String {
        WHY.to_owned()
    }
}

/// Cannot be made here.
pub enum Namespaces {}

impl Namespaces {
    pub fn open(_: &Path, _: &Options) -> Result<Self, MachineError> {
        Err(MachineError(WHY.to_owned()))
    }

    pub fn support() -> Result<Support, String> {
        Err(WHY.to_owned())
    }

    pub fn mode(&self) -> Mode {
        match *self {}
    }

    pub fn about(&self) -> String {
        match *self {}
    }

    pub fn dir(&self) -> &Path {
        match *self {}
    }

    pub fn room(&self) -> i32 {
        match *self {}
    }

    pub fn boot_phases(&self, _: &MachineSpec) -> Result<String, MachineError> {
        match *self {}
    }
}

impl Machines for Namespaces {
    fn boot(&self, _: &MachineSpec) -> Result<(), MachineError> {
        match *self {}
    }

    fn power_off(&self, _: u64) -> Result<(), MachineError> {
        match *self {}
    }

    fn delete(&self, _: u64) -> Result<(), MachineError> {
        match *self {}
    }

    fn set_firewalls(&self, _: &[FirewallRules]) -> Result<(), MachineError> {
        match *self {}
    }

    fn exits(&self) -> Option<Receiver<MachineExit>> {
        match *self {}
    }

    fn about(&self) -> String {
        match *self {}
    }
}
