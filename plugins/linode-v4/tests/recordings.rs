//! What the real API v4 answered, replayed through the plugin: every recorded body arrives, by `raw` as it stands and, where
//! the neutral model has a word for the operation, in the model.
//!
//! `LINODETOOL_RECORDINGS` names the folder `api` with `v4/recordings`; without it the suite is ignored. The recordings are no
//! part of the project.

use libtest_mimic::{Arguments, Failed, Trial};
use linodetool_linode_v4::LinodeV4;
use linodetool_plugin::testing::{Driver, Reply};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What a noun of the model is called in API v4: fields that must arrive as they are.
const SAME: &[(&str, &[&str])] = &[
    ("account", &["email", "company"]),
    ("profile", &["username", "email", "restricted"]),
    ("regions", &["id", "label", "country", "status"]),
    ("types", &["id", "label", "class", "memory=memory_mb", "disk=disk_mb", "vcpus"]),
    ("images", &["id", "label", "size=size_mb", "is_public=public", "status"]),
    ("kernels", &["id", "label", "version", "architecture", "deprecated"]),
    ("instances", &["id", "label", "region", "type", "image", "created", "watchdog_enabled=watchdog", "ipv6", "tags"]),
    ("disks", &["id", "label", "size=size_mb", "filesystem", "created"]),
    ("configs", &["id", "label", "kernel", "root_device", "comments"]),
    ("volumes", &["id", "label", "region", "size=size_gb", "linode_id=instance", "filesystem_path=path", "tags"]),
    ("nodebalancers", &["id", "label", "region", "hostname", "ipv4", "ipv6", "tags"]),
    ("nodebalancer_configs", &["id", "port", "protocol", "algorithm", "stickiness"]),
    ("nodebalancer_nodes", &["id", "label", "address", "weight", "mode"]),
    ("firewalls", &["id", "label", "status", "tags"]),
    ("vpcs", &["id", "label", "region", "description"]),
    ("vpc_subnets", &["id", "label", "ipv4"]),
    ("domains", &["id", "domain", "type=kind", "status", "soa_email", "ttl_sec=ttl_s", "tags"]),
    ("domain_records", &["id", "type", "target", "ttl_sec=ttl_s", "priority", "weight", "port"]),
    ("stackscripts", &["id", "label", "description", "images", "script", "rev_note=revision_note"]),
    ("ips", &["public", "region", "linode_id=instance", "reserved", "rdns"]),
    ("placement_groups", &["id", "label", "region", "is_compliant=compliant"]),
    ("events", &["id", "action", "created", "entity.id=entity_id", "entity.type=entity_type", "username"]),
];

