//! `linodetool runs cancel`: a run that was cut off is not to go on, nor is what it left running on nodes.

use super::super::error::{CliError, OK};
use super::super::session::Session;
use crate::runs::Status;
use crate::toolkit::tasks::{CommandState, Stopped};
use clap::Args;
use serde_json::json;

/// Stop what a run that was cut off still does on its nodes
///
/// A run that is interrupted leaves the commands it began on nodes running, so that `runs resume` finds
/// their end. This stops them instead. Nodes stay; `runs resume` can still be used, and sees those commands
/// as failed.
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
        // Owned by this process from here on: no other one waits for those commands, or takes it up.
        let run = runs.reopen(&id)?;
        let stopped = session.in_run(&format!("runs cancel {id}"), |at| session.toolkit.stop_commands(at, &id))?;
        run.finish(Status::Cancelled)?;
        let document = json!({ "run": id, "status": Status::Cancelled, "commands": stopped });
        session.out.result(&document, || text(id.as_str(), &stopped))?;
        Ok(OK)
    }
}

fn text(run: &str, stopped: &[Stopped]) -> String {
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
        ));
    }
}
