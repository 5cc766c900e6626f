//! What undoing would do, from journals written here.

use super::plan::{Known, UndoPlan};
use crate::core::{Failure, FailureKind, RunId};
use crate::inventory::{Cluster, KeyRef, Node, Resource};
use crate::runs::{RunDetail, RunSummary, Status, StepKind, StepRecord, StepState, Work, step_tag};
use crate::toolkit::resources::Thing;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

const RUN: &str = "00000000aa";
const LATER: &str = "00000000bb";

#[derive(Default)]
struct World {
    steps: Vec<StepRecord>,
    things: Vec<Thing>,
    nodes: Vec<Node>,
    clusters: Vec<Cluster>,
    resources: Vec<Resource>,
    later: Option<Status>,
    work: Vec<Work>,
    /// The later run is a retry of the one that is undone.
    is_retry: bool,
}

fn summary(id: &str, title: &str, status: Status) -> RunSummary {
    RunSummary {
        id: RunId::parse(id).unwrap(),
        title: title.into(),
        command_line: String::new(),
        context: "default/default".into(),
        provider: "linode-v4".into(),
        recipe: None,
        status,
        failure: None,
        started_ms: 0,
        ended_ms: None,
        owner: None,
        heard_ms: 40_000,
        retry_of: None,
        resumable: false,
        failed_steps: 0,
        generation: 1,
        lines: 0,
        head: String::new(),
    }
}

impl World {
    /// A step in the root lane that ended so.
    fn step(&mut self, op: &str, args: Value, outcome: Option<Value>) -> &mut StepRecord {
        let seq = u32::try_from(self.steps.len()).unwrap();
        self.steps.push(StepRecord {
            path: seq.to_string(),
            lane: String::new(),
            seq,
            kind: StepKind::Write,
            op: op.into(),
            digest: String::new(),
            args,
            place: String::new(),
            state: if outcome.is_some() { StepState::Done } else { StepState::Intent },
            attempt: 1,
            started_ms: 1_000,
            ended_ms: None,
            outcome,
            failure: None,
            order: u64::from(seq),
        });
        self.steps.last_mut().unwrap()
    }

    /// A node that the run has asked for; made by it, and there, if `made`.
    fn node(&mut self, name: &str, made: bool) -> &mut Node {
        let args = json!({ "wanted": { "name": name, "cluster": "c" } });
        let path = self.step("nodes.ensure", args, Some(json!({ "changed": made }))).path.clone();
        let by = if made { RUN } else { "00000000cc" };
        let tag = if made { step_tag(RUN, &path, 1) } else { "lt-s-other".into() };
        let id = (100 + self.nodes.len()).to_string();
        let (kind, label) = ("Linode".to_owned(), name.to_owned());
        self.things.push(Thing { kind, id: id.clone(), label, tags: vec![tag.clone()], ..Thing::default() });
        self.nodes.push(Node {
            name: name.into(),
            id,
            cluster: Some("c".into()),
            tags: vec![tag],
            created_by_run: by.into(),
            changed_by_run: by.into(),
            price_monthly: Some(5.0),
            key_ref: Some(KeyRef { secret: "generated/cluster/c.login".into(), public: String::new() }),
            ..Node::default()
        });
        self.nodes.last_mut().unwrap()
    }

    fn firewall(&mut self, guards: &[&str]) {
        let path =
            self.step("firewalls.ensure", json!({ "cluster": "c" }), Some(json!({ "changed": true }))).path.clone();
        self.things.push(Thing {
            kind: "firewall".into(),
            id: "7".into(),
            label: "lt-c".into(),
            tags: vec![step_tag(RUN, &path, 1)],
            instances: guards.iter().map(|id| (*id).to_owned()).collect(),
            ..Thing::default()
        });
    }

    fn cluster(&mut self, by: &str) {
        self.step("clusters.record", json!({ "spec": { "name": "c" } }), Some(json!({})));
        let row =
            Cluster { name: "c".into(), created_by_run: by.into(), changed_by_run: by.into(), ..Cluster::default() };
        self.clusters.push(row);
    }

