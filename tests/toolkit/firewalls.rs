//! Whose a firewall is, and whom it lets in.

use crate::lost::{Process, STALLS, WORKS, cut_at_ssh_of, process, world};
use crate::support::{begin, cluster, within};
use crate::undo::{HERE, interrupted};
use linodetool::core::FailureKind;
use linodetool::inventory::Node;
use linodetool::toolkit::api::RawSpec;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

fn raw(process: &Process, method: &str, path: &str, body: Option<Value>) -> Value {
    let spec = RawSpec { method: method.into(), path: path.into(), body, ..RawSpec::default() };
    within(&begin(&process.app), |at| process.app.toolkit.raw(at, &spec)).unwrap()
}

fn rules_path(process: &Process) -> String {
    let firewall = process.app.toolkit.inventory().resources(HERE, Some("firewall")).unwrap().remove(0);
    format!("/networking/firewalls/{}/rules", firewall.id)
}

/// Who may do more than log in.
fn let_in(process: &Process) -> BTreeSet<String> {
    let rules = raw(process, "GET", &rules_path(process), None);
    let all = rules["inbound"].as_array().unwrap().iter().filter(|rule| rule["ports"] != "22");
    let addresses = all.flat_map(|rule| rule["addresses"]["ipv4"].as_array().unwrap().clone());
    addresses.map(|address| address.as_str().unwrap().to_owned()).collect()
}

/// As it was when a machine that is gone had this address.
fn let_a_stranger_in(process: &Process) {
    let rule = json!({ "action": "ACCEPT", "protocol": "TCP", "addresses": { "ipv4": ["203.0.113.9/32"] } });
    let rules = json!({ "inbound": [rule], "inbound_policy": "DROP", "outbound": [], "outbound_policy": "ACCEPT" });
    raw(process, "PUT", &rules_path(process), Some(rules));
}

fn addresses(nodes: &[Node]) -> BTreeSet<String> {
    let of = |node: &Node| [node.public_ip.clone(), node.private_ip.clone()];
    nodes.iter().flat_map(of).flatten().map(|address| format!("{address}/32")).collect()
}

#[test]
fn a_firewall_lets_in_nobody_who_has_the_address_of_a_node_that_is_gone() {
    let world = world();
    let process = process(&world, WORKS);
    interrupted(&process);
    let (toolkit, nodes) = (&process.app.toolkit, || process.app.toolkit.inventory().nodes(HERE).unwrap());
    let_a_stranger_in(&process);
    within(&begin(&process.app), |at| toolkit.delete_node(at, "c-node-1")).unwrap();
    assert_eq!((nodes().len(), let_in(&process)), (1, addresses(&nodes())));

    // The other one is deleted elsewhere, and its record removed.
    let_a_stranger_in(&process);
    raw(&process, "DELETE", &format!("/linode/instances/{}", nodes()[0].id), None);
    process.later.store(3_600_000, Ordering::SeqCst);
    let garbage = process.app.runtime.block_on(toolkit.find_garbage()).unwrap();
    within(&begin(&process.app), |at| toolkit.collect_garbage(at, &garbage)).unwrap();
    assert_eq!((nodes().len(), let_in(&process)), (0, BTreeSet::new()));
}

#[test]
fn an_undo_that_was_cut_closes_the_firewall_the_next_time() {
    let world = world();
    let process = process(&world, WORKS);
    interrupted(&process);
    let toolkit = &process.app.toolkit;
    let grows = begin(&process.app);
    cut_at_ssh_of(&process, &grows, 3, |at| toolkit.ensure_cluster(at, &cluster(3)).map(drop));
    let id = grows.id().clone();
    drop(grows);
    // The undo before destroyed the third node and got no further.
    let_a_stranger_in(&process);
    within(&begin(&process.app), |at| toolkit.delete_node(at, "c-node-3")).unwrap();
    let_a_stranger_in(&process);
    let _held = toolkit.runs().hold(&id).unwrap();
    let plan = process.app.runtime.block_on(toolkit.undo_plan(&id)).unwrap();
    assert!(plan.destroy.is_empty());
    within(&begin(&process.app), |at| toolkit.undo(at, &plan)).unwrap();
    assert_eq!(let_in(&process), addresses(&toolkit.inventory().nodes(HERE).unwrap()));
}

#[test]
fn what_an_earlier_run_made_is_not_claimed_by_one_that_was_cut_while_it_looked() {
    let world = world();
    let process = process(&world, WORKS);
    let made = interrupted(&process);
    let toolkit = &process.app.toolkit;
    let later = begin(&process.app);
    std::thread::scope(|scope| {
        process.mode.store(STALLS, Ordering::SeqCst);
        let work = scope.spawn(|| within(&later, |at| toolkit.ensure_cluster(at, &cluster(2))));
        while process.mode.load(Ordering::SeqCst) == STALLS {
            std::thread::yield_now();
        }
        later.cancel().set();
        work.join().unwrap().unwrap_err();
    });
    let id = later.id().clone();
    drop(later);
    let again = toolkit.runs().reopen(&id).unwrap();
    cut_at_ssh_of(&process, &again, 2, |at| toolkit.ensure_cluster(at, &cluster(2)).map(drop));
    drop(again);
    let firewall = toolkit.inventory().resources(HERE, Some("firewall")).unwrap().remove(0);
    assert_eq!(firewall.created_by_run, made.as_str());
    let plan = process.app.runtime.block_on(toolkit.undo_plan(&id)).unwrap();
    assert!(plan.destroy.is_empty(), "{plan:?}");
}

#[test]
fn an_ensure_takes_no_firewall_away() {
    let world = world();
    let process = process(&world, WORKS);
    interrupted(&process);
    let open = linodetool::toolkit::clusters::ClusterSpec { firewall: false, ..cluster(2) };
    let failure = within(&begin(&process.app), |at| process.app.toolkit.ensure_cluster(at, &open)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Conflict);
    assert_eq!(failure.message, "cluster c has a firewall; an ensure opens no cluster");
    assert_eq!(failure.hint.unwrap(), "leave `firewall: false` out, or begin anew: linodetool cluster destroy c");
}
