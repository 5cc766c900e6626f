//! Linode API v4 as a provider: paths, bodies, paging, filters, errors.
//!
//! Owns how v4 writes things. Does not know HTTP, tokens, time, retries or rate limits: the host does those. One file per
//! family of things; `api`, `list`, `filter`, `errors` and `lenient` are what they share.

mod account;
mod addresses;
mod api;
mod catalogue;
mod errors;
mod filter;
mod firewalls;
mod instances;
mod lenient;
mod list;
mod manifest;
mod raw;
mod stackscripts;

use api::Api;
use instances::Power;
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

impl Provider for LinodeV4 {
    async fn get_account(&self, cx: &Cx, _: NoArguments) -> Result<Account> {
        account::account(&self.api, cx).await
    }

    async fn get_profile(&self, cx: &Cx, _: NoArguments) -> Result<Profile> {
        account::profile(&self.api, cx).await
    }

    async fn list_regions(&self, cx: &Cx, _: NoArguments) -> Result<Page<Region>> {
        catalogue::regions(&self.api, cx).await
    }

    async fn list_types(&self, cx: &Cx, _: NoArguments) -> Result<Page<Type>> {
        catalogue::types(&self.api, cx).await
    }

    async fn list_images(&self, cx: &Cx, _: NoArguments) -> Result<Page<Image>> {
        catalogue::images(&self.api, cx).await
    }

    async fn list_kernels(&self, cx: &Cx, _: NoArguments) -> Result<Page<Kernel>> {
        catalogue::kernels(&self.api, cx).await
    }

    async fn list_instances(&self, cx: &Cx, args: ListInstances) -> Result<Page<Instance>> {
        instances::list(&self.api, cx, args).await
    }

    async fn get_instance(&self, cx: &Cx, args: ById) -> Result<Instance> {
        instances::get(&self.api, cx, &args.id).await
    }

    async fn create_instance(&self, cx: &Cx, args: CreateInstance) -> Result<Instance> {
        instances::create(&self.api, cx, args).await
    }

    async fn update_instance(&self, cx: &Cx, args: UpdateInstance) -> Result<Instance> {
        instances::update(&self.api, cx, args).await
    }

    async fn delete_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::delete(&self.api, cx, &args.id).await
    }

    async fn boot_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::power(&self.api, cx, &args.id, Power::Boot).await
    }

    async fn shutdown_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::power(&self.api, cx, &args.id, Power::Shutdown).await
    }

    async fn reboot_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::power(&self.api, cx, &args.id, Power::Reboot).await
    }

    async fn list_instance_addresses(&self, cx: &Cx, args: ById) -> Result<Page<Address>> {
        addresses::list(&self.api, cx, &args.id).await
    }

    async fn list_events(&self, cx: &Cx, args: ListEvents) -> Result<Page<Event>> {
        account::events(&self.api, cx, args).await
    }

    async fn list_stackscripts(&self, cx: &Cx, args: ListStackScripts) -> Result<Page<StackScript>> {
        stackscripts::list(&self.api, cx, args).await
    }

    async fn create_stackscript(&self, cx: &Cx, args: CreateStackScript) -> Result<StackScript> {
        stackscripts::create(&self.api, cx, args).await
    }

    async fn list_firewalls(&self, cx: &Cx, args: ListFirewalls) -> Result<Page<Firewall>> {
        firewalls::list(&self.api, cx, args).await
    }

    async fn get_firewall(&self, cx: &Cx, args: ById) -> Result<Firewall> {
        firewalls::get(&self.api, cx, &args.id).await
    }

    async fn create_firewall(&self, cx: &Cx, args: CreateFirewall) -> Result<Firewall> {
        firewalls::create(&self.api, cx, args).await
    }

    async fn delete_firewall(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        firewalls::delete(&self.api, cx, &args.id).await
    }

    async fn set_firewall_rules(&self, cx: &Cx, args: SetFirewallRules) -> Result<Firewall> {
        firewalls::set_rules(&self.api, cx, args).await
    }

    async fn raw(&self, cx: &Cx, args: Raw) -> Result<Box<RawValue>> {
        raw::raw(&self.api, cx, args).await
    }
}
