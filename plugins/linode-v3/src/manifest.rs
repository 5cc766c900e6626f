//! What this plugin says of itself. No rate classes: API v3 never published a limit, and says with an error when there was
//! one; `api` then waits.

use linodetool_plugin::{ConfigKey, MESSAGES, Manifest};

/// Where API v3 was, unless the host says otherwise.
pub(crate) const BASE_URL: &str = "https://api.linode.com";

/// The operations that `Provider for LinodeV3` has; a test compares.
pub(crate) const OPERATIONS: &[&str] = &[
    "account.get",
    "regions.list",
    "types.list",
    "images.list",
    "images.create",
    "images.delete",
    "kernels.list",
    "instances.list",
    "instances.get",
    "instances.create",
    "instances.update",
    "instances.delete",
    "instances.boot",
    "instances.shutdown",
    "instances.reboot",
    "instances.rebuild",
    "instances.resize",
    "instances.clone",
    "instances.addresses",
    "stackscripts.list",
    "stackscripts.create",
    "disks.list",
    "disks.create",
    "disks.delete",
    "disks.resize",
    "configs.list",
    "configs.create",
    "configs.update",
    "configs.delete",
    "volumes.list",
    "volumes.get",
    "volumes.create",
    "volumes.delete",
    "volumes.attach",
    "volumes.detach",
    "volumes.resize",
    "nodebalancers.list",
    "nodebalancers.get",
    "nodebalancers.create",
    "nodebalancers.delete",
    "nodebalancer_configs.list",
    "nodebalancer_configs.create",
    "nodebalancer_configs.delete",
    "nodebalancer_nodes.list",
    "nodebalancer_nodes.create",
    "nodebalancer_nodes.delete",
    "domains.list",
    "domains.create",
    "domains.delete",
    "domain_records.list",
    "domain_records.create",
    "domain_records.delete",
    "raw",
];

/// `display_group`: Linodes and domains keep their tags in their display group; nothing else has any.
const CAPABILITIES: &[&str] = &["display_group", "private_ip", "stackscripts"];

pub(crate) fn manifest() -> Manifest {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Manifest {
        name: "linode-v3".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Linode through its legacy API v3, which Linode has retired".to_owned(),
        messages: MESSAGES.to_owned(),
        features: Vec::new(),
        operations: texts(OPERATIONS),
        capabilities: texts(CAPABILITIES),
        config: vec![ConfigKey {
            name: "base_url".to_owned(),
            doc: "address of the API".to_owned(),
            default: Some(BASE_URL.to_owned()),
        }],
        base_urls: vec![BASE_URL.to_owned()],
        rate_classes: Vec::new(),
    }
}
