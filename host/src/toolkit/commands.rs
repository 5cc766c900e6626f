//! Commands on nodes, as steps: such as change something and are run once, questions, and waiting for a port.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use crate::core::events::Ending;
use crate::core::{Failure, FailureKind};
use crate::inventory::Node;
use crate::nodes::states::{Run, WaitPort};
use crate::nodes::{
    Assumption, Inspected, NodeError, Nodes, Outcome, Output, Place, RECORDS_KEPT, Rehearsed, RunnerCommand, Target,
    hint_of_full_disk, sh_quote,
};
use crate::runs::{Done, Effect, Kind, StepCx, StepError};
use crate::toolkit::redaction::Redaction;
use crate::toolkit::stages::{lines_of, staged};
use crate::toolkit::{At, Repeatable, Toolkit};

/// The operation of a step that runs a command.
pub const RUN: &str = "node.run";
/// How often a command that reboots cut is begun again, if it may be.
const REPEATS: usize = 3;

/// A command on a node. It runs detached from the connection and is never repeated by accident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunOptions {
    /// What progress calls it; by default its first line.
    pub name: Option<String>,
    /// It is not run if this path exists.
    pub creates: Option<String>,
    /// It is not run if this command succeeds.
    pub unless: Option<String>,
    /// Folder it runs in.
    pub cwd: Option<String>,
    /// Runs as this user.
    pub user: Option<String>,
    pub env: BTreeMap<String, String>,
    /// Variables whose values are secrets of the store, by name: they reach the node and no journal.
    pub secret_env: BTreeMap<String, String>,
    /// What it reads.
    pub stdin: Option<String>,
    /// Seconds after which it is stopped.
    pub timeout: Option<u64>,
    /// A failing exit code is an answer, not an error.
    pub may_fail: bool,
    /// How it comes out in a rehearsal. No part of the step: another answer makes no other command.
    #[serde(skip_serializing)]
    pub rehearse: Option<Rehearsed>,
}

/// How a command came out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandOutput {
    /// What it wrote; the middle of very long output is left out here and kept on the node.
    pub stdout: String,
    pub stderr: String,
    pub exit_code: i32,
    /// `false` if `creates` or `unless` said that there was nothing to do.
    pub changed: bool,
}

impl Toolkit {
    /// Runs a command on a node.
    ///
    /// # Errors
    /// `Command` with the exit code and the last output lines; `Interrupted` if a reboot or a kill cut it.
    pub fn run_on(
        &self,
        at: At<'_>,
        node: &Node,
        command: &str,
        options: &RunOptions,
    ) -> Result<CommandOutput, StepError> {
        let output = at.step(&RunOn { node: &node.name, command, options, at_node: node, toolkit: self })?;
        self.count(output.changed && (options.creates.is_some() || options.unless.is_some()));
        Ok(output)
    }

    /// Whether a command succeeds on a node. It must change nothing: it is asked again by whoever waits for it.
    ///
    /// # Errors
    /// `Ssh` if the node cannot be reached.
    pub fn check_on(&self, at: At<'_>, node: &Node, command: &str) -> Result<bool, StepError> {
        at.step(&CheckOn { node: &node.name, command, at_node: node, toolkit: self })
    }

    /// Waits until a port, as a node sees it, takes connections.
    pub fn wait_port(&self, at: At<'_>, node: &Node, wait: &WaitPort) -> Result<(), StepError> {
        at.step(&WaitFor { node: &node.name, wait, at_node: node, toolkit: self })
    }
}

