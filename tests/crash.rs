//! Recipes that are killed everywhere and go on: `recipe test --crash-everywhere` with the real binary, in virtual time.
//!
//! By default each operation is killed once in each phase; with LINODETOOL_CRASH_ALL set, at every point there is.

#![expect(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "crash/common.rs"]
mod common;
#[path = "support/mod.rs"]
mod support;

use common::{survived, test};
use libtest_mimic::Failed;
use std::process::ExitCode;
use support::{Home, is};

const MAZE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/crash/maze.rhai");

fn main() -> ExitCode {
    support::main(
        &[
            ("hadoop_goes_on_from_wherever_it_is_killed", hadoop),
            ("loops_branches_and_nested_lanes_find_their_way_again", maze),
            ("a_cluster_made_by_api_v3_goes_on_too", by_api_v3),
            ("a_recipe_that_fails_by_itself_is_no_case", fails_by_itself),
            ("what_does_not_survive_is_told_with_the_command_that_shows_it", not_survived),
        ],
        || None,
    )
}

fn points() -> &'static str {
    if std::env::var_os("LINODETOOL_CRASH_ALL").is_some() { "all" } else { "1/100" }
}

fn hadoop(home: &Home) -> Result<(), Failed> {
    let report = test(home, "hadoop", &["--set", "workers=2", "--points", points()])?;
    survived(home, &report)?;
    is(
        "each phase of a command on a node",
        report["operations"]["node.run"].as_object().map_or(0, |p| p.len()) >= 4,
        true,
    )
}

fn maze(home: &Home) -> Result<(), Failed> {
    survived(home, &test(home, MAZE, &["--points", points(), "--seed", "3"])?)
}

/// There a node is made in several calls, and its firewall is on it.
fn by_api_v3(home: &Home) -> Result<(), Failed> {
    let recipe = home.path().join("cluster.rhai");
    let text = r#"let p = params(#{ nodes: param(2, "how many") });
        let c = clusters::ensure(#{ name: "web", region: "us-east", image: "linode/debian12",
            roles: [#{ role: "front", count: p.nodes, type: "g6-nanode-1" }] });
        output("name", c.nodes[0].run("hostname").stdout);"#;
    std::fs::write(&recipe, text)?;
    survived(home, &test(home, recipe.to_str().unwrap(), &["--provider", "linode-v3"])?)
}

fn fails_by_itself(home: &Home) -> Result<(), Failed> {
    let recipe = home.path().join("broken.rhai");
    std::fs::write(&recipe, r#"let p = params(#{ n: param(1, "a number") }); fail("no")"#)?;
    let report = test(home, recipe.to_str().unwrap(), &[])?;
    let message = "the recipe does not run to its end even when nobody disturbs it";
    is("message", report["error"]["message"].clone(), message)
}

/// A recipe that asks for the time tells a resumed run from one that nobody disturbed.
fn not_survived(home: &Home) -> Result<(), Failed> {
    let recipe = home.path().join("late.rhai");
    let text = r#"let p = params(#{ n: param(1, "a number") });
        let n = nodes::create(#{ name: "late", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });
        if n.file("/root/first").changed { output("first", now()) }"#;
    std::fs::write(&recipe, text)?;
    let report = test(home, recipe.to_str().unwrap(), &["--points", "nodes.ensure", "--set", "n=2"])?;
    let failure = &report["failures"][0];
    let problem = failure["problems"][0].as_str().unwrap_or_default();
    is("the output differs", problem.starts_with("output first is "), true)?;
    let command = "linodetool recipe test late.rhai --crash-everywhere --machines simulated --set n=2 --points ";
    let reproduce =
        failure["reproduce"].as_str().unwrap_or_default().replace(&format!("{}/", home.path().display()), "");
    is("the command", reproduce.starts_with(command), true)
}
