//! Any operation of API v4 by method and path, for what the neutral model has no word for.

use crate::api::{Api, class, escape, invalid, object, send};
use crate::facts::is_beta;
use crate::lenient::Whole;
use crate::list::{LANES, MAX_PAGES, PAGE_SIZE};
use linodetool_plugin::{Cx, ErrorKind, ProviderError, Raw, Request, Response, Result, try_join_lanes};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

pub(crate) async fn raw(api: &Api, cx: &Cx, args: Raw) -> Result<Box<RawValue>> {
    if args.all_pages {
        return all_pages(api, cx, &args).await;
    }
    let response = send(cx, request(api, &args, &args.query)?).await?;
    if response.body.json.is_none() && response.body.text.as_deref().unwrap_or_default().trim().is_empty() {
        return Ok(RawValue::NULL.to_owned()); // 204
    }
    response.json()
}

#[derive(Deserialize)]
struct Envelope {
    data: Vec<Box<RawValue>>,
    pages: Whole,
}

/// The first page alone, since it says how many there are. What changes meanwhile may be missed or be there twice: what makes
/// an item of an operation that we do not know one and the same, we do not know either.
async fn all_pages(api: &Api, cx: &Cx, args: &Raw) -> Result<Box<RawValue>> {
    if !args.method.eq_ignore_ascii_case("GET") {
        return Err(invalid("all_pages", format!("only GET answers in pages, not {}", args.method)));
    }
    if let Some(name) = ["page", "page_size"].into_iter().find(|name| args.query.contains_key(*name)) {
        return Err(invalid("query", format!("`{name}` goes without saying when all pages are wanted")));
    }
    let page = |number: u64| async move {
        let mut query = args.query.clone();
        query.insert("page".to_owned(), number.to_string());
        query.insert("page_size".to_owned(), PAGE_SIZE.to_string());
        match send(cx, request(api, args, &query)?).await {
            // The list has become shorter.
            Err(error) if number > 1 && error.kind == ErrorKind::NotFound => {
                Ok(Envelope { data: Vec::new(), pages: Whole(0) })
            }
            answer => envelope(&answer?, &args.path),
        }
    };
    let first = page(1).await?;
    if first.pages.0 > MAX_PAGES {
        let message = format!("the provider says that {} has {} pages", args.path, first.pages.0);
        return Err(ProviderError::new(ErrorKind::Unavailable, message));
    }
    let rest = try_join_lanes(LANES, (2..=first.pages.0).map(page)).await?;
    let items: Vec<_> = first.data.into_iter().chain(rest.into_iter().flat_map(|page| page.data)).collect();
    Ok(to_raw_value(&items)?)
}

fn envelope(response: &Response, path: &str) -> Result<Envelope> {
    object(response).map_err(|_| invalid("all_pages", format!("{path} does not answer in pages")))
}

fn request(api: &Api, args: &Raw, query: &BTreeMap<String, String>) -> Result<Request> {
    let method = args.method.to_ascii_uppercase();
    let repeat = match method.as_str() {
        "GET" | "PUT" | "DELETE" => true,
        "POST" => false,
        _ => return Err(invalid("method", format!("`{}` is none of GET, POST, PUT, DELETE", args.method))),
    };
    let path = checked(&args.path)?;
    let whole = with_query(path, query);
    let request = if is_beta(&method, path) { api.beta(&method, &whole) } else { api.request(&method, &whole) };
    let mut request = request.safe_to_repeat(repeat).class(class_of(&method, path));
    if let Some(body) = &args.body {
        request = request.raw_json(body.clone());
    }
    if let Some(filter) = &args.filter {
        if !filter.get().is_ascii() {
            return Err(invalid("filter", "write letters outside ASCII as \\uXXXX: the filter is a header".to_owned()));
        }
        request = request.header("x-filter", filter.get().replace(['\n', '\r'], " "));
    }
    Ok(request)
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

fn with_query(path: &str, query: &BTreeMap<String, String>) -> String {
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
