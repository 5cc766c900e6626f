//! Records of a domain. Service and protocol of an `SRV` record are part of its name, and the tag of a `CAA` record of what it
//! says, everywhere but in API v4.

use crate::api::{Api, Noun, done, invalid, number, one};
use crate::body::Body;
use crate::domains;
use crate::lenient::{Text, Whole};
use crate::list::List;
use linodetool_plugin::{
    CreateDomainRecord, Cx, DomainRecord, Nothing, OfDomain, OneDomainRecord, Page, Result, UpdateDomainRecord,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: OfDomain) -> Result<Page<DomainRecord>> {
    Ok(Page::whole(List::of(api, &path(&args.domain)?).read(cx).await?))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateDomainRecord) -> Result<DomainRecord> {
    let body = Body::new()
        .with("type", &args.kind)
        .some("ttl_sec", args.ttl_s)
        .some("priority", args.priority)
        .some("weight", args.weight)
        .some("port", args.port);
    let body = match args.kind.to_ascii_uppercase().as_str() {
        "SRV" => {
            let (service, protocol) = service(&args.name)?;
            body.with("service", service).with("protocol", protocol).filled("target", &args.target)
        }
        "CAA" => {
            let (tag, value) = authority(&args.target)?;
            body.filled("name", &args.name).with("tag", tag).with("target", value)
        }
        _ => body.filled("name", &args.name).filled("target", &args.target),
    };
    one(cx, api.post(&path(&args.domain)?).json(&body)?).await
}

/// Nothing to change is a read. What an update is to say of a `CAA` record is told by its form, since its kind is not said.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateDomainRecord) -> Result<DomainRecord> {
    let path = part(&args.domain, &args.id)?;
    let body = Body::new()
        .some("ttl_sec", args.ttl_s)
        .some("priority", args.priority)
        .some("weight", args.weight)
        .some("port", args.port);
    let body = match args.target.as_deref().map(|target| (target, authority(target))) {
        Some((_, Ok((tag, value)))) => body.with("tag", tag).with("target", value),
        Some((target, Err(_))) => body.with("target", target),
        None => body,
    };
    one(cx, if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? }).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: OneDomainRecord) -> Result<Nothing> {
    done(cx, api.delete(&part(&args.domain, &args.id)?)).await
}

fn path(domain: &str) -> Result<String> {
    Ok(format!("{}/records", domains::path("domain", domain)?))
}

fn part(domain: &str, id: &str) -> Result<String> {
    Ok(format!("{}/{}", path(domain)?, number("id", id)?))
}

/// `_sip._tcp` without what API v4 puts there itself.
fn service(name: &str) -> Result<(&str, &str)> {
    let parts = name.strip_prefix('_').and_then(|rest| rest.split_once("._"));
    match parts {
        Some((service, protocol)) if !service.is_empty() && !protocol.is_empty() && !name.contains(' ') => {
            Ok((service, protocol))
        }
        _ => Err(invalid("name", format!("`{name}` is no name of an SRV record: give one like _sip._tcp"))),
    }
}

/// Tag and value of `0 issue "ca.example"`. API v4 knows no flags but 0.
fn authority(target: &str) -> Result<(&str, &str)> {
    let mut words = target.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("0"), Some(tag @ ("issue" | "issuewild" | "iodef")), Some(value), None)
            if value.len() > 2 && value.starts_with('"') && value.ends_with('"') =>
        {
            Ok((tag, value.trim_matches('"')))
        }
        _ => Err(invalid("target", format!("`{target}` is no CAA record: give one like 0 issue \"ca.example\""))),
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RecordWire {
    id: Text,
    #[serde(rename = "type")]
    kind: Text,
    name: Text,
    target: Text,
    ttl_sec: Whole,
    priority: Whole,
    weight: Whole,
    port: Whole,
    service: Text,
    protocol: Text,
    tag: Text,
}

impl Noun for DomainRecord {
    type Wire = RecordWire;

    fn from_wire(wire: RecordWire) -> Self {
        let name = match (wire.service.some(), wire.protocol.some()) {
            (Some(service), Some(protocol)) if wire.name.0.is_empty() => {
                format!("_{}._{}", service.trim_start_matches('_'), protocol.trim_start_matches('_'))
            }
            _ => wire.name.0,
        };
        let target = match wire.tag.some() {
            Some(tag) if wire.kind.0 == "CAA" => format!("0 {tag} \"{}\"", wire.target.0),
            _ => wire.target.0,
        };
        Self {
            id: wire.id.0,
            kind: wire.kind.0,
            name,
            target,
            ttl_s: wire.ttl_sec.small(),
            priority: wire.priority.small(),
            weight: wire.weight.small(),
            port: u16::try_from(wire.port.0).unwrap_or_default(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
