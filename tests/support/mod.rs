//! What tests of the binary share: an empty home whose sandbox ends with it, and how a test says what it found.
//!
//! Knows nothing of what is tested.

#![allow(dead_code, unused_imports, reason = "each test takes what it needs")]

pub(crate) mod leftovers;
pub(crate) mod trials;

use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
pub(crate) use trials::{no_machines, no_program, trial};

/// What a test is called, and the test, in a home of its own.
pub(crate) type Test = (&'static str, fn(&Home) -> Result<(), Failed>);

/// A test program; `lacking` says why this computer cannot run it.
pub(crate) fn main(tests: &[Test], lacking: impl FnOnce() -> Option<String>) -> ExitCode {
    trials::main(|| trials_of(tests, lacking().as_deref()))
}

pub(crate) fn trials_of(tests: &[Test], lacking: Option<&str>) -> Vec<Trial> {
    tests.iter().map(|&(name, test)| trial(name, lacking, move || test(&Home::new()))).collect()
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

    pub(crate) fn code(&self, arguments: &[&str]) -> Result<Value, Failed> {
        Ok(self.run(arguments)?.status.code().into())
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

    /// Exit code and error document of a command that must fail.
    pub(crate) fn fails(&self, arguments: &[&str]) -> Result<(i32, Value), Failed> {
        let output = self.run(&[&["--json"], arguments].concat())?;
        let document: Value = serde_json::from_slice(&output.stdout)?;
        Ok((output.status.code().unwrap_or(-1), document["error"].clone()))
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
