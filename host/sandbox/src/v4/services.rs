//! Volumes, domains and NodeBalancers, as API v4 shows them.
//!
//! Owns: these lists. Does not know how the things come to be (`volumes.rs`, `nodebalancers.rs`, `v3`).

use serde_json::{Value, json};

use super::call::{Answer, Call, Route, ok};
use super::error::Refused;
use super::filter::{Field, Row};
use crate::world::{BalancerConfig, BalancerNode, Domain, DomainRecord, NodeBalancer, Volume, World};

const VOLUMES: &str = "volumes:read_only";
const DOMAINS: &str = "domains:read_only";
const BALANCERS: &str = "nodebalancers:read_only";

pub(super) const ROUTES: &[Route] = &[
    Route::list("volumes", VOLUMES, |call| {
        call.list(call.world.volumes.values(), |one| volume_view(call.world, call.now.0, one))
    }),
    Route::new("GET", "volumes/{}", VOLUMES, |call| {
        let one = call.world.volumes.get(&call.id(0)?).ok_or_else(Refused::not_found)?;
        ok(volume_view(call.world, call.now.0, one))
    }),
    Route::list("domains", DOMAINS, |call| call.list(call.world.domains.values(), |one| domain_view(one))),
    Route::new("GET", "domains/{}", DOMAINS, |call| ok(domain_view(domain(call)?))),
    Route::list("domains/{}/records", DOMAINS, |call| {
        call.list(domain(call)?.records.values(), |one| record_view(one))
    }),
    Route::new("GET", "domains/{}/records/{}", DOMAINS, |call| {
        ok(record_view(domain(call)?.records.get(&call.id(1)?).ok_or_else(Refused::not_found)?))
    }),
    Route::list("nodebalancers", BALANCERS, |call| {
        call.list(call.world.nodebalancers.values(), |one| balancer_view(one))
    }),
    Route::new("GET", "nodebalancers/{}", BALANCERS, |call| ok(balancer_view(balancer(call)?))),
    Route::list("nodebalancers/{}/configs", BALANCERS, configs),
    Route::list("nodebalancers/{}/configs/{}/nodes", BALANCERS, nodes),
];

/// Those that are attached to a Linode.
pub(super) fn volumes_of(call: &mut Call<'_>, linode: u64) -> Answer {
    let all = call.world.volumes.values().filter(|one| one.linode == Some(linode));
    call.list(all, |one| volume_view(call.world, call.now.0, one))
}

pub(super) fn volume_view(world: &World, now: u64, one: &Volume) -> Value {
    let linode = one.linode.and_then(|id| world.linodes.get(&id));
    let made = now >= one.ready.0;
    json!({
        "id": one.id,
        "label": one.label,
        "status": if made { "active" } else { "creating" },
        "region": one.region.id,
        "size": one.size,
        "linode_id": one.linode,
        "linode_label": linode.map(|linode| linode.label.as_str()),
        "filesystem_path": format!("/dev/disk/by-id/scsi-0Linode_Volume_{}", one.label),
        "hardware_type": "nvme",
        "encryption": "disabled",
        "io_ready": made && one.linode.is_some(),
        "tags": one.tags,
        "created": one.created.wire(),
        "updated": one.created.wire(),
    })
}

fn domain<'a>(call: &'a Call<'_>) -> Result<&'a Domain, Refused> {
    call.world.domains.get(&call.id(0)?).ok_or_else(Refused::not_found)
}

fn domain_view(one: &Domain) -> Value {
    json!({
        "id": one.id,
        "domain": one.domain,
        "type": one.kind,
        "status": match one.status { 0 => "disabled", 2 => "edit_mode", _ => "active" },
        "soa_email": one.soa_email,
        "description": one.description,
        "group": one.group,
        "tags": [],
        "ttl_sec": one.ttl,
        "retry_sec": one.retry,
        "expire_sec": one.expire,
        "refresh_sec": one.refresh,
        "master_ips": one.master_ips,
        "axfr_ips": one.axfr_ips,
    })
}

fn record_view(one: &DomainRecord) -> Value {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "id": one.id,
        "type": one.kind.to_ascii_uppercase(),
        "name": one.name,
        "target": one.target,
        "priority": one.priority,
        "weight": one.weight,
        "port": one.port,
        "service": null,
        "protocol": text(&one.protocol),
        "ttl_sec": one.ttl,
        "tag": text(&one.tag),
    })
}

