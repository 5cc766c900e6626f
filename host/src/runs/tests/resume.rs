//! Runs that are taken up again: what is answered from the journal, what is done again, what is refused.

use super::*;

/// One step, then the process is gone (dropped without `finish`).
fn interrupted(desk: &Desk) -> RunId {
    let run = desk.open().begin(new_run()).unwrap();
    run.root().step(&at(1), &desk.look()).unwrap();
    run.id().clone()
}

#[test]
fn done_steps_answer_with_what_was_journaled() {
    let desk = Desk::new();
    let id = {
        let run = desk.open().begin(new_run()).unwrap();
        let root = run.root();
        assert_eq!(root.step(&at(1), &desk.look()).unwrap(), 1);
        root.step(&at(2), &desk.make("web-1")).unwrap();
        run.id().clone()
    };
    let runs = desk.open();
    assert_eq!(runs.list(&RunFilter::default()).unwrap()[0].status, Status::Interrupted);
    let run = runs.reopen(&id).unwrap();
    assert_eq!(run.recorded_steps(), (2, 2));
    assert_eq!(run.stored_source("hadoop.rhai").unwrap(), "nodes::create(#{})");
    let root = run.root();
    assert!(root.is_next_done());
    assert_eq!(root.step(&at(1), &desk.look()).unwrap(), 1, "not looked again");
    assert_eq!(run.unmet(), [("1".to_owned(), "things.make".to_owned(), "hadoop.rhai:2:5".to_owned())]);
    assert_eq!(root.step(&at(2), &desk.make("web-1")).unwrap(), "made web-1");
    assert!(!root.is_next_done());
    assert_eq!(run.unmet(), []);
    root.step(&at(3), &desk.make("web-2")).unwrap();
    run.finish(Status::Done).unwrap();
    assert_eq!(desk.world.made(), ["web-1", "web-2"]);
    let summary = &runs.list(&RunFilter::default()).unwrap()[0];
    assert_eq!((summary.status, summary.generation), (Status::Done, 2));
    assert_eq!(runs.verify(&id).unwrap().problems, []);
    let refused = runs.reopen(&id).err().unwrap();
    expect!["run ID is done"].assert_eq(&refused.to_string().replace(id.as_str(), "ID"));
}

#[test]
fn another_path_is_named_with_both_places() {
    let desk = Desk::new();
    let id = interrupted(&desk);
    let runs = desk.open();
    let run = runs.reopen(&id).unwrap();
    let error = run.root().step(&at(7), &desk.make("web-1")).unwrap_err();
    expect!["step 0 was `things.look` at hadoop.rhai:1:5, but now `things.make` is asked for at hadoop.rhai:7:5"]
        .assert_eq(&error.to_string());
    drop(run);

    let run = runs.begin(new_run()).unwrap();
    run.root().step(&at(1), &desk.make("web-1")).unwrap();
    let id = run.id().clone();
    drop(run);
    let error = runs.reopen(&id).unwrap().root().step(&at(1), &desk.make("web-2")).unwrap_err();
    expect![[
        r#"step 0 was `things.make` with `name` "web-1" at hadoop.rhai:1:5, but now it has "web-2" at hadoop.rhai:1:5"#
    ]]
    .assert_eq(&error.to_string());
    assert_eq!(desk.world.made(), ["web-1"]);
}

/// A run whose write `web-1` was cancelled: after it took effect, or before.
fn in_doubt(desk: &Desk, took_effect: bool) -> RunId {
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    desk.world.fail_next(failed(FailureKind::Interrupted, "connection lost"));
    run.root().step(&at(1), &desk.make("web-1")).unwrap_err();
    if took_effect {
        let tag = step_tag(run.id().as_str(), "0", 1);
        desk.world.0.lock().unwrap().made.push((tag, "web-1".into()));
    }
    run.finish(Status::Failed).unwrap();
    run.id().clone()
}

