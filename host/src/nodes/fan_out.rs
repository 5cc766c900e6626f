//! One command on many nodes at once; no node waits for another.

use super::{ExecOptions, Nodes, Output, Result, Target};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

impl Nodes {
    /// Runs the command on all targets; the answers are in the order of the targets. One node's failure is its own.
    pub async fn fan_out(
        &self,
        targets: &[Target],
        command: &str,
        options: &ExecOptions,
    ) -> Vec<(String, Result<Output>)> {
        let gate = Arc::new(Semaphore::new(self.0.limits.commands.max(1)));
        // Dropping the set ends what is under way, so that a cancel reaches every node.
        let mut tasks = JoinSet::new();
        for (index, target) in targets.iter().cloned().enumerate() {
            let (nodes, command, gate, options) = (self.clone(), command.to_owned(), gate.clone(), options.clone());
            let work = async move {
                let _permit = gate.acquire().await;
                (index, nodes.exec(&target, &command, options).await)
            };
            tasks.spawn_on(work, self.runtime());
        }
        let mut answers: Vec<_> = targets.iter().map(|t| (t.name.clone(), None)).collect();
        while let Some(joined) = tasks.join_next().await {
            if let Ok((index, answer)) = joined {
                answers[index].1 = Some(answer);
            }
        }
        answers.into_iter().map(|(name, answer)| (name.clone(), answer.unwrap_or_else(|| Err(died(name))))).collect()
    }
}

/// A task that panicked or was aborted.
fn died(node: String) -> super::NodeError {
    super::NodeError::Lost { node, during: "while a command ran", reason: "its task ended early".into() }
}
