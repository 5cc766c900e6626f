//! Linodes: what they are, how one comes to be and ceases to be.
//!
//! Owns: the record of a Linode, its disks and configuration profile, its label and addresses. Does not know what makes a
//! request valid (`v4` has checked it) nor how power changes (`power.rs`).

use std::net::Ipv4Addr;

use super::power::Operation;
use super::{Config, Disk, Entity, EntityId, Job, Timer, Work, World};
use crate::catalogue::{Region, Type};
use crate::clock::Time;
use crate::faults::Fault;
use crate::ledger::What;
use crate::machines::{MachineFaults, MachineSpec, StackScript};

/// One Linode.
#[derive(Clone, Debug)]
pub struct Linode {
    pub id: u64,
    pub label: String,
    pub group: String,
    pub tags: Vec<String>,
    pub status: Status,
    pub created: Time,
    pub updated: Time,
    pub linode_type: &'static Type,
    pub region: &'static Region,
    pub image: Option<String>,
    pub public_ip: Ipv4Addr,
    pub private_ip: Option<Ipv4Addr>,
    pub rdns: Option<String>,
    pub watchdog: bool,
    pub backups: bool,
    pub disk_encryption: bool,
    pub maintenance_policy: String,
    pub alerts: Alerts,
    pub disks: Vec<Disk>,
    pub configs: Vec<Config>,
    /// What goes on with it; while something does it is busy.
    pub operation: Option<Operation>,
    /// Number of its last boot.
    pub life: u64,
    /// When the watchdog started it lately.
    pub rescues: Vec<Time>,
    pub launch: Launch,
    /// Before then it is in no list and not found.
    pub visible: Time,
    /// Bytes that its disk has room for, where a fault says so.
    pub disk_room: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Provisioning,
    Booting,
    Rebooting,
    Running,
    ShuttingDown,
    Rebuilding,
    Offline,
}

impl Status {
    pub fn wire(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Booting => "booting",
            Self::Rebooting => "rebooting",
            Self::Running => "running",
            Self::ShuttingDown => "shutting_down",
            Self::Rebuilding => "rebuilding",
            Self::Offline => "offline",
        }
    }
}

/// Thresholds; 0 switches one off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alerts {
    pub cpu: u64,
    pub network_in: u64,
    pub network_out: u64,
    pub transfer_quota: u64,
    pub io: u64,
}

impl Alerts {
    /// As a new Linode has them: 90 percent of each of its CPUs.
    pub fn of(one: &Type) -> Self {
        Self { cpu: 90 * one.vcpus, network_in: 10, network_out: 10, transfer_quota: 80, io: 10_000 }
    }
}

/// What a machine is given at its first boot; never shown again.
#[derive(Clone, Default)]
pub struct Launch {
    pub authorized_keys: Vec<String>,
    pub user_data: Option<Vec<u8>>,
    pub stackscript: Option<StackScript>,
}

impl std::fmt::Debug for Launch {
    /// User data and answers may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Launch").finish_non_exhaustive()
    }
}

/// A request for a Linode that has been found valid.
#[derive(Clone, Debug)]
pub struct NewLinode {
    /// `linode<ID>` if none is given.
    pub label: Option<String>,
    pub group: String,
    pub tags: Vec<String>,
    pub linode_type: &'static Type,
    pub region: &'static Region,
    /// Id and label of an image; without one it gets no disk and stays off.
    pub image: Option<(String, String)>,
    pub swap: u64,
    pub booted: bool,
    pub private_ip: bool,
    pub backups: bool,
    pub disk_encryption: bool,
    pub maintenance_policy: String,
    pub kernel: String,
    pub firewall: Option<u64>,
    pub stackscript: Option<u64>,
    pub launch: Launch,
}

impl Linode {
    /// Whether an operation is on its way; others are refused meanwhile.
    pub fn busy(&self) -> bool {
        self.operation.is_some()
    }

    /// A system is put on one of its disks. The machine has one system: that of its first disk.
    pub fn receive(&mut self, image: String, launch: Launch) {
        if self.image.is_none() {
            self.image = Some(image);
            self.launch = launch;
        }
    }

