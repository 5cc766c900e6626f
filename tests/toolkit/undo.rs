//! Undoing runs, whatever state they and the network are in.

use crate::lost::{DOWN, LOSES_ALL, LOSES_REQUEST, Process, WORKS, cut_at_ssh_of, process, web, world};
use crate::support::{begin, cluster, within};
use linodetool::core::{Failure, FailureKind, RunId};
use linodetool::runs::Status;
use linodetool::toolkit::api::RawSpec;
use linodetool::toolkit::commands::RunOptions;
use linodetool::toolkit::resources::Thing;
use linodetool::toolkit::undo::{UndoPlan, Undone};
use std::sync::atomic::Ordering;

pub(crate) const HERE: &str = "default/default";

fn plan(process: &Process, id: &RunId) -> Result<UndoPlan, Failure> {
    process.app.runtime.block_on(process.app.toolkit.undo_plan(id))
}

/// As the command does it.
fn undo(process: &Process, id: &RunId) -> Undone {
    let toolkit = &process.app.toolkit;
    let held = toolkit.runs().hold(id).unwrap();
    let plan = plan(process, id).unwrap();
    let run = begin(&process.app);
    let undone = within(&run, |at| toolkit.undo(at, &plan)).unwrap();
    if undone.is_complete() {
        held.undone_by(run.id()).unwrap();
    }
    undone
}

fn labels(things: &[Thing]) -> Vec<&str> {
    things.iter().map(|thing| thing.label.as_str()).collect()
}

/// Nothing of it is on record or in the secret store.
pub(crate) fn nothing_is_left(process: &Process) {
    let (inventory, store) = (process.app.toolkit.inventory(), process.app.toolkit.secret_store());
    assert!(inventory.nodes(HERE).unwrap().is_empty());
    assert!(inventory.clusters(HERE).unwrap().is_empty());
    assert!(inventory.resources(HERE, None).unwrap().is_empty());
    assert_eq!(store.list_generated().unwrap(), Vec::<String>::new());
}

/// A run that has made two nodes and was cut then.
pub(crate) fn interrupted(process: &Process) -> RunId {
    let run = begin(&process.app);
    let toolkit = &process.app.toolkit;
    cut_at_ssh_of(process, &run, 2, |at| toolkit.ensure_cluster(at, &cluster(2)).map(drop));
    run.id().clone()
}

#[test]
fn an_interrupted_run_is_undone_once() {
    let world = world();
    let process = process(&world, WORKS);
    let toolkit = &process.app.toolkit;
    let run = begin(&process.app);
    let id = run.id().clone();
    // Nobody undoes what is being done.
    assert_eq!(toolkit.runs().hold(&id).err().unwrap().kind, FailureKind::Conflict);
    cut_at_ssh_of(&process, &run, 2, |at| toolkit.ensure_cluster(at, &cluster(2)).map(drop));
    drop(run);

    let undone = undo(&process, &id);
    assert!(undone.is_complete());
    let mut destroyed = labels(&undone.destroyed);
    destroyed[..2].sort_unstable();
    assert_eq!(destroyed, ["c-node-1", "c-node-2", "lt-c"]);
    assert_eq!(world.ledger().last().unwrap(), "destroyed firewall lt-c");
    nothing_is_left(&process);

    assert_eq!(toolkit.runs().show(&id).unwrap().summary.status, Status::Undone);
    let again = plan(&process, &id).unwrap();
    assert!(again.is_empty() && again.made);
    let refused = toolkit.runs().reopen(&id).err().unwrap();
    assert_eq!(refused.message, format!("run {id} is undone: what it made is destroyed"));
}

