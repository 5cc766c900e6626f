//! What can go wrong with a node, and how it is told. Does not know exit codes of the command line.

use super::output::Output;
use crate::core::{Failure, FailureKind};
use std::net::SocketAddr;
use std::time::Duration;

/// Why something on a node failed.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error("cannot reach {address}: {reason}")]
    Unreachable { node: String, address: SocketAddr, reason: String, waited: Duration },
    #[error("the host key of {address} is not the expected one: expected {}, found {found}", .expected.join(" or "))]
    HostKey { node: String, address: SocketAddr, expected: Vec<String>, found: String },
    #[error("no host key of {address} is known, so nobody can tell whether it is the right machine")]
    NoHostKey { node: String, address: SocketAddr },
    #[error("a stored key of the node cannot be read: {reason}")]
    BadKey { node: String, reason: String },
    #[error("{address} refused the key for user `{user}`")]
    Refused { node: String, address: SocketAddr, user: String },
    #[error("the connection was lost {during}: {reason}")]
    Lost { node: String, during: &'static str, reason: String },
    #[error("`{}` did not end within {}", short(.command), seconds(*.limit))]
    Timeout { node: String, command: String, limit: Duration, output: String },
    #[error("`{}` {}", short(.command), ended(*.exit_code, .signal.as_deref()))]
    Command { node: String, command: String, exit_code: Option<i32>, signal: Option<String>, output: String },
    #[error("`{}` {CUT}", short(.command))]
    Interrupted { node: String, command: String, output: String },
    /// A state operation could not reach its state.
    #[error("{operation}: {message}")]
    Operation { node: String, operation: String, message: String, hint: Option<String>, output: String },
    #[error("{path} on the node: {message}")]
    File { node: String, path: String, message: String },
    #[error("{path} on this computer: {source}")]
    Local { path: String, source: std::io::Error },
    /// Wrong arguments; nothing was done.
    #[error("{message}")]
    Usage { message: String, field: Option<&'static str> },
}

/// How an `Interrupted` is told.
const CUT: &str = "was cut before its end, by a reboot or a kill";

/// Whether this tells of a command that was cut before its end, on the node: going on does not repeat it.
pub fn was_cut(failure: &Failure) -> bool {
    failure.kind == FailureKind::Interrupted && failure.message.contains(CUT)
}

impl NodeError {
    pub(super) fn usage(field: &'static str, message: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), field: Some(field) }
    }

    pub(crate) fn command(node: &str, command: &str, output: &Output) -> Self {
        Self::Command {
            node: node.to_owned(),
            command: command.to_owned(),
            exit_code: output.exit_code,
            signal: output.signal.clone(),
            output: output.last_lines(),
        }
    }

    /// Of a machine that was told to begin something: it may go on, so nothing may be concluded from its silence.
    pub(super) fn once_begun(self) -> Self {
        match self {
            Self::Unreachable { node, .. } | Self::Refused { node, .. } => {
                Self::Lost { node, during: "while a command ran", reason: "it does not answer any more".into() }
            }
            other => other,
        }
    }

    /// What a person is told of a loss that is made good.
    pub(super) fn reconnecting(&self, node: &str) -> String {
        format!("{node}: {self}; what runs there goes on, and is found again")
    }

    /// Whether another connection may well succeed where this one failed.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }

    /// Whether the machine may answer again by and by. One that goes down may let us in once more before it does, and then
    /// answers nothing until it is up.
    pub(super) fn is_away(&self) -> bool {
        self.is_lost() || matches!(self, Self::Unreachable { .. } | Self::Refused { .. })
    }

    fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable { .. }
            | Self::HostKey { .. }
            | Self::NoHostKey { .. }
            | Self::BadKey { .. }
            | Self::Refused { .. }
            | Self::Lost { .. } => FailureKind::Ssh,
            Self::Timeout { .. } => FailureKind::Timeout,
            Self::Command { .. } | Self::Operation { .. } | Self::File { .. } => FailureKind::Command,
            Self::Interrupted { .. } => FailureKind::Interrupted,
            Self::Local { .. } => FailureKind::Local,
            Self::Usage { .. } => FailureKind::Usage,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreachable { waited, .. } => format!(
                "tried for {}; see whether the node is running and whether a firewall lets this computer in",
                seconds(*waited)
            ),
            Self::HostKey { .. } => "if the node was rebuilt by somebody else, forget it and adopt it again with its \
                 new host key; otherwise another machine answers at this address: do not go on"
                .into(),
            Self::NoHostKey { .. } => {
                "read the key on the node's console (`ssh-keyscan localhost`) and adopt the node with it".into()
            }
            Self::Refused { .. } => {
                "the node's authorized_keys lacks the cluster's key, or the user does not exist".into()
            }
            Self::Lost { .. } => "resume the run: what had begun on the node goes on and is found again".into(),
            Self::Interrupted { .. } => {
                "it is not repeated, since nobody knows how far it came: see what it left behind, and give it `creates` or \
                 `unless` so that it can be repeated safely"
                    .into()
            }
            Self::Operation { hint: Some(hint), .. } => hint.clone(),
            Self::Operation { message, output, .. } => return hint_of_full_disk([message, output]),
            Self::Command { output, .. } => return hint_of_full_disk([output]),
            Self::File { message, .. } => return hint_of_full_disk([message]),
            _ => return None,
        })
    }

    fn node(&self) -> Option<&str> {
        match self {
            Self::Unreachable { node, .. }
            | Self::HostKey { node, .. }
            | Self::NoHostKey { node, .. }
            | Self::BadKey { node, .. }
            | Self::Refused { node, .. }
            | Self::Lost { node, .. }
            | Self::Timeout { node, .. }
            | Self::Command { node, .. }
            | Self::Interrupted { node, .. }
            | Self::Operation { node, .. }
            | Self::File { node, .. } => Some(node),
            Self::Local { .. } | Self::Usage { .. } => None,
        }
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let mut failure = Self::new(error.kind(), error.to_string());
        failure.hint = error.hint();
        failure.node = error.node().map(str::to_owned);
        match error {
            NodeError::Command { exit_code, output, .. } => {
                failure.exit_code = exit_code;
                failure.output = Some(output).filter(|o| !o.is_empty());
            }
            NodeError::Timeout { output, .. }
            | NodeError::Interrupted { output, .. }
            | NodeError::Operation { output, .. } => failure.output = Some(output).filter(|o| !o.is_empty()),
            NodeError::Usage { field, .. } => failure.field = field.map(str::to_owned),
            _ => {}
        }
        failure
    }
}

