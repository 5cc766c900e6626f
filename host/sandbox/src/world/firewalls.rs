//! Cloud Firewalls and what they guard.
//!
//! Owns: rules, devices, and which rules are in force for which machines. Does not know how they are enforced.

use std::collections::BTreeMap;

use super::{Entity, World};
use crate::clock::Time;
use crate::ledger::What;
use crate::machines::{FirewallRules, Rule};

#[derive(Clone, Debug, Default)]
pub struct Firewall {
    pub id: u64,
    pub label: String,
    pub tags: Vec<String>,
    /// Otherwise it lets everything through.
    pub enabled: bool,
    pub rules: RuleSet,
    pub version: u64,
    pub devices: BTreeMap<u64, Device>,
    pub created: Time,
    pub updated: Time,
}

/// A Linode that a firewall guards.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: u64,
    pub linode: u64,
    pub created: Time,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct RuleSet {
    pub inbound: Vec<FirewallRule>,
    pub outbound: Vec<FirewallRule>,
    pub inbound_policy: Policy,
    pub outbound_policy: Policy,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    #[default]
    Accept,
    Drop,
}

impl Policy {
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ACCEPT" => Some(Self::Accept),
            "DROP" => Some(Self::Drop),
            _ => None,
        }
    }

    pub fn wire(self) -> &'static str {
        match self {
            Self::Accept => "ACCEPT",
            Self::Drop => "DROP",
        }
    }
}

/// One rule as it was given: what was left out stays left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FirewallRule {
    pub action: Policy,
    pub protocol: String,
    pub ports: Option<String>,
    pub ipv4: Option<Vec<String>>,
    pub ipv6: Option<Vec<String>>,
    pub label: Option<String>,
    pub description: Option<String>,
}

impl Firewall {
    /// Its rules as the machines understand them.
    pub fn in_force(&self) -> FirewallRules {
        let rules = |all: &[FirewallRule]| all.iter().map(FirewallRule::in_force).collect();
        FirewallRules {
            machines: self.devices.values().map(|device| device.linode).collect(),
            inbound: rules(&self.rules.inbound),
            outbound: rules(&self.rules.outbound),
            inbound_accept: self.rules.inbound_policy == Policy::Accept,
            outbound_accept: self.rules.outbound_policy == Policy::Accept,
        }
    }

    fn entity(&self) -> Entity {
        Entity::new("firewall", self.id, &self.label, format!("/v4/networking/firewalls/{}", self.id))
    }
}

impl FirewallRule {
    fn in_force(&self) -> Rule {
        Rule {
            accept: self.action == Policy::Accept,
            protocol: self.protocol.clone(),
            ports: self.ports.clone().unwrap_or_default(),
            ipv4: self.ipv4.clone().unwrap_or_default(),
        }
    }
}

impl World {
    /// The firewall with this label.
    pub fn firewall_labelled(&self, label: &str) -> Option<u64> {
        self.firewall_labels.get(label).copied()
    }

    /// The firewall that guards a Linode, and as which device.
    pub fn guard_of(&self, linode: u64) -> Option<(u64, u64)> {
        self.guards.get(&linode).copied()
    }

    /// Keeps a new firewall that is in force at once. The caller has made sure that its label is new.
    pub fn add_firewall(&mut self, label: &str, tags: Vec<String>, rules: RuleSet, now: Time) -> u64 {
        let id = self.new_id("firewall");
        self.note(now, What::Created, "firewall", id, label, &tags);
        let firewall = Firewall {
            id,
            label: label.to_owned(),
            tags,
            enabled: true,
            rules,
            version: 1,
            devices: BTreeMap::new(),
            created: now,
            updated: now,
        };
        self.events.notify("firewall_create", firewall.entity(), now);
        self.firewall_labels.insert(label.to_owned(), id);
        self.firewalls.insert(id, firewall);
        id
    }

    /// Gives a firewall another label. The caller has made sure that it is new.
    pub fn relabel_firewall(&mut self, id: u64, label: &str) {
        let Some(firewall) = self.firewalls.get_mut(&id) else { return };
        self.firewall_labels.remove(&firewall.label);
        label.clone_into(&mut firewall.label);
        self.firewall_labels.insert(label.to_owned(), id);
    }

    /// Dates a change; from now on the new rules are in force.
    pub fn firewall_changed(&mut self, id: u64, action: &'static str, now: Time) {
        let Some(firewall) = self.firewalls.get_mut(&id) else { return };
        firewall.updated = now;
        let entity = firewall.entity();
        self.events.notify(action, entity, now);
        self.outside.firewalls_changed = true;
    }

    /// Replaces all rules of a firewall.
    pub fn set_firewall_rules(&mut self, id: u64, rules: RuleSet, now: Time) {
        let Some(firewall) = self.firewalls.get_mut(&id) else { return };
        if firewall.rules != rules {
            firewall.version += 1;
        }
        firewall.rules = rules;
        self.firewall_changed(id, "firewall_rules_update", now);
    }

    /// False if there is none.
    pub fn remove_firewall(&mut self, id: u64, now: Time) -> bool {
        let Some(firewall) = self.firewalls.remove(&id) else { return false };
        for device in firewall.devices.values() {
            self.guards.remove(&device.linode);
        }
        self.firewall_labels.remove(&firewall.label);
        self.note(now, What::Destroyed, "firewall", id, &firewall.label, &firewall.tags);
        self.events.notify("firewall_delete", firewall.entity(), now);
        self.outside.firewalls_changed = true;
        true
    }

    /// Puts a Linode behind a firewall. The caller has made sure that both exist and that it is behind none.
    pub fn add_device(&mut self, firewall: u64, linode: u64, now: Time) -> u64 {
        let id = self.new_id("device");
        if let Some(one) = self.firewalls.get_mut(&firewall) {
            one.devices.insert(id, Device { id, linode, created: now });
            self.guards.insert(linode, (firewall, id));
            self.firewall_changed(firewall, "firewall_device_add", now);
        }
        id
    }

    /// False if there is none.
    pub fn remove_device(&mut self, firewall: u64, device: u64, now: Time) -> bool {
        let Some(one) = self.firewalls.get_mut(&firewall) else { return false };
        let Some(gone) = one.devices.remove(&device) else { return false };
        self.guards.remove(&gone.linode);
        self.firewall_changed(firewall, "firewall_device_remove", now);
        true
    }
}
