//! Recipes against an emulator in this process, in virtual time with simulated machines.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[allow(dead_code, reason = "each target uses its part of it")]
#[path = "toolkit/support.rs"]
mod support;

use linodetool::app::emulated::Emulator;
use linodetool::app::{self, Options};
use linodetool::core::{Clock, VirtualTime};
use linodetool::runs::{NewRun, Run, Status};
use linodetool::script;
use std::collections::BTreeSet;
use std::sync::Arc;
use support::{options, paths};

const BEGAN: u64 = 1_800_000_000_000;

/// A user's empty folders, and a cloud of their own.
struct Stage {
    dir: tempfile::TempDir,
    cloud: Emulator,
}

impl Stage {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), cloud: Emulator::new(VirtualTime::new(BEGAN)) }
    }

    /// By a process of its own.
    fn run(&self, recipe: &str, set: &[(&str, &str)]) -> Arc<Run> {
        let emulated = Some(self.cloud.access().unwrap());
        let app = app::build(Options { emulated, ..options(paths(self.dir.path())) }).unwrap();
        let recipe = script::find_recipe(recipe, &app.scripts.places).unwrap();
        let new = NewRun {
            title: "test".into(),
            context: "default/default".into(),
            provider: "linode-v4".into(),
            ..NewRun::default()
        };
        let run = app.toolkit.runs().begin(new).unwrap();
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let outcome = script::run(&run, &recipe, &set, &app.scripts);
        outcome.map_err(|error| format!("{error:#?}")).unwrap();
        run.finish(Status::Done).unwrap();
        run
    }

    /// What a recipe of these lines says is wrong with it.
    fn fails(&self, text: &str) -> String {
        let emulated = Some(self.cloud.access().unwrap());
        let app = app::build(Options { emulated, ..options(paths(self.dir.path())) }).unwrap();
        let file = self.dir.path().join("bad.rhai");
        std::fs::write(&file, text).unwrap();
        let recipe = script::find_recipe(file.to_str().unwrap(), &app.scripts.places).unwrap();
        let run = support::begin(&app);
        let failure = script::run(&run, &recipe, &[], &app.scripts).unwrap_err().failure;
        run.finish(Status::Failed).unwrap();
        format!("{:?}: {}; {}", failure.kind, failure.message, failure.hint.unwrap_or_default())
    }

    fn seconds(&self) -> u64 {
        (self.cloud.time.now_ms() - BEGAN) / 1000
    }
}

#[test]
fn hadoop_comes_to_its_end_without_network_token_or_root() {
    let stage = Stage::new();
    let run = stage.run("hadoop", &[("workers", "3")]);
    let outputs = run.outputs();
    assert_eq!(
        (&outputs["live_datanodes"], &outputs["active_nodemanagers"]),
        (&serde_json::json!(3), &serde_json::json!(3))
    );
    let seconds = stage.seconds();
    // A create takes 65 s, a boot 24 s, the word count 25 s; the rest are packages, Java's starts, and copies.
    assert!((150..400).contains(&seconds), "{seconds} s");
    let made = stage.cloud.sandbox.ledger();
    let linodes = made.iter().filter(|entry| entry.kind == "linode");
    let nodes: BTreeSet<_> = linodes.map(|entry| entry.label.as_str()).collect();
    assert_eq!(Vec::from_iter(nodes), ["hadoop-master-1", "hadoop-worker-1", "hadoop-worker-2", "hadoop-worker-3"]);
    // The same cluster again: nothing is left to do.
    let again = stage.run("hadoop", &[("workers", "3")]);
    assert_eq!(again.outputs()["changed"], serde_json::json!(false));
    assert_eq!(stage.cloud.sandbox.ledger().len(), made.len());
}

/// Names of the nodes whose daemons a run has restarted.
fn restarted(stage: &Stage, run: &Run) -> BTreeSet<String> {
    let app = app::build(options(paths(stage.dir.path()))).unwrap();
    let steps = app.toolkit.runs().show(run.id()).unwrap().steps;
    let restarts = steps.iter().filter(|step| {
        let detail = step.outcome.as_ref().and_then(|outcome| outcome["detail"].as_str()).unwrap_or_default();
        // A simulated machine says what has changed of a service that runs, and restarts it then.
        step.op == "node.service" && detail.split(' ').any(|word| word == "unit" || word == "restarted")
    });
    restarts.map(|step| step.args["node"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn daemons_are_restarted_when_what_they_read_has_changed_and_only_then() {
    let stage = Stage::new();
    let first = stage.run("hadoop", &[("workers", "2")]);
    let again = stage.run("hadoop", &[("workers", "2")]);
    assert_eq!(again.outputs()["changed"], false);
    // One more worker is one more line in /etc/hosts of the others.
    let grown = stage.run("hadoop", &[("workers", "3"), ("replication", "2")]);
    for run in [&first, &again, &grown] {
        assert_eq!(restarted(&stage, run), BTreeSet::new());
    }
    let other = stage.run("hadoop", &[("workers", "3"), ("replication", "1")]);
    let all = ["hadoop-master-1", "hadoop-worker-1", "hadoop-worker-2", "hadoop-worker-3"];
    assert_eq!(restarted(&stage, &other), all.map(str::to_owned).into());
}

#[test]
fn a_misspelt_option_is_explained_for_many_nodes_as_for_one() {
    let stage = Stage::new();
    let make = r#"let c = clusters::ensure(#{ name: "c", region: "us-east", image: "linode/debian12",
        roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });"#;
    let said =
        ["c.nodes", "c.nodes[0]"].map(|nodes| stage.fails(&format!("{make} {nodes}.run(\"x\", #{{ cretes: 1 }});")));
    expect_test::expect![[r#"
        Script: unknown option `cretes` of run (and 1 more failed); did you mean `creates`?
        Script: unknown option `cretes` of run; did you mean `creates`?"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn changes_are_not_counted_in_a_lane() {
    expect_test::expect!["Script: `changes` counts what all lanes do, and cannot be used in one; use it after `lanes`, or the `changed` of what an operation answers"].assert_eq(&Stage::new().fails("lanes([1], |x| changes());"));
}
