//! `linodetool sandbox status|stop|reset|dial`.

use super::faults;
use super::lifecycle::{machines, of_client, reset, stop};
use super::{DialArgs, SandboxArgs, SandboxCommand};
use crate::cli::environment::Environment;
use crate::cli::error::{CliError, OK};
use crate::cli::output::Output;
use crate::core::{Failure, FailureKind, Paths};
use linodetool_sandbox::client::{self, Running};
use linodetool_sandbox::dial;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// `status` of a sandbox that does not run; the same as for anything else that is not there.
const NOT_RUNNING: u8 = 3;

impl SandboxArgs {
    pub(crate) fn run(&self, env: &Environment, paths: &Paths, out: &Output) -> Result<u8, CliError> {
        let folder = paths.sandbox();
        match &self.command {
            SandboxCommand::Serve(args) => args.run(env, paths, out),
            SandboxCommand::Status => status(paths, out),
            SandboxCommand::Stop => {
                let stopped = stop(&folder).map_err(CliError::sandbox)?;
                let text = if stopped { "The sandbox is stopped, with all its machines." } else { "No sandbox runs." };
                out.result(&json!({ "stopped": stopped }), || text.to_owned())?;
                Ok(OK)
            }
            SandboxCommand::Reset => {
                reset(&folder).map_err(CliError::sandbox)?;
                out.result(&json!({ "reset": true }), || {
                    "The sandbox is stopped, and all that it kept is gone.".to_owned()
                })?;
                Ok(OK)
            }
            SandboxCommand::Faults(args) => args.run(paths, out),
            SandboxCommand::Dial(args) => args.run(paths),
        }
    }
}

fn status(paths: &Paths, out: &Output) -> Result<u8, CliError> {
    let folder = paths.sandbox();
    let Some(running) = client::status(&folder) else {
        let text = "No sandbox runs. `linodetool sandbox serve` starts one, as does every command with --sandbox.";
        out.result(&json!({ "running": false, "state": folder }), || text.to_owned())?;
        return Ok(NOT_RUNNING);
    };
    let details = client::details(&running).map_err(|e| CliError::sandbox(of_client(&e)))?;
    let document = json!({
        "running": true, "pid": running.pid, "v4": running.v4, "v3": running.v3(), "token_file": running.token_file,
        "started": running.started, "state": folder, "details": details,
    });
    out.result(&document, || text(&running, &details))?;
    Ok(OK)
}

fn text(running: &Running, details: &Value) -> String {
    let linodes = &details["linodes"];
    let mut lines = vec![
        format!("The sandbox runs since {}Z as process {}.", running.started, running.pid),
        format!("url        {} (API v3: {})", running.v4, running.v3()),
        format!("token      in {}", running.token_file.display()),
        format!("linodes    {}, {} of them running", linodes["total"], linodes["running"]),
    ];
    if let Some(how) = details["machines_run"].as_str() {
        lines.push(format!("machines   run {how}"));
    }
    if details["faults"]["in_force"].as_str().is_some_and(|spec| spec != "none") {
        lines.push(format!("faults     {}", faults::line(&details["faults"])));
    }
    if let Some(why) = details["firewalls_not_enforced_because"].as_str() {
        lines.push(format!("firewalls  not enforced: {why}"));
    }
    let troubles = details["troubles"].as_array().into_iter().flatten();
    lines.extend(troubles.map(|trouble| format!("trouble    {}", trouble.as_str().unwrap_or_default())));
    lines.join("\n")
}

impl DialArgs {
    fn run(&self, paths: &Paths) -> Result<u8, CliError> {
        let address = SocketAddr::new(self.host, self.port);
        dial::proxy(&machines(&paths.sandbox()), address, self.fdpass).map_err(|e| {
            CliError::sandbox(
                Failure::new(FailureKind::Ssh, format!("{address} in the sandbox cannot be reached: {e}")).hint(
                    "`linodetool sandbox status` shows whether it runs, `linodetool --sandbox node list` its nodes",
                ),
            )
        })?;
        Ok(OK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn the_status_says_what_matters() {
        let running = Running {
            pid: 7,
            v4: "http://127.0.0.1:1/v4".into(),
            token_file: "/s/token".into(),
            started: "2026-01-31T12:00:00".into(),
            virtual_time: false,
        };
        let details = json!({
            "linodes": { "total": 3, "running": 2, "offline": 1 },
            "machines_run": "in user namespaces, with ids that nobody has here",
            "firewalls_not_enforced_because": "there is no nft",
            "faults": { "in_force": "429:10%", "seed": 7, "injected": 3 },
            "troubles": ["machine 1001 died"],
        });
        expect![[r#"
            The sandbox runs since 2026-01-31T12:00:00Z as process 7.
            url        http://127.0.0.1:1/v4 (API v3: http://127.0.0.1:1)
            token      in /s/token
            linodes    3, 2 of them running
            machines   run in user namespaces, with ids that nobody has here
            faults     429:10% (seed 7; 3 so far)
            firewalls  not enforced: there is no nft
            trouble    machine 1001 died"#]]
        .assert_eq(&text(&running, &details));
    }
}
