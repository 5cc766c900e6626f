//! The command line: arguments in, services called, tables or JSON out, an exit code at the end.
//!
//! Owns everything a person sees. Nothing below this layer prints, asks, or knows an exit code.

mod api;
mod args;
mod catalogue;
mod cluster;
mod completions;
mod confirm;
mod cp;
mod crash;
mod doctor;
mod environment;
mod error;
mod exec;
mod forward;
mod interrupt;
mod inventory;
mod logging;
mod node;
mod output;
mod passphrase;
mod plugin;
mod recipe;
mod rehearse;
mod render;
mod request;
mod run;
mod runs;
mod sandbox;
mod secret;
mod session;
mod ssh;
#[cfg(test)]
mod tests;
mod touched;
mod world;

use crate::core::Paths;
use args::{Cli, Command, Globals};
use clap::FromArgMatches;
use environment::Environment;
use error::{CliError, OK};
use output::Output;
use sandbox::lifecycle::Wish;
use session::{Need, Session};
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let env = match Environment::of_process() {
        Ok(env) => env,
        Err(failure) => {
            let out = Output::new(&Globals::default(), &Environment::empty());
            return ExitCode::from(CliError::from(failure).report(&out));
        }
    };
    ExitCode::from(start(&arguments, &env))
}

/// Parses and dispatches. Nothing heavy happens before the arguments are understood.
fn start(arguments: &[OsString], env: &Environment) -> u8 {
    let guessed = guess_globals(arguments);
    let guessed_out = Output::new(&guessed, env);
    let parsed = args::command(guessed_out.color())
        .try_get_matches_from(arguments)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            let text = error.render();
            let text = if guessed_out.color_out() { text.ansi().to_string() } else { text.to_string() };
            return guessed_out.data(&text).map_or_else(|e| e.report(&guessed_out), |()| OK);
        }
        Err(error) => return CliError::from(error).report(&guessed_out),
    };
    let out = Output::new(&cli.globals, env);
    dispatch(cli, env, &out).unwrap_or_else(|error| error.report(&out))
}

/// The globals that decide how even a wrong command line is answered.
fn guess_globals(arguments: &[OsString]) -> Globals {
    let has = |option: &str| arguments.iter().skip(1).take_while(|a| *a != "--").any(|a| a == option);
    Globals { json: has("--json"), no_color: has("--no-color"), ..Globals::default() }
}

fn dispatch(cli: Cli, env: &Environment, out: &Output) -> Result<u8, CliError> {
    if let Command::Completions(args) = cli.command {
        return args.run(out);
    }
    let paths = env.paths(cli.globals.state_dir.as_deref())?;
    if cli.globals.verbose > 1 || env.var("LINODETOOL_LOG").is_some() {
        logging::start(env, "linodetool=debug,linodetool_sandbox=debug,warn");
    }
    match cli.command {
        Command::Sandbox(args) => args.run(env, &paths, out),
        Command::Doctor(args) => args.run(env, &paths, &cli.globals, out),
        Command::Recipe(args) => args.run(env, &paths, &cli.globals, out),
        Command::Plugin(args) => args.run(env, &paths, out),
        Command::Api(args) if args.only_asks() => args.tell(env, &paths, &cli.globals, out),
        Command::Run(args) if args.rehearse => args.rehearse(&paths, &cli.globals, out),
        command => session::with(&cli.globals, env, &paths, out, &command),
    }
}

impl Command {
    /// Whether the sandbox is to end with the command.
    fn ephemeral(&self) -> bool {
        matches!(self, Self::Run(run::RunArgs { ephemeral: true, .. }))
    }

    /// Whether it asks for a sandbox that is not as usual.
    fn misbehaves(&self) -> bool {
        matches!(self, Self::Run(args) if args.faults.faults.is_some() || args.faults.seed.is_some() || args.time_scale.is_some())
    }

    /// What its clusters may cost an hour, if that was said.
    fn max_cost(&self) -> Option<f64> {
        match self {
            Self::Run(args) => args.max_cost,
            Self::Runs(args) => args.max_cost(),
            _ => None,
        }
    }

    /// How it wants its sandbox to be.
    fn wish(&self, paths: &Paths) -> Result<Wish, CliError> {
        match self {
            Self::Run(args) => Ok(Wish { faults: args.faults.wanted(&paths.work)?, time_scale: args.time_scale }),
            _ => Ok(Wish::default()),
        }
    }

    /// The run that it is about, if it names one.
    fn about(&self) -> Option<world::About<'_>> {
        match self {
            Self::Run(args) => args.about(),
            Self::Runs(args) => args.about(),
            _ => None,
        }
    }

    /// What can be told to be wrong before anything is started or made.
    fn check(&self, env: &Environment, paths: &Paths, globals: &Globals) -> Result<(), CliError> {
        match self {
            Self::Api(args) => args.check(env, paths, globals),
            Self::Run(args) => args.check(&crate::app::scripts(paths)),
            _ => Ok(()),
        }
    }

    /// What it needs of the sandbox.
    fn need(&self) -> Need {
        match self {
            Self::Run(run::RunArgs { resume: Some(_), .. }) => Need::Run,
            Self::Run(_) | Self::Regions(_) | Self::Types(_) | Self::Images(_) => Need::Cloud,
            Self::Api(args) => args.need(),
            Self::Node(args) => args.need(),
            Self::Cluster(args) => args.need(),
            Self::Runs(args) => args.need(),
            Self::Exec(_) | Self::Cp(_) | Self::Forward(_) => Need::Nodes,
            _ => Need::Records,
        }
    }

    fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        match self {
            Self::Run(args) => args.run(session),
            Self::Node(args) => args.run(session),
            Self::Exec(args) => args.run(session),
            Self::Cp(args) => args.run(session),
            Self::Forward(args) => args.run(session),
            Self::Cluster(args) => args.run(session),
            Self::Inventory(args) => args.run(session),
            Self::Regions(args) => args.run(session),
            Self::Types(args) => args.run(session),
            Self::Images(args) => args.run(session),
            Self::Api(args) => args.run(session),
            Self::Runs(args) => args.run(session),
            Self::Secret(args) => args.run(session),
            // They need no session, and `dispatch` has dealt with them.
            Self::Recipe(_) | Self::Plugin(_) | Self::Sandbox(_) | Self::Doctor(_) | Self::Completions(_) => Ok(OK),
        }
    }
}
