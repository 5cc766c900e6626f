//! Records of a domain. Service and protocol of an `SRV` record are part of its name everywhere but in API v4.

use crate::api::{Api, Noun, done, invalid, number, one};
use crate::body::Body;
use crate::domains;
use crate::lenient::{Text, Whole};
use crate::list::List;
use linodetool_plugin::{CreateDomainRecord, Cx, DomainRecord, Nothing, OfDomain, OneDomainRecord, Page, Result};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: OfDomain) -> Result<Page<DomainRecord>> {
    Ok(Page::whole(List::of(api, &path(&args.domain)?).read(cx).await?))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateDomainRecord) -> Result<DomainRecord> {
    let body = Body::new()
        .with("type", &args.kind)
        .filled("target", &args.target)
        .some("ttl_sec", args.ttl_s)
        .some("priority", args.priority)
        .some("weight", args.weight)
        .some("port", args.port);
    let body = if args.kind.eq_ignore_ascii_case("srv") {
        let (service, protocol) = service(&args.name)?;
        body.with("service", service).with("protocol", protocol)
    } else {
        body.filled("name", &args.name)
    };
    one(cx, api.post(&path(&args.domain)?).json(&body)?).await
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
        Self {
            id: wire.id.0,
            kind: wire.kind.0,
            name,
            target: wire.target.0,
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