/// How every program of a node says that its disk is full.
pub(super) const NO_SPACE: &str = "No space left on device";

/// What to do about a node whose disk is full, if that is what its words tell.
pub fn hint_of_full_disk<'a>(words: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let full = words.into_iter().any(|text| text.contains(NO_SPACE));
    full.then(|| {
        "the node's disk is full: make room on it (`df -h` and `du -x / | sort -n | tail` there tell what takes it), or \
         take a larger type; then resume the run"
            .to_owned()
    })
}

/// The first line of a command, cut to what fits on a line.
pub(super) fn short(command: &str) -> String {
    const WIDTH: usize = 72;
    let line = command.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= WIDTH && line.len() == command.trim().len() {
        return line.to_owned();
    }
    line.chars().take(WIDTH).chain("...".chars()).collect()
}

fn ended(code: Option<i32>, signal: Option<&str>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended without an exit code".into(),
    }
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        s @ 1..120 => format!("{s} s"),
        s => format!("{} min", s / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_failed_command_says_what_where_and_why() {
        let error = NodeError::Command {
            node: "web-1".into(),
            command: "apt-get install -y nginx\necho done".into(),
            exit_code: Some(100),
            signal: None,
            output: "E: Unable to locate package nginx".into(),
        };
        expect![[r#"
            {
              "kind": "command",
              "message": "`apt-get install -y nginx...` ended with exit code 100",
              "node": "web-1",
              "output": "E: Unable to locate package nginx",
              "exit_code": 100
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&Failure::from(error)).unwrap());
    }

    #[test]
    fn a_wrong_host_key_says_what_to_do() {
        let error = NodeError::HostKey {
            node: "web-1".into(),
            address: "203.0.113.7:22".parse().unwrap(),
            expected: vec!["SHA256:aaa".into()],
            found: "SHA256:bbb".into(),
        };
        expect![[r#"
            {
              "kind": "ssh",
              "message": "the host key of 203.0.113.7:22 is not the expected one: expected SHA256:aaa, found SHA256:bbb",
              "hint": "if the node was rebuilt by somebody else, forget it and adopt it again with its new host key; otherwise another machine answers at this address: do not go on",
              "node": "web-1"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&Failure::from(error)).unwrap());
    }
}
