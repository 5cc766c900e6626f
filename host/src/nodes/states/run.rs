//! A command as a state: run unless what it makes is there.

use super::plan::absolute;
use crate::nodes::{NodeError, Result, RunnerCommand};
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
}
