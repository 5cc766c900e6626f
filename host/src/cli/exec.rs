//! `linodetool exec`: one command on many nodes at once, each node a step of its own, so that it can go on where it was cut off.

use super::error::{CliError, OK};
use super::request::Request;
use super::session::Session;
use crate::core::{Failure, FailureKind};
use crate::nodes::{ExecOptions, NodeError, Nodes, Output, Target, sh_quote};
use crate::runs::{Done, Effect, Kind, Place, Run, RunDetail, StepCx, StepError};
use crate::toolkit::At;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Run a command on many nodes at once
///
/// Equal outputs are shown once, with the nodes that gave them. If the command fails anywhere, the exit code is 9.
/// If it was cut off or a node was not reached, `runs resume` goes on with the nodes where it did not run.
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
        nodes.iter().try_for_each(|node| session.toolkit.target(node).map(drop))?;
        let (nodes, command) = (nodes.into_iter().map(|node| node.name).collect(), shell(&self.command));
        let title = format!("exec {} -- {command}", self.selector);
        Request::Exec(Exec { nodes, command, timeout_s: self.timeout }).run(session, &title)
    }
}

/// The command and its nodes, kept with its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Exec {
    pub(crate) nodes: Vec<String>,
    /// `command` says which request this is.
    #[serde(rename = "line")]
    pub(crate) command: String,
    pub(crate) timeout_s: u64,
}

impl Exec {
    /// On all nodes where it did not run yet; ends the run and shows what they answered.
    pub(crate) fn go_on(&self, session: &mut Session<'_>, run: &Arc<Run>) -> Result<u8, CliError> {
        let target = |name: &String| {
            let target = session.node(name).and_then(|node| session.toolkit.target(&node));
            (name.clone(), (name.clone(), target))
        };
        let targets: Vec<_> = self.nodes.iter().map(target).collect();
        let connections = session.toolkit.connections().clone();
        // Also what was answered before an interrupt is shown.
        let answers = Mutex::new(Vec::new());
        let one = |at: At<'_>, (name, target): &(String, Result<Target, Failure>)| {
            let answer = self.on_one(at, name, target, &connections)?;
            answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
            Ok(())
        };
        let lane = run.root();
        let outcome = At { lane: &lane, place: &Place::default() }.lanes("nodes.exec", &targets, one);
        let mut answers: Vec<Answer> = answers.into_inner().unwrap_or_else(PoisonError::into_inner);
        answers.sort_by_key(|answer| self.nodes.iter().position(|name| *name == answer.node));
        let failures = unreached(&answers);
        let outcome = outcome.map_err(Failure::from);
        session.finish(run, outcome.as_ref().err().or(failures.first()))?;
        session.end_progress();
        if let Err(failure) = outcome {
            if !session.out.json() {
                session.out.data(&grouped(&answers))?;
            }
            return Err(failure.hint(format!("go on: linodetool runs resume {}", run.id())).into());
        }
        session.out.result(&documents(&answers), || grouped(&answers))?;
        if !session.out.json() {
            failures.iter().for_each(|failure| session.out.error(&format!("error: {failure}")));
            let program = session.toolkit.program();
            ways_on(&failures, run.id().as_str(), &self.command, program).iter().for_each(|way| session.out.note(way));
        }
        let all_well = answers.iter().all(|answer| answer.outcome.as_ref().is_ok_and(Ran::success));
        match failures.first() {
            // Nothing ran anywhere: that is why, not a command's failure.
            Some(failure) if failures.len() == answers.len() => {
                Err(CliError::Exit(CliError::from(failure.clone()).exit_code()))
            }
            _ if all_well => Ok(OK),
            _ => Err(CliError::command_failed()),
        }
    }

    fn on_one(
        &self,
        at: At<'_>,
        name: &str,
        target: &Result<Target, Failure>,
        connections: &Nodes,
    ) -> Result<Answer, StepError> {
        let (command, timeout) = (&*self.command, Duration::from_secs(self.timeout_s));
        let step = ExecOn { node: name, command, timeout, target, connections, output: Mutex::default() };
        let outcome = match at.step(&step) {
            Ok(ran) => Ok(ran),
            Err(StepError::Failed(failure)) => Err(failure),
            Err(stop) => return Err(stop),
        };
        let output = step.output.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Answer { node: name.to_owned(), outcome, output })
    }
}

