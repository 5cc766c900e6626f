//! What is on record: databases, runs that are undone, an inventory that is lost.

use crate::support::Home;
use crate::{SLOW, is};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

pub(crate) fn a_state_of_a_newer_version_is_left_alone(home: &Home) -> Result<(), Failed> {
    home.ok(&["node", "list"])?;
    let file = home.path().join(".local/state/linodetool/linodetool.db");
    // The version is the big-endian number at byte 60 of the file's header.
    let mut bytes = std::fs::read(&file)?;
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(&file, &bytes)?;
    for arguments in [&["node", "list"][..], &["run", "hadoop", "--yes"]] {
        let (code, error) = home.fails(arguments)?;
        is(code, 12)?;
        is(error["hint"].clone(), "update linodetool, or keep this version's state elsewhere with --state-dir")?;
    }
    is(std::fs::read(&file)? == bytes, true)
}

pub(crate) fn a_damaged_database_is_copied_and_left_alone(home: &Home) -> Result<(), Failed> {
    home.ok(&["node", "list"])?;
    let file = home.path().join(".local/state/linodetool/linodetool.db");
    let text = "no database any more".repeat(100);
    std::fs::write(&file, &text)?;
    for arguments in [&["node", "list"][..], &["run", "hadoop", "--yes"]] {
        let (code, error) = home.fails(arguments)?;
        is(code, 12)?;
        is(error["message"].as_str().unwrap_or_default().ends_with("is damaged: file is not a database"), true)?;
        is(error["hint"].as_str().unwrap_or_default().contains("a copy as it was found is"), true)?;
    }
    let checks = String::from_utf8(home.run(&["doctor"])?.stdout)?;
    is(checks.contains("MISSING  state directory  the database"), true)?;
    is(std::fs::read_to_string(&file)? == text, true)?;
    let copies = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().contains(".corrupt-");
    is(std::fs::read_dir(file.parent().unwrap())?.flatten().filter(copies).count(), 1)
}

pub(crate) fn a_run_is_undone(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("slow.rhai"), SLOW)?;
    let mut child = home.command(&["--sandbox", "run", "slow.rhai"]).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while lines.next().ok_or("it ended early")?? != "sleeping" {}
    let id = home.json(&["--sandbox", "runs", "list"])?[0]["id"].as_str().unwrap().to_owned();
    let (code, error) = home.fails(&["--sandbox", "runs", "undo", &id])?;
    is(code, 4)?;
    is(error["message"].as_str().unwrap_or_default().contains("is being executed"), true)?;
    child.kill()?;
    child.wait()?;

    let shown = home.json(&["--sandbox", "runs", "undo", &id, "--dry-run"])?;
    let kinds: Vec<_> = shown["would_destroy"].as_array().unwrap().iter().map(|thing| thing["kind"].clone()).collect();
    is(kinds, vec!["Linode", "firewall"])?;
    is(home.json(&["--sandbox", "node", "list"])?.as_array().map_or(0, Vec::len), 1)?;
    // The run tells the world by itself.
    let undone = home.json(&["runs", "undo", &id])?;
    is(undone["complete"].clone(), true)?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))?;
    is(home.json(&["--sandbox", "cluster", "list"])?, Value::Array(Vec::new()))?;
    let again = home.ok(&["--sandbox", "runs", "undo", &id])?;
    is(again, format!("Nothing that run {id} made is left.\n"))?;
    let (code, error) = home.fails(&["--sandbox", "runs", "resume", &id])?;
    is(code, 4)?;
    is(error["message"].clone(), format!("run {id} is undone: what it made is destroyed"))?;
    is(home.ok(&["--sandbox", "cluster", "gc"])?, "The account and the inventory agree.\n")?;
    is(home.code(&["--sandbox", "runs", "undo", "ffff"])?, 3)
}

