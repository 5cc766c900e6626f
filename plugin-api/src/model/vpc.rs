//! VPCs and their subnets: networks of the account's own in one region.

use serde::{Deserialize, Serialize};

/// A private network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Vpc {
    /// The provider's id.
    pub id: String,
    /// Unique for the account.
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// For people, and the place of the step's tag, since VPCs have no tags.
    pub description: String,
    /// Its parts.
    pub subnets: Vec<Subnet>,
}

/// Part of a VPC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subnet {
    /// The provider's id.
    pub id: String,
    /// Unique for the VPC.
    pub label: String,
    /// CIDR within the private ranges of RFC 1918.
    pub ipv4: String,
    /// Ids of the instances in it.
    pub instances: Vec<String>,
}

/// Which VPCs. All that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListVpcs {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A new VPC, without subnets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateVpc {
    /// 1 to 64 letters, digits and hyphens, unique for the account (Linode API v4 docs).
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// For people, and the place of the step's tag, since VPCs have no tags.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// What belongs to one VPC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfVpc {
    /// Id of the VPC.
    pub vpc: String,
}

/// One subnet of one VPC.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneSubnet {
    /// Id of the VPC.
    pub vpc: String,
    /// Id of the subnet.
    pub id: String,
}

/// A new subnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateSubnet {
    /// Id of the VPC.
    pub vpc: String,
    /// Unique for the VPC.
    pub label: String,
    /// CIDR within the private ranges of RFC 1918; overlaps no other of the VPC.
    pub ipv4: String,
}
