//! Images of the account's own.
//!
//! Owns: these methods, whose names are in mixed case throughout. Does not know how a disk is made from one (`disks`).

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::dates;
use super::fault::Fault;
use crate::world::{HostWork, OwnImage, USERNAME};

/// Without `pending` those that can be used; with it those that cannot yet.
pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let (wanted, pending) = (call.number("imageid"), call.number("pending") == Some(1));
    let all: Vec<_> =
        call.world.images.values().filter(|image| wanted.is_none_or(|wanted| wanted == image.id)).collect();
    if all.is_empty() && wanted.is_some() {
        return Err(Fault::not_found());
    }
    let rows = all.into_iter().filter(|image| image.creating == pending);
    Ok(rows
        .map(|image| row(image, if image.creating { "pending" } else { "available" }, str::to_ascii_uppercase))
        .collect())
}

/// A list's names are in upper case, others are not.
fn row(image: &OwnImage, status: &str, name: impl Fn(&str) -> String) -> Value {
    let fields = [
        ("imageID", json!(image.id)),
        ("label", json!(image.label)),
        ("description", json!(image.description)),
        ("minSize", json!(image.size)),
        ("fs_type", json!(image.filesystem)),
        ("status", json!(status)),
        ("type", json!("manual")),
        ("creator", json!(USERNAME)),
        ("isPublic", json!(0)),
        ("create_dt", json!(dates::written(image.created))),
        ("last_used_dt", json!("")),
    ];
    Value::Object(fields.into_iter().map(|(field, value)| (name(field), value)).collect())
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let (id, label, description) = (call.id("imageid"), call.text("label"), call.given("description"));
    let image = call.world.images.get_mut(&id).ok_or_else(Fault::not_found)?;
    if !label.is_empty() {
        label.clone_into(&mut image.label);
    }
    if let Some(description) = description {
        description.clone_into(&mut image.description);
    }
    Ok(row(image, "available", str::to_owned))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let gone = call.world.remove_image(call.id("imageid"), call.now).ok_or_else(Fault::not_found)?;
    Ok(row(&gone, "deleted", str::to_owned))
}

/// Takes a disk into an image.
pub(super) fn imagize(call: &mut Call<'_>) -> Answer {
    let (id, linode) = (call.id("diskid"), call.linode()?);
    let disk = linode.disks.iter().find(|disk| disk.id == id).ok_or_else(Fault::not_found)?;
    let label = if call.text("label").is_empty() { disk.label.as_str() } else { call.text("label") };
    let image = OwnImage {
        label: label.to_owned(),
        description: call.text("description").to_owned(),
        size: disk.size,
        filesystem: disk.filesystem,
        ..OwnImage::default()
    };
    let (linode, label) = (linode.id, label.to_owned());
    let image = call.world.add_image(image, call.now);
    let job = call.world.ask_host(linode, HostWork::MakeImage(image), &label, call.now);
    Ok(json!({"JobID": job, "ImageID": image}))
}