/// What to type for the nodes without an answer.
fn ways_on(failures: &[Failure], run: &str, command: &str, program: &str) -> Vec<String> {
    let (doubtful, others): (Vec<_>, Vec<_>) = failures.iter().partition(|one| one.kind == FailureKind::Interrupted);
    let mut ways = Vec::new();
    if !others.is_empty() {
        ways.push(format!("Go on with those where it did not run: {program} runs resume {run}"));
    }
    if !doubtful.is_empty() {
        let nodes = doubtful.iter().filter_map(|one| one.node.as_deref()).collect::<Vec<_>>().join(",");
        ways.push(format!(
            "Where it is not known, look first; once more there: {program} exec {nodes} -- {}",
            sh_quote(command)
        ));
    }
    ways
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
    outcome: Result<Ran, Failure>,
    /// None of a command that ran before the run was cut off: outputs are shown and not kept.
    output: Option<Output>,
}

/// How the command ended on a node: what is on record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Ran {
    exit_code: Option<i32>,
    signal: Option<String>,
}

impl Ran {
    fn success(&self) -> bool {
        self.exit_code == Some(0)
    }
}

/// Nodes on which the command of an exec may go on: nobody has seen its end, and nothing on the node can stop it, as an exec
/// has no record there.
pub(super) fn may_go_on(of: &RunDetail) -> Vec<String> {
    let of_exec = of.in_doubt().filter(|step| step.op == ExecOn::OP);
    of_exec.filter_map(|step| step.args["node"].as_str().map(str::to_owned)).collect()
}

/// The command on one node.
#[derive(Serialize)]
struct ExecOn<'a> {
    node: &'a str,
    command: &'a str,
    #[serde(skip)]
    timeout: Duration,
    #[serde(skip)]
    target: &'a Result<Target, Failure>,
    #[serde(skip)]
    connections: &'a Nodes,
    #[serde(skip)]
    output: Mutex<Option<Output>>,
}

impl Effect for ExecOn<'_> {
    const OP: &'static str = "node.exec";
    const KIND: Kind = Kind::Write;
    type Out = Ran;

    async fn perform(&self, _: &StepCx) -> Result<Done<Ran>, Failure> {
        let target = self.target.as_ref().map_err(Clone::clone)?;
        let options = ExecOptions { timeout: Some(self.timeout), ..ExecOptions::default() };
        let output = self.connections.exec(target, self.command, options).await.map_err(|error| {
            // It began: that it is not seen to its end does not say that it did nothing.
            let began = matches!(error, NodeError::Lost { .. } | NodeError::Timeout { .. });
            let failure = Failure::from(error);
            if began { Failure { kind: FailureKind::Interrupted, hint: None, ..failure } } else { failure }
        })?;
        let ran = Ran { exit_code: output.exit_code, signal: output.signal.clone() };
        *self.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output);
        Ok(ran.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Ran>>, Failure> {
        Err(Failure::new(FailureKind::Interrupted, "whether the command ran is not known").on(self.node))
    }
}

fn documents(answers: &[Answer]) -> Vec<Value> {
    let document = |answer: &Answer| match (&answer.outcome, &answer.output) {
        (Ok(ran), Some(output)) => json!({
            "node": answer.node, "exit_code": ran.exit_code, "signal": ran.signal,
            "stdout": output.stdout_text(), "stderr": output.stderr_text(),
        }),
        (Ok(ran), None) => {
            json!({ "node": answer.node, "exit_code": ran.exit_code, "signal": ran.signal, "ran_before": true })
        }
        (Err(failure), _) => json!({ "node": answer.node, "error": failure }),
    };
    answers.iter().map(document).collect()
}

