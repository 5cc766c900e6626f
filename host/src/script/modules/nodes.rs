//! `nodes::`: machines one by one.

use crate::script::modules::call::{at, toolkit};
use crate::script::modules::handles::NodeHandle;
use crate::script::thrown::{Result, raise};
use crate::toolkit::nodes::Power;
use rhai::plugin::*;

fn power(call: &NativeCallContext, name: &str, power: Power) -> Result<NodeHandle> {
    let node = at(call, |at| toolkit(call)?.power_node(at, name, power).map_err(|e| raise(e, call)))?;
    Ok(NodeHandle::new(node))
}

/// Machines one by one. What runs on them is in the methods of a node.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod nodes {
    use super::power;
    use crate::script::modules::call::{at, toolkit};
    use crate::script::modules::handles::{NodeHandle, array};
    use crate::script::options;
    use crate::script::thrown::{Result, misuse, raise};
    use crate::toolkit::nodes::{NodeSpec, Power};
    use linodetool_plugin::InstanceStatus;
    use rhai::{Array, Map};
    use std::time::Duration;

    /// Makes one node and gives it when SSH answers.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `name` | string: its label | |
    /// | `region`, `type`, `image` | string, may be loose (`newark`, `1gb`) | |
    /// | `private_ip` | bool: an address in the region's private network | `false` |
    /// | `tags` | array of strings | `[]` |
    /// | `ssh_key` | string: a secret that holds the private key to log in with | one is made |
    ///
    /// # Example
    /// ```rhai
    /// let n = nodes::create(#{ name: "docs-single", region: "newark", type: "1gb", image: "debian 12" });
    /// nodes::delete(n.name);
    /// ```
    ///
    /// # Errors
    /// `conflict` if the name is taken; `not_found` for unknown names, with near ones.
    #[rhai_fn(return_raw, volatile)]
    pub fn create(call: NativeCallContext, options: Map) -> Result<NodeHandle> {
        let spec: NodeSpec = options::read(&call, options)?;
        let node = at(&call, |at| toolkit(&call)?.create_node(at, &spec).map_err(|e| raise(e, &call)))?;
        Ok(NodeHandle::new(node))
    }

    /// A node of the inventory.
    ///
    /// # Example
    /// ```rhai
    /// let master = nodes::get(n.name);
    /// ```
    ///
    /// # Errors
    /// `not_found`, with near names.
    #[rhai_fn(return_raw, volatile)]
    pub fn get(call: NativeCallContext, name: &str) -> Result<NodeHandle> {
        Ok(NodeHandle::new(at(&call, |at| toolkit(&call)?.node(at, name).map_err(|e| raise(e, &call)))?))
    }

    /// All nodes.
    ///
    /// # Example
    /// ```rhai
    /// for n in nodes::list() { print(n.name) }
    /// ```
    ///
    /// # Errors
    /// Only if the inventory cannot be read.
    #[rhai_fn(name = "list", return_raw, volatile)]
    pub fn list(call: NativeCallContext) -> Result<Array> {
        Ok(array(at(&call, |at| toolkit(&call)?.list_nodes(at).map_err(|e| raise(e, &call)))?))
    }

    /// Nodes that a selector means: `web-1`, `cluster:hadoop`, `role:worker`, `hadoop-*`; several with commas.
    ///
    /// # Example
    /// ```rhai
    /// for n in nodes::list("cluster:docs") { print(n.name) }
    /// ```
    ///
    /// # Errors
    /// `not_found` if it means none, with near names.
    #[rhai_fn(name = "list", return_raw, volatile)]
    pub fn select(call: NativeCallContext, selector: &str) -> Result<Array> {
        Ok(array(at(&call, |at| toolkit(&call)?.select_nodes(at, selector).map_err(|e| raise(e, &call)))?))
    }

    /// Destroys a node and its disks.
    ///
    /// # Example
    /// ```rhai
    /// nodes::create(#{ name: "docs-short", region: "us-east", type: "1gb", image: "debian 12" });
    /// nodes::delete("docs-short");
    /// ```
    ///
    /// # Errors
    /// `not_found`, and what the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn delete(call: NativeCallContext, name: &str) -> Result<()> {
        at(&call, |at| toolkit(&call)?.delete_node(at, name).map_err(|e| raise(e, &call)))
    }

    /// Starts a node and waits until it runs.
    ///
    /// # Example
    /// ```rhai
    /// nodes::boot(n.name);
    /// ```
    ///
    /// # Errors
    /// `not_found`, `timeout`, and what the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn boot(call: NativeCallContext, name: &str) -> Result<NodeHandle> {
        power(&call, name, Power::Boot)
    }

    /// Stops a node and waits until it is off.
    ///
    /// # Example
    /// ```rhai
    /// nodes::shutdown(n.name);
    /// nodes::boot(n.name);
    /// ```
    ///
    /// # Errors
    /// `not_found`, `timeout`, and what the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn shutdown(call: NativeCallContext, name: &str) -> Result<NodeHandle> {
        power(&call, name, Power::Shutdown)
    }

    /// Restarts a node and waits until it runs.
    ///
    /// # Example
    /// ```rhai
    /// nodes::reboot(n.name);
    /// ```
    ///
    /// # Errors
    /// `not_found`, `timeout`, and what the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn reboot(call: NativeCallContext, name: &str) -> Result<NodeHandle> {
        power(&call, name, Power::Reboot)
    }

    /// Waits until a node is `running` or `offline`, for ten minutes.
    ///
    /// # Example
    /// ```rhai
    /// nodes::wait(n.name, "running");
    /// ```
    ///
    /// # Errors
    /// `not_found`, `timeout`, and what the provider says.
    #[rhai_fn(return_raw, volatile)]
    pub fn wait(call: NativeCallContext, name: &str, status: &str) -> Result<NodeHandle> {
        let status = match status {
            "running" => InstanceStatus::Running,
            "offline" => InstanceStatus::Offline,
            other => return Err(misuse(format!("cannot wait for `{other}`: it is `running` or `offline`"), &call)),
        };
        let limit = Duration::from_secs(600);
        let node = at(&call, |at| toolkit(&call)?.wait_node(at, name, status, limit).map_err(|e| raise(e, &call)))?;
        Ok(NodeHandle::new(node))
    }
}
