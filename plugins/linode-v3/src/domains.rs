//! Domains and their records.

use crate::LinodeV3;
use crate::action::Action;
use crate::api::number;
use crate::data::Row;
use crate::errors::{invalid, lacks};
use crate::group;
use linodetool_plugin::{
    ById, CreateDomain, CreateDomainRecord, Cx, Domain, DomainRecord, ListDomains, Nothing, OfDomain, OneDomainRecord,
    Page, Result,
};

pub(crate) async fn list(v3: &LinodeV3, cx: &Cx, args: ListDomains) -> Result<Page<Domain>> {
    let rows = v3.api.call(cx, Action::new("domain.list")).await?.rows();
    let mut domains = rows.iter().map(domain).collect::<Result<Vec<_>>>()?;
    domains.retain(|one| {
        args.domain.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&one.domain))
            && args.tag.as_ref().is_none_or(|tag| one.tags.contains(tag))
    });
    Ok(Page::whole(domains))
}

fn domain(row: &Row) -> Result<Domain> {
    let status = match row.signed("status") {
        Some(0) => "disabled",
        Some(1) => "active",
        Some(2) => "edit_mode",
        Some(3) => "has_errors",
        _ => "",
    };
    Ok(Domain {
        id: row.id("domainid")?.to_string(),
        domain: row.text("domain"),
        kind: row.text("type").to_ascii_lowercase(),
        status: status.to_owned(),
        soa_email: row.text("soa_email"),
        ttl_s: row.small("ttl_sec"),
        tags: group::split(&row.text("lpm_displaygroup")).0,
    })
}

pub(crate) async fn create(v3: &LinodeV3, cx: &Cx, args: CreateDomain) -> Result<Domain> {
    let kind = if args.kind.is_empty() { "master".to_owned() } else { args.kind };
    let action = Action::new("domain.create")
        .text("Domain", &args.domain)
        .text("Type", &kind)
        .text("SOA_Email", &args.soa_email)
        .text("master_ips", args.master_ips.join(";"))
        .number("TTL_sec", args.ttl_s)
        .text("lpm_displayGroup", group::join(&args.tags)?)
        .flag("status", true);
    let id = v3.api.call(cx, action).await?.row().id("domainid")?;
    Ok(Domain {
        id: id.to_string(),
        domain: args.domain,
        kind,
        status: "active".to_owned(),
        soa_email: args.soa_email,
        ttl_s: args.ttl_s.unwrap_or_default(),
        tags: args.tags,
    })
}

pub(crate) async fn delete(v3: &LinodeV3, cx: &Cx, args: ById) -> Result<Nothing> {
    v3.api.call(cx, Action::new("domain.delete").id("DomainID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}

pub(crate) async fn records(v3: &LinodeV3, cx: &Cx, args: OfDomain) -> Result<Page<DomainRecord>> {
    let id = number("domain", &args.domain)?;
    let rows = v3.api.call(cx, Action::new("domain.resource.list").id("DomainID", id)).await?.rows();
    Ok(Page::whole(rows.iter().map(record).collect::<Result<_>>()?))
}

fn record(row: &Row) -> Result<DomainRecord> {
    Ok(DomainRecord {
        id: row.id("resourceid")?.to_string(),
        kind: row.text("type").to_ascii_uppercase(),
        name: row.text("name"),
        target: row.text("target"),
        ttl_s: row.small("ttl_sec"),
        priority: row.small("priority"),
        weight: row.small("weight"),
        port: u16::try_from(row.whole("port")).unwrap_or_default(),
    })
}

pub(crate) async fn create_record(v3: &LinodeV3, cx: &Cx, args: CreateDomainRecord) -> Result<DomainRecord> {
    let id = number("domain", &args.domain)?;
    let kind = args.kind.to_ascii_uppercase();
    match kind.as_str() {
        "NS" | "MX" | "A" | "AAAA" | "CNAME" | "TXT" | "SRV" => {}
        "CAA" => {
            return Err(lacks("type", "place for a CAA record without its tag (raw domain.resource.create has one)"));
        }
        _ => return Err(lacks("type", &format!("records of the type `{kind}`"))),
    }
    let mut action = Action::new("domain.resource.create")
        .id("DomainID", id)
        .text("Type", &kind)
        .text("Name", &args.name)
        .text("Target", &args.target)
        .number("TTL_sec", args.ttl_s)
        .number("Priority", args.priority)
        .number("Weight", args.weight)
        .number("Port", args.port);
    if kind == "SRV" {
        action = action.text("Protocol", protocol(&args.name)?);
    }
    let resource = v3.api.call(cx, action).await?.row().id("resourceid")?;
    Ok(DomainRecord {
        id: resource.to_string(),
        kind,
        name: args.name,
        target: args.target,
        ttl_s: args.ttl_s.unwrap_or_default(),
        priority: args.priority.unwrap_or_default(),
        weight: args.weight.unwrap_or_default(),
        port: args.port.unwrap_or_default(),
    })
}

/// `udp` of `_minecraft._udp` or `_minecraft._udp.games`.
fn protocol(name: &str) -> Result<&str> {
    let mut parts = name.split('.');
    match (parts.next().and_then(|part| part.strip_prefix('_')), parts.next().and_then(|part| part.strip_prefix('_'))) {
        (Some(service), Some(protocol)) if !service.is_empty() && !protocol.is_empty() => Ok(protocol),
        _ => Err(invalid("name", format!("`{name}` names no service: an SRV record is called like _http._tcp"))),
    }
}

pub(crate) async fn delete_record(v3: &LinodeV3, cx: &Cx, args: OneDomainRecord) -> Result<Nothing> {
    let action = Action::new("domain.resource.delete").id("DomainID", number("domain", &args.domain)?);
    v3.api.call(cx, action.id("ResourceID", number("id", &args.id)?)).await?;
    Ok(Nothing {})
}
