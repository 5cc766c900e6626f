//! `linodetool exec`: one command on many nodes at once.

use super::error::{CliError, OK};
use super::session::Session;
use crate::core::{Failure, FailureKind};
use crate::nodes::{ExecOptions, Nodes, Output, Target, sh_quote};
use crate::runs::{Done, Effect, Kind, StepCx};
use clap::Args;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Run a command on many nodes at once
///
/// Equal outputs are shown once, with the nodes that gave them. If the command fails anywhere, the exit code is 9.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  linodetool exec cluster:hadoop -- uptime
  linodetool exec 'web-*,!web-3' -- systemctl restart nginx
  linodetool exec role:worker -- sh -c 'df -h / | tail -1'")]
pub(crate) struct ExecArgs {
    /// Which nodes: a name, `cluster:NAME`, `role:NAME`, `web-*`; a comma joins, `!` excludes
    pub(crate) selector: String,
    /// Give up on a node after that many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub(crate) timeout: u64,
    /// The command and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

impl ExecArgs {
    pub(crate) fn run(&self, session: &mut Session<'_>) -> Result<u8, CliError> {
        let nodes = session.select(&self.selector)?;
        let targets = nodes.iter().map(|node| session.toolkit.target(node)).collect::<Result<Vec<_>, _>>()?;
        let command = shell(&self.command);
        let names: Vec<_> = targets.iter().map(|target| target.name.clone()).collect();
        let connections = session.toolkit.connections().clone();
        let effect = ExecOnAll {
            command: &command,
            nodes: &names,
            timeout: Duration::from_secs(self.timeout),
            targets: &targets,
            connections: &connections,
            answers: Mutex::default(),
        };
        session.in_run(&format!("exec {} -- {command}", self.selector), |at| at.step(&effect))?;
        session.end_progress();
        let answers = effect.answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        session.out.result(&documents(&answers), || grouped(&answers))?;
        let failures = unreached(&answers);
        if !session.out.json() {
            failures.iter().for_each(|failure| session.out.error(&format!("error: {failure}")));
        }
        let all_well = answers.iter().all(|answer| answer.outcome.as_ref().is_ok_and(Output::success));
        match failures.first() {
            // Nothing ran anywhere: that is why, not a command's failure.
            Some(failure) if failures.len() == answers.len() => {
                Err(CliError::Exit(CliError::from(failure.clone()).exit_code()))
            }
            _ if all_well => Ok(OK),
            _ => Err(CliError::command_failed()),
        }
    }
}

/// One argument is a command line of the node's shell; several are quoted, so that they arrive as they are.
fn shell(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => words.iter().map(|word| sh_quote(word)).collect::<Vec<_>>().join(" "),
    }
}

/// What one node answered.
#[derive(Debug)]
struct Answer {
    node: String,
    outcome: Result<Output, Failure>,
}

/// The command on all nodes at once: one step, so that it is on record. Outputs are shown and not kept.
#[derive(Serialize)]
struct ExecOnAll<'a> {
    command: &'a str,
    nodes: &'a [String],
    #[serde(skip)]
    timeout: Duration,
    #[serde(skip)]
    targets: &'a [Target],
    #[serde(skip)]
    connections: &'a Nodes,
    #[serde(skip)]
    answers: Mutex<Vec<Answer>>,
}

impl Effect for ExecOnAll<'_> {
    const OP: &'static str = "nodes.exec";
    const KIND: Kind = Kind::Write;
    /// Exit codes by node; none where it did not get that far.
    type Out = BTreeMap<String, Option<i32>>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Self::Out>, Failure> {
        let options = ExecOptions { timeout: Some(self.timeout), ..ExecOptions::default() };
        let answers = self.connections.fan_out(self.targets, self.command, &options, None).await;
        let answers: Vec<_> = answers
            .into_iter()
            .map(|(node, outcome)| Answer { node, outcome: outcome.map_err(Failure::from) })
            .collect();
        let codes =
            answers.iter().map(|a| (a.node.clone(), a.outcome.as_ref().ok().and_then(|o| o.exit_code))).collect();
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
        Ok(Done::with(codes, Vec::new()))
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Self::Out>>, Failure> {
        Err(Failure::new(FailureKind::Interrupted, "whether the command ran is not known")
            .hint("look on the nodes, and give the command again if it did not run"))
    }
}

