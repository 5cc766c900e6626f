//! Figures of evaluations in virtual time: hadoop.rhai against an emulator in the same process, and many lanes at once.
//!
//! `cargo bench -p linodetool --bench rehearse [-- WORKERS...]`. Each figure comes from a process of its own, whose peak
//! memory is therefore its own too.

#![expect(clippy::print_stdout, reason = "figures are what a bench is for")]

use linodetool::app::emulated::Emulator;
use linodetool::app::{self, Options};
use linodetool::core::{Clock, Events, Paths, VirtualTime};
use linodetool::runs::{NewRun, Status};
use linodetool::script;
use linodetool::toolkit::Yes;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

const BEGAN: u64 = 1_800_000_000_000;

/// Workers that the provider's firewall has room for beside the master; more only run without one.
const MOST_GUARDED: u32 = 2_039;

/// As many closures at once as there are items, each asleep for the same second.
const LANES: &str = r#"
let p = params(#{ lanes: param(1000, "lanes at once") });
let items = [];
for i in 0..p.lanes { items.push(#{ name: `lane-${i}` }); }
let rested = lanes(items, |x| { sleep(1); x.name.len() });
output("lanes", rested.len());
"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [which, count] = &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
        && let Some(recipe) = which.strip_prefix("--only-")
    {
        return measured(recipe, count);
    }
    // `cargo test --all-targets` starts benches too, where figures mean nothing.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let given: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| a.parse::<u32>().is_ok()).collect();
    let workers = if given.is_empty() { vec!["3", "100", "1000", "10000"] } else { given };
    println!(
        "{:<8}{:>7}{:>10}{:>10}{:>14}{:>10}{:>10}",
        "recipe", "count", "wall s", "cpu s", "virtual s", "peak MiB", "lines"
    );
    let all = workers.iter().map(|count| ("hadoop", *count));
    for (recipe, count) in all.chain(["1000", "4000", "10000"].map(|count| ("lanes", count))) {
        let me = std::env::current_exe().expect("this program");
        let child = Command::new(me).arg(format!("--only-{recipe}")).arg(count).status();
        assert!(child.is_ok_and(|status| status.success()), "{recipe} with {count} failed");
    }
}

/// One line of figures.
fn measured(recipe: &str, count: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let cloud = Emulator::new(VirtualTime::new(BEGAN));
    let (name, parameter) = match recipe {
        "hadoop" => ("hadoop".to_owned(), "workers"),
        _ => {
            let path = dir.path().join("lanes.rhai");
            std::fs::write(&path, LANES).expect("a recipe");
            (path.display().to_string(), "lanes")
        }
    };
    let begun = Instant::now();
    let app = app::build(options(dir.path(), &cloud)).expect("an application");
    let found = script::find_recipe(&name, &app.scripts.places).expect("the recipe");
    let new = NewRun {
        title: "bench".into(),
        context: "default/default".into(),
        provider: "linode-v4".into(),
        ..NewRun::default()
    };
    let run = app.toolkit.runs().begin(new).expect("a run");
    let mut set = vec![(parameter.to_owned(), count.to_owned())];
    if recipe == "hadoop" && count.parse().is_ok_and(|workers: u32| workers > MOST_GUARDED) {
        set.push(("insecure".to_owned(), "true".to_owned()));
    }
    if let Err(error) = script::run(&run, &found, &set, &app.scripts) {
        panic!("{recipe} with {count} failed: {error:#?}");
    }
    run.finish(Status::Done).expect("a good end");
    let wall = begun.elapsed().as_secs_f64();
    let virtual_s = (cloud.time.now_ms() - BEGAN) / 1000;
    let lines = app.toolkit.runs().traffic().lines;
    println!("{recipe:<8}{count:>7}{wall:>10.2}{:>10.2}{virtual_s:>14}{:>10}{lines:>10}", cpu_s(), peak_mib());
}

fn options(dir: &Path, cloud: &Emulator) -> Options {
    let paths = Paths {
        state: dir.join("state"),
        config: dir.join("config"),
        data: dir.join("data"),
        cache: dir.join("cache"),
        linode_cli: dir.join("linode-cli"),
        home: dir.to_owned(),
        work: dir.to_owned(),
        exe: std::env::current_exe().expect("this program"),
    };
    Options {
        paths,
        context: "default/default".into(),
        provider: "linode-v4".into(),
        sandbox: None,
        emulated: Some(cloud.access().expect("a token")),
        token_cmd: None,
        env: Arc::new(|_| None),
        confirm: Arc::new(Yes),
        events: Events::none(),
    }
}

/// What this process has had of all cores; beside other work that says more than the clock does.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Fields 14 and 15 of proc(5), in hundredths of a second; the name, which is cut off here, is the second.
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process ever had.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or_default() / 1024
}
