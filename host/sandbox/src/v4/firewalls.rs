//! Cloud Firewalls and their devices.
//!
//! Owns: these calls and views. Does not know what makes a rule valid (`firewall_rules.rs`) nor how it is enforced.

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use super::firewall_rules::{read_rules, rules_view};
use crate::rules::label_problem;
use crate::world::{Device, Firewall, World};

const READ: &str = "firewall:read_only";
const WRITE: &str = "firewall:read_write";

pub(super) const ROUTES: &[Route] = &[
    Route::list("networking/firewalls", READ, |call| {
        call.list(call.world.firewalls.values(), |firewall| firewall_view(call.world, firewall))
    }),
    Route::new("POST", "networking/firewalls", WRITE, create),
    Route::new("GET", "networking/firewalls/{}", READ, |call| ok(firewall_view(call.world, firewall(call)?))),
    Route::new("PUT", "networking/firewalls/{}", WRITE, update),
    Route::new("DELETE", "networking/firewalls/{}", WRITE, delete),
    Route::new("GET", "networking/firewalls/{}/rules", READ, |call| ok(rules_view(firewall(call)?))),
    Route::new("PUT", "networking/firewalls/{}/rules", WRITE, put_rules),
    Route::list("networking/firewalls/{}/devices", READ, |call| {
        call.list(firewall(call)?.devices.values(), |device| device_view(call.world, device))
    }),
    Route::new("POST", "networking/firewalls/{}/devices", WRITE, add_device),
    Route::new("GET", "networking/firewalls/{}/devices/{}", READ, get_device),
    Route::new("DELETE", "networking/firewalls/{}/devices/{}", WRITE, delete_device),
];

fn firewall<'a>(call: &'a Call<'_>) -> Result<&'a Firewall, Refused> {
    call.world.firewalls.get(&call.id(0)?).ok_or_else(Refused::not_found)
}

fn label_refusal(call: &Call<'_>, label: &str, present: Option<u64>) -> Option<String> {
    let taken = call.world.firewall_labelled(label).is_some_and(|owner| Some(owner) != present);
    label_problem(label, 3, 32).or_else(|| taken.then(|| "Label must be unique among your Cloud Firewalls".to_owned()))
}

fn create(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    let label = input.required_text("label");
    if let Some(reason) = label.as_deref().and_then(|label| label_refusal(call, label, None)) {
        input.problems.add("label", reason);
    }
    let tags = input.tags().unwrap_or_default();
    let rules = match input.object("rules") {
        Some(rules) => read_rules(rules, "rules.", &mut input.problems),
        None => input.wrong("rules", "rules is required"),
    };
    let linodes = new_devices(call, &mut input);
    input.done()?;
    let now = call.now;
    let id = call.world.add_firewall(&label.unwrap_or_default(), tags, rules.unwrap_or_default(), now);
    for linode in linodes {
        call.world.add_device(id, linode, now);
    }
    call.world.firewalls.get(&id).map_or_else(|| Err(Refused::not_found()), |one| ok(firewall_view(call.world, one)))
}

/// `devices.linodes`: what it guards from the start.
fn new_devices(call: &Call<'_>, input: &mut super::input::Input) -> Vec<u64> {
    let Some(devices) = input.object("devices") else { return Vec::new() };
    let empty = Vec::new();
    let ids = devices.get("linodes").and_then(Value::as_array).unwrap_or(&empty);
    let mut linodes = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        match id.as_u64().filter(|id| call.world.linodes.contains_key(id)) {
            Some(id) if call.world.guard_of(id).is_some() => {
                input.problems.add(format!("devices.linodes[{at}]"), already_guarded(id));
            }
            Some(id) if !linodes.contains(&id) => linodes.push(id),
            Some(_) => {}
            None => input.problems.add(format!("devices.linodes[{at}]"), "linode is not valid"),
        }
    }
    linodes
}

fn already_guarded(linode: u64) -> String {
    format!("Linode {linode} already has a firewall assigned")
}

