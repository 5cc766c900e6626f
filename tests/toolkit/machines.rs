//! The tests of `toolkit_machines`.

use crate::support::{User, World, cluster};
use linodetool::core::{Failure, FailureKind, Secret};
use linodetool::inventory::Node;
use linodetool::nodes::states::File;
use linodetool::toolkit::api::RawSpec;
use linodetool::toolkit::clusters::{ClusterSpec, Members};
use linodetool::toolkit::commands::{CommandOutput, RunOptions};
use linodetool::toolkit::nodes::Power;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

fn names(members: &Members) -> Vec<&str> {
    members.nodes.iter().map(|node| node.name.as_str()).collect()
}

fn ids(members: &Members) -> Vec<&str> {
    members.nodes.iter().map(|node| node.id.as_str()).collect()
}

fn raw(user: &User, method: &str, path: &str) -> Value {
    let spec = RawSpec { method: method.into(), path: path.into(), ..RawSpec::default() };
    user.run(|at| user.app.toolkit.raw(at, &spec)).unwrap()
}

fn run_on(user: &User, node: &Node, command: &str, options: &RunOptions) -> Result<CommandOutput, Failure> {
    user.run(|at| user.app.toolkit.run_on(at, node, command, options))
}

fn check_on(user: &User, node: &Node, command: &str) -> bool {
    user.run(|at| user.app.toolkit.check_on(at, node, command)).unwrap()
}

fn addresses(members: &Members) -> BTreeSet<String> {
    let of = |node: &Node| [node.public_ip.clone(), node.private_ip.clone()];
    members.nodes.iter().flat_map(of).flatten().map(|address| format!("{address}/32")).collect()
}

