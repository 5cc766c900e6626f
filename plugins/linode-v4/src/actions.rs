//! What can be done with a Linode that is there: power, rescue, password, rebuild, resize, clone.

use crate::api::{Api, done, invalid, one, send, some_number};
use crate::body::Body;
use crate::configs::devices;
use crate::instances::{self, Metadata, path};
use linodetool_plugin::{
    ById, CloneInstance, Cx, Instance, Nothing, ProviderError, RebuildInstance, RescueInstance, ResetPassword,
    ResizeInstance, Result,
};

pub(crate) async fn boot(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    let request = api.post(&format!("{}/boot", path("id", &args.id)?)).safe_to_repeat(true);
    match send(cx, request.json(&Nothing {})?).await {
        // The first one, whose answer was lost, has done it.
        Err(error) if already_booted(&error) => Ok(Nothing {}),
        other => other.map(|_| Nothing {}),
    }
}

/// `Linode 7 already booted.`
fn already_booted(error: &ProviderError) -> bool {
    error.status == Some(400) && error.message.starts_with("Linode ") && error.message.contains("already booted")
}

pub(crate) async fn shutdown(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    let request = api.post(&format!("{}/shutdown", path("id", &args.id)?)).safe_to_repeat(true);
    done(cx, request.json(&Nothing {})?).await
}

/// Not repeated: the second one would cut what the first one started.
pub(crate) async fn reboot(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.post(&format!("{}/reboot", path("id", &args.id)?)).json(&Nothing {})?).await
}

/// Not repeated, like `reboot`.
pub(crate) async fn rescue(api: &Api, cx: &Cx, args: RescueInstance) -> Result<Nothing> {
    let body = Body::new().filled("devices", devices(&args.devices)?);
    done(cx, api.post(&format!("{}/rescue", path("id", &args.id)?)).json(&body)?).await
}

/// May be repeated: it sets a value.
pub(crate) async fn reset_password(api: &Api, cx: &Cx, args: ResetPassword) -> Result<Nothing> {
    let Some(root_pass) = args.root_pass else {
        return Err(invalid("root_pass", "say which password root is to have".to_owned()));
    };
    let request = api.post(&format!("{}/password", path("id", &args.id)?)).safe_to_repeat(true);
    done(cx, request.json(&Body::new().with("root_pass", root_pass))?).await
}

/// Not repeated: the second one would destroy what the first one has made.
pub(crate) async fn rebuild(api: &Api, cx: &Cx, args: RebuildInstance) -> Result<Instance> {
    let body = Body::new()
        .with("image", &args.image)
        .filled("authorized_keys", &args.authorized_keys)
        .some("root_pass", args.root_pass)
        .some("metadata", Metadata::of(args.user_data))
        .some("stackscript_id", some_number("stackscript_id", args.stackscript_id.as_ref())?)
        .filled("stackscript_data", &args.stackscript_data)
        .some("booted", args.booted);
    one(cx, api.post(&format!("{}/rebuild", path("id", &args.id)?)).json(&body)?).await
}

pub(crate) async fn resize(api: &Api, cx: &Cx, args: ResizeInstance) -> Result<Nothing> {
    let body = Body::new()
        .with("type", &args.type_id)
        .with("migration_type", if args.warm { "warm" } else { "cold" })
        .some("allow_auto_disk_resize", args.resize_disk);
    done(cx, api.post(&format!("{}/resize", path("id", &args.id)?)).json(&body)?).await
}

/// API v4 wants region and type of a new Linode said; where they are not given, they are those of the old one.
pub(crate) async fn clone(api: &Api, cx: &Cx, args: CloneInstance) -> Result<Instance> {
    let path = format!("{}/clone", path("id", &args.id)?);
    let (region, type_id) = match (args.region, args.type_id) {
        (Some(region), Some(type_id)) => (region, type_id),
        (region, type_id) => {
            let old = instances::get(api, cx, ById::new(args.id)).await?;
            (region.unwrap_or(old.region), type_id.unwrap_or(old.type_id))
        }
    };
    let body = Body::new()
        .filled("label", &args.label)
        .with("region", region)
        .with("type", type_id)
        .some("private_ip", args.private_ip.then_some(true));
    one(cx, api.post(&path).json(&body)?).await
}