fn update(call: &mut Call<'_>) -> Answer {
    let id = firewall(call)?.id;
    let mut input = call.input()?;
    let label = input.text("label");
    if let Some(reason) = label.as_deref().and_then(|label| label_refusal(call, label, Some(id))) {
        input.problems.add("label", reason);
    }
    let tags = input.tags();
    let enabled = match input.text("status").as_deref() {
        None => None,
        Some("enabled") => Some(true),
        Some("disabled") => Some(false),
        Some(_) => input.wrong("status", "Must be enabled or disabled"),
    };
    input.done()?;
    let now = call.now;
    if let Some(label) = label {
        call.world.relabel_firewall(id, &label);
    }
    let firewall = call.world.firewalls.get_mut(&id).ok_or_else(Refused::not_found)?;
    if let Some(tags) = tags {
        firewall.tags = tags;
    }
    let action = match enabled {
        Some(true) if !firewall.enabled => "firewall_enable",
        Some(false) if firewall.enabled => "firewall_disable",
        _ => "firewall_update",
    };
    firewall.enabled = enabled.unwrap_or(firewall.enabled);
    call.world.firewall_changed(id, action, now);
    ok(firewall_view(call.world, self::firewall(call)?))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (id, now) = (call.id(0)?, call.now);
    if call.world.remove_firewall(id, now) { done() } else { Err(Refused::not_found()) }
}

fn put_rules(call: &mut Call<'_>) -> Answer {
    let id = firewall(call)?.id;
    let mut input = call.input()?;
    let body = input.whole();
    let rules = read_rules(body, "", &mut input.problems);
    input.done()?;
    let now = call.now;
    call.world.set_firewall_rules(id, rules.unwrap_or_default(), now);
    ok(rules_view(firewall(call)?))
}

fn add_device(call: &mut Call<'_>) -> Answer {
    let id = firewall(call)?.id;
    let mut input = call.input()?;
    let kind = input.required_text("type");
    if kind.as_deref().is_some_and(|kind| kind != "linode") {
        input.problems.add("type", "The sandbox emulates firewalls of type linode only.");
    }
    let linode = if input.has("id") { input.number("id") } else { input.wrong("id", "id is required") };
    match linode {
        Some(linode) if !call.world.linodes.contains_key(&linode) => input.problems.add("id", "id is not valid"),
        Some(linode) if call.world.guard_of(linode).is_some() => input.problems.add("id", already_guarded(linode)),
        _ => {}
    }
    input.done()?;
    let now = call.now;
    let device = call.world.add_device(id, linode.unwrap_or_default(), now);
    let device = firewall(call)?.devices.get(&device).ok_or_else(Refused::not_found)?;
    ok(device_view(call.world, device))
}

fn get_device(call: &mut Call<'_>) -> Answer {
    let device = firewall(call)?.devices.get(&call.id(1)?).ok_or_else(Refused::not_found)?;
    ok(device_view(call.world, device))
}

fn delete_device(call: &mut Call<'_>) -> Answer {
    let (id, device, now) = (call.id(0)?, call.id(1)?, call.now);
    if call.world.remove_device(id, device, now) { done() } else { Err(Refused::not_found()) }
}

pub(super) fn firewall_view(world: &World, firewall: &Firewall) -> Value {
    json!({
        "id": firewall.id,
        "label": firewall.label,
        "created": firewall.created.wire(),
        "updated": firewall.updated.wire(),
        "status": if firewall.enabled { "enabled" } else { "disabled" },
        "rules": rules_view(firewall),
        "tags": firewall.tags,
        "entities": firewall.devices.values().map(|device| entity_view(world, device)).collect::<Vec<_>>(),
    })
}

fn device_view(world: &World, device: &Device) -> Value {
    json!({
        "id": device.id,
        "created": device.created.wire(),
        "updated": device.created.wire(),
        "entity": entity_view(world, device),
    })
}

fn entity_view(world: &World, device: &Device) -> Value {
    json!({
        "id": device.linode,
        "type": "linode",
        "label": world.linodes.get(&device.linode).map(|linode| linode.label.as_str()),
        "url": format!("/v4/linode/instances/{}", device.linode),
        "parent_entity": null,
    })
}

impl Row for &Firewall {
    const FILTERABLE: &'static [&'static str] = &["created", "id", "label", "tags", "updated"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "created" => Field::text(self.created.wire()),
            "id" => Field::number(self.id),
            "label" => Field::text(self.label.as_str()),
            "tags" => Field::many(&self.tags),
            _ => Field::text(self.updated.wire()),
        }
    }
}

impl Row for &Device {
    const FILTERABLE: &'static [&'static str] = &["created", "id", "updated"];

    fn field(&self, name: &str) -> Field<'_> {
        if name == "id" { Field::number(self.id) } else { Field::text(self.created.wire()) }
    }
}
