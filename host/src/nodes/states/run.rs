//! A command as a state: run unless what it makes is there.

use super::plan::{Applied, absolute};
use crate::nodes::{NodeError, Nodes, OnLine, Outcome, Output, Place, Result, RunnerCommand, Target};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A command for `sh`, run durably.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Run {
    /// What `sh` is given.
    pub command: String,
    /// It is not run if this path exists.
    pub creates: Option<String>,
    /// It is not run if this command succeeds.
    pub unless: Option<String>,
    /// Folder it runs in.
    pub cwd: Option<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// What it reads.
    pub stdin: Option<String>,
    /// Seconds after which it is stopped.
    pub timeout: Option<u64>,
}

impl Run {
    /// The command for the runner.
    pub fn command(&self) -> Result<RunnerCommand> {
        if self.command.trim().is_empty() {
            return Err(NodeError::usage("command", "`command` is missing"));
        }
        for (field, path) in [("creates", &self.creates), ("cwd", &self.cwd)] {
            if let Some(path) = path {
                absolute(field, path)?;
            }
        }
        Ok(RunnerCommand {
            command: self.command.clone(),
            cwd: self.cwd.clone(),
            env: self.env.clone(),
            stdin: self.stdin.clone().map(String::into_bytes),
            creates: self.creates.clone(),
            unless: self.unless.clone(),
            timeout: self.timeout.map(Duration::from_secs),
            on_line: None,
            rehearse: None,
        })
    }

    /// Runs it; an exit code other than 0 is an error. Without output, there was nothing to do.
    pub async fn apply(
        &self,
        nodes: &Nodes,
        target: &Target,
        place: &Place,
        on_line: Option<OnLine>,
    ) -> Result<(Applied, Option<Output>)> {
        let command = RunnerCommand { on_line, ..self.command()? };
        let applied = |changed, detail: String| Applied { changed, detail, notes: Vec::new() };
        match nodes.run(target, place, &command).await? {
            Outcome::Skipped(why) => Ok((applied(false, format!("skipped: {why}")), None)),
            Outcome::Ended(output) if output.success() => Ok((applied(true, "run".into()), Some(output))),
            Outcome::Ended(output) => Err(NodeError::command(&target.name, &self.command, &output)),
        }
    }
}