/// Method, path, operation, and which arguments the numbers in the path are. Lists of addresses are left to `raw`: in the
/// recordings all addresses have become one, and an address is an item's id.
const OPERATIONS: &[(&str, &str, &str, &[&str])] = &[
    ("GET", "/account", "account.get", &[]),
    ("GET", "/profile", "profile.get", &[]),
    ("GET", "/regions", "regions.list", &[]),
    ("GET", "/linode/types", "types.list", &[]),
    ("GET", "/images", "images.list", &[]),
    ("GET", "/linode/kernels", "kernels.list", &[]),
    ("GET", "/account/events", "events.list", &[]),
    ("GET", "/linode/instances", "instances.list", &[]),
    ("GET", "/linode/instances/*", "instances.get", &["id"]),
    ("POST", "/linode/instances", "instances.create", &[]),
    ("PUT", "/linode/instances/*", "instances.update", &["id"]),
    ("DELETE", "/linode/instances/*", "instances.delete", &["id"]),
    ("POST", "/linode/instances/*/boot", "instances.boot", &["id"]),
    ("POST", "/linode/instances/*/shutdown", "instances.shutdown", &["id"]),
    ("POST", "/linode/instances/*/reboot", "instances.reboot", &["id"]),
    ("POST", "/linode/instances/*/rebuild", "instances.rebuild", &["id"]),
    ("POST", "/linode/instances/*/resize", "instances.resize", &["id"]),
    ("GET", "/linode/instances/*/ips", "instances.addresses", &["id"]),
    ("GET", "/linode/instances/*/disks", "disks.list", &["instance"]),
    ("POST", "/linode/instances/*/disks", "disks.create", &["instance"]),
    ("DELETE", "/linode/instances/*/disks/*", "disks.delete", &["instance", "id"]),
    ("POST", "/linode/instances/*/disks/*/resize", "disks.resize", &["instance", "id"]),
    ("GET", "/linode/instances/*/configs", "configs.list", &["instance"]),
    ("POST", "/linode/instances/*/configs", "configs.create", &["instance"]),
    ("PUT", "/linode/instances/*/configs/*", "configs.update", &["instance", "id"]),
    ("DELETE", "/linode/instances/*/configs/*", "configs.delete", &["instance", "id"]),
    ("GET", "/linode/instances/*/volumes", "volumes.list", &["instance"]),
    ("GET", "/volumes", "volumes.list", &[]),
    ("GET", "/volumes/*", "volumes.get", &["id"]),
    ("POST", "/volumes", "volumes.create", &[]),
    ("DELETE", "/volumes/*", "volumes.delete", &["id"]),
    ("POST", "/volumes/*/detach", "volumes.detach", &["id"]),
    ("POST", "/volumes/*/resize", "volumes.resize", &["id"]),
    ("GET", "/nodebalancers", "nodebalancers.list", &[]),
    ("GET", "/nodebalancers/*", "nodebalancers.get", &["id"]),
    ("POST", "/nodebalancers", "nodebalancers.create", &[]),
    ("DELETE", "/nodebalancers/*", "nodebalancers.delete", &["id"]),
    ("GET", "/nodebalancers/*/configs", "nodebalancer_configs.list", &["nodebalancer"]),
    ("POST", "/nodebalancers/*/configs", "nodebalancer_configs.create", &["nodebalancer"]),
    ("DELETE", "/nodebalancers/*/configs/*", "nodebalancer_configs.delete", &["nodebalancer", "config"]),
    ("GET", "/nodebalancers/*/configs/*/nodes", "nodebalancer_nodes.list", &["nodebalancer", "config"]),
    ("POST", "/nodebalancers/*/configs/*/nodes", "nodebalancer_nodes.create", &["nodebalancer", "config"]),
    ("DELETE", "/nodebalancers/*/configs/*/nodes/*", "nodebalancer_nodes.delete", &["nodebalancer", "config", "id"]),
    ("GET", "/networking/firewalls", "firewalls.list", &[]),
    ("GET", "/networking/firewalls/*", "firewalls.get", &["id"]),
    ("POST", "/networking/firewalls", "firewalls.create", &[]),
    ("DELETE", "/networking/firewalls/*", "firewalls.delete", &["id"]),
    ("GET", "/vpcs", "vpcs.list", &[]),
    ("POST", "/vpcs", "vpcs.create", &[]),
    ("DELETE", "/vpcs/*", "vpcs.delete", &["id"]),
    ("GET", "/vpcs/*/subnets", "vpc_subnets.list", &["vpc"]),
    ("POST", "/vpcs/*/subnets", "vpc_subnets.create", &["vpc"]),
    ("DELETE", "/vpcs/*/subnets/*", "vpc_subnets.delete", &["vpc", "id"]),
    ("GET", "/domains", "domains.list", &[]),
    ("POST", "/domains", "domains.create", &[]),
    ("DELETE", "/domains/*", "domains.delete", &["id"]),
    ("GET", "/domains/*/records", "domain_records.list", &["domain"]),
    ("POST", "/domains/*/records", "domain_records.create", &["domain"]),
    ("DELETE", "/domains/*/records/*", "domain_records.delete", &["domain", "id"]),
    ("POST", "/linode/stackscripts", "stackscripts.create", &[]),
    ("PUT", "/linode/stackscripts/*", "stackscripts.update", &["id"]),
    ("DELETE", "/linode/stackscripts/*", "stackscripts.delete", &["id"]),
    ("POST", "/linode/instances/*/disks/*/clone", "disks.clone", &["instance", "id"]),
    ("POST", "/linode/instances/*/ips", "ips.add", &["instance"]),
    ("PUT", "/volumes/*", "volumes.update", &["id"]),
    ("POST", "/volumes/*/clone", "volumes.clone", &["id"]),
    ("PUT", "/nodebalancers/*/configs/*/nodes/*", "nodebalancer_nodes.update", &["nodebalancer", "config", "id"]),
    ("PUT", "/networking/firewalls/*", "firewalls.update", &["id"]),
    ("PUT", "/domains/*", "domains.update", &["id"]),
    ("POST", "/domains/*/clone", "domains.clone", &["id"]),
    ("POST", "/domains/import", "domains.import", &[]),
    ("GET", "/vpcs/*/ips", "ips.list", &["vpc"]),
    ("POST", "/networking/reserved/ips", "ips.reserve", &[]),
    ("GET", "/placement/groups", "placement_groups.list", &[]),
    ("POST", "/placement/groups", "placement_groups.create", &[]),
    ("DELETE", "/placement/groups/*", "placement_groups.delete", &["id"]),
    ("POST", "/placement/groups/*/assign", "placement_groups.assign", &["id"]),
    ("POST", "/placement/groups/*/unassign", "placement_groups.unassign", &["id"]),
];

