//! What a rehearsed run has made, changed, destroyed and done, from its own journal and the ledger of its cloud.
//!
//! Owns: what counts as a change, and what a change means for what runs. Does not know time nor money.

use super::report::{Counted, Destroyed, Made, NodeChange, Work};
use super::seed::Present;
use super::words::{some_of, title};
use crate::inventory::{Node, natural_order};
use crate::runs::{StepRecord, StepState};
use crate::toolkit::commands::RUN;
use linodetool_sandbox::ledger::{Entry, What};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Things that are told apart for a role; nobody reads more.
const MOST_THINGS: usize = 200;
/// The operation of a step that makes a node.
const ENSURE: &str = "nodes.ensure";
const OTHERS: &str = "others";
/// The operation of a call of the API that the recipe wrote out and that changes something.
const CALLS: &str = "api.change";

/// Gathers steps.
pub(super) struct Changes<'a> {
    before: &'a BTreeMap<String, Node>,
    after: &'a BTreeMap<String, Node>,
    roles: Vec<RoleWork>,
    role_index: HashMap<String, usize>,
    changes: Listed<(String, String), Vec<String>>,
    impact: Listed<String, Vec<String>>,
    /// Names of the firewalls that were there, by their ids.
    firewalls: HashMap<String, String>,
    touched: BTreeSet<String>,
    /// Calls of the provider's API by the recipe itself.
    pub(super) calls: usize,
    clusters: BTreeSet<String>,
    /// Nodes that the run has made and that are gone by its end, by their ids.
    passed: HashMap<String, Node>,
}

/// What came to be and what ceased to be.
#[derive(Default)]
pub(super) struct Things {
    pub(super) create: Vec<Made>,
    /// Created and destroyed again.
    pub(super) passing: Vec<Made>,
    pub(super) destroy: Vec<Destroyed>,
}

#[derive(Default)]
struct RoleWork {
    role: String,
    nodes: BTreeSet<String>,
    commands: Listed<String, (usize, usize)>,
    operations: Listed<String, (usize, usize)>,
}

/// Values by key, in the order in which they came.
struct Listed<K, V> {
    items: Vec<(K, V)>,
    index: HashMap<K, usize>,
}

impl<K, V> Default for Listed<K, V> {
    fn default() -> Self {
        Self { items: Vec::new(), index: HashMap::new() }
    }
}

impl<K: Clone + Eq + std::hash::Hash, V: Default> Listed<K, V> {
    fn at(&mut self, key: K) -> &mut V {
        let place = *self.index.entry(key).or_insert_with_key(|key| {
            self.items.push((key.clone(), V::default()));
            self.items.len() - 1
        });
        &mut self.items[place].1
    }

    fn room_for(&self, key: &K) -> bool {
        self.items.len() < MOST_THINGS || self.index.contains_key(key)
    }
}

impl<'a> Changes<'a> {
    pub(super) fn new(present: &'a Present, after: &'a BTreeMap<String, Node>) -> Self {
        let firewalls = present.firewalls().map(|row| (row.id.clone(), row.name.clone()));
        Self {
            before: &present.nodes,
            after,
            firewalls: firewalls.collect(),
            roles: Vec::new(),
            role_index: HashMap::new(),
            changes: Listed::default(),
            impact: Listed::default(),
            touched: BTreeSet::new(),
            calls: 0,
            clusters: BTreeSet::new(),
            passed: HashMap::new(),
        }
    }

    pub(super) fn note(&mut self, step: &StepRecord) {
        let args = &step.args;
        self.calls += usize::from(step.op == CALLS);
        if step.op.starts_with("clusters.") || step.op.starts_with("firewalls.") {
            let named = [&args["spec"]["name"], &args["name"], &args["cluster"]];
            self.clusters.extend(named.into_iter().filter_map(|name| name.as_str().map(str::to_owned)));
        }
        let on_node = args["node"].as_str().or_else(|| args["name"].as_str().filter(|_| step.op == "nodes.power"));
        if let Some(node) = on_node {
            self.touched.insert(node.to_owned());
        }
        if step.state != StepState::Done {
            return;
        }
        if step.op == ENSURE {
            self.note_node(step);
        }
        let changed = has_changed(step);
        let guard = args["firewall"].as_str().filter(|_| changed && step.op == "firewalls.set_members");
        if let Some(firewall) = guard.and_then(|id| self.firewalls.get(id)) {
            self.changes.at((format!("firewall {firewall}"), "members".to_owned()));
        }
        let (Some(node), Some(what)) = (on_node, title(&step.op, args)) else { return };
        if step.op == RUN && step.outcome.as_ref().is_some_and(|outcome| outcome["changed"] == false) {
            // Its `creates` or `unless` says that there is nothing to do.
            return;
        }
        let role = self.role_of(node);
        role.nodes.insert(node.to_owned());
        let list = if step.op == RUN { &mut role.commands } else { &mut role.operations };
        let key = if list.room_for(&what) { what.clone() } else { OTHERS.to_owned() };
        let (times, changes) = list.at(key);
        (*times, *changes) = (*times + 1, *changes + usize::from(changed));
        if changed && self.was_there(node) {
            let how = step.outcome.as_ref().and_then(|outcome| outcome["detail"].as_str()).unwrap_or_default();
            if let Some(means) = means(step, &what, how) {
                self.impact.at(means).push(node.to_owned());
            }
            self.changes.at((what, how.to_owned())).push(node.to_owned());
        }
    }

