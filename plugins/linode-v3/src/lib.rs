//! Linode's legacy API v3 as a provider: actions, batches, jobs, and the quirks of how it writes things.
//!
//! Linode has retired this API; here it shows that the contract of plugins carries two really different providers, and it is
//! proven on recordings and on the emulator. Owns how v3 writes things. Does not know HTTP, keys, time or retries: the host
//! does those. One file per family of things; `api`, `action`, `data`, `errors`, `names` and `group` are what they share,
//! `operations` lists what they do.

mod account;
mod action;
mod api;
mod birth;
mod catalogue;
mod configs;
mod create;
mod data;
mod dates;
mod disks;
mod domains;
mod errors;
mod facts;
mod group;
mod images;
mod instances;
mod lock;
mod manifest;
mod names;
mod nodebalancers;
mod operations;
mod raw;
mod stackscripts;
mod states;
mod volumes;

use api::Api;
use birth::Begun;
use catalogue::Shelf;
use linodetool_plugin::*;
use lock::Lock;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::cell::RefCell;

export_provider!(LinodeV3);

/// An instance of the plugin. It keeps its address, what it has read of the catalogue, and what it owes.
pub struct LinodeV3 {
    pub(crate) api: Api,
    pub(crate) shelf: Shelf,
    /// Held while a Linode has neither label nor mark.
    pub(crate) births: Lock,
    /// Linodes that were to be destroyed and could not be.
    pub(crate) left: RefCell<Vec<Begun>>,
}

impl LinodeV3 {
    /// For the API at this address.
    ///
    /// # Errors
    /// `Invalid` when that is no address.
    pub fn at(base_url: &str) -> Result<Self> {
        Ok(Self { api: Api::at(base_url)?, shelf: Shelf::default(), births: Lock::default(), left: RefCell::default() })
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

impl Plugin for LinodeV3 {
    fn manifest() -> Manifest {
        manifest::manifest()
    }

    fn open(config: &str) -> Result<Self> {
        let config: Config = serde_json::from_str(config)
            .map_err(|e| ProviderError::new(ErrorKind::Invalid, format!("configuration of linode-v3: {e}")))?;
        Self::at(&config.base_url)
    }
}
