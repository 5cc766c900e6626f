//! The one place where an error becomes an exit code, a text for people, or a JSON document.
//!
//! Owns the table of exit codes. Layers below have errors of their own and know no exit code.

use super::output::Output;
use super::render::failures::listing;
use crate::core::{Failure, FailureKind};
use crate::runs::FailedStep;
use crate::script::{Look, ScriptError};
use crate::toolkit::nodes::Lost;
use clap::error::{ContextKind, ContextValue};
use serde::Serialize;
use serde_json::{Value, json};

/// What ended a command.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The command line cannot be understood.
    Arguments(Box<clap::Error>),
    /// Something below failed.
    Failure(Box<Failure>),
    /// The sandbox does not start, or does not do what it should.
    Sandbox(Box<Failure>),
    /// A recipe ended with an error; what it left is told as well.
    Script(Box<ScriptError>, Option<LeftBehind>),
    /// A recipe ended with an error in a rehearsal; what was reached before is told as well.
    Rehearsed(Box<ScriptError>, Value),
    /// Who read our stdout has gone. Nothing can be said to anybody.
    BrokenPipe,
    /// All has been said already; only the exit code is left.
    Exit(u8),
}

/// What is there after a run that did not end well.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LeftBehind {
    pub(crate) run: String,
    /// Names of nodes that exist.
    pub(crate) nodes: Vec<String>,
    /// First ones first.
    pub(crate) failed_steps: Vec<FailedStep>,
    /// Names of nodes that were there and are gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) gone: Vec<String>,
    /// Machines that it worked on, whose names are other machines' now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) replaced: Vec<Lost>,
    /// Names of nodes on which something that it began goes on.
    pub(crate) at_work: Vec<String>,
    /// The ways on, the best one last.
    #[serde(serialize_with = "commands")]
    pub(crate) next: Vec<Way>,
}

/// Something to know, or to do.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Way {
    what: String,
    /// What to type.
    command: Option<String>,
}

impl Way {
    pub(crate) fn know(what: impl Into<String>) -> Self {
        Self { what: what.into(), command: None }
    }

    pub(crate) fn to(what: impl Into<String>, command: String) -> Self {
        Self { what: what.into(), command: Some(command) }
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        self.command.as_ref().map_or(Ok(()), |command| write!(f, ": {command}"))
    }
}

/// What is only to be known has fields of its own.
fn commands<S: serde::Serializer>(ways: &[Way], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(ways.iter().filter(|way| way.command.is_some()))
}

/// Exit codes of their own; all others are in [`code_of`].
pub(crate) const OK: u8 = 0;
const USAGE: u8 = 2;
const COMMAND: u8 = 9;
/// Records of runs are not as they were written.
pub(crate) const DAMAGED: u8 = 12;
const SANDBOX: u8 = 14;
const BROKEN_PIPE: u8 = 141;

/// Of reports with source lines; a terminal that is narrower wraps.
const WIDTH: usize = 110;

/// Code, name, meaning: what users may rely on.
const EXITS: &[(u8, &str)] = &[
    (OK, "done"),
    (1, "a bug in linodetool, or an error of no known kind"),
    (USAGE, "wrong command line, option or recipe parameter; nothing was done"),
    (3, "not found: a node, cluster, region, type, image, recipe or run of that name"),
    (4, "conflict: the name is taken, or the state of a thing does not allow it"),
    (5, "no token, a wrong token, or one that may not do this"),
    (6, "the provider refused: bad arguments, a limit, or it has no such operation"),
    (7, "the provider cannot be reached, is down, or did not get ready in time"),
    (8, "a node cannot be reached over SSH, is not who it should be, or was rebooted in between"),
    (COMMAND, "a command on a node ended with an error"),
    (10, "the recipe has an error, or called fail"),
    (11, "a plugin is missing, cannot be loaded, or broke its contract"),
    (DAMAGED, "the state directory cannot be used, or what it holds is damaged"),
    (13, "this computer lacks something: a program, a right, a file, room on the disk"),
    (SANDBOX, "the sandbox does not start or answer"),
    (15, "not confirmed: the answer was no, or there is no terminal and no --yes"),
    (130, "interrupted with Ctrl-C"),
    (BROKEN_PIPE, "the reader of the output went away"),
];

