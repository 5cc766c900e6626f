//! Evaluates a script as a run in a folder of its own, and shows everything that came of it as text.

use linodetool::core::{Event, Events, Failure, FailureKind, Paths, SystemClock};
use linodetool::runs::{Done, Effect, Kind, NewRun, Run, Runs, StepCx};
use linodetool::script::step::step;
use linodetool::script::value::HandleTypes;
use linodetool::script::{Embedded, Found, Host, Look, Origin, Places, ScriptError, modules, options};
use rhai::plugin::*;
use rhai::{Engine, Map};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

/// Importable as `lib/...`.
pub(crate) const LIBRARY: Embedded = Embedded(&[
    ("lib/hadoop.rhai", include_str!("lib/hadoop.rhai")),
    ("lib/effects.rhai", "nodes::create(#{ name: \"x\" });\nfn late() { nodes::create(#{ name: \"late\" }) }"),
    ("lib/constants.rhai", "export const VERSION = \"3.4\";\nfn double(x) { x * 2 }"),
    ("lib/circle_a.rhai", "import \"lib/circle_b\" as b;"),
    ("lib/circle_b.rhai", "import \"lib/circle_a\" as a;"),
    ("lib/syntax.rhai", "fn good() { 1 }\nfn bad( { 2 }"),
    (
        "recipes/hello.rhai",
        "//! Says hello.\nlet p = params(#{ name: param(\"you\", \"whom\") });\noutput(\"text\", `hello ${p.name}`);",
    ),
]);

/// Fails as told by its name, else becomes a node.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    count: u32,
}

impl Effect for Create {
    const OP: &'static str = "nodes.create";
    const KIND: Kind = Kind::Write;
    type Out = Node;

    async fn perform(&self, _: &StepCx) -> Result<Done<Node>, Failure> {
        *MADE.lock().unwrap().entry(self.name.clone()).or_default() += 1;
        Ok(Node { name: self.name.clone() }.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Node>>, Failure> {
        Ok(None)
    }
}

#[derive(Serialize)]
struct RunCommand<'a> {
    node: &'a str,
    command: &'a str,
}

impl Effect for RunCommand<'_> {
    const OP: &'static str = "node.run";
    const KIND: Kind = Kind::Write;
    type Out = String;

