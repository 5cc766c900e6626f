//! What there is when a run has ended: rows of the inventory, outputs, secrets, and the emulated cloud's own ledger.
//!
//! Owns what counts as the same end. Ids, addresses and times differ from world to world and are named by what they belong
//! to. Does not know how the end was reached.

use super::world::World;
use crate::core::{Failure, SystemClock};
use crate::inventory::{Inventory, Node};
use crate::runs::{RunFilter, Status};
use crate::secrets::SecretStore;
use linodetool_sandbox::ledger::{Entry, What};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How the ledger's reasons end that are of API v3.
const V3: &str = "(API v3)";

/// Kinds of the ledger that are not the recipe's.
const OWN: [&str; 2] = ["sandbox", "token"];

/// More differences than these tell nothing new.
const MOST: usize = 12;

/// What is there, by what it is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EndState {
    facts: BTreeMap<String, String>,
    problems: Vec<String>,
}

impl EndState {
    pub(super) fn of(world: &World) -> Result<Self, Failure> {
        let mut state = Self::default();
        let runs = world.runs()?;
        let inventory = runs.inventory();
        let mut alias = BTreeMap::new();
        for context in inventory.contexts()? {
            state.inventory(world, inventory, &context, &mut alias)?;
            let secrets = SecretStore::open(&world.paths().state, &context, Arc::new(SystemClock))?;
            for name in secrets.list_generated()? {
                state.note(format!("secret {context} {name}"), "there");
            }
        }
        for run in runs.list(&RunFilter::default())? {
            if run.status != Status::Done {
                state.problems.push(format!("run {} is {}", run.id, run.status));
            }
            alias.insert(run.id.to_string(), "<run>".to_owned());
            state.problems.extend(runs.verify(&run.id)?.problems.iter().map(ToString::to_string));
            state.count(&format!("run {}", run.title));
            for (name, value) in runs.show(&run.id)?.outputs {
                state.note(format!("output {name}"), value.to_string());
            }
        }
        state.ledger(&world.ledger(), inventory)?;
        // Whatever has ids and addresses of this world in it has names instead, whole.
        let facts = std::mem::take(&mut state.facts);
        state.facts = facts.into_iter().map(|(name, value)| (plain(&name, &alias), plain(&value, &alias))).collect();
        Ok(state)
    }

    /// What no end may have, whatever the recipe.
    pub(super) fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What the other one has not, has too much, or has otherwise.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for (name, wanted) in &self.facts {
            match other.facts.get(name) {
                None => found.push(format!("{name} is missing; undisturbed: {wanted}")),
                Some(value) if value != wanted => found.push(format!("{name} is {value}; undisturbed: {wanted}")),
                Some(_) => {}
            }
        }
        let more = other.facts.iter().filter(|(name, _)| !self.facts.contains_key(*name));
        found.extend(more.map(|(name, value)| format!("{name} = {value} is too much")));
        if found.len() > MOST {
            let left = found.len() - MOST;
            found.truncate(MOST);
            found.push(format!("and {left} more"));
        }
        found
    }

    fn note(&mut self, name: String, value: impl Into<String>) {
        self.facts.insert(name, value.into());
    }

    fn count(&mut self, name: &str) {
        let count = self.facts.get(name).and_then(|count| count.parse::<u32>().ok()).unwrap_or(0);
        self.note(name.to_owned(), (count + 1).to_string());
    }

    fn inventory(
        &mut self,
        world: &World,
        inventory: &Inventory,
        context: &str,
        alias: &mut BTreeMap<String, String>,
    ) -> Result<(), Failure> {
        for cluster in inventory.clusters(context)? {
            let what = json!({
                "region": cluster.region, "image": cluster.image, "roles": cluster.roles,
                "firewall": cluster.firewall_id.is_some(), "key": cluster.key_ref.map(|key| key.secret),
            });
            self.note(format!("cluster {context} {}", cluster.name), what.to_string());
        }
        for node in inventory.nodes(context)? {
            self.note(format!("node {context} {}", node.name), node_text(&node));
            let addresses = [("public", &node.public_ip), ("private", &node.private_ip), ("ipv6", &node.ipv6)];
            for (kind, address) in addresses {
                if let Some(address) = address {
                    alias.insert(address.clone(), format!("<{kind} address of {}>", node.name));
                }
            }
            for (thing, how) in world.memory(&node.id) {
                self.note(format!("on {}: {thing}", node.name), how);
            }
            alias.insert(node.id, format!("<id of {}>", node.name));
        }
        for resource in inventory.resources(context, None)? {
            let name = format!("resource {context} {} {}", resource.kind, resource.name);
            self.note(name, format!("of cluster {}", resource.cluster.as_deref().unwrap_or("-")));
            alias.insert(resource.id, format!("<id of {} {}>", resource.kind, resource.name));
        }
        Ok(())
    }

    /// Created and destroyed as often as undisturbed; and what is billed is what the inventory has.
    fn ledger(&mut self, entries: &[Entry], inventory: &Inventory) -> Result<(), Failure> {
        let mut billed: BTreeMap<(String, String), String> = BTreeMap::new();
        let mut by_v3: BTreeSet<u64> = BTreeSet::new();
        for entry in entries.iter().filter(|entry| !OWN.contains(&entry.kind.as_str())) {
            let key = (entry.kind.clone(), entry.id.to_string());
            let what = match entry.what {
                What::Created => {
                    billed.insert(key, entry.label.clone());
                    "created"
                }
                What::Destroyed | What::Died => {
                    billed.remove(&key);
                    "destroyed"
                }
            };
            // Through API v3 a Linode has no name when it is made, and one that was cut half made is destroyed and made anew.
            if entry.kind == "linode" && entry.reason.ends_with(V3) && entry.what == What::Created {
                by_v3.insert(entry.id);
                continue;
            }
            if entry.kind == "linode" && by_v3.remove(&entry.id) {
                continue;
            }
            self.count(&format!("ledger: {what} {} {}", entry.kind, entry.label));
        }
        for _ in by_v3 {
            self.count("ledger: created and kept Linodes");
        }
        let mut known = BTreeMap::new();
        for context in inventory.contexts()? {
            known.extend(inventory.nodes(&context)?.into_iter().map(|n| (("linode".to_owned(), n.id), n.name)));
            known.extend(inventory.resources(&context, None)?.into_iter().map(|r| ((r.kind, r.id), r.name)));
        }
        for ((kind, id), label) in &billed {
            if !known.contains_key(&(kind.clone(), id.clone())) {
                self.problems.push(format!("{kind} {label} ({id}) is billed and not in the inventory"));
            }
        }
        for ((kind, id), name) in &known {
            if !billed.contains_key(&(kind.clone(), id.clone())) {
                self.problems.push(format!("{kind} {name} ({id}) is in the inventory and not in the account"));
            }
        }
        Ok(())
    }
}

