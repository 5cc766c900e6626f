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
    /// Below the domain; empty for the domain itself. Of an `SRV`, service and protocol: `_sip._tcp`.
    pub name: String,
    /// Address, name or text; of a `CAA`, flags, tag and value: `0 issue "ca.example"`.
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
    /// Address, name or text; of a `CAA`, flags, tag and value: `0 issue "ca.example"`.
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

/// What to change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateDomain {
    /// Id of the domain.
    pub id: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soa_email: Option<String>,
    /// Where a `slave` gets it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master_ips: Option<Vec<String>>,
    /// Seconds; rounded by the provider to a value it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_s: Option<u32>,
    /// All tags, in place of the old ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

/// A new zone with the records of another one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CloneDomain {
    /// Id of the domain that is copied.
    pub id: String,
    /// Name of the new one.
    pub domain: String,
}

/// A new zone with the records that another name server has of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportDomain {
    /// `example.com`.
    pub domain: String,
    /// Name or address of a name server that lets the provider transfer the zone.
    pub nameserver: String,
}

/// What to change; what is absent stays, and so do name and kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateDomainRecord {
    /// Id of the domain.
    pub domain: String,
    /// Id of the record.
    pub id: String,
    /// Address, name or text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Seconds; 0: the domain's.
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
