//! Backends behind a port of a NodeBalancer.

use crate::api::{Api, Noun, done, number, one};
use crate::balancer_configs;
use crate::body::Body;
use crate::lenient::{Text, Whole};
use crate::list::List;
use linodetool_plugin::{
    CreateNodeBalancerNode, Cx, NodeBalancerNode, Nothing, OneNodeBalancerConfig, OneNodeBalancerNode, Page, Result,
    UpdateNodeBalancerNode,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: OneNodeBalancerConfig) -> Result<Page<NodeBalancerNode>> {
    Ok(Page::whole(List::of(api, &path(&args.nodebalancer, &args.config)?).read(cx).await?))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateNodeBalancerNode) -> Result<NodeBalancerNode> {
    let body = Body::new()
        .with("label", &args.label)
        .with("address", &args.address)
        .some("weight", args.weight)
        .filled("mode", &args.mode);
    one(cx, api.post(&path(&args.nodebalancer, &args.config)?).json(&body)?).await
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateNodeBalancerNode) -> Result<NodeBalancerNode> {
    let path = part(&args.nodebalancer, &args.config, &args.id)?;
    let body = Body::new()
        .some("label", args.label)
        .some("address", args.address)
        .some("weight", args.weight)
        .some("mode", args.mode);
    one(cx, if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? }).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: OneNodeBalancerNode) -> Result<Nothing> {
    done(cx, api.delete(&part(&args.nodebalancer, &args.config, &args.id)?)).await
}

fn path(balancer: &str, config: &str) -> Result<String> {
    Ok(format!("{}/nodes", balancer_configs::part(balancer, config)?))
}

fn part(balancer: &str, config: &str, id: &str) -> Result<String> {
    Ok(format!("{}/{}", path(balancer, config)?, number("id", id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct NodeWire {
    id: Text,
    label: Text,
    address: Text,
    weight: Whole,
    mode: Text,
    /// `UP`, `DOWN` or `Unknown`.
    status: Text,
}

impl Noun for NodeBalancerNode {
    type Wire = NodeWire;

    fn from_wire(wire: NodeWire) -> Self {
        Self {
            id: wire.id.0,
            label: wire.label.0,
            address: wire.address.0,
            weight: wire.weight.small(),
            mode: wire.mode.0,
            status: wire.status.0.to_ascii_lowercase(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
