//! Values that a plugin handles without seeing them.

use serde::{Deserialize, Serialize};

/// Stands for a secret: `{"secret":"ID"}`. The host puts the value in its place when a request leaves, in JSON bodies and form
/// fields, and only for secrets that came with the same call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretRef {
    /// The secret's id; says nothing about its value.
    pub secret: String,
    /// How the value is written; as it stands when absent.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
}

/// How the host writes a secret's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Standard alphabet, padded.
    Base64,
}

impl SecretRef {
    /// The secret with this id, written as it stands.
    pub fn new(id: impl Into<String>) -> Self {
        Self { secret: id.into(), encoding: None }
    }

    /// The same secret, written as base64.
    #[must_use]
    pub fn base64(mut self) -> Self {
        self.encoding = Some(Encoding::Base64);
        self
    }
}

/// Plain text or a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Text {
    /// A value that the plugin does not see.
    Secret(SecretRef),
    /// A value that anybody may see.
    Plain(String),
}
