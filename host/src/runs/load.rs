//! Reads runs back from the journal: rows to data.

use super::chain::Head;
use super::entry::{Entry, EntryKind, StepDigest};
use super::number::Number;
use super::records::{
    Owner, REQUEST, RunFilter, RunSummary, Status, StepKind, StepRecord, StepState, Stored, step_path,
};
use crate::core::ids::hex;
use crate::core::{Failure, FailureKind, RunId};
use crate::inventory::database;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The last line of a run that has ended tells how, and what it passed over.
fn run_columns() -> String {
    format!(
        "id, title, command_line, context, provider, recipe, status, failure, started_ms, ended_ms, pid, heartbeat_ms, \
         retry_of, generation, entries, head, \
         case when json_valid(params) then json_extract(params, '$.{REQUEST}') is not null else 0 end, coalesce((select case when json_valid(body) then json_extract(body, '$.failed_steps') end \
         from entry where run = run.id and n = run.entries - 1 and kind = {}), 0)",
        EntryKind::Finish as i64
    )
}

/// A step as an earlier process left it, for the script to meet again.
pub(super) struct Recorded {
    pub(super) op: String,
    pub(super) digest: StepDigest,
    pub(super) place: String,
    pub(super) state: StepState,
    pub(super) attempt: u32,
    /// Of one in doubt, the last moment at which a process may have been at it.
    pub(super) intent_ms: u64,
    /// Outcome or failure as JSON; of one in doubt, the failure that was told to the script, or empty.
    pub(super) body: String,
    /// The script has come by here again.
    pub(super) met: AtomicBool,
}

/// Steps of a run by lane and number.
pub(super) type Steps = HashMap<String, Vec<Option<Recorded>>>;

