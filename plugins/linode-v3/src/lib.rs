//! Linode's legacy API v3 as a provider: actions, batches, jobs, and the quirks of how it writes things.
//!
//! Linode has retired this API; here it shows that the contract of plugins carries two really different providers, and it is
//! proven on recordings and on the emulator. Owns how v3 writes things. Does not know HTTP, keys, time or retries: the host
//! does those. One file per family of things; `api`, `action`, `data`, `errors`, `names` and `group` are what they share.

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
mod group;
mod images;
mod instances;
mod lock;
mod manifest;
mod names;
mod nodebalancers;
mod raw;
mod stackscripts;
mod states;
mod volumes;

use api::Api;
use catalogue::Shelf;
use errors::missing;
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
    pub(crate) left: RefCell<Vec<u64>>,
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

impl Provider for LinodeV3 {
    async fn get_account(&self, cx: &Cx, _: NoArguments) -> Result<Account> {
        account::get(self, cx).await
    }

    async fn list_regions(&self, cx: &Cx, _: NoArguments) -> Result<Page<Region>> {
        catalogue::regions(&self.shelf, &self.api, cx).await
    }

    async fn list_types(&self, cx: &Cx, _: NoArguments) -> Result<Page<Type>> {
        catalogue::types(&self.shelf, &self.api, cx).await
    }

    async fn list_images(&self, cx: &Cx, _: NoArguments) -> Result<Page<Image>> {
        images::list(self, cx).await
    }

    async fn create_image(&self, cx: &Cx, args: CreateImage) -> Result<Image> {
        images::create(self, cx, args).await
    }

    async fn delete_image(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        images::delete(self, cx, &args.id).await
    }

    async fn list_kernels(&self, cx: &Cx, _: NoArguments) -> Result<Page<Kernel>> {
        catalogue::kernels(&self.shelf, &self.api, cx).await
    }

    async fn list_instances(&self, cx: &Cx, args: ListInstances) -> Result<Page<Instance>> {
        instances::list(self, cx, args).await
    }

    async fn get_instance(&self, cx: &Cx, args: ById) -> Result<Instance> {
        instances::get(self, cx, &args.id).await
    }

    async fn create_instance(&self, cx: &Cx, args: CreateInstance) -> Result<Instance> {
        create::create(self, cx, args).await
    }

    async fn update_instance(&self, cx: &Cx, args: UpdateInstance) -> Result<Instance> {
        instances::update(self, cx, args).await
    }

