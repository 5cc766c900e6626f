//! The handles that recipes hold: nodes and clusters, as they were when the handle was given.

use crate::inventory::Node;
use crate::script::value::HandleTypes;
use crate::toolkit::clusters::Members;
use rhai::{Array, Dynamic};
use serde_json::{Value, json};
use std::sync::Arc;

/// A node. Clones share it, so that thousands of lanes cost little.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeHandle(pub(crate) Arc<Node>);

/// A cluster and its nodes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterHandle(pub(crate) Arc<Members>);

impl NodeHandle {
    pub(crate) fn new(node: Node) -> Self {
        Self(Arc::new(node))
    }
}

/// Nodes as a script's array.
pub(crate) fn array(nodes: impl IntoIterator<Item = Node>) -> Array {
    nodes.into_iter().map(|node| Dynamic::from(NodeHandle::new(node))).collect()
}

pub(crate) fn register(types: &mut HandleTypes) {
    types.add(|node: &NodeHandle| node.0.name.clone(), |node| node_json(&node.0));
    types.add(
        |cluster: &ClusterHandle| cluster.0.cluster.name.clone(),
        |cluster| {
            let nodes: Vec<Value> = cluster.0.nodes.iter().map(node_json).collect();
            json!({ "name": cluster.0.cluster.name, "region": cluster.0.cluster.region, "nodes": nodes })
        },
    );
}

/// What outputs show of a node.
pub(crate) fn node_json(node: &Node) -> Value {
    json!({
        "name": node.name, "role": node.role, "id": node.id, "public_ip": node.public_ip, "private_ip": node.private_ip,
    })
}
