//! NodeBalancers, their configurations and nodes.
//!
//! Owns: these methods. Does not know what a NodeBalancer does.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::call::{Answer, Call, bit};
use super::fault::Fault;
use super::ids;
use crate::rules::label_problem;
use crate::world::{BalancerConfig, BalancerNode, NodeBalancer};

/// Connections a second of one client; 0: as many as come.
const MOST_THROTTLE: u64 = 20;

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("nodebalancerid");
    let all = call.world.nodebalancers.values().filter(|one| wanted.is_none_or(|wanted| wanted == one.id));
    let rows: Vec<_> = all.map(|one| row(call, one)).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(call: &Call<'_>, one: &NodeBalancer) -> Value {
    let dashed = one.ipv4.to_string().replace('.', "-");
    json!({
        "NODEBALANCERID": one.id, "LABEL": one.label, "DATACENTERID": ids::datacenter(call.world.catalogue, one.region.id),
        "HOSTNAME": format!("nb-{dashed}.sandbox.invalid"), "ADDRESS4": one.ipv4.to_string(),
        "ADDRESS6": format!("fd98:1a0d:1::{:x}", one.id), "CLIENTCONNTHROTTLE": one.throttle, "STATUS": "active",
    })
}

fn checked(call: &Call<'_>, present: Option<u64>) -> Result<(), Fault> {
    let label = call.text("label");
    if call.number("clientconnthrottle").is_some_and(|throttle| throttle > MOST_THROTTLE) {
        return Err(Fault::invalid(format!("ClientConnThrottle must be 0-{MOST_THROTTLE}")));
    }
    if label.is_empty() {
        return Ok(());
    }
    if let Some(problem) = label_problem(label, 3, 32) {
        return Err(Fault::invalid(format!("Label: {problem}")));
    }
    match call.world.nodebalancer_labelled(label) {
        Some(owner) if Some(owner) != present => Err(Fault::invalid("A NodeBalancer with that label exists already")),
        _ => Ok(()),
    }
}

/// Answers with a list of one, as nothing else does.
pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let region = ids::region(call.world.catalogue, call.id("datacenterid"));
    let region = region.ok_or_else(|| Fault::invalid("DatacenterID is not one of avail.datacenters"))?;
    checked(call, None)?;
    let throttle = call.number("clientconnthrottle").unwrap_or_default();
    let limit = || Fault::new(15, "Account Limit reached. Please open a support ticket.");
    let (label, now) = (call.text("label"), call.now);
    let id = call.world.add_nodebalancer(label, region, throttle, now).ok_or_else(limit)?;
    Ok(json!([{"NodeBalancerID": id}]))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let (id, label, throttle) = (call.id("nodebalancerid"), call.text("label"), call.number("clientconnthrottle"));
    checked(call, Some(id))?;
    let one = call.world.nodebalancers.get_mut(&id).ok_or_else(Fault::not_found)?;
    if !label.is_empty() {
        label.clone_into(&mut one.label);
    }
    one.throttle = throttle.unwrap_or(one.throttle);
    Ok(json!([{"NodeBalancerID": id}]))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.id("nodebalancerid");
    if call.world.remove_nodebalancer(id, call.now) {
        Ok(json!({"NodeBalancerID": id}))
    } else {
        Err(Fault::not_found())
    }
}

