//! Damage of a run's journal, and what only looks like it.

use super::journal::ended;
use super::*;
use crate::inventory::database;
use crate::runs::chain::{self, Head};
use crate::runs::load;
use crate::secrets::files::append_private;
use rusqlite::Connection;

fn writer(desk: &Desk) -> Connection {
    database::open_writer(&desk.paths().database()).unwrap()
}

fn problems(runs: &Runs, id: &RunId) -> String {
    let problems: Vec<_> = runs.verify(id).unwrap().problems.iter().map(ToString::to_string).collect();
    if problems.is_empty() { "fine".to_owned() } else { problems.join("\n  ") }
}

/// Each change, made to a run of its own, with what is said of it.
fn told(changes: &[&str], also: impl Fn(&Connection, &RunId)) -> String {
    let mut said = String::new();
    for sql in changes {
        let desk = Desk::new();
        let runs = desk.open();
        let id = ended(&desk, &runs);
        let report = runs.verify(&id).unwrap();
        assert_eq!((report.problems.as_slice(), report.audited_lines), (&[][..], report.lines));
        let connection = writer(&desk);
        connection.execute_batch(sql).unwrap();
        also(&connection, &id);
        said += &format!("{sql}:\n  {}\n", problems(&runs, &id).replace(id.as_str(), "ID"));
    }
    said
}

