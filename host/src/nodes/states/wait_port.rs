//! Waiting until a service takes connections.

use crate::nodes::{NodeError, Nodes, Result, Target};
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A port, as the node sees it, that takes connections. Tried through SSH: the node needs no program for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WaitPort {
    /// Its number.
    pub port: u16,
    /// Name or address of the host as the node sees it.
    pub host: String,
    /// Seconds to wait at most.
    pub timeout: u64,
}

impl Default for WaitPort {
    fn default() -> Self {
        Self { port: 0, host: "127.0.0.1".into(), timeout: 60 }
    }
}

impl WaitPort {
    pub async fn apply(&self, nodes: &Nodes, target: &Target) -> Result<()> {
        if self.port == 0 {
            return Err(NodeError::usage("port", "`port` is missing"));
        }
        let (began, limit) = (Instant::now(), Duration::from_secs(self.timeout));
        if let Some(simulation) = nodes.simulation() {
            return match simulation.wait_port(target, &self.host, self.port, limit).await? {
                true => Ok(()),
                false => Err(self.too_late(target)),
            };
        }
        // A service that starts takes 0.1 to 20 s: asked often at first, a channel each is cheap.
        let mut pause = Duration::from_millis(25);
        loop {
            let left = limit.saturating_sub(began.elapsed());
            match tokio::time::timeout(left.max(Duration::from_secs(1)), nodes.port_open(target, &self.host, self.port))
                .await
            {
                Ok(Ok(true)) => return Ok(()),
                Ok(Err(error)) if !error.is_away() || left.is_zero() => return Err(error),
                _ => {}
            }
            if left.is_zero() {
                return Err(self.too_late(target));
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 3 / 2).min(Duration::from_secs(1));
        }
    }

    fn too_late(&self, target: &Target) -> NodeError {
        NodeError::Operation {
            node: target.name.clone(),
            operation: format!("port {}", self.port),
            message: format!("{}:{} took no connection within {} s", self.host, self.port, self.timeout),
            hint: Some("see whether the service runs and on which address it listens: ss -ltn".into()),
            output: String::new(),
        }
    }
}