fn documents(answers: &[Answer]) -> Vec<Value> {
    let document = |answer: &Answer| match &answer.outcome {
        Ok(output) => json!({
            "node": answer.node, "exit_code": output.exit_code, "signal": output.signal,
            "stdout": output.stdout_text(), "stderr": output.stderr_text(),
        }),
        Err(failure) => json!({ "node": answer.node, "error": failure }),
    };
    answers.iter().map(document).collect()
}

/// Equal outputs once, under the names of the nodes that gave them.
fn grouped(answers: &[Answer]) -> String {
    let mut groups: Vec<(&Output, Vec<&str>)> = Vec::new();
    for answer in answers {
        let Ok(output) = &answer.outcome else { continue };
        match groups.iter_mut().find(|(known, _)| *known == output) {
            Some((_, nodes)) => nodes.push(&answer.node),
            None => groups.push((output, vec![&answer.node])),
        }
    }
    let group = |(output, nodes): &(&Output, Vec<&str>)| {
        let how = match (&output.signal, output.exit_code) {
            (Some(signal), _) => format!(" (ended by signal {signal})"),
            (None, Some(0)) => String::new(),
            (None, Some(code)) => format!(" (exit code {code})"),
            (None, None) => " (ended without an exit code)".to_owned(),
        };
        let count = if nodes.len() > 1 { format!(" ({} nodes)", nodes.len()) } else { String::new() };
        let mut lines = vec![format!("== {}{count}{how}", nodes.join(", "))];
        let (stdout, stderr) = (output.stdout_text(), output.stderr_text());
        lines.extend(stdout.lines().map(str::to_owned));
        lines.extend(stderr.lines().map(|line| format!("! {line}")));
        lines.join("\n")
    };
    groups.iter().map(group).collect::<Vec<_>>().join("\n")
}

fn unreached(answers: &[Answer]) -> Vec<Failure> {
    let failure = |answer: &Answer| {
        let mut failure = answer.outcome.as_ref().err()?.clone();
        failure.node.get_or_insert_with(|| answer.node.clone());
        Some(failure)
    };
    answers.iter().filter_map(failure).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn answers() -> Vec<Answer> {
        let output = |code, stdout: &str, stderr: &str| {
            Ok(Output { exit_code: Some(code), stdout: stdout.into(), stderr: stderr.into(), ..Output::default() })
        };
        let answer = |node: &str, outcome| Answer { node: node.into(), outcome };
        vec![
            answer("web-1", output(0, "ok\n", "")),
            answer("web-2", output(2, "half\n", "no such file\n")),
            answer("web-3", output(0, "ok\n", "")),
            answer("web-4", Err(Failure::new(FailureKind::Ssh, "cannot be reached"))),
        ]
    }

    #[test]
    fn equal_outputs_are_shown_once() {
        expect![[r#"
            == web-1, web-3 (2 nodes)
            ok
            == web-2 (exit code 2)
            half
            ! no such file"#]]
        .assert_eq(&grouped(&answers()));
        assert_eq!(unreached(&answers())[0].to_string(), "web-4: cannot be reached");
    }

    #[test]
    fn every_node_is_in_the_document() {
        expect![[r#"[{"exit_code":0,"node":"web-1","signal":null,"stderr":"","stdout":"ok\n"},{"exit_code":2,"node":"web-2","signal":null,"stderr":"no such file\n","stdout":"half\n"},{"exit_code":0,"node":"web-3","signal":null,"stderr":"","stdout":"ok\n"},{"error":{"kind":"ssh","message":"cannot be reached"},"node":"web-4"}]"#]].assert_eq(&serde_json::to_string(&documents(&answers())).unwrap());
    }

    #[test]
    fn several_words_arrive_as_they_are() {
        let shell = |words: &[&str]| super::shell(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(shell(&["df -h | tail -1"]), "df -h | tail -1");
        let words = ["sh", "-c", "echo $HOME"];
        assert_eq!(shell(&words), words.map(sh_quote).join(" "));
    }
}