fn balancer<'a>(call: &'a Call<'_>) -> Result<&'a NodeBalancer, Refused> {
    call.world.nodebalancers.get(&call.id(0)?).ok_or_else(Refused::not_found)
}

pub(super) fn balancer_view(one: &NodeBalancer) -> Value {
    let dashed = one.ipv4.to_string().replace('.', "-");
    json!({
        "id": one.id,
        "label": one.label,
        "region": one.region.id,
        "hostname": format!("nb-{dashed}.sandbox.invalid"),
        "ipv4": one.ipv4.to_string(),
        "ipv6": format!("fd98:1a0d:1::{:x}", one.id),
        "client_conn_throttle": one.throttle,
        "type": "common",
        "tags": one.tags,
        "transfer": {"in": 0.0, "out": 0.0, "total": 0.0},
    })
}

fn configs(call: &mut Call<'_>) -> Answer {
    let one = balancer(call)?;
    call.list(one.configs.values(), |config| config_view(one.id, config))
}

fn config_view(nodebalancer: u64, one: &BalancerConfig) -> Value {
    json!({
        "id": one.id,
        "nodebalancer_id": nodebalancer,
        "port": one.port,
        "protocol": one.protocol,
        "algorithm": one.algorithm,
        "stickiness": one.stickiness,
        "check": one.check,
        "check_interval": one.check_interval,
        "check_timeout": one.check_timeout,
        "check_attempts": one.check_attempts,
        "check_path": one.check_path,
        "check_body": one.check_body,
        "check_passive": one.check_passive,
        "cipher_suite": one.cipher_suite,
        "proxy_protocol": "none",
        "ssl_commonname": if one.has_certificate { "sandbox.invalid" } else { "" },
        "ssl_fingerprint": if one.has_certificate { "00:00:00:00" } else { "" },
        "ssl_cert": null,
        "ssl_key": null,
        "nodes_status": {"up": 0, "down": 0},
    })
}

fn nodes(call: &mut Call<'_>) -> Answer {
    let (one, config) = (balancer(call)?, call.id(1)?);
    let config = one.configs.get(&config).ok_or_else(Refused::not_found)?;
    call.list(config.nodes.values(), |node| {
        json!({
            "id": node.id, "nodebalancer_id": one.id, "config_id": config.id, "label": node.label,
            "address": node.address, "weight": node.weight, "mode": node.mode, "status": "Unknown",
        })
    })
}

impl Row for &Volume {
    const FILTERABLE: &'static [&'static str] = &["label", "tags"];

    fn field(&self, name: &str) -> Field<'_> {
        if name == "label" { Field::text(self.label.as_str()) } else { Field::many(&[]) }
    }
}

impl Row for &Domain {
    const FILTERABLE: &'static [&'static str] = &["domain", "group", "tags"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "domain" => Field::text(self.domain.as_str()),
            "group" => Field::text(self.group.as_str()),
            _ => Field::many(&[]),
        }
    }
}

impl Row for &DomainRecord {
    const FILTERABLE: &'static [&'static str] = &["name", "tag", "target", "type"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "name" => Field::text(self.name.as_str()),
            "tag" => Field::text(self.tag.as_str()),
            "target" => Field::text(self.target.as_str()),
            _ => Field::text(self.kind.to_ascii_uppercase()),
        }
    }
}

impl Row for &NodeBalancer {
    const FILTERABLE: &'static [&'static str] = &["ipv4", "label", "region", "tags"];

    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "ipv4" => Field::text(self.ipv4.to_string()),
            "label" => Field::text(self.label.as_str()),
            "region" => Field::text(self.region.id),
            _ => Field::many(&[]),
        }
    }
}

impl Row for &BalancerConfig {
    const FILTERABLE: &'static [&'static str] = &[];

    fn field(&self, _: &str) -> Field<'_> {
        Field::Null
    }
}

impl Row for &BalancerNode {
    const FILTERABLE: &'static [&'static str] = &[];

    fn field(&self, _: &str) -> Field<'_> {
        Field::Null
    }
}
