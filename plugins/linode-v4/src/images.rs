//! Images of the account. The list of all images is in `catalogue`.

use crate::api::{Api, done, invalid, number, one};
use crate::body::Body;
use linodetool_plugin::{ById, CreateImage, Cx, Image, Nothing, Result};

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateImage) -> Result<Image> {
    let body = Body::new()
        .with("disk_id", number("disk", &args.disk)?)
        .filled("label", &args.label)
        .filled("description", &args.description)
        .some("cloud_init", args.cloud_init)
        .filled("tags", &args.tags);
    one(cx, api.post("/images").json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path(&args.id)?)).await
}

/// Only the account's own can go. The slash stands as it is: API v4 takes it so, and `%2F` in a path is refused by the host.
fn path(id: &str) -> Result<String> {
    match id.strip_prefix("private/").map(|id| number("id", id)) {
        Some(Ok(id)) => Ok(format!("/images/private/{id}")),
        _ => Err(invalid("id", format!("`{id}` is no image of the account: theirs are called private/15"))),
    }
}
