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
    expect![[r#"step 0 was `nodes.create` with `name` "path-a" at main.rhai:2:16, but now it has "path-b" at main.rhai:2:16 (main.rhai:2:16)"#]].assert_eq(&report(&text.replace("path-a", "path-b")));
    expect!["step 0 was `nodes.create` at main.rhai:2:16, but now `now` is asked for at main.rhai:1:9 (main.rhai:1:9)"]
        .assert_eq(&report(&text.replace("let t = 1;", "let t = now();")));
    expect![[
        r#"step 1 was `lanes` with `[0]` "x" at main.rhai:3:1, but now it has "y" at main.rhai:3:1 (main.rhai:3:1)"#
    ]]
    .assert_eq(&report(&text.replace("[\"x\"]", "[\"y\"]")));
    let inside_try = format!("try {{ {} }} catch {{ }}", text.replace("a.run(i)", "a.run(i + \"!\")"));
    expect![[r#"step 1.x.0 was `node.run` with `command` "x" at main.rhai:3:20, but now it has "x!" at main.rhai:3:20 (main.rhai:3:20)"#]].assert_eq(&report(&inside_try));
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

/// Runs a text, which may fail, then looks whether the next one takes its path. Gives the world, taken up with that text.
fn present(was: &str, is: &str) -> (World, String) {
    let world = world();
    let _ = world.run(was, &[]);
    let lines = world.runs.summary(world.run.id()).unwrap().lines;
    let (world, checked) = world.with_present(is);
    let after = world.runs.summary(world.run.id()).unwrap().lines;
    let said = match checked {
        Ok(()) => "the same".to_owned(),
        Err(error) => {
            assert_eq!(after, lines + 1, "only taken up");
            error.to_string()
        }
    };
    (world, said)
}

#[test]
fn a_present_text_takes_the_path_of_what_is_done() {
    let was = "let a = nodes::create(#{ name: \"now-a\" });\nlanes([\"x\", \"y\"], |i| a.run(if i == \"y\" { \"needs now-z\" } else { i }));";
    // What failed may be another step now, and what comes later is free.
    let is =
        format!("// mended\n{}\na.run(\"end\");\noutput(\"end\", now() > 0);", was.replace("needs now-z", "mended"));
    let (world, said) = present(was, &is);
    assert_eq!(said, "the same");
    expect![[r#"{"end":true}"#]].assert_eq(&world.run(&is, &[]).unwrap().to_string());
    assert_eq!(world.run.stored_source("main.rhai").unwrap(), is);
    assert_eq!(made("now-a"), 1);
    // From then on it is the run's own text.
    let world = world.reopened();
    world.run(&is, &[]).unwrap();
    assert_eq!(made("now-a"), 1);
}

#[test]
fn a_present_text_that_leaves_the_path_is_refused_before_anything_is_done() {
    let was = "let a = nodes::create(#{ name: \"off-a\" });\ntwice(a);\nfn twice(a) { lanes([\"x\", \"y\"], |i| { a.run(i); a.run(i) }) }";
    let check = |is: String, expected: expect_test::Expect| expected.assert_eq(&present(was, &is).1);
    check(
        was.replace("off-a", "off-b"),
        expect![[
            r#"step 0 was `nodes.create` with `name` "off-a" at main.rhai:1:16, but now it has "off-b" at main.rhai:1:16 (main.rhai:1:16)"#
        ]],
    );
    check(
        was.replace("a.run(i); a.run(i)", "a.run(i); a.run(if i == \"y\" { \"z\" } else { i })"),
        expect![[
            r#"step 1.y.1 was `node.run` with `command` "y" at main.rhai:3:51, but now it has "z" at main.rhai:3:51 (main.rhai:3:51)"#
        ]],
    );
    check(
        was.replace("a.run(i); a.run(i)", "a.run(i)"),
        expect![
            "the script has ended, but not all of its journal: 2 left, first step 1.x.1, `node.run` at main.rhai:3:51"
        ],
    );
    check(was.replace("a.run(i) })", "a.run(i); nodes::create(#{ name: `off-${i}` }) })"), expect!["the same"]);
    let two = format!("{was}\na.run(\"end\");");
    let (_, said) = present(&two, &two.replace("a.run(i) })", "a.run(i); nodes::create(#{ name: `off-${i}` }) })"));
    expect!["step 2 was `node.run` at main.rhai:4:3, but now `nodes.create` is asked for before it, at main.rhai:3:66 (main.rhai:3:66)"].assert_eq(&said);
    let (_, said) = present(was, "let a = 1;\na.nothing();");
    expect!["there is no function `nothing(int)` (main.rhai:2:3)"].assert_eq(&said);
    assert_eq!([made("off-b"), made("off-x"), made("off-y")], [0; 3]);
}
