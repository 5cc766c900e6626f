//! Which operation of the neutral model is done by which function of which file, and what API v3 lacks for the others: the one
//! table that manifest and trait come from.

use crate::*;

macro_rules! provided {
    (
        $( $name:literal $method:ident($args:ty) -> $answer:ty = $module:ident::$function:ident; )+
        lacking
        $( $missing:literal $refused:ident($with:ty) -> $never:ty: $what:literal; )+
    ) => {
        /// Names of all operations that this plugin has.
        pub(crate) const OPERATIONS: &[&str] = &[$($name),+];

        impl Provider for LinodeV3 {
            $( async fn $method(&self, cx: &Cx, args: $args) -> Result<$answer> {
                $module::$function(self, cx, args).await
            } )+

            $( async fn $refused(&self, _: &Cx, _: $with) -> Result<$never> {
                Err(errors::missing($missing, $what))
            } )+
        }
    };
}

provided! {
    "account.get" get_account(NoArguments) -> Account = account::get;
    "regions.list" list_regions(NoArguments) -> Page<Region> = catalogue::regions;
    "types.list" list_types(NoArguments) -> Page<Type> = catalogue::types;
    "images.list" list_images(NoArguments) -> Page<Image> = images::list;
    "images.create" create_image(CreateImage) -> Image = images::create;
    "images.delete" delete_image(ById) -> Nothing = images::delete;
    "kernels.list" list_kernels(NoArguments) -> Page<Kernel> = catalogue::kernels;
    "instances.list" list_instances(ListInstances) -> Page<Instance> = instances::list;
    "instances.get" get_instance(ById) -> Instance = instances::get;
    "instances.create" create_instance(CreateInstance) -> Instance = create::create;
    "instances.update" update_instance(UpdateInstance) -> Instance = instances::update;
    "instances.delete" delete_instance(ById) -> Nothing = instances::delete;
    "instances.boot" boot_instance(ById) -> Nothing = instances::boot;
    "instances.shutdown" shutdown_instance(ById) -> Nothing = instances::shutdown;
    "instances.reboot" reboot_instance(ById) -> Nothing = instances::reboot;
    "instances.rebuild" rebuild_instance(RebuildInstance) -> Instance = create::rebuild;
    "instances.resize" resize_instance(ResizeInstance) -> Nothing = instances::resize;
    "instances.clone" clone_instance(CloneInstance) -> Instance = create::clone;
    "instances.addresses" list_instance_addresses(ById) -> Page<Address> = instances::addresses;
    "stackscripts.list" list_stackscripts(ListStackScripts) -> Page<StackScript> = stackscripts::list;
    "stackscripts.create" create_stackscript(CreateStackScript) -> StackScript = stackscripts::create;
    "disks.list" list_disks(OfInstance) -> Page<Disk> = disks::list;
    "disks.create" create_disk(CreateDisk) -> Disk = disks::create;
    "disks.delete" delete_disk(PartOfInstance) -> Nothing = disks::delete;
    "disks.resize" resize_disk(ResizeDisk) -> Nothing = disks::resize;
    "configs.list" list_configs(OfInstance) -> Page<InstanceConfig> = configs::list;
    "configs.create" create_config(CreateConfig) -> InstanceConfig = configs::create;
    "configs.update" update_config(UpdateConfig) -> InstanceConfig = configs::update;
    "configs.delete" delete_config(PartOfInstance) -> Nothing = configs::delete;
    "volumes.list" list_volumes(ListVolumes) -> Page<Volume> = volumes::list;
    "volumes.get" get_volume(ById) -> Volume = volumes::get;
    "volumes.create" create_volume(CreateVolume) -> Volume = volumes::create;
    "volumes.delete" delete_volume(ById) -> Nothing = volumes::delete;
    "volumes.attach" attach_volume(AttachVolume) -> Nothing = volumes::attach;
    "volumes.detach" detach_volume(ById) -> Nothing = volumes::detach;
    "volumes.resize" resize_volume(ResizeVolume) -> Nothing = volumes::resize;
    "nodebalancers.list" list_nodebalancers(ListNodeBalancers) -> Page<NodeBalancer> = nodebalancers::list;
    "nodebalancers.get" get_nodebalancer(ById) -> NodeBalancer = nodebalancers::get;
    "nodebalancers.create" create_nodebalancer(CreateNodeBalancer) -> NodeBalancer = nodebalancers::create;
    "nodebalancers.delete" delete_nodebalancer(ById) -> Nothing = nodebalancers::delete;
    "nodebalancer_configs.list" list_nodebalancer_configs(OfNodeBalancer) -> Page<NodeBalancerConfig> = nodebalancers::configs;
    "nodebalancer_configs.create" create_nodebalancer_config(CreateNodeBalancerConfig) -> NodeBalancerConfig = nodebalancers::create_config;
    "nodebalancer_configs.delete" delete_nodebalancer_config(OneNodeBalancerConfig) -> Nothing = nodebalancers::delete_config;
    "nodebalancer_nodes.list" list_nodebalancer_nodes(OneNodeBalancerConfig) -> Page<NodeBalancerNode> = nodebalancers::nodes;
    "nodebalancer_nodes.create" create_nodebalancer_node(CreateNodeBalancerNode) -> NodeBalancerNode = nodebalancers::create_node;
    "nodebalancer_nodes.delete" delete_nodebalancer_node(OneNodeBalancerNode) -> Nothing = nodebalancers::delete_node;
    "domains.list" list_domains(ListDomains) -> Page<Domain> = domains::list;
    "domains.create" create_domain(CreateDomain) -> Domain = domains::create;
    "domains.delete" delete_domain(ById) -> Nothing = domains::delete;
    "domain_records.list" list_domain_records(OfDomain) -> Page<DomainRecord> = domains::records;
    "domain_records.create" create_domain_record(CreateDomainRecord) -> DomainRecord = domains::create_record;
    "domain_records.delete" delete_domain_record(OneDomainRecord) -> Nothing = domains::delete_record;
    "raw" raw(Raw) -> Box<RawValue> = raw::raw;
    "raw.operations" list_raw_operations(NoArguments) -> Page<RawOperation> = facts::operations;

    lacking

    "profile.get" get_profile(NoArguments) -> Profile: "users";
    "events.list" list_events(ListEvents) -> Page<Event>: "events";
    "firewalls.list" list_firewalls(ListFirewalls) -> Page<Firewall>: "Cloud Firewalls";
    "firewalls.get" get_firewall(ById) -> Firewall: "Cloud Firewalls";
    "firewalls.create" create_firewall(CreateFirewall) -> Firewall: "Cloud Firewalls";
    "firewalls.delete" delete_firewall(ById) -> Nothing: "Cloud Firewalls";
    "firewalls.set_rules" set_firewall_rules(SetFirewallRules) -> Firewall: "Cloud Firewalls";
    "firewalls.update" update_firewall(UpdateFirewall) -> Firewall: "Cloud Firewalls";
    "firewalls.add_device" add_firewall_device(FirewallDevice) -> Nothing: "Cloud Firewalls";
    "firewalls.remove_device" remove_firewall_device(FirewallDevice) -> Nothing: "Cloud Firewalls";
    "vpcs.list" list_vpcs(ListVpcs) -> Page<Vpc>: "VPCs";
    "vpcs.create" create_vpc(CreateVpc) -> Vpc: "VPCs";
    "vpcs.delete" delete_vpc(ById) -> Nothing: "VPCs";
    "vpc_subnets.list" list_vpc_subnets(OfVpc) -> Page<Subnet>: "VPCs";
    "vpc_subnets.create" create_vpc_subnet(CreateSubnet) -> Subnet: "VPCs";
    "vpc_subnets.delete" delete_vpc_subnet(OneSubnet) -> Nothing: "VPCs";
    "instances.rescue" rescue_instance(RescueInstance) -> Nothing: "rescue system";
    "instances.reset_password" reset_instance_password(ResetPassword) -> Nothing: "password resets";
    "domains.clone" clone_domain(CloneDomain) -> Domain: "copies of domains";
    "domains.import" import_domain(ImportDomain) -> Domain: "imports of domains";
    "ips.remove" remove_ip(IpOfInstance) -> Nothing: "way to take an address from a Linode";
    "ips.reserve" reserve_ip(ReserveIp) -> Ip: "reserved addresses";
    "ips.release" release_ip(OneIp) -> Nothing: "reserved addresses";
    "placement_groups.list" list_placement_groups(ListPlacementGroups) -> Page<PlacementGroup>: "placement groups";
    "placement_groups.create" create_placement_group(CreatePlacementGroup) -> PlacementGroup: "placement groups";
    "placement_groups.delete" delete_placement_group(ById) -> Nothing: "placement groups";
    "placement_groups.assign" assign_placement_group(PlacementMembers) -> PlacementGroup: "placement groups";
    "placement_groups.unassign" unassign_placement_group(PlacementMembers) -> PlacementGroup: "placement groups";
}
