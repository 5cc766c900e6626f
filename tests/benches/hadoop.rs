//! How long a Hadoop cluster takes in a warm sandbox: machines, software, and from there to two DataNodes and two
//! NodeManagers that the masters count.
//!
//! `cargo bench -p linodetool --bench hadoop`. Uses the recipe's own library, in a home of its own that ends with the bench.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // it is there to print, and may stop at anything unexpected

#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader};
use std::process::{ExitCode, Stdio};
use std::time::Instant;
use support::Home;

const ROUNDS: usize = 3;

/// The recipe's steps, with a line when each part is done.
const RECIPE: &str = r#"
import "lib/hadoop" as hadoop;
let p = params(#{ name: param("bench", "cluster") });
let prepared = hadoop::prepare(#{ hadoop_dist: "", replication: 0, workers: 2 });
print("the distribution is on this computer");
let c = clusters::ensure(#{ name: p.name, region: "us-east", image: "linode/debian12",
    roles: [#{ role: "master", type: "g6-standard-2" }, #{ role: "worker", count: 2, type: "g6-standard-2" }] });
print("machines answer over SSH");
let settings = hadoop::settings(c, prepared);
lanes(c.nodes, |n| hadoop::install(n, settings));
print("software in place");
hadoop::start(c, settings);
print("2 DataNodes and 2 NodeManagers");
"#;

fn main() -> ExitCode {
    if let Some(why) = support::no_machines(&["java", "mvn", "nft"]) {
        println!("not measured: {why}");
        return ExitCode::SUCCESS;
    }
    let home = Home::new();
    std::fs::write(home.path().join("bench.rhai"), RECIPE).unwrap();
    // The sandbox itself is up, and what the first cluster fetches is there for the others.
    home.ok(&["--sandbox", "regions"]).unwrap();
    for round in 1..=ROUNDS {
        println!("round {round}");
        measure(&home, &format!("bench-{round}"));
        home.ok(&["--sandbox", "cluster", "destroy", &format!("bench-{round}")]).unwrap();
    }
    ExitCode::SUCCESS
}

/// Runs the recipe and prints the time between its lines.
fn measure(home: &Home, name: &str) {
    let set = format!("name={name}");
    let mut command = home.command(&["--json", "--sandbox", "run", "bench.rhai", "--set", &set]);
    let mut began = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let parts: Vec<&str> =
        RECIPE.lines().filter_map(|line| line.strip_prefix("print(\"")?.strip_suffix("\");")).collect();
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
        if parts.contains(&line.as_str()) {
            println!("  {:>7.2} s  {line}", began.elapsed().as_secs_f64());
            began = Instant::now();
        }
        said.push(line);
    }
    assert!(child.wait().unwrap().success(), "{}", said.join("\n"));
}
