//! Machines that are not there: they boot at once, run nothing and remember what they were asked.
//!
//! Owns: the record, and which machine has which address. Does not know processes; for rehearsals, and for computers
//! without namespaces.

mod cost;
mod node;
#[cfg(test)]
mod tests;

pub use cost::Pace;

use super::{FirewallRules, HowEnded, MachineError, MachineExit, MachineSpec, Machines};
use crate::act::{Act, Acted, Facts, Request, What};
use crate::clock::Time;
use node::Node;
use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was asked, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Boot(u64),
    PowerOff(u64),
    Delete(u64),
    /// With how many firewalls.
    Firewalls(usize),
}

/// See the module.
pub struct Simulated {
    state: Mutex<State>,
    exits: Mutex<Option<Receiver<MachineExit>>>,
    ended: Sender<MachineExit>,
}

#[derive(Default)]
struct State {
    pace: Pace,
    asked: Vec<Asked>,
    /// Every machine with a disk, and whether it runs.
    machines: BTreeMap<u64, (MachineSpec, bool)>,
    /// What they remember; begun when one is first reached.
    nodes: HashMap<u64, Node>,
    addresses: HashMap<Ipv4Addr, u64>,
    now: Time,
    firewalls: Vec<FirewallRules>,
}

impl Default for Simulated {
    fn default() -> Self {
        Self::new()
    }
}

impl Simulated {
    pub fn new() -> Self {
        let (ended, exits) = channel();
        Self { state: Mutex::default(), exits: Mutex::new(Some(exits)), ended }
    }

    /// Machines that work so fast.
    pub fn at(pace: Pace) -> Self {
        let this = Self::new();
        this.state().pace = pace;
        this
    }

    /// Everything asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Whether a machine runs.
    pub fn runs(&self, id: u64) -> bool {
        self.state().machines.get(&id).is_some_and(|m| m.1)
    }

    /// What a machine was booted with last.
    pub fn spec(&self, id: u64) -> Option<MachineSpec> {
        self.state().machines.get(&id).map(|m| m.0.clone())
    }

    /// The firewalls in force.
    pub fn firewalls(&self) -> Vec<FirewallRules> {
        self.state().firewalls.clone()
    }

    /// Commands that a machine was given, in their order.
    pub fn commands(&self, id: u64) -> Vec<String> {
        self.state().nodes.get(&id).map(|node| node.commands().to_vec()).unwrap_or_default()
    }

    /// What is on a machine and what it was told to do, by what each thing is called.
    pub fn memory(&self, id: u64) -> BTreeMap<String, String> {
        let mut s = self.state();
        let now = s.now;
        s.nodes.get_mut(&id).map(|node| node.memory(now)).unwrap_or_default()
    }

    /// A machine that runs was started anew some time ago.
    pub fn restarted(&self, id: u64) {
        let mut state = self.state();
        let now = state.now;
        let State { nodes, machines, .. } = &mut *state;
        if let (Some(node), Some((spec, _))) = (nodes.get_mut(&id), machines.get(&id)) {
            node.boot(spec, now);
            node.has_run();
        }
    }

