//! The one table of operations. A new operation is one line here, its argument struct in `model`, and the `impl` in each
//! provider that has it.
//!
//! `for_each_operation!(m)` hands the table to any macro `m`: here it becomes names and help, in `provider` the trait and its
//! dispatcher, in the host the typed client and what scripts and commands show.

use crate::error::Result;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// `/// doc`, then `"wire.name" method(Arguments) -> Answer => Effect;`
///
/// The effect is `Read`, `Write`, `Destroy` or `Create(how a lost answer is found again)`.
#[macro_export]
macro_rules! for_each_operation {
    ($then:ident) => {
        $then! {
            /// The account that the credential belongs to.
            "account.get" get_account(NoArguments) -> Account => Read;
            /// The user that the credential belongs to, and what it may do.
            "profile.get" get_profile(NoArguments) -> Profile => Read;
            /// Regions where things can be made.
            "regions.list" list_regions(NoArguments) -> Page<Region> => Read;
            /// Types of instances, with prices.
            "types.list" list_types(NoArguments) -> Page<Type> => Read;
            /// Images that instances can be made from.
            "images.list" list_images(NoArguments) -> Page<Image> => Read;
            /// Makes an image from a disk; answers before it can be used.
            "images.create" create_image(CreateImage) -> Image => Create(Tag);
            /// Destroys an image of the account.
            "images.delete" delete_image(ById) -> Nothing => Destroy;
            /// Kernels that instances can boot.
            "kernels.list" list_kernels(NoArguments) -> Page<Kernel> => Read;
            /// Instances that match a filter.
            "instances.list" list_instances(ListInstances) -> Page<Instance> => Read;
            /// One instance.
            "instances.get" get_instance(ById) -> Instance => Read;
            /// Makes one instance and answers as soon as the provider has accepted it.
            "instances.create" create_instance(CreateInstance) -> Instance => Create(Label);
            /// Changes label, tags or watchdog of an instance.
            "instances.update" update_instance(UpdateInstance) -> Instance => Write;
            /// Destroys an instance and its disks.
            "instances.delete" delete_instance(ById) -> Nothing => Destroy;
            /// Starts an instance; answers before it runs.
            "instances.boot" boot_instance(ById) -> Nothing => Write;
            /// Stops an instance; answers before it is off.
            "instances.shutdown" shutdown_instance(ById) -> Nothing => Write;
            /// Restarts an instance; answers before it is up.
            "instances.reboot" reboot_instance(ById) -> Nothing => Write;
            /// Destroys the disks of an instance and makes new ones from an image.
            "instances.rebuild" rebuild_instance(RebuildInstance) -> Instance => Destroy;
            /// Gives an instance another type; answers before it has moved.
            "instances.resize" resize_instance(ResizeInstance) -> Nothing => Write;
            /// Makes an instance with copies of another one's disks.
            "instances.clone" clone_instance(CloneInstance) -> Instance => Create(Label);
            /// Starts an instance from the rescue system; answers before it is up.
            "instances.rescue" rescue_instance(RescueInstance) -> Nothing => Write;
            /// Gives root of an instance that is off another password.
            "instances.reset_password" reset_instance_password(ResetPassword) -> Nothing => Write;
            /// Addresses of an instance.
            "instances.addresses" list_instance_addresses(ById) -> Page<Address> => Read;
            /// What happened on the account, newest first.
            "events.list" list_events(ListEvents) -> Page<Event> => Read;
            /// StackScripts of the account.
            "stackscripts.list" list_stackscripts(ListStackScripts) -> Page<StackScript> => Read;
            /// Stores a StackScript.
            "stackscripts.create" create_stackscript(CreateStackScript) -> StackScript => Create(Label);
            /// Changes a StackScript; instances that are made later get the new one.
            "stackscripts.update" update_stackscript(UpdateStackScript) -> StackScript => Write;
            /// Destroys a StackScript; instances made with it stay as they are.
            "stackscripts.delete" delete_stackscript(ById) -> Nothing => Destroy;
            /// Cloud Firewalls of the account.
            "firewalls.list" list_firewalls(ListFirewalls) -> Page<Firewall> => Read;
            /// One Cloud Firewall with its rules.
            "firewalls.get" get_firewall(ById) -> Firewall => Read;
            /// Makes a Cloud Firewall.
            "firewalls.create" create_firewall(CreateFirewall) -> Firewall => Create(Label);
            /// Destroys a Cloud Firewall.
            "firewalls.delete" delete_firewall(ById) -> Nothing => Destroy;
            /// Replaces all rules of a Cloud Firewall.
            "firewalls.set_rules" set_firewall_rules(SetFirewallRules) -> Firewall => Write;
            /// Changes label, tags or state of a Cloud Firewall.
            "firewalls.update" update_firewall(UpdateFirewall) -> Firewall => Write;
            /// Puts an instance or NodeBalancer behind a Cloud Firewall.
            "firewalls.add_device" add_firewall_device(FirewallDevice) -> Nothing => Write;
            /// Takes an instance or NodeBalancer from behind a Cloud Firewall.
            "firewalls.remove_device" remove_firewall_device(FirewallDevice) -> Nothing => Write;
            /// Disks of an instance.
            "disks.list" list_disks(OfInstance) -> Page<Disk> => Read;
            /// Makes a disk; answers before it can be used.
            "disks.create" create_disk(CreateDisk) -> Disk => Create(BeforeAfter);
            /// Destroys a disk.
            "disks.delete" delete_disk(PartOfInstance) -> Nothing => Destroy;
            /// Gives a disk another size; answers before it has it.
            "disks.resize" resize_disk(ResizeDisk) -> Nothing => Write;
            /// Makes a copy of a disk on the same instance; answers before it can be used.
            "disks.clone" clone_disk(PartOfInstance) -> Disk => Create(BeforeAfter);
            /// Configurations of an instance.
            "configs.list" list_configs(OfInstance) -> Page<InstanceConfig> => Read;
            /// Makes a configuration of an instance.
            "configs.create" create_config(CreateConfig) -> InstanceConfig => Create(BeforeAfter);
            /// Changes a configuration of an instance; it counts from the next boot.
            "configs.update" update_config(UpdateConfig) -> InstanceConfig => Write;
            /// Destroys a configuration of an instance.
            "configs.delete" delete_config(PartOfInstance) -> Nothing => Destroy;
            /// Volumes that match a filter.
            "volumes.list" list_volumes(ListVolumes) -> Page<Volume> => Read;
            /// One volume.
            "volumes.get" get_volume(ById) -> Volume => Read;
            /// Makes a volume; answers before it can be used.
            "volumes.create" create_volume(CreateVolume) -> Volume => Create(Label);
            /// Destroys a volume that is not attached.
            "volumes.delete" delete_volume(ById) -> Nothing => Destroy;
            /// Attaches a volume to an instance; answers before it is there.
            "volumes.attach" attach_volume(AttachVolume) -> Nothing => Write;
            /// Detaches a volume; answers before it is free.
            "volumes.detach" detach_volume(ById) -> Nothing => Write;
            /// Makes a volume larger; answers before it is.
            "volumes.resize" resize_volume(ResizeVolume) -> Nothing => Write;
            /// Changes label or tags of a volume.
            "volumes.update" update_volume(UpdateVolume) -> Volume => Write;
            /// Makes a volume with a copy of what is on another one.
            "volumes.clone" clone_volume(CloneVolume) -> Volume => Create(Label);
            /// NodeBalancers that match a filter.
            "nodebalancers.list" list_nodebalancers(ListNodeBalancers) -> Page<NodeBalancer> => Read;
            /// One NodeBalancer.
            "nodebalancers.get" get_nodebalancer(ById) -> NodeBalancer => Read;
            /// Makes a NodeBalancer.
            "nodebalancers.create" create_nodebalancer(CreateNodeBalancer) -> NodeBalancer => Create(Label);
            /// Destroys a NodeBalancer with its configurations.
            "nodebalancers.delete" delete_nodebalancer(ById) -> Nothing => Destroy;
            /// Ports that a NodeBalancer serves.
            "nodebalancer_configs.list" list_nodebalancer_configs(OfNodeBalancer) -> Page<NodeBalancerConfig> => Read;
            /// Makes a NodeBalancer serve a port.
            "nodebalancer_configs.create" create_nodebalancer_config(CreateNodeBalancerConfig) -> NodeBalancerConfig => Create(BeforeAfter);
            /// Makes a NodeBalancer serve a port no more.
            "nodebalancer_configs.delete" delete_nodebalancer_config(OneNodeBalancerConfig) -> Nothing => Destroy;
            /// Backends behind a port of a NodeBalancer.
            "nodebalancer_nodes.list" list_nodebalancer_nodes(OneNodeBalancerConfig) -> Page<NodeBalancerNode> => Read;
            /// Puts a backend behind a port of a NodeBalancer.
            "nodebalancer_nodes.create" create_nodebalancer_node(CreateNodeBalancerNode) -> NodeBalancerNode => Create(BeforeAfter);
            /// Changes a backend: its weight, or that it drains.
            "nodebalancer_nodes.update" update_nodebalancer_node(UpdateNodeBalancerNode) -> NodeBalancerNode => Write;
            /// Takes a backend from behind a port of a NodeBalancer.
            "nodebalancer_nodes.delete" delete_nodebalancer_node(OneNodeBalancerNode) -> Nothing => Destroy;
            /// Domains that match a filter.
            "domains.list" list_domains(ListDomains) -> Page<Domain> => Read;
            /// Makes a domain.
            "domains.create" create_domain(CreateDomain) -> Domain => Create(Label);
            /// Changes a domain.
            "domains.update" update_domain(UpdateDomain) -> Domain => Write;
            /// Makes a domain with the records of another one.
            "domains.clone" clone_domain(CloneDomain) -> Domain => Create(Label);
            /// Makes a domain with the records that another name server has of it.
            "domains.import" import_domain(ImportDomain) -> Domain => Create(Label);
            /// Destroys a domain with its records.
            "domains.delete" delete_domain(ById) -> Nothing => Destroy;
            /// Records of a domain.
            "domain_records.list" list_domain_records(OfDomain) -> Page<DomainRecord> => Read;
            /// Makes a record of a domain.
            "domain_records.create" create_domain_record(CreateDomainRecord) -> DomainRecord => Create(BeforeAfter);
            /// Changes what a record of a domain says.
            "domain_records.update" update_domain_record(UpdateDomainRecord) -> DomainRecord => Write;
            /// Destroys a record of a domain.
            "domain_records.delete" delete_domain_record(OneDomainRecord) -> Nothing => Destroy;
            /// VPCs that match a filter, with their subnets.
            "vpcs.list" list_vpcs(ListVpcs) -> Page<Vpc> => Read;
            /// Makes a VPC.
            "vpcs.create" create_vpc(CreateVpc) -> Vpc => Create(Label);
            /// Destroys a VPC whose subnets are empty.
            "vpcs.delete" delete_vpc(ById) -> Nothing => Destroy;
            /// Subnets of a VPC.
            "vpc_subnets.list" list_vpc_subnets(OfVpc) -> Page<Subnet> => Read;
            /// Makes a subnet of a VPC.
            "vpc_subnets.create" create_vpc_subnet(CreateSubnet) -> Subnet => Create(BeforeAfter);
            /// Destroys a subnet that is empty.
            "vpc_subnets.delete" delete_vpc_subnet(OneSubnet) -> Nothing => Destroy;
            /// Addresses of the account that match a filter.
            "ips.list" list_ips(ListIps) -> Page<Ip> => Read;
            /// Gives an instance another IPv4 address.
            "ips.add" add_ip(AddIp) -> Ip => Create(BeforeAfter);
            /// Takes an address from an instance.
            "ips.remove" remove_ip(IpOfInstance) -> Nothing => Destroy;
            /// Reserves a public IPv4 address, which costs money until it is released.
            "ips.reserve" reserve_ip(ReserveIp) -> Ip => Create(BeforeAfter);
            /// Gives a reserved address back.
            "ips.release" release_ip(OneIp) -> Nothing => Destroy;
            /// Sets what reverse lookup answers for an address.
            "ips.set_rdns" set_rdns(SetRdns) -> Ip => Write;
            /// Placement groups that match a filter.
            "placement_groups.list" list_placement_groups(ListPlacementGroups) -> Page<PlacementGroup> => Read;
            /// Makes a placement group.
            "placement_groups.create" create_placement_group(CreatePlacementGroup) -> PlacementGroup => Create(Label);
            /// Destroys a placement group; its instances stay.
            "placement_groups.delete" delete_placement_group(ById) -> Nothing => Destroy;
            /// Puts instances into a placement group.
            "placement_groups.assign" assign_placement_group(PlacementMembers) -> PlacementGroup => Write;
            /// Takes instances out of a placement group.
            "placement_groups.unassign" unassign_placement_group(PlacementMembers) -> PlacementGroup => Write;
            /// One of the provider's own operations, by method and path.
            "raw" raw(Raw) -> Box<RawValue> => Write;
            /// What is known of the provider's own operations, for `raw`; asks nobody.
            "raw.operations" list_raw_operations(NoArguments) -> Page<RawOperation> => Read;
        }
    };
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// Changes what is there.
    Write,
    /// Makes something new that may cost money.
    Create(Found),
    /// Cannot be undone.
    Destroy,
}

