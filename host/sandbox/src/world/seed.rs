//! What is there from the beginning, in a world that stands for another one.
//!
//! Owns: how a Linode and a firewall that were made elsewhere become part of this world, with the ids, labels and addresses
//! that they have there. Nothing of it is in the ledger: this world has not made it. Does not know where it comes from.

use std::net::Ipv4Addr;

use super::firewalls::RuleSet;
use super::{Alerts, Disk, DiskStatus, Firewall, Linode, Status, World};
use crate::catalogue::{self, Catalogue, Price, Type};
use crate::clock::Time;
use crate::machines::MachineSpec;

/// All that is there.
#[derive(Clone, Debug, Default)]
pub struct Seed {
    /// What can be bought, if it is not what comes with the emulator.
    pub catalogue: Option<&'static Catalogue>,
    pub linodes: Vec<SeedLinode>,
    pub firewalls: Vec<SeedFirewall>,
}

/// A Linode that is there.
#[derive(Clone, Debug, Default)]
pub struct SeedLinode {
    pub id: u64,
    pub label: String,
    pub tags: Vec<String>,
    pub region: String,
    pub linode_type: String,
    pub image: Option<String>,
    pub public_ip: Option<Ipv4Addr>,
    pub private_ip: Option<Ipv4Addr>,
    /// Otherwise it is off.
    pub running: bool,
    /// What is known of its type, should the catalogue not have it: MB, CPUs, and US dollars an hour and a month.
    pub memory: u64,
    pub vcpus: u64,
    pub hourly: f64,
    pub monthly: f64,
}

/// A firewall that is there; its rules are set by whoever knows them.
#[derive(Clone, Debug, Default)]
pub struct SeedFirewall {
    pub id: u64,
    pub label: String,
    pub tags: Vec<String>,
    /// Ids of the Linodes that it guards.
    pub linodes: Vec<u64>,
}

impl SeedLinode {
    fn kind(&self, catalogue: &Catalogue) -> &'static Type {
        catalogue.linode_type(&self.linode_type).unwrap_or_else(|| {
            let price = Price { hourly: self.hourly, monthly: self.monthly };
            catalogue::unlisted_type(&self.linode_type, self.memory, self.vcpus, price)
        })
    }
}

impl World {
    /// Puts it all there; gives what is to run.
    pub(crate) fn sow(&mut self, seed: Seed, now: Time) -> Vec<MachineSpec> {
        self.catalogue = seed.catalogue.unwrap_or(self.catalogue);
        let mut running = Vec::new();
        for one in seed.linodes {
            if let Some(spec) = self.sow_linode(&one, now) {
                running.push(spec);
            }
        }
        for one in seed.firewalls {
            self.sow_firewall(one, now);
        }
        // Nobody asked for any of this here.
        self.take_outside();
        running
    }

    fn sow_linode(&mut self, one: &SeedLinode, now: Time) -> Option<MachineSpec> {
        let (linode_type, id) = (one.kind(self.catalogue), one.id);
        let region = self.catalogue.region(&one.region).unwrap_or_else(|| catalogue::unlisted_region(&one.region));
        for address in one.public_ip.iter().chain(&one.private_ip) {
            self.addresses.reserve(*address);
        }
        let public_ip = one.public_ip.or_else(|| self.addresses.public(&one.label))?;
        self.pass_id("linode", id);
        let (disk, config) = (self.new_id("disk"), self.new_id("config"));
        let linode = Linode {
            id,
            label: one.label.clone(),
            group: String::new(),
            tags: one.tags.clone(),
            status: if one.running { Status::Running } else { Status::Offline },
            created: now,
            updated: now,
            linode_type,
            region,
            image: one.image.clone(),
            public_ip,
            private_ip: one.private_ip,
            rdns: None,
            watchdog: true,
            backups: false,
            disk_encryption: false,
            maintenance_policy: "linode/migrate".to_owned(),
            alerts: Alerts::of(linode_type),
            disks: vec![Disk {
                id: disk,
                label: "Disk".to_owned(),
                status: DiskStatus::Ready,
                filesystem: "ext4",
                size: linode_type.disk,
                created: now,
                ..Disk::default()
            }],
            configs: vec![super::Config {
                id: config,
                label: "Profile".to_owned(),
                kernel: "linode/grub2".to_owned(),
                devices: vec![disk],
                created: now,
                ..super::Config::default()
            }],
            operation: None,
            rescues: Vec::new(),
            launch: super::Launch::default(),
            visible: now,
            life: 0,
            disk_room: None,
        };
        let spec = one.running.then(|| *linode.spec());
        self.linode_labels.insert(linode.label.clone(), id);
        self.linodes.insert(id, linode);
        spec
    }

    fn sow_firewall(&mut self, one: SeedFirewall, now: Time) {
        self.pass_id("firewall", one.id);
        let firewall = Firewall {
            id: one.id,
            label: one.label.clone(),
            tags: one.tags,
            enabled: true,
            rules: RuleSet::default(),
            version: 1,
            created: now,
            updated: now,
            ..Firewall::default()
        };
        self.firewall_labels.insert(one.label, one.id);
        self.firewalls.insert(one.id, firewall);
        for linode in one.linodes {
            if self.linodes.contains_key(&linode) && self.guard_of(linode).is_none() {
                self.add_device(one.id, linode, now);
            }
        }
    }
}
