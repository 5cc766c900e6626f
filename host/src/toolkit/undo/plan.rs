//! What undoing a run would do: its journal, the inventory and the provider's list in, a plan out.
//!
//! Pure. Owns what was made by a run and what must be left alone.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use crate::core::{FailureKind, RunId};
use crate::inventory::{Cluster, Node, Resource};
use crate::runs::{RunDetail, RunSummary, Status, StepKind, StepRecord, StepState, Work, step_tag};
use crate::toolkit::resources::{KINDS, LINODE, Thing, ThingKind};

/// What undoing a run does, and what it leaves.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UndoPlan {
    /// What it made and is still there or on record, newest first.
    pub destroy: Vec<Thing>,
    /// Creates whose answers are lost: destroyed if they appear.
    pub doubts: Vec<Doubt>,
    /// Clusters whose records it made.
    pub clusters: Vec<String>,
    /// What is left alone though the run dealt with it, and why.
    pub kept: Vec<Left>,
    /// What it did that no command takes back, and why.
    pub beyond: Vec<Left>,
    /// It has made something, whether or not that is still there.
    pub made: bool,
    /// Something that it made stays, since a later run changed it.
    pub stays: bool,
    /// Keys that it asked for, made now or before.
    pub(super) keys: Vec<Keys>,
    /// All clusters that it dealt with.
    pub(super) touched: BTreeSet<String>,
}

/// A create of which nobody knows whether it took effect.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Doubt {
    /// `Linode`, `firewall`, ...
    pub kind: String,
    pub name: String,
    /// One of these is on it.
    pub tags: Vec<String>,
    /// After this it cannot take effect any more.
    pub until_ms: u64,
}

/// Something and why it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub what: String,
    pub why: String,
}

/// Names of keys that one step made sure of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// None where the user gave a key.
    pub(super) login: Option<String>,
    pub(super) nodes: Vec<String>,
}

impl Keys {
    /// The key that logs in to a cluster.
    pub(crate) fn of_cluster(name: &str) -> Self {
        Self { login: Some(format!("cluster/{name}")), nodes: Vec::new() }
    }
}

/// All that a plan is made from.
pub(super) struct Known<'a> {
    pub(super) detail: &'a RunDetail,
    /// What the provider has that carries tags of ours.
    pub(super) things: &'a [Thing],
    pub(super) nodes: &'a [Node],
    pub(super) clusters: &'a [Cluster],
    pub(super) resources: &'a [Resource],
    pub(super) runs: &'a [RunSummary],
    /// What later runs did on nodes.
    pub(super) work: &'a [Work],
    pub(super) now_ms: u64,
    /// How long a create may still take effect.
    pub(super) in_doubt_ms: u64,
    /// How commands are to be called.
    pub(super) program: &'a str,
}

impl UndoPlan {
    /// Nothing would be destroyed.
    pub fn is_empty(&self) -> bool {
        self.destroy.is_empty() && self.doubts.is_empty() && self.clusters.is_empty()
    }
}

