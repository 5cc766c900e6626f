//! Methods of nodes that bring the system into a state: `packages`, `user`, `service`, `sysctl`, `hosts`.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use super::{Answer, Asked, Doc, method, plain, state};
use crate::nodes::states::{Package, Service, Sysctl, User};
use crate::script::options;
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

/// Methods whose arguments have a shape of their own.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
mod methods {
    use super::plain;
    use crate::nodes::states::Hosts;
    use crate::script::modules::call::{at, nodes_of, toolkit};
    use crate::script::modules::handles::NodeHandle;
    use crate::script::thrown::{Result, raise};
    use rhai::Array;
    use std::collections::BTreeMap;

    /// Writes the names of nodes into /etc/hosts, each with its private address, or else its public one.
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
        let mut entries: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for other in nodes_of(&call, &nodes)? {
            if let Some(address) = other.private_ip.as_ref().or(other.public_ip.as_ref()) {
                entries.entry(address.clone()).or_default().push(other.name.clone());
            }
        }
        let hosts = Hosts { entries, ..Hosts::default() };
        let applied = at(&call, |at| toolkit(&call)?.apply(at, &node.0, &hosts).map_err(|e| raise(e, &call)))?;
        Ok(plain(&applied))
    }
}
