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
