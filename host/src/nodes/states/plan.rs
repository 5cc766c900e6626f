//! What an operation asks of a node, how it is sent, and how its answer is read.

use crate::nodes::quote::sh_command;
use crate::nodes::{
    ExecOptions, NodeError, Nodes, OnLine, Outcome, Output, Place, Result, RunnerCommand, Stream, Target,
};
use linodetool_sandbox::act::Wish;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Begins each line of a script that is meant for this side.
const MARK: char = '\u{1e}';

/// An operation that checks first.
pub trait State {
    /// What it is about, `file /etc/motd`.
    fn title(&self) -> String;
    /// Checks the options and says what the node has to do.
    fn plan(&self) -> Result<Plan>;
    /// The same for a simulated machine.
    fn wish(&self) -> Wish;
}

/// One script for a node.
#[derive(Clone, Debug)]
pub struct Plan {
    title: String,
    script: String,
    arguments: Vec<String>,
    stdin: Option<Arc<[u8]>>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub changed: bool,
    /// What was changed, in a few words.
    pub detail: String,
    /// What may be worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Plan {
    pub(super) fn new(title: String, script: &str, arguments: &[&str]) -> Self {
        let script = [include_str!("sh/lib.sh"), script].concat();
        Self { title, script, arguments: arguments.iter().map(|a| (*a).to_owned()).collect(), stdin: None }
    }

    #[must_use]
    pub(super) fn stdin(mut self, bytes: impl Into<Arc<[u8]>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// For a content that is streamed: the last argument of the file's script is its digest.
    #[must_use]
    pub(in crate::nodes) fn with_digest(mut self, sum: &str) -> Self {
        if let Some(last) = self.arguments.last_mut() {
            sum.clone_into(last);
        }
        self
    }

    /// What a shell on the node is given.
    pub fn command(&self) -> String {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        sh_command(&self.script, &arguments)
    }

    /// What it reads.
    pub fn input(&self) -> Option<&[u8]> {
        self.stdin.as_deref()
    }

    /// Reads what the script said.
    pub fn read(&self, node: &str, output: &Output) -> Result<Applied> {
        let mut applied = Applied::default();
        let error = |message: &str, hint: &str| NodeError::Operation {
            node: node.to_owned(),
            operation: self.title.clone(),
            message: message.to_owned(),
            hint: Some(hint.to_owned()).filter(|h| !h.is_empty()),
            output: visible(output),
        };
        let text = output.stdout_text();
        for line in text.lines().filter_map(|l| l.strip_prefix(MARK)) {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "note" => applied.notes.push(rest.to_owned()),
                "failed" => {
                    let (message, hint) = rest.split_once(MARK).unwrap_or((rest, ""));
                    return Err(error(message, hint));
                }
                "changed" | "same" => {
                    applied.changed = word == "changed";
                    applied.detail = rest.to_owned();
                    return Ok(applied);
                }
                _ => {}
            }
        }
        let code = output.exit_code.map_or("a signal".into(), |c| format!("exit code {c}"));
        Err(error(&format!("its script ended with {code}"), ""))
    }
}

/// The last lines, without those meant for this side.
fn visible(output: &Output) -> String {
    let lines = output.last_lines();
    lines.lines().filter(|l| !l.starts_with(MARK)).collect::<Vec<_>>().join("\n")
}

impl Nodes {
    /// Brings a node into a state. With a place, the work is durable and done at most once there; otherwise it lives
    /// with the connection.
    pub async fn apply(
        &self,
        target: &Target,
        state: &(dyn State + Sync),
        place: Option<&Place>,
        on_line: Option<OnLine>,
    ) -> Result<Applied> {
        let plan = state.plan()?;
        if let Some(simulation) = self.simulation() {
            let wish = Wish { place: place.map(Place::key), ..state.wish() };
            return simulation.apply(target, wish).await;
        }
        Box::pin(self.apply_plan(target, &plan, place, on_line)).await
    }

