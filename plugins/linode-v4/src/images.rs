//! Images of the account. The list of all images is in `catalogue`.

use crate::api::{Api, done, number, one, segment};
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
    done(cx, api.delete(&format!("/images/{}", segment("id", &args.id)?))).await
}