    async fn delete_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::delete(self, cx, &args.id).await
    }

    async fn boot_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::power(self, cx, &args.id, "boot").await
    }

    async fn shutdown_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::power(self, cx, &args.id, "shutdown").await
    }

    async fn reboot_instance(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        instances::power(self, cx, &args.id, "reboot").await
    }

    async fn rebuild_instance(&self, cx: &Cx, args: RebuildInstance) -> Result<Instance> {
        create::rebuild(self, cx, args).await
    }

    async fn resize_instance(&self, cx: &Cx, args: ResizeInstance) -> Result<Nothing> {
        instances::resize(self, cx, args).await
    }

    async fn clone_instance(&self, cx: &Cx, args: CloneInstance) -> Result<Instance> {
        create::clone(self, cx, args).await
    }

    async fn list_instance_addresses(&self, cx: &Cx, args: ById) -> Result<Page<Address>> {
        instances::addresses(self, cx, &args.id).await
    }

    async fn list_stackscripts(&self, cx: &Cx, args: ListStackScripts) -> Result<Page<StackScript>> {
        stackscripts::list(self, cx, args).await
    }

    async fn create_stackscript(&self, cx: &Cx, args: CreateStackScript) -> Result<StackScript> {
        stackscripts::create(self, cx, args).await
    }

    async fn list_disks(&self, cx: &Cx, args: OfInstance) -> Result<Page<Disk>> {
        disks::list(self, cx, args).await
    }

    async fn create_disk(&self, cx: &Cx, args: CreateDisk) -> Result<Disk> {
        disks::create(self, cx, args).await
    }

    async fn delete_disk(&self, cx: &Cx, args: PartOfInstance) -> Result<Nothing> {
        disks::delete(self, cx, args).await
    }

    async fn resize_disk(&self, cx: &Cx, args: ResizeDisk) -> Result<Nothing> {
        disks::resize(self, cx, args).await
    }

    async fn list_configs(&self, cx: &Cx, args: OfInstance) -> Result<Page<InstanceConfig>> {
        configs::list(self, cx, args).await
    }

    async fn create_config(&self, cx: &Cx, args: CreateConfig) -> Result<InstanceConfig> {
        configs::create(self, cx, args).await
    }

    async fn update_config(&self, cx: &Cx, args: UpdateConfig) -> Result<InstanceConfig> {
        configs::update(self, cx, args).await
    }

    async fn delete_config(&self, cx: &Cx, args: PartOfInstance) -> Result<Nothing> {
        configs::delete(self, cx, args).await
    }

    async fn list_volumes(&self, cx: &Cx, args: ListVolumes) -> Result<Page<Volume>> {
        volumes::list(self, cx, args).await
    }

    async fn get_volume(&self, cx: &Cx, args: ById) -> Result<Volume> {
        volumes::get(self, cx, &args.id).await
    }

    async fn create_volume(&self, cx: &Cx, args: CreateVolume) -> Result<Volume> {
        volumes::create(self, cx, args).await
    }

    async fn delete_volume(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        volumes::delete(self, cx, &args.id).await
    }

    async fn attach_volume(&self, cx: &Cx, args: AttachVolume) -> Result<Nothing> {
        volumes::attach(self, cx, args).await
    }

    async fn detach_volume(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        volumes::detach(self, cx, &args.id).await
    }

    async fn resize_volume(&self, cx: &Cx, args: ResizeVolume) -> Result<Nothing> {
        volumes::resize(self, cx, args).await
    }

    async fn list_nodebalancers(&self, cx: &Cx, args: ListNodeBalancers) -> Result<Page<NodeBalancer>> {
        nodebalancers::list(self, cx, args).await
    }

    async fn get_nodebalancer(&self, cx: &Cx, args: ById) -> Result<NodeBalancer> {
        nodebalancers::get(self, cx, &args.id).await
    }

    async fn create_nodebalancer(&self, cx: &Cx, args: CreateNodeBalancer) -> Result<NodeBalancer> {
        nodebalancers::create(self, cx, args).await
    }

    async fn delete_nodebalancer(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        nodebalancers::delete(self, cx, &args.id).await
    }

    async fn list_nodebalancer_configs(&self, cx: &Cx, args: OfNodeBalancer) -> Result<Page<NodeBalancerConfig>> {
        nodebalancers::configs(self, cx, args).await
    }

    async fn create_nodebalancer_config(&self, cx: &Cx, args: CreateNodeBalancerConfig) -> Result<NodeBalancerConfig> {
        nodebalancers::create_config(self, cx, args).await
    }

    async fn delete_nodebalancer_config(&self, cx: &Cx, args: OneNodeBalancerConfig) -> Result<Nothing> {
        nodebalancers::delete_config(self, cx, args).await
    }

    async fn list_nodebalancer_nodes(&self, cx: &Cx, args: OneNodeBalancerConfig) -> Result<Page<NodeBalancerNode>> {
        nodebalancers::nodes(self, cx, args).await
    }

    async fn create_nodebalancer_node(&self, cx: &Cx, args: CreateNodeBalancerNode) -> Result<NodeBalancerNode> {
        nodebalancers::create_node(self, cx, args).await
    }

    async fn delete_nodebalancer_node(&self, cx: &Cx, args: OneNodeBalancerNode) -> Result<Nothing> {
        nodebalancers::delete_node(self, cx, args).await
    }

    async fn list_domains(&self, cx: &Cx, args: ListDomains) -> Result<Page<Domain>> {
        domains::list(self, cx, args).await
    }

    async fn create_domain(&self, cx: &Cx, args: CreateDomain) -> Result<Domain> {
        domains::create(self, cx, args).await
    }

    async fn delete_domain(&self, cx: &Cx, args: ById) -> Result<Nothing> {
        domains::delete(self, cx, &args.id).await
    }

    async fn list_domain_records(&self, cx: &Cx, args: OfDomain) -> Result<Page<DomainRecord>> {
        domains::records(self, cx, args).await
    }

    async fn create_domain_record(&self, cx: &Cx, args: CreateDomainRecord) -> Result<DomainRecord> {
        domains::create_record(self, cx, args).await
    }

    async fn delete_domain_record(&self, cx: &Cx, args: OneDomainRecord) -> Result<Nothing> {
        domains::delete_record(self, cx, args).await
    }

    async fn raw(&self, cx: &Cx, args: Raw) -> Result<Box<RawValue>> {
        raw::raw(self, cx, args).await
    }

    // What API v3 does not have.

    async fn get_profile(&self, _: &Cx, _: NoArguments) -> Result<Profile> {
        Err(missing("profile.get", "users"))
    }

    async fn list_events(&self, _: &Cx, _: ListEvents) -> Result<Page<Event>> {
        Err(missing("events.list", "events"))
    }

    async fn list_firewalls(&self, _: &Cx, _: ListFirewalls) -> Result<Page<Firewall>> {
        Err(missing("firewalls.list", "Cloud Firewalls"))
    }

    async fn get_firewall(&self, _: &Cx, _: ById) -> Result<Firewall> {
        Err(missing("firewalls.get", "Cloud Firewalls"))
    }

    async fn create_firewall(&self, _: &Cx, _: CreateFirewall) -> Result<Firewall> {
        Err(missing("firewalls.create", "Cloud Firewalls"))
    }

    async fn delete_firewall(&self, _: &Cx, _: ById) -> Result<Nothing> {
        Err(missing("firewalls.delete", "Cloud Firewalls"))
    }

    async fn set_firewall_rules(&self, _: &Cx, _: SetFirewallRules) -> Result<Firewall> {
        Err(missing("firewalls.set_rules", "Cloud Firewalls"))
    }

    async fn update_firewall(&self, _: &Cx, _: UpdateFirewall) -> Result<Firewall> {
        Err(missing("firewalls.update", "Cloud Firewalls"))
    }

    async fn add_firewall_device(&self, _: &Cx, _: FirewallDevice) -> Result<Nothing> {
        Err(missing("firewalls.add_device", "Cloud Firewalls"))
    }

    async fn remove_firewall_device(&self, _: &Cx, _: FirewallDevice) -> Result<Nothing> {
        Err(missing("firewalls.remove_device", "Cloud Firewalls"))
    }

    async fn list_vpcs(&self, _: &Cx, _: ListVpcs) -> Result<Page<Vpc>> {
        Err(missing("vpcs.list", "VPCs"))
    }

    async fn create_vpc(&self, _: &Cx, _: CreateVpc) -> Result<Vpc> {
        Err(missing("vpcs.create", "VPCs"))
    }

    async fn delete_vpc(&self, _: &Cx, _: ById) -> Result<Nothing> {
        Err(missing("vpcs.delete", "VPCs"))
    }

    async fn list_vpc_subnets(&self, _: &Cx, _: OfVpc) -> Result<Page<Subnet>> {
        Err(missing("vpc_subnets.list", "VPCs"))
    }

    async fn create_vpc_subnet(&self, _: &Cx, _: CreateSubnet) -> Result<Subnet> {
        Err(missing("vpc_subnets.create", "VPCs"))
    }

    async fn delete_vpc_subnet(&self, _: &Cx, _: OneSubnet) -> Result<Nothing> {
        Err(missing("vpc_subnets.delete", "VPCs"))
    }
}
