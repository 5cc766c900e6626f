//! Methods of nodes that run something there or ask the node: `run`, `check`, `wait_port`, `http_get`.

#![allow(clippy::unwrap_used, reason = "the macro unwraps what it has checked")]

use super::{Answer, Asked, Doc, method, plain};
use crate::nodes::states::WaitPort;
use crate::script::options;
use crate::toolkit::commands::RunOptions;
use rhai::plugin::*;

pub(super) fn module() -> Module {
    let mut module = exported_module!(methods);
    method(&mut module, &RUN, run);
    method(&mut module, &WAIT_PORT, wait_port);
    module
}

fn run(mut asked: Asked<'_>) -> Answer {
    let command = asked.options.remove("command").and_then(|command| command.into_string().ok()).unwrap_or_default();
    let options: RunOptions = options::read(asked.call, asked.options)?;
    Ok(plain(&asked.toolkit.run_on(asked.at, asked.node, &command, &options)?))
}

fn wait_port(asked: Asked<'_>) -> Answer {
    let wait: WaitPort = options::read(asked.call, asked.options)?;
    asked.toolkit.wait_port(asked.at, asked.node, &wait)?;
    Ok(Dynamic::UNIT)
}

const RUN: Doc = Doc {
    name: "run",
    subject: "command",
    text: r#"
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
        print(n.run("uname -s").stdout);
        n.run("echo made > /root/made", #{ creates: "/root/made" });
        ```

        # Errors
        `command` with exit code and last lines; `interrupted` if a reboot or a kill cut it.
    "#,
};

const WAIT_PORT: Doc = Doc {
    name: "wait_port",
    subject: "host",
    text: r#"
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
        `command` when the time is over.
    "#,
};

/// Methods whose arguments have a shape of their own.
#[expect(unreachable_pub, reason = "the macro takes public functions")]
#[export_module]
mod methods {
    use crate::script::modules::call::{at, toolkit};
    use crate::script::modules::handles::NodeHandle;
    use crate::script::options;
    use crate::script::thrown::{Result, misuse, raise};
    use crate::script::value::to_dynamic;
    use crate::toolkit::http::PageOptions;
    use rhai::Map;

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