/// Whom the cluster's firewall lets in beside SSH, the same for TCP, UDP and ICMP.
fn let_in(user: &User, members: &Members) -> BTreeSet<String> {
    let id = members.cluster.firewall_id.as_ref().unwrap();
    let rules = raw(user, "GET", &format!("/networking/firewalls/{id}/rules"));
    assert_eq!(rules["inbound_policy"], "DROP");
    let inbound = rules["inbound"].as_array().unwrap();
    let of = |protocol: &str| -> BTreeSet<String> {
        let rules = inbound.iter().filter(|rule| rule["protocol"] == protocol && rule["ports"] != "22");
        let all = rules.flat_map(|rule| rule["addresses"]["ipv4"].as_array().unwrap());
        all.map(|address| address.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((of("TCP"), of("UDP")), (of("UDP"), of("ICMP")));
    of("TCP")
}

pub(crate) fn a_cluster_is_made_grown_healed_and_destroyed(world: &World) {
    let user = world.user();
    let made = user.ensure(&cluster(2)).unwrap();
    assert_eq!((names(&made), made.changed), (vec!["c-node-1", "c-node-2"], true));
    assert_eq!(let_in(&user, &made), addresses(&made));

    // Another process finds it as it should be.
    let other = world.user();
    let again = other.ensure(&cluster(2)).unwrap();
    assert_eq!((ids(&again), again.changed), (ids(&made), false));

    let grown = user.ensure(&cluster(3)).unwrap();
    assert_eq!((names(&grown), grown.changed), (vec!["c-node-1", "c-node-2", "c-node-3"], true));
    assert_eq!(ids(&grown)[..2], ids(&made));
    assert_eq!(let_in(&user, &grown), addresses(&grown));

    // One is deleted elsewhere, one is off.
    raw(&user, "DELETE", &format!("/linode/instances/{}", grown.nodes[1].id));
    user.run(|at| user.app.toolkit.power_node(at, "c-node-1", Power::Shutdown)).unwrap();
    let healed = user.ensure(&cluster(3)).unwrap();
    assert!(healed.changed && healed.nodes[1].id != grown.nodes[1].id);
    assert_eq!(let_in(&user, &healed), addresses(&healed));
    assert!(healed.nodes.iter().all(|node| check_on(&user, node, "true")));

    user.run(|at| user.app.toolkit.destroy_cluster(at, "c")).unwrap();
    let mut ledger = world.ledger();
    ledger.sort();
    let expected = [
        "created firewall lt-c",
        "created linode c-node-1",
        "created linode c-node-2",
        "created linode c-node-2",
        "created linode c-node-3",
        "destroyed firewall lt-c",
        "destroyed linode c-node-1",
        "destroyed linode c-node-2",
        "destroyed linode c-node-2",
        "destroyed linode c-node-3",
    ];
    assert_eq!(ledger, expected);
    let inventory = user.app.toolkit.inventory();
    assert!(inventory.nodes("default/default").unwrap().is_empty());
    assert!(inventory.clusters("default/default").unwrap().is_empty());
    assert!(inventory.resources("default/default", None).unwrap().is_empty());
    assert!(user.app.toolkit.secret_store().list_generated().unwrap().is_empty());
}

pub(crate) fn what_an_ensure_may_not_do_is_refused(world: &World) {
    let user = world.user();
    user.ensure(&cluster(2)).unwrap();
    let before = world.ledger();
    let with = |change: fn(&mut ClusterSpec)| {
        let mut spec = cluster(2);
        change(&mut spec);
        let failure = user.ensure(&spec).unwrap_err();
        assert_eq!((failure.kind, failure.hint.is_some()), (FailureKind::Conflict, true), "{failure}");
        failure.message
    };
    assert_eq!(
        with(|spec| spec.region = "eu-west".into()),
        "cluster c is in region us-east, not eu-west; nodes are never moved"
    );
    assert_eq!(
        with(|spec| spec.image = "linode/ubuntu24.04".into()),
        "cluster c is made of image linode/debian12, not linode/ubuntu24.04; nodes are never replaced"
    );
    assert_eq!(
        with(|spec| spec.roles[0].type_id = "g6-standard-1".into()),
        "c-node-1 is of type g6-nanode-1, not g6-standard-1; nodes are never replaced by an ensure"
    );
    assert_eq!(
        with(|spec| spec.roles[0].count = 1),
        "cluster c has a node c-node-2 more than asked for; nodes are never destroyed by an ensure"
    );
    assert_eq!(world.ledger(), before);
}

pub(crate) fn two_ensures_at_once_make_one_cluster(world: &World) {
    let (one, other) = (world.user(), world.user());
    let (a, b) = std::thread::scope(|scope| {
        let first = scope.spawn(|| one.ensure(&cluster(2)).unwrap());
        let second = scope.spawn(|| other.ensure(&cluster(2)).unwrap());
        (first.join().unwrap(), second.join().unwrap())
    });
    assert_eq!(ids(&a), ids(&b));
    assert!(a.changed != b.changed, "one made it, the other found it");
    let made = world.ledger();
    assert_eq!(made.len(), 3, "{made:?}");
}

pub(crate) fn only_the_lasting_host_key_is_accepted(world: &World) {
    let user = world.user();
    let made = user.ensure(&cluster(1)).unwrap();
    let node = &made.nodes[0];
    let store = user.app.toolkit.secret_store();
    let public = |name: &str| {
        let key = store.get(&format!("generated/node/c-node-1.{name}")).unwrap().unwrap();
        linodetool::nodes::KeyPair::public_of(&key).unwrap()
    };
    let on_node = run_on(&user, node, "cat /etc/ssh/ssh_host_ed25519_key.pub", &RunOptions::default()).unwrap().stdout;
    let word = |key: &str| key.split_whitespace().nth(1).unwrap().to_owned();
    assert_eq!(word(&on_node), word(&public("host")));
    assert_eq!(node.host_keys, [public("host")]);

    // Whoever read the first key in the user data cannot pass for the node.
    let first = Node { host_keys: vec![public("host-first")], ..node.clone() };
    let fresh = world.user();
    let failure = fresh.run(|at| fresh.app.toolkit.check_on(at, &first, "true")).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Ssh, "{failure}");
    assert!(check_on(&fresh, node, "true"));

    let instance = raw(&user, "GET", &format!("/linode/instances/{}", node.id)).to_string();
    let private = store.get("generated/node/c-node-1.host-first").unwrap().unwrap();
    let line = private.reveal().lines().nth(2).unwrap();
    assert!(!instance.contains("#cloud-config") && !instance.contains(line), "{instance}");
}

const PASSWORD: &str = "correct-horse-battery";

pub(crate) fn secrets_reach_the_node_and_no_journal(world: &World) {
    let user = world.user();
    let made = user.ensure(&cluster(1)).unwrap();
    let (node, toolkit) = (&made.nodes[0], &user.app.toolkit);
    toolkit.secret_store().set("db", &Secret::new(PASSWORD.into())).unwrap();

    let secret_env = BTreeMap::from([("PASSWORD".to_owned(), "db".to_owned())]);
    let options = RunOptions { secret_env: secret_env.clone(), ..RunOptions::default() };
    let command = "printf '%s' \"$PASSWORD\" | wc -c; echo \"it is $PASSWORD\"";
    let said = run_on(&user, node, command, &options).unwrap().stdout;
    assert_eq!(said.trim(), format!("{}\nit is ***", PASSWORD.len()));
    let options = RunOptions { secret_env, ..RunOptions::default() };
    let failure = run_on(&user, node, "echo \"no $PASSWORD\" >&2; exit 3", &options).unwrap_err();
    assert_eq!((failure.exit_code, failure.output.as_deref().map(str::trim)), (Some(3), Some("no ***")));

    let file = File { path: "/root/db".into(), ..File::default() };
    let applied = user.run(|at| toolkit.secret_file(at, node, &file, "db")).unwrap();
    assert!(applied.changed);
    assert!(!user.run(|at| toolkit.secret_file(at, node, &file, "db")).unwrap().changed);
    assert!(check_on(&user, node, &format!("test \"$(cat /root/db)\" = {PASSWORD}")));
    assert_eq!(run_on(&user, node, "stat -c %a /root/db", &RunOptions::default()).unwrap().stdout, "600\n");
    let missing = RunOptions { secret_env: [("A".into(), "bd".into())].into(), ..RunOptions::default() };
    assert_eq!(run_on(&user, node, "true", &missing).unwrap_err().kind, FailureKind::NotFound);

    // Keys that were made for the node are known as well.
    let key = run_on(&user, node, "cat /etc/ssh/ssh_host_ed25519_key", &RunOptions::default()).unwrap().stdout;
    assert!(key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n***\n***\n"), "{key}");

    let private = toolkit.secret_store().get("generated/node/c-node-1.host").unwrap().unwrap();
    let line = private.reveal().lines().nth(2).unwrap().to_owned();
    let told = user.told().join("\n");
    assert!(told.contains("it is ***"), "{told}");
    drop(user);
    for name in ["linodetool.db", "linodetool.db-wal"] {
        let bytes = std::fs::read(world.dir.path().join("state").join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        // The check above names the password in its command: that is the user's own doing.
        let elsewhere = text.replace(&format!("= {PASSWORD}"), "");
        assert!(!elsewhere.contains(PASSWORD) && !text.contains(&line), "{name}");
    }
    assert!(!told.contains(PASSWORD) && !told.contains(&line), "{told}");
}

pub(crate) fn a_reboot_is_over_when_it_is_said_to_be(world: &World) {
    let user = world.user();
    let made = user.ensure(&cluster(1)).unwrap();
    let node = &made.nodes[0];
    // What lies in /run does not outlive a boot.
    run_on(&user, node, "touch /run/before", &RunOptions::default()).unwrap();
    assert!(check_on(&user, node, "test -e /run/before"));
    user.run(|at| user.app.toolkit.power_node(at, "c-node-1", Power::Reboot)).unwrap();
    assert!(!check_on(&user, node, "test -e /run/before"));
}
