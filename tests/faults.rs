//! Clusters in a sandbox that fails on purpose: whatever happens, what is billed is what the inventory knows, and what was
//! asked for comes about, once.
//!
//! One case is a profile and a seed. LINODETOOL_FAULT_SEEDS=1-50 runs that many of each, LINODETOOL_FAULTS=SPEC other
//! faults than the profiles. A case that fails names the command by which it fails again.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::{Failed, Trial};
use linodetool_sandbox::client;
use linodetool_sandbox::ledger::{Entry, What};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};
use support::{Home, is};

const RECIPE: &str = include_str!("faults/soak.rhai");

/// A command that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(240);

/// With faults in force a command is tried so often; then once without.
const TRIES: usize = 8;

fn main() -> ExitCode {
    support::trials::main(cases)
}

fn cases() -> Vec<Trial> {
    let lacking = support::no_machines(&["nft"]);
    let profiles = match std::env::var("LINODETOOL_FAULTS") {
        Ok(spec) => vec![spec],
        Err(_) => ["flaky", "storm", "limits"].map(str::to_owned).to_vec(),
    };
    let seeds = std::env::var("LINODETOOL_FAULT_SEEDS").ok().and_then(|range| {
        let (from, to) = range.split_once('-').unwrap_or((&range, &range));
        Some(from.parse().ok()?..=to.parse::<u64>().ok()?)
    });
    let cases = profiles.into_iter().flat_map(|profile| {
        // A storm is what finds most; the others are there so that they are not forgotten.
        let usual = if profile == "storm" { 1..=2 } else { 1..=1 };
        seeds.clone().unwrap_or(usual).map(move |seed| (profile.clone(), seed))
    });
    let case = |(profile, seed): (String, u64)| {
        let name = format!("{profile} {seed}");
        support::trial(name, lacking.as_deref(), move || Case { home: Home::new(), faults: profile, seed }.whole_life())
    };
    cases.map(case).collect()
}

struct Case {
    home: Home,
    faults: String,
    seed: u64,
}

impl Case {
    fn whole_life(self) -> Result<(), Failed> {
        self.lives().map_err(|failed| {
            let Self { faults, seed, .. } = &self;
            let message = failed.message().unwrap_or_default();
            let again = "linodetool run tests/faults/soak.rhai --sandbox --ephemeral";
            let injected = self.home.run(&["sandbox", "faults"]).map(|out| out.stdout).unwrap_or_default();
            let injected = String::from_utf8_lossy(&injected).into_owned();
            format!("{message}\n{injected}\nagain: {again} --faults '{faults}' --seed {seed}").into()
        })
    }

    fn lives(&self) -> Result<(), Failed> {
        std::fs::write(self.home.path().join("soak.rhai"), RECIPE)?;
        let seed = self.seed.to_string();
        let first = ["run", "soak.rhai", "--sandbox", "--faults", &self.faults, "--seed", &seed];
        let document = self.until_done(&first, &["run", "soak.rhai", "--sandbox", "--resume"])?;
        let lines = [1, 2].map(|n| format!("once\non soak-node-{n}\n")).into_iter().chain([String::new()]);
        let found = document["outputs"]["lines"].as_array().into_iter().flatten();
        let found: Vec<_> = found.map(|line| line.as_str().unwrap_or_default().trim_end().to_owned()).collect();
        is("each did its work once", found, lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>())?;
        self.judge("after the run", &["soak-node-1", "soak-node-2", "soak-node-3"])?;
        is("made", self.counted(What::Created), "lt-soak 1, soak-node-1 1, soak-node-2 1, soak-node-3 2")?;

        self.home.ok(&["sandbox", "faults", &self.faults, "--seed", &seed])?;
        let destroy = ["--sandbox", "cluster", "destroy", "soak"];
        self.until_done(&destroy, &destroy)?;
        self.judge("after the end", &[])?;
        is("ended", self.counted(What::Destroyed), "lt-soak 1, soak-node-1 1, soak-node-2 1, soak-node-3 2")
    }

