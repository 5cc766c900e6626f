//! The plugin driven in-process: an operation and its arguments, the exact requests, what comes out. No host, no network.

mod account;
mod catalogue;
mod create;
mod errors;
mod firewalls;
mod instances;
mod lists;
mod manifest;
mod raw;
mod stackscripts;

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
