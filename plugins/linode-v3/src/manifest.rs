//! What this plugin says of itself. No rate classes: API v3 never published a limit, and says with an error when there was
//! one; `api` then waits.

use crate::operations::OPERATIONS;
use linodetool_plugin::{BEFORE_IDS, ConfigKey, MESSAGES, Manifest};

/// Where API v3 was, unless the host says otherwise.
pub(crate) const BASE_URL: &str = "https://api.linode.com";

/// `display_group`: Linodes and domains keep their tags in their display group; nothing else has any.
const CAPABILITIES: &[&str] =
    &["display_group", "domains", "images", "nodebalancers", "private_ip", "stackscripts", "volumes"];

pub(crate) fn manifest() -> Manifest {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    Manifest {
        name: "linode-v3".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Linode through its legacy API v3, which Linode has retired".to_owned(),
        messages: MESSAGES.to_owned(),
        features: texts(&[BEFORE_IDS]),
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
