//! The handles that recipes hold: nodes and clusters, as they were when the handle was given.

use crate::core::Failure;
use crate::inventory::{Cluster, Node};
use crate::nodes::states::Names;
use crate::script::value::HandleTypes;
use crate::toolkit::clusters::Members;
use rhai::{Array, Dynamic};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// A node. Clones share it, so that thousands of lanes cost little.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeHandle(pub(crate) Arc<Node>);

/// A cluster and its nodes. Clones share it.
#[derive(Clone, Debug)]
pub struct ClusterHandle(pub(crate) Arc<Group>);

/// What a cluster's handle stands for.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) cluster: Cluster,
    pub(crate) nodes: Vec<Arc<Node>>,
    pub(crate) changed: bool,
    /// Made for the first node that wants them, for all of them.
    names: OnceLock<Result<Names, Failure>>,
}

impl Group {
    /// How its nodes are called, for their hosts files.
    pub(crate) fn names(&self) -> &Result<Names, Failure> {
        self.names.get_or_init(|| names(&self.nodes))
    }
}

/// Nodes by the private address, or else the public one.
pub(crate) fn names(nodes: &[Arc<Node>]) -> Result<Names, Failure> {
    let address = |node: &Node| node.private_ip.clone().or_else(|| node.public_ip.clone());
    let known: Vec<_> = nodes.iter().filter_map(|node| Some((address(node)?, &node.name))).collect();
    Ok(Names::new(known.iter().map(|(address, name)| (address.as_str(), name.as_str())))?)
}

impl NodeHandle {
    pub(crate) fn new(node: Node) -> Self {
        Self(Arc::new(node))
    }
}

impl ClusterHandle {
    pub(crate) fn new(members: Members) -> Self {
        let Members { cluster, nodes, changed } = members;
        let nodes = nodes.into_iter().map(Arc::new).collect();
        Self(Arc::new(Group { cluster, nodes, changed, names: OnceLock::new() }))
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
            let nodes: Vec<Value> = cluster.0.nodes.iter().map(|node| node_json(node)).collect();
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
