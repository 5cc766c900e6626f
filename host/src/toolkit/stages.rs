//! How a step on a node shows its course: that a stage begins, what its command writes, and how it ends.
//!
//! Does not know what is done in a stage, nor who looks.

use std::sync::Arc;

use crate::core::Failure;
use crate::core::events::{Ending, Event};
use crate::nodes::{OnLine, Stream};
use crate::toolkit::Toolkit;
use crate::toolkit::redaction::Redaction;

/// Does the work as a stage of the node: whoever looks sees it begin, and end well or with the failure. What a cancel cuts
/// has no end.
pub(crate) async fn staged<T>(
    toolkit: &Toolkit,
    node: &str,
    stage: &str,
    work: impl Future<Output = Result<(T, Ending), Failure>>,
) -> Result<T, Failure> {
    let (node, stage) = (node.to_owned(), stage.to_owned());
    toolkit.events().send(Event::Stage { node: node.clone(), stage: stage.clone() });
    match work.await {
        Ok((value, ending)) => {
            toolkit.events().send(Event::StageDone { node, stage, ending });
            Ok(value)
        }
        Err(failure) => {
            toolkit.events().send(Event::StageFailed { node, stage, message: failure.message.clone() });
            Err(failure)
        }
    }
}

/// Shows the lines that a command writes, without secrets.
pub(crate) fn lines_of(toolkit: &Toolkit, node: &str, redaction: &Redaction) -> OnLine {
    let (events, node, redaction) = (toolkit.events().clone(), node.to_owned(), redaction.clone());
    Arc::new(move |_: Stream, line: &str| {
        events.send(Event::Output { node: node.clone(), line: redaction.text(line) });
    })
}