fn node_text(node: &Node) -> String {
    let what = json!({
        "cluster": node.cluster, "role": node.role, "region": node.region, "type": node.type_id, "image": node.image,
        "status": node.status, "host_keys": node.host_keys.len(), "key": node.key_ref.as_ref().map(|key| &key.secret),
    });
    what.to_string()
}

/// With names in the place of what differs from world to world, where it stands as a word of its own: an id of four
/// digits is also somewhere in a digest.
fn plain(text: &str, alias: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (known, name) in alias.iter().filter(|(known, _)| !known.is_empty()) {
        let mut from = 0;
        while let Some(at) = text[from..].find(known.as_str()).map(|at| from + at) {
            let end = at + known.len();
            let part = |b: &u8| b.is_ascii_alphanumeric();
            let inside = text.as_bytes()[..at].last().is_some_and(part) || text.as_bytes().get(end).is_some_and(part);
            if inside {
                from = end;
            } else {
                text.replace_range(at..end, name);
                from = at + name.len();
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn state(facts: &[(&str, &str)]) -> EndState {
        let facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        EndState { facts, problems: Vec::new() }
    }

    #[test]
    fn what_differs_is_named() {
        let wanted =
            state(&[("node a/b web-1", "running"), ("ledger: created linode web-1", "1"), ("secret x", "there")]);
        let found =
            state(&[("node a/b web-1", "running"), ("ledger: created linode web-1", "2"), ("node a/b web-2", "-")]);
        expect![[r#"
            ledger: created linode web-1 is 2; undisturbed: 1
            secret x is missing; undisturbed: there
            node a/b web-2 = - is too much"#]]
        .assert_eq(&wanted.differences(&found).join("\n"));
        assert!(wanted.differences(&wanted).is_empty());
    }

    #[test]
    fn what_differs_from_world_to_world_has_a_name() {
        let alias = [("10.0.0.1", "<a>"), ("10.0.0.11", "<b>")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        expect![[r#"{"digest":"a10.0.0.11","n":7,"urls":["http://<b>:80/","<a>"]}"#]].assert_eq(&plain(
            &json!({ "urls": ["http://10.0.0.11:80/", "10.0.0.1"], "digest": "a10.0.0.11", "n": 7 }).to_string(),
            &alias,
        ));
    }

    #[test]
    fn what_is_billed_is_in_the_inventory() {
        let entry = |what, id, label: &str| Entry {
            time: String::new(),
            what,
            kind: "linode".into(),
            id,
            label: label.into(),
            tags: Vec::new(),
            reason: String::new(),
        };
        let mut state = EndState::default();
        let entries =
            [entry(What::Created, 1, "web-1"), entry(What::Created, 2, "web-1"), entry(What::Destroyed, 1, "web-1")];
        state.ledger(&entries, &Inventory::in_memory()).unwrap();
        expect![[r#"
            (
                {
                    "ledger: created linode web-1": "2",
                    "ledger: destroyed linode web-1": "1",
                },
                [
                    "linode web-1 (2) is billed and not in the inventory",
                ],
            )"#]]
        .assert_eq(&format!("{:#?}", (&state.facts, &state.problems)));
    }
}
