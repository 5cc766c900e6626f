//! Whether a run's journal is as it was written: its hash chain, and what lies beside it under a digest of its own.
//!
//! Looks and changes nothing. Does not know what a step means, nor what a person should do about damage.

use super::chain::{self, Head};
use super::entry::{Entry, EntryKind, StepDigest};
use super::load;
use super::number::Number;
use super::records::{ChainReport, Problem, Status, step_path};
use super::registry::{Runs, Shared};
use super::run::text_digest;
use crate::core::ids::hex;
use crate::core::{Failure, FailureKind, RunId};
use crate::inventory::{StateError, database};
use crate::secrets::files::{self, FileError};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Lines and head of a run as it ended once.
struct Audited {
    run: String,
    lines: u64,
    head: String,
}

impl Runs {
    /// Computes the run's hash chain again and compares it with what was noted.
    pub fn verify(&self, id: &RunId) -> Result<ChainReport, Failure> {
        self.0.journal.barrier()?;
        // Before the journal: a run that ends just now is in the audit log last.
        let audited = self.0.audited()?;
        self.0.verify(id, &audited)
    }

    /// The same for all runs, newest first; after them those that only the audit log knows.
    pub fn verify_all(&self) -> Result<Vec<ChainReport>, Failure> {
        self.0.journal.barrier()?;
        let audited = self.0.audited()?;
        let runs = self.list(&super::RunFilter::default())?;
        let mut reports = runs.iter().map(|run| self.0.verify(&run.id, &audited)).collect::<Result<Vec<_>, _>>()?;
        let mut missing: Vec<_> = audited.iter().map(|line| line.run.as_str()).collect();
        missing.retain(|run| runs.iter().all(|known| known.id.as_str() != *run));
        missing.sort_unstable();
        missing.dedup();
        let missing = missing.into_iter().filter_map(RunId::parse);
        reports.extend(missing.map(|run| ChainReport {
            run,
            title: None,
            lines: 0,
            head: hex(&chain::EMPTY),
            audited_lines: 0,
            problems: vec![Problem::of_run("the audit log tells of it, and the journal has nothing of it")],
        }));
        Ok(reports)
    }
}

impl Shared {
    fn verify(&self, id: &RunId, audited: &[Audited]) -> Result<ChainReport, Failure> {
        let read = |reader: &Connection| {
            // One view of the journal, which others may be writing.
            let view = reader.unchecked_transaction()?;
            match examine(&view, id, audited) {
                // What cannot be read is a finding, unless the whole database is at fault.
                Err(error) if database::is_about_a_value(&error) => unreadable(&view, id, &error).map(Some),
                examined => examined,
            }
        };
        self.read(read)?.ok_or_else(|| super::archive::no_such_run(id.as_str()))
    }

    /// The audit log, oldest line first. A line that was cut off says nothing.
    fn audited(&self) -> Result<Vec<Audited>, Failure> {
        let bytes = match files::read_private(&self.audit_log()) {
            Ok(bytes) => bytes.unwrap_or_default(),
            // Whoever may read it may be told; it holds no secrets.
            Err(FileError::Exposed { path, .. }) => std::fs::read(&path)
                .map_err(|e| Failure::new(FailureKind::State, format!("{} cannot be read: {e}", path.display())))?,
            Err(error) => return Err(StateError::from(error).into()),
        };
        let text = String::from_utf8_lossy(&bytes);
        let audited = |line: Value| {
            let (run, head) = (line["run"].as_str()?.to_owned(), line["head"].as_str()?.to_owned());
            Some(Audited { run, lines: line["lines"].as_u64()?, head })
        };
        Ok(text.lines().filter_map(|line| audited(serde_json::from_str(line).ok()?)).collect())
    }
}

/// What is known of a run beside its lines.
struct RunRow {
    title: String,
    recipe: Option<String>,
    status: Option<Status>,
    lines: u64,
    head: Head,
    /// What its first line says too, by name.
    begun: BTreeMap<&'static str, Value>,
    failure: Option<String>,
}

const BEGUN: [&str; 7] = ["title", "command_line", "context", "provider", "retry_of", "params", "versions"];

fn run_row(row: &Row) -> rusqlite::Result<RunRow> {
    let mut begun = BTreeMap::new();
    for (column, name) in BEGUN.into_iter().enumerate() {
        let text: Option<String> = row.get(column)?;
        let value = match (name, text) {
            (_, None) => Value::Null,
            ("params" | "versions", Some(text)) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
            (_, Some(text)) => Value::String(text),
        };
        begun.insert(name, value);
    }
    let status: String = row.get(8)?;
    Ok(RunRow {
        title: row.get(0)?,
        recipe: row.get(7)?,
        status: Status::parse(&status),
        lines: row.get::<_, Number>(9)?.0,
        head: row.get(10)?,
        begun,
        failure: row.get(11)?,
    })
}