#[derive(Serialize)]
struct RunOn<'a> {
    node: &'a str,
    command: &'a str,
    options: &'a RunOptions,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl RunOn<'_> {
    fn title(&self) -> String {
        let first = self.command.trim().lines().next().unwrap_or_default();
        self.options.name.clone().unwrap_or_else(|| first.chars().take(60).collect())
    }

    /// The command as it is given to the node, as another user if one is named.
    fn command(&self) -> Result<Run, Failure> {
        let o = self.options;
        let mut env = o.env.clone();
        for (variable, secret) in &o.secret_env {
            if env.insert(variable.clone(), self.toolkit.used_secret(secret)?.reveal().clone()).is_some() {
                return Err(Failure::usage(format!("`{variable}` is in `env` and in `secret_env`")).field("secret_env"));
            }
        }
        let command = match &o.user {
            // `runuser` is part of util-linux; where it is missing, `su` does the same.
            Some(user) => {
                let (user, command) = (sh_quote(user), sh_quote(self.command));
                format!(
                    "if command -v runuser >/dev/null 2>&1; then exec runuser -u {user} -- sh -c {command}; \
                     else exec su -s /bin/sh {user} -c {command}; fi"
                )
            }
            None => self.command.to_owned(),
        };
        Ok(Run {
            command,
            creates: o.creates.clone(),
            unless: o.unless.clone(),
            cwd: o.cwd.clone(),
            env,
            stdin: o.stdin.clone(),
            timeout: o.timeout,
        })
    }

    /// What says when it need not run says also that it may run again.
    fn may_repeat(&self) -> bool {
        self.options.creates.is_some() || self.options.unless.is_some()
    }

    /// Runs it, again if a reboot cut it and it may be repeated.
    async fn run(&self, target: &Target, place: &Place, command: &RunnerCommand) -> Result<Outcome, NodeError> {
        let connections = self.toolkit.connections();
        for _ in 0..REPEATS {
            match connections.run(target, place, command).await {
                Err(NodeError::Interrupted { .. }) if self.may_repeat() => {
                    let (node, title) = (self.node, self.title());
                    let again = format!("{node}: `{title}` was cut by a restart or a kill; it is begun again");
                    self.toolkit.events().note(again);
                    connections.forget_cut(target, place).await?;
                }
                outcome => return outcome,
            }
        }
        connections.run(target, place, command).await
    }

    fn ended(&self, output: &Output, redaction: &Redaction) -> Result<CommandOutput, Failure> {
        let code = output.exit_code.unwrap_or(-1);
        let answer = CommandOutput {
            stdout: redaction.text(&output.stdout_text()),
            stderr: redaction.text(&output.stderr_text()),
            exit_code: code,
            changed: true,
        };
        if code == 0 || self.options.may_fail {
            return Ok(answer);
        }
        let lines = redaction.text(&output.last_lines());
        let failure = Failure {
            hint: hint_of_full_disk([&lines]),
            output: Some(lines).filter(|lines| !lines.is_empty()),
            exit_code: Some(code),
            ..Failure::new(FailureKind::Command, format!("`{}` ended with exit code {code}", self.title()))
        };
        Err(failure.on(self.node))
    }
}

/// A node that was lost on the way may go on with what was begun there: that is no failure whose end is known.
pub(super) fn unsure(error: NodeError, redaction: &Redaction) -> Failure {
    let lost = matches!(error, NodeError::Lost { .. });
    let failure = redaction.failure(error.into());
    if lost { Failure { kind: FailureKind::Interrupted, ..failure } } else { failure }
}

