//! Runs of the real binary that are killed and go on, on machines of namespaces: nothing is made or done twice.
//!
//! The sandbox's ledger and what the machines have on their disks are the judges, not the inventory.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ExitCode, Stdio};
use support::{Home, is};

fn main() -> ExitCode {
    let tests: &[support::Test] = &[
        ("killed_in_creates_and_in_commands", killed_in_creates_and_in_commands),
        ("what_failed_is_retried_and_a_log_is_followed", what_failed_is_retried_and_a_log_is_followed),
        ("a_command_that_was_killed_goes_on", a_command_that_was_killed_goes_on),
        ("a_run_that_was_taken_over_is_left_alone", a_run_that_was_taken_over_is_left_alone),
        ("a_run_goes_on_in_its_own_world_or_not_at_all", a_run_goes_on_in_its_own_world_or_not_at_all),
        (
            "a_node_that_was_deleted_elsewhere_is_told_and_made_anew",
            a_node_that_was_deleted_elsewhere_is_told_and_made_anew,
        ),
        ("an_exec_goes_on_where_it_did_not_run", an_exec_goes_on_where_it_did_not_run),
        ("what_a_reboot_cut_is_done_again_only_if_asked", what_a_reboot_cut_is_done_again_only_if_asked),
        ("an_interrupt_names_the_command_that_goes_on", an_interrupt_names_the_command_that_goes_on),
    ];
    support::main(tests, || support::no_machines(&[]))
}