    fn plan_at(&self, now_ms: u64) -> UndoPlan {
        let detail = RunDetail {
            summary: summary(RUN, "run hadoop", Status::Interrupted),
            params: Value::Null,
            versions: Default::default(),
            facts: Default::default(),
            steps: self.steps.clone(),
            outputs: Default::default(),
            sources: Default::default(),
        };
        let retry_of = RunId::parse(RUN).filter(|_| self.is_retry);
        let later = |status| RunSummary { retry_of, ..summary(LATER, "node stop web", status) };
        let runs: Vec<_> = self.later.map(later).into_iter().collect();
        Known {
            detail: &detail,
            things: &self.things,
            nodes: &self.nodes,
            clusters: &self.clusters,
            resources: &self.resources,
            runs: &runs,
            work: &self.work,
            now_ms,
            in_doubt_ms: 600_000,
            program: "linodetool",
        }
        .plan()
    }

    #[track_caller]
    fn check(&self, expected: &Expect) {
        let plan = self.plan_at(2_000);
        let mut lines: Vec<_> = plan.destroy.iter().map(|thing| format!("destroy {}", thing.described())).collect();
        lines.extend(
            plan.doubts.iter().map(|doubt| format!("doubt {} {} until {}", doubt.kind, doubt.name, doubt.until_ms)),
        );
        lines.extend(plan.clusters.iter().map(|name| format!("cluster {name}")));
        lines.extend(plan.kept.iter().map(|left| format!("keep {}: {}", left.what, left.why)));
        lines.extend(plan.beyond.iter().map(|left| format!("cannot undo {}: {}", left.what, left.why)));
        expected.assert_eq(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    }
}

#[test]
fn what_was_made_last_goes_first() {
    let mut world = World::default();
    world.firewall(&["100", "101"]);
    world.cluster(RUN);
    world.node("c-node-1", true);
    world.node("c-node-2", true);
    world.step("node.run", json!({ "node": "c-node-1", "command": "true" }), Some(json!({})));
    world.check(&expect![[r#"
        destroy Linode c-node-2 (id 101)
        destroy Linode c-node-1 (id 100)
        destroy firewall lt-c (id 7)
        cluster c
    "#]]);
}

#[test]
fn what_was_there_or_was_changed_since_is_left_alone() {
    let mut world = World { later: Some(Status::Done), ..World::default() };
    world.firewall(&["100", "101", "102"]);
    world.cluster(RUN);
    world.node("c-node-1", false);
    world.node("c-node-2", true).changed_by_run = LATER.into();
    world.node("c-node-3", true);
    world.check(&expect![[r#"
        destroy Linode c-node-3 (id 102)
        keep Linode c-node-2 (id 101): it was changed since by run 00000000bb (`node stop web`)
        keep Linode c-node-1: it was there before the run
        keep firewall lt-c (id 7): it guards c-node-1, which stays
        keep cluster c: its node c-node-1 stays
    "#]]);

    // What was undone itself counts no more.
    world.later = Some(Status::Undone);
    world.nodes.remove(0);
    world.things.retain(|thing| thing.id != "100");
    world.check(&expect![[r#"
        destroy Linode c-node-3 (id 102)
        destroy Linode c-node-2 (id 101)
        cluster c
        keep Linode c-node-1: it was there before the run
        keep firewall lt-c (id 7): it guards 100, which stays
    "#]]);
}

#[test]
fn what_a_later_run_worked_on_is_left_alone() {
    let mut world = World::default();
    world.firewall(&["100", "101"]);
    world.cluster(RUN);
    world.node("c-node-1", true);
    world.node("c-node-2", true);
    let work = |title: &str| Work { node: "c-node-1".into(), run: LATER.into(), title: title.into() };
    world.work = vec![work("exec all"), work("cp a c-node-1:")];
    world.check(&expect![[r#"
        destroy Linode c-node-2 (id 101)
        keep Linode c-node-1 (id 100): run 00000000bb (`cp a c-node-1:`) worked on it since; `linodetool node delete c-node-1` destroys it
        keep firewall lt-c (id 7): it guards c-node-1, which stays
        keep cluster c: its node c-node-1 stays
    "#]]);
    assert!(world.plan_at(2_000).stays);
}

#[test]
fn what_a_retry_changed_is_destroyed_with_it() {
    let mut world = World { later: Some(Status::Done), ..World::default() };
    world.node("c-node-1", true);
    world.nodes[0].changed_by_run = LATER.into();
    world.check(&expect![[r#"
        keep Linode c-node-1 (id 100): it was changed since by run 00000000bb (`node stop web`)
    "#]]);
    world.is_retry = true;
    world.check(&expect![[r#"
        destroy Linode c-node-1 (id 100)
    "#]]);
}

#[test]
fn a_firewall_without_our_tags_is_spared_while_it_guards() {
    let mut world = World::default();
    world.firewall(&["100"]);
    world.node("c-node-1", false);
    world.things[0].tags = vec!["lt-c-0123456789abcdef".into()];
    world.resources.push(Resource {
        kind: "firewall".into(),
        name: "lt-c".into(),
        id: "7".into(),
        cluster: Some("c".into()),
        created_by_run: RUN.into(),
        ..Resource::default()
    });
    world.check(&expect![[r#"
        keep Linode c-node-1: it was there before the run
        keep firewall lt-c (id 7): it guards c-node-1, which stays
    "#]]);
}

#[test]
fn a_create_without_an_answer_is_in_doubt_for_a_while() {
    let mut world = World::default();
    world.step("nodes.ensure", json!({ "wanted": { "name": "web-1" } }), None);
    let failed = world.step("nodes.ensure", json!({ "wanted": { "name": "web-2" } }), None);
    failed.state = StepState::Failed;
    failed.failure = Some(Failure::new(FailureKind::Limit, "no more Linodes"));
    let found = world.step("nodes.ensure", json!({ "wanted": { "name": "web-3" } }), None);
    found.attempt = 2;
    let tags = vec![step_tag(RUN, "2", 1)];
    world.things.push(Thing { kind: "Linode".into(), id: "9".into(), label: "web-3".into(), tags, ..Thing::default() });
    world.check(&expect![[r#"
        destroy Linode web-3 (id 9)
        doubt Linode web-1 until 643000
    "#]]);
    // Its process lived for 40 s, and may have sent it at the last moment.
    assert!(world.plan_at(643_000).doubts.is_empty());
}

#[test]
fn a_row_of_something_gone_goes_too() {
    let mut world = World::default();
    world.node("c-node-1", true);
    world.things.clear();
    world.check(&expect![[r#"
        destroy Linode c-node-1 (id 100)
    "#]]);
    world.nodes.clear();
    world.check(&expect![""]);
    assert!(world.plan_at(2_000).made);
}

#[test]
fn what_cannot_be_undone_is_named() {
    let mut world = World::default();
    world.node("web-1", false);
    world.step("node.run", json!({ "node": "web-1", "command": "true" }), Some(json!({})));
    world.step("node.file", json!({ "node": "web-1", "state": {} }), Some(json!({})));
    world.step("nodes.exec", json!({ "nodes": ["web-1", "gone-1"], "command": "true" }), Some(json!({})));
    world.step("api.change", json!({ "spec": { "method": "POST", "path": "/domains" } }), Some(json!({})));
    world.step("things.destroy", json!({ "kind": "Linode", "label": "web-2" }), Some(json!("destroyed")));
    world.step("node.download", json!({ "node": "web-1", "download": { "dest": "/tmp/a" } }), Some(json!({})));
    world.check(&expect![[r#"
        keep Linode web-1: it was there before the run
        cannot undo POST /domains: what such a call does is not known
        cannot undo Linode web-2: what was destroyed cannot be brought back
        cannot undo file /tmp/a: files of this computer are left alone
        cannot undo 3 steps on web-1: how the node was before commands, files and restarts is not known
    "#]]);
    assert!(!world.plan_at(2_000).made);
}

#[test]
fn what_was_ensured_twice_is_listed_once() {
    let mut world = World::default();
    world.firewall(&["100", "101"]);
    world.cluster(RUN);
    world.node("c-node-1", true);
    world.node("c-node-2", true);
    world.work = vec![Work { node: "c-node-1".into(), run: LATER.into(), title: "exec all".into() }];
    for name in ["c-node-1", "c-node-2"] {
        world.step(
            "nodes.ensure",
            json!({ "wanted": { "name": name, "cluster": "c" } }),
            Some(json!({ "changed": false })),
        );
    }
    world.check(&expect![[r#"
        destroy Linode c-node-2 (id 101)
        keep Linode c-node-1 (id 100): run 00000000bb (`exec all`) worked on it since; `linodetool node delete c-node-1` destroys it
        keep firewall lt-c (id 7): it guards c-node-1, which stays
        keep cluster c: its node c-node-1 stays
    "#]]);
}
