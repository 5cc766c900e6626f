//! Addresses of the account: given to instances, taken from them, kept for later, named.

use serde::{Deserialize, Serialize};

/// An address of the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ip {
    /// Without prefix length, unless it is a range of a VPC; it is its own id.
    pub address: String,
    /// Reachable from everywhere; otherwise from the region's private network, or from a VPC.
    pub public: bool,
    /// 4 or 6.
    pub family: u8,
    /// Id of the region.
    pub region: String,
    /// Id of the subnet of a VPC that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
    /// Id of the instance that has it.
    pub instance: Option<String>,
    /// Stays the account's, and is paid for, without an instance too.
    pub reserved: bool,
    /// Its name by reverse lookup.
    pub rdns: Option<String>,
}

/// Which addresses. All that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListIps {
    /// Is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Belongs to this instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Is reserved, or is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<bool>,
    /// Belongs to this VPC. Without it, addresses in VPCs are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vpc: Option<String>,
}

/// Another IPv4 address for an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AddIp {
    /// Id of the instance.
    pub instance: String,
    /// Reachable from everywhere; otherwise one of the region's private network.
    pub public: bool,
}

/// An address and the instance that has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IpOfInstance {
    /// Id of the instance.
    pub instance: String,
    /// Without prefix length.
    pub address: String,
}

/// One address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneIp {
    /// Without prefix length.
    pub address: String,
}

/// A public IPv4 address to be kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReserveIp {
    /// Id of the region.
    pub region: String,
}

/// A name for an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetRdns {
    /// Without prefix length.
    pub address: String,
    /// What reverse lookup answers; the provider's own name when absent. Must already lead to the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdns: Option<String>,
}
