//! Configurations of a Linode: what it boots with.

use crate::api::{Api, Noun, done, invalid, number, one};
use crate::body::Body;
use crate::instances;
use crate::lenient::{Part, Text};
use crate::list::List;
use linodetool_plugin::{
    CreateConfig, Cx, Device, InstanceConfig, Nothing, OfInstance, Page, PartOfInstance, Result, SetDevice,
    UpdateConfig,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Slots that every configuration has. An update names the empty ones too, or they might keep what they hold.
const SLOTS: [&str; 8] = ["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg", "sdh"];

pub(crate) async fn list(api: &Api, cx: &Cx, args: OfInstance) -> Result<Page<InstanceConfig>> {
    Ok(Page::whole(List::of(api, &path(&args.instance)?).read(cx).await?))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateConfig) -> Result<InstanceConfig> {
    let body = Body::new()
        .with("label", &args.label)
        .some("kernel", args.kernel)
        .with("devices", devices(&args.devices)?)
        .some("root_device", args.root_device)
        .filled("comments", &args.comments);
    one(cx, api.post(&path(&args.instance)?).json(&body)?).await
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateConfig) -> Result<InstanceConfig> {
    let path = format!("{}/{}", path(&args.instance)?, number("id", &args.id)?);
    let mut slots = args.devices.as_ref().map(devices).transpose()?;
    for slot in SLOTS {
        if let Some(slots) = &mut slots {
            slots.entry(slot.to_owned()).or_insert(Value::Null);
        }
    }
    let body = Body::new()
        .some("label", args.label)
        .some("kernel", args.kernel)
        .some("devices", slots)
        .some("root_device", args.root_device);
    one(cx, if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? }).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: PartOfInstance) -> Result<Nothing> {
    done(cx, api.delete(&format!("{}/{}", path(&args.instance)?, number("id", &args.id)?))).await
}

fn path(instance: &str) -> Result<String> {
    Ok(format!("{}/configs", instances::path("instance", instance)?))
}

/// What the slots are to hold, as API v4 writes it.
pub(crate) fn devices(slots: &BTreeMap<String, SetDevice>) -> Result<BTreeMap<String, Value>> {
    let device = |(slot, device): (&String, &SetDevice)| {
        let field = format!("devices.{slot}");
        let body = match (&device.disk, &device.volume) {
            (Some(disk), None) => Body::new().with("disk_id", number(&field, disk)?),
            (None, Some(volume)) => Body::new().with("volume_id", number(&field, volume)?),
            _ => return Err(invalid(&field, "a slot holds either a disk or a volume: give exactly one".to_owned())),
        };
        Ok((slot.clone(), serde_json::to_value(body)?))
    };
    slots.iter().map(device).collect()
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigWire {
    id: Text,
    label: Text,
    kernel: Text,
    devices: Part<BTreeMap<String, Part<DeviceWire>>>,
    root_device: Text,
    comments: Text,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceWire {
    disk_id: Text,
    volume_id: Text,
}

impl Noun for InstanceConfig {
    type Wire = ConfigWire;

    fn from_wire(wire: ConfigWire) -> Self {
        let device = |(slot, device): (String, Part<DeviceWire>)| {
            let device = Device { disk: device.0.disk_id.some(), volume: device.0.volume_id.some() };
            (device != Device::default()).then_some((slot, device))
        };
        Self {
            id: wire.id.0,
            label: wire.label.0,
            kernel: wire.kernel.0,
            devices: wire.devices.0.into_iter().filter_map(device).collect(),
            root_device: wire.root_device.0,
            comments: wire.comments.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
