//! Making, refusing and removing nodes.

use crate::support::{User, World, cluster, options, paths};
use expect_test::expect;
use linodetool::app::{self, SandboxAccess};
use linodetool::core::{Failure, FailureKind, Secret};
use linodetool::runs::NewRun;
use linodetool::toolkit::api::RawSpec;
use linodetool::toolkit::nodes::{NodeSpec, Power};
use linodetool::toolkit::{Confirm, Plan};
use linodetool_sandbox::machines::simulated::Simulated;
use linodetool_sandbox::machines::{FirewallRules, MachineError, MachineExit, MachineSpec, Machines};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;

/// Machines that boot unless they are broken.
#[derive(Default)]
struct Breaking {
    inner: Simulated,
    broken: AtomicBool,
}

impl Machines for Breaking {
    fn boot(&self, spec: &MachineSpec) -> Result<(), MachineError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(MachineError("there is no room for it".into()));
        }
        self.inner.boot(spec)
    }

    fn power_off(&self, id: u64) -> Result<(), MachineError> {
        self.inner.power_off(id)
    }

    fn delete(&self, id: u64) -> Result<(), MachineError> {
        self.inner.delete(id)
    }

    fn set_firewalls(&self, firewalls: &[FirewallRules]) -> Result<(), MachineError> {
        self.inner.set_firewalls(firewalls)
    }

    fn exits(&self) -> Option<Receiver<MachineExit>> {
        self.inner.exits()
    }
}

fn world() -> (World, Arc<Breaking>) {
    let machines = Arc::new(Breaking::default());
    (World::new(tempfile::tempdir().unwrap(), machines.clone()), machines)
}

fn said(failure: &Failure) -> String {
    let hint = failure.hint.as_deref().unwrap_or("none");
    format!("{:?}: {failure}\nhint: {hint}\n", failure.kind)
}

/// What a board shows, a line each.
fn stages(user: &User) -> String {
    user.told().into_iter().filter(|event| event.starts_with("Stage")).collect::<Vec<_>>().join("\n")
}

fn web() -> NodeSpec {
    NodeSpec {
        name: "web-1".into(),
        region: "newark".into(),
        type_id: "1gb".into(),
        image: "debian 12".into(),
        ..NodeSpec::default()
    }
}