/// Bare bodies whose names are not their paths.
const BARE: &[(&str, &str)] = &[
    ("libcloud/compute/list_nodes", "/linode/instances"),
    ("libcloud/compute/ex_get_node", "/linode/instances/1"),
    ("libcloud/compute/list_types", "/linode/types"),
    ("libcloud/compute/list_locations", "/regions"),
    ("libcloud/compute/list_images_paginated_page_2", "/images"),
    ("libcloud/compute/list_volumes", "/volumes"),
    ("libcloud/compute/ex_get_volume", "/volumes/1"),
    ("libcloud/compute/list_disks", "/linode/instances/1/disks"),
    ("libcloud/dns/get_zone", "/domains/1"),
];

fn main() -> ExitCode {
    let trials = match std::env::var_os("LINODETOOL_RECORDINGS") {
        Some(folder) => trials(&Path::new(&folder).join("v4/recordings")),
        None => {
            let why = "LINODETOOL_RECORDINGS names no folder of recordings";
            vec![Trial::test("recordings", || Ok(())).with_kind(why).with_ignored_flag(true)]
        }
    };
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// One for each file.
fn trials(root: &Path) -> Vec<Trial> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("_shared") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json") && !path.with_extension("").ends_with("_shared")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    let none = Trial::test("recordings", {
        let (root, found) = (root.to_owned(), !files.is_empty());
        move || if found { Ok(()) } else { Err(format!("there are none in {}", root.display()).into()) }
    });
    let trial = |file: PathBuf| {
        let name = file.strip_prefix(root).unwrap_or(&file).with_extension("").display().to_string();
        let root = root.to_owned();
        Trial::test(name.clone(), move || replay(&root, &file, &name).map_err(Failed::from))
    };
    std::iter::once(none).chain(files.into_iter().map(trial)).collect()
}

fn replay(root: &Path, file: &Path, name: &str) -> Result<(), String> {
    let recorded = read(file)?;
    let Some(exchanges) = recorded["interactions"].as_array() else {
        return bare(root, name, recorded);
    };
    for (number, exchange) in exchanges.iter().enumerate() {
        let url = exchange["request"]["url"].as_str().unwrap_or_default();
        let url = ["/v4beta", "/v4"].iter().find_map(|version| url.strip_prefix(version)).unwrap_or(url);
        if !url.starts_with('/') {
            continue; // another service than API v4: a cluster's own, object storage
        }
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let method = exchange["request"]["method"].as_str().unwrap_or("GET");
        let response = &exchange["response"];
        let status = response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
        let reply =
            Recorded { status, body: whole(root, response["body"].clone())?, headers: response["headers"].clone() };
        let told = |why: String| format!("exchange {number}, {method} {url} -> {status}: {why}");
        reply.by_raw(method, path, query).map_err(told)?;
        reply.by_model(method, path).map_err(told)?;
    }
    Ok(())
}

