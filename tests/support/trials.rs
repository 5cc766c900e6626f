//! The frame of a test program whose tests need something of this computer: machines of namespaces, programs.
//!
//! Knows nothing of the tests.

#![allow(dead_code, reason = "each test takes what it needs")]

use libtest_mimic::{Arguments, Failed, Trial};
use linodetool_sandbox::machines::namespaces::Namespaces;
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs the tests, unless this process was started as a part of a sandbox: then it is that, and asks for no tests.
pub(crate) fn main(trials: impl FnOnce() -> Vec<Trial>) -> ExitCode {
    if let Some(code) = linodetool_sandbox::roles::run_if_role() {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    libtest_mimic::run(&Arguments::from_args(), trials()).exit_code()
}

/// A test. Where this computer lacks what it needs it is ignored, with the reason in the place of its kind; with
/// LINODETOOL_REQUIRE_ALL set it runs, and fails.
pub(crate) fn trial(
    name: impl Into<String>,
    lacking: Option<&str>,
    test: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let why = lacking.filter(|_| std::env::var_os("LINODETOOL_REQUIRE_ALL").is_none());
    Trial::test(name, test).with_kind(why.unwrap_or_default()).with_ignored_flag(why.is_some())
}

/// Why machines of namespaces, or one of these programs, cannot be had.
pub(crate) fn no_machines(programs: &[&str]) -> Option<String> {
    no_program(programs).or_else(|| Namespaces::support().err())
}

/// Which of these programs cannot be had.
pub(crate) fn no_program(programs: &[&str]) -> Option<String> {
    programs.iter().find(|program| which(program).is_none()).map(|program| format!("no {program}"))
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Where nft is is in no ordinary user's path, and it is found all the same.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}
