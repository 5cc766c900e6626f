//! What is done with nodes, and what of it is told.

use crate::support::Home;
use crate::{SLOW, create, is};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn a_node_is_made_used_and_deleted(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn an_ephemeral_sandbox_ends_with_a_failed_command(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("bad.rhai"), "params(#{});\nfail(\"no\", \"never\");\n")?;
    let (code, error) = home.fails(&["--sandbox", "run", "bad.rhai", "--ephemeral"])?;
    is(code, 10)?;
    is(error["message"].clone(), "no")?;
    is(error["nodes"].clone(), Value::Array(Vec::new()))?;
    is(home.code(&["sandbox", "status"])?, 3)?;
    let (code, _) = home.fails(&["run", "bad.rhai", "--ephemeral"])?;
    is(code, 2)
}

pub(crate) fn an_interrupt_says_what_exists(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn failed_steps_are_listed(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn parameters_are_checked_before_there_is_a_run(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn what_is_wrong_starts_no_sandbox(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn hints_stay_in_the_sandbox(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn hadoop_is_checked_before_a_machine_is_made(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn a_secret_reaches_the_node_and_no_record(home: &Home) -> Result<(), Failed> {
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

pub(crate) fn a_node_without_java_is_told_with_the_remedy(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("bare.rhai"), NO_JAVA)?;
    let (code, error) = home.fails(&["--sandbox", "run", "bare.rhai"])?;
    is(code, 9)?;
    let message = "package openjdk-17-jre-headless: java is not there, and a sandbox machine has the programs of this \
        computer and no outside network";
    is(error["message"].clone(), message)?;
    is(error["node"].clone(), "bare-node-1")?;
    is(error["hint"].as_str().unwrap_or_default().starts_with("install on this computer: "), true)
}
