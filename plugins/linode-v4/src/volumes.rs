//! Volumes.

use crate::api::{Api, Noun, class, done, number, one, some_number};
use crate::body::Body;
use crate::filter::Filter;
use crate::instances;
use crate::lenient::{List as Items, Text, Whole};
use crate::list::List;
use linodetool_plugin::{
    AttachVolume, ById, CloneVolume, CreateVolume, Cx, ListVolumes, Nothing, Page, ResizeVolume, Result, UpdateVolume,
    Volume, VolumeStatus,
};
use serde::Deserialize;

/// `linode_id` cannot be filtered by, but the volumes of a Linode are a list of their own.
pub(crate) async fn list(api: &Api, cx: &Cx, args: ListVolumes) -> Result<Page<Volume>> {
    let path = match &args.instance {
        Some(instance) => format!("{}/volumes", instances::path("instance", instance)?),
        None => "/volumes".to_owned(),
    };
    let filter = Filter::default().equals("label", args.label.clone()).equals("tags", args.tag.clone());
    let mut volumes: Vec<Volume> = List::of(api, &path).filter(filter).read(cx).await?;
    volumes.retain(|volume| {
        args.label.as_ref().is_none_or(|label| *label == volume.label)
            && args.tag.as_ref().is_none_or(|tag| volume.tags.contains(tag))
    });
    Ok(Page::whole(volumes))
}

pub(crate) async fn get(api: &Api, cx: &Cx, args: ById) -> Result<Volume> {
    one(cx, api.get(&path(&args.id)?)).await
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateVolume) -> Result<Volume> {
    let body = Body::new()
        .with("label", &args.label)
        .filled("region", &args.region)
        .with("size", args.size_gb)
        .some("linode_id", some_number("instance", args.instance.as_ref())?)
        .filled("tags", &args.tags);
    one(cx, api.post("/volumes").class(class::VOLUMES).json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path(&args.id)?)).await
}

pub(crate) async fn attach(api: &Api, cx: &Cx, args: AttachVolume) -> Result<Nothing> {
    let body = Body::new().with("linode_id", number("instance", &args.instance)?);
    done(cx, api.post(&format!("{}/attach", path(&args.id)?)).json(&body)?).await
}

pub(crate) async fn detach(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.post(&format!("{}/detach", path(&args.id)?)).json(&Nothing {})?).await
}

pub(crate) async fn resize(api: &Api, cx: &Cx, args: ResizeVolume) -> Result<Nothing> {
    let body = Body::new().with("size", args.size_gb);
    done(cx, api.post(&format!("{}/resize", path(&args.id)?)).json(&body)?).await
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateVolume) -> Result<Volume> {
    let path = path(&args.id)?;
    let body = Body::new().some("label", args.label).some("tags", args.tags);
    one(cx, if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? }).await
}

pub(crate) async fn clone(api: &Api, cx: &Cx, args: CloneVolume) -> Result<Volume> {
    let request = api.post(&format!("{}/clone", path(&args.id)?)).class(class::VOLUMES);
    one(cx, request.json(&Body::new().with("label", &args.label))?).await
}

fn path(id: &str) -> Result<String> {
    Ok(format!("/volumes/{}", number("id", id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct VolumeWire {
    id: Text,
    label: Text,
    region: Text,
    /// GB.
    size: Whole,
    status: Text,
    linode_id: Text,
    filesystem_path: Text,
    tags: Items<Text>,
    created: Text,
}

impl Noun for Volume {
    type Wire = VolumeWire;

    fn from_wire(wire: VolumeWire) -> Self {
        let status = match wire.status.0.as_str() {
            "creating" => VolumeStatus::Creating,
            "active" => VolumeStatus::Active,
            "resizing" => VolumeStatus::Resizing,
            _ => VolumeStatus::Other,
        };
        Self {
            id: wire.id.0,
            label: wire.label.0,
            region: wire.region.0,
            size_gb: wire.size.0,
            status,
            instance: wire.linode_id.some(),
            path: wire.filesystem_path.0,
            tags: wire.tags.texts(),
            created: wire.created.0,
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
