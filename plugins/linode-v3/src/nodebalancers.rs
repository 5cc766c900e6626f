//! NodeBalancers, their configurations (one a port) and backends.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::catalogue::Catalogue;
use crate::data::Row;
use crate::errors::{lacks, of_code};
use linodetool_plugin::*;

pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: ListNodeBalancers) -> Result<Page<NodeBalancer>> {
    let mut all = read(v3, cx, Action::new("nodebalancer.list")).await?;
    all.retain(|one| {
        args.label.as_ref().is_none_or(|label| *label == one.label)
            && args.region.as_ref().is_none_or(|region| *region == one.region)
            && args.tag.is_none()
    });
    Ok(Page::whole(all))
}

pub(crate) async fn get(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<NodeBalancer> {
    let mut all = read(v3, cx, Action::new("nodebalancer.list").id("NodeBalancerID", number("id", &args.id)?)).await?;
    all.retain(|one| one.id == args.id);
    all.pop().ok_or_else(|| of_code(5, "Object not found"))
}

/// With its addresses, which the answer of the create does not tell. Where they cannot be read, it is made all the same.
pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateNodeBalancer) -> Result<NodeBalancer> {
    if args.firewall_id.is_some() {
        return Err(lacks("firewall_id", "Cloud Firewalls"));
    }
    if !args.tags.is_empty() {
        return Err(lacks("tags", "tags of NodeBalancers"));
    }
    let datacenter = v3.shelf.find(&v3.api, cx, |c| c.region_id(&args.region)).await?;
    let action = Action::new("nodebalancer.create")
        .id("DatacenterID", datacenter)
        .text("Label", &args.label)
        .number("ClientConnThrottle", args.connection_throttle);
    let id = v3.api.call(cx, action).await?.row().id("nodebalancerid")?.to_string();
    if let Ok(whole) = get(v3, cx, ById::new(&id)).await {
        return Ok(whole);
    }
    Ok(NodeBalancer {
        id,
        label: args.label,
        region: v3.shelf.get(&v3.api, cx).await?.region_name(datacenter),
        connection_throttle: args.connection_throttle.unwrap_or_default(),
        ..NodeBalancer::default()
    })
}

pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    v3.api.call(cx, Action::new("nodebalancer.delete").id("NodeBalancerID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

async fn read(v3: &LinodeV3, cx: &Cx, action: Action) -> Result<Vec<NodeBalancer>> {
    let catalogue = v3.shelf.get(&v3.api, cx).await?;
    v3.api.call(cx, action).await?.rows().iter().map(|row| nodebalancer(&catalogue, row)).collect()
}

fn nodebalancer(catalogue: &Catalogue, row: &Row) -> Result<NodeBalancer> {
    Ok(NodeBalancer {
        id: row.id("nodebalancerid")?.to_string(),
        label: row.text("label"),
        region: catalogue.region_name(row.whole("datacenterid")),
        hostname: row.text("hostname"),
        ipv4: row.text("address4"),
        ipv6: Some(row.text("address6")).filter(|address| !address.is_empty()),
        connection_throttle: row.small("clientconnthrottle"),
        tags: Vec::new(),
    })
}

pub(crate) async fn configs(v3: &LinodeV3, cx: &Cx, args: OfNodeBalancer) -> Result<Page<NodeBalancerConfig>> {
    let id = number("nodebalancer", &args.nodebalancer)?;
    let rows = v3.api.call(cx, Action::new("nodebalancer.config.list").id("NodeBalancerID", id)).await?.rows();
    Ok(Page::whole(rows.iter().map(config).collect::<Result<_>>()?))
}

/// How many backends are up API v3 does not say here.
fn config(row: &Row) -> Result<NodeBalancerConfig> {
    Ok(NodeBalancerConfig {
        id: row.id("configid")?.to_string(),
        port: u16::try_from(row.whole("port")).unwrap_or_default(),
        protocol: row.text("protocol"),
        algorithm: row.text("algorithm"),
        stickiness: row.text("stickiness"),
        check: HealthCheck {
            kind: row.text("check"),
            path: row.text("check_path"),
            body: row.text("check_body"),
            interval_s: row.small("check_interval"),
            timeout_s: row.small("check_timeout"),
            attempts: row.small("check_attempts"),
        },
        nodes_up: 0,
        nodes_down: 0,
    })
}

/// What is not said the provider chooses: it is read back. Where that fails, it is made all the same.
pub(crate) async fn create_config(
    v3: &LinodeV3,
    cx: &Cx,
    args: CreateNodeBalancerConfig,
) -> Result<NodeBalancerConfig> {
    let id = number("nodebalancer", &args.nodebalancer)?;
    if args.protocol == "udp" {
        return Err(lacks("protocol", "NodeBalancers for UDP"));
    }
    if args.algorithm == "ring_hash" {
        return Err(lacks("algorithm", "`ring_hash`"));
    }
    if ["session", "source_ip"].contains(&args.stickiness.as_str()) {
        return Err(lacks("stickiness", "stickiness but `none`, `table` and `http_cookie`"));
    }
    let check = args.check.unwrap_or_default();
    let action = Action::new("nodebalancer.config.create")
        .id("NodeBalancerID", id)
        .id("Port", args.port.into())
        .text("Protocol", &args.protocol)
        .text("Algorithm", &args.algorithm)
        .text("Stickiness", &args.stickiness)
        .text("check", &check.kind)
        .text("check_path", &check.path)
        .text("check_body", &check.body)
        .number("check_interval", check.interval_s)
        .number("check_timeout", check.timeout_s)
        .number("check_attempts", check.attempts)
        .text("ssl_cert", args.ssl_cert.unwrap_or_default())
        .secret("ssl_key", args.ssl_key.as_ref());
    let made = v3.api.call(cx, action).await?.row().id("configid")?;
    let look = Action::new("nodebalancer.config.list").id("NodeBalancerID", id).id("ConfigID", made);
    if let Some(whole) = v3.api.call(cx, look).await.ok().and_then(|data| config(&data.row()).ok()) {
        return Ok(whole);
    }
    Ok(NodeBalancerConfig {
        id: made.to_string(),
        port: args.port,
        protocol: args.protocol,
        algorithm: args.algorithm,
        stickiness: args.stickiness,
        check: HealthCheck {
            kind: check.kind,
            path: check.path,
            body: check.body,
            interval_s: check.interval_s.unwrap_or_default(),
            timeout_s: check.timeout_s.unwrap_or_default(),
            attempts: check.attempts.unwrap_or_default(),
        },
        nodes_up: 0,
        nodes_down: 0,
    })
}

pub(crate) async fn delete_config(v3: &LinodeV3, cx: &Cx, args: OneNodeBalancerConfig) -> Result<Nothing> {
    let id = number("nodebalancer", &args.nodebalancer)?;
    let action = Action::new("nodebalancer.config.delete").id("NodeBalancerID", id);
    v3.api.call(cx, action.id("ConfigID", number("config", &args.config)?)).await?;
    Ok(Nothing {})
}

pub(crate) async fn nodes(v3: &LinodeV3, cx: &Cx, args: OneNodeBalancerConfig) -> Result<Page<NodeBalancerNode>> {
    number("nodebalancer", &args.nodebalancer)?;
    let config = number("config", &args.config)?;
    let rows = v3.api.call(cx, Action::new("nodebalancer.node.list").id("ConfigID", config)).await?.rows();
    Ok(Page::whole(rows.iter().map(node).collect::<Result<_>>()?))
}

fn node(row: &Row) -> Result<NodeBalancerNode> {
    Ok(NodeBalancerNode {
        id: row.id("nodeid")?.to_string(),
        label: row.text("label"),
        address: row.text("address"),
        weight: row.small("weight"),
        mode: row.text("mode"),
        status: row.text("status").to_ascii_lowercase(),
    })
}

pub(crate) async fn create_node(v3: &LinodeV3, cx: &Cx, args: CreateNodeBalancerNode) -> Result<NodeBalancerNode> {
    number("nodebalancer", &args.nodebalancer)?;
    if args.mode == "backup" {
        return Err(lacks("mode", "backends that only stand in for others"));
    }
    let config = number("config", &args.config)?;
    let mode = if args.mode.is_empty() { "accept".to_owned() } else { args.mode };
    let action = Action::new("nodebalancer.node.create")
        .id("ConfigID", config)
        .text("Label", &args.label)
        .text("Address", &args.address)
        .text("Mode", &mode)
        .number("Weight", args.weight);
    let id = v3.api.call(cx, action).await?.row().id("nodeid")?;
    let look = Action::new("nodebalancer.node.list").id("ConfigID", config).id("NodeID", id);
    if let Some(whole) = v3.api.call(cx, look).await.ok().and_then(|data| node(&data.row()).ok()) {
        return Ok(whole);
    }
    Ok(NodeBalancerNode {
        id: id.to_string(),
        label: args.label,
        address: args.address,
        weight: args.weight.unwrap_or_default(),
        mode,
        status: "unknown".to_owned(),
    })
}

pub(crate) async fn delete_node(v3: &LinodeV3, cx: &Cx, args: OneNodeBalancerNode) -> Result<Nothing> {
    number("nodebalancer", &args.nodebalancer)?;
    number("config", &args.config)?;
    v3.api.call(cx, Action::new("nodebalancer.node.delete").id("NodeID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}
