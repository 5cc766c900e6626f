//! The binary and the sandbox it starts: a node's life, and what is left behind.
//!
//! Each test has a home of its own and stops its sandbox, whatever happens. Where this computer cannot run machines, the
//! tests are ignored with the reason, or fail if LINODETOOL_REQUIRE_ALL is set.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use support::Home;

const TESTS: &[support::Test] = &[
    ("a_node_is_made_used_and_deleted", a_node_is_made_used_and_deleted),
    ("an_ephemeral_sandbox_ends_with_a_failed_command", an_ephemeral_sandbox_ends_with_a_failed_command),
    ("an_interrupt_says_what_exists", an_interrupt_says_what_exists),
    ("failed_steps_are_listed", failed_steps_are_listed),
    ("a_limit_is_kept_with_its_run", a_limit_is_kept_with_its_run),
    ("parameters_are_checked_before_there_is_a_run", parameters_are_checked_before_there_is_a_run),
    ("what_is_wrong_starts_no_sandbox", what_is_wrong_starts_no_sandbox),
    ("hints_stay_in_the_sandbox", hints_stay_in_the_sandbox),
    ("hadoop_is_checked_before_a_machine_is_made", hadoop_is_checked_before_a_machine_is_made),
    ("a_state_of_a_newer_version_is_left_alone", a_state_of_a_newer_version_is_left_alone),
    ("a_taken_port_is_named_with_its_remedy", a_taken_port_is_named_with_its_remedy),
    ("a_lost_token_is_told_with_the_way_out", a_lost_token_is_told_with_the_way_out),
    ("what_dies_leaves_nothing", what_dies_leaves_nothing),
    ("a_sandbox_that_cannot_start_says_why", a_sandbox_that_cannot_start_says_why),
    ("a_new_sandbox_knows_nothing_of_the_last_one", a_new_sandbox_knows_nothing_of_the_last_one),
    ("a_run_is_undone", a_run_is_undone),
    ("a_lost_inventory_is_made_anew", a_lost_inventory_is_made_anew),
    ("a_damaged_database_is_copied_and_left_alone", a_damaged_database_is_copied_and_left_alone),
    ("a_secret_reaches_the_node_and_no_record", a_secret_reaches_the_node_and_no_record),
    ("a_node_without_java_is_told_with_the_remedy", a_node_without_java_is_told_with_the_remedy),
];

fn main() -> ExitCode {
    support::main(TESTS, || support::no_machines(&[]))
}

fn is(found: impl Into<Value>, wanted: impl Into<Value>) -> Result<(), Failed> {
    support::is("it", found, wanted)
}

fn create(home: &Home, name: &str) -> Result<Value, Failed> {
    home.json(&["--sandbox", "node", "create", "us-east", "g6-nanode-1", "linode/debian12", "--name", name])
}

fn a_node_is_made_used_and_deleted(home: &Home) -> Result<(), Failed> {
    let node = create(home, "web-1")?;
    is(node["status"].clone(), "running")?;
    is(home.json(&["sandbox", "status"])?["running"].clone(), true)?;

    // `--json` after `--` belongs to the command; given before, it is ours.
    is(home.ok(&["--sandbox", "exec", "web-1", "--", "echo", "--json"])?, "== web-1\n--json\n")?;
    let answers = home.json(&["--sandbox", "exec", "web-1", "--", "hostname"])?;
    is(answers[0]["stdout"].clone(), "web-1\n")?;
    is(home.code(&["--sandbox", "exec", "web-1", "--", "exit 3"])?, 9)?;

    std::fs::write(home.path().join("a"), "text")?;
    home.ok(&["--sandbox", "cp", "a", "web-1:/root/a"])?;
    home.ok(&["--sandbox", "cp", "web-1:/root/a", "b"])?;
    is(std::fs::read_to_string(home.path().join("b"))?, "text")?;

    if Path::new("/usr/bin/ssh").exists() {
        is(home.ok(&["--sandbox", "node", "ssh", "web-1", "--", "cat /root/a"])?, "text")?;
        is(home.code(&["--sandbox", "node", "ssh", "web-1", "--", "exit 7"])?, 7)?;
        let left = home.path().join(".local/state/linodetool/sandbox/state/ssh");
        is(std::fs::read_dir(left)?.count(), 0)?;
    }

    let config = home.ok(&["--sandbox", "inventory", "export", "--format", "ssh-config"])?;
    is(config.starts_with("Host web-1\n") && config.contains("StrictHostKeyChecking yes"), true)?;
    a_port_leads_to_the_node(home)?;

    is(home.json(&["--sandbox", "node", "stop", "web-1"])?[0]["status"].clone(), "offline")?;
    is(home.json(&["--sandbox", "node", "start", "web-1"])?[0]["status"].clone(), "running")?;
    let (code, error) = home.fails(&["--sandbox", "node", "delete", "web-2"])?;
    is(code, 3)?;
    is(error["hint"].clone(), "did you mean `web-1`?")?;
    home.ok(&["--sandbox", "node", "delete", "web-1"])?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))?;
    // Every command that changed something is on record.
    let titles = home.json(&["--sandbox", "runs", "list"])?;
    let titles: Vec<_> = titles.as_array().unwrap().iter().rev().map(|run| run["title"].clone()).collect();
    is(titles[0].clone(), "node create web-1")?;
    is(titles[titles.len() - 1].clone(), "node delete web-1")?;

    is(home.json(&["sandbox", "stop"])?["stopped"].clone(), true)?;
    is(home.code(&["sandbox", "status"])?, 3)
}