    /// The document of a command that succeeds in the end: `first`, then `again` as often as it takes.
    fn until_done(&self, first: &[&str], again: &[&str]) -> Result<Value, Failed> {
        let mut arguments = first;
        let mut told = Vec::new();
        for _ in 0..TRIES {
            match self.outcome(arguments)? {
                Ok(document) => return Ok(document),
                Err(text) => told.push(text),
            }
            self.no_stranger(&told)?;
            self.start_those_that_are_off()?;
            arguments = again;
        }
        self.home.ok(&["sandbox", "faults", "none"])?;
        self.outcome(arguments)?.map_err(|text| {
            told.push(text);
            format!("{arguments:?} fails without any fault:\n{}", told.join("\n---\n")).into()
        })
    }

    /// What a person does who reads that a node cannot be reached: looks, and starts it. It may fail as all else.
    fn start_those_that_are_off(&self) -> Result<(), Failed> {
        let Ok(nodes) = self.outcome(&["--sandbox", "node", "list"])? else { return Ok(()) };
        for name in nodes.as_array().into_iter().flatten().filter_map(|node| node["name"].as_str()) {
            let _ = self.outcome(&["--sandbox", "node", "start", name])?;
        }
        Ok(())
    }

    /// What it wrote, or how it failed. A command that hangs is ended, and that is a failure of the test.
    fn outcome(&self, arguments: &[&str]) -> Result<Result<Value, String>, Failed> {
        let mut child = self
            .home
            .command(&[&["--json"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut pipes = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let out = std::thread::spawn(move || read(&mut pipes.0));
        let error = std::thread::spawn(move || read(&mut pipes.1));
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > end {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let (out, error) = (out.join().unwrap(), error.join().unwrap());
        match status {
            None => Err(format!("{arguments:?} hangs\n{error}").into()),
            Some(status) if status.success() => Ok(Ok(serde_json::from_str(&out)?)),
            Some(_) => Ok(Err(format!("{out}\n{error}"))),
        }
    }

    fn ledger(&self) -> Vec<Entry> {
        let folder = self.home.path().join(".local/state/linodetool/sandbox");
        let running = client::status(&folder).unwrap();
        serde_json::from_value(client::ledger(&running).unwrap()["entries"].take()).unwrap()
    }

    /// Linodes and firewalls that are there, by id.
    fn billed(&self, kind: &str) -> BTreeMap<u64, String> {
        let mut alive = BTreeMap::new();
        for entry in self.ledger().into_iter().filter(|entry| entry.kind == kind) {
            match entry.what {
                What::Created => drop(alive.insert(entry.id, entry.label)),
                What::Destroyed | What::Died => drop(alive.remove(&entry.id)),
            }
        }
        alive
    }

    fn counted(&self, what: What) -> String {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let ours = |entry: &Entry| entry.what == what && matches!(entry.kind.as_str(), "linode" | "firewall");
        for entry in self.ledger().into_iter().filter(ours) {
            *counts.entry(entry.label).or_default() += 1;
        }
        counts.iter().map(|(label, count)| format!("{label} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// Even between a failure and the next try nothing is there twice.
    fn no_stranger(&self, told: &[String]) -> Result<(), Failed> {
        let mut labels: Vec<_> = self.billed("linode").into_values().collect();
        let all = labels.len();
        labels.sort();
        labels.dedup();
        if labels.len() == all && all <= 3 {
            return Ok(());
        }
        Err(format!("more than was asked for: {labels:?}\n{}", told.join("\n---\n")).into())
    }

    /// Billed minus inventory is nothing.
    fn judge(&self, when: &str, wanted: &[&str]) -> Result<(), Failed> {
        self.home.ok(&["sandbox", "faults", "none"])?;
        let nodes = self.home.json(&["--sandbox", "node", "list"])?;
        let nodes = nodes.as_array().into_iter().flatten();
        let known: BTreeMap<u64, String> = nodes
            .map(|node| {
                let text = |field: &str| node[field].as_str().unwrap_or_default();
                (text("id").parse().unwrap_or_default(), text("name").to_owned())
            })
            .collect();
        let billed = self.billed("linode");
        if billed != known {
            return Err(format!("{when} billed are {billed:?}, and the inventory knows {known:?}").into());
        }
        let mut names: Vec<_> = billed.into_values().collect();
        names.sort();
        is(when, names, wanted.to_vec())?;
        is("firewalls", self.billed("firewall").len(), usize::from(!wanted.is_empty()))
    }
}

fn read(pipe: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // What was read before an error is better than nothing.
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