/// A report of all lines; none of a run that is not there.
fn examine(reader: &Connection, id: &RunId, audited: &[Audited]) -> rusqlite::Result<Option<ChainReport>> {
    let sql = "select title, command_line, context, provider, retry_of, params, versions, recipe, status, entries, head, \
               failure from run where id = ?1";
    let Some(row) = reader.query_row(sql, [id.as_str()], run_row).optional()? else { return Ok(None) };
    let audited: HashMap<u64, &str> =
        audited.iter().filter(|line| line.run == id.as_str()).map(|line| (line.lines, line.head.as_str())).collect();
    let mut walk = Walk { heads: heads(reader, id)?, audited, ..Walk::default() };
    load::each_entry(reader, id.as_str(), |n, entry| walk.line(n, &entry))?;
    let (title, head) = (row.title.clone(), hex(&walk.head));
    let (lines, audited_lines) = (walk.next, walk.audited_lines);
    let mut problems = walk.end(&row);
    problems.extend(sources(reader, id, &row, &walk.sources)?);
    Ok(Some(ChainReport { run: id.clone(), title: Some(title), lines, head, audited_lines, problems }))
}

fn unreadable(reader: &Connection, id: &RunId, error: &rusqlite::Error) -> rusqlite::Result<ChainReport> {
    let sql = "select count(*), (select title from run where id = ?1) from entry where run = ?1";
    let (lines, title) =
        reader.query_row(sql, [id.as_str()], |row| Ok((row.get::<_, Number>(0)?.0, row.get(1).ok())))?;
    let problems = vec![Problem::of_run(format!("it cannot be read: {}", database::words(error)))];
    Ok(ChainReport { run: id.clone(), title, lines, head: hex(&chain::EMPTY), audited_lines: 0, problems })
}

/// The head after each line as it was written with it; older versions wrote none.
fn heads(reader: &Connection, id: &RunId) -> rusqlite::Result<HashMap<u64, Head>> {
    let mut query = reader.prepare_cached("select n, head from entry where run = ?1 and head is not null")?;
    let rows = query.query_map([id.as_str()], |row| Ok((row.get::<_, Number>(0)?.0, row.get(1)?)))?;
    rows.collect()
}

/// The way along the lines of a run.
#[derive(Default)]
struct Walk<'a> {
    heads: HashMap<u64, Head>,
    /// By number of lines.
    audited: HashMap<u64, &'a str>,
    next: u64,
    head: Head,
    /// All lines until here have a head of their own.
    all_headed: bool,
    audited_lines: u64,
    problems: Vec<Problem>,
    /// Operations of steps by lane and number.
    ops: HashMap<(Arc<str>, u32), String>,
    begun: Option<Value>,
    /// Digests of texts by path.
    sources: BTreeMap<String, Option<StepDigest>>,
    /// Status and failure of the end, unless it was taken up again since.
    ended: Option<Value>,
}