#[test]
fn a_failed_boot_is_told_at_once_with_its_reason() {
    let (world, machines) = world();
    let user = world.user();
    machines.broken.store(true, Ordering::Relaxed);
    let failure = user.run(|at| user.app.toolkit.create_node(at, &web())).unwrap_err();
    let id = user.app.toolkit.inventory().node("default/default", "web-1").unwrap().unwrap().id;
    expect![[r#"
        Unavailable: web-1: Linode ID did not come up (linode_boot): there is no room for it
        hint: try again with `linodetool node start web-1`, or remove it with `linodetool node delete web-1` and do the same as before
    "#]]
    .assert_eq(&said(&failure).replace(&id, "ID"));
    expect![[r#"
        Stage { node: "web-1", stage: "create" }
        StageDone { node: "web-1", stage: "create", ending: Changed }
        Stage { node: "web-1", stage: "boot" }
        StageFailed { node: "web-1", stage: "boot", message: "Linode ID did not come up (linode_boot): there is no room for it" }"#]]
    .assert_eq(&stages(&user).replace(&id, "ID"));

    // The old failure does not count for the next boot, and a new one is told as well.
    let boot = || user.run(|at| user.app.toolkit.power_node(at, "web-1", Power::Boot));
    assert_eq!(boot().unwrap_err().kind, FailureKind::Unavailable);
    machines.broken.store(false, Ordering::Relaxed);
    assert_eq!(json!(boot().unwrap().status), "running");
    let reboot = user.run(|at| user.app.toolkit.power_node(at, "web-1", Power::Reboot)).unwrap();
    assert_eq!(json!(reboot.status), "running");
    machines.broken.store(true, Ordering::Relaxed);
    let failure = user.run(|at| user.app.toolkit.power_node(at, "web-1", Power::Reboot)).unwrap_err();
    assert!(failure.message.contains("did not come up (linode_reboot)"), "{failure}");
}

#[test]
fn a_node_is_deleted_with_its_keys_and_a_second_time_is_fine() {
    let (world, machines) = world();
    let user = world.user();
    machines.broken.store(true, Ordering::Relaxed);
    user.run(|at| user.app.toolkit.create_node(at, &web())).unwrap_err();
    let keys = user.app.toolkit.secret_store().list_generated().unwrap();
    assert_eq!(keys, ["generated/node/web-1.host", "generated/node/web-1.host-first", "generated/node/web-1.login"]);
    let taken = user.run(|at| user.app.toolkit.create_node(at, &web())).unwrap_err();
    assert_eq!((taken.kind, taken.hint.is_some()), (FailureKind::Conflict, true));
    // Somebody else was faster.
    let id = user.app.toolkit.inventory().node("default/default", "web-1").unwrap().unwrap().id;
    let path = format!("/linode/instances/{id}");
    let delete = RawSpec { method: "DELETE".into(), path, ..RawSpec::default() };
    user.run(|at| user.app.toolkit.raw(at, &delete)).unwrap();
    user.run(|at| user.app.toolkit.delete_node(at, "web-1")).unwrap();
    assert!(user.app.toolkit.secret_store().list_generated().unwrap().is_empty());
    assert!(user.app.toolkit.inventory().nodes("default/default").unwrap().is_empty());
    assert_eq!(world.ledger(), ["created linode web-1", "destroyed linode web-1"]);
}

#[test]
fn a_create_or_delete_that_is_refused_is_shown_where_it_happened() {
    let (world, machines) = world();
    let token = world.cloud.sandbox().add_token("linodes:read_only images:read_only events:read_only").unwrap();
    let looker = world.user_with(SandboxAccess { token: Secret::new(token), ..world.access() });
    let failure = looker.run(|at| looker.app.toolkit.create_node(at, &web())).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Auth);
    expect![[r#"
        Stage { node: "web-1", stage: "create" }
        StageFailed { node: "web-1", stage: "create", message: "the token needs the scope linodes:read_write and has linodes:read_only images:read_only events:read_only: Your OAuth token is not authorized to use this endpoint." }"#]]
    .assert_eq(&stages(&looker));
    assert!(world.ledger().is_empty());

    machines.broken.store(true, Ordering::Relaxed);
    let user = world.user();
    user.run(|at| user.app.toolkit.create_node(at, &web())).unwrap_err();
    let failure = looker.run(|at| looker.app.toolkit.delete_node(at, "web-1")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Auth);
    assert!(stages(&looker).contains(r#"StageFailed { node: "web-1", stage: "delete""#));
    // What is still there is still known.
    assert_eq!(world.ledger(), ["created linode web-1"]);
    assert!(looker.app.toolkit.inventory().node("default/default", "web-1").unwrap().is_some());
}

/// Ids are given again in another account or another sandbox; labels can be changed by their owner.
#[test]
fn a_strangers_linode_with_a_nodes_id_is_left_alone() {
    let (world, machines) = world();
    let user = world.user();
    machines.broken.store(true, Ordering::Relaxed);
    let change = |id: &str, body: serde_json::Value| {
        let path = format!("/linode/instances/{id}");
        let spec = RawSpec { method: "PUT".into(), path, body: Some(body), ..RawSpec::default() };
        user.run(|at| user.app.toolkit.raw(at, &spec)).unwrap();
    };
    let made = |name: &str| {
        user.run(|at| user.app.toolkit.create_node(at, &NodeSpec { name: name.into(), ..web() })).unwrap_err();
        user.app.toolkit.inventory().node("default/default", name).unwrap().unwrap().id
    };
    change(&made("web-1"), json!({ "label": "somebody-elses", "tags": ["theirs"] }));
    change(&made("web-2"), json!({ "label": "renamed" }));
    user.told();
    for name in ["web-1", "web-2"] {
        user.run(|at| user.app.toolkit.delete_node(at, name)).unwrap();
    }
    let notes: Vec<_> = user.told().into_iter().filter(|event| event.starts_with("Note")).collect();
    assert!(matches!(&notes[..], [note] if note.contains("is somebody-elses now and is left alone")), "{notes:?}");
    assert_eq!(world.ledger(), ["created linode web-1", "created linode web-2", "destroyed linode renamed"]);
    assert!(user.app.toolkit.inventory().nodes("default/default").unwrap().is_empty());
    assert!(user.app.toolkit.secret_store().list_generated().unwrap().is_empty());
}

#[test]
fn a_label_of_somebody_elses_stops_a_cluster_before_anything_is_made() {
    let (world, _) = world();
    let user = world.user();
    let create = RawSpec {
        method: "POST".into(),
        path: "/linode/instances".into(),
        body: Some(json!({ "label": "c-node-2", "region": "us-east", "type": "g6-nanode-1" })),
        ..RawSpec::default()
    };
    let made = user.run(|at| user.app.toolkit.raw(at, &create)).unwrap();
    let failure = user.ensure(&cluster(3)).unwrap_err();
    expect![[r#"
        Conflict: c-node-2: the account has a Linode ID with the label c-node-2 that this inventory does not know
        hint: choose another name, or rename or delete that Linode
    "#]]
    .assert_eq(&said(&failure).replace(&made["id"].to_string(), "ID"));
    assert_eq!(world.ledger(), ["created linode c-node-2"]);
    assert!(user.app.toolkit.secret_store().list_generated().unwrap().is_empty());
}

struct No;

impl Confirm for No {
    fn confirm(&self, plan: &Plan) -> Result<(), Failure> {
        let names: Vec<_> = plan.create.iter().map(|node| node.name.as_str()).collect();
        let text = format!("{}: {} for {} an hour", plan.title, names.join(" "), plan.hourly());
        Err(Failure::new(FailureKind::Declined, text))
    }
}

#[test]
fn who_says_no_gets_nothing_made() {
    let (world, _) = world();
    let user = world.user_who(Arc::new(No));
    let failure = user.ensure(&cluster(3)).unwrap_err();
    assert_eq!(said(&failure), "Declined: cluster c: c-node-1 c-node-2 c-node-3 for 0.0225 an hour\nhint: none\n");
    assert!(world.ledger().is_empty());
    assert!(user.app.toolkit.secret_store().list_generated().unwrap().is_empty());
}

#[test]
fn an_unknown_provider_is_told_before_a_missing_token() {
    let folder = tempfile::tempdir().unwrap();
    let app = app::build(app::Options { provider: "linode-v5".into(), ..options(paths(folder.path())) }).unwrap();
    let failure = app.runtime.block_on(app.toolkit.provider()).err().unwrap();
    assert_eq!(failure.kind, FailureKind::NotFound);
    assert!(failure.message.starts_with("there is no provider `linode-v5`"), "{failure}");
    let app = app::build(options(paths(folder.path()))).unwrap();
    let failure = app.runtime.block_on(app.toolkit.provider()).err().unwrap();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Auth, "there is no Linode API token"));
}

#[test]
fn a_run_does_not_go_on_in_another_account() {
    let (world, _) = world();
    let user = world.user();
    let check = |account: &str| {
        let facts = [("account".to_owned(), json!(account))].into();
        let new = NewRun { context: "default/default".into(), facts, ..NewRun::default() };
        let run = user.app.toolkit.runs().begin(new).unwrap();
        let stored = user.app.toolkit.runs().stored(run.id()).unwrap();
        let checked = user.app.runtime.block_on(user.app.toolkit.check_account(&stored));
        checked.map_err(|failure| said(&failure).replace(run.id().as_str(), "RUN"))
    };
    let account = RawSpec { method: "GET".into(), path: "/account".into(), ..RawSpec::default() };
    let account = user.run(|at| user.app.toolkit.raw(at, &account)).unwrap()["euuid"].as_str().unwrap().to_owned();
    check(&account).unwrap();
    expect![[r#"
        Conflict: run RUN worked in account A-1, but the token now in use belongs to account ACCOUNT
        hint: nothing was changed; give a token of that account (`linodetool doctor` says where the present one comes from), or begin a new run in this one
    "#]].assert_eq(&check("A-1").unwrap_err().replace(&account, "ACCOUNT"));
}
