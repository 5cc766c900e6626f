//! NodeBalancers: one address for many instances. Each has configurations, one a port; each configuration has backends.

use crate::model::SecretRef;
use serde::{Deserialize, Serialize};

/// A load balancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeBalancer {
    /// The provider's id.
    pub id: String,
    /// Unique for the account.
    pub label: String,
    /// Id of the region; its backends are there too.
    pub region: String,
    /// Public name.
    pub hostname: String,
    /// Public address.
    pub ipv4: String,
    /// Public address.
    pub ipv6: Option<String>,
    /// New connections a second from one address; 0: any number.
    pub connection_throttle: u32,
    /// Tags.
    pub tags: Vec<String>,
}

/// Which NodeBalancers. All that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListNodeBalancers {
    /// Has exactly this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Has this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A new NodeBalancer, without configurations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateNodeBalancer {
    /// 3 to 32 letters, unique for the account (Linode API v4 docs).
    pub label: String,
    /// Id of the region.
    pub region: String,
    /// New connections a second from one address, 0 to 20; 0: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_throttle: Option<u32>,
    /// Guards it from its first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firewall_id: Option<String>,
    /// Tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What belongs to one NodeBalancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OfNodeBalancer {
    /// Id of the NodeBalancer.
    pub nodebalancer: String,
}

/// One configuration of one NodeBalancer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneNodeBalancerConfig {
    /// Id of the NodeBalancer.
    pub nodebalancer: String,
    /// Id of the configuration.
    pub config: String,
}

/// One backend of one configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OneNodeBalancerNode {
    /// Id of the NodeBalancer.
    pub nodebalancer: String,
    /// Id of the configuration.
    pub config: String,
    /// Id of the backend.
    pub id: String,
}

/// A port of a NodeBalancer and how it is served.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeBalancerConfig {
    /// The provider's id.
    pub id: String,
    /// Unique for the NodeBalancer and protocol.
    pub port: u16,
    /// `http`, `https`, `tcp` or `udp`.
    pub protocol: String,
    /// `roundrobin`, `leastconn`, `source` or `ring_hash`.
    pub algorithm: String,
    /// `none`, `table`, `http_cookie`, `session` or `source_ip`.
    pub stickiness: String,
    /// How a backend is watched.
    pub check: HealthCheck,
    /// Backends that answer.
    pub nodes_up: u32,
    /// Backends that do not.
    pub nodes_down: u32,
}

/// How a NodeBalancer finds out whether a backend lives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthCheck {
    /// `none`, `connection`, `http` or `http_body`.
    pub kind: String,
    /// Path asked for by `http` and `http_body`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Text that `http_body` looks for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Seconds between two checks.
    pub interval_s: u32,
    /// Seconds for one check.
    pub timeout_s: u32,
    /// Failures in a row until it counts as down.
    pub attempts: u32,
}

/// How to find out whether a backend lives. What is absent or empty is the provider's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetHealthCheck {
    /// `none`, `connection`, `http` or `http_body`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Path to ask for with `http` and `http_body`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Text that `http_body` looks for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Seconds between two checks, 2 to 3600 (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_s: Option<u32>,
    /// Seconds for one check, 1 to 30 (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    /// Failures in a row until it counts as down, 1 to 30 (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
}

/// A new configuration. What is absent or empty is the provider's default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateNodeBalancerConfig {
    /// Id of the NodeBalancer.
    pub nodebalancer: String,
    /// Unique for the NodeBalancer and protocol.
    pub port: u16,
    /// `http`, `https`, `tcp` or `udp`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// `roundrobin`, `leastconn`, `source` or `ring_hash`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub algorithm: String,
    /// `none`, `table`, `http_cookie`, `session` or `source_ip`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stickiness: String,
    /// How a backend is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<SetHealthCheck>,
    /// Certificate in PEM; with `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_cert: Option<String>,
    /// Private key in PEM; with `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_key: Option<SecretRef>,
}

/// A backend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodeBalancerNode {
    /// The provider's id.
    pub id: String,
    /// For people.
    pub label: String,
    /// Private address and port, `192.168.128.4:80`.
    pub address: String,
    /// 1 to 255.
    pub weight: u32,
    /// `accept`, `reject`, `drain` or `backup`.
    pub mode: String,
    /// `up`, `down` or `unknown`.
    pub status: String,
}

/// A new backend.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CreateNodeBalancerNode {
    /// Id of the NodeBalancer.
    pub nodebalancer: String,
    /// Id of the configuration.
    pub config: String,
    /// 3 to 32 letters (Linode API v4 docs).
    pub label: String,
    /// Private address of an instance of the region, and port.
    pub address: String,
    /// 1 to 255; the provider's default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// `accept`, `reject`, `drain` or `backup`; `accept` when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
}

/// What to change; what is absent stays. `drain` and then some time make it safe to take a backend away.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpdateNodeBalancerNode {
    /// Id of the NodeBalancer.
    pub nodebalancer: String,
    /// Id of the configuration.
    pub config: String,
    /// Id of the backend.
    pub id: String,
    /// 3 to 32 letters (Linode API v4 docs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Private address of an instance of the region, and port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// 1 to 255.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// `accept`, `reject`, `drain` or `backup`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
}