    /// Its row may be gone by the end, and then only the step knows what it was and cost.
    fn note_node(&mut self, step: &StepRecord) {
        let made = step.outcome.as_ref().map(|outcome| &outcome["node"]);
        let Some(id) = made.and_then(|node| node["id"].as_str()) else { return };
        let Some(name) = made.and_then(|node| node["name"].as_str()) else { return };
        if self.after.get(name).is_none_or(|node| node.id != id)
            && let Some(Ok(node)) = made.map(Node::deserialize)
        {
            self.clusters.extend(node.cluster.clone());
            self.touched.insert(node.name.clone());
            self.passed.insert(node.id.clone(), node);
        }
    }

    fn role_of(&mut self, node: &str) -> &mut RoleWork {
        let known = self.after.get(node).or_else(|| self.before.get(node));
        let role = known.and_then(|node| node.role.clone()).unwrap_or_default();
        let place = *self.role_index.entry(role).or_insert_with_key(|role| {
            self.roles.push(RoleWork { role: role.clone(), ..RoleWork::default() });
            self.roles.len() - 1
        });
        &mut self.roles[place]
    }

    /// The same machine, and not one of the same name that was made anew.
    fn was_there(&self, name: &str) -> bool {
        let before = self.before.get(name);
        before.is_some_and(|before| self.after.get(name).is_none_or(|after| after.id == before.id))
    }

    /// What is there afterwards and was not before, the other way round, and what was there in between alone.
    pub(super) fn things(&self, ledger: &[Entry]) -> Things {
        let id = |entry: &Entry| (entry.kind.clone(), entry.id);
        let ledger: Vec<_> = ledger.iter().filter(|entry| entry.kind != "token").collect();
        let (made, gone): (Vec<_>, Vec<_>) = ledger.into_iter().partition(|entry| entry.what == What::Created);
        let ids = |entries: &[&Entry]| entries.iter().map(|entry| id(entry)).collect::<BTreeSet<_>>();
        let (are_made, are_gone) = (ids(&made), ids(&gone));
        let (passing, create): (Vec<_>, Vec<_>) = made.into_iter().partition(|entry| are_gone.contains(&id(entry)));
        let destroy = gone.into_iter().filter(|entry| !are_made.contains(&id(entry)));
        let mut things = Things {
            create: create.into_iter().map(|entry| self.made(entry)).collect(),
            passing: passing.into_iter().map(|entry| self.made(entry)).collect(),
            destroy: destroy.map(|entry| self.destroyed(entry)).collect(),
        };
        // Who came first is chance; machines are what most is about.
        let in_order = |a: (&str, &str), b: (&str, &str)| {
            let machine = |kind: &str| kind == "linode";
            machine(b.0).cmp(&machine(a.0)).then_with(|| a.0.cmp(b.0)).then_with(|| natural_order(a.1, b.1))
        };
        things.create.sort_by(|a, b| in_order((&a.kind, &a.name), (&b.kind, &b.name)));
        things.passing.sort_by(|a, b| in_order((&a.kind, &a.name), (&b.kind, &b.name)));
        things.destroy.sort_by(|a, b| in_order((&a.kind, &a.name), (&b.kind, &b.name)));
        things
    }

    /// US dollars an hour for what an entry tells of.
    pub(super) fn price(&self, entry: &Entry) -> f64 {
        let node = self.node(entry).or_else(|| by_id(self.before, entry));
        node.and_then(|node| node.price_hourly).unwrap_or_default()
    }

    /// The node that the run has made, also if it is gone by now.
    fn node(&self, entry: &Entry) -> Option<&Node> {
        let passed = || self.passed.get(&entry.id.to_string()).filter(|_| entry.kind == "linode");
        by_id(self.after, entry).or_else(passed)
    }

    fn made(&self, entry: &Entry) -> Made {
        let plain = Made { kind: entry.kind.clone(), name: entry.label.clone(), ..Made::default() };
        match self.node(entry) {
            // Through API v3 it is named after it was made.
            Some(node) => Made {
                name: node.name.clone(),
                role: node.role.clone(),
                type_id: node.type_id.clone(),
                region: node.region.clone(),
                image: node.image.clone(),
                hourly: node.price_hourly.unwrap_or_default(),
                monthly: node.price_monthly.unwrap_or_default(),
                ..plain
            },
            None => plain,
        }
    }