impl Known<'_> {
    pub(super) fn plan(&self) -> UndoPlan {
        let mut plan = UndoPlan::default();
        for step in self.detail.steps.iter().rev().filter(|step| step.kind == StepKind::Write) {
            for place in ["/spec/name", "/wanted/cluster", "/cluster"] {
                plan.touched.extend(text(step, place));
            }
            match (KINDS.iter().find(|kind| kind.made_by == step.op), step.op.as_str()) {
                (Some(kind), _) => self.create(&mut plan, kind, step),
                (None, "keys.ensure") => plan.keys.push(Keys {
                    login: text(step, "/login").filter(|_| text(step, "/given").is_none()),
                    nodes: texts(step, "/nodes"),
                }),
                _ => {}
            }
        }
        self.spare_guards(&mut plan);
        for step in self.detail.steps.iter().filter(|step| step.op == "clusters.record") {
            self.record(&mut plan, step);
        }
        plan.beyond = self.beyond(&plan);
        plan
    }

    /// One step that makes things: what came of it.
    fn create(&self, plan: &mut UndoPlan, kind: &ThingKind, step: &StepRecord) {
        let name = text(step, kind.name_at).unwrap_or_default();
        let tags: Vec<_> =
            (1..=step.attempt).map(|attempt| step_tag(self.run().as_str(), &step.path, attempt)).collect();
        let made = |thing: &&Thing| thing.kind == kind.word && tags.iter().any(|tag| thing.carries(tag));
        let mut found: Vec<_> = self.things.iter().filter(made).cloned().collect();
        let mine = step.outcome.as_ref().is_some_and(|outcome| outcome["changed"] == true);
        if found.is_empty() {
            // Its owner may have taken our tags off; then the row tells which it is.
            found.extend(self.recorded(kind, &name));
        }
        plan.made |= mine || !found.is_empty();
        if found.is_empty() {
            self.nothing_there(plan, kind, step, name, tags);
        }
        for mut thing in found {
            if let Some(why) = self.why_it_stays(&thing) {
                let left = Left { what: thing.described(), why };
                // A recipe may ensure the same twice.
                if !plan.kept.contains(&left) {
                    plan.kept.push(left);
                }
                plan.stays = true;
                continue;
            }
            if plan.destroy.iter().any(|known| known.kind == thing.kind && known.id == thing.id) {
                continue;
            }
            let row = self.nodes.iter().find(|node| thing.kind == LINODE && node.id == thing.id);
            thing.monthly = thing.monthly.or(row.and_then(|node| node.price_monthly));
            plan.destroy.push(thing);
        }
    }

    fn nothing_there(&self, plan: &mut UndoPlan, kind: &ThingKind, step: &StepRecord, name: String, tags: Vec<String>) {
        // A create may be sent again until its step says that nothing is known of it.
        let sent_ms = || step.started_ms.max(self.detail.summary.at_work_until_ms());
        let until_ms = step.ended_ms.unwrap_or_else(sent_ms) + self.in_doubt_ms;
        if step.outcome.as_ref().is_some_and(|outcome| outcome["changed"] == false) {
            let what = format!("{} {name}", kind.word);
            plan.kept.push(Left { what, why: "it was there before the run".to_owned() });
        } else if is_doubtful(step) && until_ms > self.now_ms {
            plan.doubts.push(Doubt { kind: kind.word.to_owned(), name, tags, until_ms });
        }
    }

    fn run(&self) -> &RunId {
        &self.detail.summary.id
    }

    /// What the inventory has of what this run made under that name.
    fn recorded(&self, kind: &ThingKind, name: &str) -> Option<Thing> {
        let run = self.run().as_str();
        if kind.word == LINODE {
            let node = self.nodes.iter().find(|node| node.created_by_run == run && node.name == name);
            return node.map(Thing::of_node);
        }
        let named = |row: &&Resource| row.name == name || row.cluster.as_deref() == Some(name);
        let ours = self.resources.iter().filter(|row| row.created_by_run == run).filter(named);
        let mut thing = ours.filter_map(Thing::of_resource).find(|thing| thing.kind == kind.word)?;
        // A row does not know what a firewall guards.
        if let Some(live) = self.things.iter().find(|live| live.kind == thing.kind && live.id == thing.id) {
            thing.instances.clone_from(&live.instances);
        }
        Some(thing)
    }

    /// A later run changed the thing, or what is on it.
    fn why_it_stays(&self, thing: &Thing) -> Option<String> {
        if let Some(by) = self.changed_since(self.stamp_of(thing)) {
            return Some(format!("it was changed since {by}"));
        }
        let node = self.nodes.iter().find(|node| thing.kind == LINODE && node.id == thing.id)?;
        let Work { run, title, .. } = self.work.iter().rfind(|work| work.node == node.name)?;
        let destroy = format!("{} node delete {}", self.program, node.name);
        Some(format!("run {run} (`{title}`) worked on it since; `{destroy}` destroys it"))
    }

    /// The run that wrote a thing's row last.
    fn stamp_of(&self, thing: &Thing) -> Option<&str> {
        if thing.kind == LINODE {
            return self.nodes.iter().find(|node| node.id == thing.id).map(|node| node.changed_by_run.as_str());
        }
        let kind = thing.kind.to_lowercase();
        let row = self.resources.iter().find(|row| row.kind == kind && row.id == thing.id);
        row.map(|row| row.changed_by_run.as_str())
    }

    /// By which later run, in words. What is undone itself counts no more.
    fn changed_since(&self, stamp: Option<&str>) -> Option<String> {
        let stamp = stamp.filter(|stamp| !stamp.is_empty() && *stamp != self.run().as_str())?;
        match self.runs.iter().find(|run| run.id.as_str() == stamp) {
            Some(run) if run.status == Status::Undone || self.goes_on_with_it(run) => None,
            Some(run) => Some(format!("by run {stamp} (`{}`)", run.title)),
            None => Some(format!("by run {stamp}")),
        }
    }

    /// It is a retry of the run, or a retry of one.
    fn goes_on_with_it(&self, run: &RunSummary) -> bool {
        let before = |id: &RunId| self.runs.iter().find(|run| run.id == *id)?.retry_of.clone();
        // A damaged journal may go in circles.
        std::iter::successors(run.retry_of.clone(), before).take(self.runs.len()).any(|id| id == *self.run())
    }

    /// A firewall that guards what stays has to stay too.
    fn spare_guards(&self, plan: &mut UndoPlan) {
        let gone: BTreeSet<_> =
            plan.destroy.iter().filter(|thing| thing.kind == LINODE).map(|thing| thing.id.clone()).collect();
        let mut kept = Vec::new();
        plan.destroy.retain(|thing| {
            let Some(guarded) = thing.instances.iter().find(|id| !gone.contains(*id)) else { return true };
            let name = self.nodes.iter().find(|node| node.id == *guarded).map_or(guarded, |node| &node.name);
            kept.push(Left { what: thing.described(), why: format!("it guards {name}, which stays") });
            false
        });
        plan.kept.extend(kept);
    }

    fn record(&self, plan: &mut UndoPlan, step: &StepRecord) {
        let name = text(step, "/spec/name").unwrap_or_default();
        let Some(row) = self.clusters.iter().find(|row| row.name == name) else { return };
        let mut kept = |why: String| plan.kept.push(Left { what: format!("cluster {name}"), why });
        if row.created_by_run != self.run().as_str() {
            return kept("it was there before the run".to_owned());
        }
        if let Some(by) = self.changed_since(Some(&row.changed_by_run)) {
            return kept(format!("it was changed since {by}"));
        }
        let stays =
            |node: &&Node| node.cluster.as_ref() == Some(&name) && plan.destroy.iter().all(|thing| thing.id != node.id);
        if let Some(node) = self.nodes.iter().find(stays) {
            return kept(format!("its node {} stays", node.name));
        }
        if !plan.clusters.contains(&name) {
            plan.clusters.push(name);
        }
    }

    /// What the run did elsewhere. What it did on a node that is destroyed goes with the node.
    fn beyond(&self, plan: &UndoPlan) -> Vec<Left> {
        let gone = |name: &String| {
            plan.destroy.iter().any(|thing| thing.kind == LINODE && thing.label == *name)
                || self.nodes.iter().all(|node| node.name != *name)
        };
        let mut left = Vec::new();
        let mut on_nodes: BTreeMap<String, u32> = BTreeMap::new();
        for step in self.detail.steps.iter().filter(|step| step.kind == StepKind::Write) {
            let op = step.op.as_str();
            if matches!(op, "node.download") {
                let what = text(step, "/download/dest").unwrap_or_default();
                left.push(Left { what: format!("file {what}"), why: "files of this computer are left alone".into() });
            } else if op == "api.change" {
                let what = ["/spec/method", "/spec/path"].map(|place| text(step, place).unwrap_or_default()).join(" ");
                left.push(Left { what, why: "what such a call does is not known".into() });
            } else if let Some(name) = destroyed(step) {
                left.push(Left { what: name, why: "what was destroyed cannot be brought back".into() });
            } else if op == "nodes.power" || is_on_nodes(op) {
                let names = text(step, "/node").into_iter().chain(text(step, "/name")).chain(texts(step, "/nodes"));
                names.filter(|name| !gone(name)).for_each(|name| *on_nodes.entry(name).or_default() += 1);
            }
        }
        left.extend(on_nodes.into_iter().map(|(name, count)| Left {
            what: if count == 1 { format!("1 step on {name}") } else { format!("{count} steps on {name}") },
            why: "how the node was before commands, files and restarts is not known".into(),
        }));
        left
    }
}

