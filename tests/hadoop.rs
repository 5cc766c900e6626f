//! The Hadoop recipe from nothing to a counted text, on machines of namespaces, through the binary as a user has it.
//!
//! One sequence, since making the cluster is what takes time: a first run, the same again, a larger one with an own input;
//! a web page, the firewall, and the end, after which nothing is left.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;
use support::{Home, is, leftovers};

const BUNDLED: &str = include_str!("../scripts/lib/bundled.txt");

fn main() -> ExitCode {
    support::main(&[("a_hadoop_cluster_is_made_counts_grows_and_goes", whole_life)], || {
        support::no_machines(&["java", "mvn", "nft"])
    })
}

fn whole_life(home: &Home) -> Result<(), Failed> {
    let interfaces = leftovers::interfaces();
    the_first_run_makes_all(home)?;
    the_second_run_changes_nothing(home)?;
    a_third_worker_joins_and_an_own_text_is_counted(home)?;
    a_web_page_is_reached_through_a_forward(home)?;
    strangers_reach_ssh_and_nothing_else(home)?;

    // That the search below can find something at all.
    is("something runs", !leftovers::of(home.path()).is_empty(), true)?;
    is("it stops", home.json(&["sandbox", "stop"])?, json!({ "stopped": true }))?;
    leftovers::none(home.path())?;
    let new: Vec<_> = leftovers::interfaces().difference(&interfaces).cloned().collect();
    is("interfaces", new, json!([]))
}

fn run(home: &Home, set: &[&str]) -> Result<Value, Failed> {
    let set: Vec<&str> = set.iter().flat_map(|set| ["--set", set]).collect();
    home.json(&[&["--sandbox", "run", "recipes/hadoop.rhai"], &*set].concat())
}

fn the_first_run_makes_all(home: &Home) -> Result<(), Failed> {
    let report = run(home, &[])?;
    is("status", report["status"].clone(), "done")?;
    let names: Vec<_> = report["nodes"].as_array().unwrap().iter().map(|node| node["name"].clone()).collect();
    is("nodes", names, json!(["hadoop-master-1", "hadoop-worker-1", "hadoop-worker-2"]))?;
    let counts = Counted::of([BUNDLED]);
    is("outputs", report["outputs"].clone(), outputs(&counts, 2, true))
}

fn the_second_run_changes_nothing(home: &Home) -> Result<(), Failed> {
    let beforehand = home.json(&["--sandbox", "run", "recipes/hadoop.rhai", "--rehearse"])?;
    is("a rehearsal", beforehand["change"].clone(), json!([]))?;
    let outputs_again = run(home, &[])?["outputs"].clone();
    is("outputs", outputs_again, outputs(&Counted::of([BUNDLED]), 2, false))
}

fn a_third_worker_joins_and_an_own_text_is_counted(home: &Home) -> Result<(), Failed> {
    // Words across blanks of all kinds, a file that does not end its line, letters of more than one byte, a large word.
    let long = "x".repeat(5000);
    let one = format!("a\tb  a\r\n{long} é日本 {long}\n\n");
    let two = "b a\u{c}c, C a\nlast";
    std::fs::create_dir(home.path().join("texts"))?;
    std::fs::write(home.path().join("texts/1.txt"), &one)?;
    std::fs::write(home.path().join("texts/2.txt"), two)?;
    let counts = Counted::of([&*one, two]);

    let report = run(home, &["workers=3", "input=texts", "result=counts.tsv"])?;
    is("outputs", report["outputs"].clone(), outputs(&counts, 3, true))?;
    is("nodes", report["nodes"].as_array().unwrap().len(), 4)?;
    let saved = std::fs::read_to_string(home.path().join("counts.tsv"))?;
    is("counts.tsv", saved, counts.tsv())
}

fn a_web_page_is_reached_through_a_forward(home: &Home) -> Result<(), Failed> {
    let forward = Forward::open(home, "hadoop-master-1", 9870)?;
    let page = page(&forward.address, "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState")?;
    is("live DataNodes on the page", page["beans"][0]["NumLiveDataNodes"].clone(), 3)?;
    drop(forward);
    let forward = Forward::open(home, "hadoop-master-1", 8088)?;
    is("active", self::page(&forward.address, "/ws/v1/cluster/metrics")?["clusterMetrics"]["activeNodes"].clone(), 3)
}

