//! The plugin driven in-process: an operation and its arguments, the exact requests, what comes out. No host, no network.

mod batches;
mod catalogue;
mod create;
mod errors;
mod facts;
mod instances;
mod manifest;
mod parts;
mod quirks;
mod raw;
mod services;
mod unfinished;
mod world;

use linodetool_linode_v3::LinodeV3;
use linodetool_plugin::testing::{Driver, Reply};
use serde_json::{Value, json};

/// All there is to ask: one address.
const API: &str = "POST https://api.linode.com/";

/// A plugin instance at the real address, which knows nothing yet.
fn fresh() -> Driver<LinodeV3> {
    Driver::new(LinodeV3::at("https://api.linode.com").expect("a good address"))
}

/// A plugin instance that has read the catalogue.
fn driver() -> Driver<LinodeV3> {
    let mut driver = fresh();
    driver.on(API, catalogue());
    driver.call("regions.list", json!({})).expect("a good catalogue");
    driver.requests.clear();
    driver
}

/// One operation with the answers it gets, in turn.
fn show(operation: &str, args: Value, replies: impl IntoIterator<Item = Reply>) -> String {
    let mut driver = driver();
    for reply in replies {
        driver.on(API, reply);
    }
    short(&driver.show(operation, args))
}

/// What was shown, with each request as its actions: `>` what may be repeated, `>!` what may not. A batch has an action a
/// line. That all requests are POSTs of forms to one address with the key in the form, one test says.
fn short(shown: &str) -> String {
    let mut short = String::new();
    let mut mark = ">";
    for line in shown.lines() {
        if let Some(form) = line.strip_prefix("  {\"form\":") {
            let form: Value = serde_json::from_str(&form[..form.len() - 1]).expect("a form");
            match form["api_requestArray"].as_str() {
                None => short += &format!("{mark} {}\n", action(&form)),
                Some(array) => {
                    let items: Vec<Value> = serde_json::from_str(array).expect("an array");
                    short += &format!("{mark} batch of {}\n", items.len());
                    items.iter().for_each(|item| short += &format!("    {}\n", action(item)));
                }
            }
        } else if line.starts_with("  auth ") {
            mark = if line.ends_with("safe to repeat") { ">" } else { ">!" };
        } else if !line.starts_with("> POST ") && line != "< 200" {
            short += &format!("{line}\n");
        }
    }
    short
}

fn action(fields: &Value) -> String {
    let mut action = fields["api_action"].as_str().expect("an action").to_owned();
    for (name, value) in fields.as_object().expect("fields").iter().filter(|(name, _)| *name != "api_action") {
        action +=
            &format!(" {name}={}", value.as_str().map_or_else(|| value.to_string(), |text| text.replace('\n', "\\n")));
    }
    action
}

/// How API v3 says that something went well. The key of an action's echo is never looked at.
fn answer(data: impl Into<Value>) -> Value {
    let data = data.into();
    json!({ "ERRORARRAY": [], "DATA": data, "ACTION": "Some.Action" })
}

fn fault(code: i64, message: &str) -> Value {
    json!({ "ERRORARRAY": [{ "ERRORCODE": code, "ERRORMESSAGE": message }], "DATA": {}, "ACTION": "some.action" })
}

/// A single action went well.
fn good(data: impl Into<Value>) -> Reply {
    Reply::json(200, answer(data))
}

/// A single action did not.
fn bad(code: i64, message: &str) -> Reply {
    Reply::json(200, fault(code, message))
}

/// The answers of a batch.
fn batch(answers: impl Into<Vec<Value>>) -> Reply {
    Reply::json(200, Value::Array(answers.into()))
}

/// The catalogue in one request.
fn catalogue() -> Reply {
    batch(lists())
}

/// The four lists of the catalogue: datacenters, plans, distributions, kernels.
fn lists() -> [Value; 4] {
    [
        answer(json!([
            { "DATACENTERID": 6, "LOCATION": "Newark, NJ, USA", "ABBR": "newark" },
            { "DATACENTERID": 7, "LOCATION": "London, England, UK", "ABBR": "london" },
            { "DATACENTERID": 8, "LOCATION": "Tokyo, JP", "ABBR": "tokyo" },
        ])),
        answer(json!([
            { "PLANID": 1, "LABEL": "Linode 1024", "RAM": 1024, "DISK": 20, "CORES": 1, "XFER": 1000, "PRICE": 5.0,
                "HOURLY": 0.0075, "AVAIL": { "6": 500 } },
            { "PLANID": "4", "LABEL": "Linode 4096", "RAM": "4096", "DISK": 48, "CORES": 2, "XFER": 3000, "PRICE": 20.0,
                "HOURLY": 0.03 },
            { "PLANID": 9, "LABEL": "Linode 49152", "RAM": 49152, "DISK": 1152, "CORES": 16, "XFER": 20000 },
        ])),
        answer(json!([
            { "DISTRIBUTIONID": 140, "LABEL": "Debian 12", "IS64BIT": 1, "MINIMAGESIZE": 900 },
            { "DISTRIBUTIONID": 124, "LABEL": "Ubuntu 14.04 LTS", "IS64BIT": 1, "MINIMAGESIZE": 1500 },
            { "DISTRIBUTIONID": 77, "LABEL": "Debian 6 32bit", "IS64BIT": 0, "MINIMAGESIZE": 550 },
        ])),
        answer(json!([
            { "KERNELID": 138, "LABEL": "Latest 64 bit (4.1.5-x86_64-linode61)", "ISXEN": 1, "ISKVM": 1 },
            { "KERNELID": 137, "LABEL": "Latest 32 bit (4.1.5-x86-linode80)" },
            { "KERNELID": 210, "LABEL": "GRUB 2" },
            { "KERNELID": 61, "LABEL": "Recovery - Finnix (kernel)" },
            { "KERNELID": 178, "LABEL": "3.13.7-x86-linode57" },
        ])),
    ]
}
