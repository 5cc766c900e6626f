//! What happens, told sideways to whoever renders it. Nothing below the command layer prints.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run began.
    RunStarted { run: String, title: String },
    /// A node entered a stage of its life, `creating`, `booting`, `package openjdk`, ...
    Stage { node: String, stage: String },
    /// A node's stage ended well.
    StageDone { node: String, stage: String, ending: Ending },
    /// A node's stage failed.
    StageFailed { node: String, stage: String, message: String },
    /// The recipe printed a line.
    Printed { lane: String, text: String },
    /// A line that a command wrote on a node.
    Output { node: String, line: String },
    /// Something a person may want to know: a retry, a limit in force, a fall-back.
    Note { text: String },
    /// The recipe set an output.
    OutputSet { name: String, value: serde_json::Value },
}

/// How a stage ended that went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    Changed,
    /// All was as it should be.
    Unchanged,
    /// There was nothing to change, only something to wait for.
    Waited,
}

impl Ending {
    /// Of what checks first and changes only what differs.
    pub fn of(changed: bool) -> Self {
        if changed { Self::Changed } else { Self::Unchanged }
    }

    /// Of what waits, and sometimes must change something.
    pub fn of_wait(changed: bool) -> Self {
        if changed { Self::Changed } else { Self::Waited }
    }
}

/// Where events go. Clones share it; sending never blocks the sender for long and never fails.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    pub fn new(sink: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// Nobody listens.
    pub fn none() -> Self {
        Self::new(|_| ())
    }

    pub fn send(&self, event: Event) {
        (self.0)(event);
    }

    pub fn note(&self, text: impl Into<String>) {
        self.send(Event::Note { text: text.into() });
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}