#[test]
fn what_took_effect_is_adopted() {
    let desk = Desk::new();
    let id = in_doubt(&desk, true);
    let runs = desk.open();
    let run = runs.reopen(&id).unwrap();
    assert_eq!(run.root().step(&at(1), &desk.make("web-1")).unwrap(), "made web-1");
    assert_eq!(desk.world.made(), ["web-1"]);
    assert_eq!(runs.inventory().nodes("default/default").unwrap().len(), 1, "the row came with it");
    check_steps(
        &runs,
        &id,
        &expect![[r#"
        0 things.make done #1: "made web-1"
    "#]],
    );
}

#[test]
fn what_did_not_take_effect_is_done_now() {
    let desk = Desk::new();
    let id = in_doubt(&desk, false);
    let runs = desk.open();
    let run = runs.reopen(&id).unwrap();
    run.root().step(&at(1), &desk.make("web-1")).unwrap();
    assert_eq!(desk.world.made(), ["web-1"]);
    check_steps(
        &runs,
        &id,
        &expect![[r#"
        0 things.make done #1: "made web-1"
    "#]],
    );
}

#[test]
fn a_doubt_that_cannot_be_settled_stays_one() {
    let desk = Desk::new();
    let id = in_doubt(&desk, true);
    desk.world.0.lock().unwrap().lost = Some(failed(FailureKind::Unavailable, "the API is down"));
    let runs = desk.open();
    let run = runs.reopen(&id).unwrap();
    run.root().step(&at(1), &desk.make("web-1")).unwrap_err();
    drop(run);
    check_steps(
        &runs,
        &id,
        &expect![[r#"
        0 things.make intent #1: the API is down
    "#]],
    );
    desk.world.0.lock().unwrap().lost = None;
    runs.reopen(&id).unwrap().root().step(&at(1), &desk.make("web-1")).unwrap();
    assert_eq!(desk.world.made(), ["web-1"]);
}

#[test]
fn a_doubt_that_the_script_passed_is_history() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    desk.world.fail_next(failed(FailureKind::Interrupted, "the machine rebooted"));
    root.step(&at(1), &desk.make("web-1")).unwrap_err();
    root.step(&at(2), &desk.make("web-2")).unwrap();
    let id = run.id().clone();
    drop((root, run));
    let run = runs.reopen(&id).unwrap();
    let root = run.root();
    let error = root.step(&at(1), &desk.make("web-1")).unwrap_err();
    assert_eq!(error, StepError::Failed(failed(FailureKind::Interrupted, "the machine rebooted")));
    root.step(&at(2), &desk.make("web-2")).unwrap();
    assert_eq!(desk.world.made(), ["web-2"]);
}

#[test]
fn a_failure_that_the_script_passed_is_history_the_last_one_is_tried_again() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    desk.world.fail_next(failed(FailureKind::Limit, "first"));
    root.step(&at(1), &desk.make("a")).unwrap_err();
    desk.world.fail_next(failed(FailureKind::Limit, "second"));
    root.step(&at(2), &desk.make("b")).unwrap_err();
    run.finish(Status::Failed).unwrap();
    let id = run.id().clone();
    let run = runs.reopen(&id).unwrap();
    let root = run.root();
    assert_eq!(root.step(&at(1), &desk.make("a")).unwrap_err().to_string(), "first");
    assert_eq!(root.step(&at(2), &desk.make("b")).unwrap(), "made b");
    check_steps(
        &runs,
        &id,
        &expect![[r#"
            0 things.make failed #1: first
            1 things.make done #2: "made b"
        "#]],
    );
    assert_eq!(desk.world.0.lock().unwrap().made[0].0, step_tag(id.as_str(), "1", 2), "the attempt is in the tag");
}

#[test]
fn a_failure_in_a_lane_is_history_if_the_script_went_on_after_the_fan_out() {
    for went_on in [true, false] {
        let desk = Desk::new();
        let runs = desk.open();
        let run = runs.begin(new_run()).unwrap();
        let walk = |root: &Lane| {
            let fan_out = root.mark(&at(1), "lanes", &["a"]).unwrap();
            let lane = root.child(fan_out, "a");
            lane.step(&at(2), &desk.look()).unwrap();
            lane.step(&at(3), &desk.make("a"))
        };
        let root = run.root();
        let fan_out = root.mark(&at(1), "lanes", &["a"]).unwrap();
        let lane = root.child(fan_out, "a");
        lane.step(&at(2), &desk.look()).unwrap();
        desk.world.fail_next(failed(FailureKind::Limit, "full"));
        lane.step(&at(3), &desk.make("a")).unwrap_err();
        if went_on {
            root.step(&at(4), &desk.look()).unwrap();
        }
        let id = run.id().clone();
        drop((root, lane, run));
        let again = walk(&runs.reopen(&id).unwrap().root());
        assert_eq!(again.is_err(), went_on);
    }
}

#[test]
fn a_cancelled_run_can_be_taken_up() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let canceller = cancel_after(run.cancel(), Duration::from_millis(5));
    run.root().step(&at(1), &Hang).unwrap_err();
    canceller.join().unwrap();
    run.finish(Status::Cancelled).unwrap();
    let run = runs.reopen(run.id()).unwrap();
    run.root().step(&at(1), &Hang).unwrap();
    run.finish(Status::Done).unwrap();
    check_steps(
        &runs,
        run.id(),
        &expect![[r#"
        0 things.hang done #1: null
    "#]],
    );
}

#[test]
fn one_owner_at_a_time() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    runs.barrier().unwrap();
    let other = desk.open();
    let summary = &other.list(&RunFilter::default()).unwrap()[0];
    assert_eq!((summary.status, summary.owner.as_ref().unwrap().pid), (Status::Running, std::process::id()));
    let failure = other.reopen(run.id()).err().unwrap();
    let holder = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let said = failure.to_string().replace(run.id().as_str(), "ID").replace(&std::process::id().to_string(), "PID");
    let (before, since) = said.split_once(" since ").unwrap();
    assert!(before.starts_with("run ID is being executed by "), "{said}");
    assert!(before.ends_with(&format!("process PID on {holder}")), "{said}");
    expect!["1970-01-01T00:00:01Z, last heard of 2 s ago"].assert_eq(since);
}

#[test]
fn an_owner_without_its_lock_writes_no_more() {
    let desk = Desk::new();
    let (runs, other) = (desk.open(), desk.open());
    let run = runs.begin(new_run()).unwrap();
    run.root().step(&at(1), &desk.make("a")).unwrap();
    // As when somebody removes lock files by hand.
    std::fs::remove_file(desk.dir.path().join(format!("runs/{}.lock", run.id()))).unwrap();
    let taken = other.reopen(run.id()).unwrap();
    let root = run.root();
    let fan_out = 0;
    let refused = root.child(fan_out, "x").step(&at(2), &desk.make("b")).unwrap_err();
    expect!["run ID was taken over by another process; this one has stopped writing it"]
        .assert_eq(&refused.to_string().replace(run.id().as_str(), "ID"));
    assert_eq!(desk.world.made(), ["a"], "no effect without a durable intent");
    taken.root().step(&at(1), &desk.make("a")).unwrap();
    taken.finish(Status::Done).unwrap();
    assert_eq!(runs.verify(run.id()).unwrap().problems, []);
}
