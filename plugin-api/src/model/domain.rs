//! Domains and their records, as the provider's name servers know them.

use serde::{Deserialize, Serialize};

/// A zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Domain {
    /// The provider's id.
    pub id: String,
    /// `example.com`.
    pub domain: String,
    /// `master` or `slave`.
    pub kind: String,
    /// `active`, `disabled`, ...
    pub status: String,
    /// Who answers for it.
    pub soa_email: String,
    /// Seconds; 0: the provider's default.
    pub ttl_s: u32,
    /// Tags.
    pub tags: Vec<String>,
}

/// Which domains. All that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListDomains {
    /// Is exactly this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Has this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A new zone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateDomain {
    /// `example.com`.
    pub domain: String,
    /// `master` or `slave`; `master` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Needed for a `master` (Linode API v4 docs).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub soa_email: String,
    /// Where a `slave` gets it from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub master_ips: Vec<String>,
    /// Seconds; rounded by the provider to a value it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What belongs to one domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfDomain {
    /// Id of the domain.
    pub domain: String,
}

/// One record of one domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneDomainRecord {
    /// Id of the domain.
    pub domain: String,
    /// Id of the record.
    pub id: String,
}

/// A record. What its kind does not use is 0 or empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DomainRecord {
    /// The provider's id.
    pub id: String,
    /// `A`, `AAAA`, `NS`, `MX`, `CNAME`, `TXT`, `SRV`, `PTR` or `CAA`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Below the domain; empty for the domain itself.
    pub name: String,
    /// Address, name or text.
    pub target: String,
    /// Seconds; 0: the domain's.
    pub ttl_s: u32,
    /// `MX` and `SRV`.
    pub priority: u32,
    /// `SRV`.
    pub weight: u32,
    /// `SRV`.
    pub port: u16,
}

/// A new record.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateDomainRecord {
    /// Id of the domain.
    pub domain: String,
    /// `A`, `AAAA`, `NS`, `MX`, `CNAME`, `TXT`, `SRV`, `PTR` or `CAA`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Below the domain; empty for the domain itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Address, name or text.
    pub target: String,
    /// Seconds; the domain's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
    /// `MX` and `SRV`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// `SRV`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// `SRV`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}
