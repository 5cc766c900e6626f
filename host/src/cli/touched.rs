//! What a run that did not end well leaves: nodes, commands that go on there, machines that are gone; and the ways on.
//!
//! Looks only. Does not know how a run is executed, nor how an error is shown.

use super::error::{CliError, LeftBehind, Way};
use super::interrupt::left_behind;
use super::session::Session;
use crate::core::{Failure, FailureKind, RunId};
use crate::inventory::Node;
use crate::nodes::was_cut;
use crate::runs::{FailedStep, Run, RunDetail, StepRecord};
use crate::script::ScriptError;
use crate::toolkit::nodes::Lost;
use crate::toolkit::plan::MAX_COST;
use crate::toolkit::tasks::work_on_node;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The nodes and clusters that a run dealt with and that are there.
#[derive(Default)]
pub(crate) struct Touched {
    pub(crate) nodes: Vec<Node>,
    clusters: BTreeSet<String>,
    /// Those among them that it made.
    made_clusters: BTreeSet<String>,
    /// The run, and the one that it does again: what these made is its own.
    made_by: Vec<String>,
    /// Its journal has steps.
    began: bool,
    /// Nodes on which a command goes on, as nobody has seen its end.
    at_work: BTreeSet<String>,
    pub(crate) failed: Vec<FailedStep>,
    /// Nodes that somebody has deleted elsewhere.
    gone: Vec<String>,
    /// Machines that it worked on, whose names are other machines' now.
    replaced: Vec<Lost>,
    /// Those among them that its recipe made one by one: a name that is taken is refused then.
    alone: Vec<String>,
    /// Machines that have left the inventory since the run worked on them.
    lost: Vec<Lost>,
    /// US dollars an hour that would have to be allowed for what was refused.
    pub(crate) allow: Option<f64>,
}

/// An error is not held up for longer by the question whether its node is still there.
const ASK: Duration = Duration::from_secs(10);

impl Touched {
    pub(crate) fn of(session: &Session<'_>, run: &Arc<Run>) -> Result<Self, Failure> {
        let detail = session.toolkit.runs().show(run.id())?;
        let (named, mut clusters) = named(&detail);
        let (inventory, context) = (session.toolkit.inventory(), session.toolkit.context());
        let made_by = [Some(run.id()), detail.summary.retry_of.as_ref()];
        let made_by: Vec<_> = made_by.into_iter().flatten().map(RunId::to_string).collect();
        let known = inventory.clusters(context)?;
        clusters.retain(|name| known.iter().any(|cluster| cluster.name == *name));
        let made = known.into_iter().filter(|cluster| made_by.contains(&cluster.created_by_run));
        let made_clusters = made.map(|cluster| cluster.name).filter(|name| clusters.contains(name)).collect();
        let of_cluster = |node: &Node| node.cluster.as_ref().is_some_and(|cluster| clusters.contains(cluster));
        let by_run = |node: &Node| [&node.created_by_run, &node.changed_by_run].contains(&&run.id().to_string());
        let mut nodes = inventory.nodes(context)?;
        nodes.retain(|node| of_cluster(node) || by_run(node) || named.contains(&node.name));
        let unseen = detail.in_doubt().filter(|step| work_on_node(step).is_some() && step.failure.is_none());
        let at_work = unseen.filter_map(|step| step.args["node"].as_str().map(str::to_owned)).collect();
        let alone = detail.steps.iter().filter(|s| s.op == "nodes.ensure" && s.args["wanted"]["cluster"].is_null());
        Ok(Self {
            nodes,
            clusters,
            made_clusters,
            made_by,
            began: !detail.steps.is_empty(),
            at_work,
            failed: detail.failed_steps(),
            alone: alone.filter_map(|step| step.args["wanted"]["name"].as_str().map(str::to_owned)).collect(),
            lost: session.toolkit.lost_to(&detail)?,
            ..Self::default()
        })
    }

    /// A node that does not answer may not be there any more; without an answer from the provider either, it counts as there.
    pub(crate) fn leave_out_gone(&mut self, session: &Session<'_>) {
        let asked = session.wait(async {
            let asked = tokio::time::timeout(ASK, session.toolkit.gone(&self.nodes)).await;
            asked.unwrap_or_else(|_| Ok::<_, Failure>(Vec::new()))
        });
        self.leave_out(asked.unwrap_or_default());
    }

    /// These are known to be gone, and what has left the inventory.
    fn leave_out(&mut self, mut gone: Vec<String>) {
        self.nodes.retain(|node| !gone.contains(&node.name));
        let (replaced, vanished) = std::mem::take(&mut self.lost).into_iter().partition(|lost| lost.now.is_some());
        self.replaced = replaced;
        gone.extend(Vec::into_iter(vanished).map(|lost: Lost| lost.name));
        gone.sort();
        gone.dedup();
        // What goes on there, if anything, is nobody's any more.
        self.at_work.retain(|node| !gone.contains(node) && self.replaced.iter().all(|lost| lost.name != *node));
        self.gone = gone;
    }

    fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// The one cluster, if it was about one.
    pub(crate) fn cluster(&self) -> Option<&str> {
        self.clusters.first().filter(|_| self.clusters.len() == 1).map(String::as_str)
    }