    /// The same with a plan made before.
    pub async fn apply_plan(
        &self,
        target: &Target,
        plan: &Plan,
        place: Option<&Place>,
        on_line: Option<OnLine>,
    ) -> Result<Applied> {
        let on_line = on_line.map(|tell| -> OnLine {
            Arc::new(move |stream: Stream, line: &str| {
                if !line.starts_with(MARK) {
                    tell(stream, line);
                }
            })
        });
        let (command, stdin) = (plan.command(), plan.stdin.as_deref().map(<[u8]>::to_vec));
        let answer = match place {
            None => self.exec(target, &command, ExecOptions { stdin, on_line, ..ExecOptions::default() }).await,
            Some(place) => {
                let command = RunnerCommand { command, stdin, on_line, ..RunnerCommand::default() };
                self.run(target, place, &command).await.map(|outcome| match outcome {
                    Outcome::Ended(output) => output,
                    Outcome::Skipped(_) => Output::default(),
                })
            }
        };
        // A script is long: whoever reads the message wants its title.
        let output = answer.map_err(|error| match error {
            NodeError::Interrupted { node, output, .. } => {
                NodeError::Interrupted { node, command: plan.title.clone(), output }
            }
            other => other,
        })?;
        plan.read(&target.name, &output)
    }
}

/// Where a file, folder or service lies: absolute, without surprises.
pub(crate) fn absolute<'a>(field: &'static str, path: &'a str) -> Result<&'a str> {
    if path.starts_with('/') && !path.contains(['\0', '\n']) {
        return Ok(path);
    }
    Err(NodeError::usage(field, format!("`{field}` must be an absolute path on the node, not `{path}`")))
}

/// `0644`, or nothing.
pub(super) fn mode(given: &Option<String>) -> Result<&str> {
    let Some(mode) = given else { return Ok("") };
    if (3..=4).contains(&mode.len()) && mode.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
        return Ok(mode);
    }
    Err(NodeError::usage("mode", format!("`mode` must be three or four octal digits like \"0644\", not `{mode}`")))
}

/// A user's, group's or unit's name, or nothing.
pub(super) fn name<'a>(field: &'static str, given: Option<&'a str>) -> Result<&'a str> {
    let Some(name) = given else { return Ok("") };
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.@+:-".contains(&b);
    if !name.is_empty() && !name.starts_with('-') && name.bytes().all(fits) {
        return Ok(name);
    }
    Err(NodeError::usage(field, format!("`{field}` cannot be `{name}`: letters, digits and _ . @ + : - only")))
}

pub(super) fn digest(bytes: &[u8]) -> String {
    crate::core::ids::hex(&Sha256::digest(bytes))
}

/// A wish of those settings that are given.
pub(super) fn wish<'a>(kind: &str, name: &str, settings: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Wish {
    let settings = settings.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Wish { kind: kind.to_owned(), name: name.to_owned(), settings, ..Wish::default() }
}

pub(super) fn word(yes: bool, word: &'static str) -> &'static str {
    if yes { word } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stdout: &str) -> Result<Applied> {
        let plan = Plan::new("file /x".into(), "", &[]);
        plan.read("web-1", &Output { exit_code: Some(1), stdout: stdout.into(), ..Output::default() })
    }

    #[test]
    fn the_answer_is_found_among_output() {
        let applied = read("noise\n\u{1e}note mind this\n\u{1e}changed mode 600 to 644\n").unwrap();
        let want = Applied { changed: true, detail: "mode 600 to 644".into(), notes: vec!["mind this".into()] };
        assert_eq!(applied, want);
        assert!(!read("\u{1e}same \n").unwrap().changed);
    }

    #[test]
    fn a_failure_has_its_hint() {
        let failure =
            crate::core::Failure::from(read("some output\n\u{1e}failed no room\u{1e}make some\n").unwrap_err());
        assert_eq!(failure.to_string(), "web-1: file /x: no room");
        assert_eq!((failure.hint.as_deref(), failure.output.as_deref()), (Some("make some"), Some("some output")));
        assert_eq!(read("cut").unwrap_err().to_string(), "file /x: its script ended with exit code 1");
    }

    #[test]
    fn options_are_checked_before_anything_is_sent() {
        assert!(absolute("path", "/etc/motd").is_ok() && absolute("path", "etc").is_err());
        assert!(mode(&Some("0644".into())).is_ok() && mode(&Some("rw".into())).is_err());
        assert!(name("owner", Some("www-data")).is_ok() && name("owner", Some("-x")).is_err());
    }
}
