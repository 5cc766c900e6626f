//! Lanes: names, fan-outs, probes.

use super::*;

#[test]
fn lanes_have_paths_of_their_own() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    root.step(&at(1), &desk.look()).unwrap();
    let fan_out = root.mark(&at(2), "lanes", &["a", "b.c"]).unwrap();
    let outer = root.child(fan_out, "b.c");
    let inner_fan_out = outer.mark(&at(3), "lanes", &["x"]).unwrap();
    let inner = outer.child(inner_fan_out, "x");
    inner.step(&at(4), &desk.make("deep")).unwrap();
    root.step(&at(5), &desk.look()).unwrap();
    assert_eq!((root.path(), outer.path(), inner.path()), ("", "1.b~2ec", "1.b~2ec.0.x"));
    check_steps(
        &runs,
        run.id(),
        &expect![[r#"
            0 things.look done #1: 1
            1 lanes done #1: ?
            1.b~2ec.0 lanes done #1: ?
            1.b~2ec.0.x.0 things.make done #1: "made deep"
            2 things.look done #1: 2
        "#]],
    );
}

#[test]
fn many_lanes_at_once() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let root = run.root();
    let fan_out = root.mark(&at(1), "lanes", &"16").unwrap();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let lane = root.child(fan_out, &format!("n-{number}"));
            let desk = &desk;
            scope.spawn(move || {
                for step in 0..5 {
                    lane.step(&at(2), &desk.make(&format!("n-{number}-{step}"))).unwrap();
                }
            });
        }
    });
    run.finish(Status::Done).unwrap();
    assert_eq!(desk.world.made().len(), 80);
    assert_eq!(runs.show(run.id()).unwrap().steps.len(), 81);
    assert_eq!(runs.inventory().nodes("default/default").unwrap().len(), 80);
    assert_eq!(runs.verify(run.id()).unwrap().problems, []);
}

#[test]
fn a_probe_reads_without_a_trace_and_writes_nothing() {
    let desk = Desk::new();
    let runs = desk.open();
    let run = runs.begin(new_run()).unwrap();
    let probe = run.root().probe();
    assert_eq!(probe.step(&at(1), &desk.look()).unwrap(), 1);
    assert_eq!(probe.step(&at(1), &desk.look()).unwrap(), 2);
    let refused = probe.step(&at(2), &desk.make("web-1")).unwrap_err();
    expect!["`things.make` changes something, which is not possible while waiting for a condition"]
        .assert_eq(&refused.to_string());
    let refused = probe.child(0, "x").mark(&at(3), "lanes", &"x").unwrap_err();
    expect!["`lanes` cannot be used while waiting for a condition"].assert_eq(&refused.to_string());
    check_steps(&runs, run.id(), &expect![""]);
    assert!(desk.world.made().is_empty());
}

#[test]
fn a_pause_passes_in_the_runs_own_time() {
    let desk = Desk::new();
    let time = crate::core::VirtualTime::new(1_000);
    let (handle, paths) = (desk.runtime.handle().clone(), desk.paths());
    let runs = Runs::open(&paths, handle, Arc::new(time.clone()), Events::none()).unwrap();
    let run = runs.begin(new_run()).unwrap();
    assert!(run.pause(Duration::from_secs(3600)));
    assert_eq!(time.now_ms(), 3_601_000);
    run.cancel().set();
    assert!(!run.pause(Duration::from_secs(3600)));
}
