//! What is billed and belongs to nothing, what is on record and is gone, and what is not ours to judge.

use crate::lost::{LOSES_ALL, Process, WORKS, cut_at_ssh_of, process, web, world};
use crate::support::{World, begin, within};
use crate::undo::{HERE, interrupted, nothing_is_left};
use expect_test::{Expect, expect};
use linodetool::core::FailureKind;
use linodetool::inventory::{Change, SqliteStore, Store};
use linodetool::runs::{RunFilter, Status, cluster_tag};
use linodetool::toolkit::api::RawSpec;
use linodetool::toolkit::gc::Garbage;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

fn find(process: &Process) -> Garbage {
    process.app.runtime.block_on(process.app.toolkit.find_garbage()).unwrap()
}

fn raw(process: &Process, method: &str, path: &str, body: Option<Value>) -> Value {
    let spec = RawSpec { method: method.into(), path: path.into(), body, ..RawSpec::default() };
    within(&begin(&process.app), |at| process.app.toolkit.raw(at, &spec)).unwrap()
}

/// Takes rows out of the inventory, as somebody who restores an old copy of it does.
fn lose_rows(world: &World, changes: &[Change]) {
    SqliteStore::open(&world.paths().database()).unwrap().apply(changes, "").unwrap();
}

/// The findings, with ids in place of numbers that differ.
#[track_caller]
fn check(process: &Process, garbage: &Garbage, expected: &Expect) {
    let mut lines: Vec<_> = Vec::new();
    for orphan in &garbage.orphans {
        let monthly = orphan.thing.monthly.map(|monthly| monthly.to_string()).unwrap_or_default();
        lines.push(format!("orphan {} ({monthly} a month) by {}", orphan.thing.described(), orphan.made_by));
    }
    lines.extend(garbage.lost.iter().map(|thing| format!("lost {}", thing.described())));
    lines.extend(garbage.clusters.iter().map(|name| format!("empty {name}")));
    lines.extend(garbage.spared.iter().map(|left| format!("spare {}: {}", left.what, left.why)));
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for run in process.app.toolkit.runs().list(&RunFilter::default()).unwrap() {
        text = text.replace(run.id.as_str(), "RUN");
    }
    // Ids of the sandbox are numbers of many digits.
    let words = text.split_inclusive("id ").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    expected.assert_eq(&words.collect::<Vec<_>>().join("ID"));
}