const KEPT: &str = r#"
params(#{});
let c = clusters::ensure(#{ name: "kept", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "web", count: 2, type: "g6-nanode-1" }] });
output("changed", c.changed);
"#;

pub(crate) fn a_lost_inventory_is_made_anew(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("kept.rhai"), KEPT)?;
    std::fs::write(home.path().join("words"), "correct horse\n")?;
    std::fs::write(home.path().join("wrong"), "incorrect horse\n")?;
    let run = || home.json(&["--sandbox", "run", "kept.rhai"]);
    is(run()?["outputs"]["changed"].clone(), true)?;
    let export = ["--sandbox", "cluster", "export-keys", "kept", "--out", "kept.keys", "--passphrase-file", "words"];
    home.ok(&export)?;
    is(home.code(&export)?, 4)?;
    home.ok(&[&export[..], &["--force"]].concat())?;
    is(std::os::unix::fs::MetadataExt::mode(&home.path().join("kept.keys").metadata()?) & 0o777, 0o600)?;

    let state = home.path().join(".local/state/linodetool/sandbox/state");
    for name in ["linodetool.db", "linodetool.db-wal", "linodetool.db-shm"] {
        let _ = std::fs::remove_file(state.join(name));
    }
    std::fs::remove_dir_all(state.join("secrets"))?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))?;
    let nodes = home.json(&["--sandbox", "cluster", "adopt", "kept"])?["nodes"].clone();
    is(nodes[1]["role"].clone(), "web")?;
    is(nodes[1]["locked"].clone(), true)?;
    is(home.ok(&["--sandbox", "node", "list"])?.contains("running, locked"), true)?;
    is(home.code(&["--sandbox", "exec", "cluster:kept", "--", "true"])?, 4)?;
    let (code, error) = home.fails(&["--sandbox", "run", "kept.rhai"])?;
    is(code, 4)?;
    is(error["hint"].as_str().unwrap_or_default().contains("cluster adopt kept --keys FILE"), true)?;

    let adopt =
        |words| ["--sandbox", "cluster", "adopt", "kept", "--keys", "kept.keys", "--passphrase-file", words].to_vec();
    let (code, error) = home.fails(&adopt("wrong"))?;
    is(code, 2)?;
    is(error["message"].clone(), "the passphrase is wrong")?;
    home.ok(&adopt("words"))?;
    let answers = home.json(&["--sandbox", "cluster", "status", "kept"])?;
    is(answers["healthy"].clone(), true)?;
    let answers = home.json(&["--sandbox", "exec", "kept-web-2", "--", "hostname"])?;
    is(answers[0]["stdout"].clone(), "kept-web-2\n")?;
    is(run()?["outputs"]["changed"].clone(), false)
}

/// What a rehearsal cannot know, as it is decided on a node, costs more than allowed.
const GROWS: &str = r#"
fn node(name) { nodes::create(#{ name: name, region: "us-east", type: "g6-nanode-1", image: "linode/debian12" }) }
let first = node("web-1");
if first.run("echo more").stdout.contains("more") { node("web-2"); }
nodes::delete("web-1");
node("web-3");
"#;

pub(crate) fn a_limit_is_kept_with_its_run(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("grows.rhai"), GROWS)?;
    let output = home.run(&["--sandbox", "run", "grows.rhai", "--max-cost", "0.01"])?;
    is(output.status.code(), 15)?;
    let text = String::from_utf8(output.stderr)?;
    let advice = text.lines().last().unwrap_or_default().to_owned();
    let (_, command) = advice.split_once("linodetool ").unwrap_or_default();
    is(advice.starts_with("If it may cost that much, go on: "), true)?;
    // The same again without another limit, whose command goes on.
    let (code, error) = home.fails(&["runs", "resume", "last"])?;
    is(code, 15)?;
    is(error["message"].clone(), "this would cost $0.015 an hour, and the limit is $0.01")?;
    is(command.split(' ').skip(4).collect::<Vec<_>>().join(" "), "--max-cost 0.015")?;
    // By then `web-1` is gone, so that a third one fits in.
    let report = home.json(&command.split(' ').collect::<Vec<_>>())?;
    let names: Vec<_> = report["nodes"].as_array().into_iter().flatten().map(|node| node["name"].clone()).collect();
    is(names, json!(["web-2", "web-3"]))
}
