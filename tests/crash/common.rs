//! What tests of crashes share: a test run in a home of its own, and what it must have found.

use crate::support::{Home, is};
use libtest_mimic::Failed;
use serde_json::Value;
use std::path::Path;

/// Runs the test in a home of its own; its report.
pub(crate) fn test(home: &Home, recipe: &str, arguments: &[&str]) -> Result<Value, Failed> {
    let mut command = home.command(&["--json", "recipe", "test", recipe, "--crash-everywhere"]);
    let output = command.args(arguments).env("TMPDIR", home.path()).output()?;
    serde_json::from_slice(&output.stdout).map_err(|error| {
        let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        format!("{error}: {said}").into()
    })
}

/// All runs that were killed came to the same end, and nothing is left of them.
pub(crate) fn survived(home: &Home, report: &Value) -> Result<(), Failed> {
    is("failures", report["failures"].clone(), Value::Array(Vec::new()))?;
    is("survived", report["survived"].clone(), report["tried"].clone())?;
    is("worlds that are left", left(home.path()), 0)
}

/// Worlds that are still there.
pub(crate) fn left(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("linodetool-crash-")).count()
}
