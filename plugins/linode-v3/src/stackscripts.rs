//! StackScripts of the account. API v3 lists other people's apart (`avail.stackscripts`), so these are one's own.

use crate::LinodeV3;
use crate::action::Action;
use crate::catalogue::{Catalogue, Source};
use crate::data::Row;
use crate::errors::{invalid, lacks};
use linodetool_plugin::{CreateStackScript, Cx, ListStackScripts, Page, Result, StackScript};

/// What API v4 calls every image.
const ALL: &str = "any/all";

pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: ListStackScripts) -> Result<Page<StackScript>> {
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    let rows = v3.api.call(cx, Action::new("stackscript.list")).await?.rows();
    let scripts = rows.iter().map(|row| script(&catalogue, row)).collect::<Result<Vec<_>>>()?;
    Ok(Page::whole(scripts.into_iter().filter(|s| args.label.as_ref().is_none_or(|label| *label == s.label)).collect()))
}

/// Never public: a public one can never be made private again.
pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateStackScript) -> Result<StackScript> {
    if args.images.is_empty() {
        return Err(invalid("images", "API v3 wants to know which images a StackScript is for; any/all: every one"));
    }
    if args.images.iter().any(|image| image.starts_with("private/")) {
        return Err(lacks("images", "StackScripts for images of one's own"));
    }
    let ids = v3.shelf.find(&v3.api, cx, |catalogue| distributions(catalogue, &args.images)).await?;
    let list = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let action = Action::new("stackscript.create")
        .text("Label", &args.label)
        .text("Description", &args.description)
        .text("DistributionIDList", list)
        .text("script", &args.script)
        .text("rev_note", &args.revision_note)
        .flag("isPublic", false);
    let id = v3.api.call(cx, action).await?.row().id("stackscriptid")?;
    Ok(StackScript {
        id: id.to_string(),
        label: args.label,
        description: args.description,
        images: args.images,
        script: args.script,
        public: false,
        revision_note: args.revision_note,
    })
}

fn distributions(catalogue: &Catalogue, images: &[String]) -> Result<Vec<u64>> {
    if images.iter().any(|image| image == ALL) {
        return Ok(catalogue.all_distributions().collect());
    }
    let mut ids = Vec::new();
    for image in images {
        match catalogue.source("images", image)? {
            Source::Distribution(id) if !ids.contains(&id) => ids.push(id),
            Source::Distribution(_) | Source::Image(_) => {}
        }
    }
    Ok(ids)
}

fn script(catalogue: &Catalogue, row: &Row) -> Result<StackScript> {
    // One alone may be a number; a list may end with a comma.
    let ids = row.text("distributionidlist");
    let ids = ids.split(',').filter_map(|id| id.trim().parse().ok());
    Ok(StackScript {
        id: row.id("stackscriptid")?.to_string(),
        label: row.text("label"),
        description: row.text("description"),
        images: ids.map(|id| catalogue.image_name(id)).collect(),
        script: row.text("script"),
        public: row.flag("ispublic"),
        revision_note: row.text("rev_note"),
    })
}
