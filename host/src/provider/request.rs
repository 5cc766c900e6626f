//! Makes the real request of a plugin's: the token at its place, secrets in the body.
//!
//! Does not decide whether the request may be made or the token may go along.

use crate::provider::Secrets;
use crate::provider::fill::{MissingSecret, fill_field, fill_json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use linodetool_plugin::Auth;
use linodetool_plugin::message::{Body, HttpOut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

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
    mut url: Url,
    request: &HttpOut,
    token: Option<&str>,
    secrets: &Secrets,
) -> Result<Request, Refused> {
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|why| Refused(why.to_string()))?;
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        headers.insert(header_name(name)?, header_value(name, value)?);
    }
    let mut form = Vec::new();
    let mut header = |name: &str, value: &str| {
        // The token's own words would be quoted by the error.
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| Refused("the token holds characters that no header may carry".into()))?;
        value.set_sensitive(true);
        headers.insert(header_name(name)?, value);
        Ok::<(), Refused>(())
    };
    match (request.auth.as_ref(), token) {
        (Some(Auth::Unknown), _) => {
            let why = "it wants its credential at a place that this version does not know; update linodetool";
            return Err(Refused(why.into()));
        }
        (None, _) | (_, None) => {}
        (Some(Auth::Bearer), Some(token)) => header("authorization", &format!("Bearer {token}"))?,
        (Some(Auth::Basic), Some(token)) => {
            header("authorization", &format!("Basic {}", STANDARD.encode(format!(":{token}"))))?;
        }
        (Some(Auth::Header(name)), Some(token)) => header(name, token)?,
        (Some(Auth::Query(name)), Some(token)) => drop(url.query_pairs_mut().append_pair(name, token)),
        (Some(Auth::Form(name)), Some(token)) => {
            let Body { json: None, text: None, base64: None, .. } = &request.body else {
                return Err(Refused("a credential in a form needs a request with a form".into()));
            };
            form.push((name.as_str(), token.to_owned()));
        }
    }
    let mut out = Request::new(method, url);
    if let Some((bytes, kind)) = body(&request.body, form, secrets)? {
        if let Some(kind) = kind {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(kind));
        }
        *out.body_mut() = Some(bytes.into());
    }
    *out.headers_mut() = headers;
    Ok(out)
}

fn header_name(name: &str) -> Result<HeaderName, Refused> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| Refused(format!("`{name}` cannot be the name of a header")))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, Refused> {
    HeaderValue::from_str(value)
        .map_err(|_| Refused(format!("the header `{name}` holds characters that no header may carry")))
}

/// A body's bytes, and their type where we know it.
type Content = (Vec<u8>, Option<&'static str>);

/// `a b&c` as `a+b%26c`.
fn form_encode(text: &str) -> String {
    let Ok(mut url) = Url::parse("http://h/") else {
        return String::new();
    };
    url.query_pairs_mut().append_pair("", text);
    url.query().unwrap_or_default().trim_start_matches('=').to_owned()
}

/// `form` holds the token's field, which is no place for references.
fn body<'a>(body: &'a Body, mut form: Vec<(&'a str, String)>, secrets: &Secrets) -> Result<Option<Content>, Refused> {
    if let Some(json) = &body.json {
        return Ok(Some((fill_json(json.get(), secrets)?.into_bytes(), Some("application/json"))));
    }
    for (name, value) in body.form.iter().flatten() {
        if form.iter().all(|(own, _)| own != name) {
            form.push((name, fill_field(value, secrets)?));
        }
    }
    if body.form.is_some() || !form.is_empty() {
        let pairs = form.iter().map(|(name, value)| format!("{}={}", form_encode(name), form_encode(value)));
        let text = pairs.collect::<Vec<_>>().join("&");
        return Ok(Some((text.into_bytes(), Some("application/x-www-form-urlencoded"))));
    }
    if let Some(text) = &body.text {
        return Ok(Some((text.clone().into_bytes(), None)));
    }
    let Some(base64) = &body.base64 else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(base64).map_err(|why| Refused(format!("the body is not base64: {why}")))?;
    Ok(Some((bytes, None)))
}
