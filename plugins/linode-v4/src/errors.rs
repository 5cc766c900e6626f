//! Error answers of API v4 as `ProviderError`: what kind of failure it is and what may be tried.
//!
//! Facts from the Linode API v4 docs ("Errors", "Rate limits") and the retry rules of linodego. Does not know which operation
//! failed.

use crate::lenient::{List, Text};
use linodetool_plugin::{ErrorKind, ProviderError, Response, Retry};
use serde::Deserialize;

/// Longest wait that is taken over from `retry-after`; the longest real window is a minute, so more is a mistake.
const MAX_RETRY_AFTER_S: i64 = 300;

/// How much of a body that is not JSON goes into a message.
const MAX_EXCERPT: usize = 80;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Errors {
    errors: List<Reason>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: Text,
    field: Text,
}

/// The error that an answer other than 2xx stands for.
pub(crate) fn error_of(response: &Response) -> ProviderError {
    let errors: Option<Errors> = response.body.json.as_ref().and_then(|json| serde_json::from_str(json.get()).ok());
    let reasons = errors.map(|errors| errors.errors.0).unwrap_or_default();
    let mut error = if reasons.is_empty() { without_reason(response) } else { with_reasons(response, reasons) };
    error.status = Some(response.status);
    error
}

/// All reasons are told and decide the kind together; the first one's field becomes the error's, the others' go before their
/// reason.
fn with_reasons(response: &Response, reasons: Vec<Reason>) -> ProviderError {
    let mut message = String::new();
    let mut field = None;
    for (place, reason) in reasons.into_iter().enumerate() {
        if place == 0 {
            field = reason.field.some();
            message = reason.reason.0;
        } else {
            let of = reason.field.some().map(|field| format!("{field}: ")).unwrap_or_default();
            message = format!("{message}; {of}{}", reason.reason.0);
        }
    }
    let (kind, retry) = kind_of(response, &message);
    if kind == ErrorKind::Forbidden && response.status == 401 {
        message = missing_scope(response, &message);
    }
    if kind == ErrorKind::Conflict && field.is_none() && message.starts_with("Label") {
        field = Some("label".to_owned());
    }
    ProviderError { field, retry: Some(retry), ..ProviderError::new(kind, message) }
}

/// Not API v4 itself but something before it (a proxy, an outage page), or a body without reasons.
fn without_reason(response: &Response) -> ProviderError {
    let status = response.status;
    let excerpt = response.body.text.as_deref().map(excerpt).unwrap_or_default();
    let message = if excerpt.is_empty() {
        format!("the provider answered {status} without a reason")
    } else {
        format!("the provider answered {status} with something that is not JSON: {excerpt}")
    };
    let (kind, retry) = match status {
        // The API itself always answers 400 with reasons: this one is the front end's, and passes (linodego retries it too).
        400 => (ErrorKind::Unavailable, Retry::Backoff),
        _ => kind_of(response, ""),
    };
    ProviderError { retry: Some(retry), ..ProviderError::new(kind, message) }
}

fn kind_of(response: &Response, message: &str) -> (ErrorKind, Retry) {
    let says = |text: &str| message.to_ascii_lowercase().contains(text);
    match response.status {
        400 if says("linode busy") => (ErrorKind::Busy, Retry::Backoff),
        400 if says("account limit reached") => (ErrorKind::Limit, Retry::Never),
        400 if says("must be unique") || says("already exists") => (ErrorKind::Conflict, Retry::Never),
        401 if says("not authorized to use this endpoint") => (ErrorKind::Forbidden, Retry::Never),
        401 => (ErrorKind::Unauthorized, Retry::Never),
        403 => (ErrorKind::Forbidden, Retry::Never),
        404 => (ErrorKind::NotFound, Retry::Never),
        501 => (ErrorKind::Unsupported, Retry::Never),
        408 | 504 => (ErrorKind::Timeout, Retry::Backoff),
        409 => (ErrorKind::Conflict, Retry::Never),
        429 => (ErrorKind::RateLimited, retry_after(response)),
        // Planned maintenance takes hours: trying again only makes it worse.
        503 if response.header("x-maintenance-mode").is_some() => (ErrorKind::Unavailable, Retry::Never),
        503 => (ErrorKind::Unavailable, retry_after(response)),
        502 => (ErrorKind::Unavailable, Retry::Backoff),
        400..=499 => (ErrorKind::Invalid, Retry::Never),
        // A redirect is never followed, and 500 comes back for the same request.
        _ => (ErrorKind::Unavailable, Retry::Never),
    }
}

/// Asked only for 429 and 503: API v4 also sends the header with 200, and has sent negative values.
fn retry_after(response: &Response) -> Retry {
    let seconds = response.header("retry-after").and_then(|value| value.trim().parse::<i64>().ok());
    match seconds {
        Some(seconds) => Retry::AfterMs(seconds.clamp(0, MAX_RETRY_AFTER_S).unsigned_abs() * 1000),
        None => Retry::Backoff,
    }
}

fn missing_scope(response: &Response, message: &str) -> String {
    let list = |name| response.header(name).filter(|scopes: &&str| !scopes.is_empty());
    match (list("x-accepted-oauth-scopes"), list("x-oauth-scopes")) {
        (Some(needed), Some(has)) => format!("the token needs the scope {needed} and has {has}: {message}"),
        (Some(needed), None) => format!("the token needs the scope {needed}: {message}"),
        (None, _) => message.to_owned(),
    }
}

/// The text of a page, without tags, on one line, cut.
fn excerpt(text: &str) -> String {
    let mut plain = String::new();
    let mut in_tag = false;
    for letter in text.chars().take(4096) {
        match letter {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            _ if letter.is_control() => plain.push(' '),
            _ => plain.push(letter),
        }
    }
    let words: Vec<_> = plain.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}