    /// The error of the run, with what exists and how to go on.
    pub(crate) fn error(&self, mut error: ScriptError, run: &RunId, program: &str, ephemeral: bool) -> CliError {
        if error.kind() == FailureKind::Cancelled {
            // Where the script was just then is nobody's fault.
            error.failure = left_behind(run.as_str(), &self.names());
            error.spot = None;
            error.chain.clear();
        }
        let ways = if ephemeral { Vec::new() } else { self.ways(&error.failure, run, program) };
        let left = LeftBehind {
            run: run.to_string(),
            nodes: self.names(),
            failed_steps: self.failed.clone(),
            gone: self.gone.clone(),
            replaced: self.replaced.clone(),
            at_work: self.at_work.iter().cloned().collect(),
            next: ways,
        };
        CliError::Script(Box::new(error), Some(left))
    }

    /// What there is to know and to do, the best way on last.
    fn ways(&self, failure: &Failure, run: &RunId, program: &str) -> Vec<Way> {
        let mut ways = Vec::new();
        let names = self.names().join(", ");
        if failure.kind != FailureKind::Cancelled {
            ways.push(Way::to("Look at its steps", format!("{program} runs show {run}")));
            if !self.nodes.is_empty() {
                ways.push(Way::know(format!("These nodes exist: {names}")));
            }
        }
        if !self.gone.is_empty() {
            let (names, is) = (self.gone.join(", "), if self.gone.len() == 1 { "is" } else { "are" });
            let text =
                format!("{names} {is} gone: deleted elsewhere, with all that was done there. The record is kept.");
            ways.push(Way::know(text));
        }
        for Lost { name, id, now } in &self.replaced {
            let now = now.as_deref().unwrap_or_default();
            ways.push(Way::know(format!(
                "{name} is another machine now: this run worked with Linode {id}, which is gone with all that was done there; \
                 Linode {now} has its name. Nothing was done to that one."
            )));
        }
        ways.extend(self.removals(program));
        if !self.at_work.is_empty() {
            let on = self.at_work.iter().cloned().collect::<Vec<_>>().join(", ");
            let what = format!("What it began on {on} goes on there. Stop that");
            ways.push(Way::to(what, format!("{program} runs cancel {run}")));
        }
        let resume = format!("{program} runs resume {run}");
        let again = format!("{program} runs retry {run} --again");
        let last = match failure.kind {
            _ if !self.began => None,
            // The same text would do the same again.
            FailureKind::Diverged | FailureKind::Script => None,
            FailureKind::Cancelled => Some(Way::to("Go on", resume)),
            // Going on would look for what is not there.
            _ if !self.replaced.is_empty() => {
                let taken = |lost: &&Lost| self.alone.contains(&lost.name);
                let taken: Vec<_> = self.replaced.iter().filter(taken).map(|lost| lost.name.as_str()).collect();
                if !taken.is_empty() {
                    let what = format!(
                        "Its recipe makes {} itself and refuses a name that is taken. Give up the present one",
                        taken.join(", ")
                    );
                    ways.push(Way::to(what, format!("{program} node delete {}", taken.join(","))));
                }
                Some(Way::to("Do all that is to be done on what is there now", again))
            }
            _ if !self.gone.is_empty() => {
                Some(Way::to("Make what is missing anew, and do all that is to be done", again))
            }
            // Going on would meet it again.
            _ if was_cut(failure) => Some(Way::to("Do it again, that command too", again)),
            // The limit is the run's, and going on would meet it again.
            _ if let (Some(MAX_COST), Some(allow)) = (failure.field.as_deref(), self.allow) => {
                Some(Way::to("If it may cost that much, go on", format!("{resume} --max-cost {allow}")))
            }
            _ => Some(Way::to("Once the cause is mended, go on", resume)),
        };
        ways.extend(last);
        ways
    }

    /// How to remove what the run made, and nothing that was there before it.
    fn removals(&self, program: &str) -> Vec<Way> {
        let cluster_of = |node: &Node| node.cluster.clone().filter(|cluster| self.made_clusters.contains(cluster));
        let clusters: BTreeSet<_> = self.nodes.iter().filter_map(cluster_of).collect();
        let is_made = |node: &&Node| cluster_of(node).is_none() && self.made_by.contains(&node.created_by_run);
        let alone: Vec<_> = self.nodes.iter().filter(is_made).map(|node| node.name.as_str()).collect();
        let is_all = self.nodes.iter().all(|node| cluster_of(node).is_some() || is_made(&node));
        let what = if is_all { "Remove them" } else { "Remove what it made" };
        let clusters = clusters.iter().map(|cluster| format!("{program} cluster destroy {cluster}"));
        let alone = (!alone.is_empty()).then(|| format!("{program} node delete {}", alone.join(",")));
        clusters.chain(alone).map(|command| Way::to(what, command)).collect()
    }
}

/// Names of nodes and of clusters in the arguments of a run's steps.
fn named(detail: &RunDetail) -> (BTreeSet<String>, BTreeSet<String>) {
    let name_in = |step: &StepRecord, places: &[&str]| {
        places.iter().find_map(|place| step.args.pointer(place)?.as_str().map(str::to_owned))
    };
    let (mut nodes, mut clusters) = (BTreeSet::new(), BTreeSet::new());
    for step in &detail.steps {
        if step.op.starts_with("clusters.") {
            clusters.extend(name_in(step, &["/spec/name", "/name"]));
        } else if step.op.starts_with("nodes.") {
            nodes.extend(name_in(step, &["/wanted/name", "/spec/name", "/name"]));
        }
    }
    (nodes, clusters)
}

#[cfg(test)]
mod tests;
