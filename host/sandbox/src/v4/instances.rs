//! Linodes: list, get, update, delete, and their power.
//!
//! Owns: these calls. Does not know how one is created (`instance_create.rs`) or shown (`instance_view.rs`).

use serde_json::Value;

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::instance_create;
use super::instance_view::linode_view;
use super::page;
use crate::limits::Class;
use crate::rules::label_problem;
use crate::world::{Linode, Refusal};

const READ: &str = "linodes:read_only";
const WRITE: &str = "linodes:read_write";

pub(super) const ROUTES: &[Route] = &[
    Route::list("linode/instances", READ, |call| match page::only_ids::<&Linode>(call.request) {
        Some(ids) => call.list(ids.iter().filter_map(|id| seen(call, *id)), |linode| linode_view(linode)),
        None => call.list(linodes(call), |linode| linode_view(linode)),
    }),
    Route::new("POST", "linode/instances", WRITE, instance_create::create).counted(Class::CreateLinode),
    Route::new("GET", "linode/instances/{}", READ, get),
    Route::new("PUT", "linode/instances/{}", WRITE, update),
    Route::new("DELETE", "linode/instances/{}", WRITE, delete),
    Route::new("POST", "linode/instances/{}/boot", WRITE, |call| power(call, Power::Boot)),
    Route::new("POST", "linode/instances/{}/reboot", WRITE, |call| power(call, Power::Reboot)),
    Route::new("POST", "linode/instances/{}/shutdown", WRITE, |call| power(call, Power::Shutdown)),
];

/// The Linodes that are seen: a new one may not be for a while, by a fault of the sandbox's.
pub(super) fn linodes<'a>(call: &'a Call<'_>) -> impl Iterator<Item = &'a Linode> {
    call.world.linodes.values().filter(|linode| linode.visible <= call.now)
}

fn seen<'a>(call: &'a Call<'_>, id: u64) -> Option<&'a Linode> {
    call.world.linodes.get(&id).filter(|linode| linode.visible <= call.now)
}

/// The Linode that the path names, if it is seen.
pub(super) fn linode<'a>(call: &'a Call<'_>) -> Result<&'a Linode, Refused> {
    seen(call, call.id(0)?).ok_or_else(Refused::not_found)
}

/// The same, if nothing goes on with it.
pub(super) fn at_rest<'a>(call: &'a Call<'_>) -> Result<&'a Linode, Refused> {
    let linode = linode(call)?;
    let busy = linode.busy() || call.world.host_is_busy(linode.id);
    if busy { Err(Refused::busy()) } else { Ok(linode) }
}

/// Why a label cannot be given to a Linode: `present` is the one that asks, if it exists.
pub(super) fn label_refusal(call: &Call<'_>, label: &str, present: Option<u64>) -> Option<String> {
    let taken = call.world.linode_labelled(label).is_some_and(|owner| Some(owner) != present);
    label_problem(label, 3, 64).or_else(|| taken.then(|| "Label must be unique among your linodes".to_owned()))
}

fn get(call: &mut Call<'_>) -> Answer {
    ok(linode_view(linode(call)?))
}

fn update(call: &mut Call<'_>) -> Answer {
    let id = linode(call)?.id;
    let mut input = call.input()?;
    let label = input.text("label");
    if let Some(reason) = label.as_deref().and_then(|label| label_refusal(call, label, Some(id))) {
        input.problems.add("label", reason);
    }
    let tags = input.tags();
    let group = input.text("group");
    let watchdog = input.flag("watchdog_enabled");
    let policy = input.text("maintenance_policy");
    let alerts = input.object("alerts");
    input.done()?;

    let now = call.now;
    if let Some(label) = label {
        call.world.relabel_linode(id, &label);
    }
    let linode = call.world.linodes.get_mut(&id).ok_or_else(Refused::not_found)?;
    if let Some(tags) = tags {
        linode.tags = tags;
    }
    if let Some(group) = group {
        linode.group = group;
    }
    if let Some(watchdog) = watchdog {
        linode.watchdog = watchdog;
    }
    if let Some(policy) = policy {
        linode.maintenance_policy = policy;
    }
    if let Some(alerts) = alerts {
        let set = |into: &mut u64, name: &str| {
            if let Some(value) = alerts.get(name).and_then(Value::as_u64) {
                *into = value;
            }
        };
        set(&mut linode.alerts.cpu, "cpu");
        set(&mut linode.alerts.network_in, "network_in");
        set(&mut linode.alerts.network_out, "network_out");
        set(&mut linode.alerts.transfer_quota, "transfer_quota");
        set(&mut linode.alerts.io, "io");
    }
    linode.updated = now;
    ok(linode_view(linode))
}

fn delete(call: &mut Call<'_>) -> Answer {
    // Not found while it is not seen yet, as by whoever looks: a delete in that moment does nothing.
    let (id, now) = (linode(call)?.id, call.now);
    if call.world.delete_linode(id, now) { done() } else { Err(Refused::not_found()) }
}

#[derive(Clone, Copy)]
enum Power {
    Boot,
    Reboot,
    Shutdown,
}

fn power(call: &mut Call<'_>, what: Power) -> Answer {
    let (id, now) = (at_rest(call)?.id, call.now);
    let mut input = call.input()?;
    let config = input.number("config_id");
    input.done()?;
    let begun = match what {
        Power::Boot => call.world.boot(id, config, now),
        Power::Reboot => call.world.reboot(id, config, now),
        Power::Shutdown => call.world.shutdown(id, now),
    };
    match begun {
        Ok(()) => done(),
        Err(Refusal::NoSuchLinode) => Err(Refused::not_found()),
        Err(Refusal::Busy) => Err(Refused::busy()),
        Err(Refusal::AlreadyRunning) => Err(Refused::new(400, format!("Linode {id} already booted."))),
        Err(Refusal::NoConfig) if config.is_some() => Err(Refused::field("config_id", "config_id is not valid")),
        Err(Refusal::NoConfig) => Err(Refused::new(400, "Linode has no configuration profile to boot.")),
    }
}