    async fn perform(&self, _: &StepCx) -> Result<Done<String>, Failure> {
        if let Some(name) = self.command.strip_prefix("needs ")
            && !MADE.lock().unwrap().contains_key(name)
        {
            return Err(Failure::new(FailureKind::Command, format!("there is no {name}")).on(self.node));
        }
        if self.command == "false" {
            let failure = Failure::new(FailureKind::Command, "`false` ended with 1").on(self.node);
            let output = Some("line one\nline two\n".into());
            return Err(Failure { output, exit_code: Some(1), ..failure }.hint("look at the output"));
        }
        Ok(format!("{}: {}", self.node, self.command).into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<String>>, Failure> {
        Ok(None)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Node {
    name: String,
}

#[expect(unreachable_pub, reason = "what the macro takes")]
#[export_module]
mod nodes {
    /// Makes a node.
    #[rhai_fn(return_raw, volatile)]
    pub fn create(call: NativeCallContext, options: Map) -> Result<Node, Box<EvalAltResult>> {
        let create: Create = options::read(&call, options)?;
        step(&call, &create)
    }

    /// Has a bug.
    #[rhai_fn(return_raw, volatile)]
    pub fn panic(_call: NativeCallContext) -> Result<Node, Box<EvalAltResult>> {
        panic!("a bug in a function")
    }
}

#[expect(unreachable_pub, reason = "what the macro takes")]
#[export_module]
mod node {
    /// Runs a command.
    #[rhai_fn(global, return_raw, volatile, pure)]
    pub fn run(call: NativeCallContext, node: &mut Node, command: &str) -> Result<String, Box<EvalAltResult>> {
        step(&call, &RunCommand { node: &node.name, command })
    }

    /// Its name.
    #[rhai_fn(global, get = "name", pure)]
    pub fn name(node: &mut Node) -> String {
        node.name.clone()
    }

    #[rhai_fn(global, name = "to_string", name = "to_debug", pure)]
    pub fn show(node: &mut Node) -> String {
        format!("node {}", node.name)
    }
}

fn register(engine: &mut Engine, types: &mut HandleTypes) {
    engine.register_type_with_name::<Node>("Node");
    modules::namespace(engine, "nodes", exported_module!(nodes));
    engine.register_global_module(exported_module!(node).into());
    types.add(|node: &Node| node.name.clone(), |node| serde_json::json!({ "name": node.name }));
}

pub(crate) struct World {
    pub(crate) runs: Runs,
    pub(crate) run: Arc<Run>,
    pub(crate) host: Host,
    printed: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

/// How often a node of each name was made, by all tests of this process.
pub(crate) static MADE: LazyLock<Mutex<BTreeMap<String, u32>>> = LazyLock::new(Mutex::default);

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

pub(crate) fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let printed = Arc::new(Mutex::new(Vec::new()));
    let lines = printed.clone();
    let events = Events::new(move |event| {
        if let Event::Printed { lane, text } = event {
            let lane = if lane.is_empty() { String::new() } else { format!("[{lane}] ") };
            lines.lock().unwrap().push(format!("{lane}{text}"));
        }
    });
    let at = |name: &str| folder.path().join(name);
    let paths = Paths {
        state: at("state"),
        config: at("config"),
        data: at("data"),
        cache: at("cache"),
        linode_cli: at("linode-cli"),
        home: at("home"),
        work: at("work"),
        exe: at("linodetool"),
    };
    let runs = Runs::open(&paths, RUNTIME.handle().clone(), Arc::new(SystemClock), Events::none()).unwrap();
    let new = NewRun {
        title: "run main.rhai".into(),
        command_line: "run main.rhai".into(),
        context: "default/default".into(),
        provider: "test".into(),
        recipe: None,
        params: serde_json::Value::Null,
        versions: BTreeMap::new(),
        facts: BTreeMap::new(),
    };
    let run = runs.begin(new).unwrap();
    let places = Places { work: folder.path().join("work"), data: folder.path().join("data"), embedded: LIBRARY };
    let host = Host { places, registers: vec![register], services: None, events };
    World { runs, run, host, printed, _folder: folder }
}

pub(crate) fn recipe(text: &str) -> Found {
    Found { path: "main.rhai".into(), text: text.into(), origin: Origin::Embedded, folder: None }
}

impl World {
    pub(crate) fn run(&self, text: &str, set: &[(&str, &str)]) -> Result<serde_json::Value, ScriptError> {
        let set: Vec<_> = set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        linodetool::script::run(&self.run, &recipe(text), &set, &self.host)
    }

    /// Lets go of the run and takes it up again, as another process would.
    pub(crate) fn reopened(self) -> Self {
        let Self { runs, run, host, printed, _folder } = self;
        let id = run.id().clone();
        drop(run);
        let run = runs.reopen(&id).unwrap();
        printed.lock().unwrap().clear();
        Self { runs, run, host, printed, _folder }
    }

    /// Lets go of the run, looks whether this text takes the path of its journal, and takes it up again with the text if
    /// it does.
    pub(crate) fn with_present(self, text: &str) -> (Self, Result<(), ScriptError>) {
        let Self { runs, run, host, printed, _folder } = self;
        let id = run.id().clone();
        drop(run);
        let followed = runs.follow(&id).unwrap();
        let texts = linodetool::script::follow(&followed, &recipe(text), &[], &host);
        drop(followed);
        let run = runs.reopen(&id).unwrap();
        let checked = texts.map(|texts| run.replace_sources(&texts).unwrap());
        (Self { runs, run, host, printed, _folder }, checked)
    }

    /// What was printed, in order of the lanes' names, since lanes race.
    pub(crate) fn printed(&self) -> String {
        let mut lines = self.printed.lock().unwrap().clone();
        let lane = |line: &String| {
            line.split_once("] ").filter(|(lane, _)| lane.starts_with('[')).map(|(lane, _)| lane.to_owned())
        };
        lines.sort_by_key(lane);
        lines.join("\n")
    }
}

/// Everything that comes of a script: printed lines, outputs, or the report of its error.
pub(crate) fn outcome(text: &str) -> String {
    outcome_with(text, &[])
}

pub(crate) fn outcome_with(text: &str, set: &[(&str, &str)]) -> String {
    let world = world();
    let result = world.run(text, set);
    let mut out = world.printed();
    if !out.is_empty() {
        out.push('\n');
    }
    match result {
        Ok(outputs) if outputs.as_object().is_some_and(|o| o.is_empty()) => {}
        Ok(outputs) => out.push_str(&outputs.to_string()),
        Err(error) => out.push_str(&error.report(Look::Plain(100))),
    }
    out.trim_end().to_owned()
}

#[expect(clippy::needless_pass_by_value, reason = "reads better in the tests")]
pub(crate) fn check(text: &str, wanted: expect_test::Expect) {
    wanted.assert_eq(&outcome(text));
}
