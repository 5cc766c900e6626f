//! Which operation of the neutral model is done by which function of which file: the one table that manifest and trait come
//! from.

use crate::*;

macro_rules! provided {
    ($( $name:literal $method:ident($args:ty) -> $answer:ty = $module:ident::$function:ident; )+) => {
        /// Names of all operations that this plugin has.
        pub(crate) const OPERATIONS: &[&str] = &[$($name),+];

        impl Provider for LinodeV4 {
            $( async fn $method(&self, cx: &Cx, args: $args) -> Result<$answer> {
                $module::$function(&self.api, cx, args).await
            } )+
        }
    };
}

provided! {
    "account.get" get_account(NoArguments) -> Account = account::account;
    "profile.get" get_profile(NoArguments) -> Profile = account::profile;
    "regions.list" list_regions(NoArguments) -> Page<Region> = catalogue::regions;
    "types.list" list_types(NoArguments) -> Page<Type> = catalogue::types;
    "images.list" list_images(NoArguments) -> Page<Image> = catalogue::images;
    "images.create" create_image(CreateImage) -> Image = images::create;
    "images.delete" delete_image(ById) -> Nothing = images::delete;
    "kernels.list" list_kernels(NoArguments) -> Page<Kernel> = catalogue::kernels;
    "instances.list" list_instances(ListInstances) -> Page<Instance> = instances::list;
    "instances.get" get_instance(ById) -> Instance = instances::get;
    "instances.create" create_instance(CreateInstance) -> Instance = instances::create;
    "instances.update" update_instance(UpdateInstance) -> Instance = instances::update;
    "instances.delete" delete_instance(ById) -> Nothing = instances::delete;
    "instances.boot" boot_instance(ById) -> Nothing = actions::boot;
    "instances.shutdown" shutdown_instance(ById) -> Nothing = actions::shutdown;
    "instances.reboot" reboot_instance(ById) -> Nothing = actions::reboot;
    "instances.rebuild" rebuild_instance(RebuildInstance) -> Instance = actions::rebuild;
    "instances.resize" resize_instance(ResizeInstance) -> Nothing = actions::resize;
    "instances.clone" clone_instance(CloneInstance) -> Instance = actions::clone;
    "instances.rescue" rescue_instance(RescueInstance) -> Nothing = actions::rescue;
    "instances.reset_password" reset_instance_password(ResetPassword) -> Nothing = actions::reset_password;
    "instances.addresses" list_instance_addresses(ById) -> Page<Address> = addresses::list;
    "events.list" list_events(ListEvents) -> Page<Event> = account::events;
    "stackscripts.list" list_stackscripts(ListStackScripts) -> Page<StackScript> = stackscripts::list;
    "stackscripts.create" create_stackscript(CreateStackScript) -> StackScript = stackscripts::create;
    "stackscripts.update" update_stackscript(UpdateStackScript) -> StackScript = stackscripts::update;
    "stackscripts.delete" delete_stackscript(ById) -> Nothing = stackscripts::delete;
    "firewalls.list" list_firewalls(ListFirewalls) -> Page<Firewall> = firewalls::list;
    "firewalls.get" get_firewall(ById) -> Firewall = firewalls::get;
    "firewalls.create" create_firewall(CreateFirewall) -> Firewall = firewalls::create;
    "firewalls.delete" delete_firewall(ById) -> Nothing = firewalls::delete;
    "firewalls.set_rules" set_firewall_rules(SetFirewallRules) -> Firewall = firewalls::set_rules;
    "firewalls.update" update_firewall(UpdateFirewall) -> Firewall = firewalls::update;
    "firewalls.add_device" add_firewall_device(FirewallDevice) -> Nothing = firewall_devices::add;
    "firewalls.remove_device" remove_firewall_device(FirewallDevice) -> Nothing = firewall_devices::remove;
    "disks.list" list_disks(OfInstance) -> Page<Disk> = disks::list;
    "disks.create" create_disk(CreateDisk) -> Disk = disks::create;
    "disks.delete" delete_disk(PartOfInstance) -> Nothing = disks::delete;
    "disks.resize" resize_disk(ResizeDisk) -> Nothing = disks::resize;
    "disks.clone" clone_disk(PartOfInstance) -> Disk = disks::clone;
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
    "volumes.update" update_volume(UpdateVolume) -> Volume = volumes::update;
    "volumes.clone" clone_volume(CloneVolume) -> Volume = volumes::clone;
    "nodebalancers.list" list_nodebalancers(ListNodeBalancers) -> Page<NodeBalancer> = nodebalancers::list;
    "nodebalancers.get" get_nodebalancer(ById) -> NodeBalancer = nodebalancers::get;
    "nodebalancers.create" create_nodebalancer(CreateNodeBalancer) -> NodeBalancer = nodebalancers::create;
    "nodebalancers.delete" delete_nodebalancer(ById) -> Nothing = nodebalancers::delete;
    "nodebalancer_configs.list" list_nodebalancer_configs(OfNodeBalancer) -> Page<NodeBalancerConfig> = balancer_configs::list;
    "nodebalancer_configs.create" create_nodebalancer_config(CreateNodeBalancerConfig) -> NodeBalancerConfig = balancer_configs::create;
    "nodebalancer_configs.delete" delete_nodebalancer_config(OneNodeBalancerConfig) -> Nothing = balancer_configs::delete;
    "nodebalancer_nodes.list" list_nodebalancer_nodes(OneNodeBalancerConfig) -> Page<NodeBalancerNode> = balancer_nodes::list;
    "nodebalancer_nodes.create" create_nodebalancer_node(CreateNodeBalancerNode) -> NodeBalancerNode = balancer_nodes::create;
    "nodebalancer_nodes.update" update_nodebalancer_node(UpdateNodeBalancerNode) -> NodeBalancerNode = balancer_nodes::update;
    "nodebalancer_nodes.delete" delete_nodebalancer_node(OneNodeBalancerNode) -> Nothing = balancer_nodes::delete;
    "domains.list" list_domains(ListDomains) -> Page<Domain> = domains::list;
    "domains.create" create_domain(CreateDomain) -> Domain = domains::create;
    "domains.update" update_domain(UpdateDomain) -> Domain = domains::update;
    "domains.clone" clone_domain(CloneDomain) -> Domain = domains::clone;
    "domains.import" import_domain(ImportDomain) -> Domain = domains::import;
    "domains.delete" delete_domain(ById) -> Nothing = domains::delete;
    "domain_records.list" list_domain_records(OfDomain) -> Page<DomainRecord> = records::list;
    "domain_records.create" create_domain_record(CreateDomainRecord) -> DomainRecord = records::create;
    "domain_records.update" update_domain_record(UpdateDomainRecord) -> DomainRecord = records::update;
    "domain_records.delete" delete_domain_record(OneDomainRecord) -> Nothing = records::delete;
    "vpcs.list" list_vpcs(ListVpcs) -> Page<Vpc> = vpcs::list;
    "vpcs.create" create_vpc(CreateVpc) -> Vpc = vpcs::create;
    "vpcs.delete" delete_vpc(ById) -> Nothing = vpcs::delete;
    "vpc_subnets.list" list_vpc_subnets(OfVpc) -> Page<Subnet> = vpcs::list_subnets;
    "vpc_subnets.create" create_vpc_subnet(CreateSubnet) -> Subnet = vpcs::create_subnet;
    "vpc_subnets.delete" delete_vpc_subnet(OneSubnet) -> Nothing = vpcs::delete_subnet;
    "ips.list" list_ips(ListIps) -> Page<Ip> = ips::list;
    "ips.add" add_ip(AddIp) -> Ip = ips::add;
    "ips.remove" remove_ip(IpOfInstance) -> Nothing = ips::remove;
    "ips.reserve" reserve_ip(ReserveIp) -> Ip = ips::reserve;
    "ips.release" release_ip(OneIp) -> Nothing = ips::release;
    "ips.set_rdns" set_rdns(SetRdns) -> Ip = ips::set_rdns;
    "placement_groups.list" list_placement_groups(ListPlacementGroups) -> Page<PlacementGroup> = placement::list;
    "placement_groups.create" create_placement_group(CreatePlacementGroup) -> PlacementGroup = placement::create;
    "placement_groups.delete" delete_placement_group(ById) -> Nothing = placement::delete;
    "placement_groups.assign" assign_placement_group(PlacementMembers) -> PlacementGroup = placement::assign;
    "placement_groups.unassign" unassign_placement_group(PlacementMembers) -> PlacementGroup = placement::unassign;
    "raw" raw(Raw) -> Box<RawValue> = raw::raw;
    "raw.operations" list_raw_operations(NoArguments) -> Page<RawOperation> = facts::operations;
}
