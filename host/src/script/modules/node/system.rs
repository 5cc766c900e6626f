//! Methods of nodes that bring the system into a state: `packages`, `user`, `service`, `sysctl`, `hosts`.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use super::{Answer, Asked, Doc, method, plain, state};
use crate::core::Failure;
use crate::nodes::states::{Hosts, Names, Package, Service, Sysctl, User};
use crate::runs::StepError;
use crate::script::modules::call::{at, toolkit};
use crate::script::modules::handles::NodeHandle;
use crate::script::options;
use crate::script::thrown::{Result, raise};
use rhai::Map;
use rhai::plugin::*;

pub(super) fn module() -> Module {
    let mut module = exported_module!(methods);
    method(&mut module, &PACKAGE, package);
    method(&mut module, &USER, state::<User>);
    method(&mut module, &SERVICE, state::<Service>);
    method(&mut module, &SYSCTL, state::<Sysctl>);
    module
}

fn package(asked: Asked<'_>) -> Answer {
    let mut package: Package = options::read(asked.call, options_with_names(asked.options))?;
    package.sandbox = asked.toolkit.settings().sandbox;
    Ok(plain(&asked.toolkit.apply(asked.at, asked.node, &package)?))
}

/// `package("tree")` is `package(#{ names: ["tree"] })`.
fn options_with_names(mut options: Map) -> Map {
    if let Some(name) = options.remove("name") {
        options.entry("names".into()).or_insert_with(|| vec![name].into());
    }
    options
}

const PACKAGE: Doc = Doc {
    name: "packages", // `package` is a reserved word of Rhai
    subject: "name",
    text: r#"
        Installs packages unless the commands they provide are there.

        | option | type | default |
        |---|---|---|
        | `names` | array of strings | |
        | `provides` | array: commands that are there once it is installed | the package manager is asked |
        | `apt`, `dnf`, `apk`, `pacman`, `zypper` | array: their names for that package manager | `names` |

        # Example
        ```rhai
        n.packages("coreutils", #{ provides: ["ls"] });
        ```

        # Errors
        `command` with the package manager's last lines. In the sandbox nothing can be installed: it says what to install on this computer.
    "#,
};

const USER: Doc = Doc {
    name: "user",
    subject: "name",
    text: r#"
        Makes a user. Groups are added, never taken away.

        | option | type | default |
        |---|---|---|
        | `system` | bool: for a service | `false` |
        | `home`, `shell` | string | the system's |
        | `uid` | int | the next free one |
        | `groups` | array of strings, made if they do not exist | `[]` |

        # Example
        ```rhai
        n.user("deploy", #{ system: true });
        ```

        # Errors
        `command` with what the system says.
    "#,
};

const SERVICE: Doc = Doc {
    name: "service",
    subject: "name",
    text: r#"
        Makes a systemd service be as wanted. One that runs is restarted if its unit file changed.

        | option | type | default |
        |---|---|---|
        | `unit` | string: content of its unit file | not ours |
        | `enabled` | bool: starts at boot | as it is |
        | `started` | bool: runs now | as it is |
        | `restart` | bool: its configuration changed | `false` |

        # Example
        ```rhai
        n.service("docs-sleep", #{ unit: "[Service]\nExecStart=/bin/sleep 1000\n", started: true });
        n.service("docs-sleep", #{ started: false });
        ```

        # Errors
        `command` with the last lines of its log.
    "#,
};

const SYSCTL: Doc = Doc {
    name: "sysctl",
    subject: "file",
    text: r#"
        Sets kernel parameters, now and at boot. Where a parameter is read-only, as in the sandbox, a note says so.

        | option | type | default |
        |---|---|---|
        | `settings` | map of parameter to string | |
        | `file` | string: name of the file in /etc/sysctl.d, all of whose content they are | `90-linodetool.conf` |

        # Example
        ```rhai
        n.sysctl(#{ settings: #{ "vm.swappiness": "1" } });
        n.sysctl("91-docs.conf", #{ settings: #{ "net.core.somaxconn": "1024" } });
        ```

        # Errors
        `command` for a parameter that the kernel does not know, or with what the system says.
    "#,
};

fn write_hosts(
    call: &NativeCallContext,
    node: &NodeHandle,
    names: &std::result::Result<Names, Failure>,
) -> Result<Dynamic> {
    let names = names.as_ref().map_err(|failure| raise(StepError::Failed(failure.clone()), call))?;
    let hosts = Hosts::of(names.clone());
    at(call, |at| toolkit(call)?.apply(at, &node.0, &hosts).map_err(|e| raise(e, call))).map(|applied| plain(&applied))
}

/// Methods whose arguments have a shape of their own.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
mod methods {
    use super::write_hosts;
    use crate::script::modules::call::nodes_of;
    use crate::script::modules::handles::{ClusterHandle, NodeHandle, names};
    use crate::script::thrown::Result;
    use rhai::Array;

    /// Writes the names of a cluster's nodes into /etc/hosts, each with its private address, or else its public one.
    ///
    /// # Example
    /// ```rhai
    /// n.hosts(c);
    /// ```
    ///
    /// # Errors
    /// `command` if the file cannot be written.
    #[rhai_fn(global, name = "hosts", return_raw, volatile, pure)]
    pub fn hosts_of_cluster(call: NativeCallContext, node: &mut NodeHandle, cluster: ClusterHandle) -> Result<Dynamic> {
        write_hosts(&call, node, cluster.0.names())
    }

    /// Writes the names of any nodes into /etc/hosts. For all nodes of a large cluster give the cluster itself: its list
    /// is then made once, and not once for each node.
    ///
    /// # Example
    /// ```rhai
    /// n.hosts(c.nodes);
    /// ```
    ///
    /// # Errors
    /// `command` if the file cannot be written.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn hosts(call: NativeCallContext, node: &mut NodeHandle, nodes: Array) -> Result<Dynamic> {
        write_hosts(&call, node, &names(&nodes_of(&call, &nodes)?))
    }
}
