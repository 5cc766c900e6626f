//! Properties and methods of nodes. Every method that changes a node works on an array of nodes too, each in a lane.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::nodes::render;
use crate::nodes::states::{
    Archive, Directory, Download, File, Hosts, Line, Package, Service, Sysctl, Upload, User, WaitPort,
};
use crate::runs::StepError;
use crate::script::modules::call::{at, nodes_of, toolkit};
use crate::script::modules::handles::NodeHandle;
use crate::script::options;
use crate::script::thrown::{Result, misuse, raise, throw};
use crate::script::value::to_dynamic;
use crate::toolkit::artifacts::Artifact;
use crate::toolkit::http::PageOptions;
use crate::toolkit::states::{Operation, RunOptions};
use crate::toolkit::texts::Text;
use crate::toolkit::{At, Toolkit};
use rhai::plugin::*;
use rhai::{Array, FuncRegistration, Map};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

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

/// Documentation of a method: its sentence, its options, an example.
struct Doc {
    name: &'static str,
    /// The first argument, that may also be an option: `path`.
    subject: &'static str,
    text: &'static str,
}

/// A method of nodes and of arrays of nodes, with one typed answer for each node.
type Work = fn(&NativeCallContext, &Toolkit, At<'_>, &Node, Map) -> std::result::Result<Dynamic, Failed>;

/// A failure of a step, or of the arguments.
enum Failed {
    Step(StepError),
    Script(Box<EvalAltResult>),
}

impl From<StepError> for Failed {
    fn from(error: StepError) -> Self {
        Self::Step(error)
    }
}

impl From<Box<EvalAltResult>> for Failed {
    fn from(error: Box<EvalAltResult>) -> Self {
        Self::Script(error)
    }
}

fn one(call: &NativeCallContext, node: &Node, options: Map, work: Work) -> Result<Dynamic> {
    let toolkit = toolkit(call)?;
    at(call, |at| {
        work(call, &toolkit, at, node, options).map_err(|failed| match failed {
            Failed::Step(error) => raise(error, call),
            Failed::Script(error) => error,
        })
    })
}

/// Each node in a lane of its own; an array of their answers.
fn each(call: &NativeCallContext, nodes: &Array, options: &Map, doc: &'static Doc, work: Work) -> Result<Dynamic> {
    let toolkit = toolkit(call)?;
    let items: Vec<_> = nodes_of(call, nodes)?.into_iter().map(|node| (node.name.clone(), node)).collect();
    let answers = at(call, |at| {
        let lanes = at.lanes(doc.name, &items, |at, node| {
            work(call, &toolkit, at, node, options.clone()).map_err(|failed| match failed {
                Failed::Step(error) => error,
                Failed::Script(error) => StepError::Failed(Failure::new(FailureKind::Script, error.to_string())),
            })
        });
        lanes.map_err(|error| raise(error, call))
    })?;
    Ok(answers.into())
}

/// Registers `name(options)`, `name(subject)` and `name(subject, options)` for nodes and arrays of nodes.
fn method(module: &mut Module, doc: &'static Doc, work: Work) {
    let registration = |params: &[&str]| {
        let comments: Vec<String> = doc.text.trim_end().lines().map(|line| format!("/// {}", line.trim())).collect();
        FuncRegistration::new(doc.name)
            .with_namespace(FnNamespace::Global)
            .with_purity(true)
            .with_volatility(true)
            .with_params_info(params)
            .with_comments(comments)
    };
    let with = |mut options: Map, subject: &str| {
        options.insert(doc.subject.into(), subject.into());
        options
    };
    let subject = format!("{}: string", doc.subject);
    registration(&["node: Node", &subject, "map"]).set_into_module(
        module,
        move |call: NativeCallContext, node: &mut NodeHandle, subject: &str| {
            one(&call, &node.0, with(Map::new(), subject), work)
        },
    );
    registration(&["node: Node", &subject, "options: map", "map"]).set_into_module(
        module,
        move |call: NativeCallContext, node: &mut NodeHandle, subject: &str, options: Map| {
            one(&call, &node.0, with(options, subject), work)
        },
    );
    registration(&["node: Node", "options: map", "map"])
        .set_into_module(module, move |call: NativeCallContext, node: &mut NodeHandle, options: Map| {
            one(&call, &node.0, options, work)
        });
    registration(&["nodes: array", &subject, "array"]).set_into_module(
        module,
        move |call: NativeCallContext, nodes: &mut Array, subject: &str| {
            each(&call, nodes, &with(Map::new(), subject), doc, work)
        },
    );
    registration(&["nodes: array", &subject, "options: map", "array"]).set_into_module(
        module,
        move |call: NativeCallContext, nodes: &mut Array, subject: &str, options: Map| {
            each(&call, nodes, &with(options, subject), doc, work)
        },
    );
    registration(&["nodes: array", "options: map", "array"])
        .set_into_module(module, move |call: NativeCallContext, nodes: &mut Array, options: Map| {
            each(&call, nodes, &options, doc, work)
        });
}

/// A state operation whose options are its struct.
fn state<S: Operation + DeserializeOwned>(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let state: S = options::read(call, options)?;
    Ok(plain(&toolkit.apply(at, node, &state)?))
}

fn plain(value: &impl Serialize) -> Dynamic {
    serde_json::to_value(value).map_or(Dynamic::UNIT, |json| to_dynamic(&json))
}

fn package(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let mut package: Package = options::read(call, options_with_names(options))?;
    package.sandbox = toolkit.settings().sandbox;
    Ok(plain(&toolkit.apply(at, node, &package)?))
}

/// `package("tree")` is `package(#{ names: ["tree"] })`.
fn options_with_names(mut options: Map) -> Map {
    if let Some(name) = options.remove("name") {
        options.entry("names".into()).or_insert_with(|| vec![name].into());
    }
    options
}

/// Options of `template`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    path: String,
    template: String,
    #[serde(default)]
    vars: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    group: Option<String>,
}