#[test]
fn what_was_worked_on_since_stays() {
    let world = world();
    let process = process(&world, WORKS);
    let id = interrupted(&process);
    let node = process.app.toolkit.inventory().node(HERE, "c-node-2").unwrap().unwrap();
    let later = begin(&process.app);
    // It ends before anything is reached, but it was meant.
    std::thread::scope(|scope| {
        let work =
            scope.spawn(|| within(&later, |at| process.app.toolkit.run_on(at, &node, "true", &RunOptions::default())));
        process.wait_for_stage("true");
        later.cancel().set();
        work.join().unwrap().unwrap_err();
    });
    let plan = plan(&process, &id).unwrap();
    assert_eq!((labels(&plan.destroy), plan.stays), (vec!["c-node-1"], true));
    let why = format!(
        "run {} (`test`) worked on it since; `linodetool --sandbox node delete c-node-2` destroys it",
        later.id()
    );
    let kept: Vec<_> = plan.kept.iter().map(|left| left.why.as_str()).collect();
    assert_eq!(kept, [&why, "it guards c-node-2, which stays", "its node c-node-2 stays"]);
}

#[test]
fn what_was_deleted_elsewhere_counts_as_gone() {
    let world = world();
    let process = process(&world, WORKS);
    let id = interrupted(&process);
    let node = process.app.toolkit.inventory().node(HERE, "c-node-1").unwrap().unwrap();
    let path = format!("/linode/instances/{}", node.id);
    let delete = RawSpec { method: "DELETE".into(), path, ..RawSpec::default() };
    within(&begin(&process.app), |at| process.app.toolkit.raw(at, &delete)).unwrap();

    let undone = undo(&process, &id);
    assert_eq!((labels(&undone.gone), undone.is_complete()), (vec!["c-node-1"], true));
    nothing_is_left(&process);
}

#[test]
fn a_lost_create_is_found_and_destroyed() {
    let world = world();
    let process = process(&world, LOSES_ALL);
    let run = begin(&process.app);
    let failure = within(&run, |at| process.app.toolkit.create_node(at, &web())).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Interrupted, "{failure}");
    let id = run.id().clone();
    drop(run);
    process.mode.store(WORKS, Ordering::SeqCst);
    assert_eq!(labels(&undo(&process, &id).destroyed), ["web-1"]);
    assert_eq!(world.ledger(), ["created linode web-1", "destroyed linode web-1"]);
    nothing_is_left(&process);
}

#[test]
fn a_create_that_never_arrived_is_waited_for_and_given_up() {
    let world = world();
    let process = process(&world, LOSES_REQUEST);
    let run = begin(&process.app);
    let toolkit = &process.app.toolkit;
    // Cut while its answer is looked for.
    std::thread::scope(|scope| {
        let work = scope.spawn(|| within(&run, |at| toolkit.create_node(at, &web())));
        process.wait_for_note("looking");
        run.cancel().set();
        assert_eq!(work.join().unwrap().unwrap_err().kind, FailureKind::Cancelled);
    });
    let id = run.id().clone();
    drop(run);
    assert_eq!(plan(&process, &id).unwrap().doubts.len(), 1);
    let undone = undo(&process, &id);
    assert!(undone.is_complete() && undone.destroyed.is_empty());
    assert!(world.ledger().is_empty());
    nothing_is_left(&process);
}

#[test]
fn what_the_provider_does_not_destroy_stays_for_the_next_time() {
    let world = world();
    let process = process(&world, WORKS);
    let id = interrupted(&process);
    let plan = plan(&process, &id).unwrap();
    process.mode.store(DOWN, Ordering::SeqCst);
    let undone = within(&begin(&process.app), |at| process.app.toolkit.undo(at, &plan)).unwrap();
    assert_eq!((undone.destroyed.len(), undone.refused.len()), (0, 3));
    let failure = linodetool::toolkit::undo::incomplete(&id, &undone);
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert_eq!(failure.hint.unwrap(), format!("finish it: linodetool runs undo {id}"));
    assert_eq!(process.app.toolkit.inventory().nodes(HERE).unwrap().len(), 2);
    assert_eq!(process.app.toolkit.secret_store().list_generated().unwrap().len(), 5);

    process.mode.store(WORKS, Ordering::SeqCst);
    assert!(undo(&process, &id).is_complete());
    nothing_is_left(&process);
}
