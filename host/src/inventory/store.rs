//! What any store of the inventory can do, and the inventory as services use it.

use super::database::StateError;
use super::model::{Cluster, Node, Resource};
use super::{Change, Selector};
use crate::core::Failure;
use std::sync::Arc;

/// A store of rows. Lists are sorted by name, the way people sort: `web-2` before `web-10`.
pub trait Store: Send + Sync {
    fn clusters(&self, context: &str) -> Result<Vec<Cluster>, StateError>;
    fn cluster(&self, context: &str, name: &str) -> Result<Option<Cluster>, StateError>;
    fn nodes(&self, context: &str) -> Result<Vec<Node>, StateError>;
    fn nodes_of(&self, context: &str, cluster: &str) -> Result<Vec<Node>, StateError>;
    fn node(&self, context: &str, name: &str) -> Result<Option<Node>, StateError>;
    /// Of all kinds if none is given.
    fn resources(&self, context: &str, kind: Option<&str>) -> Result<Vec<Resource>, StateError>;
    fn resource(&self, context: &str, kind: &str, name: &str) -> Result<Option<Resource>, StateError>;
    /// Contexts that hold anything.
    fn contexts(&self) -> Result<Vec<String>, StateError>;
    /// All of them or none. Only for what is no part of a run; a run's changes go with its steps' outcomes.
    fn apply(&self, changes: &[Change], run: &str) -> Result<(), StateError>;
}

/// Called before each query: waits until what was queued before is in the store.
pub type Settle = Arc<dyn Fn() -> Result<(), StateError> + Send + Sync>;

/// The inventory: queries that see all that was written before them.
#[derive(Clone)]
pub struct Inventory {
    store: Arc<dyn Store>,
    settle: Settle,
}

impl Inventory {
    pub fn new(store: Arc<dyn Store>, settle: Settle) -> Self {
        Self { store, settle }
    }

    /// An inventory of its own that is gone with the process.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self::new(Arc::new(super::MemoryStore::default()), Arc::new(|| Ok(())))
    }

    fn settled(&self) -> Result<&dyn Store, StateError> {
        (self.settle)()?;
        Ok(&*self.store)
    }

    pub fn clusters(&self, context: &str) -> Result<Vec<Cluster>, StateError> {
        self.settled()?.clusters(context)
    }

    pub fn cluster(&self, context: &str, name: &str) -> Result<Option<Cluster>, StateError> {
        self.settled()?.cluster(context, name)
    }

    /// The cluster, or a failure that names near ones.
    pub fn expect_cluster(&self, context: &str, name: &str) -> Result<Cluster, Failure> {
        let store = self.settled()?;
        match store.cluster(context, name)? {
            Some(cluster) => Ok(cluster),
            None => {
                let known = store.clusters(context)?;
                Err(Failure::not_found(format!("no cluster is named `{name}`"))
                    .hint("`linodetool cluster list` shows all")
                    .near(name, known.iter().map(|cluster| cluster.name.as_str())))
            }
        }
    }

    pub fn nodes(&self, context: &str) -> Result<Vec<Node>, StateError> {
        self.settled()?.nodes(context)
    }

    pub fn nodes_of(&self, context: &str, cluster: &str) -> Result<Vec<Node>, StateError> {
        self.settled()?.nodes_of(context, cluster)
    }

    pub fn node(&self, context: &str, name: &str) -> Result<Option<Node>, StateError> {
        self.settled()?.node(context, name)
    }

    /// The node, or a failure that names near ones.
    pub fn expect_node(&self, context: &str, name: &str) -> Result<Node, Failure> {
        let store = self.settled()?;
        match store.node(context, name)? {
            Some(node) => Ok(node),
            None => {
                let known = store.nodes(context)?;
                Err(Failure::not_found(format!("no node is named `{name}`"))
                    .hint("`linodetool node list` shows all")
                    .near(name, known.iter().map(|node| node.name.as_str())))
            }
        }
    }

    pub fn resources(&self, context: &str, kind: Option<&str>) -> Result<Vec<Resource>, StateError> {
        self.settled()?.resources(context, kind)
    }

    pub fn resource(&self, context: &str, kind: &str, name: &str) -> Result<Option<Resource>, StateError> {
        self.settled()?.resource(context, kind, name)
    }

    pub fn contexts(&self) -> Result<Vec<String>, StateError> {
        self.settled()?.contexts()
    }

    /// Writes rows that no step has made: of what is there when a world begins.
    pub fn apply(&self, changes: &[Change]) -> Result<(), StateError> {
        self.settled()?.apply(changes, "")
    }

    /// The nodes that a selector such as `cluster:hadoop,!hadoop-master-1` means.
    pub fn select(&self, context: &str, selector: &Selector) -> Result<Vec<Node>, Failure> {
        selector.select(&self.nodes(context)?)
    }
}

