//! Steps of a run that nothing disturbs.

use super::*;

#[test]
fn a_step_does_its_effect_and_is_kept_with_its_row() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    assert_eq!(root.step(&at(1), &desk.look()).unwrap(), 1);
    assert_eq!(root.step(&at(2), &desk.make("web-1")).unwrap(), "made web-1");
    run.set_output("n", serde_json::json!(1)).unwrap();
    assert_eq!(runs.inventory().nodes("default/default").unwrap()[0].name, "web-1");
    let summary = run.finish(Status::Done).unwrap();
    assert_eq!(summary.status, Status::Done);
    check_steps(
        &runs,
        run.id(),
        &expect![[r#"
            0 things.look done #1: 1
            1 things.make done #1: "made web-1"
        "#]],
    );
    let detail = runs.show(run.id()).unwrap();
    let read = &detail.steps[0];
    assert!(read.ended_ms.unwrap() > read.started_ms, "a read's time is kept too");
    let step = &detail.steps[1];
    expect![[r#"Write at hadoop.rhai:2:5 {"name":"web-1"}"#]]
        .assert_eq(&format!("{:?} at {} {}", step.kind, step.place, step.args));
    expect![[r#"{"n": Number(1)} {"hadoop.rhai": "nodes::create(#{})"} {"linodetool": "0.1.0"} {"workers":3}"#]]
        .assert_eq(&format!("{:?} {:?} {:?} {}", detail.outputs, detail.sources, detail.versions, detail.params));
}

#[test]
fn a_failure_is_kept_and_the_script_may_go_on() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    desk.world.fail_next(failed(FailureKind::Limit, "too many"));
    assert_eq!(
        root.step(&at(1), &desk.make("web-1")).unwrap_err(),
        StepError::Failed(failed(FailureKind::Limit, "too many"))
    );
    root.step(&at(2), &desk.make("web-2")).unwrap();
    run.set_failure(failed(FailureKind::Limit, "too many"));
    let summary = run.finish(Status::Failed).unwrap();
    assert_eq!(summary.failure.unwrap().message, "too many");
    check_steps(
        &runs,
        run.id(),
        &expect![[r#"
            0 things.make failed #1: too many
            1 things.make done #1: "made web-2"
        "#]],
    );
}

#[test]
fn a_write_whose_outcome_is_unknown_stays_in_doubt() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    desk.world.fail_next(failed(FailureKind::Interrupted, "the machine rebooted"));
    run.root().step(&at(1), &desk.make("web-1")).unwrap_err();
    check_steps(
        &runs,
        run.id(),
        &expect![[r#"
        0 things.make intent #1: the machine rebooted
    "#]],
    );
    assert_eq!(runs.show(run.id()).unwrap().in_doubt().count(), 1);
}

#[test]
fn a_cancelled_step_returns_at_once_and_stays_in_doubt() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let canceller = cancel_after(run.cancel(), Duration::from_millis(20));
    assert_eq!(run.root().step(&at(1), &Hang).unwrap_err(), StepError::Cancelled);
    let took = canceller.join().unwrap().elapsed();
    // The promise is 30 ms on a quiet machine; the test's machine is not.
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert_eq!(run.root().step(&at(1), &desk.look()).unwrap_err(), StepError::Cancelled);
    run.finish(Status::Cancelled).unwrap();
    check_steps(
        &runs,
        run.id(),
        &expect![[r#"
        0 things.hang intent #1: ?
    "#]],
    );
}

#[test]
fn an_ended_run_takes_no_more_steps() {
    let desk = Desk::new();
    let run = desk.open().begin(new_run()).unwrap();
    run.finish(Status::Done).unwrap();
    let refused = run.root().step(&at(1), &desk.make("web-1")).unwrap_err().to_string();
    expect!["run ID has ended"].assert_eq(&refused.replace(run.id().as_str(), "ID"));
    assert!(run.finish(Status::Done).is_err());
    assert!(desk.world.made().is_empty());
}

#[test]
fn tags_and_tokens_name_the_attempt() {
    let desk = Desk::new();
    let id = RunId::parse("0a1b2c3d4e").unwrap();
    let cx = StepCx {
        run: id,
        step: "3.worker-1.0".into(),
        attempt: 2,
        intent_ms: 0,
        in_doubt: false,
        cancel: Cancel::default(),
        events: Events::none(),
        time: desk.clock.clone(),
        points: None,
    };
    assert_eq!(cx.token(), "0a1b2c3d4e/3.worker-1.0.2");
    assert_eq!(cx.tag(), step_tag("0a1b2c3d4e", "3.worker-1.0", 2));
    assert_eq!(cx.earlier_tags(), [step_tag("0a1b2c3d4e", "3.worker-1.0", 1)]);
}
