//! Domains. Their records are in `records`.

use crate::api::{Api, Noun, done, number, one};
use crate::body::Body;
use crate::filter::Filter;
use crate::lenient::{List as Items, Text, Whole};
use crate::list::List;
use linodetool_plugin::{
    ById, CloneDomain, CreateDomain, Cx, Domain, ImportDomain, ListDomains, Nothing, Page, Result, UpdateDomain,
};
use serde::Deserialize;

pub(crate) async fn list(api: &Api, cx: &Cx, args: ListDomains) -> Result<Page<Domain>> {
    let filter = Filter::default().equals("domain", args.domain.clone()).equals("tags", args.tag.clone());
    let mut domains: Vec<Domain> = List::of(api, "/domains").filter(filter).read(cx).await?;
    domains.retain(|domain| {
        args.domain.as_ref().is_none_or(|name| *name == domain.domain)
            && args.tag.as_ref().is_none_or(|tag| domain.tags.contains(tag))
    });
    Ok(Page::whole(domains))
}

pub(crate) async fn create(api: &Api, cx: &Cx, args: CreateDomain) -> Result<Domain> {
    let body = Body::new()
        .with("domain", &args.domain)
        .with("type", if args.kind.is_empty() { "master" } else { &args.kind })
        .filled("soa_email", &args.soa_email)
        .filled("master_ips", &args.master_ips)
        .some("ttl_sec", args.ttl_s)
        .filled("tags", &args.tags);
    one(cx, api.post("/domains").json(&body)?).await
}

/// Nothing to change is a read.
pub(crate) async fn update(api: &Api, cx: &Cx, args: UpdateDomain) -> Result<Domain> {
    let path = path("id", &args.id)?;
    let body = Body::new()
        .some("soa_email", args.soa_email)
        .some("master_ips", args.master_ips)
        .some("ttl_sec", args.ttl_s)
        .some("tags", args.tags);
    one(cx, if body.is_empty() { api.get(&path) } else { api.put(&path).json(&body)? }).await
}

pub(crate) async fn clone(api: &Api, cx: &Cx, args: CloneDomain) -> Result<Domain> {
    let body = Body::new().with("domain", &args.domain);
    one(cx, api.post(&format!("{}/clone", path("id", &args.id)?)).json(&body)?).await
}

pub(crate) async fn import(api: &Api, cx: &Cx, args: ImportDomain) -> Result<Domain> {
    let body = Body::new().with("domain", &args.domain).with("remote_nameserver", &args.nameserver);
    one(cx, api.post("/domains/import").json(&body)?).await
}

pub(crate) async fn delete(api: &Api, cx: &Cx, args: ById) -> Result<Nothing> {
    done(cx, api.delete(&path("id", &args.id)?)).await
}

/// The path of one domain. `field` is the argument that names it.
pub(crate) fn path(field: &str, id: &str) -> Result<String> {
    Ok(format!("/domains/{}", number(field, id)?))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct DomainWire {
    id: Text,
    domain: Text,
    #[serde(rename = "type")]
    kind: Text,
    status: Text,
    soa_email: Text,
    ttl_sec: Whole,
    tags: Items<Text>,
}

impl Noun for Domain {
    type Wire = DomainWire;

    fn from_wire(wire: DomainWire) -> Self {
        Self {
            id: wire.id.0,
            domain: wire.domain.0,
            kind: wire.kind.0,
            status: wire.status.0,
            soa_email: wire.soa_email.0,
            ttl_s: wire.ttl_sec.small(),
            tags: wire.tags.texts(),
        }
    }

    fn id(&self) -> &str {
        &self.id
    }
}
