//! What a command that changes something asks for, as data: kept with its run, so that the run can go on or be tried again.
//!
//! Owns how it is done as a run and what is shown then. What may be typed loosely (a selection, a name left away) is
//! settled by the command before, since a run that goes on must take the path it took.

use super::cp::Copy;
use super::error::{CliError, OK};
use super::exec::Exec;
use super::node;
use super::session::Session;
use crate::core::{Failure, FailureKind, RunId};
use crate::runs::{Place, REQUEST, Run};
use crate::toolkit::At;
use crate::toolkit::nodes::{NodeSpec, Power};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// One request; its JSON is in the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub(crate) enum Request {
    CreateNode { spec: NodeSpec },
    PowerNodes { nodes: Vec<String>, power: Power },
    DeleteNodes { nodes: Vec<String> },
    DestroyCluster { cluster: String, nodes: Vec<String> },
    Exec(Exec),
    Copy(Copy),
}

impl Request {
    /// As a new run.
    pub(crate) fn run(&self, session: &mut Session<'_>, title: &str) -> Result<u8, CliError> {
        let run = session.begin(title, None, json!({ REQUEST: self }))?;
        self.go_on(session, &run)
    }

    /// As a new run that does again what another one left undone.
    pub(crate) fn retry(&self, session: &mut Session<'_>, of: &RunId, title: &str) -> Result<u8, CliError> {
        let run = session.begin_retry(of, title, None, json!({ REQUEST: self }))?;
        self.go_on(session, &run)
    }

    /// The request among a run's parameters.
    pub(crate) fn of(params: &Value) -> Option<Self> {
        serde_json::from_value(params.get(REQUEST)?.clone()).ok()
    }

    /// As a run that has begun or was taken up; ends it and shows what came of it.
    pub(crate) fn go_on(&self, session: &mut Session<'_>, run: &Arc<Run>) -> Result<u8, CliError> {
        match self {
            // Each node's answer counts, also when another's is a failure.
            Self::Exec(exec) => return exec.go_on(session, run),
            // A copy asks nothing of the provider, and needs no token.
            Self::Copy(_) => {}
            _ => session.toolkit.note_account(run),
        }
        let lane = run.root();
        let outcome = self.perform(session, At { lane: &lane, place: &Place::default() });
        session.finish(run, outcome.as_ref().err())?;
        session.end_progress();
        let (document, text) = outcome.map_err(|failure| with_way_on(failure, run))?;
        session.out.result(&document, || text)?;
        if let Self::CreateNode { spec } = self {
            let program = session.toolkit.program();
            session.out.note(&format!("Log in: {program} node ssh {}", spec.name));
        }
        Ok(OK)
    }

    /// What came of it, as a document and as text.
    fn perform(&self, session: &Session<'_>, at: At<'_>) -> Result<(Value, String), Failure> {
        let toolkit = &session.toolkit;
        let named = |nodes: &[String]| nodes.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
        Ok(match self {
            Self::CreateNode { spec } => {
                let made = toolkit.create_node(at, spec)?;
                (json!(made), node::show(&made))
            }
            Self::PowerNodes { nodes, power } => {
                let one = |at: At<'_>, name: &String| toolkit.power_node(at, name, *power);
                let changed = at.lanes("nodes.power", &named(nodes), one)?;
                (json!(changed), node::table(&changed).show(session.out, ""))
            }
            Self::DeleteNodes { nodes } => {
                toolkit.delete_nodes(at, nodes)?;
                (json!({ "deleted": nodes }), format!("Deleted: {}", nodes.join(", ")))
            }
            Self::DestroyCluster { cluster, nodes } => {
                toolkit.destroy_cluster(at, cluster)?;
                let text = format!("Cluster {cluster} is destroyed: {}", nodes.join(", "));
                (json!({ "destroyed": cluster, "nodes": nodes }), text)
            }
            Self::Copy(copy) => copy.perform(session, at)?,
            Self::Exec(_) => return Err(Failure::internal("an exec shows its answers itself")),
        })
    }
}

/// Names the command that goes on, where that helps: what was refused would be refused again.
fn with_way_on(failure: Failure, run: &Run) -> Failure {
    let resume = format!("linodetool runs resume {}", run.id());
    match failure.kind {
        FailureKind::Cancelled => failure.hint(format!("go on: {resume}")),
        FailureKind::Unavailable
        | FailureKind::Timeout
        | FailureKind::Limit
        | FailureKind::Ssh
        | FailureKind::Interrupted
        | FailureKind::Auth => {
            let before = failure.hint.as_ref().map_or_else(String::new, |hint| format!("{hint}; "));
            failure.hint(format!("{before}once the cause is mended, go on: {resume}"))
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_understood_again() {
        let exec = Exec { nodes: vec!["web-1".into()], command: "uptime".into(), timeout_s: 300 };
        for request in [Request::Exec(exec), Request::DeleteNodes { nodes: vec!["web-1".into()] }] {
            let kept = json!({ REQUEST: &request }).to_string();
            assert_eq!(Request::of(&serde_json::from_str(&kept).unwrap()), Some(request));
        }
    }
}
