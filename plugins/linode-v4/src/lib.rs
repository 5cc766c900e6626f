//! Linode API v4 as a provider: paths, bodies, paging, filters, errors.
//!
//! Owns how v4 writes things. Does not know HTTP, tokens, time, retries or rate limits: the host does those. One file per
//! family of things; `api`, `body`, `list`, `filter`, `errors` and `lenient` are what they share, `operations` lists what they do.

mod account;
mod actions;
mod addresses;
mod api;
mod balancer_configs;
mod balancer_nodes;
mod body;
mod catalogue;
mod configs;
mod disks;
mod domains;
mod errors;
mod facts;
mod filter;
mod firewall_devices;
mod firewalls;
mod images;
mod instances;
mod ips;
mod lenient;
mod list;
mod manifest;
mod nodebalancers;
mod operations;
mod placement;
mod raw;
mod records;
mod stackscripts;
mod volumes;
mod vpcs;

use api::Api;
use linodetool_plugin::*;
use serde::Deserialize;
use serde_json::value::RawValue;

export_provider!(LinodeV4);

/// An instance of the plugin; it keeps its address and nothing else.
pub struct LinodeV4 {
    api: Api,
}

impl LinodeV4 {
    /// For the API at this address.
    ///
    /// # Errors
    /// `Invalid` when that is no address.
    pub fn at(base_url: &str) -> Result<Self> {
        Ok(Self { api: Api::at(base_url)? })
    }
}

/// Keys of tomorrow's hosts are ignored.
#[derive(Deserialize)]
#[serde(default)]
struct Config {
    base_url: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { base_url: manifest::BASE_URL.to_owned() }
    }
}

impl Plugin for LinodeV4 {
    fn manifest() -> Manifest {
        manifest::manifest()
    }

    fn open(config: &str) -> Result<Self> {
        let config: Config = serde_json::from_str(config)
            .map_err(|e| ProviderError::new(ErrorKind::Invalid, format!("configuration of linode-v4: {e}")))?;
        Self::at(&config.base_url)
    }
}
