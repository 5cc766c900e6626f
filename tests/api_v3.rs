//! The provider for API v3 against the sandbox, through the binary as a user has it: nodes of namespaces that get their host
//! keys and their firewall by StackScript, and runs that are killed amid the calls that make a node.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{Home, is, leftovers};

const CLUSTER: &str = r#"
let c = clusters::ensure(#{ name: "web", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "front", count: 2, type: "g6-nanode-1" }] });
output("changed", changes() > 0);
"#;

/// Somebody else's machine in the same region.
const STRANGER: &str = r#"
nodes::create(#{ name: "stranger", region: "us-east", type: "g6-nanode-1", image: "linode/debian12", private_ip: true });
"#;

fn main() -> ExitCode {
    support::main(
        &[
            ("a_cluster_is_made_guarded_and_destroyed", whole_life),
            ("killed_amid_the_calls_of_a_create_it_makes_no_second_one", killed),
            ("what_it_has_no_word_for_is_refused_with_the_way_out", refused),
        ],
        || support::no_machines(&["nft"]),
    )
}

/// A command with this provider.
fn v3<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--sandbox", "--provider", "linode-v3"], arguments].concat()
}

fn run(home: &Home, name: &str, recipe: &str) -> Result<Value, Failed> {
    std::fs::write(home.path().join(name), recipe)?;
    home.json(&v3(&["run", name]))
}

fn whole_life(home: &Home) -> Result<(), Failed> {
    let report = run(home, "web.rhai", CLUSTER)?;
    is("status", report["status"].clone(), "done")?;
    is("changed", report["outputs"]["changed"].clone(), true)?;
    let names: Vec<_> = report["nodes"].as_array().unwrap().iter().map(|node| node["name"].clone()).collect();
    is("nodes", names, json!(["web-front-1", "web-front-2"]))?;
    is("changed again", run(home, "web.rhai", CLUSTER)?["outputs"]["changed"].clone(), false)?;

    run(home, "stranger.rhai", STRANGER)?;
    let node = home.json(&v3(&["node", "show", "web-front-1"]))?;
    let address = node["private_ip"].as_str().unwrap().to_owned();
    home.ok(&v3(&["exec", "web-front-1", "--", "nohup python3 -m http.server 8080 >/dev/null 2>&1 & sleep 1"]))?;
    is("a member", reach(home, "web-front-2", &address, 8080)?, "open")?;
    is("a stranger", reach(home, "stranger", &address, 8080)?, "dropped")?;
    is("a stranger to SSH", reach(home, "stranger", &address, 22)?, "open")?;
    // Not only until the next boot.
    home.ok(&v3(&["node", "reboot", "web-front-1"]))?;
    let listed = home.ok(&v3(&["exec", "web-front-1", "--", "nft list chain inet linodetool input"]))?;
    is("the rules after a reboot", listed.contains("policy drop"), true)?;

    home.ok(&v3(&["cluster", "destroy", "web", "--yes"]))?;
    home.ok(&v3(&["node", "delete", "stranger", "--yes"]))?;
    is("Linodes", linodes(home)?, json!([]))?;
    home.ok(&["sandbox", "stop"])?;
    leftovers::none(home.path())
}

/// Whether a node's connection is taken (`open`), refused, or never answered, as behind a firewall (`dropped`).
fn reach(home: &Home, from: &str, address: &str, port: u16) -> Result<String, Failed> {
    let script = format!(
        "timeout 2 bash -c '</dev/tcp/{address}/{port}' 2>/dev/null; \
         case $? in 0) echo open;; 124) echo dropped;; *) echo refused;; esac"
    );
    let answer = home.json(&v3(&["exec", from, "--", &script]))?;
    Ok(answer[0]["stdout"].as_str().unwrap_or_default().trim().to_owned())
}

/// Labels of what is in the account, whoever knows of it.
fn linodes(home: &Home) -> Result<Value, Failed> {
    let all = home.json(&["--sandbox", "--provider", "linode-v4", "api", "get-linode-instances", "--json"])?;
    let data = all.get("data").unwrap_or(&all).as_array().cloned().unwrap_or_default();
    let mut labels: Vec<String> = data.iter().map(|one| one["label"].as_str().unwrap_or_default().to_owned()).collect();
    labels.sort();
    Ok(json!(labels))
}

/// Each request takes a while, so that one is under way wherever the process is killed.
fn killed(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("web.rhai"), CLUSTER)?;
    home.ok(&v3(&["regions"]))?;
    home.ok(&["sandbox", "faults", "slow:100%:60ms"])?;
    let mut arguments = vec!["run".to_owned(), "web.rhai".to_owned()];
    for round in 0..5 {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child = home.command(&v3(&words)).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        // Later in each round: past the looks, into the making of the first node, of the second.
        let until = Instant::now() + Duration::from_millis(400 + 250 * round);
        while Instant::now() < until && child.try_wait()?.is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().ok();
        child.wait()?;
        let runs = home.json(&v3(&["runs", "list"]))?;
        if let Some(run) = runs[0]["id"].as_str() {
            arguments = ["runs", "resume", run].map(str::to_owned).into();
        }
    }
    home.ok(&["sandbox", "faults", "none"])?;
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let last = home.run(&v3(&words))?;
    let said = String::from_utf8_lossy(&last.stderr).into_owned();
    is(&format!("it came to its end: {said}"), last.status.success() || said.contains("is done"), true)?;
    is("Linodes", linodes(home)?, json!(["web-front-1", "web-front-2"]))
}

fn refused(home: &Home) -> Result<(), Failed> {
    let recipe = r#"nodes::create(#{ name: "far", region: "us-ord", type: "g6-nanode-1", image: "linode/debian12" });"#;
    std::fs::write(home.path().join("far.rhai"), recipe)?;
    let (code, error) = home.fails(&v3(&["run", "far.rhai"]))?;
    is("exit code", code != 0, true)?;
    is("field", error["field"].clone(), "region")?;
    Ok(())
}
