//! The one error that crosses the border: data, not text, since it is stored in journals and read after a crash.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// What an operation answers.
pub type Result<T, E = ProviderError> = std::result::Result<T, E>;

/// Why an operation failed, and what may be tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderError {
    /// What sort of failure.
    #[serde(default)]
    pub kind: ErrorKind,
    /// One sentence for a person; the provider's own reason where it gave one.
    #[serde(default)]
    pub message: String,
    /// The argument at fault, as the provider names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Whether and when the same call may be tried again; absent: no advice.
    #[serde(default, deserialize_with = "known_advice", skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// HTTP status, when there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The provider's own code, when it has codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// What sort of failure it is. Decides exit codes, retries and hints, so a plugin chooses with care.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The provider has no such operation, or the plugin has not built it.
    Unsupported,
    /// An argument is wrong; the same call will fail again.
    Invalid,
    /// No credential, or one that is not accepted.
    Unauthorized,
    /// The credential is accepted but may not do this.
    Forbidden,
    /// There is no such thing, or it is not this account's.
    NotFound,
    /// The name is taken, or the state does not allow it.
    Conflict,
    /// The thing is in the middle of something else: later the same call may succeed.
    Busy,
    /// An account or provider limit that waiting does not lift.
    Limit,
    /// Too many requests.
    RateLimited,
    /// The provider is down, in maintenance, or answered nonsense.
    Unavailable,
    /// No answer came: what was asked may or may not have happened.
    Network,
    /// It took too long: what was asked may or may not have happened.
    Timeout,
    /// The host ended the call: what was asked may or may not have happened.
    Cancelled,
    /// The plugin has a bug: it panicked, answered twice, or spoke nonsense.
    Plugin,
    /// A kind a newer peer knows and we do not.
    #[default]
    #[serde(other)]
    Other,
}

/// Advice of the provider or the plugin on trying the same call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Milliseconds to wait first.
    AfterMs(u64),
    /// With the host's own backoff.
    Backoff,
    /// It would fail again.
    Never,
}

/// Advice that only a newer peer gives is none: one word must not make a whole batch of messages unreadable.
fn known_advice<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Retry>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

impl ProviderError {
    /// Without field, advice, status or code.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), field: None, retry: None, status: None, code: None }
    }

    /// The answer of every operation that a provider does not have.
    pub fn unsupported(operation: &str) -> Self {
        Self::new(ErrorKind::Unsupported, format!("this provider does not support {operation}"))
    }

    /// The plugin has a bug.
    pub fn plugin(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Plugin, message)
    }

    /// Whether the effect may have happened although this error came back. A 503 leaves it open, for it may come from
    /// something in front of the provider; only one that advises against another try, planned maintenance, does not.
    pub fn is_ambiguous(&self) -> bool {
        match self.kind {
            ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Plugin => true,
            ErrorKind::Unavailable => (self.status, self.retry) != (Some(503), Some(Retry::Never)),
            _ => self.status == Some(408),
        }
    }
}

impl std::fmt::Display for ProviderError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.field {
            Some(field) => write!(f, "{field}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ProviderError {}

impl From<serde_json::Error> for ProviderError {
    fn from(error: serde_json::Error) -> Self {
        Self::new(ErrorKind::Invalid, error.to_string())
    }
}
