//! Answers of the real API v3, as others have recorded them, through the plugin: every body parses, and what it says arrives in
//! the model.
//!
//! The recordings are no part of this project. `LINODETOOL_RECORDINGS` names the folder that has them (`v3/recordings` in it);
//! without it this suite is ignored, and says so.

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use linodetool_linode_v3::LinodeV3;
use linodetool_plugin::testing::{Driver, Reply};
use linodetool_plugin::{ProviderError, Result};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

const FOLDER: &str = "LINODETOOL_RECORDINGS";

/// What the plugin asks where nothing was recorded.
const API: &str = "POST https://api.linode.com/";

fn main() {
    let arguments = Arguments::from_args();
    let trials = match std::env::var_os(FOLDER) {
        Some(folder) => recorded(&PathBuf::from(folder).join("v3/recordings")),
        None => {
            let why = || Ok(Completion::ignored_with(format!("set {FOLDER} to the folder of recordings")));
            vec![Trial::ignorable_test("recordings", why)]
        }
    };
    libtest_mimic::run(&arguments, trials).exit();
}

/// A trial for each exchange in the folder. A folder without any is a failure and no success.
fn recorded(folder: &Path) -> Vec<Trial> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        let nothing = format!("there are no recordings in {}", folder.display());
        return vec![Trial::test("recordings", move || Err(Failed::from(nothing)))];
    }
    let name = |file: &Path| file.strip_prefix(folder).unwrap_or(file).display().to_string();
    files
        .iter()
        .map(|file| (name(file), file.clone()))
        .map(|(name, file)| Trial::test(name, move || replay(&file)))
        .collect()
}

fn replay(file: &Path) -> std::result::Result<(), Failed> {
    let text = std::fs::read_to_string(file)?;
    for body in bodies(serde_json::from_str(&text)?) {
        let action = body["ACTION"].as_str().ok_or("no ACTION in the body")?.to_ascii_lowercase();
        let faults = body["ERRORARRAY"].as_array().ok_or("no ERRORARRAY in the body")?;
        match faults.iter().find_map(|fault| fault["ERRORCODE"].as_i64().filter(|code| *code != 0)) {
            Some(code) => refused(&body, code)?,
            None => arrives(&action, &body).map_err(|why| format!("{action}: {why}"))?,
        }
    }
    Ok(())
}

/// The four shapes in which they were collected: with the request, with the parameters, with the action, bare.
fn bodies(recording: Value) -> Vec<Value> {
    match recording {
        Value::Array(exchanges) => exchanges.into_iter().map(|mut one| one["response"]["body"].take()).collect(),
        mut one if one.get("response").is_some() => vec![one["response"].take()],
        bare => vec![bare],
    }
}

/// An error arrives with its code and its words.
fn refused(body: &Value, code: i64) -> std::result::Result<(), Failed> {
    let error = call("raw", json!({ "method": "POST", "path": "/test.echo" }), vec![body.clone()]);
    let error = error.err().ok_or("it is taken for a success")?;
    let words = body["ERRORARRAY"][0]["ERRORMESSAGE"].as_str().unwrap_or_default();
    if error.code != Some(code.to_string()) || !error.message.starts_with(words) {
        return Err(format!("code {code} has become {error:?}").into());
    }
    Ok(())
}

/// Runs an operation; the catalogue comes first, then these answers, a batch where one is an array.
fn call(operation: &str, args: Value, answers: Vec<Value>) -> Result<Value> {
    let mut driver = Driver::new(LinodeV3::at("https://api.linode.com").expect("a good address"));
    driver.on(API, Reply::json(200, catalogue(Map::new())));
    driver.call("regions.list", json!({})).expect("a catalogue");
    for body in answers {
        driver.on(API, Reply::json(200, body));
    }
    driver.call(operation, args)
}