fn template(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let Template { path, template, vars, mode, owner, group } = options::read(call, options)?;
    let text = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let vars = vars.into_iter().map(|(name, value)| (name, text(value))).collect();
    let content = render(&template, &vars).map_err(|error| throw(Failure::from(error), call))?;
    let file = File { path, content: Some(content), mode, owner, group, absent: false };
    Ok(plain(&toolkit.apply(at, node, &file)?))
}

/// `content_secret` in place of `content`: the name of a secret, which no journal may hold.
fn file(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    mut options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let Some(secret) = options.remove("content_secret") else {
        return state::<File>(call, toolkit, at, node, options);
    };
    let wrong = |text: &str| misuse(text.to_owned(), call);
    let secret = secret.into_string().map_err(|_| wrong("`content_secret` is the name of a secret, a string"))?;
    let file: File = options::read(call, options)?;
    if file.content.is_some() || file.absent {
        return Err(wrong("a file with `content_secret` has no `content` and is not `absent`").into());
    }
    Ok(plain(&toolkit.secret_file(at, node, &file, &secret)?))
}

fn run(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    mut options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let command = options.remove("command").and_then(|command| command.into_string().ok()).unwrap_or_default();
    let options: RunOptions = options::read(call, options)?;
    Ok(plain(&toolkit.run_on(at, node, &command, &options)?))
}

fn upload(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let upload: Upload = options::read(call, options)?;
    Ok(plain(&toolkit.upload(at, node, &upload)?))
}

fn wait_port(
    call: &NativeCallContext,
    toolkit: &Toolkit,
    at: At<'_>,
    node: &Node,
    options: Map,
) -> std::result::Result<Dynamic, Failed> {
    let wait: WaitPort = options::read(call, options)?;
    toolkit.wait_port(at, node, &wait)?;
    Ok(Dynamic::UNIT)
}

const PACKAGE: Doc = Doc {
    name: "packages", // `package` is a reserved word of Rhai
    subject: "name",
    text: "\
        Installs packages unless the commands they provide are there.

        | option | type | default |
        |---|---|---|
        | `names` | array of strings | |
        | `provides` | array: commands that are there once it is installed | the package manager is asked |
        | `apt`, `dnf`, `apk`, `pacman`, `zypper` | array: their names for that package manager | `names` |

        # Example
        ```rhai
        n.packages(\"coreutils\", #{ provides: [\"ls\"] });
        ```

        # Errors
        `command` with the package manager's last lines. In the sandbox nothing can be installed: it says what to install on this computer.",
};

