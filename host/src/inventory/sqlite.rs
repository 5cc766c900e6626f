//! The inventory in SQLite: one JSON document a row, with the columns that queries need.

use super::Change;
use super::change::{NodePatch, Stamped};
use super::database::{self, StateError};
use super::model::{Cluster, Node, Resource};
use super::store::{Store, natural_order};
use rusqlite::{Connection, OptionalExtension, ToSql, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Reads through a connection of its own, so that queries never wait for the journal's writer.
pub struct SqliteStore {
    path: PathBuf,
    reader: Mutex<Connection>,
    /// Whether a copy is kept of a damaged one.
    keeps: bool,
}

impl SqliteStore {
    /// Of a database that is there and migrated.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let reader = database::open_reader(path).map_err(StateError::kept)?;
        Ok(Self::over(path, reader))
    }

    /// Read through this connection.
    pub(crate) fn over(path: &Path, reader: Connection) -> Self {
        Self { path: path.to_owned(), reader: Mutex::new(reader), keeps: true }
    }

    /// The same for whoever only looks: nothing is written, whatever is found.
    pub(crate) fn only_look(path: &Path, reader: Connection) -> Self {
        Self { keeps: false, ..Self::over(path, reader) }
    }

    fn failed(&self, doing: &'static str) -> impl Fn(rusqlite::Error) -> StateError {
        let (failed, keeps) = (StateError::database(&self.path, doing), self.keeps);
        move |error| if keeps { failed(error).kept() } else { failed(error) }
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn list<T: DeserializeOwned>(
        &self,
        table: &'static str,
        sql: &str,
        values: &[&dyn ToSql],
        name: fn(&T) -> &str,
    ) -> Result<Vec<T>, StateError> {
        let documents: Vec<(String, String)> =
            self.rows(sql, values, |row| Ok((row.get(0)?, row.get(1)?))).map_err(self.failed("read"))?;
        let mut rows = Vec::with_capacity(documents.len());
        for (document, name) in documents {
            rows.push(serde_json::from_str(&document).map_err(|source| StateError::Row { table, name, source })?);
        }
        rows.sort_by(|a, b| natural_order(name(a), name(b)));
        Ok(rows)
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        read: fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let reader = self.reader();
        let mut statement = reader.prepare_cached(sql)?;
        statement.query_map(values, read)?.collect()
    }
}

impl Store for SqliteStore {
    fn clusters(&self, context: &str) -> Result<Vec<Cluster>, StateError> {
        self.list("cluster", "select doc, name from cluster where context = ?1", &[&context], |row: &Cluster| &row.name)
    }

    fn cluster(&self, context: &str, name: &str) -> Result<Option<Cluster>, StateError> {
        let sql = "select doc, name from cluster where context = ?1 and name = ?2";
        Ok(self.list("cluster", sql, &[&context, &name], |row: &Cluster| &row.name)?.pop())
    }

    fn nodes(&self, context: &str) -> Result<Vec<Node>, StateError> {
        self.list("node", "select doc, name from node where context = ?1", &[&context], |row: &Node| &row.name)
    }

    fn nodes_of(&self, context: &str, cluster: &str) -> Result<Vec<Node>, StateError> {
        let sql = "select doc, name from node where context = ?1 and cluster = ?2";
        self.list("node", sql, &[&context, &cluster], |row: &Node| &row.name)
    }

    fn node(&self, context: &str, name: &str) -> Result<Option<Node>, StateError> {
        let sql = "select doc, name from node where context = ?1 and name = ?2";
        Ok(self.list("node", sql, &[&context, &name], |row: &Node| &row.name)?.pop())
    }

    fn resources(&self, context: &str, kind: Option<&str>) -> Result<Vec<Resource>, StateError> {
        let sql = "select doc, name from resource where context = ?1 and (?2 is null or kind = ?2)";
        let mut rows = self.list("resource", sql, &[&context, &kind], |row: &Resource| &row.name)?;
        rows.sort_by(|a, b| a.kind.cmp(&b.kind));
        Ok(rows)
    }

    fn resource(&self, context: &str, kind: &str, name: &str) -> Result<Option<Resource>, StateError> {
        let sql = "select doc, name from resource where context = ?1 and kind = ?2 and name = ?3";
        Ok(self.list("resource", sql, &[&context, &kind, &name], |row: &Resource| &row.name)?.pop())
    }

    fn contexts(&self) -> Result<Vec<String>, StateError> {
        let sql =
            "select context from cluster union select context from node union select context from resource order by 1";
        self.rows(sql, &[], |row| row.get(0)).map_err(self.failed("read"))
    }

    fn apply(&self, changes: &[Change], run: &str) -> Result<(), StateError> {
        let failed = self.failed("written");
        let mut connection = database::open_writer(&self.path).map_err(StateError::kept)?;
        let transaction = connection.transaction().map_err(&failed)?;
        for change in changes {
            apply(&transaction, change, run).map_err(&failed)?;
        }
        transaction.commit().map_err(failed)
    }
}

/// Writes one change in the caller's transaction, stamped with the run.
pub(crate) fn apply(connection: &Connection, change: &Change, run: &str) -> rusqlite::Result<()> {
    match change {
        Change::PutNode(node) => put_node(connection, Node::clone(node), run),
        Change::PatchNode { context, name, patch } => patch_node(connection, (context, name), patch, run),
        Change::RemoveNode { context, name } => {
            execute(connection, "delete from node where context = ?1 and name = ?2", params![context, name])
        }
        Change::PutCluster(cluster) => {
            let present = "select doc from cluster where context = ?1 and name = ?2";
            let mut old = row(connection, present, params![cluster.context, cluster.name])?;
            let Some(cluster) = Cluster::clone(cluster).over(old.as_mut(), run) else { return Ok(()) };
            let sql = "insert or replace into cluster values (?1, ?2, ?3)";
            execute(connection, sql, params![cluster.context, cluster.name, document(&cluster)?])
        }
        Change::RemoveCluster { context, name } => {
            execute(connection, "delete from cluster where context = ?1 and name = ?2", params![context, name])
        }
        Change::PutResource(resource) => {
            let present = "select doc from resource where context = ?1 and kind = ?2 and name = ?3";
            let mut old = row(connection, present, params![resource.context, resource.kind, resource.name])?;
            let Some(new) = Resource::clone(resource).over(old.as_mut(), run) else { return Ok(()) };
            let sql = "insert or replace into resource values (?1, ?2, ?3, ?4)";
            execute(connection, sql, params![new.context, new.kind, new.name, document(&new)?])
        }
        Change::RemoveResource { context, kind, name } => {
            let sql = "delete from resource where context = ?1 and kind = ?2 and name = ?3";
            execute(connection, sql, params![context, kind, name])
        }
    }
}

const NODE: &str = "select doc from node where context = ?1 and name = ?2";

fn put_node(connection: &Connection, node: Node, run: &str) -> rusqlite::Result<()> {
    let mut old = row(connection, NODE, params![node.context, node.name])?;
    let Some(node) = node.over(old.as_mut(), run) else { return Ok(()) };
    let sql = "insert or replace into node values (?1, ?2, ?3, ?4)";
    execute(connection, sql, params![node.context, node.name, node.cluster, document(&node)?])
}

fn patch_node(
    connection: &Connection,
    (context, name): (&str, &str),
    patch: &NodePatch,
    run: &str,
) -> rusqlite::Result<()> {
    let Some(mut node) = row::<Node>(connection, NODE, params![context, name])? else { return Ok(()) };
    patch.apply_to(&mut node);
    put_node(connection, node, run)
}

fn row<T: DeserializeOwned>(connection: &Connection, sql: &str, key: &[&dyn ToSql]) -> rusqlite::Result<Option<T>> {
    let found: Option<String> = connection.prepare_cached(sql)?.query_row(key, |row| row.get(0)).optional()?;
    let read = |text: String| serde_json::from_str(&text);
    found
        .map(read)
        .transpose()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error)))
}

fn execute(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute(values).map(drop)
}

fn document(row: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(row).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}
