//! What a step writes to the inventory, in the transaction of its outcome.

use super::model::{Cluster, InstanceStatus, KeyRef, Node, Resource};
use serde::{Deserialize, Serialize};

/// One row put or removed. Putting replaces; removing what is absent is fine, so that a step may be told twice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    PutNode(Box<Node>),
    /// Changes some fields of a node that is there; nothing happens if it is not.
    PatchNode {
        context: String,
        name: String,
        patch: Box<NodePatch>,
    },
    RemoveNode {
        context: String,
        name: String,
    },
    PutCluster(Box<Cluster>),
    RemoveCluster {
        context: String,
        name: String,
    },
    PutResource(Box<Resource>),
    RemoveResource {
        context: String,
        kind: String,
        name: String,
    },
}

impl Change {
    pub fn put_node(node: Node) -> Self {
        Self::PutNode(Box::new(node))
    }

    pub fn put_cluster(cluster: Cluster) -> Self {
        Self::PutCluster(Box::new(cluster))
    }

    pub fn put_resource(resource: Resource) -> Self {
        Self::PutResource(Box::new(resource))
    }

    pub fn patch_node(context: impl Into<String>, name: impl Into<String>, patch: NodePatch) -> Self {
        Self::PatchNode { context: context.into(), name: name.into(), patch: Box::new(patch) }
    }

    pub fn remove_node(context: impl Into<String>, name: impl Into<String>) -> Self {
        Self::RemoveNode { context: context.into(), name: name.into() }
    }

    pub fn remove_cluster(context: impl Into<String>, name: impl Into<String>) -> Self {
        Self::RemoveCluster { context: context.into(), name: name.into() }
    }

    pub fn remove_resource(context: impl Into<String>, kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self::RemoveResource { context: context.into(), kind: kind.into(), name: name.into() }
    }
}

/// A row that notes which run wrote it last.
pub(super) trait Stamped: PartialEq + Sized {
    fn stamp(&mut self) -> &mut String;

    /// The row to write, stamped with the run; none if `old` says the same already, so that its stamp names the run that
    /// changed it last.
    fn over(mut self, old: Option<&mut Self>, run: &str) -> Option<Self> {
        if let Some(old) = old {
            self.stamp().clone_from(old.stamp());
            if *old == self {
                return None;
            }
        }
        run.clone_into(self.stamp());
        Some(self)
    }
}

macro_rules! stamped {
    ($($row:ident)+) => { $(impl Stamped for $row {
        fn stamp(&mut self) -> &mut String {
            &mut self.changed_by_run
        }
    })+ };
}

stamped! { Node Cluster Resource }

/// Fields of a node to change; what is absent stays. Lanes that change different fields do not undo each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NodePatch {
    pub id: Option<String>,
    #[serde(rename = "type")]
    pub type_id: Option<String>,
    pub image: Option<String>,
    pub status: Option<InstanceStatus>,
    pub public_ip: Option<String>,
    pub private_ip: Option<String>,
    pub ipv6: Option<String>,
    pub host_keys: Option<Vec<String>>,
    pub key_ref: Option<KeyRef>,
    pub locked: Option<bool>,
    pub user: Option<String>,
    pub tags: Option<Vec<String>>,
    pub role: Option<String>,
}

impl NodePatch {
    pub(super) fn apply_to(&self, node: &mut Node) {
        fn set<T: Clone>(field: &mut T, new: &Option<T>) {
            if let Some(new) = new {
                field.clone_from(new);
            }
        }
        fn set_some<T: Clone>(field: &mut Option<T>, new: &Option<T>) {
            if new.is_some() {
                field.clone_from(new);
            }
        }
        set(&mut node.id, &self.id);
        set(&mut node.type_id, &self.type_id);
        set(&mut node.image, &self.image);
        set(&mut node.status, &self.status);
        set(&mut node.host_keys, &self.host_keys);
        set(&mut node.locked, &self.locked);
        set(&mut node.user, &self.user);
        set(&mut node.tags, &self.tags);
        set_some(&mut node.public_ip, &self.public_ip);
        set_some(&mut node.private_ip, &self.private_ip);
        set_some(&mut node.ipv6, &self.ipv6);
        set_some(&mut node.key_ref, &self.key_ref);
        set_some(&mut node.role, &self.role);
    }
}