/// Orders names the way people do: digits as numbers.
pub(crate) fn natural_order(a: &str, b: &str) -> std::cmp::Ordering {
    let mut left = Parts(a);
    let mut right = Parts(b);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return std::cmp::Ordering::Less,
            (Some(_), None) => return std::cmp::Ordering::Greater,
            (Some(x), Some(y)) => {
                let numbers = x.parse::<u64>().ok().zip(y.parse::<u64>().ok());
                let order = numbers.map_or_else(|| x.cmp(y), |(x, y)| x.cmp(&y));
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
}

/// A text as runs of digits and of others.
struct Parts<'a>(&'a str);

impl<'a> Iterator for Parts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let digits = self.0.chars().next()?.is_ascii_digit();
        let end = self.0.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(self.0.len());
        let (part, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryStore, NodePatch, SqliteStore, Trouble, database};
    use super::*;
    use crate::inventory::model::InstanceStatus;
    use expect_test::expect;

    const HERE: &str = "default/default";

    fn node(name: &str, cluster: Option<&str>) -> Node {
        Node { name: name.into(), context: HERE.into(), cluster: cluster.map(Into::into), ..Node::default() }
    }

    fn names(nodes: &[Node]) -> String {
        nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What every store must do.
    fn store_contract(store: &dyn Store) {
        // Empty at first.
        assert!(store.nodes(HERE).unwrap().is_empty() && store.contexts().unwrap().is_empty());
        assert_eq!(store.node(HERE, "web-1").unwrap(), None);

        // What was put is found, sorted as people sort, in its context only.
        let elsewhere = Node { context: "app/other".into(), ..node("web-1", None) };
        let changes: Vec<_> = [node("web-10", Some("web")), node("web-2", Some("web")), node("db", None), elsewhere]
            .map(Change::put_node)
            .into();
        store.apply(&changes, "run-1").unwrap();
        assert_eq!(names(&store.nodes(HERE).unwrap()), "db web-2 web-10");
        assert_eq!(names(&store.nodes_of(HERE, "web").unwrap()), "web-2 web-10");
        assert_eq!(names(&store.nodes("app/other").unwrap()), "web-1");
        assert_eq!(store.contexts().unwrap(), ["app/other", HERE]);
        assert_eq!(store.node(HERE, "db").unwrap().unwrap().changed_by_run, "run-1");

        // Putting replaces; a patch changes what it names; a patch of what is absent does nothing.
        let moved = Node { region: "eu-west".into(), ..node("db", Some("web")) };
        let patch = NodePatch {
            status: Some(InstanceStatus::Running),
            public_ip: Some("192.0.2.1".into()),
            ..NodePatch::default()
        };
        let changes = [
            Change::put_node(moved),
            Change::patch_node(HERE, "db", patch.clone()),
            Change::patch_node(HERE, "nobody", patch),
        ];
        store.apply(&changes, "run-2").unwrap();
        let db = store.node(HERE, "db").unwrap().unwrap();
        assert_eq!(
            (db.region.as_str(), db.status, db.public_ip.as_deref()),
            ("eu-west", InstanceStatus::Running, Some("192.0.2.1"))
        );
        assert_eq!(db.changed_by_run, "run-2");
        assert_eq!(names(&store.nodes_of(HERE, "web").unwrap()), "db web-2 web-10");
        assert_eq!(store.node(HERE, "nobody").unwrap(), None);

        // Clusters and resources.
        let cluster =
            Cluster { name: "web".into(), context: HERE.into(), region: "us-east".into(), ..Cluster::default() };
        let resource = |kind: &str, name: &str| {
            Change::put_resource(Resource {
                kind: kind.into(),
                name: name.into(),
                context: HERE.into(),
                ..Resource::default()
            })
        };
        let changes = [
            Change::put_cluster(cluster),
            resource("stackscript", "a"),
            resource("firewall", "b"),
            resource("firewall", "a"),
        ];
        store.apply(&changes, "run-3").unwrap();
        assert_eq!(store.cluster(HERE, "web").unwrap().unwrap().region, "us-east");
        assert_eq!(store.clusters(HERE).unwrap().len(), 1);
        let kinds = |kind| -> Vec<_> {
            store.resources(HERE, kind).unwrap().into_iter().map(|row| format!("{} {}", row.kind, row.name)).collect()
        };
        assert_eq!(kinds(None), ["firewall a", "firewall b", "stackscript a"]);
        assert_eq!(kinds(Some("firewall")), ["firewall a", "firewall b"]);
        assert!(store.resource(HERE, "firewall", "b").unwrap().is_some());

        // Removing twice is as good as once.
        let remove = [
            Change::remove_node(HERE, "db"),
            Change::remove_cluster(HERE, "web"),
            Change::remove_resource(HERE, "firewall", "a"),
        ];
        store.apply(&remove, "run-4").unwrap();
        store.apply(&remove, "run-4").unwrap();
        assert_eq!(names(&store.nodes(HERE).unwrap()), "web-2 web-10");
        assert!(store.cluster(HERE, "web").unwrap().is_none());
        assert_eq!(kinds(None), ["firewall b", "stackscript a"]);
    }

    #[test]
    fn memory_keeps_the_contract() {
        store_contract(&MemoryStore::default());
    }

    #[test]
    fn sqlite_keeps_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linodetool.db");
        database::open_writer(&path).unwrap();
        store_contract(&SqliteStore::open(&path).unwrap());
    }

    #[test]
    fn a_miss_names_what_is_near() {
        let store = MemoryStore::default();
        store.apply(&[Change::put_node(node("web-1", None))], "r").unwrap();
        let inventory = Inventory::new(Arc::new(store), Arc::new(|| Ok(())));
        let failure = inventory.expect_node(HERE, "web-l").unwrap_err();
        expect!["no node is named `web-l`: did you mean `web-1`?"]
            .assert_eq(&format!("{failure}: {}", failure.hint.as_deref().unwrap()));
        let failure = inventory.expect_cluster(HERE, "hadoop").unwrap_err();
        expect!["no cluster is named `hadoop`: `linodetool cluster list` shows all"]
            .assert_eq(&format!("{failure}: {}", failure.hint.as_deref().unwrap()));
    }

    #[test]
    fn a_query_settles_first() {
        let inventory = Inventory::new(
            Arc::new(MemoryStore::default()),
            Arc::new(|| {
                let trouble = Trouble { why: "the disk is full".into(), remedy: "make room".into() };
                Err(StateError::Down { path: "/s/linodetool.db".into(), trouble })
            }),
        );
        expect!["the journal /s/linodetool.db cannot be written: the disk is full"]
            .assert_eq(&inventory.nodes(HERE).unwrap_err().to_string());
    }

    #[test]
    fn names_sort_as_people_sort() {
        let mut names = ["n10", "n2", "a", "n2-b", "n02", "n1"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["a", "n1", "n02", "n2", "n2-b", "n10"]);
    }
}