    /// All IPv4 addresses, as the API lists them: public first.
    pub fn ipv4(&self) -> impl Iterator<Item = Ipv4Addr> {
        std::iter::once(self.public_ip).chain(self.private_ip)
    }

    /// The address it would choose for itself from its MAC; of a range that is routed nowhere.
    pub fn ipv6(&self) -> String {
        let [_, _, _, _, _, a, b, c] = self.id.to_be_bytes();
        format!("fd98:1a0d::f03c:95ff:fe{a:02x}:{b:02x}{c:02x}")
    }

    pub(super) fn entity(&self) -> Entity {
        Entity::linode(self.id, &self.label)
    }

    pub(super) fn config_entity(&self, config: Option<u64>) -> Option<Entity> {
        let config = self.configs.iter().find(|one| config.is_none_or(|id| one.id == id))?;
        let url = format!("/v4/linode/instances/{}/configs/{}", self.id, config.id);
        Some(Entity::new("linode_config", config.id, &config.label, url))
    }

    pub(super) fn spec(&self) -> Box<MachineSpec> {
        Box::new(MachineSpec {
            id: self.id,
            hostname: self.label.clone(),
            public_ip: Some(self.public_ip),
            private_ip: self.private_ip,
            authorized_keys: self.launch.authorized_keys.clone(),
            user_data: self.launch.user_data.clone(),
            stackscript: self.launch.stackscript.clone(),
            memory_mb: self.linode_type.memory,
            pace: None,
            life: self.life,
            faults: MachineFaults { disk: self.disk_room, ..MachineFaults::default() },
        })
    }
}

impl World {
    /// The Linode with this label.
    pub fn linode_labelled(&self, label: &str) -> Option<u64> {
        self.linode_labels.get(label).copied()
    }

    /// Gives a Linode another label. The caller has made sure that it is new.
    pub fn relabel_linode(&mut self, id: u64, label: &str) {
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        self.linode_labels.remove(&linode.label);
        label.clone_into(&mut linode.label);
        self.linode_labels.insert(label.to_owned(), id);
        if self.addresses.are_given_by_name() && self.is_brand_new(id) {
            // What was made without a name has its address by the order of the calls until now.
            self.readdress(id);
        }
    }

    fn readdress(&mut self, id: u64) {
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        self.addresses.free(linode.public_ip);
        if let Some(address) = self.addresses.public(&linode.label) {
            linode.public_ip = address;
        }
    }

    /// Gives a Linode an address in the private network; none if it has one, or there are none left.
    pub fn add_private_ip(&mut self, id: u64) -> Option<Ipv4Addr> {
        let linode = self.linodes.get_mut(&id).filter(|linode| linode.private_ip.is_none())?;
        linode.private_ip = self.addresses.private(&linode.label);
        linode.private_ip
    }

    /// From now on the same labels get the same addresses, in whatever order they come.
    pub fn give_addresses_by_name(&mut self) {
        self.addresses.give_by_name();
    }

