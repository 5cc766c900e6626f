//! What a command works with: the Toolkit in its world (real or sandbox), progress, and the cancel of Ctrl-C.
//!
//! Owns how a command becomes a run. Does not know any single command.

use super::args::{Command, Globals};
use super::confirm::{Asker, Proposal, confirm, line_of_terminal};
use super::crash;
use super::environment::Environment;
use super::error::CliError;
use super::interrupt::Interrupt;
use super::output::Output;
use super::render::progress::Progress;
use super::sandbox::faults::Watch;
use super::sandbox::lifecycle::{self, InForce, Simulated};
use super::ssh;
use super::world;
use crate::app::emulated::{Emulated, polling};
use crate::app::{self, App, SandboxAccess};
use crate::core::{Failure, FailureKind, Paths, RunId, ScaledTime, Secret};
use crate::inventory::Node;
use crate::rehearsal::Rehearsal;
use crate::runs::{self, NewRun, Place, Run, RunSummary, Status, StepError};
use crate::script;
use crate::toolkit::plan::{MAX_COST, Within, Yes};
use crate::toolkit::{At, Confirm, Toolkit};
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The provider that is used where none is named.
pub(crate) const PROVIDER: &str = "linode-v4";

/// What a command needs of the sandbox, if it is to work there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A cloud; one is started.
    Cloud,
    /// Nodes; where no sandbox runs there are none.
    Nodes,
    /// The cloud that a run has worked in; in a new one, nothing of it would be there.
    Run,
    /// What is on record.
    Records,
}

/// One command's surroundings.
pub(crate) struct Session<'a> {
    pub(crate) out: &'a Output,
    pub(crate) globals: &'a Globals,
    pub(crate) env: &'a Environment,
    /// Of this world: in the sandbox its own state directory.
    pub(crate) paths: Paths,
    /// As the user knows them.
    pub(crate) outer: &'a Paths,
    pub(crate) toolkit: Toolkit,
    pub(crate) scripts: script::Host,
    pub(crate) interrupt: &'a Interrupt,
    progress: Option<Progress>,
    /// Who asks the user, on a real account.
    asker: Option<Arc<Asker>>,
    /// What it may cost, if that was said.
    pub(crate) limit: Arc<Within>,
    /// Ends with the session, before its events do.
    faults: Option<Watch>,
}

/// Opens the world that the command works in, runs the command, and closes what was opened.
pub(crate) fn with(
    globals: &Globals,
    env: &Environment,
    paths: &Paths,
    out: &Output,
    command: &Command,
) -> Result<u8, CliError> {
    let ephemeral = command.ephemeral();
    if ephemeral && !globals.sandbox {
        return Err(Failure::usage("--ephemeral ends the sandbox with the command, and this is not in the sandbox")
            .hint("add --sandbox")
            .into());
    }
    let (globals, paths) = &world::of(globals, paths, command)?;
    if command.misbehaves() && !globals.sandbox {
        return Err(Failure::usage(
            "--faults, --seed and --time-scale are for the sandbox, and this is not in the sandbox",
        )
        .hint("add --sandbox")
        .into());
    }
    let interrupt = Interrupt::watch(out)?;
    let outcome = work(globals, env, paths, out, &interrupt, command);
    let outcome = if globals.sandbox { outcome.map_err(CliError::in_sandbox) } else { outcome };
    if !ephemeral {
        return outcome;
    }
    // Also after a failure; the command's own error is the one to tell.
    let stopped = lifecycle::stop(&paths.sandbox()).map_err(CliError::sandbox);
    let code = outcome?;
    stopped.map(|_| code)
}

