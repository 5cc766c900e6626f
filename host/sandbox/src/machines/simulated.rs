//! Machines that are not there: they boot at once, run nothing and remember what they were asked.
//!
//! Owns: the record. Does not know processes; for rehearsals, and for computers without namespaces.

use super::{FirewallRules, HowEnded, MachineError, MachineExit, MachineSpec, Machines};
use std::collections::BTreeMap;
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
    asked: Vec<Asked>,
    /// Every machine with a disk, and whether it runs.
    machines: BTreeMap<u64, (MachineSpec, bool)>,
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

    /// Makes a machine end by itself, as a crash or `poweroff` inside would.
    pub fn end(&self, id: u64, how: HowEnded) {
        if self.state().machines.get_mut(&id).is_some_and(|m| std::mem::take(&mut m.1)) {
            let _ = self.ended.send(MachineExit { id, how }); // nobody listens: nothing to tell
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        Ok(())
    }

    fn power_off(&self, id: u64) -> Result<(), MachineError> {
        let mut s = self.state();
        s.asked.push(Asked::PowerOff(id));
        if let Some(m) = s.machines.get_mut(&id) {
            m.1 = false;
        }
        Ok(())
    }

    fn delete(&self, id: u64) -> Result<(), MachineError> {
        let mut s = self.state();
        s.asked.push(Asked::Delete(id));
        s.machines.remove(&id);
        Ok(())
    }

    fn set_firewalls(&self, firewalls: &[FirewallRules]) -> Result<(), MachineError> {
        let mut s = self.state();
        s.asked.push(Asked::Firewalls(firewalls.len()));
        firewalls.clone_into(&mut s.firewalls);
        Ok(())
    }

    fn exits(&self) -> Option<Receiver<MachineExit>> {
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_and_tells() {
        let m = Simulated::new();
        let exits = m.exits().expect("the receiver");
        assert!(m.exits().is_none(), "handed out once");
        let spec = MachineSpec { id: 5, hostname: "a".into(), ..Default::default() };
        m.boot(&spec).expect("boots");
        assert_eq!(m.boot(&spec).expect_err("twice").0, "machine 5 runs already");
        m.end(5, HowEnded::Rebooted);
        m.end(5, HowEnded::Died); // it is off already
        assert_eq!(exits.try_iter().collect::<Vec<_>>(), [MachineExit { id: 5, how: HowEnded::Rebooted }]);
        m.boot(&spec).expect("boots again");
        m.power_off(5).expect("off");
        m.delete(5).expect("gone");
        m.power_off(5).expect("no error");
        let seen = [Asked::Boot(5), Asked::Boot(5), Asked::PowerOff(5), Asked::Delete(5), Asked::PowerOff(5)];
        assert_eq!(m.asked(), seen);
        assert!(exits.try_iter().next().is_none());
    }
}
