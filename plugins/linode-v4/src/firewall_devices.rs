//! What stands behind a Cloud Firewall: Linodes and NodeBalancers.

use crate::api::{Api, Noun, done, invalid, number};
use crate::body::Body;
use crate::firewalls::path;
use crate::lenient::{Part, Text};
use crate::list::List;
use linodetool_plugin::{Cx, ErrorKind, FirewallDevice, Nothing, ProviderError, Result};
use serde::Deserialize;

pub(crate) async fn add(api: &Api, cx: &Cx, args: FirewallDevice) -> Result<Nothing> {
    let (kind, id) = guarded(&args)?;
    let body = Body::new().with("id", id).with("type", kind);
    done(cx, api.post(&format!("{}/devices", path(&args.firewall)?)).json(&body)?).await
}

/// A device has an id of its own, which only the list tells.
pub(crate) async fn remove(api: &Api, cx: &Cx, args: FirewallDevice) -> Result<Nothing> {
    let (kind, id) = guarded(&args)?;
    let devices = format!("{}/devices", path(&args.firewall)?);
    let there: Vec<Device> = List::of(api, &devices).read(cx).await?;
    let Some(device) = there.iter().find(|device| device.is(kind, id)) else {
        let what = if kind == "linode" { "instance" } else { kind };
        let message = format!("{what} {id} is not behind firewall {}", args.firewall);
        return Err(ProviderError::new(ErrorKind::NotFound, message));
    };
    done(cx, api.delete(&format!("{devices}/{}", number("device", &device.id)?))).await
}

/// Kind and id as API v4 writes them.
fn guarded(args: &FirewallDevice) -> Result<(&'static str, u64)> {
    match (&args.instance, &args.nodebalancer) {
        (Some(instance), None) => Ok(("linode", number("instance", instance)?)),
        (None, Some(balancer)) => Ok(("nodebalancer", number("nodebalancer", balancer)?)),
        _ => Err(invalid("instance", "give exactly one of `instance` and `nodebalancer`".to_owned())),
    }
}

struct Device {
    id: String,
    /// What it stands for, and what that is a part of: an interface belongs to a Linode.
    entities: [EntityWire; 2],
}

impl Device {
    fn is(&self, kind: &str, id: u64) -> bool {
        self.entities.iter().any(|entity| entity.kind.0 == kind && entity.id.0.parse() == Ok(id))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeviceWire {
    id: Text,
    entity: Part<GuardedWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct GuardedWire {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
    parent_entity: Part<EntityWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EntityWire {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
}

impl Noun for Device {
    type Wire = DeviceWire;

    fn from_wire(wire: DeviceWire) -> Self {
        let GuardedWire { id, kind, parent_entity } = wire.entity.0;
        Self { id: wire.id.0, entities: [EntityWire { id, kind }, parent_entity.0] }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