fn work(
    globals: &Globals,
    env: &Environment,
    outer: &Paths,
    out: &Output,
    interrupt: &Interrupt,
    command: &Command,
) -> Result<u8, CliError> {
    command.check(env, outer, globals)?;
    let progress = Progress::start(out);
    let emulated = match env.var(crash::POINTS) {
        Some(_) if globals.sandbox => crash::emulated(outer)?,
        _ => None,
    };
    let sandbox = match globals.sandbox && emulated.is_none() {
        true => Some(sandbox(outer, out, interrupt, command)?),
        false => None,
    };
    let (sandbox, (in_force, simulated)) =
        sandbox.map_or_else(Default::default, |(access, known)| (Some(access), known));
    let emulated = match (&sandbox, simulated) {
        (Some(access), Some(Simulated { now_ms, scale, timing })) => {
            let time = Arc::new(ScaledTime::new(now_ms, scale));
            Some(Emulated::elsewhere(&access.v4, access.token.clone(), time, polling(timing))?)
        }
        _ => emulated,
    };
    let mut paths = outer.clone();
    if globals.sandbox {
        paths.state = lifecycle::state(&outer.sandbox());
    }
    let provider = globals.provider.clone().unwrap_or_else(|| PROVIDER.to_owned());
    let asker = (!globals.sandbox).then(|| {
        Arc::new(Asker {
            out: out.clone(),
            provider: provider.clone(),
            yes: globals.yes,
            aside: progress.aside(),
            cancel: interrupt.cancel().clone(),
            outlook: Mutex::default(),
        })
    });
    let confirm: Arc<dyn Confirm> = match &asker {
        // Nothing there is worth a question.
        None => Arc::new(Yes),
        Some(asker) => asker.clone(),
    };
    let limit = Arc::new(Within::new(confirm));
    if let Some(max) = command.max_cost() {
        limit.limit(max);
    }
    let vars = env.vars().clone();
    let app = app::build(app::Options {
        paths: paths.clone(),
        context: context(globals.context.as_deref())?,
        provider,
        sandbox,
        emulated,
        token_cmd: globals.token_cmd.clone(),
        env: Arc::new(move |name| vars.get(name).cloned()),
        confirm: limit.clone(),
        events: progress.events(),
    })?;
    let App { toolkit, scripts, plugins, runtime } = app;
    if let Some(points) = env.var(crash::POINTS) {
        crash::obey(points, toolkit.runs())?;
    }
    let watch = |faults: InForce| Watch::start(faults.running, faults.last, toolkit.events().clone());
    let faults = in_force.and_then(watch);
    let mut session = Session {
        out,
        globals,
        env,
        paths,
        outer,
        toolkit,
        scripts,
        interrupt,
        progress: Some(progress),
        asker,
        limit,
        faults,
    };
    let outcome = command.run(&mut session);
    if interrupt.has_cut_a_run() && session.toolkit.runs().barrier().is_ok() {
        // All of it is durable, and whoever pressed Ctrl-C waits for the prompt: the end of the process closes what is open,
        // and the next command tidies up the journal.
        session.end_progress();
        drop(session.faults.take());
        std::mem::forget((session, plugins));
        runtime.shutdown_background();
        return outcome;
    }
    drop(session);
    drop(plugins);
    // What is still under way after a cancel is in the journal; nobody waits for it.
    runtime.shutdown_timeout(Duration::from_millis(500));
    outcome
}

/// What a sandbox says of itself.
type Known = (Option<InForce>, Option<Simulated>);

/// How the sandbox is reached, started if the command needs a cloud.
fn sandbox(
    outer: &Paths,
    out: &Output,
    interrupt: &Interrupt,
    command: &Command,
) -> Result<(SandboxAccess, Known), CliError> {
    let access = |v4, token| SandboxAccess { v4, token, dir: lifecycle::machines(&outer.sandbox()) };
    let (need, wish) = (command.need(), command.wish(outer)?);
    let of_sandbox = |sandbox: lifecycle::Sandbox| {
        if let Some(faults) = &sandbox.faults {
            out.note(&format!("Faults are in force: {}; `linodetool sandbox faults none` ends them.", faults.line));
        }
        (access(sandbox.v4, sandbox.token), (sandbox.faults, sandbox.simulated))
    };
    if need == Need::Cloud {
        let sandbox = lifecycle::ensure_running(outer, interrupt.cancel(), &wish).map_err(CliError::sandbox)?;
        if sandbox.fresh {
            out.note("The sandbox is started; `linodetool sandbox stop` ends it.");
        }
        return Ok(of_sandbox(sandbox));
    }
    match lifecycle::running(outer).map_err(CliError::sandbox)? {
        Some(sandbox) => Ok(of_sandbox(sandbox)),
        None if need == Need::Nodes => Err(CliError::sandbox(
            Failure::new(FailureKind::NotFound, "no sandbox runs, so it has no nodes")
                .hint("make some: linodetool --sandbox run hadoop, or linodetool --sandbox node create"),
        )),
        None if need == Need::Run
            && let Some(run) = no_run(outer, command) =>
        {
            Err(runs::unknown(run).into())
        }
        None if need == Need::Run => Err(CliError::sandbox(
            Failure::new(
                FailureKind::NotFound,
                "the sandbox that this run worked in has ended, and its machines with it",
            )
            .hint("begin a new run: it starts a sandbox of its own"),
        )),
        None => {
            out.note("note: no sandbox runs; this is what is on record of the last one");
            Ok((access("http://127.0.0.1:9/v4".to_owned(), Secret::new(String::new())), Known::default()))
        }
    }
}

