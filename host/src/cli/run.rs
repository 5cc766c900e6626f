//! `linodetool run`: one durable execution of a recipe.

use super::args::assignment;
use super::error::{CliError, OK};
use super::render::summary::{ReportNode, RunReport, Situation, advice, result};
use super::runs::resume;
use super::sandbox::faults::FaultArgs;
use super::session::Session;
use super::touched::Touched;
use super::world::About;
use crate::core::FailureKind;
use crate::inventory::Node;
use crate::runs::{Run, RunSummary};
use crate::script::{self, Found};
use clap::Args;
use serde_json::{Map, Value};
use std::sync::Arc;

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
    session.toolkit.note_lost(run)?;
    session.expect_recipe();
    let outcome = script::run(run, recipe, asked.set, &session.scripts);
    let ended = session.finish(run, outcome.as_ref().err().map(|error| &error.failure));
    session.end_progress();
    // A run that cannot be ended is not this process's any more, or its journal cannot be written: that is the cause of
    // whatever else there was.
    let ended = ended?;
    let mut touched = Touched::of(session, run)?;
    if let Err(error) = outcome {
        if matches!(error.kind(), FailureKind::Ssh | FailureKind::Interrupted | FailureKind::NotFound) {
            touched.leave_out_gone(session);
        }
        touched.allow = session.limit.refused();
        let program = session.toolkit.program();
        return Err(touched.error(error, run.id(), program, asked.ephemeral));
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
