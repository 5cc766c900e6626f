//! Ending what a run that nobody executes any more still does on nodes.

use serde::{Deserialize, Serialize};

use crate::core::{Failure, RunId};
use crate::inventory::Node;
use crate::nodes::{Inspected, Place};
use crate::runs::{Done, Kind, StepCx, StepError, StepRecord};
use crate::toolkit::{At, Repeatable, Toolkit, commands};

/// A command of a run whose outcome was not known, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    pub node: String,
    pub command: String,
    pub state: CommandState,
}

/// How a command on a node was found, or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommandState {
    /// It does not run any more: it was stopped, or had ended.
    Ended,
    /// It never began, or a reboot cut it.
    NotRunning,
    /// The node is not in the inventory any more.
    NodeGone,
}

impl Toolkit {
    /// Stops the commands that a run left on nodes: those whose outcome is not known. Whoever calls owns that run, so that
    /// no other process is waiting for them.
    ///
    /// # Errors
    /// `Ssh` for the first node that cannot be reached, after all others were asked.
    pub fn stop_commands(&self, at: At<'_>, id: &RunId) -> Result<Vec<Stopped>, StepError> {
        let detail = self.runs().show(id).map_err(StepError::Failed)?;
        let nodes = self.inventory().nodes(self.context()).map_err(|error| StepError::Failed(error.into()))?;
        let text = |step: &StepRecord, key: &str| step.args[key].as_str().unwrap_or_default().to_owned();
        let left = detail.in_doubt().filter(|step| step.op == commands::RUN);
        let left: Vec<_> = left.map(|step| (step.path.clone(), step)).collect();
        at.lanes("tasks.stop", &left, |at, step| {
            let (node, command) = (text(step, "node"), text(step, "command"));
            let state = match nodes.iter().find(|known| known.name == node) {
                Some(at_node) => at.step(&Stop {
                    run: id.as_str(),
                    step: &step.path,
                    attempt: step.attempt,
                    at_node,
                    toolkit: self,
                })?,
                None => CommandState::NodeGone,
            };
            Ok(Stopped { node, command, state })
        })
    }
}

/// Ends one command. Stopping what was stopped does no harm.
#[derive(Serialize)]
struct Stop<'a> {
    run: &'a str,
    step: &'a str,
    attempt: u32,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Stop<'_> {
    const OP: &'static str = "node.stop";
    const KIND: Kind = Kind::Write;
    type Out = CommandState;

    async fn perform(&self, _: &StepCx) -> Result<Done<CommandState>, Failure> {
        let target = self.toolkit.target(self.at_node)?;
        let place = Place::new(self.run, self.step, self.attempt);
        let state = match self.toolkit.connections().stop(&target, &place).await? {
            Inspected::Running | Inspected::Exited(_) => CommandState::Ended,
            Inspected::Absent | Inspected::Interrupted => CommandState::NotRunning,
        };
        Ok(state.into())
    }
}
