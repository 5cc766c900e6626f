//! What tests of the binary share: an empty home whose sandbox ends with it, and how a test says what it found.
//!
//! Knows nothing of what is tested.

#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod leftovers;

use libtest_mimic::{Arguments, Failed, Trial};
use linodetool_sandbox::machines::namespaces::Namespaces;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};

/// A test and what it is called.
pub(crate) type Test = (&'static str, fn() -> Result<(), Failed>);

/// Runs the tests. Where this computer lacks what they need they are ignored, with the reason in the place of their kind;
/// with LINODETOOL_REQUIRE_ALL set they run, and fail.
pub(crate) fn main(tests: &[Test], lacking: Option<&str>) -> ExitCode {
    let ignore = lacking.is_some() && std::env::var_os("LINODETOOL_REQUIRE_ALL").is_none();
    let why = lacking.filter(|_| ignore).unwrap_or_default();
    let trial = |&(name, test): &Test| Trial::test(name, test).with_kind(why).with_ignored_flag(ignore);
    libtest_mimic::run(&Arguments::from_args(), tests.iter().map(trial).collect()).exit_code()
}

/// Why machines of namespaces, or one of these programs, cannot be had.
pub(crate) fn lacking(programs: &[&str]) -> Option<String> {
    let missing = programs.iter().find(|program| which(program).is_none());
    missing.map(|program| format!("no {program}")).or_else(|| Namespaces::support().err())
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Where nft is is in no ordinary user's path, and it is found all the same.
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// An empty home; its sandbox ends with it.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::Builder::new().prefix("lt-home-").tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The binary with this home and nothing else of the environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linodetool"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output, Failed> {
        Ok(self.command(arguments).output()?)
    }

    /// Stdout of a command that must succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Result<String, Failed> {
        let output = self.run(arguments)?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        let [out, error] = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        Err(format!("{arguments:?}: {}\n{out}\n{error}", output.status).into())
    }

    /// The one document that a command writes.
    pub(crate) fn json(&self, arguments: &[&str]) -> Result<Value, Failed> {
        Ok(serde_json::from_str(&self.ok(&[&["--json"], arguments].concat())?)?)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A test that failed has said so; what it left must go all the same.
        let _ = self.run(&["sandbox", "reset"]);
    }
}

/// Fails unless both are the same.
pub(crate) fn is(what: &str, found: impl Into<Value>, wanted: impl Into<Value>) -> Result<(), Failed> {
    let (found, wanted) = (found.into(), wanted.into());
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {found}, wanted {wanted}").into()) }
}
