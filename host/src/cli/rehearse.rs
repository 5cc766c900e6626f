//! `linodetool run --rehearse`: what a run would do, told without doing it.
//!
//! Owns which world is rehearsed. Does not know how: that is `rehearsal`.

use super::args::Globals;
use super::error::{CliError, OK};
use super::interrupt::Interrupt;
use super::output::Output;
use super::render::rehearsal::report;
use super::run::RunArgs;
use super::sandbox::lifecycle;
use super::session::{self, Session};
use crate::app;
use crate::core::{Cancel, Clock, Failure, FailureKind, Paths, SystemClock};
use crate::rehearsal::{self, Asked, Cloud, Outcome, Rehearsal};
use crate::script::{self, Found, ScriptError};
use crate::toolkit::plan::{FEWER, within};
use linodetool_sandbox::client;
use linodetool_sandbox::limits::LimitMode;
use linodetool_sandbox::machines::simulated::Pace;
use linodetool_sandbox::world::Timing;
use std::time::Duration;

/// A run does not wait longer to be rehearsed: a recipe whose loop waits for what a node says may never come to its end.
const LOOK_AHEAD: Duration = Duration::from_secs(10);

impl RunArgs {
    /// Shows what the run would do.
    pub(crate) fn rehearse(&self, paths: &Paths, globals: &Globals, out: &Output) -> Result<u8, CliError> {
        let outcome = self.rehearsed(paths, globals, out);
        if globals.sandbox { outcome.map_err(CliError::in_sandbox) } else { outcome }
    }

    fn rehearsed(&self, paths: &Paths, globals: &Globals, out: &Output) -> Result<u8, CliError> {
        let scripts = app::scripts(paths);
        self.check(&scripts)?;
        let recipe = script::find_recipe(&self.recipe, &scripts.places)?;
        let interrupt = Interrupt::watch(out)?;
        let _idle = interrupt.idle();
        let Outcome { mut rehearsal, error } =
            self.outcome(paths, globals, &recipe, &|cancel| interrupt.also(cancel))?;
        rehearsal.cost.hourly_max = self.max_cost;
        let told = &rehearsal;
        let error = error.or_else(|| self.refuse_above(told).err().map(ScriptError::from));
        if let Some(error) = error {
            if !out.json() {
                out.error(&format!("{}\n", report(told)));
            }
            let told = serde_json::to_value(told).map_err(|e| Failure::internal(e.to_string()))?;
            return Err(CliError::Rehearsed(Box::new(error), told));
        }
        out.result(told, || report(told))?;
        Ok(OK)
    }

    fn outcome(
        &self,
        paths: &Paths,
        globals: &Globals,
        recipe: &Found,
        cancel: &dyn Fn(&Cancel),
    ) -> Result<Outcome, Failure> {
        let (cloud, state) = cloud(paths, globals)?;
        let context = session::context(globals.context.as_deref())?;
        rehearsal::rehearse(&Asked {
            paths: &Paths { state, ..paths.clone() },
            context: &context,
            provider: globals.provider.as_deref().unwrap_or(session::PROVIDER),
            cloud,
            recipe,
            set: &self.set,
            now_ms: SystemClock.now_ms(),
            cancel,
        })
    }

    fn refuse_above(&self, rehearsal: &Rehearsal) -> Result<(), Failure> {
        let Some(max) = self.max_cost else { return Ok(()) };
        within(rehearsal.cost.hourly_before, rehearsal.cost.hourly_peak, max)
    }

    /// Rehearses silently before the run begins, so that questions and progress go by what is to be expected. That it cannot
    /// be rehearsed is no reason not to run it.
    pub(crate) fn look_ahead(&self, session: &Session<'_>, recipe: &Found) -> Result<(), CliError> {
        let sandbox = session.globals.sandbox;
        // In the sandbox nothing is asked, and without a board nothing is shown.
        if session.is_tested() || (sandbox && !session.out.live() && self.max_cost.is_none()) {
            return Ok(());
        }
        let ended = Cancel::default();
        let idle = session.interrupt.idle();
        let outcome = self.outcome(session.outer, session.globals, recipe, &|cancel| {
            session.interrupt.also(cancel);
            let (ended, cancel) = (ended.clone(), cancel.clone());
            std::thread::spawn(move || {
                if ended.sleep(LOOK_AHEAD) {
                    cancel.set();
                }
            });
        });
        ended.set();
        drop(idle);
        let is_interrupted = session.interrupt.cancel().is_set();
        let why = match outcome {
            Ok(Outcome { rehearsal, error: None }) => {
                session.expect(Some(&rehearsal));
                let refused = self.refuse_above(&rehearsal);
                return Ok(refused.map_err(|failure| failure.hint(format!("{FEWER}; --rehearse shows all of it")))?);
            }
            Ok(Outcome { error: Some(error), .. }) => match &error.failure.hint {
                Some(hint) => format!("{error}; {hint}"),
                None => error.to_string(),
            },
            Err(failure) if failure.kind == FailureKind::Cancelled && is_interrupted => return Err(failure.into()),
            Err(failure) if failure.kind == FailureKind::Cancelled => {
                let seconds = LOOK_AHEAD.as_secs();
                format!(
                    "no end after {seconds} s; if it waits for what a command says, `run` takes `rehearse: \"...\"`"
                )
            }
            Err(failure) => failure.to_string(),
        };
        session.out.note(&format!("note: what it does is not known beforehand: its rehearsal ended with: {why}"));
        session.expect(None);
        Ok(())
    }
}

/// The cloud that the run would be in, and the state directory of that world.
fn cloud(paths: &Paths, globals: &Globals) -> Result<(Cloud, std::path::PathBuf), Failure> {
    if !globals.sandbox {
        return Ok((Cloud::Real, paths.state.clone()));
    }
    let state = lifecycle::state(&paths.sandbox());
    let Some(running) = client::status(&paths.sandbox()) else {
        // A new one would be started, in which nothing is there.
        let (timing, limits) = (Timing::fast(), LimitMode::Real);
        return Ok((Cloud::Sandbox { timing, limits, machines: &Pace::SANDBOX, scale: 1.0, is_new: true }, state));
    };
    let details = client::details(&running).map_err(|e| lifecycle::of_client(&e))?;
    let limits = if details["limits"] == "off" { LimitMode::Off } else { LimitMode::Real };
    let timing = lifecycle::timing(&details);
    let (timing, machines, scale) = match lifecycle::simulated(&details) {
        Some(simulated) => (timing, &Pace::LINODE, simulated.scale),
        // Machines that are there work in this computer's time.
        None => {
            let scale = details["time_scale"].as_f64().unwrap_or(1.0);
            (timing.at((1000.0 / scale).round() as u32), &Pace::SANDBOX, 1.0)
        }
    };
    Ok((Cloud::Sandbox { timing, limits, machines, scale, is_new: false }, state))
}
