//! Steps of all runs: whose the tags on a thing are, and who has worked on a node.

use super::entry::EntryKind;
use super::records::{RunSummary, Status, step_path};
use super::registry::Runs;
use super::{load, tags};
use crate::core::{Failure, RunId};
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// A step that makes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    pub run: RunId,
    /// What its attempts put on what they make.
    pub tags: Vec<String>,
    /// Nobody knows whether it took effect.
    pub in_doubt: bool,
}

impl Runs {
    /// The run, of any context, one of whose steps of these operations put one of these tags on something.
    pub fn maker_of(&self, operations: &[&str], tags: &[String]) -> Result<Option<RunSummary>, Failure> {
        if !tags.iter().any(|tag| tag.starts_with("lt-s-")) {
            return Ok(None);
        }
        let mut creates = self.creates(operations)?.into_iter();
        let maker = creates.find(|create| create.tags.iter().any(|tag| tags.contains(tag)));
        maker.map(|create| self.summary(&create.run)).transpose()
    }

    /// Steps of these operations, of all runs of all contexts.
    pub fn creates(&self, operations: &[&str]) -> Result<Vec<Create>, Failure> {
        self.barrier()?;
        Ok(self.0.read(|reader| creates(reader, operations))?)
    }

    /// Which of these nodes runs that began after this one ran commands or wrote files on, and which runs, oldest first.
    /// Those that are undone count no more, nor those that went on with its work: its retries, and theirs.
    pub fn worked_on_since(&self, run: &RunSummary, nodes: &[&str]) -> Result<Vec<Work>, Failure> {
        self.barrier()?;
        Ok(self.0.read(|reader| worked_on_since(reader, run, nodes))?)
    }
}

/// A run that did something on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    pub node: String,
    pub run: String,
    pub title: String,
}

fn worked_on_since(reader: &Connection, run: &RunSummary, nodes: &[&str]) -> rusqlite::Result<Vec<Work>> {
    let sql = "with recursive
        retries as (select id from run where retry_of = ?2 union select run.id from run join retries on run.retry_of = retries.id),
        later as (select run.ordinal, run.id, run.title, entry.args from run join entry on entry.run = run.id
            where run.context = ?1 and run.ordinal > (select ordinal from run where id = ?2) and run.status <> ?4
            and run.id not in retries
            and entry.kind = ?5 and (entry.op like 'node.%' or entry.op in ('nodes.exec', 'nodes.copy', 'artifacts.install'))),
        work as (select ordinal, id, title, json_extract(args, '$.node') as node from later
            union select later.ordinal, later.id, later.title, its.value from later, json_each(later.args, '$.nodes') as its)
        select node, id, title from work where node in (select value from json_each(?3)) order by ordinal";
    let names = serde_json::json!(nodes).to_string();
    let intent = EntryKind::Intent as i64;
    let values = params![run.context, run.id.as_str(), names, Status::Undone.as_str(), intent];
    reader
        .prepare_cached(sql)?
        .query_map(values, |row| Ok(Work { node: row.get(0)?, run: row.get(1)?, title: row.get(2)? }))?
        .collect()
}

fn creates(reader: &Connection, operations: &[&str]) -> rusqlite::Result<Vec<Create>> {
    // Without the outcomes' texts, a journal of a million lines is read in about a second.
    let sql = "select run, lane, seq, attempt, kind from entry
        where (kind = ?1 and op in (select value from json_each(?2))) or (kind in (?3, ?4) and op is null) order by run, n";
    let mut query = reader.prepare_cached(sql)?;
    let names = serde_json::json!(operations).to_string();
    let (intent, done, failed) = (EntryKind::Intent as i64, EntryKind::Done as i64, EntryKind::Failed as i64);
    let mut rows = query.query(params![intent, names, done, failed])?;
    let mut found: BTreeMap<(String, String, u32), (u32, bool)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = (row.get(0)?, row.get(1)?, row.get(2)?);
        if row.get::<_, i64>(4)? == intent {
            found.insert(key, (row.get(3)?, true));
        } else if let Some((_, in_doubt)) = found.get_mut(&key) {
            *in_doubt = false;
        }
    }
    let create = |((run, lane, seq), (attempts, in_doubt)): ((String, String, u32), (u32, bool))| {
        let step = step_path(&lane, seq);
        let tags = (1..=attempts).map(|attempt| tags::step_tag(&run, &step, attempt)).collect();
        Ok(Create { run: load::run_id(&run)?, tags, in_doubt })
    };
    found.into_iter().map(create).collect()
}