/// How a create whose answer was lost is found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// By its label, which is unique for the account, and its step tag.
    Label,
    /// By its step tag.
    Tag,
    /// As the one id that was not there before.
    BeforeAfter,
    /// Not at all (a secret shown once): find it, delete it, create it again.
    Recreate,
}

/// Name and meaning of an operation, for help, completion and references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationInfo {
    /// As messages, scripts and commands name it, `instances.list`.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Name of the type of its arguments.
    pub arguments: &'static str,
    /// Name of the type of its answer.
    pub answer: &'static str,
    /// What it does to the world.
    pub effect: Effect,
}

macro_rules! table {
    ($( $(#[doc = $doc:literal])+ $name:literal $method:ident($args:ty) -> $answer:ty => $effect:ident $(($found:ident))?; )+) => {
        /// Every operation of the neutral model.
        pub const OPERATIONS: &[OperationInfo] = &[$( OperationInfo {
            name: $name,
            doc: concat!($($doc),+),
            arguments: stringify!($args),
            answer: stringify!($answer),
            effect: Effect::$effect $((Found::$found))?,
        } ),+];
    };
}

for_each_operation!(table);

/// The table's row of an operation.
pub fn operation(name: &str) -> Option<&'static OperationInfo> {
    OPERATIONS.iter().find(|operation| operation.name == name)
}

/// Arguments as they cross: what has its default value is left out. Readers are strict, so an argument of tomorrow reaches
/// a plugin of today only when it is used, and is then refused instead of silently ignored.
pub fn arguments<A: Serialize + Default>(args: &A) -> Result<Box<RawValue>> {
    let Value::Object(mut fields) = serde_json::to_value(args)? else {
        return Ok(to_raw_value(args)?);
    };
    if let Value::Object(defaults) = serde_json::to_value(A::default())? {
        fields.retain(|name, value| defaults.get(name) != Some(value));
    }
    Ok(to_raw_value(&fields)?)
}
