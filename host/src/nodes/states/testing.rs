//! Runs plans on this computer, in a folder of their own, with made-up programs before the real ones.

use super::State;
use crate::core::Failure;
use crate::nodes::Output;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use tempfile::TempDir;

pub(super) struct Here {
    dir: TempDir,
    programs: TempDir,
    only: bool,
}

pub(super) fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap()
}

impl Here {
    pub(super) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), programs: tempfile::tempdir().unwrap(), only: false }
    }

    /// Only these real programs are found, besides the made-up ones.
    pub(super) fn only(mut self, real: &[&str]) -> Self {
        for name in real {
            let path = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map(|d| format!("{d}/{name}"));
            let found = path.iter().find(|p| fs::exists(p).unwrap()).unwrap();
            std::os::unix::fs::symlink(found, self.programs.path().join(name)).unwrap();
        }
        self.only = true;
        self
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    pub(super) fn root(&self) -> String {
        self.dir.path().display().to_string()
    }

    pub(super) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(self.dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A program that the scripts find first; it runs in the test's folder.
    pub(super) fn program(&self, name: &str, body: &str) {
        let path = self.programs.path().join(name);
        fs::write(&path, format!("#!/bin/sh\ncd {}\n{body}\n", self.root())).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// `changed: what`, `same: ` or `failed: why (hint)`.
    pub(super) fn apply(&self, state: &dyn State) -> String {
        let plan = state.plan().unwrap();
        let mut path = self.programs.path().display().to_string();
        if !self.only {
            path = format!("{path}:{}", std::env::var("PATH").unwrap());
        }
        let mut child = Command::new("/bin/sh")
            .args(["-c", &plan.command()])
            .env("PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A script that fails early does not read.
        let _ = child.stdin.take().unwrap().write_all(plan.input().unwrap_or_default());
        let output = child.wait_with_output().unwrap();
        let output = Output {
            exit_code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
            ..Output::default()
        };
        match plan.read("here", &output) {
            Ok(applied) => {
                let word = if applied.changed { "changed" } else { "same" };
                let notes: String = applied.notes.iter().map(|n| format!(" [{n}]")).collect();
                format!("{word}: {}{notes}", applied.detail)
            }
            Err(error) => {
                let failure = Failure::from(error);
                let message = failure.message.strip_prefix(&format!("{}: ", state.title())).unwrap_or(&failure.message);
                format!("failed: {message}{}", failure.hint.map(|h| format!(" ({h})")).unwrap_or_default())
            }
        }
    }
}