/// The table of exit codes as shown by `--help`.
pub(crate) fn exit_codes() -> String {
    let lines: Vec<_> = EXITS.iter().map(|(code, text)| format!("{code:>5}  {text}")).collect();
    format!(
        "Exit codes:\n{}\n\nWith --json an error is one document on stdout: {{\"error\": {{\"kind\", \"message\", \"hint\", \"exit\", ...}}}}.\n\
         `node ssh` ends with the exit code of ssh.",
        lines.join("\n")
    )
}

fn code_of(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Internal | FailureKind::Other => 1,
        FailureKind::Usage => USAGE,
        FailureKind::NotFound => 3,
        FailureKind::Conflict => 4,
        FailureKind::Auth => 5,
        FailureKind::Limit | FailureKind::Invalid | FailureKind::Unsupported => 6,
        FailureKind::Unavailable | FailureKind::Timeout => 7,
        FailureKind::Ssh | FailureKind::Interrupted => 8,
        FailureKind::Command => COMMAND,
        FailureKind::Script | FailureKind::Failed | FailureKind::Diverged => 10,
        FailureKind::Plugin => 11,
        FailureKind::State => 12,
        FailureKind::Local => 13,
        FailureKind::Declined => 15,
        FailureKind::Cancelled => 130,
    }
}

impl CliError {
    /// An error of the sandbox itself.
    pub(crate) fn sandbox(failure: Failure) -> Self {
        // An interrupt is one wherever it strikes.
        match failure.kind {
            FailureKind::Cancelled => Self::Failure(Box::new(failure)),
            _ => Self::Sandbox(Box::new(failure)),
        }
    }

    /// A recipe that did not even begin.
    pub(crate) fn script(error: ScriptError) -> Self {
        Self::Script(Box::new(error), None)
    }

    /// A command on one of several nodes failed, and all is shown already.
    pub(crate) fn command_failed() -> Self {
        Self::Exit(COMMAND)
    }

    /// The same from within the sandbox, where the commands that a hint names need `--sandbox`.
    pub(crate) fn in_sandbox(mut self) -> Self {
        let failure = match &mut self {
            Self::Failure(failure) | Self::Sandbox(failure) => failure,
            Self::Script(error, _) | Self::Rehearsed(error, _) => &mut error.failure,
            Self::Arguments(_) | Self::BrokenPipe | Self::Exit(_) => return self,
        };
        if let Some(hint) = &mut failure.hint {
            for command in commands_of_a_world() {
                *hint = hint.replace(&format!("linodetool {command}"), &format!("linodetool --sandbox {command}"));
            }
        }
        self
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Arguments(error) => u8::try_from(error.exit_code()).unwrap_or(USAGE),
            Self::Failure(failure) => code_of(failure.kind),
            Self::Sandbox(_) => SANDBOX,
            Self::Script(error, _) | Self::Rehearsed(error, _) => code_of(error.kind()),
            Self::BrokenPipe => BROKEN_PIPE,
            Self::Exit(code) => *code,
        }
    }

    /// The document for `--json`; none where nothing is left to say.
    pub(crate) fn document(&self) -> Option<Value> {
        let error = match self {
            Self::Arguments(error) => argument_error(error),
            Self::Failure(failure) => json!(failure),
            Self::Sandbox(failure) => {
                let mut value = json!(failure);
                value["kind"] = json!("sandbox");
                value
            }
            Self::Script(error, _) | Self::Rehearsed(error, _) => error.to_json(),
            Self::BrokenPipe | Self::Exit(_) => return None,
        };
        let mut document = json!({ "error": error });
        document["error"]["exit"] = json!(self.exit_code());
        if let Self::Script(_, Some(left)) = self {
            for (name, value) in json!(left).as_object().into_iter().flatten() {
                document["error"][name] = value.clone();
            }
        }
        if let Self::Rehearsed(_, reached) = self {
            document["error"]["rehearsal"] = reached.clone();
        }
        Some(document)
    }

    /// The text for people, without a line feed at its end; none where nothing is left to say.
    pub(crate) fn text(&self, color: bool) -> Option<String> {
        match self {
            Self::Arguments(error) => {
                let text = error.render();
                let text = if color { text.ansi().to_string() } else { text.to_string() };
                Some(text.trim_end().to_owned())
            }
            Self::Failure(failure) | Self::Sandbox(failure) => Some(failure_text(failure, color)),
            Self::Script(error, left) => {
                let next: Vec<_> = left.iter().flat_map(|left| &left.next).map(ToString::to_string).collect();
                let advice = if next.is_empty() { String::new() } else { format!("\n\n{}", next.join("\n")) };
                let failed = left.as_ref().and_then(|left| more_failed(error, &left.failed_steps)).unwrap_or_default();
                Some(format!("{}{failed}{advice}", script_text(error, color)))
            }
            Self::Rehearsed(error, _) => Some(script_text(error, color)),
            Self::BrokenPipe | Self::Exit(_) => None,
        }
    }

    /// Tells the error to whoever is there: one document on stdout with `--json`, else text on stderr.
    pub(crate) fn report(&self, out: &Output) -> u8 {
        if out.json() {
            // A reader that has gone cannot be told that it has gone.
            let _ = self.document().map(|document| out.document(&document));
        } else if let Some(text) = self.text(out.color_err()) {
            out.error(&text);
        }
        self.exit_code()
    }
}

