//! The emulated account and everything in it, as state with pure transitions.
//!
//! Owns: what exists, what state it is in, what happens when. Does not know HTTP, JSON, threads, or how a machine is made:
//! a transition is given the time, and what it wants done outside it leaves in [`World::take_outside`].

mod addresses;
mod disks;
mod domains;
mod events;
mod firewalls;
mod hosts;
mod images;
mod linodes;
mod nodebalancers;
mod power;
mod profile;
mod seed;
mod stackscripts;
mod timing;
mod volumes;

use std::collections::{BTreeMap, HashMap};

pub use addresses::Addresses;
pub use disks::{Config, Disk, DiskStatus, Helpers};
pub use domains::{Domain, DomainRecord};
pub use events::{Entity, EntityId, Event, Events, Outcome};
pub use firewalls::{Device, Firewall, FirewallRule, Policy, RuleSet};
pub use hosts::{HostJob, HostWork, JobState};
pub use images::OwnImage;
pub use linodes::{Alerts, Launch, Linode, NewLinode, Status};
pub use nodebalancers::{BalancerConfig, BalancerNode, NodeBalancer};
pub use power::{Refusal, Timer};
pub use profile::{SshKey, Token};
pub use seed::{Seed, SeedFirewall, SeedLinode};
pub use stackscripts::{Script, UserDefinedField};
pub use timing::Timing;
pub use volumes::Volume;

use crate::catalogue::{self, Catalogue};
use crate::clock::Time;
use crate::faults::Faults;
use crate::ledger::{Entry, What};
use crate::machines::{FirewallRules, MachineSpec};

/// The only user of the account.
pub const USERNAME: &str = "sandbox";

/// Everything that exists. Cannot be printed: it holds tokens.
pub struct World {
    pub timing: Timing,
    /// What can be bought.
    pub catalogue: &'static Catalogue,
    pub linodes: BTreeMap<u64, Linode>,
    pub firewalls: BTreeMap<u64, Firewall>,
    pub stackscripts: BTreeMap<u64, Script>,
    /// Images of the account's own.
    pub images: BTreeMap<u64, OwnImage>,
    pub volumes: BTreeMap<u64, Volume>,
    pub domains: BTreeMap<u64, Domain>,
    pub nodebalancers: BTreeMap<u64, NodeBalancer>,
    pub ssh_keys: BTreeMap<u64, SshKey>,
    pub tokens: HashMap<String, Token>,
    /// By which an account is told from others; 0 before it has a token.
    pub account: u64,
    pub events: Events,
    pub began: Time,
    /// Why the present transition happens, for the ledger: the request, or what else.
    pub reason: String,
    /// The jobs that wait for the Linodes' hosts, or were done by them.
    hosts: hosts::Hosts,
    /// What may go wrong with Linodes.
    faults: Faults,
    linode_labels: HashMap<String, u64>,
    firewall_labels: HashMap<String, u64>,
    /// Which firewall guards a Linode, and as which device.
    guards: HashMap<u64, (u64, u64)>,
    addresses: Addresses,
    ids: Ids,
    timers: BTreeMap<(Time, u64), Timer>,
    outside: Outside,
}

/// What a transition wants done in the world outside.
#[derive(Default)]
pub struct Outside {
    pub jobs: Vec<Job>,
    pub ledger: Vec<Entry>,
    /// The firewalls in force are other ones now.
    pub firewalls_changed: bool,
    /// A timer was added: the one who waits for the next may have to wait less.
    pub timers_changed: bool,
}

/// Work for the machines. Jobs of one Linode are done in order; jobs of different ones at the same time.
#[derive(Clone)]
pub struct Job {
    pub linode: u64,
    /// Given back to [`World::job_done`]: an outcome of an operation that is no longer the present one is ignored.
    pub operation: u64,
    pub work: Work,
}

#[derive(Clone)]
pub enum Work {
    Boot(Box<MachineSpec>),
    PowerOff,
    /// Power off, then boot.
    Reboot(Box<MachineSpec>),
    Delete,
}

/// Why work was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    pub why: String,
    /// The machine could not be ended: if it ran, it runs on.
    pub runs_on: bool,
}

/// Ids count up per kind, as those of the API do.
#[derive(Debug)]
struct Ids {
    first: u64,
    next: HashMap<&'static str, u64>,
}

impl World {
    /// An empty account. Ids begin after `last_id`, so that a sandbox that continues a ledger reuses none.
    pub fn new(timing: Timing, now: Time, last_id: u64) -> Self {
        Self {
            timing,
            catalogue: &catalogue::BUNDLED,
            linodes: BTreeMap::new(),
            firewalls: BTreeMap::new(),
            stackscripts: BTreeMap::new(),
            images: BTreeMap::new(),
            volumes: BTreeMap::new(),
            domains: BTreeMap::new(),
            nodebalancers: BTreeMap::new(),
            ssh_keys: BTreeMap::new(),
            tokens: HashMap::new(),
            account: 0,
            events: Events::default(),
            began: now,
            reason: String::new(),
            hosts: hosts::Hosts::default(),
            faults: Faults::none(),
            linode_labels: HashMap::new(),
            firewall_labels: HashMap::new(),
            guards: HashMap::new(),
            addresses: Addresses::default(),
            ids: Ids { first: last_id.max(1000) + 1, next: HashMap::new() },
            timers: BTreeMap::new(),
            outside: Outside::default(),
        }
    }

    /// From now on things go wrong as these say.
    pub fn set_faults(&mut self, faults: &Faults) {
        self.faults = faults.clone();
        self.events.set_faults(faults);
    }

    /// What the transitions since the last call want done outside.
    pub fn take_outside(&mut self) -> Outside {
        std::mem::take(&mut self.outside)
    }

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Time> {
        self.timers.keys().next().map(|(due, _)| *due)
    }

    /// Runs every timer that is due. Each transition happens at the time it was due, so what it dates is right even if
    /// the caller is late.
    pub fn run_due(&mut self, now: Time) {
        while let Some(entry) = self.timers.first_entry() {
            let due = entry.key().0;
            if due > now {
                break;
            }
            let timer = entry.remove();
            self.timer_due(timer, due);
            self.advance_hosts(due);
        }
    }

    /// The firewalls in force, as the machines understand them.
    pub fn firewalls_in_force(&self) -> Vec<FirewallRules> {
        self.firewalls.values().filter(|one| one.enabled && !one.devices.is_empty()).map(Firewall::in_force).collect()
    }

    fn new_id(&mut self, kind: &'static str) -> u64 {
        let next = self.ids.next.entry(kind).or_insert(self.ids.first);
        let id = *next;
        *next += 1;
        id
    }

    /// No new one of that kind has this id.
    fn pass_id(&mut self, kind: &'static str, id: u64) {
        let next = self.ids.next.entry(kind).or_insert(self.ids.first);
        *next = (*next).max(id.saturating_add(1));
    }

    fn at(&mut self, due: Time, timer: Timer) {
        let serial = self.new_id("timer");
        self.timers.insert((due, serial), timer);
        self.outside.timers_changed = true;
    }

    fn note(&mut self, now: Time, what: What, kind: &str, id: u64, label: &str, tags: &[String]) {
        self.outside.ledger.push(Entry {
            time: now.wire(),
            what,
            kind: kind.to_owned(),
            id,
            label: label.to_owned(),
            tags: tags.to_vec(),
            reason: self.reason.clone(),
        });
    }
}
