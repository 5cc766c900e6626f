//! A run that is taken up again: done steps are answered from its journal, and another path is refused.

use super::support::{MADE, World, world};
use expect_test::expect;
use linodetool::core::FailureKind;

fn made(name: &str) -> u32 {
    MADE.lock().unwrap().get(name).copied().unwrap_or(0)
}

#[test]
fn done_steps_are_not_done_again() {
    let text = "let t = now();
let a = nodes::create(#{ name: \"resume-a\" });
let r = lanes([\"x\", \"y\"], |i| { nodes::create(#{ name: `resume-${i}` }); i + now() });
wait_until(|| now() >= t);
output(\"all\", [t, r, a.name]);";
    let world = world();
    let first = world.run(text, &[]).unwrap();
    let world = world.reopened();
    let again = world.run(text, &[]).unwrap();
    assert_eq!(first, again);
    assert_eq!([made("resume-a"), made("resume-x"), made("resume-y")], [1, 1, 1]);
}

#[test]
fn another_path_is_named_with_both_places() {
    let text = "let t = 1;\nlet a = nodes::create(#{ name: \"path-a\" });\nlanes([\"x\"], |i| a.run(i));";
    let world = world();
    world.run(text, &[]).unwrap();
    let mut world = Some(world);
    let mut report = |text: &str| {
        let opened = world.take().map(World::reopened).unwrap();
        let error = opened.run(text, &[]).unwrap_err();
        world = Some(opened);
        assert_eq!(error.kind(), FailureKind::Diverged);
        error.to_string()
    };
    expect!["step 0 was `nodes.create` at main.rhai:2:16, but now `nodes.create with other arguments` is asked for at main.rhai:2:16 (main.rhai:2:16)"].assert_eq(&report(&text.replace("path-a", "path-b")));
    expect!["step 0 was `nodes.create` at main.rhai:2:16, but now `now` is asked for at main.rhai:1:9 (main.rhai:1:9)"]
        .assert_eq(&report(&text.replace("let t = 1;", "let t = now();")));
    expect!["step 1 was `lanes` at main.rhai:3:1, but now `lanes with other arguments` is asked for at main.rhai:3:1 (main.rhai:3:1)"].assert_eq(&report(&text.replace("[\"x\"]", "[\"y\"]")));
    let inside_try = format!("try {{ {} }} catch {{ }}", text.replace("a.run(i)", "a.run(i + \"!\")"));
    expect!["step 1.x.0 was `node.run` at main.rhai:3:20, but now `node.run with other arguments` is asked for at main.rhai:3:20 (main.rhai:3:20)"].assert_eq(&report(&inside_try));
    assert_eq!(made("path-b"), 0);
}

#[test]
fn an_end_that_comes_too_early_is_another_path() {
    let world = world();
    world.run("for i in 0..3 { nodes::create(#{ name: `early-${i}` }); }", &[]).unwrap();
    let error = world.reopened().run("nodes::create(#{ name: \"early-0\" });", &[]).unwrap_err();
    assert_eq!(error.kind(), FailureKind::Diverged);
    expect!["the script has ended, but not all of its journal: 2 left, first step 1, `nodes.create` at main.rhai:1:24"]
        .assert_eq(&error.to_string());
}

#[test]
fn lanes_that_were_left_out_stay_left_out() {
    // The second lane fails late, and those after it may or may not have started: the journal says which.
    let text = "let items = []; for i in 0..40 { items.push(`${i}`); }
let r = lanes(items, |i| { if i == \"1\" { fail(\"no\") } wait(0.002); i }, #{ on_failure: \"stop\" });
output(\"ok\", r.map(|x| x.ok));";
    let world = world();
    let first = world.run(text, &[]).unwrap();
    assert_eq!(world.reopened().run(text, &[]).unwrap(), first);
}

#[test]
fn a_failure_that_ended_the_script_is_tried_again_and_a_caught_one_is_history() {
    let ended =
        "let n = nodes::create(#{ name: \"again-a\" });\nn.run(\"needs again-later\");\noutput(\"end\", \"ran\");";
    let caught = "let n = nodes::create(#{ name: \"again-b\" }); let r = \"ran\";
try { n.run(\"needs again-later\"); } catch { r = \"caught\"; }
n.run(\"next\"); output(\"end\", r);";
    let (one, two) = (world(), world());
    expect!["again-a: there is no again-later (main.rhai:2:3)"]
        .assert_eq(&one.run(ended, &[]).unwrap_err().to_string());
    expect![[r#"{"end":"caught"}"#]].assert_eq(&two.run(caught, &[]).unwrap().to_string());
    world().run("nodes::create(#{ name: \"again-later\" });", &[]).unwrap();
    expect![[r#"{"end":"ran"}"#]].assert_eq(&one.reopened().run(ended, &[]).unwrap().to_string());
    expect![[r#"{"end":"caught"}"#]].assert_eq(&two.reopened().run(caught, &[]).unwrap().to_string());
    assert_eq!(made("again-a"), 1);
}

#[test]
fn names_of_closures_are_the_same_in_every_process() {
    // They come from a hash, show in text, and would lead a resumed run down another path.
    let outputs = world().run("let f = |x| x + 1; output(\"f\", `${f}`);", &[]).unwrap();
    expect![[r#"{"f":"Fn(anon$b727f6f35ab87f5d)"}"#]].assert_eq(&outputs.to_string());
}
