//! Configuration profiles of a Linode.
//!
//! Owns: these calls. Does not know what is booted.

use serde_json::{Map, Value};

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::input::Input;
use super::instance_view::config_view;
use super::instances::linode;
use crate::catalogue;
use crate::world::{Config, Linode};

const READ: &str = "linodes:read_only";
const WRITE: &str = "linodes:read_write";

const SLOTS: &[&str] = &["sda", "sdb", "sdc", "sdd", "sde", "sdf", "sdg", "sdh"];
const LEVELS: &[&str] = &["default", "single", "binbash"];
const MODES: &[&str] = &["paravirt", "fullvirt"];

pub(super) const ROUTES: &[Route] = &[
    Route::list("linode/instances/{}/configs", READ, |call| {
        call.list(linode(call)?.configs.iter(), |config| config_view(config))
    }),
    Route::new("POST", "linode/instances/{}/configs", WRITE, create),
    Route::new("GET", "linode/instances/{}/configs/{}", READ, |call| ok(config_view(config(call)?))),
    Route::new("PUT", "linode/instances/{}/configs/{}", WRITE, update),
    Route::new("DELETE", "linode/instances/{}/configs/{}", WRITE, delete),
];

fn config<'a>(call: &'a Call<'_>) -> Result<&'a Config, Refused> {
    let id = call.id(1)?;
    linode(call)?.configs.iter().find(|config| config.id == id).ok_or_else(Refused::not_found)
}

fn create(call: &mut Call<'_>) -> Answer {
    let of = linode(call)?.id;
    let mut input = call.input()?;
    for field in ["label", "devices"] {
        if !input.has(field) {
            input.problems.add(field, format!("{field} is required"));
        }
    }
    let config = applied(&mut input, linode(call)?, Config { created: call.now, ..Config::default() });
    input.done()?;
    let id = call.world.add_config(of, config).ok_or_else(Refused::not_found)?;
    let config = linode(call)?.configs.iter().find(|config| config.id == id).ok_or_else(Refused::not_found)?;
    ok(config_view(config))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (of, present) = (linode(call)?.id, config(call)?.clone());
    let mut input = call.input()?;
    let changed = applied(&mut input, linode(call)?, present);
    input.done()?;
    let configs = call.world.linodes.get_mut(&of).into_iter().flat_map(|linode| &mut linode.configs);
    configs.filter(|one| one.id == changed.id).for_each(|one| *one = changed.clone());
    ok(config_view(config(call)?))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (of, id) = (linode(call)?.id, config(call)?.id);
    call.world.linodes.get_mut(&of).ok_or_else(Refused::not_found)?.configs.retain(|one| one.id != id);
    done()
}

/// A profile with what a body says of it.
fn applied(input: &mut Input, linode: &Linode, mut config: Config) -> Config {
    if input.array("interfaces").is_some_and(|all| !all.is_empty()) {
        input.problems.add("interfaces", "The sandbox does not emulate interfaces.");
    }
    if let Some(label) = input.text("label") {
        if !(1..=48).contains(&label.chars().count()) {
            input.problems.add("label", "Must be 1-48 characters");
        }
        config.label = label;
    }
    if let Some(kernel) = input.text("kernel") {
        if catalogue::kernel(&kernel).is_none() {
            input.problems.add("kernel", "kernel is not valid");
        }
        config.kernel = kernel;
    }
    if let Some(slots) = input.object("devices") {
        config.devices = devices(input, linode, &slots);
    }
    config.comments = input.text("comments").unwrap_or(config.comments);
    config.memory_limit = input.number("memory_limit").unwrap_or(config.memory_limit);
    config.run_level = one_of(input, "run_level", LEVELS).unwrap_or(config.run_level);
    config.virt_mode = one_of(input, "virt_mode", MODES).unwrap_or(config.virt_mode);
    config.root_device = input.text("root_device").unwrap_or(config.root_device);
    let mut helpers = Input::from(input.object("helpers").unwrap_or_default());
    let mut set = |into: &mut bool, name: &str| *into = helpers.flag(name).unwrap_or(*into);
    set(&mut config.helpers.distro, "distro");
    set(&mut config.helpers.updatedb_disabled, "updatedb_disabled");
    set(&mut config.helpers.modules_dep, "modules_dep");
    set(&mut config.helpers.network, "network");
    set(&mut config.helpers.devtmpfs_automount, "devtmpfs_automount");
    config
}

fn one_of(input: &mut Input, field: &str, words: &[&str]) -> Option<String> {
    let given = input.text(field)?;
    let known = words.contains(&given.as_str());
    if known { Some(given) } else { input.wrong(field, &format!("Must be one of {}", words.join(", "))) }
}

/// Ids of disks by their slots; 0 for what is empty before another.
fn devices(input: &mut Input, linode: &Linode, slots: &Map<String, Value>) -> Vec<u64> {
    let mut devices = vec![0; SLOTS.len()];
    for (slot, device) in slots {
        let field = format!("devices.{slot}");
        let Some(at) = SLOTS.iter().position(|known| known == slot) else {
            input.problems.add(field, "Unknown device slot");
            continue;
        };
        if device["volume_id"].is_u64() {
            input.problems.add(field, "The sandbox does not emulate volumes.");
        } else if let Some(id) = device["disk_id"].as_u64() {
            match linode.disks.iter().any(|disk| disk.id == id) {
                true => devices[at] = id,
                false => input.problems.add(format!("{field}.disk_id"), "disk_id is not valid"),
            }
        }
    }
    while devices.last() == Some(&0) {
        devices.pop();
    }
    devices
}
