//! `linodetool run`: one durable execution of a recipe.

use super::args::assignment;
use super::error::{CliError, LeftBehind, OK};
use super::interrupt::left_behind;
use super::render::summary::{ReportNode, RunReport, Situation, advice, result};
use super::runs::resume;
use super::sandbox::faults::FaultArgs;
use super::session::Session;
use super::world::About;
use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::nodes::was_cut;
use crate::runs::{FailedStep, Run, RunDetail, RunSummary, StepRecord};
use crate::script::{self, Found, ScriptError};
use crate::toolkit::plan::MAX_COST;
use crate::toolkit::tasks::work_on_node;
use clap::Args;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Run a recipe: make a cluster, set it up, start what it is for
///
/// A recipe that has run before changes only what differs. On a real account the nodes and what they
/// cost are shown and confirmed first.
#[derive(Args, Debug, Default)]
#[command(after_help = "\
Examples:
  linodetool run recipes/hadoop.rhai --sandbox
  linodetool run recipes/hadoop.rhai --sandbox --set workers=4 --set input=notes.txt
  linodetool run recipes/hadoop.rhai --sandbox --ephemeral --faults flaky --seed 7
  linodetool run ./mine.rhai --set region=eu-west --yes --json
  linodetool run recipes/hadoop.rhai --set workers=20 --rehearse
  linodetool run recipes/hadoop.rhai --max-cost 0.50
  linodetool run ./mine.rhai --resume")]
pub(crate) struct RunArgs {
    /// A recipe's path, or the name of one that comes along (see `linodetool recipe list`)
    pub(crate) recipe: String,
    /// Set a parameter of the recipe (see `linodetool recipe show RECIPE`)
    #[arg(long, value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
    /// Show what would be created, changed and destroyed, what it costs and how long it takes, and do nothing
    #[arg(long, conflicts_with_all = ["resume", "ephemeral", "faults", "seed", "time_scale"])]
    pub(crate) rehearse: bool,
    /// Refuse, before anything is created, what would cost more: US dollars an hour for all of the recipe's clusters
    #[arg(long, value_name = "PER_HOUR", value_parser = dollars_an_hour)]
    pub(crate) max_cost: Option<f64>,
    /// With --sandbox: stop the sandbox at the end, also after a failure
    #[arg(long)]
    pub(crate) ephemeral: bool,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    /// With --sandbox: make its time pass that many times as fast
    #[arg(long, value_name = "N")]
    pub(crate) time_scale: Option<f64>,
    /// Go on with a run of this recipe that was cut off: the last one, or RUN
    #[arg(long, value_name = "RUN", num_args = 0..=1, require_equals = true, default_missing_value = "", conflicts_with = "set")]
    pub(crate) resume: Option<String>,
    /// With --resume: go on with the recipe's present text, if it takes the same path as far as that is done
    #[arg(long, requires = "resume")]
    pub(crate) current: bool,
}

impl RunArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let recipe = script::find_recipe(&self.recipe, &session.scripts.places)?;
        if let Some(run) = &self.resume {
            return resume::of_recipe(session, &recipe, run, self);
        }
        self.look_ahead(session, &recipe)?;
        let params: Map<String, Value> =
            self.set.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        let title = format!("run {}", recipe.path);
        let run = session.begin(&title, Some((recipe.path.clone(), recipe.text.clone())), params.into())?;
        execute(session, &run, &recipe, &Asked { recipe: &self.recipe, set: &self.set, ephemeral: self.ephemeral })
    }

    pub(crate) fn about(&self) -> Option<About<'_>> {
        let run = self.resume.as_deref().filter(|run| !run.is_empty())?;
        Some(About { run, works: true })
    }

    /// A recipe that is not there, cannot be read or does not take these parameters is told before there is a sandbox or a run.
    pub(crate) fn check(&self, scripts: &script::Host) -> Result<(), CliError> {
        let recipe = script::find_recipe(&self.recipe, &scripts.places)?;
        if self.resume.is_some() {
            // What was stored counts, and it was checked.
            return Ok(());
        }
        let declared = script::declared(&recipe, scripts).map_err(CliError::script)?;
        if declared.params.is_empty() {
            // It may declare them late; the run itself knows better what to say.
            return Ok(());
        }
        let show = || format!("its parameters: linodetool recipe show {}", self.recipe);
        match script::check(&declared.params, &self.set) {
            Err(failure) if failure.hint.is_none() => Err(failure.hint(show()).into()),
            checked => Ok(checked.map(drop)?),
        }
    }
}

/// Reads an amount of money.
pub(crate) fn dollars_an_hour(text: &str) -> Result<f64, String> {
    let amount = text.trim_start_matches('$').parse::<f64>().ok().filter(|amount| amount.is_finite() && *amount >= 0.0);
    amount.ok_or_else(|| "it must be US dollars an hour, like 0.50".to_owned())
}

