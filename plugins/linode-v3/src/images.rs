//! Images: Linode's distributions and those of the account.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::data::Row;
use crate::errors::{lacks, of_code};
use linodetool_plugin::{ById, CreateImage, Cx, ErrorKind, Image, NoArguments, Nothing, Page, Result};

pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, _: NoArguments) -> Result<Page<Image>> {
    let mut images: Vec<_> = v3.shelf.fresh(&v3.api, cx).await?.images().collect();
    let own = [Action::new("image.list"), Action::new("image.list").flag("pending", true)];
    for rows in v3.api.every(cx, &own).await? {
        for row in rows.rows() {
            let image = image(&row)?;
            // What is being made may be in both lists.
            if images.iter().all(|known| known.id != image.id) {
                images.push(image);
            }
        }
    }
    Ok(Page::whole(images))
}

fn image(row: &Row) -> Result<Image> {
    Ok(Image {
        id: format!("private/{}", row.id("imageid")?),
        label: row.text("label"),
        description: row.text("description"),
        size_mb: row.whole("minsize"),
        public: row.flag("ispublic"),
        status: row.text("status"),
        ..Image::default()
    })
}

/// Images have no tags in API v3: they go to the end of the description, where they can be found again.
pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateImage) -> Result<Image> {
    if args.cloud_init.is_some() {
        return Err(lacks("cloud_init", "user data"));
    }
    let disk = number("disk", &args.disk)?;
    let mut description = args.description;
    for tag in &args.tags {
        description = format!("{description} [{tag}]").trim_start().to_owned();
    }
    let action = Action::new("linode.disk.imagize")
        .id("LinodeID", owner(v3, cx, disk).await?)
        .id("DiskID", disk)
        .text("Label", &args.label)
        .text("Description", &description);
    let id = v3.api.call(cx, action).await?.row().id("imageid")?;
    let status = "creating".to_owned();
    Ok(Image { id: format!("private/{id}"), label: args.label, description, status, ..Image::default() })
}

/// The Linode that a disk belongs to, which API v3 wants to know: all are asked, 25 in a request.
async fn owner(v3: &LinodeV3, cx: &Cx, disk: u64) -> Result<u64> {
    let linodes = v3.api.call(cx, Action::new("linode.list")).await?.rows();
    let linodes = linodes.iter().map(|row| row.id("linodeid")).collect::<Result<Vec<_>>>()?;
    let asked: Vec<_> = linodes.iter().map(|id| Action::new("linode.disk.list").id("LinodeID", *id)).collect();
    for (linode, disks) in linodes.iter().zip(v3.api.all(cx, &asked).await?) {
        match disks {
            Ok(disks) if disks.clone().rows().iter().any(|row| row.whole("diskid") == disk) => return Ok(*linode),
            Err(error) if error.kind != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Err(of_code(5, &format!("no Linode has a disk {disk}")))
}

pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    let image = number("id", args.id.strip_prefix("private/").unwrap_or(&args.id))?;
    v3.api.call(cx, Action::new("image.delete").id("ImageID", image)).await?;
    Ok(Nothing {})
}