/// Equal outputs once, under the names of the nodes that gave them.
fn grouped(answers: &[Answer]) -> String {
    let mut groups: Vec<(&Ran, Option<&Output>, Vec<&str>)> = Vec::new();
    for answer in answers {
        let Ok(ran) = &answer.outcome else { continue };
        let output = answer.output.as_ref();
        match groups.iter_mut().find(|(known, said, _)| (*known, *said) == (ran, output)) {
            Some((_, _, nodes)) => nodes.push(&answer.node),
            None => groups.push((ran, output, vec![&answer.node])),
        }
    }
    let group = |(ran, output, nodes): &(&Ran, Option<&Output>, Vec<&str>)| {
        let how = match (&ran.signal, ran.exit_code) {
            (Some(signal), _) => format!(" (ended by signal {signal})"),
            (None, Some(0)) => String::new(),
            (None, Some(code)) => format!(" (exit code {code})"),
            (None, None) => " (ended without an exit code)".to_owned(),
        };
        let count = if nodes.len() > 1 { format!(" ({} nodes)", nodes.len()) } else { String::new() };
        let before = if output.is_none() { " (ran before; its output was not kept)" } else { "" };
        let mut lines = vec![format!("== {}{count}{how}{before}", nodes.join(", "))];
        if let Some(output) = output {
            let (stdout, stderr) = (output.stdout_text(), output.stderr_text());
            lines.extend(stdout.lines().map(str::to_owned));
            lines.extend(stderr.lines().map(|line| format!("! {line}")));
        }
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
        let ran = |code| Ok(Ran { exit_code: Some(code), signal: None });
        let answer = |node: &str, code, stdout: &str, stderr: &str| {
            let output =
                Output { exit_code: Some(code), stdout: stdout.into(), stderr: stderr.into(), ..Output::default() };
            Answer { node: node.into(), outcome: ran(code), output: Some(output) }
        };
        let none = |node: &str, outcome| Answer { node: node.into(), outcome, output: None };
        vec![
            answer("web-1", 0, "ok\n", ""),
            answer("web-2", 2, "half\n", "no such file\n"),
            answer("web-3", 0, "ok\n", ""),
            none("web-4", Err(Failure::new(FailureKind::Ssh, "cannot be reached"))),
            none("web-5", ran(0)),
            none("web-6", ran(0)),
            none(
                "web-7",
                Err(Failure::new(FailureKind::Interrupted, "whether the command ran is not known").on("web-7")),
            ),
        ]
    }

    #[test]
    fn equal_outputs_are_shown_once() {
        expect![[r#"
            == web-1, web-3 (2 nodes)
            ok
            == web-2 (exit code 2)
            half
            ! no such file
            == web-5, web-6 (2 nodes) (ran before; its output was not kept)"#]]
        .assert_eq(&grouped(&answers()));
        let failures = unreached(&answers());
        assert_eq!(failures[0].to_string(), "web-4: cannot be reached");
        expect![[r#"
            Go on with those where it did not run: linodetool runs resume 3fa9c01b2d
            Where it is not known, look first; once more there: linodetool exec web-7 -- 'make all'"#]]
        .assert_eq(&ways_on(&failures, "3fa9c01b2d", "make all", "linodetool").join("\n"));
    }

    #[test]
    fn every_node_is_in_the_document() {
        expect![[r#"[{"exit_code":0,"node":"web-1","signal":null,"stderr":"","stdout":"ok\n"},{"exit_code":2,"node":"web-2","signal":null,"stderr":"no such file\n","stdout":"half\n"},{"exit_code":0,"node":"web-3","signal":null,"stderr":"","stdout":"ok\n"},{"error":{"kind":"ssh","message":"cannot be reached"},"node":"web-4"},{"exit_code":0,"node":"web-5","ran_before":true,"signal":null},{"exit_code":0,"node":"web-6","ran_before":true,"signal":null},{"error":{"kind":"interrupted","message":"whether the command ran is not known","node":"web-7"},"node":"web-7"}]"#]].assert_eq(&serde_json::to_string(&documents(&answers())).unwrap());
    }

    #[test]
    fn several_words_arrive_as_they_are() {
        let shell = |words: &[&str]| super::shell(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(shell(&["df -h | tail -1"]), "df -h | tail -1");
        let words = ["sh", "-c", "echo $HOME"];
        assert_eq!(shell(&words), words.map(sh_quote).join(" "));
    }
}
