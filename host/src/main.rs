//! The `linodetool` command: a role inside the sandbox if it was started for one, else the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    linodetool_sandbox::roles::run_if_role()
        .map_or_else(linodetool::cli::main, |code| ExitCode::from(u8::try_from(code).unwrap_or(1)))
}
