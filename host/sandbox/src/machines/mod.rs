//! The seam between the emulated API and what a Linode is made of.
//!
//! Owns: the words both sides use. Does not know HTTP, accounts or events; an implementation does not know the API.

#[cfg(target_os = "linux")]
mod fail;
#[cfg(target_os = "linux")]
mod firewall;
#[cfg(target_os = "linux")]
mod ids;
#[cfg(target_os = "linux")]
mod init;
#[cfg(target_os = "linux")]
mod layer;
#[cfg_attr(not(target_os = "linux"), path = "elsewhere.rs")]
pub mod namespaces;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod nursery;
#[cfg(target_os = "linux")]
mod own_root;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod protocol;
#[cfg(target_os = "linux")]
mod room;
#[cfg(target_os = "linux")]
mod rootfs;
#[cfg(target_os = "linux")]
mod shims;
pub mod simulated;
#[cfg(target_os = "linux")]
mod start;
#[cfg(target_os = "linux")]
mod support;
#[cfg(target_os = "linux")]
mod sys;
#[cfg(target_os = "linux")]
mod units;

#[cfg(target_os = "linux")]
pub(crate) mod role {
    //! The roles a process of ours plays (`roles.rs`), and what a dial needs (`dial.rs`).
    pub(crate) use super::init::sftp::main as sftp;
    pub(crate) use super::protocol::{ROOM, SFTP, ask_room_to_dial};
    pub(crate) use super::room::main as room;
    pub(crate) use super::shims::main as shim;
    pub(crate) use super::sys::{copy, receive, send};
}

#[cfg(not(target_os = "linux"))]
pub(crate) use namespaces::effective_uid;
#[cfg(target_os = "linux")]
pub(crate) use sys::effective_uid;

use crate::act;
use crate::clock::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// What a Linode is when it boots. The same `id` boots again with the same disk until [`Machines::delete`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MachineSpec {
    /// The Linode's id.
    pub id: u64,
    /// Host name at first boot: the Linode's label.
    pub hostname: String,
    pub public_ip: Option<Ipv4Addr>,
    pub private_ip: Option<Ipv4Addr>,
    /// Public keys for root's `authorized_keys`, one line each.
    pub authorized_keys: Vec<String>,
    /// Decoded `metadata.user_data`: cloud-init's `#cloud-config` or a script.
    pub user_data: Option<Vec<u8>>,
    /// Runs as root at first boot, after user data.
    pub stackscript: Option<StackScript>,
    /// Memory of the Linode's type, in MB; what a machine may say of itself, not a limit.
    pub memory_mb: u64,
    /// Thousandths of the usual time that its work takes in this boot, if it is only simulated.
    #[serde(default)]
    pub pace: Option<u32>,
    /// Number of this boot: a later one's is higher.
    #[serde(default)]
    pub life: u64,
    /// What goes wrong in this boot, on purpose.
    #[serde(default)]
    pub faults: MachineFaults,
}

/// What a machine does wrong on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFaults {
    /// SSH is refused for so long after the boot.
    pub ssh_refused: Option<Duration>,
    /// So long after the first command of this boot begins its connection is cut.
    pub ssh_cut: Option<Duration>,
    /// The disk has room for so many bytes.
    pub disk: Option<u64>,
}

/// A StackScript with the answers to its questions (UDFs), which it gets as environment variables.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StackScript {
    pub script: String,
    pub data: BTreeMap<String, String>,
}

/// A machine went down without [`Machines::power_off`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineExit {
    pub id: u64,
    /// Of the boot that ended: word of it may come when the machine has been booted again.
    pub life: u64,
    pub how: HowEnded,
}

/// Why a machine ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HowEnded {
    /// `poweroff`, `halt` or `shutdown` inside.
    PoweredOff,
    /// `reboot` inside: the caller boots it again.
    Rebooted,
    /// Its init was killed or failed.
    Died,
}

/// One Cloud Firewall as it is in force, and the machines it guards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirewallRules {
    pub machines: Vec<u64>,
    pub inbound: Vec<Rule>,
    pub outbound: Vec<Rule>,
    /// `true` is ACCEPT, `false` is DROP: for what no rule matches.
    pub inbound_accept: bool,
    pub outbound_accept: bool,
}

/// One rule of a firewall; the first that matches decides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    pub accept: bool,
    /// `TCP`, `UDP`, `ICMP` or `IPENCAP`, as the API writes it.
    pub protocol: String,
    /// Ports and ranges as the API writes them, `22, 8000-8010`; empty: all.
    pub ports: String,
    /// IPv4 networks in CIDR form; for outbound rules where to. Empty: matches nothing.
    pub ipv4: Vec<String>,
}

/// Why a machine could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MachineError(pub String);

/// Makes, runs and ends machines. Calls block until what they ask has happened and may come from many threads.
pub trait Machines: Send + Sync {
    /// Answers when the machine's SSH server answers.
    fn boot(&self, spec: &MachineSpec) -> Result<(), MachineError>;
    /// Orderly: services are stopped first, then everything in it is killed. Its disk stays. No error if it is off.
    fn power_off(&self, id: u64) -> Result<(), MachineError>;
    /// Powers off without a farewell and removes the disk. No error if there is none.
    fn delete(&self, id: u64) -> Result<(), MachineError>;
    /// Ends all machines at once, without farewells, and removes their disks; none can be booted after that. `None` where
    /// that is no quicker than one after another.
    fn delete_all(&self) -> Option<Result<(), MachineError>> {
        None
    }
    /// Replaces all firewalls in force. `Err` where this computer cannot enforce them, with the reason.
    fn set_firewalls(&self, firewalls: &[FirewallRules]) -> Result<(), MachineError>;
    /// What time it is, said before anything is asked: simulated machines have no clock of their own.
    fn time_is(&self, _: Time) {}
    /// Whose simulated machine has this address, if it is on.
    fn simulated_at(&self, _: &str) -> Option<u64> {
        None
    }
    /// Nothing of them is there but what is known of them.
    fn are_simulated(&self) -> bool {
        false
    }
    /// Does something on a machine that is only simulated. `None`: these machines are real, and reached over SSH.
    fn act(&self, _: act::Request, _: Time) -> Option<act::Acted> {
        None
    }
    /// How they run, for `sandbox status`; follows "machines run".
    fn about(&self) -> String {
        "nowhere: they are simulated".to_owned()
    }
    /// Machines that went down by themselves. The receiver is handed out once.
    fn exits(&self) -> Option<Receiver<MachineExit>>;
}
