//! Volumes, the last thing that API v3 learned (2018). Attaching is setting the Linode they belong to.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::catalogue::Catalogue;
use crate::data::Row;
use crate::dates;
use crate::errors::{lacks, of_code};
use linodetool_plugin::{
    AttachVolume, ById, CreateVolume, Cx, ListVolumes, Nothing, Page, ResizeVolume, Result, Volume, VolumeStatus,
};

pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: ListVolumes) -> Result<Page<Volume>> {
    let mut volumes = read(v3, cx, Action::new("volume.list")).await?;
    volumes.retain(|volume| {
        args.label.as_ref().is_none_or(|label| *label == volume.label)
            && (args.instance.is_none() || args.instance == volume.instance)
            && args.tag.is_none()
    });
    Ok(Page::whole(volumes))
}

pub(crate) async fn get(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Volume> {
    let mut volumes = read(v3, cx, Action::new("volume.list").id("VolumeID", number("id", &args.id)?)).await?;
    volumes.retain(|volume| volume.id == args.id);
    volumes.pop().ok_or_else(|| of_code(5, "Object not found"))
}

pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateVolume) -> Result<Volume> {
    if !args.tags.is_empty() {
        return Err(lacks("tags", "tags of volumes"));
    }
    let linode = args.instance.as_deref().map(|id| number("instance", id)).transpose()?;
    let datacenter = v3.shelf.find(&v3.api, cx, |c| c.region_id(&args.region)).await?;
    let action = Action::new("volume.create").text("Label", &args.label).id("Size", args.size_gb);
    // One of the two: a Linode says where it is.
    let action = match linode {
        Some(linode) => action.id("LinodeID", linode),
        None => action.id("DatacenterID", datacenter),
    };
    let id = v3.api.call(cx, action).await?.row().id("volumeid")?;
    Ok(Volume {
        id: id.to_string(),
        path: path(&args.label),
        label: args.label,
        region: v3.shelf.get(&v3.api, cx).await?.region_name(datacenter),
        size_gb: args.size_gb,
        instance: args.instance,
        ..Volume::default()
    })
}

pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    v3.api.call(cx, Action::new("volume.delete").id("VolumeID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

pub(crate) async fn attach(v3: &LinodeV3, cx: &Cx, args: AttachVolume) -> Result<Nothing> {
    let linode = number("instance", &args.instance)?;
    v3.api
        .call(cx, Action::new("volume.update").id("VolumeID", number("id", &args.id)?).id("LinodeID", linode))
        .await?;
    Ok(Nothing {})
}

pub(crate) async fn detach(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    v3.api.call(cx, Action::new("volume.update").id("VolumeID", number("id", &args.id)?).id("LinodeID", 0)).await?;
    Ok(Nothing {})
}

pub(crate) async fn resize(v3: &LinodeV3, cx: &Cx, args: ResizeVolume) -> Result<Nothing> {
    let action = Action::new("volume.update").id("VolumeID", number("id", &args.id)?).id("Size", args.size_gb);
    v3.api.call(cx, action).await?;
    Ok(Nothing {})
}

async fn read(v3: &LinodeV3, cx: &Cx, action: Action) -> Result<Vec<Volume>> {
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    v3.api.call(cx, action).await?.rows().iter().map(|row| volume(&catalogue, row)).collect()
}

fn volume(catalogue: &Catalogue, row: &Row) -> Result<Volume> {
    let label = row.text("label");
    Ok(Volume {
        id: row.id("volumeid")?.to_string(),
        path: path(&label),
        label,
        region: catalogue.region_name(row.whole("datacenterid")),
        size_gb: row.whole("size"),
        status: match row.text("status").to_ascii_lowercase().as_str() {
            "creating" | "0" => VolumeStatus::Creating,
            "active" | "1" => VolumeStatus::Active,
            "resizing" => VolumeStatus::Resizing,
            _ => VolumeStatus::Other,
        },
        instance: row.maybe_id("linodeid").map(|id| id.to_string()),
        tags: Vec::new(),
        created: dates::utc(&row.text("create_dt")),
    })
}

/// As the kernel of a Linode names it.
fn path(label: &str) -> String {
    format!("/dev/disk/by-id/scsi-0Linode_Volume_{label}")
}
