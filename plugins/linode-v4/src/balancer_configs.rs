//! Ports of a NodeBalancer and how they are served.

use crate::api::{Api, Noun, done, number, one};
use crate::body::Body;
use crate::lenient::{Part, Text, Whole};
use crate::list::List;
use crate::nodebalancers;
use linodetool_plugin::{
    CreateNodeBalancerConfig, Cx, HealthCheck, NodeBalancerConfig, Nothing, OfNodeBalancer, OneNodeBalancerConfig,
    Page, Result,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: OfNodeBalancer) -> Result<Page<NodeBalancerConfig>> {
    Ok(Page::whole(List::of(api, &path(&args.nodebalancer)?).read(cx).await?))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateNodeBalancerConfig) -> Result<NodeBalancerConfig> {
    let check = args.check.unwrap_or_default();
    let body = Body::new()
        .with("port", args.port)
        .filled("protocol", &args.protocol)
        .filled("algorithm", &args.algorithm)
        .filled("stickiness", &args.stickiness)
        .filled("check", &check.kind)
        .filled("check_path", &check.path)
        .filled("check_body", &check.body)
        .some("check_interval", check.interval_s)
        .some("check_timeout", check.timeout_s)
        .some("check_attempts", check.attempts)
        .some("ssl_cert", args.ssl_cert)
        .some("ssl_key", args.ssl_key);
    one(cx, api.post(&path(&args.nodebalancer)?).json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: OneNodeBalancerConfig) -> Result<Nothing> {
    done(cx, api.delete(&part(&args.nodebalancer, &args.config)?)).await
}

fn path(balancer: &str) -> Result<String> {
    Ok(format!("{}/configs", nodebalancers::path("nodebalancer", balancer)?))
}

/// The path of one port.
pub(crate) fn part(balancer: &str, config: &str) -> Result<String> {
    Ok(format!("{}/{}", path(balancer)?, number("config", config)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigWire {
    id: Text,
    port: Whole,
    protocol: Text,
    algorithm: Text,
    stickiness: Text,
    check: Text,
    check_path: Text,
    check_body: Text,
    check_interval: Whole,
    check_timeout: Whole,
    check_attempts: Whole,
    nodes_status: Part<NodesWire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct NodesWire {
    up: Whole,
    down: Whole,
}

impl Noun for NodeBalancerConfig {
    type Wire = ConfigWire;

    fn from_wire(wire: ConfigWire) -> Self {
        Self {
            id: wire.id.0,
            port: u16::try_from(wire.port.0).unwrap_or_default(),
            protocol: wire.protocol.0,
            algorithm: wire.algorithm.0,
            stickiness: wire.stickiness.0,
            check: HealthCheck {
                kind: wire.check.0,
                path: wire.check_path.0,
                body: wire.check_body.0,
                interval_s: wire.check_interval.small(),
                timeout_s: wire.check_timeout.small(),
                attempts: wire.check_attempts.small(),
            },
            nodes_up: wire.nodes_status.0.up.small(),
            nodes_down: wire.nodes_status.0.down.small(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
