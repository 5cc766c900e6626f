//! The plugin driven in-process: an operation and its arguments, the exact requests, what comes out. No host, no network.

mod account;
mod actions;
mod catalogue;
mod create;
mod disks;
mod domains;
mod errors;
mod facts;
mod firewalls;
mod instances;
mod ips;
mod lists;
mod manifest;
mod networks;
mod nodebalancers;
mod raw;
mod stackscripts;
mod volumes;

use linodetool_linode_v4::LinodeV4;
use linodetool_plugin::testing::{Driver, Reply};
use serde_json::{Value, json};

/// A plugin instance at the real address.
fn driver() -> Driver<LinodeV4> {
    Driver::new(LinodeV4::at("https://api.linode.com/v4").expect("a good address"))
}

/// One operation with one exchange.
fn one(operation: &str, args: Value, request: &str, reply: Reply) -> String {
    let mut driver = driver();
    driver.on(request, reply);
    driver.show(operation, args)
}

/// Several operations, each with one exchange on an instance of its own.
fn each<const N: usize>(calls: [(&str, Value, &str, Reply); N]) -> String {
    calls.map(|(operation, args, request, reply)| one(operation, args, request, reply)).concat()
}

/// Several operations that must ask nothing.
fn unasked<const N: usize>(calls: [(&str, Value); N]) -> String {
    calls.map(|(operation, args)| driver().show(operation, args)).concat()
}

/// How API v4 says that it has begun.
fn accepted() -> Reply {
    Reply::json(200, json!({}))
}

/// The envelope of a list.
fn page(items: impl Into<Value>, page: u64, pages: u64, results: u64) -> Reply {
    let items = items.into();
    Reply::json(200, json!({ "data": items, "page": page, "pages": pages, "results": results }))
}

/// A list of one page.
fn whole(items: Value) -> Reply {
    let results = items.as_array().map_or(0, Vec::len) as u64;
    page(items, 1, 1, results)
}

/// How API v4 tells errors.
fn refused(status: u16, errors: impl Into<Value>) -> Reply {
    let errors = errors.into();
    Reply::json(status, json!({ "errors": errors }))
}
