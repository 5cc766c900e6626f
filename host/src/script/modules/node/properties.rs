//! What recipes read of a node. Does not ask the node: it is what the inventory knew when the handle was given.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use rhai::plugin::*;

/// What is known of a node.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod properties {
    use crate::script::modules::handles::NodeHandle;

    /// The node's name, which is its Linode's label.
    ///
    /// # Example
    /// ```rhai
    /// print(n.name);
    /// ```
    #[rhai_fn(global, get = "name", pure)]
    pub fn name(node: &mut NodeHandle) -> String {
        node.0.name.clone()
    }

    /// The provider's id.
    ///
    /// # Example
    /// ```rhai
    /// print(n.id);
    /// ```
    #[rhai_fn(global, get = "id", pure)]
    pub fn id(node: &mut NodeHandle) -> String {
        node.0.id.clone()
    }

    /// Its role in the cluster; empty without one.
    ///
    /// # Example
    /// ```rhai
    /// if n.role == "master" { print("the master") }
    /// ```
    #[rhai_fn(global, get = "role", pure)]
    pub fn role(node: &mut NodeHandle) -> String {
        node.0.role.clone().unwrap_or_default()
    }

    /// Id of its region.
    ///
    /// # Example
    /// ```rhai
    /// print(n.region);
    /// ```
    #[rhai_fn(global, get = "region", pure)]
    pub fn region(node: &mut NodeHandle) -> String {
        node.0.region.clone()
    }

    /// Its public IPv4 address; empty without one.
    ///
    /// # Example
    /// ```rhai
    /// print(n.public_ip);
    /// ```
    #[rhai_fn(global, get = "public_ip", pure)]
    pub fn public_ip(node: &mut NodeHandle) -> String {
        node.0.public_ip.clone().unwrap_or_default()
    }

    /// Its address in the region's private network; empty without one.
    ///
    /// # Example
    /// ```rhai
    /// print(n.private_ip);
    /// ```
    #[rhai_fn(global, get = "private_ip", pure)]
    pub fn private_ip(node: &mut NodeHandle) -> String {
        node.0.private_ip.clone().unwrap_or_default()
    }

    /// Memory of its type, in MB.
    ///
    /// # Example
    /// ```rhai
    /// let heap = n.memory_mb / 4;
    /// ```
    #[rhai_fn(global, get = "memory_mb", pure)]
    pub fn memory_mb(node: &mut NodeHandle) -> i64 {
        i64::try_from(node.0.memory_mb).unwrap_or(i64::MAX)
    }

    /// Processors of its type.
    ///
    /// # Example
    /// ```rhai
    /// let threads = n.vcpus * 2;
    /// ```
    #[rhai_fn(global, get = "vcpus", pure)]
    pub fn vcpus(node: &mut NodeHandle) -> i64 {
        node.0.vcpus.into()
    }

    /// The node as text.
    ///
    /// # Example
    /// ```rhai
    /// print(`${n}`);
    /// ```
    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn to_string(node: &mut NodeHandle) -> String {
        format!("node {}", node.0.name)
    }

    /// Whether both are the same node.
    ///
    /// # Example
    /// ```rhai
    /// if n == c.nodes[0] { print("the first") }
    /// ```
    #[rhai_fn(global, name = "==", pure)]
    pub fn same(one: &mut NodeHandle, other: NodeHandle) -> bool {
        one.0.id == other.0.id && one.0.provider == other.0.provider
    }
}
