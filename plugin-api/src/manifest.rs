//! What a plugin says of itself before it is opened.

use serde::{Deserialize, Serialize};

/// Message version: same major speaks, a newer minor only adds fields and kinds.
pub const MESSAGES: &str = "1.0";

/// Feature of a plugin whose provider takes no label when an instance is made: it may be made and lost before it is named.
/// Whoever keeps the ids from before such a create gives them to the next try (`CreateInstance::before`).
pub const BEFORE_IDS: &str = "before_ids";

/// Read leniently: fields of tomorrow are ignored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The provider's name as users type it, `linode-v4`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One line for `plugin list`.
    pub description: String,
    /// The message version it speaks, [`MESSAGES`].
    pub messages: String,
    /// Optional parts of the contract that it uses; unknown ones are ignored.
    pub features: Vec<String>,
    /// Names of the operations this plugin has.
    pub operations: Vec<String>,
    /// What recipes may ask for: `firewalls`, `user_data`, `stackscripts`, `tags`, `private_ip`, `events`, ...
    pub capabilities: Vec<String>,
    /// Keys that `open` accepts in its configuration.
    pub config: Vec<ConfigKey>,
    /// Where its requests may go; the first is the provider's origin. The host may replace it.
    pub base_urls: Vec<String>,
    /// The provider's published limits; requests name one of these.
    pub rate_classes: Vec<RateClass>,
}

/// A key of the configuration object given to `open`. `base_url` is always there: the origin that holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigKey {
    /// As users write it.
    pub name: String,
    /// One line for help.
    pub doc: String,
    /// What holds when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A limit the provider publishes: at most `calls` starts in any `per_seconds`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateClass {
    /// As requests name it.
    pub name: String,
    /// How many.
    pub calls: u32,
    /// In how many seconds.
    pub per_seconds: u32,
}
