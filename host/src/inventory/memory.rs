//! The inventory in memory, for tests.

use super::Change;
use super::change::Stamped;
use super::database::StateError;
use super::model::{Cluster, Node, Resource};
use super::store::{Store, natural_order};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Gone with the process.
#[derive(Default)]
pub(crate) struct MemoryStore(Mutex<Rows>);

#[derive(Clone, Default)]
struct Rows {
    clusters: HashMap<(String, String), Cluster>,
    nodes: HashMap<(String, String), Node>,
    resources: HashMap<(String, String, String), Resource>,
}

impl MemoryStore {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn clusters(&self, context: &str) -> Result<Vec<Cluster>, StateError> {
        let mut found: Vec<_> = self.rows().clusters.values().filter(|row| row.context == context).cloned().collect();
        found.sort_by(|a, b| natural_order(&a.name, &b.name));
        Ok(found)
    }

    fn cluster(&self, context: &str, name: &str) -> Result<Option<Cluster>, StateError> {
        Ok(self.rows().clusters.get(&(context.to_owned(), name.to_owned())).cloned())
    }

    fn nodes(&self, context: &str) -> Result<Vec<Node>, StateError> {
        let mut found: Vec<_> = self.rows().nodes.values().filter(|row| row.context == context).cloned().collect();
        found.sort_by(|a, b| natural_order(&a.name, &b.name));
        Ok(found)
    }

    fn nodes_of(&self, context: &str, cluster: &str) -> Result<Vec<Node>, StateError> {
        Ok(self.nodes(context)?.into_iter().filter(|node| node.cluster.as_deref() == Some(cluster)).collect())
    }

    fn node(&self, context: &str, name: &str) -> Result<Option<Node>, StateError> {
        Ok(self.rows().nodes.get(&(context.to_owned(), name.to_owned())).cloned())
    }

    fn resources(&self, context: &str, kind: Option<&str>) -> Result<Vec<Resource>, StateError> {
        let rows = self.rows();
        let ours = rows.resources.values().filter(|row| row.context == context);
        let mut found: Vec<_> = ours.filter(|row| kind.is_none_or(|kind| kind == row.kind)).cloned().collect();
        found.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| natural_order(&a.name, &b.name)));
        Ok(found)
    }

    fn resource(&self, context: &str, kind: &str, name: &str) -> Result<Option<Resource>, StateError> {
        let key = (context.to_owned(), kind.to_owned(), name.to_owned());
        Ok(self.rows().resources.get(&key).cloned())
    }

    fn contexts(&self) -> Result<Vec<String>, StateError> {
        let rows = self.rows();
        let mut found: BTreeSet<&String> = rows.clusters.keys().chain(rows.nodes.keys()).map(|key| &key.0).collect();
        found.extend(rows.resources.keys().map(|key| &key.0));
        Ok(found.into_iter().cloned().collect())
    }

    fn apply(&self, changes: &[Change], run: &str) -> Result<(), StateError> {
        let mut rows = self.rows();
        for change in changes {
            rows.apply(change, run);
        }
        Ok(())
    }
}

impl Rows {
    fn apply(&mut self, change: &Change, run: &str) {
        match change.clone() {
            Change::PutNode(node) => put(&mut self.nodes, (node.context.clone(), node.name.clone()), *node, run),
            Change::PatchNode { context, name, patch } => {
                let key = (context, name);
                if let Some(mut node) = self.nodes.get(&key).cloned() {
                    patch.apply_to(&mut node);
                    put(&mut self.nodes, key, node, run);
                }
            }
            Change::RemoveNode { context, name } => {
                self.nodes.remove(&(context, name));
            }
            Change::PutCluster(row) => put(&mut self.clusters, (row.context.clone(), row.name.clone()), *row, run),
            Change::RemoveCluster { context, name } => {
                self.clusters.remove(&(context, name));
            }
            Change::PutResource(row) => {
                put(&mut self.resources, (row.context.clone(), row.kind.clone(), row.name.clone()), *row, run);
            }
            Change::RemoveResource { context, kind, name } => {
                self.resources.remove(&(context, kind, name));
            }
        }
    }
}

fn put<K: Eq + Hash, T: Stamped>(rows: &mut HashMap<K, T>, key: K, row: T, run: &str) {
    if let Some(row) = row.over(rows.get_mut(&key), run) {
        rows.insert(key, row);
    }
}