fn a_port_leads_to_the_node(home: &Home) -> Result<(), Failed> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let port = taken.local_addr()?.port().to_string();
    let (code, error) = home.fails(&["--sandbox", "forward", "web-1", "22", "--local-port", &port])?;
    is(code, 13)?;
    is(error["hint"].clone(), "choose another with --local-port, or any free one with --local-port 0")?;

    let mut forward = home
        .command(&["--sandbox", "--quiet", "forward", "web-1", "22", "--local-port", "0"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(forward.stdout.take().unwrap()).read_line(&mut address)?;
    let greeting = greeting_of(address.trim());
    Command::new("kill").args(["-INT", &forward.id().to_string()]).status()?;
    is(forward.wait()?.code(), 0)?;
    is(greeting?.starts_with("SSH-2.0-"), true)
}

/// The first line that a server says.
fn greeting_of(address: &str) -> Result<String, Failed> {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(address)?).read_line(&mut line)?;
    Ok(line)
}

fn an_ephemeral_sandbox_ends_with_a_failed_command(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("bad.rhai"), "params(#{});\nfail(\"no\", \"never\");\n")?;
    let (code, error) = home.fails(&["--sandbox", "run", "bad.rhai", "--ephemeral"])?;
    is(code, 10)?;
    is(error["message"].clone(), "no")?;
    is(error["nodes"].clone(), Value::Array(Vec::new()))?;
    is(home.code(&["sandbox", "status"])?, 3)?;
    let (code, _) = home.fails(&["run", "bad.rhai", "--ephemeral"])?;
    is(code, 2)
}

