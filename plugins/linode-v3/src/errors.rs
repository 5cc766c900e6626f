//! Error answers of API v3 as `ProviderError`. The API answers 200 to everything and says in numbers what went wrong; other
//! statuses come from what stands before it.
//!
//! Does not know which operation failed.

use linodetool_plugin::{ErrorKind, ProviderError, Response, Retry};

/// The code of a request that was not carried out because there were too many before.
pub(crate) const TOO_MANY: i64 = 14;

/// The code of what a batch did not come to.
pub(crate) const NOT_REACHED: i64 = 12;

/// Longest wait that is taken over from `retry-after`.
const MAX_RETRY_AFTER_S: u64 = 300;

/// Ambiguous on purpose: what was asked may have happened.
pub(crate) fn nonsense(message: impl Into<String>) -> ProviderError {
    ProviderError { status: Some(200), ..ProviderError::new(ErrorKind::Unavailable, message) }
}

/// An argument is wrong.
pub(crate) fn invalid(field: &str, message: impl Into<String>) -> ProviderError {
    ProviderError { field: Some(field.to_owned()), ..ProviderError::new(ErrorKind::Invalid, message) }
}

/// An argument asks for what API v3 does not have.
pub(crate) fn lacks(field: &str, what: &str) -> ProviderError {
    let message = format!("Linode's API v3 has no {what}: leave it out, or use the provider linode-v4");
    ProviderError { field: Some(field.to_owned()), ..ProviderError::new(ErrorKind::Unsupported, message) }
}

/// An operation that API v3 does not have, and where it is.
pub(crate) fn missing(operation: &str, what: &str) -> ProviderError {
    let message = format!("Linode's API v3 has no {what}: use the provider linode-v4, which has {operation}");
    ProviderError::new(ErrorKind::Unsupported, message)
}

/// The error that a code stands for (Linode API v3 docs, "Errors").
pub(crate) fn of_code(code: i64, message: &str) -> ProviderError {
    let says = |text: &str| message.to_ascii_lowercase().contains(text);
    let (kind, retry) = match code {
        2 | 3 | 9 => (ErrorKind::Unsupported, Retry::Never),
        4 => (ErrorKind::Unauthorized, Retry::Never),
        5 => (ErrorKind::NotFound, Retry::Never),
        // Not in the plugin's power to cause: it counts its batches and writes JSON.
        10 | 11 => (ErrorKind::Plugin, Retry::Never),
        NOT_REACHED => (ErrorKind::Busy, Retry::Backoff),
        13 => (ErrorKind::Forbidden, Retry::Never),
        TOO_MANY => (ErrorKind::RateLimited, Retry::Backoff),
        15 | 30 | 31 | 40 | 42 => (ErrorKind::Limit, Retry::Never),
        41 => (ErrorKind::Conflict, Retry::Never),
        8 if says("no open slots") => (ErrorKind::Limit, Retry::Never),
        8 if says("unique") || says("already") => (ErrorKind::Conflict, Retry::Never),
        _ if says("busy") => (ErrorKind::Busy, Retry::Backoff),
        _ => (ErrorKind::Invalid, Retry::Never),
    };
    let mut told =
        if message.is_empty() { format!("the provider refused with code {code}") } else { message.to_owned() };
    match code {
        4 => told.push_str(": API v3 wants an API key of its own; a personal access token of API v4 is none"),
        40 => told.push_str("; try again in an hour"),
        _ => {}
    }
    let taken = kind == ErrorKind::Conflict && says("label");
    ProviderError {
        field: taken.then(|| "label".to_owned()),
        retry: Some(retry),
        code: Some(code.to_string()),
        ..ProviderError::new(kind, told)
    }
}

/// The error that an answer other than 200 stands for: it is not the API's.
pub(crate) fn of_status(response: &Response) -> ProviderError {
    let status = response.status;
    let after = response.header("retry-after").and_then(|value| value.trim().parse::<u64>().ok());
    let wait = after.map_or(Retry::Backoff, |seconds| Retry::AfterMs(seconds.min(MAX_RETRY_AFTER_S) * 1000));
    let (kind, retry) = match status {
        401 => (ErrorKind::Unauthorized, Retry::Never),
        403 => (ErrorKind::Forbidden, Retry::Never),
        408 | 504 => (ErrorKind::Timeout, Retry::Backoff),
        429 => (ErrorKind::RateLimited, wait),
        // Planned maintenance takes hours.
        503 if response.header("x-maintenance-mode").is_some() => (ErrorKind::Unavailable, Retry::Never),
        503 => (ErrorKind::Unavailable, wait),
        400 | 502 => (ErrorKind::Unavailable, Retry::Backoff),
        // 404 and 410 too: that a thing is gone, the API would say with 200.
        _ => (ErrorKind::Unavailable, Retry::Never),
    };
    let message = match status {
        404 | 410 => format!("the provider answered {status}: there is no API v3 at this address any more"),
        _ => format!(
            "the provider answered {status}, which API v3 itself never does: something else is at its address, or before it"
        ),
    };
    ProviderError { retry: Some(retry), status: Some(status), ..ProviderError::new(kind, message) }
}
