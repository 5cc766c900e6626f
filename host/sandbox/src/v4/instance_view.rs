//! How a Linode, its disks and its profiles are shown.
//!
//! Owns: the JSON of instances. Does not know how one changes.

use serde_json::{Map, Value, json};

use super::filter::{Field, Row};
use crate::world::{Config, Disk, Linode};

pub(super) fn linode_view(linode: &Linode) -> Value {
    let one = linode.linode_type;
    let alerts = linode.alerts;
    json!({
        "id": linode.id,
        "label": linode.label,
        "group": linode.group,
        "status": linode.status.wire(),
        "created": linode.created.wire(),
        "updated": linode.updated.wire(),
        "type": one.id,
        "ipv4": linode.ipv4().map(|address| address.to_string()).collect::<Vec<_>>(),
        "ipv6": format!("{}/128", linode.ipv6()),
        "image": linode.image,
        "region": linode.region.id,
        "site_type": linode.region.site_type(),
        "specs": {
            "disk": one.disk, "memory": one.memory, "vcpus": one.vcpus, "gpus": one.gpus, "transfer": one.transfer,
            "accelerated_devices": 0,
        },
        "alerts": {
            "cpu": alerts.cpu, "network_in": alerts.network_in, "network_out": alerts.network_out,
            "transfer_quota": alerts.transfer_quota, "io": alerts.io,
        },
        "backups": {
            "enabled": linode.backups, "available": false, "schedule": {"day": null, "window": null},
            "last_successful": null,
        },
        "hypervisor": "kvm",
        "watchdog_enabled": linode.watchdog,
        "tags": linode.tags,
        "host_uuid": host_uuid(linode),
        "has_user_data": linode.launch.user_data.is_some(),
        "placement_group": null,
        "disk_encryption": encryption(linode),
        "lke_cluster_id": null,
        "capabilities": [],
        "interface_generation": "legacy_config",
        "maintenance_policy": linode.maintenance_policy,
        "locks": [],
    })
}

/// The host it is on: one of 64 a region, told by a number that looks like the real one's.
fn host_uuid(linode: &Linode) -> String {
    let mut state = linode
        .region
        .id
        .bytes()
        .fold(linode.id % 64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let mut text = String::new();
    for _ in 0..5 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{:08x}", state >> 32));
    }
    text
}

pub(super) fn disk_view(linode: &Linode, disk: &Disk) -> Value {
    json!({
        "id": disk.id,
        "status": disk.status.wire(),
        "label": disk.label,
        "created": disk.created.wire(),
        "updated": disk.created.wire(),
        "filesystem": disk.filesystem,
        "size": disk.size,
        "disk_encryption": encryption(linode),
    })
}

fn encryption(linode: &Linode) -> &'static str {
    if linode.disk_encryption { "enabled" } else { "disabled" }
}

pub(super) fn config_view(config: &Config) -> Value {
    let device = |at: usize| config.devices.get(at).filter(|disk| **disk > 0);
    let devices: Map<String, Value> = ('a'..='h')
        .enumerate()
        .map(|(at, letter)| {
            let disk = device(at).map(|disk| json!({"disk_id": disk, "volume_id": null}));
            (format!("sd{letter}"), disk.unwrap_or_default())
        })
        .collect();
    let helpers = config.helpers;
    json!({
        "id": config.id,
        "label": config.label,
        "helpers": {
            "updatedb_disabled": helpers.updatedb_disabled, "distro": helpers.distro,
            "modules_dep": helpers.modules_dep, "network": helpers.network,
            "devtmpfs_automount": helpers.devtmpfs_automount,
        },
        "kernel": config.kernel,
        "comments": config.comments,
        "memory_limit": config.memory_limit,
        "created": config.created.wire(),
        "updated": config.created.wire(),
        "root_device": config.root_device,
        "devices": devices,
        "initrd": device(8),
        "run_level": config.run_level,
        "virt_mode": config.virt_mode,
        "interfaces": [],
    })
}

impl Row for &Linode {
    const FILTERABLE: &'static [&'static str] = &[
        "group",
        "id",
        "image",
        "ipv4",
        "label",
        "placement_group.label",
        "placement_group.placement_group_type",
        "region",
        "tags",
    ];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "group" => Field::text(self.group.as_str()),
            "id" => Field::number(self.id),
            "image" => self.image.as_deref().map_or(Field::Null, Field::text),
            "ipv4" => Field::Many(self.ipv4().map(|address| address.to_string().into()).collect()),
            "label" => Field::text(self.label.as_str()),
            "region" => Field::text(self.region.id),
            "tags" => Field::many(&self.tags),
            _ => Field::Null,
        }
    }
}

impl Row for &Disk {
    const FILTERABLE: &'static [&'static str] = &["label", "size"];

    fn field(&self, name: &str) -> Field<'_> {
        if name == "label" { Field::text(self.label.as_str()) } else { Field::number(self.size) }
    }
}

impl Row for &Config {
    const FILTERABLE: &'static [&'static str] = &["label"];

    fn field(&self, _: &str) -> Field<'_> {
        Field::text(self.label.as_str())
    }
}
