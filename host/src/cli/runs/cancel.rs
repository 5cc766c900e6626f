//! `linodetool runs cancel`: a run that was cut off is not to go on, nor is what it left running on nodes.

use super::super::error::{CliError, OK};
use super::super::exec::may_go_on;
use super::super::session::Session;
use crate::runs::Status;
use crate::toolkit::tasks::{CommandState, Stopped};
use clap::Args;
use serde_json::json;

/// Stop what a run that was cut off still does on its nodes
///
/// A run that is interrupted leaves the commands it began on nodes running, so that `runs resume` finds
/// their end. This stops them instead. Nodes stay; `runs resume` can still be used, and sees those commands
/// as failed. The command of an `exec` cannot be stopped: it is told on which nodes it may go on.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool runs cancel last
  linodetool runs cancel 3fa9c01b2d")]
pub(crate) struct CancelArgs {
    /// The run's id, its first letters, or `last`
    pub(crate) run: String,
}

impl CancelArgs {
    pub(crate) fn run(&self, session: &Session<'_>) -> Result<u8, CliError> {
        let runs = session.toolkit.runs();
        let id = runs.find(&self.run)?;
        let unstopped = may_go_on(&runs.show(&id)?);
        // Owned by this process from here on: no other one waits for those commands, or takes it up.
        let run = runs.reopen(&id)?;
        let stopped = session.in_run(&format!("runs cancel {id}"), |at| session.toolkit.stop_commands(at, &id))?;
        run.finish(Status::Cancelled)?;
        let mut document = json!({ "run": id, "status": Status::Cancelled, "commands": stopped });
        if !unstopped.is_empty() {
            document["may_go_on"] = json!(unstopped);
        }
        let program = session.toolkit.program();
        session.out.result(&document, || text(id.as_str(), &stopped, &unstopped, program))?;
        Ok(OK)
    }
}

fn text(run: &str, stopped: &[Stopped], unstopped: &[String], program: &str) -> String {
    let mut lines = vec![format!("run {run} is cancelled")];
    lines.extend(stopped.iter().map(|one| {
        let state = match one.state {
            CommandState::Ended => "does not run any more",
            CommandState::NotRunning => "did not run any more",
            CommandState::NodeGone => "is on a node that is gone",
        };
        let command = one.command.trim().lines().next().unwrap_or_default();
        format!("  {}: `{command}` {state}", one.node)
    }));
    if !unstopped.is_empty() {
        let (on, nodes) = (unstopped.join(", "), unstopped.join(","));
        lines.push(format!(
            "The command may still run on {on}: nothing stops that of an exec from here. Look, and end it there by its \
             number: {program} exec {nodes} -- ps -ef"
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_command_is_told() {
        let one = |node: &str, command: &str, state| Stopped { node: node.into(), command: command.into(), state };
        expect_test::expect![[r#"
            run 3fa9c01b2d is cancelled
              web-1: `sleep 100` does not run any more
              web-2: `make` did not run any more"#]]
        .assert_eq(&text(
            "3fa9c01b2d",
            &[one("web-1", "sleep 100\nmore", CommandState::Ended), one("web-2", "make", CommandState::NotRunning)],
            &[],
            "linodetool",
        ));
        let exec = ["web-1".to_owned(), "web-2".to_owned()];
        expect_test::expect![[r#"
            run 3fa9c01b2d is cancelled
            The command may still run on web-1, web-2: nothing stops that of an exec from here. Look, and end it there by its number: linodetool --sandbox exec web-1,web-2 -- ps -ef"#]].assert_eq(&text("3fa9c01b2d", &[], &exec, "linodetool --sandbox"));
    }
}