fn catalogue(mut lists: Map<String, Value>) -> Value {
    let plans = json!([{ "PLANID": 1, "RAM": 1024, "DISK": 24 }]);
    let usual = [
        ("avail.datacenters", json!([{ "DATACENTERID": 2, "ABBR": "dallas" }])),
        ("avail.linodeplans", plans),
        ("avail.distributions", json!([{ "DISTRIBUTIONID": 140, "LABEL": "Debian 8", "IS64BIT": 1 }])),
        ("avail.kernels", json!([{ "KERNELID": 138, "LABEL": "Latest 64 bit" }])),
    ];
    usual.into_iter().map(|(name, data)| lists.remove(name).unwrap_or_else(|| ok(data))).collect()
}

fn ok(data: impl Into<Value>) -> Value {
    let data = data.into();
    json!({ "ERRORARRAY": [], "DATA": data })
}

/// The operation that such an answer belongs to, and what must come out of it.
fn arrives(action: &str, body: &Value) -> std::result::Result<(), String> {
    let data = &body["DATA"];
    let id = |key: &str| text(first(data).get(key).or_else(|| first(data).get(key.to_ascii_uppercase())));
    let told = |error: ProviderError| error.to_string();
    let run = |operation: &str, args: Value, answers: Vec<Value>| call(operation, args, answers).map_err(told);
    let made = |out: &Value, key: &str| same("id", &text(out.get("id")), &id(key));
    let body = || body.clone();
    let of = json!({ "instance": "1" });
    let part = json!({ "instance": "1", "id": "2" });
    match action {
        "avail.datacenters" => listed_in_catalogue(action, "regions.list", &body(), &[("LOCATION", "label")]),
        "avail.linodeplans" => {
            let fields = [
                ("LABEL", "label"),
                ("RAM", "memory_mb"),
                ("CORES", "vcpus"),
                ("XFER", "transfer_gb"),
                ("PRICE", "price.monthly"),
                ("HOURLY", "price.hourly"),
            ];
            listed_in_catalogue(action, "types.list", &body(), &fields)
        }
        "avail.distributions" => {
            listed_in_catalogue(action, "images.list", &body(), &[("LABEL", "label"), ("MINIMAGESIZE", "size_mb")])
        }
        "avail.kernels" => listed_in_catalogue(action, "kernels.list", &body(), &[("LABEL", "label")]),
        "avail.stackscripts" | "stackscript.list" => {
            let fields = [
                ("STACKSCRIPTID", "id"),
                ("LABEL", "label"),
                ("DESCRIPTION", "description"),
                ("SCRIPT", "script"),
                ("REV_NOTE", "revision_note"),
            ];
            rows(&run("stackscripts.list", json!({}), vec![body()])?, data, &fields)
        }
        "stackscript.create" => {
            let args = json!({ "label": "x", "images": ["any/all"], "script": "#!" });
            made(&run("stackscripts.create", args, vec![body()])?, "StackScriptID")
        }
        "linode.list" => {
            let answers = vec![json!([body(), ok(json!([]))]), ok(json!([]))];
            let fields = [
                ("LINODEID", "id"),
                ("LABEL", "label"),
                ("TOTALRAM", "memory_mb"),
                ("TOTALHD", "disk_mb"),
                ("LPM_DISPLAYGROUP", "tags"),
            ];
            rows(&run("instances.list", json!({}), answers)?, data, &fields)
        }
        "linode.create" | "linode.clone" => {
            let new: u64 = id("LinodeID").parse().map_err(|_| "no LinodeID")?;
            let linode = json!([{ "LINODEID": new, "LABEL": "x", "DATACENTERID": 2, "PLANID": 1 }]);
            let last = json!([ok(json!({})), ok(linode), ok(json!([])), ok(json!([]))]);
            let rest = vec![ok(json!([])), body(), ok(json!({})), last];
            let out = if action == "linode.create" {
                run("instances.create", json!({ "label": "x", "region": "us-central", "type": "g6-nanode-1" }), rest)?
            } else {
                let old = ok(json!([{ "LINODEID": 1, "DATACENTERID": 2, "PLANID": 1 }]));
                let answers = std::iter::once(old).chain(rest).collect();
                run("instances.clone", json!({ "id": "1", "label": "x" }), answers)?
            };
            made(&out, "LinodeID")
        }
        "linode.update" => {
            let linode = json!([{ "LINODEID": 1, "LABEL": "x" }]);
            let answers = vec![body(), json!([ok(linode), ok(json!([])), ok(json!([]))])];
            run("instances.update", json!({ "id": "1", "label": "x" }), answers).map(drop)
        }
        "linode.delete" => run("instances.delete", json!({ "id": "1" }), vec![body()]).map(drop),
        "linode.boot" => run("instances.boot", json!({ "id": "1" }), vec![body()]).map(drop),
        "linode.shutdown" => run("instances.shutdown", json!({ "id": "1" }), vec![body()]).map(drop),
        "linode.reboot" => run("instances.reboot", json!({ "id": "1" }), vec![body()]).map(drop),
        "linode.resize" => run("instances.resize", json!({ "id": "1", "type": "g6-nanode-1" }), vec![body()]).map(drop),
        "linode.job.list" => {
            let linode = json!([{ "LINODEID": 1, "STATUS": 0 }]);
            let out = run("instances.get", json!({ "id": "1" }), vec![json!([ok(linode), ok(json!([])), body()])])?;
            let waits = data.as_array().is_some_and(|jobs| jobs.iter().any(|job| job["HOST_FINISH_DT"] == ""));
            same("status", &text(out.get("status")), if waits { "provisioning" } else { "offline" })
        }
        "linode.ip.list" => {
            let fields = [("IPADDRESS", "address"), ("RDNS_NAME", "rdns"), ("ISPUBLIC", "public")];
            rows(&run("instances.addresses", json!({ "id": "1" }), vec![body()])?, data, &fields)
        }
        "linode.disk.list" => {
            let fields = [("DISKID", "id"), ("LABEL", "label"), ("SIZE", "size_mb"), ("TYPE", "filesystem")];
            rows(&run("disks.list", of, vec![json!([body(), ok(json!([]))])])?, data, &fields)
        }
        "linode.disk.create" => {
            made(&run("disks.create", json!({ "instance": "1", "label": "x", "size_mb": 1 }), vec![body()])?, "DiskID")
        }
        "linode.disk.createfromdistribution" | "linode.disk.createfromimage" | "linode.disk.createfromstackscript" => {
            let args = json!({ "instance": "1", "label": "x", "size_mb": 1, "image": "private/1", "root_pass": { "secret": "s" } });
            made(&run("disks.create", args, vec![body()])?, "DiskID")
        }
        "linode.disk.delete" => run("disks.delete", part, vec![body()]).map(drop),
        "linode.disk.resize" => {
            run("disks.resize", json!({ "instance": "1", "id": "2", "size_mb": 3 }), vec![body()]).map(drop)
        }
        "linode.disk.imagize" => {
            let answers = vec![ok(json!([{ "LINODEID": 1 }])), ok(json!([{ "DISKID": 2 }])), body()];
            let out = run("images.create", json!({ "disk": "2" }), answers)?;
            same("id", &text(out.get("id")), &format!("private/{}", id("ImageID")))
        }
        "image.list" => {
            let out = run("images.list", json!({}), vec![catalogue(Map::new()), json!([body(), ok(json!([]))])])?;
            let own: Vec<_> = out["items"].as_array().into_iter().flatten().skip(1).cloned().collect();
            rows(&json!({ "items": own }), data, &[("LABEL", "label")])
        }
        "image.delete" => run("images.delete", json!({ "id": "private/1" }), vec![body()]).map(drop),
        "linode.config.list" => {
            let fields = [
                ("ConfigID", "id"),
                ("Label", "label"),
                ("Comments", "comments"),
                ("DiskList", "devices"),
                ("KernelID", "kernel"),
            ];
            rows(&run("configs.list", of, vec![body()])?, data, &fields)
        }
        "linode.config.update" => {
            let answers = vec![body(), ok(json!([{ "ConfigID": 2 }]))];
            run("configs.update", json!({ "instance": "1", "id": "2", "label": "x" }), answers).map(drop)
        }
        "linode.config.delete" => run("configs.delete", part, vec![body()]).map(drop),
        "nodebalancer.list" => {
            let fields = [
                ("NODEBALANCERID", "id"),
                ("LABEL", "label"),
                ("HOSTNAME", "hostname"),
                ("ADDRESS4", "ipv4"),
                ("ADDRESS6", "ipv6"),
                ("CLIENTCONNTHROTTLE", "connection_throttle"),
            ];
            rows(&run("nodebalancers.list", json!({}), vec![body()])?, data, &fields)
        }
        "nodebalancer.create" => {
            let args = json!({ "label": "x", "region": "us-central" });
            made(&run("nodebalancers.create", args, vec![body(), ok(json!([]))])?, "NodeBalancerID")
        }
        "nodebalancer.config.list" => {
            let fields = [
                ("CONFIGID", "id"),
                ("PORT", "port"),
                ("PROTOCOL", "protocol"),
                ("ALGORITHM", "algorithm"),
                ("STICKINESS", "stickiness"),
                ("CHECK", "check.kind"),
                ("CHECK_PATH", "check.path"),
                ("CHECK_BODY", "check.body"),
                ("CHECK_INTERVAL", "check.interval_s"),
                ("CHECK_TIMEOUT", "check.timeout_s"),
                ("CHECK_ATTEMPTS", "check.attempts"),
            ];
            rows(&run("nodebalancer_configs.list", json!({ "nodebalancer": "1" }), vec![body()])?, data, &fields)
        }
        "nodebalancer.config.create" => {
            let args = json!({ "nodebalancer": "1", "port": 80 });
            made(&run("nodebalancer_configs.create", args, vec![body(), ok(json!([]))])?, "ConfigID")
        }
        "nodebalancer.config.delete" => {
            run("nodebalancer_configs.delete", json!({ "nodebalancer": "1", "config": "2" }), vec![body()]).map(drop)
        }
        "nodebalancer.node.list" => {
            let fields = [
                ("NODEID", "id"),
                ("LABEL", "label"),
                ("ADDRESS", "address"),
                ("WEIGHT", "weight"),
                ("MODE", "mode"),
                ("STATUS", "status"),
            ];
            rows(
                &run("nodebalancer_nodes.list", json!({ "nodebalancer": "1", "config": "2" }), vec![body()])?,
                data,
                &fields,
            )
        }
        "nodebalancer.node.create" => {
            let args = json!({ "nodebalancer": "1", "config": "2", "label": "x", "address": "192.168.128.4:80" });
            made(&run("nodebalancer_nodes.create", args, vec![body(), ok(json!([]))])?, "NodeID")
        }
        "nodebalancer.node.delete" => {
            let args = json!({ "nodebalancer": "1", "config": "2", "id": "3" });
            run("nodebalancer_nodes.delete", args, vec![body()]).map(drop)
        }
        "domain.list" => {
            let fields = [
                ("DOMAINID", "id"),
                ("DOMAIN", "domain"),
                ("TYPE", "kind"),
                ("SOA_EMAIL", "soa_email"),
                ("TTL_SEC", "ttl_s"),
                ("LPM_DISPLAYGROUP", "tags"),
            ];
            rows(&run("domains.list", json!({}), vec![body()])?, data, &fields)
        }
        "domain.create" => made(&run("domains.create", json!({ "domain": "example.com" }), vec![body()])?, "DomainID"),
        "domain.delete" => run("domains.delete", json!({ "id": "1" }), vec![body()]).map(drop),
        "domain.resource.list" => {
            let fields = [
                ("RESOURCEID", "id"),
                ("TYPE", "type"),
                ("NAME", "name"),
                ("TARGET", "target"),
                ("TTL_SEC", "ttl_s"),
                ("PRIORITY", "priority"),
                ("WEIGHT", "weight"),
                ("PORT", "port"),
            ];
            rows(&run("domain_records.list", json!({ "domain": "1" }), vec![body()])?, data, &fields)
        }
        "domain.resource.create" => {
            let args = json!({ "domain": "1", "type": "A", "target": "203.0.113.9" });
            made(&run("domain_records.create", args, vec![body()])?, "ResourceID")
        }
        "domain.resource.delete" => {
            run("domain_records.delete", json!({ "domain": "1", "id": "2" }), vec![body()]).map(drop)
        }
        // No word for it in the neutral model: it arrives as it stands.
        "user.getapikey"
        | "test.echo"
        | "account.info"
        | "account.estimateinvoice"
        | "avail.nodebalancers"
        | "domain.update"
        | "domain.resource.update"
        | "image.update"
        | "linode.disk.duplicate"
        | "linode.disk.update"
        | "linode.ip.addpublic"
        | "linode.ip.addprivate"
        | "linode.ip.setrdns"
        | "linode.ip.swap"
        | "nodebalancer.update"
        | "nodebalancer.node.update"
        | "stackscript.update"
        | "stackscript.delete" => {
            let out = run("raw", json!({ "method": "POST", "path": "/test.echo" }), vec![body()])?;
            if out == *data { Ok(()) } else { Err(format!("{data} has become {out}")) }
        }
        _ => Err("nothing here knows this action".to_owned()),
    }
}