fn script_text(error: &ScriptError, color: bool) -> String {
    match &error.spot {
        Some(_) => error.report(if color { Look::Colour(WIDTH) } else { Look::Plain(WIDTH) }),
        // Nothing in the script is at fault.
        None => failure_text(&error.failure, color),
    }
}

/// Commands that mean something else in the sandbox than outside. All of them, but for those that are about this computer.
fn commands_of_a_world() -> impl Iterator<Item = String> {
    let all = <super::args::Cli as clap::CommandFactory>::command();
    let names: Vec<_> = all.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let everywhere = ["recipe", "plugin", "sandbox", "doctor", "completions", "help"];
    names.into_iter().filter(move |name| !everywhere.contains(&name.as_str()))
}

/// The steps that failed, unless the error itself is all there is to say.
fn more_failed(error: &ScriptError, steps: &[FailedStep]) -> Option<String> {
    let told = match steps {
        [] => true,
        [only] => error.failure.message.contains(&only.failure.message),
        _ => false,
    };
    (!told).then(|| format!("\n\n{}", listing(steps)))
}

/// `error: ...` with the last output of a command and the way out.
fn failure_text(failure: &Failure, color: bool) -> String {
    let paint = |code: &str, text: &str| if color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = format!("{} {failure}", paint("1;31", "error:"));
    if let Some(output) = failure.output.as_deref().map(str::trim_end).filter(|output| !output.is_empty()) {
        for line in output.lines() {
            text.push_str("\n  | ");
            text.push_str(line);
        }
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("\n{} {hint}", paint("1;36", "hint:")));
    }
    text
}

/// What clap says, taken apart: its first paragraph, and its tips as the hint.
fn argument_error(error: &clap::Error) -> Value {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let message = text.split("\n\n").next().unwrap_or(text).lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let tips: Vec<_> = text.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let mut value = json!({ "kind": "usage", "message": message });
    if !tips.is_empty() {
        value["hint"] = json!(tips.join("; "));
    }
    if let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) {
        value["field"] = json!(argument);
    }
    value
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<clap::Error> for CliError {
    fn from(error: clap::Error) -> Self {
        Self::Arguments(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_from_the_sandbox_leads_back_into_it() {
        let hint = "linodetool secret set db, linodetool run x, linodetool inventory export, linodetool doctor";
        let error = CliError::from(Failure::usage("no").hint(hint)).in_sandbox();
        let wanted = "hint: linodetool --sandbox secret set db, linodetool --sandbox run x, \
                      linodetool --sandbox inventory export, linodetool doctor";
        assert_eq!(error.text(false).unwrap().lines().last(), Some(wanted));
    }
}