pub(super) fn configs(call: &mut Call<'_>) -> Answer {
    let (id, wanted) = (call.id("nodebalancerid"), call.number("configid"));
    let one = call.world.nodebalancers.get(&id).ok_or_else(Fault::not_found)?;
    let all = one.configs.values().filter(|config| wanted.is_none_or(|wanted| wanted == config.id));
    let rows: Vec<_> = all.map(|config| config_row(id, config)).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn config_row(nodebalancer: u64, one: &BalancerConfig) -> Value {
    let (name, print) = if one.has_certificate { ("sandbox.invalid", "00:00:00:00") } else { ("", "") };
    json!({
        "CONFIGID": one.id, "NODEBALANCERID": nodebalancer, "PORT": one.port, "PROTOCOL": one.protocol,
        "ALGORITHM": one.algorithm, "STICKINESS": one.stickiness, "CHECK": one.check, "CHECK_INTERVAL": one.check_interval,
        "CHECK_TIMEOUT": one.check_timeout, "CHECK_ATTEMPTS": one.check_attempts, "CHECK_PATH": one.check_path,
        "CHECK_BODY": one.check_body, "CHECK_PASSIVE": bit(one.check_passive), "CIPHER_SUITE": one.cipher_suite,
        "SSL_COMMONNAME": name, "SSL_FINGERPRINT": print,
    })
}

pub(super) fn create_config(call: &mut Call<'_>) -> Answer {
    let id = call.id("nodebalancerid");
    let one = call.world.nodebalancers.get(&id).ok_or_else(Fault::not_found)?;
    let config = applied(call, one, BalancerConfig::default())?;
    let config = call.world.add_balancer_config(id, config).ok_or_else(Fault::not_found)?;
    Ok(json!({"ConfigID": config}))
}

pub(super) fn update_config(call: &mut Call<'_>) -> Answer {
    let id = call.id("configid");
    let (one, present) = call.world.balancer_config(id).ok_or_else(Fault::not_found)?;
    let changed = applied(call, one, present.clone())?;
    if let Some(config) = call.world.balancer_config_mut(id) {
        *config = changed;
    }
    Ok(json!({"ConfigID": id}))
}

pub(super) fn delete_config(call: &mut Call<'_>) -> Answer {
    let (id, config) = (call.id("nodebalancerid"), call.id("configid"));
    let one = call.world.nodebalancers.get_mut(&id).ok_or_else(Fault::not_found)?;
    one.configs.remove(&config).map(|_| json!({"ConfigID": config})).ok_or_else(Fault::not_found)
}

/// A configuration with what a call says of it.
fn applied(call: &Call<'_>, of: &NodeBalancer, mut one: BalancerConfig) -> Result<BalancerConfig, Fault> {
    let word = |into: &mut String, name: &str, words: &[&str]| match call.text(name) {
        "" => Ok(()),
        text if words.contains(&text) => {
            text.clone_into(into);
            Ok(())
        }
        _ => Err(Fault::invalid(format!("{name} must be one of {}", words.join(", ")))),
    };
    word(&mut one.protocol, "protocol", &["http", "https", "tcp"])?;
    word(&mut one.algorithm, "algorithm", &["roundrobin", "leastconn", "source"])?;
    word(&mut one.stickiness, "stickiness", &["none", "table", "http_cookie"])?;
    word(&mut one.check, "check", &["none", "connection", "http", "http_body"])?;
    word(&mut one.cipher_suite, "cipher_suite", &["recommended", "legacy"])?;
    let number = |into: &mut u64, name: &str, from: u64, to: u64| match call.text(name) {
        "" => Ok(()),
        _ => match call.number(name).filter(|number| (from..=to).contains(number)) {
            Some(number) => {
                *into = number;
                Ok(())
            }
            None => Err(Fault::invalid(format!("{name} must be {from}-{to}"))),
        },
    };
    number(&mut one.port, "port", 1, 65_534)?;
    number(&mut one.check_interval, "check_interval", 2, 3600)?;
    number(&mut one.check_timeout, "check_timeout", 1, 30)?;
    number(&mut one.check_attempts, "check_attempts", 1, 30)?;
    if let Some(path) = call.given("check_path") {
        path.clone_into(&mut one.check_path);
    }
    if let Some(body) = call.given("check_body") {
        body.clone_into(&mut one.check_body);
    }
    one.check_passive = call.flag("check_passive").unwrap_or(one.check_passive);
    one.has_certificate |= !call.text("ssl_cert").is_empty() && !call.text("ssl_key").is_empty();
    if one.protocol == "https" && !one.has_certificate {
        return Err(Fault::invalid("ssl_cert and ssl_key are required when Protocol=https"));
    }
    if of.configs.values().any(|other| other.id != one.id && other.port == one.port) {
        return Err(Fault::invalid(format!("This NodeBalancer has a configuration for port {} already", one.port)));
    }
    Ok(one)
}

pub(super) fn nodes(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("nodeid");
    let (of, config) = call.world.balancer_config(call.id("configid")).ok_or_else(Fault::not_found)?;
    let all = config.nodes.values().filter(|node| wanted.is_none_or(|wanted| wanted == node.id));
    let row = |node: &BalancerNode| {
        json!({
            "NODEID": node.id, "CONFIGID": config.id, "NODEBALANCERID": of.id, "LABEL": node.label,
            "ADDRESS": node.address, "WEIGHT": node.weight, "MODE": node.mode, "STATUS": "Unknown",
        })
    };
    let rows: Vec<_> = all.map(row).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

pub(super) fn create_node(call: &mut Call<'_>) -> Answer {
    let config = call.id("configid");
    call.world.balancer_config(config).ok_or_else(Fault::not_found)?;
    let node = applied_node(call, BalancerNode { weight: 100, mode: "accept".to_owned(), ..BalancerNode::default() })?;
    let id = call.world.add_balancer_node(config, node).ok_or_else(Fault::not_found)?;
    Ok(json!({"NodeID": id}))
}

/// The configuration that has this node.
fn holder(call: &Call<'_>, node: u64) -> Result<u64, Fault> {
    let configs = call.world.nodebalancers.values().flat_map(|one| one.configs.values());
    let holder = configs.into_iter().find(|config| config.nodes.contains_key(&node));
    holder.map(|config| config.id).ok_or_else(Fault::not_found)
}

pub(super) fn update_node(call: &mut Call<'_>) -> Answer {
    let id = call.id("nodeid");
    let config = holder(call, id)?;
    let present = call.world.balancer_config(config).and_then(|(_, config)| config.nodes.get(&id)).cloned();
    let changed = applied_node(call, present.ok_or_else(Fault::not_found)?)?;
    if let Some(config) = call.world.balancer_config_mut(config) {
        config.nodes.insert(id, changed);
    }
    Ok(json!({"NodeID": id}))
}

pub(super) fn delete_node(call: &mut Call<'_>) -> Answer {
    let id = call.id("nodeid");
    let config = holder(call, id)?;
    if let Some(config) = call.world.balancer_config_mut(config) {
        config.nodes.remove(&id);
    }
    Ok(json!({"NodeID": id}))
}

fn applied_node(call: &Call<'_>, mut one: BalancerNode) -> Result<BalancerNode, Fault> {
    if !call.text("label").is_empty() {
        call.text("label").clone_into(&mut one.label);
    }
    if !call.text("address").is_empty() {
        call.text("address").clone_into(&mut one.address);
    }
    one.weight = call.number("weight").unwrap_or(one.weight);
    match call.text("mode") {
        "" => {}
        mode @ ("accept" | "reject" | "drain") => mode.clone_into(&mut one.mode),
        _ => return Err(Fault::invalid("Mode must be one of accept, reject, drain")),
    }
    if !(1..=255).contains(&one.weight) {
        return Err(Fault::invalid("Weight must be 1-255"));
    }
    let private = |ip: Ipv4Addr| ip.octets()[..2] == [192, 168] && ip.octets()[2] >= 128;
    let parts = one.address.split_once(':');
    let fits =
        parts.is_some_and(|(ip, port)| ip.parse().is_ok_and(private) && port.parse::<u16>().is_ok_and(|p| p > 0));
    if fits { Ok(one) } else { Err(Fault::invalid("Address must be a private address and a port, 192.168.x.y:port")) }
}
