//! Whether a rehearsal tells how long a run takes: its estimate beside the time that the run took in a sandbox.
//!
//! `cargo bench -p linodetool --bench estimate [-- SCALE... [namespaces]]`. Machines are simulated and take as long as Linodes
//! do, in a time that passes SCALE times as fast as this computer's (10); with `namespaces` they are real ones, in this
//! computer's time. Each line is a command of its own, which adds the time that a process takes to begin and to end.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is there to print, and may stop at anything unexpected

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ExitCode, Stdio};
use std::time::Instant;
use support::Home;

/// What is tried, in this order: recipe, and what is set.
const RUNS: &[(&str, &str, &[&str])] = &[
    ("hadoop, 2 workers", "hadoop", &["name=two", "workers=2"]),
    ("the same again", "hadoop", &["name=two", "workers=2"]),
    ("hadoop, 3 workers", "hadoop", &["name=three", "workers=3"]),
    ("hadoop, 8 workers", "hadoop", &["name=eight", "workers=8"]),
    ("cluster of 20", "plain.rhai", &["nodes=20"]),
    ("the same again", "plain.rhai", &["nodes=20"]),
    ("20 more", "plain.rhai", &["nodes=40"]),
    ("new version, 5 at a time", "rolling.rhai", &[]),
    ("deletion of 40", "delete.rhai", &[]),
];

const RECIPES: &[(&str, &str)] = &[
    (
        "plain.rhai",
        r#"
        let p = params(#{ nodes: param(20, "how many") });
        clusters::ensure(#{ name: "plain", region: "us-east", image: "linode/debian12",
            roles: [#{ role: "web", count: p.nodes, type: "g6-nanode-1" }] });
        "#,
    ),
    (
        "rolling.rhai",
        r#"
        let p = params(#{ at_once: param(5, "nodes at a time") });
        let nodes = clusters::get("plain").nodes;
        while !nodes.is_empty() {
            lanes(nodes.extract(0, p.at_once), |n| {
                n.file("/etc/app.conf", #{ content: "version 2\n" });
                n.run("sleep 2", #{ rehearse: #{ seconds: 2.0 } });
                n.service("app", #{ unit: "[Service]\nExecStart=/bin/sleep 100000\n", restart: true });
            });
            nodes = nodes.extract(p.at_once);
        }
        "#,
    ),
    ("delete.rhai", r#"let p = params(#{ name: param("plain", "cluster") }); clusters::destroy(p.name);"#),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` starts benches too, where figures mean nothing.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    println!("{:<28}{:>7}{:>12}{:>12}{:>8}", "", "scale", "estimate", "actual", "ratio");
    let scales: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| a.parse::<f64>().is_ok()).collect();
    let real = arguments.iter().any(|argument| argument == "namespaces");
    if !real || !scales.is_empty() {
        for scale in if scales.is_empty() { vec!["10"] } else { scales } {
            measure(&["--machines", "simulated", "--timing", "real", "--time-scale", scale], scale);
        }
    }
    match support::no_machines(&["java", "mvn", "nft"]).filter(|_| real) {
        Some(why) => println!("not measured with namespaces: {why}"),
        None if real => measure(&[], "real"),
        None => {}
    }
    ExitCode::SUCCESS
}

/// All runs in a sandbox of this kind.
fn measure(options: &[&str], name: &str) {
    let home = Home::new();
    for (file, text) in RECIPES {
        std::fs::write(home.path().join(file), text).unwrap();
    }
    let mut sandbox = serve(&home, options);
    for (title, recipe, set) in RUNS {
        let set = set.iter().flat_map(|set| ["--set", set]);
        let run: Vec<_> = ["--sandbox", "run", recipe].into_iter().chain(set).collect();
        let told = home.json(&[&run[..], &["--rehearse"]].concat()).unwrap();
        let estimate = told["time"]["seconds"].as_f64().unwrap();
        let began = Instant::now();
        home.json(&run).unwrap();
        let actual = began.elapsed().as_secs_f64();
        println!("{title:<28}{name:>7}{estimate:>10.1} s{actual:>10.1} s{:>8.2}", estimate / actual);
    }
    home.ok(&["sandbox", "stop"]).unwrap();
    sandbox.wait().unwrap();
}

/// A sandbox that is up.
fn serve(home: &Home, options: &[&str]) -> Child {
    let mut command = home.command(&[&["sandbox", "serve"], options].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with('{'), "the sandbox does not start");
    child
}