/// A body alone: of a `GET`, whose path its name tells, unless it is one thing where a list would be: then it was made.
fn bare(root: &Path, name: &str, body: Value) -> Result<(), String> {
    let known = BARE.iter().find(|(known, _)| *known == name).map(|(_, path)| (*path).to_owned());
    let from_name = || name.strip_prefix("linode_api4-python/").map(|name| format!("/{}", name.replace('_', "/")));
    let path = known.or_else(from_name).unwrap_or_else(|| "/unknown".to_owned());
    let mut body = whole(root, body)?;
    if body["data"].is_array() && body.get("pages").is_none() {
        body["pages"] = json!(1); // written by hand, and left out
    }
    let reply = Recorded { status: 200, body, headers: Value::Null };
    let is_list = operation("GET", &path).is_some_and(|(operation, _)| operation.ends_with(".list"));
    let method = if is_list && reply.body.get("data").is_none() { "POST" } else { "GET" };
    reply.by_raw(method, &path, "")?;
    reply.by_model(method, &path)
}

struct Recorded {
    status: u16,
    body: Value,
    headers: Value,
}

impl Recorded {
    /// What came, or a list of it on one page.
    fn reply(&self) -> Reply {
        let mut body = self.body.clone();
        if let (Some(items), true) = (body["data"].as_array().map(Vec::len), body.get("pages").is_some()) {
            body["pages"] = json!(1);
            body["results"] = json!(items);
        }
        let mut reply = if body.is_null() { Reply::empty(self.status) } else { Reply::json(self.status, body) };
        for (name, value) in self.headers.as_object().into_iter().flatten() {
            reply = reply.header(name, value.as_str().unwrap_or_default());
        }
        reply
    }

    fn by_raw(&self, method: &str, path: &str, query: &str) -> Result<(), String> {
        let query: Map<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).map(pair).collect();
        let mut driver = driver();
        let end =
            if query.is_empty() { format!("{method} {path}") } else { format!("{method} {path}?{}", shown(&query)) };
        driver.on(&end, self.reply());
        match driver.call("raw", json!({ "method": method, "path": path, "query": query })) {
            Ok(value) if self.status < 300 => {
                let mut wanted = self.body.clone();
                if let Some(items) = wanted["data"].as_array().map(Vec::len).filter(|_| wanted.get("pages").is_some()) {
                    wanted["pages"] = json!(1);
                    wanted["results"] = json!(items);
                }
                same("raw", &wanted, &value)
            }
            Ok(value) => Err(format!("raw took it for good: {value}")),
            Err(error) => self.refused("raw", &error),
        }
    }

    fn by_model(&self, method: &str, path: &str) -> Result<(), String> {
        let Some((operation, mut args)) = operation(method, path) else { return Ok(()) };
        if operation == "domains.update" {
            args.insert("soa_email".to_owned(), json!("x")); // nothing to change would be a read
        } else if operation.ends_with(".update") {
            args.insert("label".to_owned(), json!("x"));
        } else if operation == "domain_records.create" {
            args.insert("name".to_owned(), json!("_sip._tcp"));
        }
        let mut driver = driver();
        let page = if operation.ends_with(".list") { "?page=1&page_size=500" } else { "" };
        driver.on(&format!("{method} {path}{page}"), self.reply());
        let value = match driver.call(operation, args.into()) {
            Ok(value) if self.status < 300 => value,
            Ok(value) => return Err(format!("{operation} took it for good: {value}")),
            Err(error) => return self.refused(operation, &error),
        };
        let family = operation.split('.').next().unwrap_or_default();
        let fields = SAME.iter().find(|(name, _)| *name == family).map(|(_, fields)| *fields).unwrap_or_default();
        match (self.body["data"].as_array(), value["items"].as_array()) {
            (Some(sent), Some(got)) => {
                if sent.len() != got.len() {
                    return Err(format!("{operation}: {} of {} items arrived", got.len(), sent.len()));
                }
                let id = if family == "ips" { "address" } else { "id" };
                let names = [id, "address_range", "ipv6_range"];
                let of = |sent: &Value| {
                    names.iter().find(|n| !sent[**n].is_null()).map(|n| plain(&sent[*n])).unwrap_or_default()
                };
                let by_id = |sent: &Value| got.iter().find(|item| plain(&item[id]) == of(sent));
                sent.iter().try_for_each(|sent| match by_id(sent) {
                    Some(got) => arrived(operation, fields, sent, got),
                    None => Err(format!("{operation}: {} did not arrive", sent[id])),
                })
            }
            _ if value == json!({}) || operation == "instances.addresses" => Ok(()),
            _ => arrived(operation, fields, &self.body, &value),
        }
    }

    /// Every reason is told, with the field at fault and the status.
    fn refused(&self, operation: &str, error: &linodetool_plugin::ProviderError) -> Result<(), String> {
        let reasons = self.body["errors"].as_array().cloned().unwrap_or_default();
        let told = |reason: &Value| error.message.contains(reason["reason"].as_str().unwrap_or_default());
        let field = reasons.first().and_then(|reason| reason["field"].as_str());
        let right = self.status >= 300
            && error.status == Some(self.status)
            && reasons.iter().all(told)
            && field.is_none_or(|field| error.field.as_deref() == Some(field));
        if right { Ok(()) } else { Err(format!("{operation} failed otherwise than it was told: {error:?}")) }
    }
}

