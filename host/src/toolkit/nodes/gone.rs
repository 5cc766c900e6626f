//! gone: which nodes somebody else has deleted, and which a run knows by another machine than theirs.

use linodetool_plugin::{ById, ErrorKind, ListInstances};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::runs::{Run, RunDetail};
use crate::toolkit::Toolkit;

/// A machine that a run knows, and that is no node of the inventory any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    pub name: String,
    pub id: String,
    /// The machine that has its name now.
    pub now: Option<String>,
}

impl Lost {
    /// Nothing is tried on a machine that may be anybody's by now.
    pub(crate) fn failure(&self) -> Failure {
        let Self { name, id, now } = self;
        let now = now.as_ref().map_or_else(String::new, |now| format!(", and Linode {now} has its name now"));
        let message = format!("is gone: the machine that this run worked with was Linode {id}{now}");
        Failure::new(FailureKind::Ssh, message).on(name)
    }
}

impl Toolkit {
    /// The nodes among these that the account has no more, by name. Looks only, and is no step: for a message, not for what
    /// is done next.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn gone(&self, nodes: &[Node]) -> Result<Vec<String>, Failure> {
        let client = &self.provider().await?.client;
        let there = client.list_instances(&ListInstances::default()).await?.items;
        let there: HashSet<_> = there.into_iter().map(|instance| instance.id).collect();
        let mut gone = Vec::new();
        for node in nodes.iter().filter(|node| !there.contains(&node.id)) {
            // A list may not show yet what was made just now.
            match client.get_instance(&ById::new(&node.id)).await {
                Err(error) if error.kind == ErrorKind::NotFound => gone.push(node.name.clone()),
                Err(error) => return Err(error.into()),
                Ok(_) => {}
            }
        }
        Ok(gone)
    }

    /// Notes which machines of a run that is taken up have left the inventory since: nothing is tried on them.
    ///
    /// # Errors
    /// The inventory cannot be read.
    pub fn note_lost(&self, run: &Run) -> Result<(), Failure> {
        let outcomes = run.recorded_outcomes().filter(|(op, _)| tells_of_nodes(op));
        let lost = self.lost_among(outcomes.filter_map(|(_, outcome)| serde_json::from_str::<Value>(outcome).ok()))?;
        // One process executes one run; of several, the first one's count.
        let _ = self.known_lost().set(lost.into_iter().map(|lost| (lost.id.clone(), lost)).collect());
        Ok(())
    }

    /// The machines that a run worked on, that it has not destroyed itself, and that have left the inventory.
    ///
    /// # Errors
    /// The inventory cannot be read.
    pub fn lost_to(&self, run: &RunDetail) -> Result<Vec<Lost>, Failure> {
        let outcomes =
            run.steps.iter().filter(|step| tells_of_nodes(&step.op)).filter_map(|step| step.outcome.as_ref());
        let lost = self.lost_among(outcomes)?;
        let worked_on = |lost: &Lost| {
            run.steps.iter().any(|step| {
                let args = &step.args;
                args["node"] == *lost.name || (step.op == "nodes.ensure" && args["wanted"]["name"] == *lost.name)
            })
        };
        let destroyed = |lost: &Lost| run.steps.iter().any(|s| s.op == "things.destroy" && s.args["id"] == *lost.id);
        Ok(lost.into_iter().filter(|lost| worked_on(lost) && !destroyed(lost)).collect())
    }

    fn lost_among<V: std::borrow::Borrow<Value>>(
        &self,
        outcomes: impl Iterator<Item = V>,
    ) -> Result<Vec<Lost>, Failure> {
        let mut machines = BTreeMap::new();
        outcomes.for_each(|outcome| machines_in(outcome.borrow(), &mut machines));
        if machines.is_empty() {
            return Ok(Vec::new());
        }
        let nodes = self.inventory().nodes(self.context())?;
        for node in &nodes {
            machines.remove(&node.id);
        }
        let now: HashMap<_, _> = nodes.into_iter().map(|node| (node.name, node.id)).collect();
        Ok(machines.into_iter().map(|(id, name)| Lost { now: now.get(&name).cloned(), id, name }).collect())
    }
}

fn tells_of_nodes(op: &str) -> bool {
    op.starts_with("nodes.") || op.starts_with("clusters.")
}

/// Names by id of all nodes in an outcome, wherever in it.
fn machines_in(outcome: &Value, found: &mut BTreeMap<String, String>) {
    match outcome {
        Value::Array(items) => items.iter().for_each(|item| machines_in(item, found)),
        Value::Object(map) => {
            let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            match (text("id"), text("name"), text("created_by_run")) {
                (Some(id), Some(name), Some(_)) => drop(found.insert(id.to_owned(), name.to_owned())),
                _ => map.values().for_each(|item| machines_in(item, found)),
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn nodes_are_found_wherever_they_are_in_an_outcome() {
        let node = |name: &str, id: &str| {
            serde_json::to_value(Node {
                name: name.into(),
                id: id.into(),
                created_by_run: "3fa9".into(),
                ..Node::default()
            })
        };
        let node = |name, id| node(name, id).unwrap();
        let outcome = serde_json::json!({
            "ensured": { "node": node("web-1", "11"), "changed": true },
            "nodes": [node("web-2", "12"), { "id": "13", "name": "a firewall" }],
        });
        let mut found = BTreeMap::new();
        machines_in(&outcome, &mut found);
        expect![[r#"{"11": "web-1", "12": "web-2"}"#]].assert_eq(&format!("{found:?}"));
    }

    #[test]
    fn what_became_of_a_machine_is_told() {
        let told = |now: Option<&str>| {
            let lost = Lost { name: "web-1".into(), id: "11".into(), now: now.map(str::to_owned) };
            lost.failure().to_string()
        };
        expect![[r#"
            web-1: is gone: the machine that this run worked with was Linode 11
            web-1: is gone: the machine that this run worked with was Linode 11, and Linode 17 has its name now"#]]
        .assert_eq(&format!("{}\n{}", told(None), told(Some("17"))));
    }
}
