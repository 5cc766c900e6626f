//! Disks and configuration profiles of Linodes.
//!
//! Owns: these records, those that a deployed image brings, and copies of them. Does not know when a disk is made or removed:
//! that is its host's work (`hosts.rs`).

use std::collections::BTreeMap;

use super::World;
use crate::catalogue::Type;
use crate::clock::Time;

#[derive(Clone, Debug, Default)]
pub struct Disk {
    pub id: u64,
    pub label: String,
    pub status: DiskStatus,
    pub filesystem: &'static str,
    /// MB.
    pub size: u64,
    pub read_only: bool,
    pub created: Time,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DiskStatus {
    #[default]
    NotReady,
    Ready,
}

impl DiskStatus {
    pub fn wire(self) -> &'static str {
        match self {
            Self::NotReady => "not ready",
            Self::Ready => "ready",
        }
    }
}

/// A configuration profile: what to boot from.
#[derive(Clone, Debug)]
pub struct Config {
    pub id: u64,
    pub label: String,
    pub kernel: String,
    /// Ids of disks, in the order of the devices; 0 is nothing, the ninth is the initrd.
    pub devices: Vec<u64>,
    pub comments: String,
    /// MB; 0: all there is.
    pub memory_limit: u64,
    pub run_level: String,
    pub virt_mode: String,
    pub root_device: String,
    pub root_device_read_only: bool,
    pub helpers: Helpers,
    pub created: Time,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            id: 0,
            label: String::new(),
            kernel: "linode/grub2".to_owned(),
            devices: Vec::new(),
            comments: String::new(),
            memory_limit: 0,
            run_level: "default".to_owned(),
            virt_mode: "paravirt".to_owned(),
            root_device: "/dev/sda".to_owned(),
            root_device_read_only: true,
            helpers: Helpers::default(),
            created: Time::default(),
        }
    }
}

/// What is put right on the disk before each boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helpers {
    pub updatedb_disabled: bool,
    pub distro: bool,
    pub modules_dep: bool,
    pub network: bool,
    pub devtmpfs_automount: bool,
}

impl Default for Helpers {
    fn default() -> Self {
        Self { updatedb_disabled: true, distro: true, modules_dep: true, network: true, devtmpfs_automount: true }
    }
}

impl World {
    /// Puts a disk into a Linode; it is made later, by its host. Its id.
    pub fn add_disk(&mut self, id: u64, disk: Disk) -> Option<u64> {
        let disk_id = self.new_id("disk");
        self.linodes.get_mut(&id)?.disks.push(Disk { id: disk_id, ..disk });
        Some(disk_id)
    }

    /// Gives a Linode a configuration profile; its id.
    pub fn add_config(&mut self, id: u64, config: Config) -> Option<u64> {
        let config_id = self.new_id("config");
        self.linodes.get_mut(&id)?.configs.push(Config { id: config_id, ..config });
        Some(config_id)
    }

    /// Gives a Linode copies of all disks and profiles of another one, with its system; the disks are not ready yet. The copy's
    /// first boot is that of the original: what a machine has written since is not copied.
    pub fn copy_disks(&mut self, from: u64, to: u64, now: Time) {
        let Some(original) = self.linodes.get(&from).cloned() else { return };
        let mut copies = BTreeMap::new();
        for disk in &original.disks {
            let copy = Disk { status: DiskStatus::NotReady, created: now, ..disk.clone() };
            copies.extend(self.add_disk(to, copy).map(|copy| (disk.id, copy)));
        }
        for config in &original.configs {
            let devices = config.devices.iter().map(|disk| copies.get(disk).copied().unwrap_or_default()).collect();
            self.add_config(to, Config { devices, created: now, ..config.clone() });
        }
        if let Some(linode) = self.linodes.get_mut(&to) {
            linode.image = original.image;
            linode.launch = original.launch;
        }
    }

    /// The disks and the profile that a deployed image brings.
    pub(super) fn deploy(
        &mut self,
        one: &Type,
        image: Option<&(String, String)>,
        swap: u64,
        kernel: &str,
        now: Time,
    ) -> (Vec<Disk>, Vec<Config>) {
        let Some((_, label)) = image else { return (Vec::new(), Vec::new()) };
        let mut disks = vec![Disk {
            id: self.new_id("disk"),
            label: format!("{label} Disk"),
            status: DiskStatus::NotReady,
            filesystem: "ext4",
            size: one.disk.saturating_sub(swap),
            read_only: false,
            created: now,
        }];
        if swap > 0 {
            disks.push(Disk {
                id: self.new_id("disk"),
                label: format!("{swap} MB Swap Image"),
                status: DiskStatus::NotReady,
                filesystem: "swap",
                size: swap,
                read_only: false,
                created: now,
            });
        }
        let config = Config {
            id: self.new_id("config"),
            label: format!("My {label} Disk Profile"),
            kernel: kernel.to_owned(),
            devices: disks.iter().map(|disk| disk.id).collect(),
            created: now,
            ..Config::default()
        };
        (disks, vec![config])
    }
}
