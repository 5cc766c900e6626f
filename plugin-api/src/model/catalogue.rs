//! What a provider offers: regions, types, images, kernels. Read-only.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place where things can be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Region {
    /// `us-east`.
    pub id: String,
    /// For people.
    pub label: String,
    /// Two letters, lower case.
    pub country: String,
    /// In the provider's words: `Linodes`, `Metadata`, `Cloud Firewall`, ...
    pub capabilities: Vec<String>,
    /// `ok` or `outage`.
    pub status: String,
}

/// Cost of a thing that runs, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Price {
    /// For each begun hour.
    pub hourly: f64,
    /// Cap for a whole month.
    pub monthly: f64,
}

/// A size of instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Type {
    /// `g6-nanode-1`.
    pub id: String,
    /// For people.
    pub label: String,
    /// `nanode`, `standard`, `dedicated`, `highmem`, `gpu`, ...
    pub class: String,
    /// MB of memory.
    pub memory_mb: u64,
    /// MB of disk.
    pub disk_mb: u64,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// Graphics processors.
    pub gpus: u32,
    /// GB of outbound transfer a month.
    pub transfer_gb: u64,
    /// Outbound, Mbit/s.
    pub network_mbps: u64,
    /// Where no other is named.
    pub price: Price,
    /// Where the price differs, by region id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub region_prices: BTreeMap<String, Price>,
}

impl Type {
    /// What it costs there.
    pub fn price_in(&self, region: &str) -> Price {
        self.region_prices.get(region).copied().unwrap_or(self.price)
    }
}

/// What an instance's disk is made from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// `linode/debian12`, `private/15`.
    pub id: String,
    /// For people.
    pub label: String,
    /// Who made it; empty for one of the account's own.
    pub vendor: String,
    /// For people.
    pub description: String,
    /// MB.
    pub size_mb: u64,
    /// Belongs to the provider, not to the account.
    pub public: bool,
    /// About to go.
    pub deprecated: bool,
    /// In the provider's words: `cloud-init`, ...
    pub capabilities: Vec<String>,
    /// `available`, `creating`, ...
    pub status: String,
}

/// A new image from a disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateImage {
    /// Id of the disk.
    pub disk: String,
    /// Not unique.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Instances made from it understand user data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_init: Option<bool>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// A kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kernel {
    /// `linode/grub2`.
    pub id: String,
    /// For people.
    pub label: String,
    /// `6.2.9`.
    pub version: String,
    /// `x86_64` or `i386`.
    pub architecture: String,
    /// About to go.
    pub deprecated: bool,
}