    fn destroyed(&self, entry: &Entry) -> Destroyed {
        let node = by_id(self.before, entry);
        let price = |of: fn(&Node) -> Option<f64>| node.and_then(of).unwrap_or_default();
        Destroyed {
            kind: entry.kind.clone(),
            name: node.map_or_else(|| entry.label.clone(), |node| node.name.clone()),
            lost: if entry.kind == "linode" { "all data on its disk".to_owned() } else { String::new() },
            hourly: price(|node| node.price_hourly),
            monthly: price(|node| node.price_monthly),
        }
    }

    /// Clusters and nodes that the run dealt with.
    pub(super) fn touched(&self, made: &[Made], gone: &[Destroyed]) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut clusters, mut names) = (self.clusters.clone(), self.touched.clone());
        names.extend(made.iter().map(|made| made.name.clone()).chain(gone.iter().map(|gone| gone.name.clone())));
        let rows = names.iter().flat_map(|name| self.before.get(name).into_iter().chain(self.after.get(name)));
        clusters.extend(rows.filter_map(|node| node.cluster.clone()));
        (clusters, names)
    }

    /// Work, changes and what they mean.
    pub(super) fn told(self, gone: &[Destroyed]) -> (Vec<Work>, Vec<NodeChange>, Vec<String>) {
        let counted = |list: Listed<String, (usize, usize)>| {
            let items = list.items.into_iter();
            items.map(|(what, (times, changed))| Counted { what, times, changed }).collect::<Vec<_>>()
        };
        let mut work: Vec<_> = self
            .roles
            .into_iter()
            .map(|role| Work {
                nodes: role.nodes.len(),
                commands: counted(role.commands),
                operations: counted(role.operations),
                role: role.role,
            })
            .collect();
        work.sort_by(|a, b| a.role.cmp(&b.role));
        // A firewall that is destroyed loses its members first.
        let is_gone = |what: &str| {
            let name = what.strip_prefix("firewall ");
            name.is_some_and(|name| gone.iter().any(|gone| gone.kind == "firewall" && gone.name == name))
        };
        let changed = self.changes.items.into_iter().filter(|((what, _), _)| !is_gone(what));
        let change = changed.map(|((what, how), on)| NodeChange { what, how, on: in_order(on) });
        let lost = gone.iter().filter(|gone| !gone.lost.is_empty());
        let lost = lost.map(|gone| format!("{}: {} is lost", gone.name, gone.lost));
        let impact = self.impact.items.into_iter().map(|(means, on)| format!("{}: {means}", some_of(&in_order(on))));
        // Which lane came first is chance.
        let mut change: Vec<_> = change.collect();
        change.sort_by(|a, b| natural_order(&a.what, &b.what).then_with(|| a.how.cmp(&b.how)));
        let mut impact: Vec<_> = impact.collect();
        impact.sort_by(|a, b| natural_order(a, b));
        (work, change, lost.chain(impact).collect())
    }
}

fn in_order(mut names: Vec<String>) -> Vec<String> {
    names.sort_by(|a, b| natural_order(a, b));
    names.dedup();
    names
}

fn by_id<'a>(nodes: &'a BTreeMap<String, Node>, entry: &Entry) -> Option<&'a Node> {
    let id = entry.id.to_string();
    let by_name = nodes.get(&entry.label).filter(|node| node.id == id);
    let of_kind = || nodes.values().find(|node| node.id == id);
    (entry.kind == "linode").then(|| by_name.or_else(of_kind)).flatten()
}

/// Whether a step says that it has changed something. A command that always runs is work and no change.
fn has_changed(step: &StepRecord) -> bool {
    let changed = match &step.outcome {
        Some(Value::Bool(changed)) => *changed,
        Some(outcome) => outcome["changed"] == true,
        None => false,
    };
    let options = &step.args["options"];
    changed && (step.op != RUN || options["creates"].is_string() || options["unless"].is_string())
}

/// What a change means for what runs on the node.
fn means(step: &StepRecord, what: &str, how: &str) -> Option<String> {
    let does = |word: &str| how.split(", ").any(|does| does == word);
    match step.op.as_str() {
        "node.service" if does("restarted") => Some(format!("{what} restarts")),
        "node.service" if does("stopped") => Some(format!("{what} stops")),
        "node.service" if does("started") => Some(format!("{what} starts")),
        "nodes.power" if step.args["power"] == "reboot" => Some("the node reboots".to_owned()),
        "nodes.power" if step.args["power"] == "shutdown" => Some("the node is shut down".to_owned()),
        "nodes.power" => Some("the node is started".to_owned()),
        _ => None,
    }
}
