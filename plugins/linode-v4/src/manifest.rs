//! What this plugin says of itself. The limits are the published ones ("Rate limits" of the Linode API v4 docs, per token);
//! the host counts, and corrects itself by what the API answers.

use crate::api::class;
use crate::operations::OPERATIONS;
use linodetool_plugin::{ConfigKey, MESSAGES, Manifest, RateClass};

/// Where API v4 is, unless the host says otherwise.
pub(crate) const BASE_URL: &str = "https://api.linode.com/v4";

/// Where the operations are that are still being tried out.
pub(crate) const BETA_URL: &str = "https://api.linode.com/v4beta";

const CAPABILITIES: &[&str] = &[
    "domains",
    "events",
    "firewalls",
    "images",
    "nodebalancers",
    "placement_groups",
    "private_ip",
    "rescue",
    "reserved_ips",
    "stackscripts",
    "tags",
    "user_data",
    "volumes",
    "vpcs",
];

pub(crate) fn manifest() -> Manifest {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let limit = |name: &str, calls, per_seconds| RateClass { name: name.to_owned(), calls, per_seconds };
    Manifest {
        name: "linode-v4".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Linode (Akamai Cloud) through its API v4".to_owned(),
        messages: MESSAGES.to_owned(),
        features: Vec::new(),
        operations: texts(OPERATIONS),
        capabilities: texts(CAPABILITIES),
        config: vec![ConfigKey {
            name: "base_url".to_owned(),
            doc: "address of the API, with its version".to_owned(),
            default: Some(BASE_URL.to_owned()),
        }],
        base_urls: texts(&[BASE_URL, BETA_URL]),
        rate_classes: vec![
            limit(class::CREATE, 20, 15),
            limit(class::VOLUMES, 100, 60),
            limit(class::LIST, 200, 60),
            limit(class::IMAGES, 20, 60),
            limit(class::STACKSCRIPTS, 60, 60),
            limit(class::DEFAULT, 1600, 60),
        ],
    }
}