const FILE: Doc = Doc {
    name: "file",
    subject: "path",
    text: "\
        Makes a file have a content, mode and owner; replaced in one go if it differs.

        | option | type | default |
        |---|---|---|
        | `content` | string | the file only has to exist |
        | `content_secret` | string: name of a secret that is its content; then `mode` is `0600` | |
        | `mode` | string of octal digits | as it is, `0644` for a new one |
        | `owner`, `group` | string | as it is |
        | `absent` | bool: it must not exist | `false` |

        # Example
        ```rhai
        n.file(\"/etc/motd\", #{ content: `I am ${n.name}\\n` });
        ```

        # Errors
        `usage` for a path that is not absolute; `command` if it cannot be written.",
};

const TEMPLATE: Doc = Doc {
    name: "template",
    subject: "path",
    text: "\
        Makes a file from a template, in which `{{name}}` stands for a value.

        | option | type | default |
        |---|---|---|
        | `template` | string | |
        | `vars` | map | `#{}` |
        | `mode`, `owner`, `group` | as of `file` | |

        # Example
        ```rhai
        n.template(\"/etc/motd\", #{ template: \"I am {{name}}\\n\", vars: #{ name: n.name } });
        ```

        # Errors
        A name that is not in `vars`, with its line.",
};

const DIRECTORY: Doc = Doc {
    name: "directory",
    subject: "path",
    text: "\
        Makes a directory, its parents too, with a mode and owner.

        | option | type | default |
        |---|---|---|
        | `mode` | string of octal digits | as it is |
        | `owner`, `group` | string | as it is |
        | `absent` | bool: it must not exist, nor anything in it | `false` |

        # Example
        ```rhai
        n.directory(\"/srv/data\", #{ mode: \"0750\" });
        ```

        # Errors
        `usage` for a path that is not absolute; `command` if it cannot be made.",
};

const USER: Doc = Doc {
    name: "user",
    subject: "name",
    text: "\
        Makes a user. Groups are added, never taken away.

        | option | type | default |
        |---|---|---|
        | `system` | bool: for a service | `false` |
        | `home`, `shell` | string | the system's |
        | `uid` | int | the next free one |
        | `groups` | array of strings, made if they do not exist | `[]` |

        # Example
        ```rhai
        n.user(\"deploy\", #{ system: true });
        ```

        # Errors
        `command` with what the system says.",
};

const SERVICE: Doc = Doc {
    name: "service",
    subject: "name",
    text: "\
        Makes a systemd service be as wanted. One that runs is restarted if its unit file changed.

        | option | type | default |
        |---|---|---|
        | `unit` | string: content of its unit file | not ours |
        | `enabled` | bool: starts at boot | as it is |
        | `started` | bool: runs now | as it is |
        | `restart` | bool: its configuration changed | `false` |

        # Example
        ```rhai
        n.service(\"docs-sleep\", #{ unit: \"[Service]\\nExecStart=/bin/sleep 1000\\n\", started: true });
        n.service(\"docs-sleep\", #{ started: false });
        ```

        # Errors
        `command` with the last lines of its log.",
};

const SYSCTL: Doc = Doc {
    name: "sysctl",
    subject: "file",
    text: "\
        Sets kernel parameters, now and at boot. Where a parameter is read-only, as in the sandbox, a note says so.

        | option | type | default |
        |---|---|---|
        | `settings` | map of parameter to string | |
        | `file` | string: name of the file in /etc/sysctl.d, all of whose content they are | `90-linodetool.conf` |

        # Example
        ```rhai
        n.sysctl(#{ settings: #{ \"vm.swappiness\": \"1\" } });
        n.sysctl(\"91-docs.conf\", #{ settings: #{ \"net.core.somaxconn\": \"1024\" } });
        ```

        # Errors
        `command` for a parameter that the kernel does not know, or with what the system says.",
};

