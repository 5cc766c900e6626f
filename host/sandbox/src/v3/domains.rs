//! Domains and their records ("resources").
//!
//! Owns: these methods. Addresses are a list in text, `"1.3.5.7;2.4.6.8;"`; times to live are rounded up to those that there are.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::fault::Fault;
use crate::world::{Domain, DomainRecord};

const TTLS: &[u64] =
    &[300, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 172_800, 345_600, 604_800, 1_209_600, 2_419_200];
const KINDS: &[&str] = &["a", "aaaa", "ns", "mx", "cname", "txt", "srv", "ptr", "caa"];

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let wanted = call.number("domainid");
    let all = call.world.domains.values().filter(|one| wanted.is_none_or(|wanted| wanted == one.id));
    let rows: Vec<_> = all.map(row).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn row(one: &Domain) -> Value {
    let ips = |all: &[String]| all.iter().map(|ip| format!("{ip};")).collect::<String>();
    let axfr = if one.axfr_ips.is_empty() { "none".to_owned() } else { ips(&one.axfr_ips) };
    json!({
        "DOMAINID": one.id, "DOMAIN": one.domain, "TYPE": one.kind, "SOA_EMAIL": one.soa_email, "STATUS": one.status,
        "DESCRIPTION": one.description, "LPM_DISPLAYGROUP": one.group, "TTL_SEC": one.ttl, "RETRY_SEC": one.retry,
        "EXPIRE_SEC": one.expire, "REFRESH_SEC": one.refresh, "MASTER_IPS": ips(&one.master_ips), "AXFR_IPS": axfr,
    })
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let domain = applied(call, Domain { status: 1, ..Domain::default() })?;
    Ok(json!({"DomainID": call.world.add_domain(domain, call.now)}))
}

pub(super) fn update(call: &mut Call<'_>) -> Answer {
    let id = call.id("domainid");
    let present = call.world.domains.get(&id).cloned().ok_or_else(Fault::not_found)?;
    let changed = applied(call, present)?;
    call.world.domains.insert(id, changed);
    Ok(json!({"DomainID": id}))
}

pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = call.id("domainid");
    if call.world.remove_domain(id, call.now) { Ok(json!({"DomainID": id})) } else { Err(Fault::not_found()) }
}

