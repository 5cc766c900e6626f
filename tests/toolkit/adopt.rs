//! A lost inventory, made anew from tags and labels, and the keys that unlock it.

use crate::lost::{WORKS, process, world};
use crate::support::{World, begin, cluster, options, paths, within};
use crate::undo::{HERE, interrupted};
use expect_test::{Expect, expect};
use linodetool::app::{self, App, Options};
use linodetool::core::{Failure, Secret};
use linodetool::secrets::sealed::{Opener, Seal};
use linodetool::toolkit::exported_keys::{Export, KeyFile};
use serde_json::Value;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Another computer with the same token.
fn elsewhere(world: &World, dir: &Path) -> App {
    app::build(Options { sandbox: Some(world.access()), ..options(paths(dir)) }).unwrap()
}

fn said(failure: &Failure) -> String {
    let hint = failure.hint.as_deref().unwrap_or("none");
    format!("{:?}: {failure}\nhint: {hint}\n", failure.kind)
}

fn export(app: &App, out: &Path) -> Result<(), Failure> {
    let seal = Seal::Passphrase(Secret::new("correct horse".into()));
    let export = Export { out: out.to_owned(), seal, replace: false };
    within(&begin(app), |at| app.toolkit.export_keys(at, "c", &export)).map(drop)
}

fn opened(file: &Path) -> Vec<u8> {
    let sealed = std::fs::read(file).unwrap();
    Opener::Passphrase(Secret::new("correct horse".into())).open(&sealed).unwrap()
}

fn give(app: &App, bytes: &[u8]) -> Result<bool, Failure> {
    let file = KeyFile::read(bytes)?;
    within(&begin(app), |at| app.toolkit.give_keys(at, "c", &file)).map(|members| members.changed)
}