/// Another customer's machine in the same region: its private network is theirs as well.
const STRANGER: &str = r#"
nodes::create(#{ name: "stranger", region: "us-east", type: "g6-nanode-1", image: "linode/debian12", private_ip: true });
"#;

fn strangers_reach_ssh_and_nothing_else(home: &Home) -> Result<(), Failed> {
    std::fs::write(home.path().join("stranger.rhai"), STRANGER)?;
    home.json(&["--sandbox", "run", "stranger.rhai"])?;
    let master = home.json(&["--sandbox", "node", "show", "hadoop-master-1"])?;
    let [public, private] = ["public_ip", "private_ip"].map(|key| master[key].as_str().unwrap().to_owned());

    // Dropped, not refused: it is the firewall that keeps strangers off, not only where the daemons bind.
    for port in [9870, 8088, 9820] {
        is("a member", reach(home, "hadoop-worker-1", &private, port)?, "open")?;
        for address in [&public, &private] {
            is(&format!("a stranger to {address}:{port}"), reach(home, "stranger", address, port)?, "dropped")?;
        }
        is(&format!("from outside to {public}:{port}"), from_outside(home, &public, port)?, "closed")?;
    }
    is("a stranger to SSH", reach(home, "stranger", &public, 22)?, "open")?;
    is("from outside to SSH", from_outside(home, &public, 22)?, "open")?;
    home.ok(&["--sandbox", "node", "delete", "stranger"])?;
    Ok(())
}

/// Whether a node's connection is taken (`open`), refused, or never answered, as behind a firewall (`dropped`).
fn reach(home: &Home, from: &str, address: &str, port: u16) -> Result<String, Failed> {
    let script = format!(
        "timeout 2 bash -c '</dev/tcp/{address}/{port}' 2>/dev/null; \
         case $? in 0) echo open;; 124) echo dropped;; *) echo refused;; esac"
    );
    let answer = home.json(&["--sandbox", "exec", from, "--", &script])?;
    Ok(answer[0]["stdout"].as_str().unwrap_or_default().trim().to_owned())
}

/// Whether a port answers to somebody outside all machines.
fn from_outside(home: &Home, address: &str, port: u16) -> Result<&'static str, Failed> {
    let mut dial = home.command(&["sandbox", "dial", address, &port.to_string()]);
    let mut dial = dial.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if port != 22 {
        // Only the SSH server speaks first.
        dial.stdin.take().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n").ok();
    }
    let mut first = [0];
    let answered = dial.stdout.take().unwrap().read(&mut first)? == 1;
    dial.kill().ok();
    dial.wait()?;
    Ok(if answered { "open" } else { "closed" })
}

/// `linodetool forward`, which ends with this.
struct Forward {
    child: Child,
    address: String,
}

impl Forward {
    fn open(home: &Home, node: &str, port: u16) -> Result<Self, Failed> {
        let port = port.to_string();
        let arguments = ["--sandbox", "--quiet", "forward", node, &port, "--local-port", "0"];
        let mut child = home.command(&arguments).stdout(Stdio::piped()).spawn()?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address)?;
        Ok(Self { child, address: address.trim().to_owned() })
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        // As Ctrl-C does; it is our own child, so its id is no other process's.
        let _ = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The JSON of a web page.
fn page(address: &str, path: &str) -> Result<Value, Failed> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("no page at {address}{path}: {answer}"))?;
    serde_json::from_str(body).map_err(|error| format!("{error} in the page {path}: {head}").into())
}

/// Words counted in the plainest way, to judge the cluster's count and linodetool's own.
struct Counted(BTreeMap<String, u64>);

impl Counted {
    fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut counts = BTreeMap::new();
        for word in texts.into_iter().flat_map(str::split_ascii_whitespace) {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        Self(counts)
    }

    fn words(&self) -> u64 {
        self.0.values().sum()
    }

    fn top(&self) -> Vec<(&String, &u64)> {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        all.truncate(10);
        all
    }

    /// As Hadoop writes it: sorted by the bytes of the words.
    fn tsv(&self) -> String {
        self.0.iter().map(|(word, count)| format!("{word}\t{count}\n")).collect()
    }
}

fn outputs(counts: &Counted, workers: u64, changed: bool) -> Value {
    json!({
        "cluster": "hadoop",
        "live_datanodes": workers,
        "active_nodemanagers": workers,
        "replication": workers,
        "under_replicated_blocks": 0,
        "words": counts.words(),
        "distinct_words": counts.0.len(),
        "top": counts.top(),
        "changed": changed,
        "pages": [
            { "node": "hadoop-master-1", "port": 9870, "title": "HDFS" },
            { "node": "hadoop-master-1", "port": 8088, "title": "YARN" },
        ],
    })
}