#[test]
fn what_a_run_left_behind_is_destroyed() {
    let world = world();
    let process = process(&world, WORKS);
    let id = interrupted(&process);
    lose_rows(&world, &[Change::remove_node(HERE, "c-node-1"), Change::remove_resource(HERE, "firewall", "lt-c")]);
    // The run may still be resumed, and needs them then.
    check(
        &process,
        &find(&process),
        &expect![[r#"
            spare Linode c-node-1 (us-east, g6-nanode-1, id ID): run RUN has made it and was cut off: linodetool --sandbox runs resume RUN, or linodetool --sandbox runs undo RUN
        "#]],
    );
    process.app.toolkit.runs().reopen(&id).unwrap().finish(Status::Failed).unwrap();
    let garbage = find(&process);
    check(
        &process,
        &garbage,
        &expect![[r#"
            orphan Linode c-node-1 (us-east, g6-nanode-1, id ID) (5 a month) by RUN
        "#]],
    );
    let done = within(&begin(&process.app), |at| process.app.toolkit.collect_garbage(at, &garbage)).unwrap();
    assert_eq!((done.destroyed.len(), done.is_complete()), (1, true));
    assert!(find(&process).is_empty());
    assert_eq!(world.ledger().iter().filter(|line| line.starts_with("destroyed")).count(), 1);
}

#[test]
fn records_of_what_is_gone_are_removed() {
    let world = world();
    let process = process(&world, WORKS);
    interrupted(&process);
    for node in process.app.toolkit.inventory().nodes(HERE).unwrap() {
        raw(&process, "DELETE", &format!("/linode/instances/{}", node.id), None);
    }
    let firewall = process.app.toolkit.inventory().resources(HERE, None).unwrap().remove(0);
    raw(&process, "DELETE", &format!("/networking/firewalls/{}", firewall.id), None);
    // What was made a moment ago may only not be shown yet.
    let garbage = find(&process);
    assert!(garbage.is_empty() && !garbage.all_lost && garbage.spared.len() == 3, "{garbage:?}");
    process.later.store(3_600_000, Ordering::SeqCst);
    let garbage = find(&process);
    assert!(garbage.all_lost);
    check(
        &process,
        &garbage,
        &expect![[r#"
            lost Linode c-node-1 (us-east, g6-nanode-1, id ID)
            lost Linode c-node-2 (us-east, g6-nanode-1, id ID)
            lost firewall lt-c (id ID)
            empty c
        "#]],
    );
    let done = within(&begin(&process.app), |at| process.app.toolkit.collect_garbage(at, &garbage)).unwrap();
    assert_eq!((done.gone.len(), done.destroyed.len()), (3, 0));
    assert!(find(&process).is_empty());
    let inventory = process.app.toolkit.inventory();
    assert!(inventory.nodes(HERE).unwrap().is_empty() && inventory.clusters(HERE).unwrap().is_empty());
    let keys = process.app.toolkit.secret_store().list_generated().unwrap();
    assert_eq!(keys, Vec::<String>::new());
}

#[test]
fn what_others_made_is_left_alone() {
    let world = world();
    let process = process(&world, WORKS);
    let create = |label: &str, tags: &[&str]| {
        let body = json!({ "label": label, "region": "us-east", "type": "g6-nanode-1", "tags": tags });
        raw(&process, "POST", "/linode/instances", Some(body));
    };
    create("a-b-node-1", &[&cluster_tag(HERE, "a-b"), "lt-s-000000000000000000000000"]);
    create("x-node-1", &[&cluster_tag("shop/ann", "x"), "lt-s-000000000000000000000001"]);
    create("mine", &["web"]);
    check(
        &process,
        &find(&process),
        &expect![[r#"
            spare Linode a-b-node-1 (us-east, g6-nanode-1, id ID): it is of cluster a-b, and this inventory does not know it: linodetool --sandbox cluster adopt a-b
            spare Linode x-node-1 (us-east, g6-nanode-1, id ID): it was made with another state directory or context
        "#]],
    );
}

#[test]
fn a_create_in_doubt_is_no_garbage() {
    let world = world();
    let process = process(&world, LOSES_ALL);
    let run = begin(&process.app);
    within(&run, |at| process.app.toolkit.create_node(at, &web())).unwrap_err();
    process.mode.store(WORKS, Ordering::SeqCst);
    check(
        &process,
        &find(&process),
        &expect![[r#"
            spare Linode web-1 (us-east, g6-nanode-1, id ID): run RUN is at work on it
        "#]],
    );
    let id = run.id().clone();
    drop(run);
    check(
        &process,
        &find(&process),
        &expect![[r#"
            spare Linode web-1 (us-east, g6-nanode-1, id ID): run RUN has made it and was cut off: linodetool --sandbox runs resume RUN, or linodetool --sandbox runs undo RUN
        "#]],
    );
    let held = process.app.toolkit.runs().hold(&id).unwrap();
    let plan = process.app.runtime.block_on(process.app.toolkit.undo_plan(&id)).unwrap();
    within(&begin(&process.app), |at| process.app.toolkit.undo(at, &plan)).unwrap();
    drop(held);
    assert!(find(&process).is_empty());
    nothing_is_left(&process);
}

#[test]
fn another_account_than_that_of_what_is_on_record_is_refused() {
    let world = world();
    let process = process(&world, WORKS);
    let toolkit = &process.app.toolkit;
    let run = begin(&process.app);
    run.note_fact("account", "A-1".into()).unwrap();
    cut_at_ssh_of(&process, &run, 1, |at| toolkit.create_node(at, &web()).map(drop));
    let failure = process.app.runtime.block_on(toolkit.find_garbage()).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    let told = format!("run {} worked in account A-1, but the token now in use belongs to account ", run.id());
    assert!(failure.message.starts_with(&told), "{failure}");
}

#[test]
fn volumes_and_nodebalancers_with_our_tags_are_found() {
    let world = world();
    let process = process(&world, WORKS);
    let make = |path: &str, label: &str| {
        let body = json!({"label": label, "region": "us-east", "tags": ["lt-s-0123456789abcdef"]});
        raw(&process, "POST", path, Some(body))
    };
    make("/volumes", "data");
    make("/nodebalancers", "front");
    raw(&process, "POST", "/volumes", Some(json!({"label": "not-ours", "region": "us-east"})));
    check(
        &process,
        &find(&process),
        &expect![[r#"
        spare volume data (us-east, id ID): it was made with another state directory or context
        spare NodeBalancer front (us-east, id ID): it was made with another state directory or context
    "#]],
    );
}
