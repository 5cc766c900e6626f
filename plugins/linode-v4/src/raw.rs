//! Any operation of API v4 by method and path, for what the neutral model has no word for.

use crate::api::{Api, class, escape, invalid, send};
use linodetool_plugin::{Cx, Raw, Result};
use serde_json::value::RawValue;

pub(crate) async fn raw(api: &Api, cx: &Cx, args: Raw) -> Result<Box<RawValue>> {
    let method = args.method.to_ascii_uppercase();
    let repeat = match method.as_str() {
        "GET" | "PUT" | "DELETE" => true,
        "POST" => false,
        _ => return Err(invalid("method", format!("`{}` is none of GET, POST, PUT, DELETE", args.method))),
    };
    let path = checked(&args.path)?;
    let mut request = api.request(&method, &with_query(path, &args.query)).safe_to_repeat(repeat);
    request = request.class(class_of(&method, path));
    if let Some(body) = args.body {
        request = request.raw_json(body);
    }
    if let Some(filter) = args.filter {
        if !filter.get().is_ascii() {
            return Err(invalid("filter", "write letters outside ASCII as \\uXXXX: the filter is a header".to_owned()));
        }
        request = request.header("x-filter", filter.get().replace(['\n', '\r'], " "));
    }
    let response = send(cx, request).await?;
    if response.body.json.is_none() && response.body.text.as_deref().unwrap_or_default().trim().is_empty() {
        return Ok(RawValue::NULL.to_owned()); // 204
    }
    response.json()
}

/// Below the base URL, and nowhere else.
fn checked(path: &str) -> Result<&str> {
    let no = |why: &str| Err(invalid("path", format!("`{path}` {why}")));
    if !path.starts_with('/') {
        return no("must begin with a slash, like /linode/instances");
    }
    if path.contains(['?', '#']) {
        return no("must be a path alone: put what follows `?` into `query`");
    }
    if path.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\') {
        return no("holds a letter that a path cannot: write it as %XX");
    }
    if path.split('/').any(|part| matches!(part.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")) {
        return no("leaves the place it starts from");
    }
    if path.starts_with("/v4/") || path.starts_with("/v4beta/") {
        return no("is already below the version: leave it out");
    }
    Ok(path)
}

fn with_query(path: &str, query: &std::collections::BTreeMap<String, String>) -> String {
    let mut url = path.to_owned();
    for (place, (name, value)) in query.iter().enumerate() {
        url.push(if place == 0 { '?' } else { '&' });
        escape(&mut url, name);
        url.push('=');
        escape(&mut url, value);
    }
    url
}

/// Where it is not known whether a path is a list, it is taken for one: that limit is the narrower.
fn class_of(method: &str, path: &str) -> &'static str {
    match (method, path.trim_end_matches('/')) {
        ("POST", "/linode/instances") => class::CREATE,
        ("POST", "/volumes") => class::VOLUMES,
        ("GET", "/images") => class::IMAGES,
        ("GET", "/linode/stackscripts") => class::STACKSCRIPTS,
        ("GET", path) if !path.ends_with(|last: char| last.is_ascii_digit()) => class::LIST,
        _ => class::DEFAULT,
    }
}