pub(super) fn summaries(
    reader: &Connection,
    filter: &RunFilter,
    is_held: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<Vec<RunSummary>> {
    let sql = format!(
        "select {} from run where (?1 is null or context = ?1) and (?2 is null or instr(title, ?2) > 0)
         order by ordinal desc",
        run_columns()
    );
    let mut query = reader.prepare_cached(&sql)?;
    let mut rows = query.query(params![filter.context, filter.title])?;
    let mut found = Vec::new();
    let limit = filter.limit.unwrap_or(usize::MAX);
    while found.len() < limit {
        let Some(row) = rows.next()? else { break };
        let run = match summary(row, is_held) {
            Err(error) if database::is_about_a_value(&error) => damaged(row, &error)?,
            read => read?,
        };
        if filter.status.is_none_or(|status| status == run.status) {
            found.push(run);
        }
    }
    Ok(found)
}

pub(super) fn find(
    reader: &Connection,
    id: &str,
    is_held: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<Option<RunSummary>> {
    let sql = format!("select {} from run where id = ?1", run_columns());
    reader.prepare_cached(&sql)?.query_row([id], |row| summary(row, is_held)).optional()
}

/// What a list shows of a run whose row has a value that cannot be read: the others are not hidden by it.
fn damaged(row: &Row, error: &rusqlite::Error) -> rusqlite::Result<RunSummary> {
    let id: String = row.get(0)?;
    let failure = Failure::new(FailureKind::State, format!("its record is damaged: {}", database::words(error)))
        .hint(format!("`linodetool runs verify {id}` tells more, and what to do"));
    Ok(RunSummary {
        resumable: false,
        failed_steps: 0,
        recipe: row.get(5).unwrap_or_default(),
        id: run_id(&id)?,
        title: row.get(1).unwrap_or_else(|_| "(damaged)".to_owned()),
        command_line: row.get(2).unwrap_or_default(),
        context: row.get(3).unwrap_or_default(),
        provider: row.get(4).unwrap_or_default(),
        status: Status::Interrupted,
        failure: Some(failure),
        started_ms: row.get::<_, Number>(8).map_or(0, |ms| ms.0),
        ended_ms: None,
        heard_ms: 0,
        owner: None,
        retry_of: None,
        generation: row.get(13).unwrap_or_default(),
        lines: row.get::<_, Number>(14).map_or(0, |lines| lines.0),
        head: String::new(),
    })
}

fn summary(row: &Row, is_held: &dyn Fn(&str) -> bool) -> rusqlite::Result<RunSummary> {
    let id: String = row.get(0)?;
    let stored: String = row.get(6)?;
    let stored = Status::parse(&stored).unwrap_or(Status::Interrupted);
    // Nobody holds its lock: the process that executed it is dead.
    let status = if stored == Status::Running && !is_held(&id) { Status::Interrupted } else { stored };
    let failure: Option<String> = row.get(7)?;
    let retry_of: Option<String> = row.get(12)?;
    let owner = Owner { pid: row.get(10)?, heartbeat_ms: row.get::<_, Number>(11)?.0 };
    let recipe: Option<String> = row.get(5)?;
    let cut_off = matches!(status, Status::Interrupted | Status::Failed | Status::Cancelled);
    Ok(RunSummary {
        resumable: cut_off && (recipe.is_some() || row.get(16)?),
        failed_steps: row.get(17)?,
        recipe,
        id: run_id(&id)?,
        title: row.get(1)?,
        command_line: row.get(2)?,
        context: row.get(3)?,
        provider: row.get(4)?,
        status,
        failure: failure.as_deref().map(decode_failure),
        started_ms: row.get::<_, Number>(8)?.0,
        ended_ms: row.get::<_, Option<Number>>(9)?.map(|ms| ms.0),
        heard_ms: owner.heartbeat_ms,
        owner: (status == Status::Running).then_some(owner),
        retry_of: retry_of.as_deref().map(run_id).transpose()?,
        generation: row.get(13)?,
        lines: row.get::<_, Number>(14)?.0,
        head: hex(&row.get::<_, Head>(15)?),
    })
}

pub(super) fn run_id(text: &str) -> rusqlite::Result<RunId> {
    let unreadable =
        || rusqlite::Error::FromSqlConversionFailure(0, Type::Text, format!("`{text}` is no run id").into());
    RunId::parse(text).ok_or_else(unreadable)
}

/// What a run was begun with.
pub(super) fn stored(
    reader: &Connection,
    id: &str,
    is_held: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<Option<Stored>> {
    let Some(summary) = find(reader, id, is_held)? else { return Ok(None) };
    let sql = "select params, versions from run where id = ?1";
    let (params, versions): (String, String) = reader.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Some(Stored {
        summary,
        params: parse(&params),
        versions: serde_json::from_str(&versions).unwrap_or_default(),
        sources: sources(reader, id)?,
        facts: facts(reader, id)?,
    }))
}

pub(super) fn sources(reader: &Connection, id: &str) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut query = reader.prepare_cached("select path, text from source where run = ?1")?;
    query.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub(super) fn outputs(reader: &Connection, id: &str) -> rusqlite::Result<BTreeMap<String, Value>> {
    named_values(reader, id, EntryKind::Output)
}

pub(super) fn facts(reader: &Connection, id: &str) -> rusqlite::Result<BTreeMap<String, Value>> {
    named_values(reader, id, EntryKind::Fact)
}

/// The last value of each name among the lines of a kind.
fn named_values(reader: &Connection, id: &str, kind: EntryKind) -> rusqlite::Result<BTreeMap<String, Value>> {
    let sql = "select args, body from entry where run = ?1 and kind = ?2 order by n";
    let mut query = reader.prepare_cached(sql)?;
    let rows = query.query_map(params![id, kind as i64], |row| {
        let (name, body): (String, String) = (row.get(0)?, row.get(1)?);
        Ok((name, parse(&body)))
    })?;
    rows.collect()
}

/// Calls with the lines of a run in the order of their commits.
pub(super) fn each_entry(reader: &Connection, id: &str, mut f: impl FnMut(u64, Entry)) -> rusqlite::Result<()> {
    let sql = "select n, kind, lane, seq, attempt, op, digest, place, ms, args, body, began_ms from entry where run = ?1 order by n";
    let mut query = reader.prepare_cached(sql)?;
    let mut rows = query.query([id])?;
    let mut last_lane: Arc<str> = Arc::from("");
    while let Some(row) = rows.next()? {
        let number: i64 = row.get(1)?;
        let unknown = || {
            let found =
                database::Newer(format!("run {id} has a line of kind {number}, which this version does not know"));
            rusqlite::Error::FromSqlConversionFailure(1, Type::Integer, found.into())
        };
        let lane = row.get_ref(2)?.as_str()?;
        if *last_lane != *lane {
            last_lane = Arc::from(lane);
        }
        let entry = Entry {
            kind: EntryKind::from_number(number).ok_or_else(unknown)?,
            lane: last_lane.clone(),
            seq: row.get(3)?,
            attempt: row.get(4)?,
            op: row.get::<_, Option<String>>(5)?.map(Cow::Owned),
            digest: row.get(6)?,
            place: row.get(7)?,
            ms: row.get::<_, Number>(8)?.0,
            args: row.get(9)?,
            body: row.get(10)?,
            began_ms: row.get::<_, Option<Number>>(11)?.map(|ms| ms.0),
        };
        f(row.get::<_, Number>(0)?.0, entry);
    }
    Ok(())
}

/// The steps that a resumed script will meet. Until `at_work_ms` a process may have been at those in doubt.
pub(super) fn recorded(reader: &Connection, id: &str, at_work_ms: u64) -> rusqlite::Result<Steps> {
    let mut steps = Steps::new();
    each_entry(reader, id, |_, entry| {
        let Some(state) = state_after(entry.kind) else { return };
        if !steps.contains_key(&*entry.lane) {
            steps.insert(entry.lane.to_string(), Vec::new());
        }
        let Some(lane) = steps.get_mut(&*entry.lane) else { return };
        let index = entry.seq as usize;
        if lane.len() <= index {
            lane.resize_with(index + 1, || None);
        }
        let body = entry.body.unwrap_or_default();
        match (entry.op, &mut lane[index]) {
            // Names its operation: the first line of an attempt.
            (Some(op), slot) => {
                *slot = Some(Recorded {
                    op: op.into_owned(),
                    digest: entry.digest.unwrap_or_default(),
                    place: entry.place.unwrap_or_default(),
                    state,
                    attempt: entry.attempt,
                    intent_ms: entry.ms,
                    body,
                    met: AtomicBool::new(false),
                });
            }
            (None, Some(step)) => {
                step.state = state;
                step.body = body;
            }
            // An outcome without intent was never written; a damaged journal is found by its chain.
            (None, None) => {}
        }
    })?;
    for step in steps.values_mut().flatten().flatten().filter(|step| step.state == StepState::Intent) {
        step.intent_ms = step.intent_ms.max(at_work_ms);
    }
    Ok(steps)
}

/// The arguments of a step's last attempt, as JSON.
pub(super) fn args(reader: &Connection, id: &str, lane: &str, seq: u32) -> rusqlite::Result<Option<String>> {
    let sql =
        "select args from entry where run = ?1 and lane = ?2 and seq = ?3 and op is not null order by n desc limit 1";
    Ok(reader.query_row(sql, params![id, lane, seq], |row| row.get(0)).optional()?.flatten())
}

/// How a step stands after a line of this kind; none of a line that is about no step.
fn state_after(kind: EntryKind) -> Option<StepState> {
    match kind {
        EntryKind::Intent | EntryKind::Doubt => Some(StepState::Intent),
        EntryKind::Done | EntryKind::Mark => Some(StepState::Done),
        EntryKind::Failed => Some(StepState::Failed),
        _ => None,
    }
}

/// A step by the first line of an attempt, the `n`th of its run.
fn first_of(entry: &Entry, state: StepState, n: u64) -> StepRecord {
    StepRecord {
        path: step_path(&entry.lane, entry.seq),
        lane: entry.lane.to_string(),
        seq: entry.seq,
        kind: match entry.kind {
            EntryKind::Mark => StepKind::Mark,
            EntryKind::Intent => StepKind::Write,
            _ => StepKind::Read,
        },
        op: entry.op.as_deref().unwrap_or_default().to_owned(),
        digest: hex(&entry.digest.unwrap_or_default()),
        args: entry.args.as_deref().map_or(Value::Null, parse),
        place: entry.place.clone().unwrap_or_default(),
        state,
        attempt: entry.attempt,
        started_ms: entry.began_ms.unwrap_or(entry.ms),
        ended_ms: None,
        outcome: None,
        failure: None,
        order: n,
    }
}

/// The steps as data, in the order of their last lines.
pub(super) fn step_records(reader: &Connection, id: &str) -> rusqlite::Result<Vec<StepRecord>> {
    let mut steps: HashMap<(Arc<str>, u32), StepRecord> = HashMap::new();
    each_entry(reader, id, |n, entry| {
        let Some(state) = state_after(entry.kind) else { return };
        let key = (entry.lane.clone(), entry.seq);
        if entry.op.is_some() {
            steps.insert(key.clone(), first_of(&entry, state, n));
        }
        let Some(step) = steps.get_mut(&key) else { return };
        step.state = state;
        step.order = n;
        step.ended_ms = (entry.kind != EntryKind::Intent).then_some(entry.ms);
        let body = entry.body.as_deref();
        match entry.kind {
            EntryKind::Done => step.outcome = body.map(parse),
            EntryKind::Failed | EntryKind::Doubt => step.failure = body.map(decode_failure),
            _ => {}
        }
    })?;
    let mut steps: Vec<_> = steps.into_values().collect();
    steps.sort_by_key(|step| step.order);
    Ok(steps)
}

/// Calls with each attempt at a step as it ends, in the order of their ends; no more is kept than what is open. Only of
/// operations that are wanted.
pub(super) fn each_step(
    reader: &Connection,
    id: &str,
    wanted: &dyn Fn(&str) -> bool,
    each: &mut dyn FnMut(StepRecord),
) -> rusqlite::Result<()> {
    let mut open: HashMap<(Arc<str>, u32), StepRecord> = HashMap::new();
    each_entry(reader, id, |n, entry| {
        // What is in doubt stays open, and is told when it ends.
        let Some(state) = state_after(entry.kind).filter(|_| entry.kind != EntryKind::Doubt) else { return };
        let key = (entry.lane.clone(), entry.seq);
        let mut step = match &entry.op {
            Some(op) if !wanted(op) => return,
            Some(_) => first_of(&entry, state, n),
            None => match open.remove(&key) {
                Some(step) => step,
                None => return,
            },
        };
        if state == StepState::Intent {
            open.insert(key, step);
            return;
        }
        (step.state, step.order, step.ended_ms) = (state, n, Some(entry.ms));
        let body = entry.body.as_deref();
        match entry.kind {
            EntryKind::Done => step.outcome = body.map(parse),
            EntryKind::Failed => step.failure = body.map(decode_failure),
            _ => {}
        }
        each(step);
    })
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or(Value::Null)
}

/// A failure as it was stored; one of another version at least shows its text.
pub(super) fn decode_failure(json: &str) -> Failure {
    serde_json::from_str(json).unwrap_or_else(|_| Failure::internal(format!("an unreadable failure: {json}")))
}