/// The run that a command is about, as it was typed, if no sandbox has had one.
fn no_run<'a>(outer: &Paths, command: &'a Command) -> Option<&'a str> {
    let run = command.about()?.run;
    runs::peek(&lifecycle::state(&outer.sandbox()), run).is_none().then_some(run)
}

/// `application/customer`; a bare name is an application of the default customer.
pub(crate) fn context(given: Option<&str>) -> Result<String, Failure> {
    let given = given.unwrap_or("default/default");
    let (application, customer) = given.split_once('/').unwrap_or((given, "default"));
    let fine = |part: &str| {
        !part.is_empty()
            && part.len() <= 64
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && !part.starts_with('.')
    };
    if fine(application) && fine(customer) {
        return Ok(format!("{application}/{customer}"));
    }
    Err(Failure::usage(format!("`{given}` is no context"))
        .hint("write APPLICATION/CUSTOMER, each of letters, digits, `-`, `_` and `.`")
        .field("context"))
}

impl Session<'_> {
    /// Waits for something asynchronous; Ctrl-C ends the wait.
    pub(crate) fn wait<T, E: Into<Failure>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Failure> {
        let guarded = self.toolkit.handle().block_on(self.interrupt.cancel().guard(work));
        guarded.ok_or_else(|| Failure::new(FailureKind::Cancelled, "interrupted"))?.map_err(Into::into)
    }

    /// The node of that name.
    pub(crate) fn node(&self, name: &str) -> Result<Node, Failure> {
        self.toolkit.inventory().expect_node(self.toolkit.context(), name)
    }

    /// The nodes that a selector means.
    pub(crate) fn select(&self, selector: &str) -> Result<Vec<Node>, Failure> {
        let selector = crate::inventory::Selector::parse(selector)?;
        self.toolkit.inventory().select(self.toolkit.context(), &selector)
    }

    /// Begins a run for this command. Ctrl-C cancels it.
    pub(crate) fn begin(
        &self,
        title: &str,
        recipe: Option<(String, String)>,
        params: serde_json::Value,
    ) -> Result<Arc<Run>, Failure> {
        let run = self.toolkit.runs().begin(self.new_run(title, recipe, params))?;
        self.interrupt.also(run.cancel());
        Ok(run)
    }

    /// Begins a run that does again what another one left undone.
    pub(crate) fn begin_retry(
        &self,
        of: &RunId,
        title: &str,
        recipe: Option<(String, String)>,
        params: serde_json::Value,
    ) -> Result<Arc<Run>, Failure> {
        let run = self.toolkit.runs().begin_retry(of, self.new_run(title, recipe, params))?;
        self.interrupt.also(run.cancel());
        Ok(run)
    }

    fn new_run(&self, title: &str, recipe: Option<(String, String)>, params: serde_json::Value) -> NewRun {
        let settings = self.toolkit.settings();
        let version = ("linodetool".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        NewRun {
            title: title.to_owned(),
            // What was typed may hold a token in --token-cmd; the title and parameters say all that matters.
            command_line: format!("linodetool {title}"),
            context: settings.context.clone(),
            provider: settings.provider.clone(),
            recipe,
            params,
            versions: [version].into(),
            facts: self.facts(),
        }
    }

    /// What whoever takes the run up goes by.
    fn facts(&self) -> BTreeMap<String, Value> {
        let max = self.limit.max_hourly().map(|max| (MAX_COST.to_owned(), max.into()));
        [(world::WORK.to_owned(), self.outer.work.to_string_lossy().into())].into_iter().chain(max).collect()
    }

    /// What another run was allowed to cost is what this one may cost, unless the command line says otherwise.
    pub(crate) fn keep_limit(&self, facts: &BTreeMap<String, Value>) {
        if let (None, Some(max)) = (self.limit.max_hourly(), facts.get(MAX_COST).and_then(Value::as_f64)) {
            self.limit.limit(max);
        }
    }

    /// Does something as a run of its own, so that it is in the journal and in `runs list`.
    pub(crate) fn in_run<T>(
        &self,
        title: &str,
        work: impl FnOnce(At<'_>) -> Result<T, StepError>,
    ) -> Result<T, CliError> {
        let run = self.begin(title, None, serde_json::Value::Null)?;
        let lane = run.root();
        let outcome = work(At { lane: &lane, place: &Place::default() }).map_err(Failure::from);
        self.finish(&run, outcome.as_ref().err())?;
        Ok(outcome?)
    }

    /// Asks before something is destroyed; in the sandbox nothing is worth a question.
    pub(crate) fn confirm(&self, proposal: &Proposal) -> Result<(), Failure> {
        if self.toolkit.settings().sandbox {
            return Ok(());
        }
        let ask = || {
            let answers = &mut || line_of_terminal(self.interrupt.cancel());
            confirm(self.out, proposal, self.globals.yes, answers)
        };
        match &self.progress {
            Some(progress) => progress.aside().run(ask),
            None => ask(),
        }
    }

    /// What a recipe is about to do is known beforehand, or not: progress and questions go by it.
    pub(crate) fn expect(&self, rehearsal: Option<&Rehearsal>) {
        if let Some(asker) = &self.asker {
            asker.expect(rehearsal);
        }
        if let (Some(progress), Some(rehearsal)) = (&self.progress, rehearsal) {
            progress.estimate(Duration::from_secs_f64(rehearsal.time.seconds.round().max(0.0)));
        }
    }

    /// A recipe is about to run or to go on: what it destroys is asked about, too.
    pub(crate) fn expect_recipe(&self) {
        if let Some(asker) = &self.asker {
            asker.expect_recipe();
        }
    }

    /// Whether the cloud is one of a test, in virtual time.
    pub(crate) fn is_tested(&self) -> bool {
        self.env.var(crash::POINTS).is_some()
    }

    /// How `ssh` reaches a machine, if not directly.
    pub(crate) fn proxy_command(&self) -> Option<String> {
        self.toolkit.settings().sandbox.then(|| ssh::sandbox_proxy(&self.outer.exe, &self.outer.state))
    }

    /// Ends a run as its failure says.
    pub(crate) fn finish(&self, run: &Arc<Run>, failure: Option<&Failure>) -> Result<RunSummary, Failure> {
        // What has happened in the sandbox belongs into its log, which ends with it.
        if let Some(faults) = &self.faults {
            faults.look();
        }
        let status = match failure {
            None => Status::Done,
            Some(failure) if failure.kind == FailureKind::Cancelled => Status::Cancelled,
            Some(_) => Status::Failed,
        };
        if let Some(failure) = failure {
            run.set_failure(failure.clone());
        }
        run.finish(status)
    }

    /// Removes the board, for results. What is left to tell is told before.
    pub(crate) fn end_progress(&mut self) {
        self.faults = None;
        self.progress = None;
    }
}

#[cfg(test)]
mod tests {
    use super::context;

    #[test]
    fn a_context_has_two_parts() {
        assert_eq!(context(None).unwrap(), "default/default");
        assert_eq!(context(Some("shop")).unwrap(), "shop/default");
        assert_eq!(context(Some("shop/ann")).unwrap(), "shop/ann");
        for wrong in ["", "/", "a/b/c", "a/..", "ü/b", "a b"] {
            assert!(context(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
