//! Disks of a Linode.

use crate::api::{Api, Noun, done, number, one};
use crate::body::Body;
use crate::instances;
use crate::lenient::{Text, Whole};
use crate::list::List;
use linodetool_plugin::{
    CreateDisk, Cx, Disk, DiskStatus, Nothing, OfInstance, Page, PartOfInstance, ResizeDisk, Result,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: OfInstance) -> Result<Page<Disk>> {
    Ok(Page::whole(List::of(api, &path(&args.instance)?).read(cx).await?))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateDisk) -> Result<Disk> {
    let body = Body::new()
        .with("label", &args.label)
        .with("size", args.size_mb)
        .filled("filesystem", &args.filesystem)
        .some("image", args.image)
        .filled("authorized_keys", &args.authorized_keys)
        .some("root_pass", args.root_pass);
    one(cx, api.post(&path(&args.instance)?).json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: PartOfInstance) -> Result<Nothing> {
    done(cx, api.delete(&part(&args.instance, &args.id)?)).await
}

/// May be repeated: it sets a size.
pub(crate) async fn resize(api: &Api, cx: &Cx, args: ResizeDisk) -> Result<Nothing> {
    let request = api.post(&format!("{}/resize", part(&args.instance, &args.id)?)).safe_to_repeat(true);
    done(cx, request.json(&Body::new().with("size", args.size_mb))?).await
}

pub(crate) async fn clone(api: &Api, cx: &Cx, args: PartOfInstance) -> Result<Disk> {
    one(cx, api.post(&format!("{}/clone", part(&args.instance, &args.id)?)).json(&Nothing {})?).await
}

fn path(instance: &str) -> Result<String> {
    Ok(format!("{}/disks", instances::path("instance", instance)?))
}

fn part(instance: &str, id: &str) -> Result<String> {
    Ok(format!("{}/{}", path(instance)?, number("id", id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct DiskWire {
    id: Text,
    label: Text,
    /// MB.
    size: Whole,
    filesystem: Text,
    status: Text,
    created: Text,
}

impl Noun for Disk {
    type Wire = DiskWire;

    fn from_wire(wire: DiskWire) -> Self {
        let status = match wire.status.0.as_str() {
            "not ready" => DiskStatus::NotReady,
            "ready" => DiskStatus::Ready,
            "deleting" => DiskStatus::Deleting,
            _ => DiskStatus::Other,
        };
        Self {
            id: wire.id.0,
            label: wire.label.0,
            size_mb: wire.size.0,
            filesystem: wire.filesystem.0,
            status,
            created: wire.created.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
