//! Failures as data: stored in the journal, thrown into scripts, shown by commands, written as JSON.

use linodetool_plugin::{ErrorKind, ProviderError};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Why something failed: what, where, why, and what to do next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// What went wrong, in a sentence without a full stop.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The argument or field at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The node it happened on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The last lines that a command wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Exit code of a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
}

/// Decides the exit code (`cli/error.rs`) and what a script may tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Wrong arguments, options or parameters; nothing was done.
    Usage,
    /// A recipe does not compile or misuses the script API.
    Script,
    /// A recipe called `fail`.
    Failed,
    NotFound,
    /// The name is taken, or the state does not allow it.
    Conflict,
    /// No token, wrong token, or one that may not do this.
    Auth,
    /// A limit of the account or the provider.
    Limit,
    /// The provider refused the arguments.
    Invalid,
    /// The provider is down or cannot be reached.
    Unavailable,
    Timeout,
    Unsupported,
    /// A command on a node ended with an error.
    Command,
    /// A node cannot be reached, or is not who it should be.
    Ssh,
    /// A plugin cannot be loaded or broke the contract.
    Plugin,
    /// This computer lacks something: a program, a right, room on the disk.
    Local,
    /// The state directory cannot be used.
    State,
    /// The user said no, or nobody could be asked.
    Declined,
    /// A command was cut by a reboot or a cancel; whether it took effect is not known.
    Interrupted,
    Cancelled,
    /// A resumed script took another path than its journal.
    Diverged,
    /// A bug of ours.
    Internal,
    #[serde(other)]
    Other,
}

impl Failure {
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, field: None, node: None, output: None, exit_code: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FailureKind::NotFound, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Internal, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A hint that names what was probably meant, if anything is near.
    #[must_use]
    pub fn near<'a>(self, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let near = near_names(given, known);
        match near.as_slice() {
            [] => self,
            [one] => self.hint(format!("did you mean `{one}`?")),
            many => self.hint(format!("did you mean one of: {}?", many.join(", "))),
        }
    }

    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub fn on(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(node) = &self.node {
            write!(f, "{node}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        let kind = match error.kind {
            ErrorKind::Unsupported => FailureKind::Unsupported,
            ErrorKind::Invalid => FailureKind::Invalid,
            ErrorKind::Unauthorized | ErrorKind::Forbidden => FailureKind::Auth,
            ErrorKind::NotFound => FailureKind::NotFound,
            ErrorKind::Conflict | ErrorKind::Busy => FailureKind::Conflict,
            ErrorKind::Limit | ErrorKind::RateLimited => FailureKind::Limit,
            ErrorKind::Unavailable | ErrorKind::Network => FailureKind::Unavailable,
            ErrorKind::Timeout => FailureKind::Timeout,
            ErrorKind::Cancelled => FailureKind::Cancelled,
            ErrorKind::Plugin => FailureKind::Plugin,
            ErrorKind::Other => FailureKind::Other,
        };
        Self {
            field: error.field.clone(),
            hint: hint_for(error.kind, &error.message).map(str::to_owned),
            ..Self::new(kind, error.to_string())
        }
    }
}

/// What to do where the provider's own words do not say it.
fn hint_for(kind: ErrorKind, message: &str) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Unauthorized => {
            "the token is wrong, expired or revoked: make one at https://cloud.linode.com/profile/tokens; \
             `linodetool doctor` says where the present one comes from"
        }
        ErrorKind::Forbidden => {
            "the token may not do this: make one with the access that is missing (a cluster needs read and write for \
             Linodes, Firewalls, IPs and StackScripts, and read for Account and Events), or ask the account's owner"
        }
        ErrorKind::Network if message.contains("certificate") => {
            "nothing was sent to it; look at this computer's date, and whether a proxy or firewall looks into https: its \
             certificate can be added with SSL_CERT_FILE"
        }
        ErrorKind::Network => "look at this computer's network; a proxy is taken from https_proxy and no_proxy",
        _ => return None,
    })
}

/// At most three known names that the given one was probably meant to be, best first.
pub fn near_names<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let given = given.to_lowercase();
    let mut scored: Vec<_> = known
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let part = given.len() >= 3 && (lower.contains(&given) || given.contains(&lower));
            let score = strsim::jaro_winkler(&given, &lower) + if part { 0.1 } else { 0.0 };
            (score > 0.85).then_some((score, name))
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by_key(|(_, name)| *name);
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_lacks_has_a_remedy() {
        let hint = |kind| Failure::from(ProviderError::new(kind, "no")).hint.unwrap_or_default();
        assert!(
            hint(ErrorKind::Unauthorized).starts_with("the token is wrong, expired or revoked: make one at https://")
        );
        assert!(hint(ErrorKind::Forbidden).starts_with("the token may not do this: make one with the access"));
        assert!(hint(ErrorKind::Network).starts_with("look at this computer's network;"));
        let distrusted = ProviderError::new(ErrorKind::Network, "invalid peer certificate: UnknownIssuer");
        assert!(Failure::from(distrusted).hint.is_some_and(|hint| hint.starts_with("nothing was sent to it;")));
        assert_eq!(hint(ErrorKind::Invalid), "");
    }

    #[test]
    fn near_names_are_few_and_best_first() {
        let regions = ["us-east", "us-west", "eu-west", "ap-south"];
        assert_eq!(near_names("us-esat", regions), ["us-east", "us-west"]);
        assert!(near_names("mars", regions).is_empty());
    }
}
