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
            /// Addresses of an instance.
            "instances.addresses" list_instance_addresses(ById) -> Page<Address> => Read;
            /// What happened on the account, newest first.
            "events.list" list_events(ListEvents) -> Page<Event> => Read;
            /// StackScripts of the account.
            "stackscripts.list" list_stackscripts(ListStackScripts) -> Page<StackScript> => Read;
            /// Stores a StackScript.
            "stackscripts.create" create_stackscript(CreateStackScript) -> StackScript => Create(Label);
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
            /// One of the provider's own operations, by method and path.
            "raw" raw(Raw) -> Box<RawValue> => Write;
        }
    };
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    Write,
    Create(Found),
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
    pub name: &'static str,
    pub doc: &'static str,
    pub arguments: &'static str,
    pub answer: &'static str,
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