#[test]
fn a_changed_line_is_named() {
    let changes = [
        "update entry set body = '\"made x\"' where kind = 6 and seq = 1",
        "update entry set place = 'elsewhere' where kind = 5 and seq = 0; update entry set ms = 1 where kind = 9",
        "delete from entry where n = 3",
        "delete from entry where n > 7",
        "delete from entry",
        "update entry set kind = 99 where n = 3",
        "update entry set seq = 'x' where n = 3",
    ];
    expect![[r#"
        update entry set body = '"made x"' where kind = 6 and seq = 1:
          at step 1 (`things.make`): the outcome is not as it was written (line 5)
        update entry set place = 'elsewhere' where kind = 5 and seq = 0; update entry set ms = 1 where kind = 9:
          at step 0 (`things.make`): the intent is not as it was written (line 2)
          output `count` is not as it was written (line 8)
        delete from entry where n = 3:
          line 3 is missing
        delete from entry where n > 7:
          lines 8 to 9 are missing
        delete from entry:
          lines 0 to 9 are missing
          it never had the text of `hadoop.rhai` that is kept for it
          its recipe is said to be `hadoop.rhai`, which it never had
        update entry set kind = 99 where n = 3:
          it cannot be read: a newer linodetool wrote it: run ID has a line of kind 99, which this version does not know
        update entry set seq = 'x' where n = 3:
          it cannot be read: Invalid column type Text at index: 3, name: seq
    "#]]
    .assert_eq(&told(&changes, |_, _| {}));
}

#[test]
fn what_lies_beside_the_lines_is_compared_too() {
    let changes = [
        "update source set text = 'nodes::delete(#{})'",
        "delete from source",
        "insert into source select id, 'lib/x.rhai', '' from run",
        "update run set params = '{\"workers\":4}', context = 'a/b'",
        "update run set recipe = 'other.rhai'",
        "update run set status = 'failed'",
        "update run set entries = 9",
        "update run set head = zeroblob(32)",
    ];
    expect![[r#"
        update source set text = 'nodes::delete(#{})':
          the text of `hadoop.rhai` is not the one that it was run with
        delete from source:
          the text of `hadoop.rhai` is missing
        insert into source select id, 'lib/x.rhai', '' from run:
          it never had the text of `lib/x.rhai` that is kept for it
        update run set params = '{"workers":4}', context = 'a/b':
          it was begun with another context, params
        update run set recipe = 'other.rhai':
          its recipe is said to be `other.rhai`, which it never had
        update run set status = 'failed':
          its status is not the one that it ended with
        update run set entries = 9:
          it has 9 lines, and 10 are there
        update run set head = zeroblob(32):
          its last line does not give the head that was noted of it
    "#]]
    .assert_eq(&told(&changes, |_, _| {}));
}

/// As somebody does who knows how the chain is made.
fn compute_anew(connection: &Connection, id: &RunId) {
    let mut head: Head = chain::EMPTY;
    let mut heads = Vec::new();
    load::each_entry(connection, id.as_str(), |n, entry| {
        head = chain::link(&head, n, &entry);
        heads.push((n as i64, head));
    })
    .unwrap();
    for (n, head) in heads {
        connection.execute("update entry set head = ?2 where n = ?1", rusqlite::params![n, head]).unwrap();
    }
    connection.execute("update run set head = ?1", [head]).unwrap();
}

#[test]
fn a_chain_that_was_computed_anew_is_noticed() {
    let changes = [
        "update entry set body = '\"made x\"' where kind = 6 and seq = 1",
        "update entry set args = '{\"name\":\"x\"}' where kind = 5 and seq = 1",
        "delete from entry where n = 9; update run set entries = 9, status = 'running', failure = null",
    ];
    expect![[r#"
        update entry set body = '"made x"' where kind = 6 and seq = 1:
          the audit log has another head for its first 10 lines
        update entry set args = '{"name":"x"}' where kind = 5 and seq = 1:
          at step 1 (`things.make`): the intent has arguments that do not fit their digest (line 4)
        delete from entry where n = 9; update run set entries = 9, status = 'running', failure = null:
          the audit log knows 10 lines of it, and it has 9
    "#]]
    .assert_eq(&told(&changes, compute_anew));
}

#[test]
fn a_journal_of_an_older_version_has_no_heads_by_its_lines() {
    let changes = [
        "update entry set head = null",
        "update entry set head = null; update entry set body = '\"made x\"' where kind = 6 and seq = 1",
        "update entry set head = null where n < 6; update entry set body = '1' where kind = 9",
    ];
    expect![[r#"
        update entry set head = null:
          fine
        update entry set head = null; update entry set body = '"made x"' where kind = 6 and seq = 1:
          the audit log has another head for its first 10 lines
          one of its lines is not as it was written; which one is not known of an old journal
        update entry set head = null where n < 6; update entry set body = '1' where kind = 9:
          output `count` is not as it was written (line 8)
    "#]]
    .assert_eq(&told(&changes, |_, _| {}));
}

#[test]
fn what_is_no_json_any_more_hides_no_other_run() {
    let desk = Desk::new();
    let runs = desk.open();
    let ids = [ended(&desk, &runs), ended(&desk, &runs)];
    let connection = writer(&desk);
    connection.execute("update run set params = '{' where id = ?1", [ids[0].as_str()]).unwrap();
    connection.execute("update entry set body = '{' where run = ?1 and n = 9", [ids[0].as_str()]).unwrap();
    let reports = runs.verify_all().unwrap();
    let fine: Vec<_> = reports.iter().map(|report| (report.run.clone(), report.problems.is_empty())).collect();
    assert_eq!(fine, [(ids[1].clone(), true), (ids[0].clone(), false)]);
    assert_eq!(runs.list(&crate::runs::RunFilter::default()).unwrap().len(), 2);
}

#[test]
fn a_damaged_row_hides_no_other_run() {
    let desk = Desk::new();
    let runs = desk.open();
    let ids = [ended(&desk, &runs), ended(&desk, &runs)];
    writer(&desk).execute("update run set head = x'00' where id = ?1", [ids[0].as_str()]).unwrap();
    let list = runs.list(&crate::runs::RunFilter::default()).unwrap();
    let told: Vec<_> = list.iter().map(|run| (run.id.clone(), run.failure.is_some(), run.resumable)).collect();
    assert_eq!(told, [(ids[1].clone(), false, false), (ids[0].clone(), true, false)]);
    let fine: Vec<_> = runs.verify_all().unwrap().iter().map(|report| report.problems.is_empty()).collect();
    assert_eq!(fine, [true, false]);
}

#[test]
fn a_process_that_died_before_the_audit_log_was_written_damages_nothing() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let id = run.id().clone();
    run.root().step(&at(1), &desk.make("a")).unwrap();
    run.finish(Status::Failed).unwrap();
    drop(run);
    let audit = desk.dir.path().join("audit.jsonl");
    let told = || {
        let report = runs.verify(&id).unwrap();
        format!("{}: {} of {} lines audited", problems(&runs, &id), report.audited_lines, report.lines)
    };
    let mut said = vec![told()];
    // It goes on, and dies at work.
    let before = std::fs::read(&audit).unwrap();
    let run = runs.reopen(&id).unwrap();
    let root = run.root();
    root.step(&at(1), &desk.make("a")).unwrap();
    root.step(&at(1), &desk.make("b")).unwrap();
    drop((root, run));
    said.push(told());
    // It ends, and dies before the audit log has its line, or while it is being written.
    let run = runs.reopen(&id).unwrap();
    run.finish(Status::Done).unwrap();
    std::fs::write(&audit, &before).unwrap();
    said.push(told());
    append_private(&audit, "{\"run\":\"").unwrap();
    said.push(told());
    expect![[r#"
        fine: 5 of 5 lines audited
        fine: 5 of 8 lines audited
        fine: 5 of 10 lines audited
        fine: 5 of 10 lines audited"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn all_runs_are_verified_and_those_that_vanished_are_named() {
    let desk = Desk::new();
    let runs = desk.open();
    let ids = [ended(&desk, &runs), ended(&desk, &runs), ended(&desk, &runs)];
    let connection = writer(&desk);
    for table in ["entry where run", "source where run", "run where id"] {
        connection.execute(&format!("delete from {table} = ?1"), [ids[0].as_str()]).unwrap();
    }
    connection.execute("update source set text = '' where run = ?1", [ids[1].as_str()]).unwrap();
    let mut said = String::new();
    for report in runs.verify_all().unwrap() {
        let n = ids.iter().position(|id| *id == report.run).unwrap();
        let title = report.title.as_deref().unwrap_or("-");
        let problems: Vec<_> = report.problems.iter().map(ToString::to_string).collect();
        said += &format!("{n} {title}: {}\n", problems.join("; "));
    }
    expect![[r#"
        2 run hadoop.rhai: 
        1 run hadoop.rhai: the text of `hadoop.rhai` is not the one that it was run with
        0 -: the audit log tells of it, and the journal has nothing of it
    "#]]
    .assert_eq(&said);
}
