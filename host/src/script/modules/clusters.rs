//! `clusters::`, and the properties of a cluster.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use rhai::plugin::*;

/// Clusters: named sets of nodes in roles.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod clusters {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::modules::handles::ClusterHandle;
    use crate::script::options;
    use crate::script::thrown::{Result, raise};
    use crate::toolkit::clusters::ClusterSpec;
    use rhai::{Array, Map};

    /// Makes what is missing of a cluster, and gives it when every node answers over SSH.
    ///
    /// Nodes are named `NAME-ROLE-1`, `NAME-ROLE-2`, ... Names of region, types and image may be loose (`newark`, `4gb`).
    /// Nothing is ever destroyed, moved or replaced by this.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `name` | string | |
    /// | `region` | string | |
    /// | `image` | string | |
    /// | `roles` | array of `#{ role, type, count }` | `count`: 1 |
    /// | `firewall` | bool: drop all inbound but SSH and the members' own traffic | `true` |
    /// | `private_ip` | bool: addresses in the region's private network | `true` |
    /// | `tags` | array of strings | `[]` |
    /// | `ssh_key` | string: a secret that holds the private key to log in with | one is made |
    ///
    /// # Example
    /// ```rhai
    /// let c = clusters::ensure(#{ name: "docs", region: "us-east", image: "linode/debian12",
    ///     roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });
    /// print(`${c.name} has ${c.nodes.len()} nodes`);
    /// ```
    ///
    /// # Errors
    /// `conflict` where it would have to lose, move or replace nodes; `not_found` for unknown names, with near ones.
    #[rhai_fn(return_raw, volatile)]
    pub fn ensure(call: NativeCallContext, options: Map) -> Result<ClusterHandle> {
        let spec: ClusterSpec = options::read(&call, options)?;
        let members = at(&call, |at| toolkit(&call)?.ensure_cluster(at, &spec).map_err(|e| raise(e, &call)))?;
        Ok(ClusterHandle::new(members))
    }

    /// A cluster of the inventory.
    ///
    /// # Example
    /// ```rhai
    /// let c = clusters::get("docs");
    /// ```
    ///
    /// # Errors
    /// `not_found`, with near names.
    #[rhai_fn(return_raw, volatile)]
    pub fn get(call: NativeCallContext, name: &str) -> Result<ClusterHandle> {
        let members = at(&call, |at| toolkit(&call)?.cluster(at, name).map_err(|e| raise(e, &call)))?;
        Ok(ClusterHandle::new(members))
    }

    /// All clusters.
    ///
    /// # Example
    /// ```rhai
    /// for c in clusters::list() { print(c.name) }
    /// ```
    ///
    /// # Errors
    /// Only if the inventory cannot be read.
    #[rhai_fn(return_raw, volatile)]
    pub fn list(call: NativeCallContext) -> Result<Array> {
        let all = at(&call, |at| toolkit(&call)?.list_clusters(at).map_err(|e| raise(e, &call)))?;
        Ok(all.into_iter().map(|members| Dynamic::from(ClusterHandle::new(members))).collect())
    }

    /// Destroys a cluster: its nodes and their disks, its firewall, its keys.
    ///
    /// # Example
    /// ```rhai
    /// clusters::ensure(#{ name: "gone", region: "us-east", image: "linode/debian12",
    ///     roles: [#{ role: "node", type: "g6-nanode-1" }] });
    /// clusters::destroy("gone");
    /// ```
    ///
    /// # Errors
    /// `not_found`, and what the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn destroy(call: NativeCallContext, name: &str) -> Result<()> {
        at(&call, |at| toolkit(&call)?.destroy_cluster(at, name).map_err(|e| raise(e, &call)))
    }
}

/// Properties of a cluster.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod cluster {
    use crate::script::modules::handles::{ClusterHandle, NodeHandle};
    use rhai::Array;

    /// The cluster's name.
    ///
    /// # Example
    /// ```rhai
    /// print(c.name);
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn name(cluster: &mut ClusterHandle) -> String {
        cluster.0.cluster.name.clone()
    }

    /// Id of the region.
    ///
    /// # Example
    /// ```rhai
    /// print(c.region);
    /// ```
    #[rhai_fn(global, get = "region", pure)]
    pub fn region(cluster: &mut ClusterHandle) -> String {
        cluster.0.cluster.region.clone()
    }

    /// All nodes, in the order of roles and numbers.
    ///
    /// # Example
    /// ```rhai
    /// for n in c.nodes { print(n.name) }
    /// ```
    #[rhai_fn(global, get = "nodes", pure)]
    pub fn nodes(cluster: &mut ClusterHandle) -> Array {
        cluster.0.nodes.iter().map(|node| Dynamic::from(NodeHandle(node.clone()))).collect()
    }

    /// Whether the `ensure` that gave this cluster made or changed anything.
    ///
    /// # Example
    /// ```rhai
    /// if c.changed { print("something was made") }
    /// ```
    #[rhai_fn(global, get = "changed", pure)]
    pub fn changed(cluster: &mut ClusterHandle) -> bool {
        cluster.0.changed
    }

    /// The nodes of a role.
    ///
    /// # Example
    /// ```rhai
    /// print(c.role("node").len());
    /// ```
    #[rhai_fn(global, pure)]
    pub fn role(cluster: &mut ClusterHandle, role: &str) -> Array {
        let of_role = cluster.0.nodes.iter().filter(|node| node.role.as_deref() == Some(role));
        of_role.map(|node| Dynamic::from(NodeHandle(node.clone()))).collect()
    }

    /// The cluster as text.
    ///
    /// # Example
    /// ```rhai
    /// print(`${c}`);
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(cluster: &mut ClusterHandle) -> String {
        format!("cluster {}", cluster.0.cluster.name)
    }
}