const SLOW: &str = r#"
let p = params(#{ count: param(1, "nodes", #{ min: 1 }) });
let c = clusters::ensure(#{ name: "slow", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: p.count, type: "g6-nanode-1" }] });
print("sleeping");
lanes(c.nodes, |n| n.run("sleep 600"));
"#;

fn an_interrupt_says_what_exists(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("slow.rhai"), SLOW)?;
    let mut child = home
        .command(&["--json", "--sandbox", "run", "slow.rhai"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    // Ends with an error if the recipe ends before.
    while lines.next().ok_or("it ended early")?? != "sleeping" {}
    Command::new("kill").args(["-INT", &child.id().to_string()]).status()?;
    // Who writes on to a pipe without a reader would be told of it, not of the interrupt.
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    let output = child.wait_with_output()?;
    let document: Value = serde_json::from_slice(&output.stdout)?;
    let error = &document["error"];
    is(output.status.code(), 130)?;
    is(error["kind"].clone(), "cancelled")?;
    is(error["message"].clone(), "interrupted; these nodes exist: slow-node-1")?;
    is(error["nodes"].clone(), vec!["slow-node-1"])?;
    is(rest.iter().any(|line| line.starts_with("Stopping;")), true)?;
    is(home.json(&["--sandbox", "runs", "list"])?[0]["status"].clone(), "cancelled")?;
    // What it began on the node goes on, until somebody says otherwise.
    let cancelled = home.json(&["--sandbox", "runs", "cancel", "last"])?;
    is(cancelled["status"].clone(), "cancelled")?;
    home.ok(&["--sandbox", "exec", "slow-node-1", "--", "! pgrep -f 'sleep 60[0]'"])?;
    home.ok(&["--sandbox", "cluster", "destroy", "slow"])?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))
}

const ONE_FAILS: &str = r#"
let p = params(#{ quorum: param("50%", "lanes that must end well") });
policy(#{ quorum: p.quorum });
let c = clusters::ensure(#{ name: "two", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });
lanes(c.nodes, |n| n.run("hostname; test $(hostname) = two-node-1 || { echo no such luck >&2; exit 3; }"));
"#;

fn failed_steps_are_listed(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("two.rhai"), ONE_FAILS)?;
    let is_listed = |steps: &Value| -> Result<(), Failed> {
        let step = &steps[0];
        is(steps.as_array().map(Vec::len), 1)?;
        is(step["node"].clone(), "two-node-2")?;
        is(step["op"].clone(), "node.run")?;
        is(step["output"].clone(), "no such luck")?;
        is(step["exit_code"].clone(), 3)
    };
    // The recipe's policy does without it: the run is done, and says so.
    let report = home.json(&["--sandbox", "run", "two.rhai"])?;
    is(report["status"].clone(), "done")?;
    is_listed(&report["failed_steps"])?;
    let (code, error) = home.fails(&["--sandbox", "run", "two.rhai", "--set", "quorum=100%"])?;
    is(code, 9)?;
    is_listed(&error["failed_steps"])?;
    let shown = home.ok(&["--sandbox", "runs", "show", "last"])?;
    is(shown.contains("1 step failed:\n  two-node-2: node.run (step "), true)?;
    is(shown.contains("\n    | no such luck\n"), true)
}

/// What a rehearsal cannot know, as it is decided on a node, costs more than allowed.
const GROWS: &str = r#"
fn node(name) { nodes::create(#{ name: name, region: "us-east", type: "g6-nanode-1", image: "linode/debian12" }) }
let first = node("web-1");
if first.run("echo more").stdout.contains("more") { node("web-2"); }
nodes::delete("web-1");
node("web-3");
"#;

fn a_limit_is_kept_with_its_run(home: &Home) -> Result<(), Failed> {
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

fn parameters_are_checked_before_there_is_a_run(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("slow.rhai"), SLOW)?;
    for (set, message) in
        [("cuont=2", "the recipe has no parameter `cuont`"), ("count=0", "`count` must be at least 1, but is 0")]
    {
        let (code, error) = home.fails(&["run", "slow.rhai", "--set", set])?;
        is(code, 2)?;
        is(error["message"].clone(), message)?;
    }
    is(home.json(&["runs", "list"])?, Value::Array(Vec::new()))?;
    // On a real account, what is missing is named with its remedies, and nothing is made.
    let (code, error) = home.fails(&["run", "slow.rhai", "--yes"])?;
    is(code, 5)?;
    is(error["message"].clone(), "there is no Linode API token")?;
    is(error["line"].clone(), 3)
}

fn what_is_wrong_starts_no_sandbox(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("bad.rhai"), "let x = ;\n")?;
    for (arguments, wanted) in [
        (vec!["run", "hadop"], (3, "did you mean `hadoop`?")),
        (vec!["run", "hadoop", "--set", "worker=3"], (2, "did you mean `workers`?")),
        (vec!["run", "hadoop", "--set", "workers=0"], (2, "its parameters: linodetool recipe show hadoop")),
        (vec!["run", "hadoop", "--set", "workers=-1"], (2, "its parameters: linodetool recipe show hadoop")),
        (vec!["run", "hadoop", "--set", "workers=abc"], (2, "its parameters: linodetool recipe show hadoop")),
        (vec!["run", "bad.rhai"], (10, "")),
    ] {
        let (code, error) = home.fails(&[&["--sandbox"], arguments.as_slice()].concat())?;
        is(code, wanted.0)?;
        is(error["hint"].as_str().unwrap_or_default(), wanted.1)?;
    }
    is(home.path().join(".local").exists(), false)
}

fn hints_stay_in_the_sandbox(home: &Home) -> Result<(), Failed> {
    create(home, "web-1")?;
    let (code, error) = home.fails(&["--sandbox", "node", "show", "zzz"])?;
    is(code, 3)?;
    is(error["hint"].clone(), "`linodetool --sandbox node list` shows all")?;
    std::fs::create_dir(home.path().join("notes"))?;
    let (code, error) = home.fails(&["--sandbox", "cp", "notes", "web-1:/root/"])?;
    is(code, 13)?;
    is(
        error["hint"].as_str().unwrap_or_default().ends_with("| linodetool --sandbox node ssh web-1 -- tar -xC /root"),
        true,
    )?;
    // The command line of a run that did not begin is on no record.
    is(home.json(&["--sandbox", "runs", "list"])?.as_array().map_or(0, Vec::len), 1)
}

fn hadoop_is_checked_before_a_machine_is_made(home: &Home) -> Result<(), Failed> {
    for (set, code, message) in [
        ("replication=3", 10, "replication 3 needs as many workers, and there are 2"),
        ("hadoop_dist=/nothing", 13, "cannot read /nothing: No such file or directory (os error 2)"),
        ("input=/nothing", 13, "cannot read /nothing: No such file or directory (os error 2)"),
    ] {
        let (found, error) = home.fails(&["--sandbox", "run", "hadoop", "--set", set])?;
        is(found, code)?;
        is(error["message"].clone(), message)?;
        is(error["hint"].is_string(), true)?;
    }
    // Maven is this computer's.
    let output = home.command(&["--json", "--sandbox", "run", "hadoop"]).env("PATH", "/nothing").output()?;
    let document: Value = serde_json::from_slice(&output.stdout)?;
    is(output.status.code(), 13)?;
    is(document["error"]["hint"].as_str().unwrap_or_default().starts_with("install Maven"), true)?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))
}

fn a_state_of_a_newer_version_is_left_alone(home: &Home) -> Result<(), Failed> {
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

fn a_damaged_database_is_copied_and_left_alone(home: &Home) -> Result<(), Failed> {
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

const PASSWORD: &str = "correct-horse-battery";

const SECRETS: &str = r#"
let n = nodes::create(#{ name: "web-1", region: "us-east", type: "g6-nanode-1", image: "linode/debian12" });
n.file("/root/db", #{ content_secret: "db" });
if n.file("/root/db", #{ content_secret: "db" }).changed { fail("it was there") }
let same = n.run("test \"$PASSWORD\" = \"$(cat /root/db)\" && echo \"it is $PASSWORD\"", #{ secret_env: #{ PASSWORD: "db" } });
print(same.stdout);
output("said", same.stdout);
output("length", n.run("wc -c < /root/db").stdout);
output("shown", n.run("cat /root/db; cat /root/db >&2").stdout);
output("checked", n.check("test $(stat -c %a /root/db) = 600 && grep -q horse /root/db"));
output("refuted", n.check("test -e /root/nothing"));
n.run("cat /root/db; exit 3");
"#;

fn a_secret_reaches_the_node_and_no_record(home: &Home) -> Result<(), Failed> {
    // Set before there is a sandbox, it is there when one has started.
    let (reader, mut writer) = std::io::pipe()?;
    let mut set = home.command(&["--sandbox", "secret", "set", "db"]).stdin(reader).stdout(Stdio::null()).spawn()?;
    writer.write_all(PASSWORD.as_bytes())?;
    drop(writer);
    is(set.wait()?.success(), true)?;

    std::fs::write(home.path().join("secrets.rhai"), SECRETS)?;
    let output = home.run(&["--sandbox", "-v", "run", "secrets.rhai"])?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    // The last command's error shows its output.
    is(output.status.code(), 9).map_err(|_| said.clone())?;
    is(said.contains("it is ***") && said.contains("| ***"), true)?;
    let run = home.json(&["--sandbox", "runs", "show", "last"])?;
    let wanted = json!({ "said": "it is ***\n", "length": "21\n", "shown": "***", "checked": true, "refuted": false });
    is(run["outputs"].clone(), wanted)?;
    let mut places = Vec::new();
    for (place, text) in [("output", said), ("runs show", run.to_string())] {
        places.extend(text.contains(PASSWORD).then(|| place.to_owned()));
    }
    files_with(&home.path().join(".local"), PASSWORD.as_bytes(), &mut places)?;
    // All that is left are the node's own disk: the file, and what the commands wrote there.
    places.retain(|place| !(place.contains("/sandbox/machines/") && on_node(place)));
    is(places, Value::Array(Vec::new()))
}

/// The file that was to hold it, and the output of the commands that showed it.
fn on_node(place: &str) -> bool {
    place.ends_with("/root/db") || place.contains("/var/lib/linodetool/")
}

/// Files below the folder that hold these bytes.
fn files_with(folder: &Path, wanted: &[u8], found: &mut Vec<String>) -> Result<(), Failed> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files_with(&entry.path(), wanted, found)?;
        } else if entry.file_type()?.is_file() {
            let bytes = std::fs::read(entry.path())?;
            let holds = bytes.windows(wanted.len()).any(|window| window == wanted);
            found.extend(holds.then(|| entry.path().display().to_string()));
        }
    }
    Ok(())
}

const NO_JAVA: &str = r#"
import "lib/hadoop" as hadoop;
let c = clusters::ensure(#{ name: "bare", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 1, type: "g6-nanode-1" }] });
// A machine's disk is its own: nothing is removed from this computer.
c.nodes[0].run("while j=$(command -v java); do rm -f \"$j\"; done");
hadoop::install(c.nodes[0], #{ cluster: c });
"#;

fn a_node_without_java_is_told_with_the_remedy(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("bare.rhai"), NO_JAVA)?;
    let (code, error) = home.fails(&["--sandbox", "run", "bare.rhai"])?;
    is(code, 9)?;
    let message = "package openjdk-17-jre-headless: java is not there, and a sandbox machine has the programs of this \
        computer and no outside network";
    is(error["message"].clone(), message)?;
    is(error["node"].clone(), "bare-node-1")?;
    is(error["hint"].as_str().unwrap_or_default().starts_with("install on this computer: "), true)
}

fn a_taken_port_is_named_with_its_remedy(home: &Home) -> Result<(), Failed> {
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let (code, error) = home.fails(&["sandbox", "serve", "--listen", &taken.local_addr()?.to_string()])?;
    is(code, 14)?;
    is(error["message"].as_str().unwrap_or_default().contains("choose another with --listen, or port 0"), true)?;
    let folder = home.path().join(".local/state/linodetool/sandbox");
    is(std::os::unix::fs::MetadataExt::mode(&folder.metadata()?) & 0o777, 0o700)
}

fn a_lost_token_is_told_with_the_way_out(home: &Home) -> Result<(), Failed> {
    home.ok(&["--sandbox", "regions"])?;
    let pid = home.json(&["sandbox", "status"])?["pid"].to_string();
    std::fs::write(home.path().join(".local/state/linodetool/sandbox/token"), "another")?;
    let (code, error) = home.fails(&["sandbox", "stop"])?;
    is(code, 14)?;
    let hint =
        format!("its token file is not the one it was started with; end it with `kill {pid}`, then start it again");
    is(error["hint"].clone(), hint)?;
    Command::new("kill").arg(&pid).status()?;
    // Stopping waits for what is about to end.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while home.code(&["sandbox", "stop"])? != 0 && std::time::Instant::now() < end {}
    is(home.code(&["sandbox", "status"])?, 3)
}

fn what_dies_leaves_nothing(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("slow.rhai"), SLOW)?;
    let mut child = home.command(&["--sandbox", "run", "slow.rhai"]).stderr(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    while lines.next().ok_or("it ended early")?? != "sleeping" {}
    child.kill()?;
    child.wait()?;
    is(home.json(&["--sandbox", "runs", "list"])?[0]["status"].clone(), "interrupted")?;
    // The same command goes on: nothing is made twice.
    std::fs::write(home.path().join("slow.rhai"), SLOW.replace("sleep 600", "true"))?;
    home.ok(&["--sandbox", "run", "slow.rhai"])?;
    is(home.json(&["--sandbox", "node", "list"])?.as_array().map_or(0, Vec::len), 1)?;

    let pid = home.json(&["sandbox", "status"])?["pid"].to_string();
    Command::new("kill").args(["-KILL", &pid]).status()?;
    // Its end is a matter of the kernel's; a command that begins meanwhile may still see it.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while Path::new("/proc").join(&pid).join("exe").exists() && std::time::Instant::now() < end {
        std::thread::yield_now();
    }
    is(home.code(&["--sandbox", "exec", "all", "--", "true"])?, 14)?;
    create(home, "web-1")?;
    home.ok(&["--sandbox", "exec", "web-1", "--", "true"])?;
    home.ok(&["sandbox", "reset"])?;
    is(home.path().join(".local/state/linodetool/sandbox").exists(), false)
}

fn a_sandbox_that_cannot_start_says_why(home: &Home) -> Result<(), Failed> {
    let state = home.path().join("file");
    std::fs::write(&state, "")?;
    let (code, error) = home.fails(&["--state-dir", "file", "--sandbox", "regions"])?;
    is(code, 14)?;
    is(error["kind"].clone(), "sandbox")?;
    is(error["hint"].is_string(), true)
}

fn a_new_sandbox_knows_nothing_of_the_last_one(home: &Home) -> Result<(), Failed> {
    create(home, "web-1")?;
    let (code, _) = home.fails(&["sandbox", "serve"])?;
    is(code, 14)?;
    home.ok(&["sandbox", "stop"])?;
    let (code, _) = home.fails(&["--sandbox", "exec", "web-1", "--", "true"])?;
    is(code, 14)?;
    home.ok(&["--sandbox", "regions"])?;
    is(home.json(&["--sandbox", "node", "list"])?, Value::Array(Vec::new()))
}

fn a_run_is_undone(home: &Home) -> Result<(), Failed> {
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

fn a_lost_inventory_is_made_anew(home: &Home) -> Result<(), Failed> {
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