/// What a recipe was asked to do.
pub(crate) struct Asked<'a> {
    /// The recipe as it was typed.
    pub(crate) recipe: &'a str,
    pub(crate) set: &'a [(String, String)],
    pub(crate) ephemeral: bool,
}

/// Evaluates a recipe as a run that has begun or was taken up, ends the run, and tells what came of it.
pub(crate) fn execute(
    session: &mut Session<'_>,
    run: &Arc<Run>,
    recipe: &Found,
    asked: &Asked<'_>,
) -> Result<u8, CliError> {
    session.toolkit.note_account(run);
    session.expect_recipe();
    let outcome = script::run(run, recipe, asked.set, &session.scripts);
    let ended = session.finish(run, outcome.as_ref().err().map(|error| &error.failure));
    session.end_progress();
    // A run that cannot be ended is not this process's any more, or its journal cannot be written: that is the cause of
    // whatever else there was.
    let ended = ended?;
    let mut touched = Touched::of(session, run)?;
    if let Err(error) = outcome {
        if matches!(error.kind(), FailureKind::Ssh | FailureKind::Interrupted) {
            touched.leave_out_gone(session);
        }
        touched.allow = session.limit.refused();
        return Err(touched.error(error, run, session.toolkit.settings().sandbox, asked.ephemeral));
    }
    show(session, run, &recipe.path, &ended, touched, asked)
}

fn show(
    session: &Session<'_>,
    run: &Arc<Run>,
    path: &str,
    summary: &RunSummary,
    touched: Touched,
    asked: &Asked<'_>,
) -> Result<u8, CliError> {
    let sandbox = session.toolkit.settings().sandbox;
    let cluster = touched.cluster().map(str::to_owned);
    let milliseconds = summary.ended_ms.unwrap_or(summary.started_ms).saturating_sub(summary.started_ms);
    let report = RunReport {
        run: run.id().to_string(),
        recipe: path.to_owned(),
        status: summary.status.to_string(),
        outputs: run.outputs().into_iter().collect(),
        nodes: touched.nodes.into_iter().map(report_node).collect(),
        failed_steps: touched.failed,
        seconds: f64::from(u32::try_from(milliseconds).unwrap_or(u32::MAX)) / 1000.0,
    };
    session.out.result(&report, || result(&report))?;
    if !session.out.json() {
        let situation = Situation {
            sandbox,
            ephemeral: asked.ephemeral,
            recipe: asked.recipe,
            set: asked.set,
            cluster: cluster.as_deref(),
        };
        session.out.note(&format!("\n{}", advice(&report, &situation)));
    }
    Ok(OK)
}

fn report_node(node: Node) -> ReportNode {
    ReportNode { name: node.name, role: node.role, id: node.id, public_ip: node.public_ip, private_ip: node.private_ip }
}

/// The nodes and clusters that a run dealt with and that are there.
struct Touched {
    nodes: Vec<Node>,
    clusters: BTreeSet<String>,
    /// Its journal has steps.
    began: bool,
    /// Nodes on which a command goes on, as nobody has seen its end.
    at_work: BTreeSet<String>,
    failed: Vec<FailedStep>,
    /// Nodes of the inventory that somebody has deleted elsewhere.
    gone: Vec<String>,
    /// US dollars an hour that would have to be allowed for what was refused.
    allow: Option<f64>,
}

/// An error is not held up for longer by the question whether its node is still there.
const ASK: Duration = Duration::from_secs(10);

impl Touched {
    fn of(session: &Session<'_>, run: &Arc<Run>) -> Result<Self, Failure> {
        let detail = session.toolkit.runs().show(run.id())?;
        let (named, mut clusters) = named(&detail);
        let (inventory, context) = (session.toolkit.inventory(), session.toolkit.context());
        let known: BTreeSet<_> = inventory.clusters(context)?.into_iter().map(|cluster| cluster.name).collect();
        clusters.retain(|cluster| known.contains(cluster));
        let of_cluster = |node: &Node| node.cluster.as_ref().is_some_and(|cluster| clusters.contains(cluster));
        let by_run = |node: &Node| [&node.created_by_run, &node.changed_by_run].contains(&&run.id().to_string());
        let mut nodes = inventory.nodes(context)?;
        nodes.retain(|node| of_cluster(node) || by_run(node) || named.contains(&node.name));
        let unseen = detail.in_doubt().filter(|step| work_on_node(step).is_some() && step.failure.is_none());
        let at_work = unseen.filter_map(|step| step.args["node"].as_str().map(str::to_owned)).collect();
        Ok(Self {
            nodes,
            clusters,
            began: !detail.steps.is_empty(),
            at_work,
            failed: detail.failed_steps(),
            gone: Vec::new(),
            allow: None,
        })
    }

