//! Volumes. To attach one is to set the Linode it belongs to; 0 is none.
//!
//! Owns: these methods. Does not know what a volume is to a machine.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::fault::Fault;
use super::{dates, ids};
use crate::catalogue::Region;
use crate::world::Volume;

/// GB.
const LEAST: u64 = 10;
const MOST: u64 = 16_384;

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("volumeid");
    let all = call.world.volumes.values().filter(|volume| wanted.is_none_or(|wanted| wanted == volume.id));
    let rows: Vec<_> = all.map(|volume| row(call, volume)).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(call: &Call<'_>, volume: &Volume) -> Value {
    json!({
        "VOLUMEID": volume.id, "LABEL": volume.label, "SIZE": volume.size, "LINODEID": volume.linode.unwrap_or_default(),
        "DATACENTERID": ids::datacenter(call.world.catalogue, volume.region.id),
        "STATUS": if call.now < volume.ready { "creating" } else { "active" },
        "CREATE_DT": dates::written(volume.created), "UPDATE_DT": dates::written(volume.created),
    })
}

/// A new label: 1 to 32 letters, digits, `-` and `_`, unique for the account.
fn label<'a>(call: &Call<'a>, present: Option<u64>) -> Result<&'a str, Fault> {
    let label = call.text("label");
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if label.chars().count() > 32 || !label.chars().all(plain) {
        return Err(Fault::invalid("Label must be 1-32 letters, numbers, dashes and underscores"));
    }
    match call.world.volume_labelled(label) {
        Some(owner) if Some(owner) != present => Err(Fault::invalid("A volume with that label exists already")),
        _ => Ok(label),
    }
}

fn size(size: u64) -> Result<u64, Fault> {
    match size {
        LEAST..=MOST => Ok(size),
        _ => Err(Fault::invalid(format!("Size must be {LEAST}-{MOST}"))),
    }
}

/// The Linode that one is to be attached to, none for 0; it must be in the same place.
fn linode(call: &Call<'_>, place: Option<&'static Region>) -> Result<Option<(u64, &'static Region)>, Fault> {
    let Some(id) = call.number("linodeid").filter(|id| *id > 0) else { return Ok(None) };
    let linode = call.world.linodes.get(&id).ok_or_else(|| Fault::invalid("LinodeID is not one of linode.list"))?;
    if place.is_some_and(|place| place.id != linode.region.id) {
        return Err(Fault::invalid("The Linode is in another datacenter than the volume"));
    }
    Ok(Some((id, linode.region)))
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let place = match call.number("datacenterid") {
        None => None,
        Some(id) => {
            let region = ids::region(call.world.catalogue, id);
            Some(region.ok_or_else(|| Fault::invalid("DatacenterID is not one of avail.datacenters"))?)
        }
    };
    let linode = linode(call, place)?;
    let region = linode.map(|(_, region)| region).or(place);
    let region = region.ok_or_else(|| Fault::invalid("One of DatacenterID and LinodeID is required"))?;
    let (label, size) = (label(call, None)?, size(call.id("size"))?);
    let id = call.world.add_volume(label, region, size, linode.map(|(id, _)| id), call.now);
    Ok(json!({"VolumeID": id}))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let id = call.id("volumeid");
    let mut volume = call.world.volumes.get(&id).cloned().ok_or_else(Fault::not_found)?;
    if !call.text("label").is_empty() {
        label(call, Some(id))?.clone_into(&mut volume.label);
    }
    if let Some(wanted) = call.number("size") {
        if wanted < volume.size {
            return Err(Fault::invalid("Volumes can only be made larger"));
        }
        volume.size = size(wanted)?;
    }
    if call.number("linodeid").is_some() {
        let to = linode(call, Some(volume.region))?.map(|(id, _)| id);
        if to.is_some() && volume.linode.is_some() && volume.linode != to {
            return Err(Fault::invalid("The volume is attached to another Linode"));
        }
        volume.linode = to;
    }
    call.world.volumes.insert(id, volume);
    Ok(json!({"VolumeID": id}))
}

/// As large as the original and in the same place, attached to nothing.
pub(super) fn clone(call: &mut Call<'_>) -> Answer {
    let from = call.world.volumes.get(&call.id("clonefromid")).cloned().ok_or_else(Fault::not_found)?;
    let label = label(call, None)?;
    Ok(json!({"VolumeID": call.world.add_volume(label, from.region, from.size, None, call.now)}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.id("volumeid");
    let volume = call.world.volumes.get(&id).ok_or_else(Fault::not_found)?;
    if volume.linode.is_some() {
        return Err(Fault::invalid("The volume is attached to a Linode: detach it first"));
    }
    call.world.remove_volume(id, call.now);
    Ok(json!({"VolumeID": id}))
}