fn driver() -> Driver<LinodeV4> {
    Driver::new(LinodeV4::at("https://api.linode.com/v4").expect("a good address"))
}

/// The operation of the model for a path, with the arguments that the path holds.
fn operation(method: &str, path: &str) -> Option<(&'static str, Map<String, Value>)> {
    let parts: Vec<_> = path.split('/').collect();
    for (its_method, its_path, operation, names) in OPERATIONS {
        let its_parts: Vec<_> = its_path.split('/').collect();
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let fits = |(its, part): (&&str, &&str)| its == part || (*its == "*" && number(part));
        if *its_method == method && its_parts.len() == parts.len() && its_parts.iter().zip(&parts).all(fits) {
            let values = its_parts.iter().zip(&parts).filter(|(its, _)| **its == "*").map(|(_, part)| json!(part));
            let args = names.iter().map(|name| (*name).to_owned()).zip(values).collect();
            let args: Map<_, _> = args;
            let create = operation.ends_with(".create") && operation.starts_with("domain_records");
            let kind = create.then(|| ("type".to_owned(), json!("SRV")));
            return Some((operation, args.into_iter().chain(kind).collect()));
        }
    }
    None
}

fn arrived(operation: &str, fields: &[&str], sent: &Value, got: &Value) -> Result<(), String> {
    fields.iter().try_for_each(|field| {
        let (theirs, ours) = field.split_once('=').unwrap_or((field, field));
        let pointer = format!("/{}", theirs.replace('.', "/"));
        match sent.pointer(&pointer) {
            Some(sent) => same(&format!("{operation} {field}"), sent, &got[ours]),
            None => Ok(()),
        }
    })
}

/// As texts, so that ids may be numbers; nothing, `null`, 0 and empty are the same.
fn same(what: &str, sent: &Value, got: &Value) -> Result<(), String> {
    if plain(sent) == plain(got) { Ok(()) } else { Err(format!("{what}: sent {sent}, arrived {got}")) }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(false) => String::new(),
        Value::String(text) => text.to_lowercase(),
        Value::Number(number) if number.as_f64() == Some(0.0) => String::new(),
        other => other.to_string(),
    }
}

/// With what several bodies share put in its place.
fn whole(root: &Path, value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::Object(fields) => match fields.get("$shared").and_then(Value::as_str) {
            Some(hash) => read(&root.join("_shared").join(format!("{hash}.json")))?,
            None => {
                let fields = fields.into_iter().map(|(name, value)| Ok((name, whole(root, value)?)));
                Value::Object(fields.collect::<Result<_, String>>()?)
            }
        },
        Value::Array(items) => items.into_iter().map(|item| whole(root, item)).collect::<Result<_, _>>()?,
        other => other,
    })
}

fn pair((name, value): (&str, &str)) -> (String, Value) {
    (name.to_owned(), json!(value))
}

fn shown(query: &Map<String, Value>) -> String {
    let pairs: Vec<_> =
        query.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    pairs.join("&")
}

fn read(file: &Path) -> Result<Value, String> {
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    serde_json::from_slice(&bytes).map_err(|e| format!("{}: {e}", file.display()))
}