    /// Makes a Linode; it is provisioned from now on. None if there are no addresses left.
    pub fn create_linode(&mut self, new: NewLinode, now: Time) -> Option<u64> {
        let name = new.label.as_deref().unwrap_or_default();
        let public_ip = self.addresses.public(name)?;
        let private_ip = if new.private_ip {
            let Some(address) = self.addresses.private(name) else {
                self.addresses.free(public_ip);
                return None;
            };
            Some(address)
        } else {
            None
        };
        let id = self.new_id("linode");
        let label = new.label.unwrap_or_else(|| self.free_label(id));
        let (disks, configs) = self.deploy(new.linode_type, new.image.as_ref(), new.swap, &new.kernel, now);
        let image = new.image.as_ref().map(|(image, label)| Entity {
            kind: "image",
            id: EntityId::Text(image.clone()),
            label: label.clone(),
            url: format!("/v4/images/{image}"),
        });
        self.note(now, What::Created, "linode", id, &label, &new.tags);
        let hidden = self.faults.befalls(Fault::Invisible, &label, now);
        let visible = hidden.map_or(now, |hit| now.after(hit.time));
        let disk_room = self.faults.befalls(Fault::DiskFull, &label, now).and_then(|hit| hit.size);
        let usual = self.timing;
        let starts = now.after(usual.scheduled);
        let course = (starts, usual.create.saturating_sub(usual.scheduled));
        let timing = usual.at(self.faults.pace("create", &label));
        let event = self.events.begin("linode_create", (Entity::linode(id, &label), image), course, now);
        let boots = new.booted && new.image.is_some();
        let operation = Operation::create(self.new_id("operation"), event, now, boots);
        self.at(now.after(timing.create), Timer::Created { linode: id, operation: operation.serial });
        self.linode_labels.insert(label.clone(), id);
        self.linodes.insert(
            id,
            Linode {
                id,
                label,
                group: new.group,
                tags: new.tags,
                status: Status::Provisioning,
                created: now,
                updated: now,
                linode_type: new.linode_type,
                region: new.region,
                image: new.image.map(|(image, _)| image),
                public_ip,
                private_ip,
                rdns: None,
                watchdog: true,
                backups: new.backups,
                disk_encryption: new.disk_encryption,
                maintenance_policy: new.maintenance_policy,
                alerts: Alerts::of(new.linode_type),
                disks,
                configs,
                operation: Some(operation),
                rescues: Vec::new(),
                launch: new.launch,
                visible,
                life: 0,
                disk_room,
            },
        );
        if let Some(script) = new.stackscript.and_then(|script| self.stackscripts.get_mut(&script)) {
            script.deployments_total += 1;
        }
        if let Some(firewall) = new.firewall {
            self.add_device(firewall, id, now);
        }
        Some(id)
    }

    /// Puts another system in place of all that is on a Linode, which rests.
    pub fn rebuild_linode(&mut self, id: u64, image: (String, String), booted: bool, launch: Launch, now: Time) {
        let Some(present) = self.linodes.get(&id) else { return };
        let (one, label, entity) = (present.linode_type, present.label.clone(), present.entity());
        let kernel = present.configs.first().map_or("linode/grub2".to_owned(), |config| config.kernel.clone());
        let (disks, configs) = self.deploy(one, Some(&image), 512.min(one.disk), &kernel, now);
        let timing = self.timing.at(self.faults.pace("create", &label));
        let event = self.events.begin("linode_rebuild", (entity, None), (now, timing.create), now);
        let operation = Operation::create(self.new_id("operation"), event, now, booted);
        self.at(now.after(timing.create), Timer::Created { linode: id, operation: operation.serial });
        // What the machine has written goes with it.
        let wipe = self.new_id("operation");
        self.outside.jobs.push(Job { linode: id, operation: wipe, work: Work::Delete });
        let Some(linode) = self.linodes.get_mut(&id) else { return };
        linode.status = Status::Rebuilding;
        linode.updated = now;
        linode.image = Some(image.0);
        (linode.disks, linode.configs, linode.launch) = (disks, configs, launch);
        linode.operation = Some(operation);
    }

    /// Ends a Linode at once; its machine follows. False if there is none.
    pub fn delete_linode(&mut self, id: u64, now: Time) -> bool {
        let Some(linode) = self.linodes.remove(&id) else { return false };
        if let Some((firewall, device)) = self.guard_of(id) {
            self.remove_device(firewall, device, now);
        }
        self.linode_labels.remove(&linode.label);
        self.forget_host(id, now);
        self.detach_volumes(id);
        for address in linode.ipv4() {
            self.addresses.free(address);
        }
        if let Some(operation) = &linode.operation
            && let Some(event) = operation.event
        {
            self.events.fail(event, "The Linode was deleted.", now);
        }
        self.note(now, What::Destroyed, "linode", id, &linode.label, &linode.tags);
        self.events.notify("linode_delete", linode.entity(), now);
        let operation = self.new_id("operation");
        self.outside.jobs.push(Job { linode: id, operation, work: Work::Delete });
        true
    }

    /// `linode<ID>`, unless somebody gave that label to another one.
    fn free_label(&self, id: u64) -> String {
        let mut label = format!("linode{id}");
        while self.linode_labels.contains_key(&label) {
            label.push_str("-1");
        }
        label
    }
}