/// Each node counts how often its commands were run. The last command ends when the file `go` is there.
const RECIPE: &str = r#"
let p = params(#{ count: param(1, "nodes", #{ min: 1 }) });
let c = clusters::ensure(#{ name: "k", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: p.count, type: "g6-nanode-1" }] });
lanes(c.nodes, |n| {
    n.run("echo first >> /root/log");
    print(`${n.name} first`);
    n.run("echo second >> /root/log; i=0; until [ -e /root/go ] || [ $i -ge 600 ]; do sleep 0.1; i=$((i+1)); done; echo end >> /root/log");
    n.run("cat /root/log").stdout
});
output("logs", lanes(c.nodes, |n| n.run("cat /root/log").stdout));
"#;

/// A command whose standard error is followed line by line; it dies with the test.
struct Followed {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
    seen: Vec<String>,
}

impl Followed {
    fn start(home: &Home, arguments: &[&str]) -> Result<Self, Failed> {
        let mut child = home.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        Ok(Self { child, lines, seen: Vec::new() })
    }

    /// Reads on until a line contains the text.
    fn until(&mut self, text: &str) -> Result<(), Failed> {
        while !self.seen.last().is_some_and(|line| line.contains(text)) {
            let ended = || format!("it ended before `{text}`:\n{}", self.seen.join("\n"));
            let line = self.lines.next().ok_or_else(ended)??;
            self.seen.push(line);
        }
        Ok(())
    }

    fn kill(mut self) -> Result<(), Failed> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Linodes by label, as the ledger has them: how often each was created.
fn created(home: &Home) -> Result<BTreeMap<String, u32>, Failed> {
    let file = home.path().join(".local/state/linodetool/sandbox/ledger.jsonl");
    let mut found = BTreeMap::new();
    for line in std::fs::read_to_string(file)?.lines() {
        let entry: Value = serde_json::from_str(line)?;
        if entry["what"] == "created" && entry["kind"] == "linode" {
            *found.entry(entry["label"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    Ok(found)
}

fn killed_in_creates_and_in_commands(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("k.rhai"), RECIPE)?;
    let mut run = Followed::start(home, &["--sandbox", "run", "k.rhai", "--set", "count=4"])?;
    // The others are being created, booted or logged in to.
    run.until("] create ... ok")?;
    run.kill()?;
    let list = home.json(&["--sandbox", "runs", "list"])?;
    is("status", list[0]["status"].clone(), "interrupted")?;
    let id = list[0]["id"].as_str().unwrap_or_default().to_owned();

    // Another folder, and the sandbox is not named: the run brings both. The file is another by now.
    std::fs::write(home.path().join("k.rhai"), RECIPE.replace("us-east", "eu-west"))?;
    let refused = home.run(&["runs", "resume", &id, "--current"])?;
    is("exit code of another text", refused.status.code(), 10)?;
    let said = String::from_utf8(refused.stderr)?;
    let names = said.contains("`spec.region` \"us-east\"") && said.contains("nothing was changed");
    is(&format!("the step that differs is named in: {said}"), names, true)?;
    let mut again = Followed::start(home, &["runs", "resume", &id[..6]])?;
    again.until("k.rhai has changed since; the run goes on with the text that it was begun with")?;
    again.until(&format!("resuming run {id}: "))?;
    // Lanes speak in any order.
    while again.seen.iter().filter(|line| line.ends_with(" first")).count() < 4 {
        again.seen.push(again.lines.next().ok_or("it ended early")??);
    }
    again.kill()?;
    let exec = ["--json", "--sandbox", "exec", "all", "--", "grep -c second /root/log; touch /root/go"];
    home.ok(&exec)?;

    let report = home.json(&["runs", "resume", &id])?;
    is("run", report["run"].clone(), id.clone())?;
    is("status", report["status"].clone(), "done")?;
    is("logs", report["outputs"]["logs"].clone(), vec!["first\nsecond\nend\n"; 4])?;
    is(
        "created",
        serde_json::to_value(created(home)?)?,
        serde_json::json!({"k-node-1": 1, "k-node-2": 1, "k-node-3": 1, "k-node-4": 1}),
    )?;
    let shown = home.json(&["--sandbox", "runs", "show", &id])?;
    let open = shown["steps"].as_array().map_or(0, |steps| steps.iter().filter(|step| step["state"] != "done").count());
    is("steps that are not done", open, 0)?;

    let output = home.run(&["runs", "resume", &id])?;
    is("exit code of a run that is done", output.status.code(), 4)
}

fn an_interrupt_names_the_command_that_goes_on(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("k.rhai"), RECIPE)?;
    let mut run = Followed::start(home, &["--sandbox", "run", "k.rhai"])?;
    run.until("k-node-1 first")?;
    std::process::Command::new("kill").args(["-INT", &run.child.id().to_string()]).status()?;
    let rest: Vec<_> = run.lines.by_ref().map_while(Result::ok).collect();
    is("exit code", run.child.wait()?.code(), 130)?;
    let last = rest.last().cloned().unwrap_or_default();
    let command = last.strip_prefix("Go on: linodetool ").ok_or(last.clone())?;
    home.ok(&["--sandbox", "exec", "all", "--", "touch /root/go"])?;
    let output = home.ok(&command.split(' ').collect::<Vec<_>>())?;
    is("the end", output.contains("k.rhai done in "), true)?;
    is("created", serde_json::to_value(created(home)?)?, serde_json::json!({"k-node-1": 1}))
}

/// The first node's command fails until it is mended, and the recipe goes on.
const PASSED: &str = r#"
let c = clusters::ensure(#{ name: "k", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });
let done = lanes(c.nodes, |n| {
    n.run("i=0; until [ -e /root/go ] || [ $i -ge 600 ]; do sleep 0.1; i=$((i+1)); done; echo went on");
    n.run("[ -e /root/mended ] || { echo is not mended; exit 3; }")
}, #{ on_failure: "continue" });
output("ok", done.map(|one| one.ok));
"#;

fn what_failed_is_retried_and_a_log_is_followed(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("p.rhai"), PASSED)?;
    let mut run = Followed::start(home, &["--sandbox", "run", "p.rhai"])?;
    run.until("[k-node-2] ssh ... ok")?;
    let mut log = home.command(&["runs", "log", "last", "--follow"]).stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(log.stdout.take().unwrap()).lines();
    // It shows what was said before it began, and then what is said.
    let create = lines.by_ref().map_while(Result::ok).find(|line| line.ends_with("[k-node-1] create ... ok"));
    is("the log has the create", create.is_some(), true)?;
    home.ok(&["--sandbox", "exec", "k-node-2", "--", "touch /root/mended"])?;
    home.ok(&["--sandbox", "exec", "all", "--", "touch /root/go"])?;
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    is("exit code of the log", log.wait()?.code(), 0)?;
    is("exit code of the run", run.child.wait()?.code(), 0)?;
    for wanted in ["[k-node-1] | went on", "[k-node-1] | is not mended", "[k-node-2] [ -e /root/mended ]"] {
        is(&format!("{wanted} in {rest:?}"), rest.iter().any(|line| line.contains(wanted)), true)?;
    }
    is("the end", rest.last().is_some_and(|line| line.contains(" has ended: done")), true)?;

    // The two `exec` are runs, too.
    let list = home.json(&["--sandbox", "runs", "list"])?;
    let id = list[2]["id"].as_str().unwrap_or_default().to_owned();
    home.ok(&["--sandbox", "exec", "k-node-1", "--", "touch /root/mended"])?;
    let report = home.json(&["runs", "retry", &id])?;
    is("ok", report["outputs"]["ok"].clone(), vec![true, true])?;
    is("a new run", report["run"] != id.as_str(), true)?;
    is("retry of", home.json(&["--sandbox", "runs", "list"])?[0]["retry_of"].clone(), id.clone())?;
    let list = home.ok(&["--sandbox", "runs", "list"])?;
    let offered = list.lines().find(|line| line.starts_with(&id)).unwrap_or_default().to_owned();
    is(&offered, offered.contains("  retry  "), true)?;
    is("failed steps", home.json(&["runs", "show", &id])?["summary"]["failed_steps"].clone(), 1)?;
    is("nothing to retry", home.run(&["runs", "retry", "last"])?.status.code(), 4)?;
    is("created", serde_json::to_value(created(home)?)?, serde_json::json!({"k-node-1": 1, "k-node-2": 1}))
}

fn a_command_that_was_killed_goes_on(home: &Home) -> Result<(), Failed> {
    let create = ["--sandbox", "node", "create", "us-east", "g6-nanode-1", "linode/debian12", "--name", "web-1"];
    let mut first = Followed::start(home, &create)?;
    first.until("[web-1] create ... ok")?;
    first.kill()?;
    let again = home.run(&create)?;
    is("exit code of the same again", again.status.code(), 4)?;
    let said = String::from_utf8(again.stderr)?;
    let list = home.json(&["--sandbox", "runs", "list"])?;
    is("resumable", list[1]["resumable"].clone(), true)?;
    let resume = format!("runs resume {}", list[1]["id"].as_str().unwrap_or_default());
    is(&format!("`{resume}` in {said}"), said.contains(&resume), true)?;
    let node = home.json(&resume.split(' ').collect::<Vec<_>>())?;
    is("node", node["name"].clone(), "web-1")?;
    is("created", serde_json::to_value(created(home)?)?, serde_json::json!({"web-1": 1}))?;
    is("exec", home.ok(&["--sandbox", "exec", "web-1", "--", "hostname"])?, "== web-1\nweb-1\n")
}

/// Lock files of runs in the sandbox's state directory.
fn locks(home: &Home) -> Result<Vec<PathBuf>, Failed> {
    let folder = home.path().join(".local/state/linodetool/sandbox/state/runs");
    let files =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    Ok(files.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "lock")).collect())
}

/// As when somebody removes lock files by hand: the journal's generation keeps the first process out.
fn a_run_that_was_taken_over_is_left_alone(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("k.rhai"), RECIPE)?;
    let mut first = Followed::start(home, &["--sandbox", "run", "k.rhai"])?;
    first.until("k-node-1 first")?;
    let refused = home.run(&["--sandbox", "runs", "resume", "last"])?;
    is("exit code of a second owner", refused.status.code(), 4)?;
    let said = String::from_utf8(refused.stderr)?;
    is(&said, said.contains(&format!("process {} on ", first.child.id())), true)?;
    for lock in locks(home)? {
        std::fs::remove_file(lock)?;
    }
    let mut second = Followed::start(home, &["--sandbox", "--json", "runs", "resume", "last"])?;
    second.until("resuming run")?;
    home.ok(&["--sandbox", "exec", "all", "--", "touch /root/go"])?;
    let rest: Vec<_> = first.lines.by_ref().map_while(Result::ok).collect();
    is("exit code of the first", first.child.wait()?.code(), 4)?;
    is(&rest.join("\n"), rest.iter().any(|line| line.contains("was taken over by another process")), true)?;
    let mut document = String::new();
    second.child.stdout.take().unwrap().read_to_string(&mut document)?;
    is("exit code of the second", second.child.wait()?.code(), 0)?;
    let report: Value = serde_json::from_str(&document)?;
    is("logs", report["outputs"]["logs"].clone(), vec!["first\nsecond\nend\n"])?;
    is("created", serde_json::to_value(created(home)?)?, serde_json::json!({"k-node-1": 1}))
}

/// A command that must end with this code and say this.
fn refused(home: &Home, arguments: &[&str], code: i32, wanted: &str) -> Result<(), Failed> {
    let output = home.run(arguments)?;
    let said = String::from_utf8(output.stderr)?;
    is(&format!("exit code of {arguments:?}, which said {said}"), output.status.code(), code)?;
    is(&format!("`{wanted}` in {said}"), said.contains(wanted), true)
}

fn a_run_goes_on_in_its_own_world_or_not_at_all(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("f.rhai"), "nodes::list();\nfail(\"not yet\");")?;
    refused(
        home,
        &["--sandbox", "run", "f.rhai"],
        10,
        "Once the cause is mended, go on: linodetool --sandbox runs resume",
    )?;
    let resume = ["runs", "resume", "last"];
    refused(home, &["--sandbox", "runs", "resume", "zzz"], 3, "`linodetool --sandbox runs list` shows their ids")?;
    let of = |option, other| [&[option, other], &resume[..]].concat();
    let context = "belongs to context default/default, not to shop/default";
    refused(home, &of("--context", "shop"), 4, context)?;
    refused(home, &of("--provider", "other"), 4, "belongs to provider linode-v4, not to other")?;
    refused(home, &resume, 10, "not yet")?;
    home.ok(&["sandbox", "stop"])?;
    refused(home, &resume, 14, "the sandbox that this run worked in has ended, and its machines with it")
}

fn an_exec_goes_on_where_it_did_not_run(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("n.rhai"), NODES)?;
    home.ok(&["--sandbox", "run", "n.rhai"])?;
    let command = "echo ran >> /root/log; [ $(hostname) != k-node-2 ] || sleep 600";
    let mut exec = home.command(&["--sandbox", "exec", "all", "--", command]).stderr(Stdio::null()).spawn()?;
    // Two of them have done it, and the journal knows.
    let id = loop {
        let list = home.json(&["--sandbox", "runs", "list"])?;
        let id = list[0]["id"].as_str().unwrap_or_default().to_owned();
        let steps = home.json(&["--sandbox", "runs", "show", &id])?["steps"].take();
        let done = |step: &&Value| step["op"] == "node.exec" && step["state"] == "done";
        if steps.as_array().is_some_and(|steps| steps.iter().filter(done).count() == 2) {
            break id;
        }
        is("it goes on", exec.try_wait()?.is_none(), true)?;
    };
    exec.kill()?;
    exec.wait()?;
    let shown = home.ok(&["runs", "show", &id])?;
    let way = format!("go on     linodetool --sandbox runs resume {id}");
    is(&format!("`{way}` in {shown}"), shown.contains(&way), true)?;
    let output = home.run(&["runs", "resume", &id])?;
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    is(&said, output.status.code(), 9)?;
    let again = format!("once more there: linodetool --sandbox exec k-node-2 -- '{command}'");
    for wanted in [
        "== k-node-1, k-node-3 (2 nodes) (ran before; its output was not kept)",
        "error: k-node-2: whether the command ran is not known",
        &again,
    ] {
        is(&format!("`{wanted}` in {said}"), said.contains(wanted), true)?;
    }
    is(
        "each ran once",
        home.ok(&["--sandbox", "exec", "all", "--", "cat /root/log"])?,
        "== k-node-1, k-node-2, k-node-3 (3 nodes)\nran\n",
    )
}

const NODES: &str = r#"
clusters::ensure(#{ name: "k", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 3, type: "g6-nanode-1" }] });
"#;

const CUT: &str = r#"
let c = clusters::ensure(#{ name: "k", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 1, type: "g6-nanode-1" }] });
print("made");
c.nodes[0].run("echo began >> /root/log; [ -e /root/go ] || sleep 600");
output("log", c.nodes[0].run("cat /root/log").stdout);
"#;

fn what_a_reboot_cut_is_done_again_only_if_asked(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("c.rhai"), CUT)?;
    let mut run = Followed::start(home, &["--sandbox", "run", "c.rhai"])?;
    run.until("made")?;
    while home.run(&["--sandbox", "exec", "k-node-1", "--", "cat /root/log"])?.status.code() != Some(0) {}
    home.ok(&["--sandbox", "node", "reboot", "k-node-1"])?;
    let rest: Vec<_> = run.lines.by_ref().map_while(Result::ok).collect();
    is(&rest.join("\n"), run.child.wait()?.code(), 8)?;
    let last = rest.last().cloned().unwrap_or_default();
    let again = last.strip_prefix("Do it again, that command too: linodetool --sandbox ").ok_or(last.clone())?;
    let id = again.strip_prefix("runs retry ").and_then(|rest| rest.strip_suffix(" --again")).ok_or(last.clone())?;
    // Going on does not repeat it, and says what does.
    refused(home, &["runs", "resume", id], 8, &last)?;
    refused(home, &["runs", "retry", id], 4, &format!("linodetool --sandbox {again}"))?;
    let list = home.ok(&["--sandbox", "runs", "list"])?;
    let offered = list.lines().find(|line| line.starts_with(id)).unwrap_or_default().to_owned();
    is(&offered, offered.contains("  retry  "), true)?;
    home.ok(&["--sandbox", "exec", "k-node-1", "--", "touch /root/go"])?;
    let report = home.json(&again.split(' ').collect::<Vec<_>>())?;
    is("log", report["outputs"]["log"].clone(), "began\nbegan\n")
}

/// What others see of the sandbox: its address and token, without linodetool.
fn delete_elsewhere(home: &Home, id: &str) -> Result<(), Failed> {
    let folder = home.path().join(".local/state/linodetool/sandbox");
    let url = home.json(&["sandbox", "status"])?["v4"].as_str().unwrap_or_default().to_owned();
    let token = std::fs::read_to_string(folder.join("token"))?;
    let address = url.trim_start_matches("http://").trim_end_matches("/v4");
    let mut stream = std::net::TcpStream::connect(address)?;
    let request = format!(
        "DELETE /v4/linode/instances/{id} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        token.trim()
    );
    std::io::Write::write_all(&mut stream, request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    is(&answer, answer.starts_with("HTTP/1.1 200 "), true)
}

fn a_node_that_was_deleted_elsewhere_is_told_and_made_anew(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("k.rhai"), RECIPE)?;
    let mut run = Followed::start(home, &["--sandbox", "run", "k.rhai", "--set", "count=2"])?;
    run.until("k-node-1 first")?;
    run.kill()?;
    let run = home.json(&["--sandbox", "runs", "list"])?[0]["id"].as_str().unwrap_or_default().to_owned();
    let nodes = home.json(&["--sandbox", "node", "list"])?;
    delete_elsewhere(home, nodes[1]["id"].as_str().unwrap_or_default())?;
    home.ok(&["--sandbox", "exec", "k-node-1", "--", "touch /root/go"])?;
    let output = home.run(&["runs", "resume", &run])?;
    let said = String::from_utf8(output.stderr)?;
    is(&said, output.status.code(), 8)?;
    let again = format!("runs retry {run} --again");
    let last = format!("Make what is missing anew, and do all that is to be done: linodetool --sandbox {again}");
    for wanted in
        ["These nodes exist: k-node-1\n", "k-node-2 is gone: deleted elsewhere, with all that was done there.", &last]
    {
        is(&format!("`{wanted}` in {said}"), said.contains(wanted), true)?;
    }
    // Another run makes another machine of that name.
    std::fs::write(home.path().join("only.rhai"), RECIPE.split("lanes(").next().unwrap_or_default())?;
    home.ok(&["--sandbox", "node", "delete", "k-node-2"])?;
    home.ok(&["--sandbox", "run", "only.rhai", "--set", "count=2"])?;
    let output = home.run(&["runs", "resume", &run])?;
    let said = String::from_utf8(output.stderr)?;
    is(&said, output.status.code(), 8)?;
    let last = format!("Do all that is to be done on what is there now: linodetool --sandbox {again}");
    for wanted in
        ["These nodes exist: k-node-1, k-node-2\n", "k-node-2 is another machine now: this run worked with", &last]
    {
        is(&format!("`{wanted}` in {said}"), said.contains(wanted), true)?;
    }
    let mut retry = Followed::start(home, &["--json", "--sandbox", "runs", "retry", &run, "--again"])?;
    retry.until("k-node-2 first")?;
    home.ok(&["--sandbox", "exec", "k-node-2", "--", "touch /root/go"])?;
    let rest: Vec<_> = retry.lines.by_ref().map_while(Result::ok).collect();
    is(&rest.join("\n"), retry.child.wait()?.code(), 0)?;
    is("created", serde_json::to_value(created(home)?)?, serde_json::json!({"k-node-1": 1, "k-node-2": 2}))
}