impl Walk<'_> {
    fn line(&mut self, n: u64, entry: &Entry) {
        if n == 0 {
            self.all_headed = true;
        }
        self.note(entry);
        let follows = n == self.next;
        if !follows {
            self.missing(n);
        }
        let computed = chain::link(&self.head, n, entry);
        let kept = self.heads.get(&n).copied();
        self.all_headed &= kept.is_some();
        if follows && kept.is_some_and(|kept| kept != computed) {
            self.problem(n, entry, "is not as it was written");
        } else if !fits_digest(entry) {
            // Whoever changed it has computed the chain anew.
            self.problem(n, entry, "has arguments that do not fit their digest");
        }
        (self.head, self.next) = (kept.unwrap_or(computed), n + 1);
        if let Some(audited) = self.audited.remove(&self.next) {
            if hex(&self.head) == audited {
                self.audited_lines = self.next;
            } else if self.problems.is_empty() {
                let what = format!("the audit log has another head for its first {} lines", self.next);
                self.problems.push(Problem::of_run(what));
            }
        }
    }

    /// What lies beside the lines is compared with this at the end.
    fn note(&mut self, entry: &Entry) {
        if let Some(op) = &entry.op {
            self.ops.insert((entry.lane.clone(), entry.seq), op.to_string());
        }
        let body = || entry.body.as_deref().and_then(|body| serde_json::from_str(body).ok());
        match entry.kind {
            EntryKind::Begin => self.begun = body(),
            EntryKind::Source => {
                self.sources.insert(entry.args.clone().unwrap_or_default(), entry.digest);
            }
            EntryKind::Finish => self.ended = body(),
            EntryKind::Owner => self.ended = None,
            _ => {}
        }
    }

    fn missing(&mut self, before: u64) {
        let (from, to) = (self.next, before.saturating_sub(1));
        let what =
            if from == to { format!("line {from} is missing") } else { format!("lines {from} to {to} are missing") };
        self.problems.push(Problem::of_run(what));
    }

    fn problem(&mut self, line: u64, entry: &Entry, what: &str) {
        use EntryKind::{Begin, Done, Doubt, Fact, Failed, Finish, Intent, Mark, Output, Owner, Source};
        let named = |what: &str| format!("{what} `{}`", entry.args.as_deref().unwrap_or_default());
        let is_step = matches!(entry.kind, Mark | Intent | Done | Failed | Doubt);
        let part = match entry.kind {
            Begin => "what it was begun with".to_owned(),
            Owner => "its taking over by a process".to_owned(),
            Source => named("the digest of"),
            Mark => "the fan-out".to_owned(),
            Intent => "the intent".to_owned(),
            Done => "the outcome".to_owned(),
            Failed => "the failure".to_owned(),
            Doubt => "the doubt".to_owned(),
            Output => named("output"),
            Fact => named("the note"),
            Finish => "its end".to_owned(),
        };
        self.problems.push(Problem {
            line: Some(line),
            step: is_step.then(|| step_path(&entry.lane, entry.seq)),
            op: is_step.then(|| self.ops.get(&(entry.lane.clone(), entry.seq)).cloned()).flatten(),
            what: format!("{part} {what}"),
        });
    }

    /// What does not fit, with what is known of the run beside its lines.
    fn end(&mut self, row: &RunRow) -> Vec<Problem> {
        if self.next < row.lines {
            self.missing(row.lines);
        }
        let mut problems = std::mem::take(&mut self.problems);
        let mut add = |what: String| problems.push(Problem::of_run(what));
        if self.next > row.lines {
            add(format!("it has {} lines, and {} are there", row.lines, self.next));
        } else if self.next == row.lines && self.head != row.head {
            add(match self.all_headed {
                true => "its last line does not give the head that was noted of it".to_owned(),
                false => {
                    "one of its lines is not as it was written; which one is not known of an old journal".to_owned()
                }
            });
        }
        if let Some(longest) = self.audited.keys().max().filter(|lines| **lines > row.lines) {
            add(format!("the audit log knows {longest} lines of it, and it has {}", row.lines));
        }
        if let Some(begun) = &self.begun {
            let differ = |name: &&str| begun[*name] != row.begun[*name];
            let names: Vec<_> = BEGUN.into_iter().filter(differ).collect();
            if !names.is_empty() {
                add(format!("it was begun with another {}", names.join(", ").replace('_', " ")));
            }
        }
        let status = self.ended.as_ref().map(|ended| serde_json::from_value(ended["status"].clone()).ok());
        let is_status = row.status == status.unwrap_or(Some(Status::Running));
        let is_failure = self.ended.as_ref().is_none_or(|ended| ended["failure"].as_str() == row.failure.as_deref());
        if self.next == row.lines && !(is_status && is_failure) {
            add("its status is not the one that it ended with".to_owned());
        }
        problems
    }
}

fn fits_digest(entry: &Entry) -> bool {
    match (&entry.op, &entry.digest, &entry.args) {
        (Some(op), Some(digest), Some(args)) => chain::step_digest(op, args) == *digest,
        _ => true,
    }
}

/// Texts that are not those which the lines name.
fn sources(
    reader: &Connection,
    id: &RunId,
    row: &RunRow,
    named: &BTreeMap<String, Option<StepDigest>>,
) -> rusqlite::Result<Vec<Problem>> {
    let kept = load::sources(reader, id.as_str())?;
    let mut problems = Vec::new();
    let mut add = |what: String| problems.push(Problem::of_run(what));
    for (path, digest) in named {
        match kept.get(path) {
            None => add(format!("the text of `{path}` is missing")),
            Some(text) if Some(text_digest(text)) != *digest => {
                add(format!("the text of `{path}` is not the one that it was run with"));
            }
            Some(_) => {}
        }
    }
    for path in kept.keys().filter(|path| !named.contains_key(*path)) {
        add(format!("it never had the text of `{path}` that is kept for it"));
    }
    if let Some(recipe) = row.recipe.as_ref().filter(|recipe| !named.contains_key(*recipe)) {
        add(format!("its recipe is said to be `{recipe}`, which it never had"));
    }
    Ok(problems)
}
