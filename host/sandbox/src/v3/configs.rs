//! Configuration profiles of a Linode. Their disks are a list in text, `"55319,55590,,,,,,,"`: eight devices and an initrd.
//!
//! Owns: these methods, and how a profile is written: with names in mixed case, booleans as numbers beside real ones. Does not
//! know what is booted.

use serde_json::{Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::ids;
use crate::world::{Config, Linode};

const SLOTS: usize = 9;
const LEVELS: &[&str] = &["default", "single", "binbash"];
const MODES: &[&str] = &["paravirt", "fullvirt"];

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let (linode, wanted) = (call.linode()?, call.number("configid"));
    let rows: Vec<_> = linode
        .configs
        .iter()
        .filter(|config| wanted.is_none_or(|wanted| wanted == config.id))
        .map(|config| row(linode, config))
        .collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(linode: &Linode, config: &Config) -> Value {
    let slot = |at: usize| config.devices.get(at).filter(|id| **id > 0).map(u64::to_string).unwrap_or_default();
    let disks: Vec<_> = (0..SLOTS).map(slot).collect();
    let number = (1..SLOTS).find(|number| config.root_device == device(*number));
    let custom = if number.is_none() { config.root_device.as_str() } else { "" };
    json!({
        "ConfigID": config.id, "LinodeID": linode.id, "Label": config.label, "KernelID": ids::kernel(&config.kernel),
        "DiskList": disks.join(","), "Comments": config.comments, "RAMLimit": config.memory_limit,
        "RunLevel": config.run_level, "virt_mode": config.virt_mode, "RootDeviceNum": number.unwrap_or_default(),
        "RootDeviceCustom": custom, "RootDeviceRO": config.root_device_read_only,
        "helper_distro": bit(config.helpers.distro), "helper_disableUpdateDB": bit(config.helpers.updatedb_disabled),
        "helper_depmod": bit(config.helpers.modules_dep), "helper_network": bit(config.helpers.network),
        "helper_xen": 0, "helper_libtls": false, "devtmpfs_automount": config.helpers.devtmpfs_automount,
        // Of no use to anybody, and there all the same.
        "__validationErrorArray": [], "apiColumnFilterStruct": "", "isRescue": 0,
    })
}

fn device(number: usize) -> String {
    let letters = b"abcdefgh";
    letters.get(number.wrapping_sub(1)).map(|letter| format!("/dev/sd{}", char::from(*letter))).unwrap_or_default()
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let config = applied(call, call.linode()?, Config { created: call.now, ..Config::default() })?;
    let linode = call.linode()?.id;
    let id = call.world.add_config(linode, config).ok_or_else(Fault::not_found)?;
    Ok(json!({"ConfigID": id}))
}

/// Its Linode need not be named.
pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let (id, of) = (call.id("configid"), call.number("linodeid"));
    let owns = |linode: &&Linode| of.is_none_or(|of| of == linode.id) && linode.configs.iter().any(|one| one.id == id);
    let linode = call.world.linodes.values().find(owns).ok_or_else(Fault::not_found)?;
    let present = linode.configs.iter().find(|one| one.id == id).cloned().ok_or_else(Fault::not_found)?;
    let (config, linode) = (applied(call, linode, present)?, linode.id);
    let configs = call.world.linodes.get_mut(&linode).into_iter().flat_map(|linode| &mut linode.configs);
    configs.filter(|one| one.id == id).for_each(|one| *one = config.clone());
    Ok(json!({"ConfigID": id}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.id("configid");
    let linode = call.linode_mut()?;
    let before = linode.configs.len();
    linode.configs.retain(|config| config.id != id);
    if linode.configs.len() == before { Err(Fault::not_found()) } else { Ok(json!({"ConfigID": id})) }
}

/// A profile with what a call says of it.
fn applied(call: &Call<'_>, linode: &Linode, mut config: Config) -> Result<Config, Fault> {
    if let Some(label) = call.given("label").filter(|label| !label.is_empty()) {
        label.clone_into(&mut config.label);
    }
    if let Some(kernel) = call.number("kernelid") {
        let kernel = ids::kernel_of(kernel).ok_or_else(|| Fault::invalid("KernelID is not one of avail.kernels"))?;
        kernel.id.clone_into(&mut config.kernel);
    }
    if let Some(list) = call.given("disklist") {
        config.devices = devices(linode, list)?;
    }
    if let Some(comments) = call.given("comments") {
        comments.clone_into(&mut config.comments);
    }
    config.memory_limit = call.number("ramlimit").unwrap_or(config.memory_limit);
    config.run_level = one_of(call, "runlevel", "RunLevel", LEVELS)?.unwrap_or(config.run_level);
    config.virt_mode = one_of(call, "virt_mode", "virt_mode", MODES)?.unwrap_or(config.virt_mode);
    match (call.number("rootdevicenum"), call.text("rootdevicecustom")) {
        (Some(number @ 1..=8), _) => config.root_device = device(usize::try_from(number).unwrap_or_default()),
        (None | Some(0), "") => {}
        (None | Some(0), custom) => custom.clone_into(&mut config.root_device),
        _ => return Err(Fault::invalid("RootDeviceNum must be 0 to 8")),
    }
    config.root_device_read_only = call.flag("rootdevicero").unwrap_or(config.root_device_read_only);
    let helpers = &mut config.helpers;
    let set = |into: &mut bool, name: &str| *into = call.flag(name).unwrap_or(*into);
    set(&mut helpers.distro, "helper_distro");
    set(&mut helpers.updatedb_disabled, "helper_disableupdatedb");
    set(&mut helpers.modules_dep, "helper_depmod");
    set(&mut helpers.network, "helper_network");
    set(&mut helpers.devtmpfs_automount, "devtmpfs_automount");
    Ok(config)
}

fn one_of(call: &Call<'_>, parameter: &str, name: &str, words: &[&str]) -> Result<Option<String>, Fault> {
    match call.text(parameter) {
        "" => Ok(None),
        word if words.contains(&word) => Ok(Some(word.to_owned())),
        _ => Err(Fault::invalid(format!("{name} must be one of {}", words.join(", ")))),
    }
}

fn devices(linode: &Linode, list: &str) -> Result<Vec<u64>, Fault> {
    let mut devices = Vec::new();
    for word in list.split(',').map(str::trim) {
        let id = if word.is_empty() { Some(0) } else { word.parse().ok() };
        let known = id.filter(|id| *id == 0 || linode.disks.iter().any(|disk| disk.id == *id));
        devices.push(known.ok_or_else(|| Fault::invalid(format!("DiskList: {word} is no disk of this Linode")))?);
    }
    while devices.last() == Some(&0) {
        devices.pop();
    }
    if devices.is_empty() {
        return Err(Fault::invalid("DiskList names no disk"));
    }
    if devices.len() > SLOTS {
        return Err(Fault::invalid(format!("DiskList has more than {SLOTS} places")));
    }
    Ok(devices)
}