/// A domain with what a call says of it.
fn applied(call: &Call<'_>, mut one: Domain) -> Result<Domain, Fault> {
    let set = |into: &mut String, name: &str| {
        if let Some(text) = call.given(name) {
            text.clone_into(into);
        }
    };
    set(&mut one.domain, "domain");
    set(&mut one.soa_email, "soa_email");
    set(&mut one.description, "description");
    set(&mut one.group, "lpm_displaygroup");
    set(&mut one.kind, "type");
    one.kind.make_ascii_lowercase();
    let seconds = |name: &str, present: u64| call.number(name).map_or(present, rounded);
    one.ttl = seconds("ttl_sec", one.ttl);
    one.retry = seconds("retry_sec", one.retry);
    one.expire = seconds("expire_sec", one.expire);
    one.refresh = seconds("refresh_sec", one.refresh);
    one.status = call.number("status").unwrap_or(one.status);
    if let Some(list) = call.given("master_ips") {
        one.master_ips = ips("master_ips", list)?;
    }
    if let Some(list) = call.given("axfr_ips") {
        one.axfr_ips = ips("axfr_ips", list)?;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_';
    if !one.domain.contains('.') || !one.domain.chars().all(plain) {
        return Err(Fault::invalid("Domain is not a domain name"));
    }
    if call.world.domain_named(&one.domain).is_some_and(|owner| owner != one.id) {
        return Err(Fault::invalid("Domain already exists in our database"));
    }
    match one.kind.as_str() {
        "master" if one.soa_email.is_empty() => Err(Fault::invalid("SOA_Email is required when Type=master")),
        "slave" if one.master_ips.is_empty() => Err(Fault::invalid("master_ips is required when Type=slave")),
        "master" | "slave" if one.status <= 2 => Ok(one),
        "master" | "slave" => Err(Fault::invalid("status must be 0, 1 or 2")),
        _ => Err(Fault::invalid("Type must be master or slave")),
    }
}

fn rounded(seconds: u64) -> u64 {
    if seconds == 0 { 0 } else { TTLS.iter().copied().find(|one| *one >= seconds).unwrap_or(TTLS[TTLS.len() - 1]) }
}

fn ips(name: &str, list: &str) -> Result<Vec<String>, Fault> {
    let words = list.split([';', ',']).map(str::trim).filter(|word| !word.is_empty() && *word != "none");
    let check = |word: &str| match word.parse::<std::net::IpAddr>() {
        Ok(ip) => Ok(ip.to_string()),
        Err(_) => Err(Fault::invalid(format!("{name}: {word} is no address"))),
    };
    words.map(check).collect()
}

pub(super) fn records(call: &mut Call<'_>) -> Answer {
    let (domain, wanted) = (call.id("domainid"), call.number("resourceid"));
    let one = call.world.domains.get(&domain).ok_or_else(Fault::not_found)?;
    let all = one.records.values().filter(|record| wanted.is_none_or(|wanted| wanted == record.id));
    let rows: Vec<_> = all.map(|record| record_row(domain, record)).collect();
    if rows.is_empty() && wanted.is_some() { Err(Fault::not_found()) } else { Ok(Value::Array(rows)) }
}

fn record_row(domain: u64, one: &DomainRecord) -> Value {
    json!({
        "DOMAINID": domain, "RESOURCEID": one.id, "TYPE": one.kind, "NAME": one.name, "TARGET": one.target,
        "PRIORITY": one.priority, "WEIGHT": one.weight, "PORT": one.port, "PROTOCOL": one.protocol, "TTL_SEC": one.ttl,
    })
}

pub(super) fn create_record(call: &mut Call<'_>) -> Answer {
    let domain = call.id("domainid");
    if !call.world.domains.contains_key(&domain) {
        return Err(Fault::not_found());
    }
    let kind = call.text("type").to_ascii_lowercase();
    let record = applied_record(call, DomainRecord { kind, ..DomainRecord::default() })?;
    let id = call.world.add_domain_record(domain, record).ok_or_else(Fault::not_found)?;
    Ok(json!({"ResourceID": id}))
}

/// Its domain need not be named.
pub(super) fn update_record(call: &mut Call<'_>) -> Answer {
    let (id, of) = (call.id("resourceid"), call.number("domainid"));
    let in_domain = |one: &&Domain| of.is_none_or(|of| of == one.id) && one.records.contains_key(&id);
    let domain = call.world.domains.values().find(in_domain).ok_or_else(Fault::not_found)?;
    let (domain, present) = (domain.id, domain.records[&id].clone());
    let changed = applied_record(call, present)?;
    if let Some(domain) = call.world.domains.get_mut(&domain) {
        domain.records.insert(id, changed);
    }
    Ok(json!({"ResourceID": id}))
}

pub(super) fn delete_record(call: &mut Call<'_>) -> Answer {
    let (domain, id) = (call.id("domainid"), call.id("resourceid"));
    let domain = call.world.domains.get_mut(&domain).ok_or_else(Fault::not_found)?;
    domain.records.remove(&id).map(|_| json!({"ResourceID": id})).ok_or_else(Fault::not_found)
}

fn applied_record(call: &Call<'_>, mut one: DomainRecord) -> Result<DomainRecord, Fault> {
    let set = |into: &mut String, name: &str| {
        if let Some(text) = call.given(name) {
            text.clone_into(into);
        }
    };
    set(&mut one.name, "name");
    set(&mut one.target, "target");
    set(&mut one.protocol, "protocol");
    set(&mut one.tag, "tag");
    one.priority = call.number("priority").unwrap_or(one.priority);
    one.weight = call.number("weight").unwrap_or(one.weight);
    one.port = call.number("port").unwrap_or(one.port);
    one.ttl = call.number("ttl_sec").map_or(one.ttl, rounded);
    if !KINDS.contains(&one.kind.as_str()) {
        return Err(Fault::invalid(format!("Type must be one of {}", KINDS.join(", "))));
    }
    let fits = match one.kind.as_str() {
        "a" => one.target.parse::<std::net::Ipv4Addr>().is_ok() || one.target == "[remote_addr]",
        "aaaa" => one.target.parse::<std::net::Ipv6Addr>().is_ok() || one.target == "[remote_addr]",
        _ => !one.target.is_empty(),
    };
    if !fits {
        return Err(Fault::invalid("Target is not valid for this type"));
    }
    if one.priority > 255 {
        return Err(Fault::invalid("Priority must be 0-255"));
    }
    Ok(one)
}
