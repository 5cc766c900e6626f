//! State operations, which check first and change only what differs, as steps.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::Failure;
use crate::core::events::Ending;
use crate::inventory::Node;
use crate::nodes::NodeError;
use crate::nodes::states::{Applied, Archive, Directory, File, Hosts, Line, Package, Service, State, Sysctl, User};
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::commands::{place, unsure};
use crate::toolkit::stages::{lines_of, staged};
use crate::toolkit::{At, Repeatable, Toolkit};

/// A state operation as a step.
pub trait Operation: State + Serialize + Send + Sync {
    const OP: &'static str;
}

macro_rules! operations {
    ($($state:ident $op:literal;)+) => {
        $(impl Operation for $state { const OP: &'static str = $op; })+

        /// The state that a step of the journal brought a node into, from its operation and its arguments; none of any other
        /// step.
        pub(crate) fn recorded(op: &str, args: &Value) -> Option<Box<dyn State>> {
            match op {
                $($op => serde_json::from_value::<$state>(args["state"].clone()).ok().map(|state| Box::new(state) as _),)+
                _ => None,
            }
        }

        /// What a step with these arguments brings about, `file /etc/motd`; none if it is no state operation.
        pub(crate) fn title_of(op: &str, args: &Value) -> Option<String> {
            let title = match op {
                $($op => $state::deserialize(&args["state"]).map(|state| state.title()),)+
                SECRET_FILE => File::deserialize(&args["file"]).map(|file| file.title()),
                _ => return None,
            };
            // What an older version wrote may not be read any more.
            Some(title.unwrap_or_else(|_| op.to_owned()).trim().to_owned())
        }
    };
}

const SECRET_FILE: &str = "node.secret_file";

operations! {
    Package "node.package";
    File "node.file";
    Directory "node.directory";
    User "node.user";
    Service "node.service";
    Sysctl "node.sysctl";
    Archive "node.archive";
    Line "node.line";
    Hosts "node.hosts";
}

impl Toolkit {
    /// Brings a node into a state; `changed` says whether anything had to be done.
    ///
    /// # Errors
    /// `Usage` for wrong options, `Command` with the node's last output lines.
    pub fn apply<S: Operation>(&self, at: At<'_>, node: &Node, state: &S) -> Result<Applied, StepError> {
        let applied = at.step(&Apply { node: &node.name, state, at_node: node, toolkit: self })?;
        self.count(applied.changed);
        Ok(applied)
    }

    /// Makes a file on a node hold a secret of the store, which reaches the node and no journal. Mode 0600 unless said.
    ///
    /// # Errors
    /// `NotFound` with near names if there is no such secret; `Usage` and `Command` as of `apply`.
    pub fn secret_file(&self, at: At<'_>, node: &Node, file: &File, secret: &str) -> Result<Applied, StepError> {
        let applied = at.step(&SecretFile { node: &node.name, file, secret, at_node: node, toolkit: self })?;
        self.count(applied.changed);
        Ok(applied)
    }
}

#[derive(Serialize)]
struct Apply<'a, S> {
    node: &'a str,
    state: &'a S,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl<S: Operation> Repeatable for Apply<'_, S> {
    const OP: &'static str = S::OP;
    const KIND: Kind = Kind::Write;
    type Out = Applied;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Applied>, Failure> {
        apply(self.toolkit, self.at_node, self.state, cx).await.map(Done::from)
    }
}

async fn apply(toolkit: &Toolkit, node: &Node, state: &(impl State + Sync), cx: &StepCx) -> Result<Applied, Failure> {
    let title = state.title();
    let title = title.trim();
    let target = toolkit.target(node)?;
    let redaction = toolkit.redaction(node)?;
    let lines = lines_of(toolkit, &node.name, &redaction);
    staged(toolkit, &node.name, title, async {
        // With a record of its own on the node: once more would do no harm, but would say that nothing had to be
        // changed where a process that died has changed it.
        let (nodes, place) = (toolkit.connections(), place(cx));
        let applied = match nodes.apply(&target, state, Some(&place), Some(lines.clone())).await {
            // What it had done when the machine went down nobody knows: it is done again, and counts as a change.
            Err(NodeError::Interrupted { .. }) => {
                cx.events.note(format!("{}: {title} was cut by a restart or a kill; it is done again", node.name));
                let again = nodes.apply(&target, state, None, Some(lines)).await;
                again.map(|applied| Applied { changed: true, ..applied })
            }
            applied => applied,
        };
        let mut applied = applied.map_err(|error| unsure(error, &redaction))?;
        applied.detail = redaction.text(&applied.detail);
        for note in &mut applied.notes {
            *note = redaction.text(note);
            cx.events.note(format!("{}: {title}: {note}", node.name));
        }
        let ending = Ending::of(applied.changed);
        Ok((applied, ending))
    })
    .await
}

/// A file with the secret in it.
pub(crate) fn with_secret(toolkit: &Toolkit, file: &File, secret: &str) -> Result<File, Failure> {
    let content = toolkit.used_secret(secret)?.reveal().clone();
    let mode = file.mode.clone().or_else(|| Some("0600".into()));
    Ok(File { content: Some(content), mode, ..file.clone() })
}

/// A file whose content is a secret.
#[derive(Serialize)]
struct SecretFile<'a> {
    node: &'a str,
    file: &'a File,
    /// Its name; the value is read when it is needed.
    secret: &'a str,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for SecretFile<'_> {
    const OP: &'static str = SECRET_FILE;
    const KIND: Kind = Kind::Write;
    type Out = Applied;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Applied>, Failure> {
        let file = with_secret(self.toolkit, self.file, self.secret)?;
        apply(self.toolkit, self.at_node, &file, cx).await.map(Done::from)
    }
}