/// Whether a create may still take effect.
fn is_doubtful(step: &StepRecord) -> bool {
    use FailureKind::{Interrupted, Timeout, Unavailable};
    let unanswered = |kind| matches!(kind, Interrupted | Timeout | Unavailable);
    step.state == StepState::Intent || step.failure.as_ref().is_some_and(|failure| unanswered(failure.kind))
}

/// Commands, files and services.
fn is_on_nodes(op: &str) -> bool {
    op.starts_with("node.") || matches!(op, "nodes.exec" | "nodes.copy" | "artifacts.install")
}

/// What a step destroyed.
fn destroyed(step: &StepRecord) -> Option<String> {
    match step.op.as_str() {
        "firewalls.delete" => text(step, "/cluster").map(|name| format!("the firewall of cluster {name}")),
        "clusters.forget" => text(step, "/name").map(|name| format!("cluster {name}")),
        "things.destroy" => {
            text(step, "/label").map(|name| format!("{} {name}", text(step, "/kind").unwrap_or_default()))
        }
        _ => None,
    }
}

fn text(step: &StepRecord, place: &str) -> Option<String> {
    step.args.pointer(place)?.as_str().map(str::to_owned)
}

fn texts(step: &StepRecord, place: &str) -> Vec<String> {
    let list = step.args.pointer(place).and_then(|value| value.as_array());
    list.into_iter().flatten().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}
