//! Disks of a Linode.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::catalogue::Source;
use crate::data::{Data, Row};
use crate::errors::{invalid, lacks};
use crate::{dates, states};
use linodetool_plugin::{
    CreateDisk, Cx, Disk, DiskStatus, Nothing, OfInstance, Page, PartOfInstance, ResizeDisk, Result,
};

/// Ready: API v3 says so of the disk, and no job that changes disks waits. Which disk a job is about it does not say.
pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: OfInstance) -> Result<Page<Disk>> {
    let id = number("instance", &args.instance)?;
    let looks = [Action::new("linode.disk.list").id("LinodeID", id), states::pending(id)];
    let mut lists = v3.api.every(cx, &looks).await?.into_iter().map(Data::rows);
    let mut next = || lists.next().unwrap_or_default();
    let (disks, jobs) = (next(), next());
    let at_rest = !states::queue(&jobs).iter().any(|action| action.starts_with("fs.") || action.contains("disk"));
    Ok(Page::whole(disks.iter().map(|row| disk(row, at_rest)).collect::<Result<_>>()?))
}

fn disk(row: &Row, at_rest: bool) -> Result<Disk> {
    Ok(Disk {
        id: row.id("diskid")?.to_string(),
        label: row.text("label"),
        size_mb: row.whole("size"),
        filesystem: row.text("type"),
        status: if at_rest && row.signed("status") == Some(1) { DiskStatus::Ready } else { DiskStatus::NotReady },
        created: dates::utc(&row.text("create_dt")),
    })
}

pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateDisk) -> Result<Disk> {
    let id = number("instance", &args.instance)?;
    let filesystem = if args.filesystem.is_empty() { "ext4" } else { &args.filesystem };
    let (action, size) = match &args.image {
        None if args.root_pass.is_some() || !args.authorized_keys.is_empty() => {
            return Err(invalid("image", "password and keys are for a disk made from an image"));
        }
        None => (Action::new("linode.disk.create").text("Type", filesystem), "Size"),
        Some(_) if !args.filesystem.is_empty() => {
            return Err(lacks("filesystem", "choice of it for a disk made from an image"));
        }
        Some(_) if args.root_pass.is_none() => {
            return Err(invalid("root_pass", "API v3 makes no disk from an image without a password for root"));
        }
        Some(image) => match v3.shelf.find(&v3.api, cx, |c| c.source("image", image)).await? {
            Source::Image(image) => (Action::new("linode.disk.createfromimage").id("ImageID", image), "size"),
            Source::Distribution(id) => {
                (Action::new("linode.disk.createfromdistribution").id("DistributionID", id), "Size")
            }
        },
    };
    let action = action.id("LinodeID", id).text("Label", &args.label).id(size, args.size_mb);
    let action = action.secret("rootPass", args.root_pass.as_ref()).text("rootSSHKey", args.authorized_keys.join("\n"));
    let id = v3.api.call(cx, action).await?.row().id("diskid")?;
    // What an image brings is seen when the disk is listed.
    let filesystem = if args.image.is_some() { String::new() } else { filesystem.to_owned() };
    Ok(Disk { id: id.to_string(), label: args.label, size_mb: args.size_mb, filesystem, ..Disk::default() })
}

pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: PartOfInstance) -> Result<Nothing> {
    let action = Action::new("linode.disk.delete").id("LinodeID", number("instance", &args.instance)?);
    v3.api.call(cx, action.id("DiskID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

pub(crate) async fn resize(v3: &LinodeV3, cx: &Cx, args: ResizeDisk) -> Result<Nothing> {
    let action = Action::new("linode.disk.resize").id("LinodeID", number("instance", &args.instance)?);
    v3.api.call(cx, action.id("DiskID", number("id", &args.id)?).id("size", args.size_mb)).await?;
    Ok(Nothing {})
}
