//! The only door to stdout and stderr: data to the first, everything else to the second.
//!
//! Owns: what is a terminal, colours, `--json` and `--quiet`. Does not know what is shown.

use super::args::Globals;
use super::environment::Environment;
use super::error::CliError;
use serde::Serialize;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// How this process shows things.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    verbose: u8,
    color: bool,
    stdin_terminal: bool,
    stdout_terminal: bool,
    stderr_terminal: bool,
}

impl Output {
    pub(crate) fn new(globals: &Globals, env: &Environment) -> Self {
        let dumb = env.var("TERM") == Some("dumb");
        Self {
            json: globals.json,
            quiet: globals.quiet,
            verbose: globals.verbose,
            color: !globals.no_color && env.var("NO_COLOR").is_none() && !dumb,
            stdin_terminal: io::stdin().is_terminal(),
            stdout_terminal: io::stdout().is_terminal(),
            stderr_terminal: io::stderr().is_terminal() && !dumb,
        }
    }

    pub(crate) fn json(&self) -> bool {
        self.json
    }

    pub(crate) fn quiet(&self) -> bool {
        self.quiet
    }

    pub(crate) fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Whether colours are wanted at all.
    pub(crate) fn color(&self) -> bool {
        self.color
    }

    /// Whether stdout may hold colours.
    pub(crate) fn color_out(&self) -> bool {
        self.color && self.stdout_terminal && !self.json
    }

    /// Whether stderr may hold colours.
    pub(crate) fn color_err(&self) -> bool {
        self.color && self.stderr_terminal
    }

    /// Whether stdout is read by a person.
    pub(crate) fn stdout_terminal(&self) -> bool {
        self.stdout_terminal
    }

    /// Whether a live board can be drawn on stderr.
    pub(crate) fn live(&self) -> bool {
        self.stderr_terminal && !self.quiet
    }

    /// Whether somebody can be asked.
    pub(crate) fn can_ask(&self) -> bool {
        self.stdin_terminal && self.stderr_terminal
    }

    /// The command's result: one JSON document, or text for people.
    pub(crate) fn result<T: Serialize + ?Sized>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<(), CliError> {
        if self.json { self.document(value) } else { self.data(&text()) }
    }

    /// One JSON document on stdout; called once a process.
    pub(crate) fn document<T: Serialize + ?Sized>(&self, value: &T) -> Result<(), CliError> {
        let text =
            if self.stdout_terminal { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let text =
            text.map_err(|e| crate::core::Failure::internal(format!("a result cannot be written as JSON: {e}")))?;
        self.data(&text)
    }

    /// Data on stdout, ended by a line feed. Nothing at all is written for an empty text.
    pub(crate) fn data(&self, text: &str) -> Result<(), CliError> {
        if text.is_empty() {
            return Ok(());
        }
        self.raw(text.as_bytes())?;
        if text.ends_with('\n') { Ok(()) } else { self.raw(b"\n") }
    }

    /// Bytes on stdout as they are.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), CliError> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|e| match e.kind() {
            ErrorKind::BrokenPipe => CliError::BrokenPipe,
            _ => crate::core::Failure::new(crate::core::FailureKind::Local, format!("stdout cannot be written: {e}"))
                .into(),
        })
    }

    /// Something to know, on stderr; not with `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.error(text);
        }
    }

    /// On stderr, always. A stderr that cannot be written is no reason to stop.
    pub(crate) fn error(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// A question on stderr, without a line feed.
    pub(crate) fn prompt(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

#[cfg(test)]
impl Output {
    /// One without any terminal, for tests.
    pub(crate) fn plain(globals: &Globals) -> Self {
        Self {
            json: globals.json,
            quiet: globals.quiet,
            verbose: globals.verbose,
            color: false,
            stdin_terminal: false,
            stdout_terminal: false,
            stderr_terminal: false,
        }
    }

    /// One that believes somebody can be asked.
    pub(crate) fn asking() -> Self {
        Self {
            stdin_terminal: true,
            stderr_terminal: true,
            ..Self::plain(&Globals { quiet: true, ..Globals::default() })
        }
    }
}
