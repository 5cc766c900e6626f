//! Makes the real request of a plugin's: the token at its place, secrets in the body.
//!
//! Does not decide whether the request may be made or the token may go along.

use crate::provider::Secrets;
use crate::provider::fill::{MissingSecret, fill_field, fill_json};
use crate::provider::redact::form_encode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linodetool_plugin::Auth;
use linodetool_plugin::message::{Body, HttpOut};
use reqwest::header::HeaderValue;
use reqwest::{Client, Method, RequestBuilder, Url};

/// A request that is not made, and why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) String);

impl From<MissingSecret> for Refused {
    fn from(missing: MissingSecret) -> Self {
        Self(missing.to_string())
    }
}

/// `token` goes where the request says; without one the request goes without.
pub(crate) fn build(
    client: &Client,
    mut url: Url,
    request: &HttpOut,
    token: Option<&str>,
    secrets: &Secrets,
) -> Result<RequestBuilder, Refused> {
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|why| Refused(why.to_string()))?;
    let mut form = Vec::new();
    let mut header = None;
    match request.auth.as_ref().zip(token) {
        None => {}
        Some((Auth::Bearer, token)) => header = Some(("authorization", format!("Bearer {token}"))),
        Some((Auth::Basic, token)) => {
            header = Some(("authorization", format!("Basic {}", STANDARD.encode(format!(":{token}")))));
        }
        Some((Auth::Header(name), token)) => header = Some((name.as_str(), token.to_owned())),
        Some((Auth::Query(name), token)) => drop(url.query_pairs_mut().append_pair(name, token)),
        Some((Auth::Form(name), token)) => {
            let Body { json: None, text: None, base64: None, .. } = &request.body else {
                return Err(Refused("a credential in a form needs a request with a form".into()));
            };
            form.push((name.as_str(), token.to_owned()));
        }
    }
    let mut out = client.request(method, url);
    for (name, value) in &request.headers {
        if header.as_ref().is_none_or(|(own, _)| !own.eq_ignore_ascii_case(name)) {
            out = out.header(name, value);
        }
    }
    if let Some((name, value)) = header {
        let mut value = HeaderValue::from_str(&value)
            .map_err(|_| Refused("the token holds characters that no header may carry".into()))?;
        value.set_sensitive(true);
        out = out.header(name, value);
    }
    add_body(out, request, form, secrets)
}

/// `form` holds the token's field, which is no place for references.
fn add_body<'a>(
    out: RequestBuilder,
    request: &'a HttpOut,
    mut form: Vec<(&'a str, String)>,
    secrets: &Secrets,
) -> Result<RequestBuilder, Refused> {
    let has_type = request.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type"));
    let typed = |out: RequestBuilder, kind: &str| if has_type { out } else { out.header("content-type", kind) };
    let body = &request.body;
    if let Some(json) = &body.json {
        let text = fill_json(json.get(), secrets)?;
        return Ok(typed(out, "application/json").body(text));
    }
    for (name, value) in body.form.iter().flatten() {
        if form.iter().any(|(own, _)| own == name) {
            continue;
        }
        form.push((name, fill_field(value, secrets)?));
    }
    if body.form.is_some() || !form.is_empty() {
        let pairs: Vec<_> =
            form.iter().map(|(name, value)| format!("{}={}", form_encode(name), form_encode(value))).collect();
        return Ok(typed(out, "application/x-www-form-urlencoded").body(pairs.join("&")));
    }
    if let Some(text) = &body.text {
        return Ok(out.body(text.clone()));
    }
    if let Some(base64) = &body.base64 {
        let bytes = STANDARD.decode(base64).map_err(|why| Refused(format!("the body is not base64: {why}")))?;
        return Ok(out.body(bytes));
    }
    Ok(out)
}
