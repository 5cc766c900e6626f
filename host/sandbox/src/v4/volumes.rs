//! What changes volumes. How they are shown is in `services.rs`; a machine sees nothing of one.
//!
//! Owns: these calls. A detach is over at once, though the real one takes a while.

use super::call::{Answer, Call, Route, done, ok};
use super::error::Refused;
use super::instance_create::region;
use super::services::volume_view;
use crate::world::Volume;

const WRITE: &str = "volumes:read_write";
const SIZES: std::ops::RangeInclusive<u64> = 10..=16_384;

pub(super) const ROUTES: &[Route] = &[
    Route::new("POST", "volumes", WRITE, create),
    Route::new("DELETE", "volumes/{}", WRITE, delete),
    Route::new("POST", "volumes/{}/attach", WRITE, attach),
    Route::new("POST", "volumes/{}/detach", WRITE, detach),
    Route::new("POST", "volumes/{}/resize", WRITE, resize),
];

fn volume<'a>(call: &'a Call<'_>) -> Result<&'a Volume, Refused> {
    call.world.volumes.get(&call.id(0)?).ok_or_else(Refused::not_found)
}

fn shown(call: &Call<'_>, id: u64) -> Answer {
    let one = call.world.volumes.get(&id).ok_or_else(Refused::not_found)?;
    ok(volume_view(call.world, call.now.0, one))
}

fn create(call: &mut Call<'_>) -> Answer {
    let mut input = call.input()?;
    let label = input.required_text("label").unwrap_or_default();
    if !(1..=32).contains(&label.chars().count()) {
        input.problems.add("label", "Must be 1-32 characters");
    } else if call.world.volume_labelled(&label).is_some() {
        input.problems.add("label", "Label must be unique among your volumes");
    }
    let size = input.number("size").unwrap_or(20);
    if !SIZES.contains(&size) {
        input.problems.add("size", "Must be 10-16384");
    }
    let tags = input.tags().unwrap_or_default();
    let to = input.number("linode_id");
    let linode = to.and_then(|id| call.world.linodes.get(&id));
    if to.is_some() && linode.is_none() {
        input.problems.add("linode_id", "linode_id is not valid");
    }
    let region = match linode {
        Some(linode) => Some(linode.region),
        None => region(call.world.catalogue, &mut input),
    };
    input.done()?;
    let (Some(region), now) = (region, call.now) else { return Err(Refused::new(400, "An error occurred")) };
    let id = call.world.add_volume(&label, region, size, to, now);
    if let Some(volume) = call.world.volumes.get_mut(&id) {
        volume.tags = tags;
    }
    shown(call, id)
}

fn delete(call: &mut Call<'_>) -> Answer {
    if volume(call)?.linode.is_some() {
        return Err(Refused::new(400, "This volume must be detached before it can be deleted"));
    }
    let (id, now) = (call.id(0)?, call.now);
    if call.world.remove_volume(id, now) { done() } else { Err(Refused::not_found()) }
}

fn attach(call: &mut Call<'_>) -> Answer {
    let (id, of, attached) = (volume(call)?.id, volume(call)?.region.id, volume(call)?.linode);
    let mut input = call.input()?;
    let to = if input.has("linode_id") {
        input.number("linode_id")
    } else {
        input.wrong("linode_id", "linode_id is required")
    };
    match to.map(|id| call.world.linodes.get(&id)) {
        Some(None) => input.problems.add("linode_id", "linode_id is not valid"),
        Some(Some(linode)) if linode.region.id != of => {
            input.problems.add("linode_id", "The Linode is in another region than the volume");
        }
        _ => {}
    }
    if attached.is_some() {
        input.problems.add_general("Volume is already attached");
    }
    input.done()?;
    if let Some(volume) = call.world.volumes.get_mut(&id) {
        volume.linode = to;
    }
    shown(call, id)
}

fn detach(call: &mut Call<'_>) -> Answer {
    let id = volume(call)?.id;
    let volume = call.world.volumes.get_mut(&id).ok_or_else(Refused::not_found)?;
    volume.linode = None;
    done()
}

fn resize(call: &mut Call<'_>) -> Answer {
    let (id, present) = (volume(call)?.id, volume(call)?.size);
    let mut input = call.input()?;
    let size = input.number("size").unwrap_or_default();
    if !SIZES.contains(&size) || size < present {
        input.problems.add("size", format!("Must be {present}-16384: volumes only grow"));
    }
    input.done()?;
    if let Some(volume) = call.world.volumes.get_mut(&id) {
        volume.size = size;
    }
    shown(call, id)
}