/// A list of the catalogue, the others as usual.
fn listed_in_catalogue(
    action: &str,
    operation: &str,
    body: &Value,
    fields: &[(&str, &str)],
) -> std::result::Result<(), String> {
    let lists = catalogue(Map::from_iter([(action.to_owned(), body.clone())]));
    let images = json!([ok(json!([])), ok(json!([]))]);
    let answers = if operation == "images.list" { vec![lists, images] } else { vec![lists] };
    let out = call(operation, json!({}), answers).map_err(|error| error.to_string())?;
    let ids = out["items"].as_array().into_iter().flatten().map(|item| text(item.get("id")));
    let mut ids: Vec<_> = ids.filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    let count = body["DATA"].as_array().map_or(0, Vec::len);
    same("ids", &ids.len().to_string(), &count.to_string())?;
    rows(&out, &body["DATA"], fields)
}

/// Every row has become an item, and each of these fields says the same.
fn rows(out: &Value, data: &Value, fields: &[(&str, &str)]) -> std::result::Result<(), String> {
    let (none, items) = (Vec::new(), out["items"].as_array().ok_or("no list")?);
    let rows = data.as_array().unwrap_or(&none);
    same("count", &items.len().to_string(), &rows.len().to_string())?;
    for (item, row) in items.iter().zip(rows) {
        for (key, field) in fields {
            let model = field.split('.').try_fold(item, |at, part| at.get(part));
            same(field, &in_model(model), &in_row(key, row.get(*key)))?;
        }
    }
    Ok(())
}

fn same(field: &str, model: &str, row: &str) -> std::result::Result<(), String> {
    let number = |text: &str| text.parse::<f64>().ok();
    let equal = model.eq_ignore_ascii_case(row) || number(model).is_some_and(|value| Some(value) == number(row));
    if equal { Ok(()) } else { Err(format!("{field}: `{row}` has become `{model}`")) }
}

fn in_model(value: Option<&Value>) -> String {
    match value {
        Some(Value::Array(items)) => items.iter().map(|item| text(Some(item))).collect::<Vec<_>>().join(","),
        Some(Value::Object(slots)) => slots.values().map(|slot| text(slot.get("disk"))).collect::<Vec<_>>().join(","),
        other => text(other),
    }
}

fn in_row(key: &str, value: Option<&Value>) -> String {
    let plain = text(value);
    match key {
        "DiskList" => plain.split(',').filter(|disk| !disk.is_empty()).collect::<Vec<_>>().join(","),
        "ISPUBLIC" => (plain == "1").to_string(),
        _ => plain,
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn first(data: &Value) -> &Value {
    data.as_array().and_then(|items| items.first()).unwrap_or(data)
}