    /// Makes a machine end by itself, as a crash or `poweroff` inside would.
    pub fn end(&self, id: u64, how: HowEnded) {
        let mut state = self.state();
        let life = state.machines.get(&id).map_or(0, |(spec, _)| spec.life);
        if state.down(id) {
            let _ = self.ended.send(MachineExit { id, life, how }); // nobody listens: nothing to tell
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a machine remembers.
    fn node(&mut self, id: u64) -> &mut Node {
        self.nodes.entry(id).or_insert_with(|| Node::at(self.pace))
    }

    /// Whether it ran.
    fn down(&mut self, id: u64) -> bool {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.cut(self.now);
        }
        self.machines.get_mut(&id).is_some_and(|m| std::mem::take(&mut m.1))
    }

    /// Whether somebody answers at an address.
    fn reach(&self, address: &str) -> Result<u64, What> {
        let id = address.parse().ok().and_then(|address: Ipv4Addr| self.addresses.get(&address));
        match id.and_then(|id| self.machines.get(id)) {
            Some((spec, true)) if self.refuses_ssh(spec) => {
                Err(What::Unreachable { why: "connection refused".to_owned() })
            }
            Some((spec, true)) => Ok(spec.id),
            Some((spec, false)) => Err(What::Unreachable { why: format!("{} does not run", spec.hostname) }),
            None => Err(What::Unreachable { why: "no machine has this address".to_owned() }),
        }
    }

    /// On purpose, for a while after the boot.
    fn refuses_ssh(&self, spec: &MachineSpec) -> bool {
        let booted = self.nodes.get(&spec.id).map_or(self.now, |node| node.booted);
        spec.faults.ssh_refused.is_some_and(|time| self.now.since(booted) < time)
    }

    fn act(&mut self, Request { address, act }: Request, now: Time) -> Acted {
        self.now = self.now.max(now);
        let quick = |what| Acted { takes_ms: 0, what };
        let id = match self.reach(&address) {
            Ok(id) => id,
            Err(what) => return quick(what),
        };
        match act {
            Act::Facts => quick(What::Facts(self.facts(id))),
            Act::Copy { from, path, dest } => match self.reach(&from) {
                Ok(source) => match self.nodes.get_mut(&source).and_then(|node| node.file(&path, now)).cloned() {
                    Some(file) => {
                        let node = self.node(id);
                        let acted = node.receive(dest, file);
                        node.cut_short(acted, now)
                    }
                    None => quick(What::Absent),
                },
                Err(what) => quick(what),
            },
            // Of another machine's port, as this one sees it.
            Act::Port { host, port } => {
                let there =
                    if ["localhost", "127.0.0.1"].contains(&host.as_str()) { Ok(id) } else { self.reach(&host) };
                let open = there.is_ok_and(|id| self.node(id).listens(port, now));
                quick(What::Port { open })
            }
            act => self.node(id).act(act, now),
        }
    }

    fn facts(&self, id: u64) -> Facts {
        let Some((spec, _)) = self.machines.get(&id) else { return Facts::default() };
        let boots = self.nodes.get(&id).map_or(0, |node| node.boots);
        Facts { hostname: spec.hostname.clone(), memory_mb: spec.memory_mb, boots, ..Facts::default() }
    }
}

impl Machines for Simulated {
    fn boot(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        let mut s = self.state();
        if s.machines.get(&spec.id).is_some_and(|m| m.1) {
            return Err(MachineError(format!("machine {} runs already", spec.id)));
        }
        s.asked.push(Asked::Boot(spec.id));
        s.machines.insert(spec.id, (spec.clone(), true));
        let now = s.now;
        s.node(spec.id).boot(spec, now);
        for address in spec.public_ip.iter().chain(&spec.private_ip) {
            s.addresses.insert(*address, spec.id);
        }
        Ok(())
    }

    fn power_off(&self, id: u64) -> Result<(), MachineError> {
        let mut s = self.state();
        s.asked.push(Asked::PowerOff(id));
        s.down(id);
        Ok(())
    }

    fn delete(&self, id: u64) -> Result<(), MachineError> {
        let mut s = self.state();
        s.asked.push(Asked::Delete(id));
        s.nodes.remove(&id);
        if let Some((spec, _)) = s.machines.remove(&id) {
            for address in spec.public_ip.iter().chain(&spec.private_ip) {
                s.addresses.remove(address);
            }
        }
        Ok(())
    }

    fn set_firewalls(&self, firewalls: &[FirewallRules]) -> Result<(), MachineError> {
        let mut s = self.state();
        s.asked.push(Asked::Firewalls(firewalls.len()));
        firewalls.clone_into(&mut s.firewalls);
        Ok(())
    }

    fn time_is(&self, now: Time) {
        self.state().now = now;
    }

    fn are_simulated(&self) -> bool {
        true
    }

    fn simulated_at(&self, address: &str) -> Option<u64> {
        let address: Ipv4Addr = address.parse().ok()?;
        let state = self.state();
        state.addresses.get(&address).copied().filter(|id| state.machines.get(id).is_some_and(|machine| machine.1))
    }

    fn act(&self, request: Request, now: Time) -> Option<Acted> {
        Some(self.state().act(request, now))
    }

    fn exits(&self) -> Option<Receiver<MachineExit>> {
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