    /// A node that does not answer may not be there any more; without an answer from the provider either, it counts as there.
    fn leave_out_gone(&mut self, session: &Session<'_>) {
        let asked = session.wait(async {
            let asked = tokio::time::timeout(ASK, session.toolkit.gone(&self.nodes)).await;
            asked.unwrap_or_else(|_| Ok::<_, Failure>(Vec::new()))
        });
        self.gone = asked.unwrap_or_default();
        self.nodes.retain(|node| !self.gone.contains(&node.name));
    }

    fn names(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.name.clone()).collect()
    }

    /// The one cluster, if it was about one.
    fn cluster(&self) -> Option<&str> {
        self.clusters.first().filter(|_| self.clusters.len() == 1).map(String::as_str)
    }

    /// The error of the run, with what exists and how to go on.
    fn error(&self, mut error: ScriptError, run: &Arc<Run>, sandbox: bool, ephemeral: bool) -> CliError {
        let program = if sandbox { "linodetool --sandbox" } else { "linodetool" };
        let removal = match self.cluster() {
            _ if self.nodes.is_empty() || ephemeral => None,
            Some(cluster) => Some(format!("{program} cluster destroy {cluster}")),
            None => Some(format!("{program} node delete {}", self.names().join(","))),
        };
        let mut lines = Vec::new();
        let kind = error.kind();
        if kind == FailureKind::Cancelled {
            // Where the script was just then is nobody's fault.
            error.failure = left_behind(run.id().as_str(), &self.names());
            error.spot = None;
            error.chain.clear();
        } else {
            if !ephemeral {
                lines.push(format!("Look at its steps: {program} runs show {}", run.id()));
            }
            if !self.nodes.is_empty() && !ephemeral {
                lines.push(format!("These nodes exist: {}", self.names().join(", ")));
            }
        }
        if !self.gone.is_empty() && !ephemeral {
            let (names, is) = (self.gone.join(", "), if self.gone.len() == 1 { "is" } else { "are" });
            lines.push(format!(
                "{names} {is} gone: deleted elsewhere, with all that was done there. The record is kept."
            ));
        }
        lines.extend(removal.map(|removal| format!("Remove them: {removal}")));
        if !self.at_work.is_empty() && !ephemeral {
            let on = self.at_work.iter().cloned().collect::<Vec<_>>().join(", ");
            lines.push(format!("What it began on {on} goes on there. Stop that: {program} runs cancel {}", run.id()));
        }
        let resume = format!("{program} runs resume {}", run.id());
        lines.extend(match kind {
            _ if ephemeral || !self.began => None,
            // The same text would do the same again.
            FailureKind::Diverged | FailureKind::Script => None,
            FailureKind::Cancelled => Some(format!("Go on: {resume}")),
            // Going on would look for what is not there.
            _ if !self.gone.is_empty() => Some(format!(
                "Make what is missing anew, and do all that is to be done: {program} runs retry {} --again",
                run.id()
            )),
            // Going on would meet it again.
            _ if was_cut(&error.failure) => {
                Some(format!("Do it again, that command too: {program} runs retry {} --again", run.id()))
            }
            // The limit is the run's, and going on would meet it again.
            _ if let (Some(MAX_COST), Some(allow)) = (error.failure.field.as_deref(), self.allow) => {
                Some(format!("If it may cost that much, go on: {resume} --max-cost {allow}"))
            }
            _ => Some(format!("Once the cause is mended, go on: {resume}")),
        });
        let left = LeftBehind {
            run: run.id().to_string(),
            nodes: self.names(),
            failed_steps: self.failed.clone(),
            gone: self.gone.clone(),
            advice: lines.join("\n"),
        };
        CliError::Script(Box::new(error), Some(left))
    }
}

/// Names of nodes and of clusters in the arguments of a run's steps.
fn named(detail: &RunDetail) -> (BTreeSet<String>, BTreeSet<String>) {
    let name_in = |step: &StepRecord, places: &[&str]| {
        places.iter().find_map(|place| step.args.pointer(place)?.as_str().map(str::to_owned))
    };
    let (mut nodes, mut clusters) = (BTreeSet::new(), BTreeSet::new());
    for step in &detail.steps {
        if step.op.starts_with("clusters.") {
            clusters.extend(name_in(step, &["/spec/name", "/name"]));
        } else if step.op.starts_with("nodes.") {
            nodes.extend(name_in(step, &["/wanted/name", "/spec/name", "/name"]));
        }
    }
    (nodes, clusters)
}
