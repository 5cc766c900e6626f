//! gone: which nodes of the inventory somebody else has deleted.

use linodetool_plugin::{ById, ErrorKind, ListInstances};
use std::collections::HashSet;

use crate::core::Failure;
use crate::inventory::Node;
use crate::toolkit::Toolkit;

impl Toolkit {
    /// The nodes among these that the account has no more, by name. Looks only, and is no step: for a message, not for what
    /// is done next.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn gone(&self, nodes: &[Node]) -> Result<Vec<String>, Failure> {
        let client = &self.provider().await?.client;
        let there = client.list_instances(&ListInstances::default()).await?.items;
        let there: HashSet<_> = there.into_iter().map(|instance| instance.id).collect();
        let mut gone = Vec::new();
        for node in nodes.iter().filter(|node| !there.contains(&node.id)) {
            // A list may not show yet what was made just now.
            match client.get_instance(&ById::new(&node.id)).await {
                Err(error) if error.kind == ErrorKind::NotFound => gone.push(node.name.clone()),
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
        }
        Ok(gone)
    }
}