const ARCHIVE: Doc = Doc {
    name: "archive",
    subject: "path",
    text: "\
        Unpacks an archive that is on the node, unless the same one is unpacked there.

        | option | type | default |
        |---|---|---|
        | `dest` | string: folder, made if it is not there | |
        | `strip` | int: leading folders to leave out | `0` |
        | `creates` | string: a path that is there once it is unpacked | |
        | `owner` | string | root |
        | `sha256` | string: what its digest must be | any |

        # Example
        ```rhai
        n.run(\"tar -cf /tmp/docs.tar /etc/hostname\");
        n.archive(\"/tmp/docs.tar\", #{ dest: \"/opt/docs\" });
        ```

        # Errors
        `command` with what the unpacking program says.",
};

const LINE: Doc = Doc {
    name: "line",
    subject: "path",
    text: "\
        Makes a line be in a file, or not be in it.

        | option | type | default |
        |---|---|---|
        | `line` | string | |
        | `pattern` | string: a regular expression; the last line that matches is replaced | the line itself |
        | `absent` | bool: no such line, nor one that matches | `false` |
        | `create` | bool: make the file if there is none | `false` |

        # Example
        ```rhai
        n.line(\"/etc/environment\", #{ line: \"EDITOR=vi\", pattern: \"^EDITOR=\" });
        ```

        # Errors
        `command` if the file cannot be written.",
};

const RUN: Doc = Doc {
    name: "run",
    subject: "command",
    text: "\
        Runs a command and gives `#{ stdout, stderr, exit_code, changed }`.

        It runs detached: a lost connection neither ends nor repeats it.

        | option | type | default |
        |---|---|---|
        | `creates` | string: not run if this path exists | |
        | `unless` | string: not run if this command succeeds | |
        | `user` | string: run as | root |
        | `cwd` | string: folder to run in | |
        | `env` | map of strings | `#{}` |
        | `secret_env` | map of variable to the name of a secret, whose value is written nowhere but to the node | `#{}` |
        | `stdin` | string | nothing |
        | `timeout` | seconds | none |
        | `name` | string: what progress calls it | its first line |
        | `may_fail` | bool: an exit code other than 0 is an answer | `false` |
        | `rehearse` | string, or `#{ output, seconds }`: what it writes in a rehearsal, and how long it takes | |

        # Example
        ```rhai
        print(n.run(\"uname -s\").stdout);
        n.run(\"echo made > /root/made\", #{ creates: \"/root/made\" });
        ```

        # Errors
        `command` with exit code and last lines; `interrupted` if a reboot or a kill cut it.",
};

const UPLOAD: Doc = Doc {
    name: "upload",
    subject: "source",
    text: "\
        Puts a file of this computer on the node, unless it is there.

        | option | type | default |
        |---|---|---|
        | `path` | string: where to, on the node | |
        | `mode`, `owner`, `group` | as of `file` | |

        # Example
        ```rhai
        let text = words::bundled();
        n.upload(text.path, #{ path: \"/root/text\" });
        ```

        # Errors
        `local` if it cannot be read here; `command` if it cannot be written there.",
};

const WAIT_PORT: Doc = Doc {
    name: "wait_port",
    subject: "host",
    text: "\
        Waits until a port takes connections, as the node sees it.

        | option | type | default |
        |---|---|---|
        | `port` | int | |
        | `host` | string | `127.0.0.1` |
        | `timeout` | seconds | `60` |

        # Example
        ```rhai
        n.wait_port(#{ port: 22 });
        ```

        # Errors
        `command` when the time is over.",
};

/// Methods whose arguments have a shape of their own.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
pub(crate) mod methods {
    use super::{Artifact, Download, Hosts, PageOptions, Text, Upload, plain};
    use crate::script::modules::call::{at, nodes_of, toolkit};
    use crate::script::modules::handles::NodeHandle;
    use crate::script::options;
    use crate::script::thrown::{Result, misuse, raise};
    use crate::script::value::to_dynamic;
    use rhai::{Array, Map};
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

