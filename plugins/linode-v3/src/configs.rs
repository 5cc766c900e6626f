//! Configurations of a Linode. API v3 writes their slots as a list in text, `"55319,55590,,,,,,,"`: eight devices and an
//! initrd.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::catalogue::Catalogue;
use crate::data::Row;
use crate::errors::{invalid, lacks};
use linodetool_plugin::{
    CreateConfig, Cx, Device, InstanceConfig, Nothing, OfInstance, Page, PartOfInstance, Result, SetDevice,
    UpdateConfig,
};
use std::collections::BTreeMap;

/// In the order of the list.
const SLOTS: [&str; 8] = ["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg", "sdh"];

pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: OfInstance) -> Result<Page<InstanceConfig>> {
    let id = number("instance", &args.instance)?;
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    let rows = v3.api.call(cx, Action::new("linode.config.list").id("LinodeID", id)).await?.rows();
    Ok(Page::whole(rows.iter().map(|row| config(&catalogue, row)).collect::<Result<_>>()?))
}

pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateConfig) -> Result<InstanceConfig> {
    let id = number("instance", &args.instance)?;
    let list = disk_list(&args.devices)?;
    let kernel =
        v3.shelf.find(&v3.api, cx, |c| args.kernel.as_deref().map_or_else(|| c.usual_kernel(None), |k| c.kernel_id(k)));
    let kernel = kernel.await?;
    let root_device = args.root_device.unwrap_or_else(|| "/dev/sda".to_owned());
    let action = Action::new("linode.config.create")
        .id("LinodeID", id)
        .text("Label", &args.label)
        .id("KernelID", kernel)
        .text("DiskList", list)
        .text("Comments", &args.comments);
    let config = v3.api.call(cx, with_root(action, &root_device)).await?.row().id("configid")?;
    Ok(InstanceConfig {
        id: config.to_string(),
        label: args.label,
        kernel: v3.shelf.get(&v3.api, cx).await?.kernel_name(kernel),
        devices: args.devices.into_iter().map(|(slot, set)| (slot, Device { disk: set.disk, volume: None })).collect(),
        root_device,
        comments: args.comments,
    })
}

pub(crate) async fn update(v3: &LinodeV3, cx: &Cx, args: UpdateConfig) -> Result<InstanceConfig> {
    let (linode, id) = (number("instance", &args.instance)?, number("id", &args.id)?);
    let of_it = |name: &str| Action::new(name).id("LinodeID", linode).id("ConfigID", id);
    let mut action = of_it("linode.config.update");
    if let Some(label) = &args.label {
        action = action.set("Label", label);
    }
    if let Some(kernel) = &args.kernel {
        action = action.id("KernelID", v3.shelf.find(&v3.api, cx, |c| c.kernel_id(kernel)).await?);
    }
    if let Some(devices) = &args.devices {
        action = action.text("DiskList", disk_list(devices)?);
    }
    if let Some(root_device) = &args.root_device {
        action = with_root(action, root_device);
    }
    v3.api.call(cx, action).await?;
    let row = v3.api.call(cx, of_it("linode.config.list")).await?.row();
    config(&*v3.shelf.get(&v3.api, cx).await?, &row)
}

pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: PartOfInstance) -> Result<Nothing> {
    let action = Action::new("linode.config.delete").id("LinodeID", number("instance", &args.instance)?);
    v3.api.call(cx, action.id("ConfigID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

fn config(catalogue: &Catalogue, row: &Row) -> Result<InstanceConfig> {
    let list = row.text("disklist");
    let disks = SLOTS.iter().zip(list.split(',')).filter(|(_, disk)| !matches!(disk.trim(), "" | "0"));
    let device = |disk: &str| Device { disk: Some(disk.trim().to_owned()), volume: None };
    let custom = row.text("rootdevicecustom");
    let slot = row.whole("rootdevicenum").checked_sub(1).and_then(|place| SLOTS.get(place as usize));
    Ok(InstanceConfig {
        id: row.id("configid")?.to_string(),
        label: row.text("label"),
        kernel: catalogue.kernel_name(row.whole("kernelid")),
        devices: disks.map(|(slot, disk)| ((*slot).to_owned(), device(disk))).collect(),
        root_device: slot.filter(|_| custom.is_empty()).map_or(custom, |slot| format!("/dev/{slot}")),
        comments: row.text("comments"),
    })
}

/// Nine places, whatever is in them.
fn disk_list(devices: &BTreeMap<String, SetDevice>) -> Result<String> {
    let mut places = vec![String::new(); SLOTS.len() + 1];
    for (slot, device) in devices {
        let Some(place) = SLOTS.iter().position(|own| own == slot) else {
            return Err(invalid("devices", format!("`{slot}` is no slot of API v3: it has {}", SLOTS.join(", "))));
        };
        match (&device.disk, &device.volume) {
            (Some(disk), None) => places[place] = number("devices", disk)?.to_string(),
            (_, Some(_)) => return Err(lacks("devices", "volumes in slots (volumes.attach gives one to a Linode)")),
            (None, None) => return Err(invalid("devices", format!("`{slot}` holds no disk"))),
        }
    }
    Ok(places.join(","))
}

fn with_root(action: Action, device: &str) -> Action {
    let name = device.strip_prefix("/dev/").unwrap_or(device);
    match SLOTS.iter().position(|slot| *slot == name) {
        Some(place) => action.id("RootDeviceNum", place as u64 + 1).set("RootDeviceCustom", ""),
        None => action.id("RootDeviceNum", 0).text("RootDeviceCustom", device),
    }
}