/// Cluster and nodes as they are on record.
#[track_caller]
fn check(app: &App, expected: &Expect) {
    let inventory = app.toolkit.inventory();
    let cluster = inventory.cluster(HERE, "c").unwrap().unwrap();
    let mut lines = vec![format!("c {} {} {:?}", cluster.region, cluster.image, cluster.key_ref.is_some())];
    lines.extend(cluster.roles.iter().map(|role| format!("{} {} {}", role.count, role.role, role.type_id)));
    for node in inventory.nodes(HERE).unwrap() {
        let role = node.role.as_deref().unwrap_or("none");
        lines.push(format!("{} {role} locked={} {} host keys", node.name, node.locked, node.host_keys.len()));
    }
    lines.extend(inventory.resources(HERE, None).unwrap().iter().map(|row| format!("{} {}", row.kind, row.name)));
    expected.assert_eq(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

#[test]
fn a_cluster_is_adopted_locked_and_unlocked_by_its_keys() {
    let world = world();
    let home = process(&world, WORKS);
    interrupted(&home);
    let file = world.dir.path().join("c.keys");
    export(&home.app, &file).unwrap();
    assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
    let again = export(&home.app, &file).unwrap_err();
    assert_eq!(again.message, format!("{} is there already", file.display()));
    let bytes = opened(&file);

    let dir = tempfile::tempdir().unwrap();
    let other = elsewhere(&world, dir.path());
    let adopt = |name: &str| within(&begin(&other), |at| other.toolkit.adopt_cluster(at, name));
    expect![[r#"
        NotFound: this account has nothing of a cluster `cc` of the context default/default
        hint: did you mean `c`?
    "#]]
    .assert_eq(&said(&adopt("cc").unwrap_err()));
    let (members, adopted) = adopt("c").unwrap();
    assert_eq!((members.nodes.len(), adopted.nodes.len(), members.changed), (2, 2, true));
    check(
        &other,
        &expect![[r#"
            c us-east linode/debian12 false
            2 node g6-nanode-1
            c-node-1 node locked=true 0 host keys
            c-node-2 node locked=true 0 host keys
            firewall lt-c
        "#]],
    );

    // Nothing is believed of a locked node, and no keys are made that would not fit.
    let ensure = || within(&begin(&other), |at| other.toolkit.ensure_cluster(at, &cluster(2))).unwrap_err();
    expect![[r#"
        Conflict: c-node-1: is locked: its keys are not known here, and nothing is trusted without them
        hint: give them with `linodetool cluster adopt c --keys FILE`, a file that `linodetool cluster export-keys` wrote, or delete it with `linodetool node delete c-node-1`
    "#]].assert_eq(&said(&ensure()));
    assert_eq!(other.toolkit.target(&members.nodes[0]).err().unwrap().kind, ensure().kind);
    assert_eq!(other.toolkit.secret_store().list_generated().unwrap(), Vec::<String>::new());
    expect![[r#"
        Conflict: c-node-1: is locked: its keys are not known here, and nothing is trusted without them
        hint: give them with `linodetool cluster adopt c --keys FILE`, a file that `linodetool cluster export-keys` wrote, or delete it with `linodetool node delete c-node-1`
    "#]].assert_eq(&said(&export(&other, &dir.path().join("none")).unwrap_err()));

    // Keys of another cluster, and of machines that were made anew since.
    let changed = |change: fn(&mut Value)| {
        let mut file: Value = serde_json::from_slice(&bytes).unwrap();
        change(&mut file);
        said(&give(&other, file.to_string().as_bytes()).unwrap_err())
    };
    let all = [
        changed(|file| file["cluster"] = "d".into()),
        changed(|file| file["nodes"].as_array_mut().unwrap().iter_mut().for_each(|node| node["id"] = "1".into())),
        changed(|file| file["secrets"] = Value::Object(Default::default())),
        changed(|file| file["format"] = 2.into()),
        said(&give(&other, b"{}").unwrap_err()),
    ];
    expect![[r#"
        Conflict: these are not the keys of cluster c: they are of another one
        hint: they were exported of cluster d in the context default/default; nothing was done
        Conflict: these are not the keys of cluster c: its nodes have other ids: they were made anew since the keys were exported
        hint: they were exported of cluster c in the context default/default; nothing was done
        Conflict: these are not the keys of cluster c: the key that logs in is missing or does not fit
        hint: they were exported of cluster c in the context default/default; nothing was done
        Usage: the file holds no keys of a cluster: its form is 2, and this version reads 1
        hint: use the version of linodetool that wrote it, or a newer one
        Usage: the file holds no keys of a cluster: missing field `format` at line 1 column 2
        hint: name a file that `linodetool cluster export-keys` wrote
    "#]].assert_eq(&all.concat());

    assert!(give(&other, &bytes).unwrap());
    assert!(!give(&other, &bytes).unwrap());
    check(
        &other,
        &expect![[r#"
        c us-east linode/debian12 true
        2 node g6-nanode-1
        c-node-1 node locked=false 2 host keys
        c-node-2 node locked=false 2 host keys
        firewall lt-c
    "#]],
    );
    let keys = |app: &App| app.toolkit.secret_store().list_generated().unwrap();
    assert_eq!(keys(&other), keys(&home.app));
    let nodes =
        |app: &App| app.toolkit.inventory().nodes(HERE).unwrap().into_iter().map(|node| (node.id, node.key_ref));
    assert!(nodes(&other).eq(nodes(&home.app)));
    let (_, adopted) = adopt("c").unwrap();
    assert!(adopted.nodes.is_empty());
}

#[test]
fn keys_that_are_still_here_unlock_at_once() {
    let world = world();
    interrupted(&process(&world, WORKS));
    std::fs::remove_file(world.paths().database()).unwrap();
    let app = elsewhere(&world, world.dir.path());
    within(&begin(&app), |at| app.toolkit.adopt_cluster(at, "c")).unwrap();
    check(
        &app,
        &expect![[r#"
        c us-east linode/debian12 true
        2 node g6-nanode-1
        c-node-1 node locked=false 1 host keys
        c-node-2 node locked=false 1 host keys
        firewall lt-c
    "#]],
    );
}
