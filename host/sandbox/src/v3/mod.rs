//! The Linode API v3, which Linode has retired, over the same world as v4: a Linode made through one is seen through the other.
//!
//! Owns: from a request to its answer: parameters of GET and POST, keys, batches, and envelopes. Everything that was understood is
//! answered with HTTP 200; what went wrong is said by a number. Does not know sockets or threads. Facts: api.spec 3.3 and 2018,
//! linode.com/api of 2017.

mod account;
mod avail;
mod call;
mod configs;
mod dates;
mod disks;
mod domains;
mod fault;
mod ids;
mod images;
mod ips;
mod jobs;
mod linodes;
mod methods;
mod nodebalancers;
mod request;
mod stackscripts;
mod utility;
mod volumes;

use serde_json::{Value, json};

use call::Call;
use fault::Fault;
use request::Parameters;

use crate::catalogue::BUNDLED;
use crate::clock::Time;
use crate::limits::Limits;
use crate::wire::{Request, Response};
use crate::world::{Linode, World};

/// More actions in one batch are refused.
const BATCH: usize = 25;

/// Whether a path is that of this API: it has but one.
pub(crate) fn is_at(path: &str) -> bool {
    matches!(path.trim_end_matches('/'), "" | "/api")
}

/// One thing that a request asks for, as rules of faults see it.
pub(crate) struct Action {
    /// In lower case.
    pub(crate) name: String,
    /// Where and what a new Linode is to be.
    pub(crate) region: Option<&'static str>,
    pub(crate) linode_type: Option<&'static str>,
}

/// What a request asks for: one action, or those of a batch.
pub(crate) fn actions(request: &Request) -> Vec<Action> {
    let of = |one: &Parameters| {
        let number = |name: &str| call::number(one.text(name)).unwrap_or_default();
        Action {
            name: one.text("api_action").to_ascii_lowercase(),
            region: ids::region(&BUNDLED, number("datacenterid")).map(|region| region.id),
            linode_type: ids::linode_type(&BUNDLED, number("planid")).map(|one| one.id),
        }
    };
    asked(request).iter().map(of).collect()
}

/// The Linode that a request is about; of a batch the first one.
pub(crate) fn linode_of<'a>(world: &'a World, request: &Request) -> Option<&'a Linode> {
    if !is_at(&request.path) {
        return None;
    }
    let of = |one: &Parameters| world.linodes.get(&call::number(one.text("linodeid"))?);
    asked(request).iter().find_map(of)
}

fn asked(request: &Request) -> Vec<Parameters> {
    let Ok(parameters) = Parameters::of(request) else { return Vec::new() };
    if !parameters.text("api_action").eq_ignore_ascii_case("batch") {
        return vec![parameters];
    }
    let items = serde_json::from_str(parameters.text("api_requestarray")).unwrap_or_default();
    let Value::Array(items) = items else { return Vec::new() };
    items.into_iter().filter_map(Parameters::of_item).collect()
}

/// A refusal of a whole request that is not the request's fault.
pub(crate) fn refusal(code: u64, message: &str) -> Response {
    Response::new(200, envelope("", Err(Fault::new(code, message))))
}

/// Answers a request.
pub(crate) fn handle(world: &mut World, limits: &mut Limits, now: Time, request: &Request) -> Response {
    let answered = Parameters::of(request).map_or_else(
        |fault| envelope("", Err(fault)),
        |parameters| answer(&mut Desk { world, limits, now, request }, &parameters),
    );
    let mut response = Response::new(200, answered);
    let mut add = |name: &str, value: &str| response.headers.push((name.to_owned(), value.to_owned()));
    add("Content-Type", "application/json;charset=UTF-8");
    add("X-Powered-By", "Tiger Blood");
    response
}

/// What a request is answered with.
struct Desk<'a> {
    world: &'a mut World,
    limits: &'a mut Limits,
    now: Time,
    request: &'a Request,
}

fn answer(desk: &mut Desk<'_>, parameters: &Parameters) -> Value {
    let action = parameters.text("api_action");
    if !action.eq_ignore_ascii_case("batch") {
        return one(desk, action, parameters, parameters);
    }
    if key(desk, parameters).is_none() {
        return envelope(action, Err(Fault::unauthorized()));
    }
    let Ok(Value::Array(items)) = serde_json::from_str(parameters.text("api_requestarray")) else {
        return envelope(action, Err(Fault::new(11, "RequestArray isn't valid JSON or WDDX")));
    };
    if items.len() > BATCH {
        return envelope(action, Err(Fault::new(10, "Too many batched requests")));
    }
    let answers = items.into_iter().map(|item| match Parameters::of_item(item) {
        Some(item) => one(desk, item.text("api_action"), &item, parameters),
        None => envelope("", Err(Fault::new(11, "RequestArray isn't valid JSON or WDDX"))),
    });
    Value::Array(answers.collect())
}

/// One action; the key is in `outer`, which is itself unless it is part of a batch.
fn one(desk: &mut Desk<'_>, action: &str, parameters: &Parameters, outer: &Parameters) -> Value {
    if action.is_empty() {
        return envelope("", Err(Fault::new(2, "No action was requested")));
    }
    let method = match methods::find(action) {
        Ok(method) => method,
        Err(fault) => return envelope(action, Err(fault)),
    };
    let key = key(desk, outer);
    if key.is_none() && !method.open {
        return envelope(method.name, Err(Fault::unauthorized()));
    }
    desk.world.reason = format!("{} (API v3)", method.name);
    let Desk { world, limits, now, .. } = desk;
    let mut call = Call { world, limits, now: *now, key: key.unwrap_or_default(), parameters };
    envelope(method.name, method.answer(&mut call))
}

/// The key of a request: a parameter, or the password of Basic authentication with whatever user. It must open everything,
/// since this API knows no scopes.
fn key(desk: &Desk<'_>, parameters: &Parameters) -> Option<String> {
    let key = match parameters.text("api_key") {
        "" => request::password(desk.request)?,
        key => key.to_owned(),
    };
    desk.world.tokens.get(&key).filter(|token| token.may("*")).map(|_| key)
}

fn envelope(action: &str, outcome: Result<Value, Fault>) -> Value {
    let (errors, data) = match outcome {
        Ok(data) => (json!([]), data),
        Err(fault) => (json!([{"ERRORCODE": fault.code, "ERRORMESSAGE": fault.message}]), json!({})),
    };
    json!({"ERRORARRAY": errors, "DATA": data, "ACTION": action})
}
