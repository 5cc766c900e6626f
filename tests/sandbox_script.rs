//! Every example in the documentation of the script functions runs, against one sandbox with machines of namespaces.
//!
//! In scope of an example: `c`, a cluster `docs` of two nodes, and `n`, the first of them. Each example is a run of its own.

#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

#[path = "support/mod.rs"]
mod support;

use libtest_mimic::Failed;
use linodetool::app::{self, App, SandboxAccess};
use linodetool::core::{Events, Paths, Secret};
use linodetool::runs::{NewRun, Status};
use linodetool::script::{self, Look, Roots, Script};
use linodetool::toolkit::plan::Yes;
use rhai::Scope;
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use support::Home;

fn main() -> ExitCode {
    support::main(&[("every_function_has_an_example_that_runs", examples_run)], || support::no_machines(&[]))
}

const SCOPE: &str = r#"
let c = clusters::ensure(#{ name: "docs", region: "us-east", image: "linode/debian12",
    roles: [#{ role: "node", count: 2, type: "g6-nanode-1" }] });
let n = c.nodes[0];
"#;

fn examples_run(home: &Home) -> Result<(), Failed> {
    let app = open(home)?;
    let mut scope = Scope::new();
    evaluate(&app, &mut scope, SCOPE)?;
    let index = script::index(&app.scripts.registers)?;
    // Some functions share their documentation.
    let mut known: HashMap<String, Result<(), String>> = HashMap::new();
    let problems = index.problems(|example| {
        if let Some(outcome) = known.get(example) {
            return outcome.clone();
        }
        let outcome = evaluate(&app, &mut scope.clone(), example);
        known.insert(example.to_owned(), outcome.clone());
        outcome
    });
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n\n").into()) }
}

/// A Toolkit as the binary makes it, on the sandbox of that home.
fn open(home: &Home) -> Result<App, Failed> {
    // Any command that needs a cloud starts it.
    home.ok(&["--sandbox", "regions"])?;
    let status = home.json(&["sandbox", "status"])?;
    let text = |key: &str| status[key].as_str().unwrap_or_default().to_owned();
    let token = std::fs::read_to_string(text("token_file"))?;
    let at = |name: &str| home.path().join(name);
    let paths = Paths {
        state: at("script-state"),
        config: at("config"),
        data: at("data"),
        cache: at("cache"),
        linode_cli: at("linode-cli"),
        home: home.path().to_owned(),
        work: home.path().to_owned(),
        exe: PathBuf::from(env!("CARGO_BIN_EXE_linodetool")),
    };
    let access = SandboxAccess {
        v4: text("v4"),
        token: Secret::new(token.trim().to_owned()),
        dir: PathBuf::from(text("state")).join("machines"),
    };
    Ok(app::build(app::Options {
        paths,
        context: "default/default".into(),
        provider: "linode-v4".into(),
        sandbox: Some(access),
        emulated: None,
        token_cmd: None,
        env: Arc::new(|_| None),
        confirm: Arc::new(Yes),
        events: Events::none(),
    })?)
}

/// Evaluates a text as a run. An error is its whole report.
fn evaluate(app: &App, scope: &mut Scope<'static>, text: &str) -> Result<(), String> {
    let run = app.toolkit.runs().begin(NewRun::default()).map_err(|failure| failure.to_string())?;
    let roots = Roots { folders: Vec::new(), embedded: app::SCRIPTS };
    let script = Script::open(&run, roots, &[], &app.scripts);
    let outcome = script.evaluate_in(scope, "example", text);
    let outcome = outcome.map(drop).map_err(|error| error.report(Look::Plain(120)));
    let status = if outcome.is_ok() { Status::Done } else { Status::Failed };
    run.finish(status).map_err(|failure| failure.to_string())?;
    outcome
}
