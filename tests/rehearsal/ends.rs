//! Recipes that come to no end, and how a rehearsal ends all the same.

use super::{Stage, told};
use expect_test::expect;

/// A recipe that makes a node, then does this; what its rehearsal tells, with the line of the error.
fn ends(stage: &Stage, body: &str) -> String {
    let recipe = stage.dir.path().join("endless.rhai");
    let make = r#"let n = nodes::create(#{ name: "web-1", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });"#;
    std::fs::write(&recipe, format!("{make}\n{body}")).unwrap();
    let outcome = stage.rehearse(recipe.to_str().unwrap(), &[]);
    let error = outcome.error.as_ref().map_or_else(String::new, |error| {
        let line = error.spot.as_ref().map_or(0, |spot| spot.line);
        format!("line {line}: {:?}; {}\n", error.failure.kind, error.failure.hint.as_deref().unwrap_or_default())
    });
    format!("{}{error}", told(&outcome))
}

#[test]
fn a_loop_that_polls_for_ever_is_ended_where_it_polls() {
    let stage = Stage::new();
    // No `try` swallows that.
    let polls = "loop {\n  try {\n    if n.run(\"cat /state\").stdout.contains(\"ready\") { break; }\n  } catch { }\n  sleep(1);\n}";
    expect![[r#"
        create linode web-1 $0.0075
        failed: the recipe comes to no end: 10000 steps in a row did only what was done before
        0.0075 an hour, was 0
        line 4: Script; a loop that waits for what a command writes never ends in a rehearsal, where it writes nothing: say what it would write, `node.run("...", #{ rehearse: "output" })`, or wait with `wait_until`, which has a timeout
    "#]].assert_eq(&ends(&stage, polls));
}

#[test]
fn what_takes_more_than_a_week_is_ended() {
    let stage = Stage::new();
    expect![[r#"
        create linode web-1 $0.0075
        failed: the recipe comes to no end: it would take more than 7 days
        0.0075 an hour, was 0
        line 4: Script; a loop that waits for what a command writes never ends in a rehearsal, where it writes nothing: say what it would write, `node.run("...", #{ rehearse: "output" })`, or wait with `wait_until`, which has a timeout
    "#]].assert_eq(&ends(&stage, "let i = 0;\nloop {\n  n.run(`try ${i}`);\n  sleep(3600);\n  i += 1;\n}"));
    expect![[r#"
        create linode web-1 $0.0075
        failed: the recipe comes to no end: it would take more than 7 days
        0.0075 an hour, was 0
        line 2: Script; a loop that waits for what a command writes never ends in a rehearsal, where it writes nothing: say what it would write, `node.run("...", #{ rehearse: "output" })`, or wait with `wait_until`, which has a timeout
    "#]].assert_eq(&ends(&stage, "wait_until(|| false, #{ timeout: 100000000, every: 3600 });"));
}