    /// Unpacks an artifact on the node unless it is there. The first node gets it from its source, others from nodes.
    ///
    /// # Example
    /// ```rhai
    /// let a = artifacts::local(#{ name: "text", path: words::bundled().folder });
    /// n.artifact(a, "/opt/text");
    /// ```
    ///
    /// # Errors
    /// `command` if it cannot be unpacked, `local` if the source has changed.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn artifact(call: NativeCallContext, node: &mut NodeHandle, artifact: Artifact, dest: &str) -> Result<bool> {
        at(&call, |at| toolkit(&call)?.install_artifact(at, &node.0, &artifact, dest).map_err(|e| raise(e, &call)))
    }

    /// Puts a text on the node as one file.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `mode`, `owner`, `group` | as of `file` | |
    ///
    /// # Example
    /// ```rhai
    /// n.upload(words::bundled(), "/root/text", #{ mode: "0600" });
    /// ```
    ///
    /// # Errors
    /// `command` if it cannot be written.
    #[rhai_fn(global, name = "upload", return_raw, volatile, pure)]
    pub fn upload_text(
        call: NativeCallContext,
        node: &mut NodeHandle,
        text: Text,
        path: &str,
        mut options: Map,
    ) -> Result<Dynamic> {
        options.insert("source".into(), text.path.display().to_string().into());
        options.insert("path".into(), path.into());
        let upload: Upload = options::read(&call, options)?;
        let applied = at(&call, |at| toolkit(&call)?.upload(at, &node.0, &upload).map_err(|e| raise(e, &call)))?;
        Ok(plain(&applied))
    }

    /// Whether a command succeeds on the node. It is not for changing anything: `wait_until` asks again and again.
    ///
    /// # Example
    /// ```rhai
    /// if !n.check("test -e /root/made") { print("not made yet") }
    /// wait_until(|| n.check("true"));
    /// ```
    ///
    /// # Errors
    /// `ssh` if the node cannot be reached.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn check(call: NativeCallContext, node: &mut NodeHandle, command: &str) -> Result<bool> {
        at(&call, |at| toolkit(&call)?.check_on(at, &node.0, command).map_err(|e| raise(e, &call)))
    }

    /// Fetches a file of the node to this computer.
    ///
    /// # Example
    /// ```rhai
    /// n.download("/etc/hostname", `${words::bundled().folder}/docs-hostname`);
    /// ```
    ///
    /// # Errors
    /// `command` if it cannot be read there; `local` if it cannot be written here.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn download(call: NativeCallContext, node: &mut NodeHandle, path: &str, dest: &str) -> Result<Dynamic> {
        let download = Download { path: path.into(), dest: dest.into() };
        let applied = at(&call, |at| toolkit(&call)?.download(at, &node.0, &download).map_err(|e| raise(e, &call)))?;
        Ok(plain(&applied))
    }

    /// JSON of a web page as the node sees it, asked through SSH; `()` while nothing answers.
    ///
    /// | option | type | default |
    /// |---|---|---|
    /// | `host` | string | `localhost` |
    /// | `rehearse` | map: what it answers in a rehearsal | |
    ///
    /// # Example
    /// ```rhai
    /// let nobody = n.http_get(9, "/", #{});
    /// ```
    ///
    /// # Errors
    /// `unavailable` if it answers with an error, or with no JSON.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn http_get(
        call: NativeCallContext,
        node: &mut NodeHandle,
        port: i64,
        path: &str,
        options: Map,
    ) -> Result<Dynamic> {
        let options: PageOptions = options::read(&call, options)?;
        let port = u16::try_from(port).map_err(|_| misuse(format!("{port} is not a port"), &call))?;
        let page =
            at(&call, |at| toolkit(&call)?.http_get(at, &node.0, port, path, &options).map_err(|e| raise(e, &call)))?;
        Ok(page.map_or(Dynamic::UNIT, |json| to_dynamic(&json)))
    }
}

pub(crate) fn module() -> Module {
    let mut module = exported_module!(properties);
    module.combine(exported_module!(methods));
    method(&mut module, &PACKAGE, package);
    method(&mut module, &FILE, file);
    method(&mut module, &TEMPLATE, template);
    method(&mut module, &DIRECTORY, state::<Directory>);
    method(&mut module, &USER, state::<User>);
    method(&mut module, &SERVICE, state::<Service>);
    method(&mut module, &SYSCTL, state::<Sysctl>);
    method(&mut module, &ARCHIVE, state::<Archive>);
    method(&mut module, &LINE, state::<Line>);
    method(&mut module, &RUN, run);
    method(&mut module, &UPLOAD, upload);
    method(&mut module, &WAIT_PORT, wait_port);
    module
}
