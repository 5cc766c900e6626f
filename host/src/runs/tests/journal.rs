//! The journal itself: its chain, its batches, and what happens when it cannot be written.

use super::*;
use crate::inventory::database;
use crate::runs::Durability;

/// A run of three writes and an output, ended.
pub(super) fn ended(desk: &Desk, runs: &Runs) -> RunId {
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    for name in ["a", "b", "c"] {
        root.step(&at(1), &desk.make(name)).unwrap();
    }
    run.set_output("count", serde_json::json!(3)).unwrap();
    run.finish(Status::Done).unwrap();
    run.id().clone()
}

#[test]
fn the_audit_log_has_a_line_a_run_and_is_private() {
    use std::os::unix::fs::MetadataExt;
    let desk = Desk::new();
    let runs = desk.open();
    let (first, second) = (ended(&desk, &runs), ended(&desk, &runs));
    let path = desk.dir.path().join("audit.jsonl");
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    let mut text = std::fs::read_to_string(&path).unwrap();
    for id in [&first, &second] {
        let head = runs.verify(id).unwrap().head;
        text = text.replace(id.as_str(), "ID").replace(&head, "HEAD");
    }
    let lines: Vec<_> = text.lines().map(|line| line.split(",\"time\"").next().unwrap()).collect();
    expect![[r#"
        {"context":"default/default","head":"HEAD","lines":10,"run":"ID","status":"done"
        {"context":"default/default","head":"HEAD","lines":10,"run":"ID","status":"done""#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn a_step_costs_one_commit() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    for number in 0..50 {
        root.step(&at(1), &desk.make(&format!("n-{number}"))).unwrap();
    }
    let traffic = runs.traffic();
    assert!(traffic.lines >= 100 && traffic.commits <= 60, "{traffic:?}");
}

#[test]
fn a_full_disk_stops_before_the_effect() {
    let desk = Desk::new();
    database::prepare_state_dir(desk.dir.path()).unwrap();
    let path = desk.paths().database();
    let writer = database::open_writer(&path).unwrap();
    let pages: i64 = writer.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    writer.pragma_update(None, "max_page_count", pages + 8).unwrap();
    let around = registry::Around {
        state: desk.dir.path().to_owned(),
        database: path,
        handle: desk.runtime.handle().clone(),
        time: desk.clock.clone(),
        events: Events::none(),
    };
    let runs = Runs::over(writer, Durability::Durable, around).unwrap();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    let mut done = 0;
    let error = loop {
        match root.step(&at(1), &desk.make(&format!("n-{done}-{}", "x".repeat(500)))) {
            Ok(_) => done += 1,
            Err(error) => break error,
        }
        assert!(done < 10_000);
    };
    let said = |text: &str| text.replace(desk.dir.path().to_str().unwrap(), "DIR");
    expect!["the journal DIR/linodetool.db cannot be written: the disk is full"].assert_eq(&said(&error.to_string()));
    assert_eq!(desk.world.made().len(), done, "no effect without a durable intent");
    // All that follows is refused the same way, quickly.
    assert!(matches!(root.step(&at(2), &desk.make("later")), Err(StepError::Journal(_))));
    assert_eq!(runs.begin(new_run()).err().unwrap().kind, FailureKind::State);
    assert_eq!(runs.inventory().nodes("default/default").unwrap_err().to_string().matches("disk is full").count(), 1);
    let failure = run.finish(Status::Done).unwrap_err();
    expect![
        "nothing is lost: make room on the disk that holds DIR/linodetool.db, then go on: linodetool runs resume RUN"
    ]
    .assert_eq(&said(&failure.hint.unwrap()).replace(run.id().as_str(), "RUN"));
    let id = run.id().clone();
    drop((root, run, runs));
    // With room again, the run goes on; its last step is in doubt or done, never both.
    let runs = desk.open();
    let run = runs.reopen(&id).unwrap();
    let root = run.root();
    for number in 0..=done {
        root.step(&at(1), &desk.make(&format!("n-{number}-{}", "x".repeat(500)))).unwrap();
    }
    assert_eq!(desk.world.made().len(), done + 1);
}

#[test]
fn a_database_that_vanished_is_told() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    run.root().step(&at(1), &desk.make("a")).unwrap();
    let connection = database::open_writer(&desk.paths().database()).unwrap();
    connection.execute_batch("drop table entry").unwrap();
    let error = run.root().probe().run().root().step(&at(1), &desk.make("b")).unwrap_err();
    assert!(error.to_string().ends_with("linodetool.db cannot be written: no such table: entry"), "{error}");
    assert_eq!(desk.world.made(), ["a"]);
}

#[test]
fn a_line_of_a_newer_version_is_told_as_such() {
    let desk = Desk::new();
    let runs = desk.open();
    let id = ended(&desk, &runs);
    let connection = database::open_writer(&desk.paths().database()).unwrap();
    connection.execute_batch("update entry set kind = 99 where n = 3").unwrap();
    let failure = runs.show(&id).unwrap_err();
    let said = format!("{failure}; {}", failure.hint.as_deref().unwrap_or_default());
    let said = said.replace(desk.dir.path().to_str().unwrap(), "DIR").replace(id.as_str(), "RUN");
    expect!["DIR/linodetool.db was written by a newer linodetool: run RUN has a line of kind 99, which this version does not know; update linodetool, or keep this version's state elsewhere with --state-dir"].assert_eq(&said);
    // What can be read still is.
    assert_eq!(runs.list(&RunFilter::default()).unwrap().len(), 1);
}

#[test]
fn what_a_run_went_on_without_is_counted_at_its_end() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    for name in ["a", "b"] {
        desk.world.fail_next(Failure::new(FailureKind::Limit, "no"));
        root.step(&at(1), &desk.make(name)).unwrap_err();
    }
    root.step(&at(2), &desk.make("c")).unwrap();
    assert_eq!(run.finish(Status::Failed).unwrap().failed_steps, 2);
    let id = run.id().clone();
    drop((root, run));
    let run = runs.reopen(&id).unwrap();
    let root = run.root();
    // History now: the script went on after them.
    root.step(&at(1), &desk.make("a")).unwrap_err();
    root.step(&at(1), &desk.make("b")).unwrap_err();
    root.step(&at(2), &desk.make("c")).unwrap();
    assert_eq!(run.finish(Status::Done).unwrap().failed_steps, 2);
}

#[test]
fn runs_are_listed_newest_first_and_found_by_their_beginning() {
    let desk = Desk::new();
    let runs = desk.open();
    let first = runs.begin(NewRun { title: "node create web-1".into(), ..new_run() }).unwrap();
    let second = runs.begin(NewRun { context: "app/customer".into(), ..new_run() }).unwrap();
    first.finish(Status::Done).unwrap();
    let titles = |filter: &RunFilter| -> String {
        let found = runs.list(filter).unwrap();
        found.iter().map(|run| format!("{} {}", run.title, run.status)).collect::<Vec<_>>().join(", ")
    };
    expect!["run hadoop.rhai running, node create web-1 done"].assert_eq(&titles(&RunFilter::default()));
    let all = RunFilter::default;
    expect!["node create web-1 done"].assert_eq(&titles(&RunFilter { status: Some(Status::Done), ..all() }));
    expect!["run hadoop.rhai running"].assert_eq(&titles(&RunFilter { context: Some("app/customer".into()), ..all() }));
    expect!["node create web-1 done"].assert_eq(&titles(&RunFilter { title: Some("web-1".into()), ..all() }));
    expect!["run hadoop.rhai running"].assert_eq(&titles(&RunFilter { limit: Some(1), ..all() }));
    assert_eq!(runs.find("last").unwrap(), *second.id());
    assert_eq!(runs.find(&first.id().as_str()[..9]).unwrap(), *first.id());
    expect!["no run has the id `zzz`"].assert_eq(&runs.find("zzz").unwrap_err().to_string());
    let retry = runs.begin_retry(first.id(), new_run()).unwrap();
    assert_eq!(runs.show(retry.id()).unwrap().summary.retry_of.as_ref(), Some(first.id()));
    let left = std::fs::read_dir(desk.dir.path().join("runs")).unwrap().map(|file| file.unwrap().path());
    let locks = left.filter(|file| file.extension().is_some_and(|extension| extension == "lock"));
    assert_eq!(locks.count(), 2, "an ended run leaves no lock file");
}

#[test]
fn processes_share_a_database() {
    let desk = Desk::new();
    let all = [desk.open(), desk.open(), desk.open()];
    let ids: Vec<RunId> = std::thread::scope(|scope| {
        let working: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(number, runs)| {
                let desk = &desk;
                scope.spawn(move || {
                    let run = runs.begin(new_run()).unwrap();
                    let root = run.root();
                    for step in 0..40 {
                        root.step(&at(1), &desk.make(&format!("n-{number}-{step}"))).unwrap();
                    }
                    run.finish(Status::Done).unwrap();
                    run.id().clone()
                })
            })
            .collect();
        working.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(all[0].inventory().nodes("default/default").unwrap().len(), 120);
    for id in ids {
        assert_eq!(all[0].verify(&id).unwrap().problems, []);
    }
}

#[test]
fn a_run_that_is_dropped_leaves_all_it_said() {
    let desk = Desk::new();
    let (runs, other) = (desk.open(), desk.open());
    let run = runs.begin(new_run()).unwrap();
    run.root().step(&at(1), &desk.make("a")).unwrap();
    let id = run.id().clone();
    drop(run);
    // The first journal is still open, so only the drop can have waited.
    let run = other.reopen(&id).unwrap();
    assert_eq!(run.recorded_steps(), (1, 1));
}

#[test]
fn a_run_cannot_end_as_running() {
    let desk = Desk::new();
    let run = desk.open().begin(new_run()).unwrap();
    expect!["a run cannot end as running"].assert_eq(&run.finish(Status::Running).unwrap_err().to_string());
    run.finish(Status::Done).unwrap();
}

#[test]
fn what_is_done_about_the_last_run_is_not_the_last() {
    let desk = Desk::new();
    let runs = desk.open();
    assert_eq!(runs.find("last").unwrap_err().to_string(), crate::runs::unknown("last").to_string());
    let begin = |title: &str| runs.begin(NewRun { title: title.into(), recipe: None, ..new_run() }).unwrap();
    let create = begin("node create web-1");
    let _cancel = begin(&format!("runs cancel {}", create.id()));
    let _gc = begin("cluster gc");
    assert_eq!(runs.find("last").unwrap(), *create.id());
    let exec = begin("exec web-1 -- true");
    assert_eq!(runs.find("last").unwrap(), *exec.id());
}
