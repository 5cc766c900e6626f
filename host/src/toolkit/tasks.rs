//! Ending what a run that nobody executes any more still does on nodes.

use serde::{Deserialize, Serialize};

use crate::core::{Failure, RunId};
use crate::inventory::Node;
use crate::nodes::{Inspected, Place};
use crate::runs::{Done, Kind, StepCx, StepError, StepRecord};
use crate::toolkit::states::title_of;
use crate::toolkit::{At, Repeatable, Toolkit, commands};

/// What a step may leave at work on its node when nobody waits for it: a command as it was given, or an operation as it is
/// shown, `package nginx`. None for any other step.
pub fn work_on_node(step: &StepRecord) -> Option<String> {
    if step.op == commands::RUN {
        return Some(step.args["command"].as_str().unwrap_or_default().to_owned());
    }
    title_of(&step.op, &step.args)
}

/// A command or operation of a run whose outcome was not known, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stopped {
    pub node: String,
    /// The command, or the operation in words.
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
    /// Stops the commands and operations that a run left on nodes: those whose outcome is not known. Whoever calls owns that run, so that
    /// no other process is waiting for them.
    ///
    /// # Errors
    /// `Ssh` for the first node that cannot be reached, after all others were asked.
    pub fn stop_commands(&self, at: At<'_>, id: &RunId) -> Result<Vec<Stopped>, StepError> {
        let detail = self.runs().show(id).map_err(StepError::Failed)?;
        let mut nodes = self.inventory().nodes(self.context()).map_err(|error| StepError::Failed(error.into()))?;
        // Where another machine has its name by now, the run has done nothing.
        let lost = self.lost_to(&detail).map_err(StepError::Failed)?;
        nodes.retain(|node| lost.iter().all(|lost| lost.name != node.name));
        let left = detail.in_doubt().filter_map(|step| Some((step.path.clone(), (step, work_on_node(step)?))));
        let left: Vec<_> = left.collect();
        at.lanes("tasks.stop", &left, |at, (step, command)| {
            let (node, command) = (step.args["node"].as_str().unwrap_or_default().to_owned(), command.clone());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::{StepKind, StepState};
    use serde_json::{Value, json};

    fn step(op: &str, args: Value) -> StepRecord {
        StepRecord {
            path: "0".into(),
            lane: String::new(),
            seq: 0,
            kind: StepKind::Write,
            op: op.into(),
            digest: String::new(),
            args,
            place: String::new(),
            state: StepState::Intent,
            attempt: 1,
            started_ms: 0,
            ended_ms: None,
            outcome: None,
            failure: None,
            order: 0,
        }
    }

    #[test]
    fn all_that_goes_on_without_us_is_named() {
        let file = json!({ "path": "/etc/motd", "content": "hello" });
        let work = [
            step("node.run", json!({ "node": "web-1", "command": "sleep 9" })),
            step("node.file", json!({ "node": "web-1", "state": file })),
            step("node.secret_file", json!({ "node": "web-1", "file": file })),
            step("node.service", json!({ "node": "web-1", "state": { "of_another_version": 1 } })),
            step("nodes.ensure", json!({ "wanted": { "name": "web-1" } })),
        ];
        assert_eq!(
            work.each_ref().map(work_on_node).map(|work| work.unwrap_or_else(|| "-".into())),
            ["sleep 9", "file /etc/motd", "file /etc/motd", "node.service", "-",]
        );
    }
}