/// Lets the node begin the command, and dies while it is at it.
async fn die_while<T>(run: impl Future<Output = T>, nodes: &Nodes, target: &Target, cx: &StepCx) -> T {
    let begun = async {
        // A node that cannot be asked is asked again; the command's own end bounds this.
        while matches!(nodes.inspect(target, &place(cx)).await, Ok(Inspected::Absent) | Err(_)) {
            cx.time.sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = run => {}
        () = begun => {}
    }
    cx.die()
}

pub(super) fn place(cx: &StepCx) -> Place {
    Place::new(cx.run.as_str(), &cx.step, cx.attempt)
}

impl Effect for RunOn<'_> {
    const OP: &'static str = RUN;
    const KIND: Kind = Kind::Write;
    type Out = CommandOutput;

    async fn perform(&self, cx: &StepCx) -> Result<Done<CommandOutput>, Failure> {
        let title = self.title();
        let target = self.toolkit.target(self.at_node)?;
        let mut command = self.command()?.command()?;
        command.rehearse.clone_from(&self.options.rehearse);
        if let Some(simulation) = self.toolkit.connections().simulation() {
            if self.options.rehearse.is_none() {
                simulation.assume(Assumption::Silent, &title);
            }
            if self.options.unless.is_some() {
                simulation.assume(Assumption::Needed, &title);
            }
        }
        let redaction = self.toolkit.redaction(self.at_node)?;
        command.on_line = Some(lines_of(self.toolkit, self.node, &redaction));
        let answer = staged(self.toolkit, self.node, &title, async {
            let place = place(cx);
            let run = self.run(&target, &place, &command);
            let outcome = if cx.dies_while_running(Self::OP) {
                die_while(run, self.toolkit.connections(), &target, cx).await
            } else {
                run.await
            };
            let answer = match outcome.map_err(|error| unsure(error, &redaction))? {
                Outcome::Ended(output) => self.ended(&output, &redaction)?,
                Outcome::Skipped(_) => CommandOutput::default(),
            };
            let ending = Ending::of(answer.changed);
            Ok((answer, ending))
        });
        Ok(answer.await?.into())
    }

    /// The record on the node tells. What goes on or has ended is waited for by performing it, which finds it.
    async fn reconcile(&self, cx: &StepCx) -> Result<Option<Done<CommandOutput>>, Failure> {
        let target = self.toolkit.target(self.at_node)?;
        let (connections, place) = (self.toolkit.connections(), place(cx));
        match connections.inspect(&target, &place).await? {
            Inspected::Running | Inspected::Exited(_) => Ok(None),
            Inspected::Absent if cx.since_intent() < RECORDS_KEPT || self.may_repeat() => Ok(None),
            Inspected::Absent => {
                let days = RECORDS_KEPT.as_secs() / 86_400;
                let message =
                    format!("whether `{}` ran is not known: its record would be older than {days} days", self.title());
                let failure = Failure::new(FailureKind::Interrupted, message);
                Err(failure.hint("see what it left behind, and begin a new run").on(self.node))
            }
            Inspected::Interrupted if self.may_repeat() => {
                connections.forget_cut(&target, &place).await?;
                Ok(None)
            }
            Inspected::Interrupted => {
                let (node, command) = (self.node.into(), self.command.into());
                Err(NodeError::Interrupted { node, command, output: String::new() }.into())
            }
        }
    }
}

/// A question to a node.
#[derive(Serialize)]
struct CheckOn<'a> {
    node: &'a str,
    command: &'a str,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for CheckOn<'_> {
    const OP: &'static str = "node.check";
    const KIND: Kind = Kind::Read;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> Result<Done<bool>, Failure> {
        let target = self.toolkit.target(self.at_node)?;
        if let Some(simulation) = self.toolkit.connections().simulation() {
            simulation.assume(Assumption::Yes, self.command.trim().lines().next().unwrap_or_default());
        }
        Ok(self.toolkit.connections().exec_again(&target, self.command).await?.success().into())
    }
}

#[derive(Serialize)]
struct WaitFor<'a> {
    node: &'a str,
    wait: &'a WaitPort,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for WaitFor<'_> {
    const OP: &'static str = "node.wait_port";
    const KIND: Kind = Kind::Read;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        let title = format!("wait for {}:{}", self.wait.host, self.wait.port);
        let target = self.toolkit.target(self.at_node)?;
        let redaction = self.toolkit.redaction(self.at_node)?;
        staged(self.toolkit, self.node, &title, async {
            let waited = self.wait.apply(self.toolkit.connections(), &target).await;
            waited.map_err(|error| redaction.failure(error.into()))?;
            Ok(((), Ending::Waited))
        })
        .await?;
        Ok(().into())
    }
}
