//! What a provider offers: regions, types, images, kernels. Read-only.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A place where things can be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Region {
    pub id: String,
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
    pub hourly: f64,
    /// Cap for a whole month.
    pub monthly: f64,
}

/// A size of instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Type {
    pub id: String,
    pub label: String,
    /// `nanode`, `standard`, `dedicated`, `highmem`, `gpu`, ...
    pub class: String,
    /// MB of memory.
    pub memory_mb: u64,
    /// MB of disk.
    pub disk_mb: u64,
    pub vcpus: u32,
    pub gpus: u32,
    /// GB of outbound transfer a month.
    pub transfer_gb: u64,
    /// Outbound, Mbit/s.
    pub network_mbps: u64,
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
    pub id: String,
    pub label: String,
    pub vendor: String,
    pub description: String,
    /// MB.
    pub size_mb: u64,
    pub public: bool,
    pub deprecated: bool,
    /// In the provider's words: `cloud-init`, ...
    pub capabilities: Vec<String>,
    pub status: String,
}

/// A kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kernel {
    pub id: String,
    pub label: String,
    pub version: String,
    pub architecture: String,
    pub deprecated: bool,
}
