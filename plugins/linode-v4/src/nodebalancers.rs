//! NodeBalancers. Their ports are in `balancer_configs`, their backends in `balancer_nodes`.

use crate::api::{Api, Noun, done, number, one, some_number};
use crate::body::Body;
use crate::filter::Filter;
use crate::lenient::{List as Items, Text, Whole};
use crate::list::List;
use linodetool_plugin::{ById, CreateNodeBalancer, Cx, ListNodeBalancers, NodeBalancer, Nothing, Page, Result};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListNodeBalancers) -> Result<Page<NodeBalancer>> {
    let filter = Filter::default()
        .equals("label", args.label.clone())
        .equals("region", args.region.clone())
        .equals("tags", args.tag.clone());
    let mut balancers: Vec<NodeBalancer> = List::of(api, "/nodebalancers").filter(filter).read(cx).await?;
    balancers.retain(|balancer| {
        args.label.as_ref().is_none_or(|label| *label == balancer.label)
            && args.region.as_ref().is_none_or(|region| *region == balancer.region)
            && args.tag.as_ref().is_none_or(|tag| balancer.tags.contains(tag))
    });
    Ok(Page::whole(balancers))
}

pub(crate) async fn get(api: &Api, cx: &Cx, args: ById) -> Result<NodeBalancer> {
    one(cx, api.get(&path("id", &args.id)?)).await
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateNodeBalancer) -> Result<NodeBalancer> {
    let body = Body::new()
        .filled("label", &args.label)
        .with("region", &args.region)
        .some("client_conn_throttle", args.connection_throttle)
        .some("firewall_id", some_number("firewall_id", args.firewall_id.as_ref())?)
        .filled("tags", &args.tags);
    one(cx, api.post("/nodebalancers").json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path("id", &args.id)?)).await
}

/// The path of one NodeBalancer. `field` is the argument that names it.
pub(crate) fn path(field: &str, id: &str) -> Result<String> {
    Ok(format!("/nodebalancers/{}", number(field, id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeBalancerWire {
    id: Text,
    label: Text,
    region: Text,
    hostname: Text,
    ipv4: Text,
    ipv6: Text,
    client_conn_throttle: Whole,
    tags: Items<Text>,
}

impl Noun for NodeBalancer {
    type Wire = NodeBalancerWire;

    fn from_wire(wire: NodeBalancerWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            region: wire.region.0,
            hostname: wire.hostname.0,
            ipv4: wire.ipv4.0,
            ipv6: wire.ipv6.some(),
            connection_throttle: wire.client_conn_throttle.small(),
            tags: wire.tags.texts(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
