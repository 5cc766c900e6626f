//! Files that are moved between this computer and a node: options, which `files.rs` carries out.

use crate::nodes::states::Applied;
use crate::nodes::{FileOptions, Nodes, Result, Target};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A file of this computer on the node. It is not sent if it is there already.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upload {
    /// Path on this computer.
    pub source: String,
    /// Absolute path on the node.
    pub path: String,
    /// Octal digits, "0644".
    pub mode: Option<String>,
    /// Name of its user.
    pub owner: Option<String>,
    /// Name of its group.
    pub group: Option<String>,
}

/// A file of the node on this computer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Download {
    /// Absolute path on the node.
    pub path: String,
    /// Path on this computer.
    pub dest: String,
}

impl Upload {
    /// `work`: the folder that relative paths of this computer mean.
    pub async fn apply(&self, nodes: &Nodes, target: &Target, work: &Path) -> Result<Applied> {
        let options = FileOptions { mode: self.mode.clone(), owner: self.owner.clone(), group: self.group.clone() };
        nodes.upload(target, &work.join(&self.source), &self.path, &options).await
    }
}

impl Download {
    /// `work`: as of an upload.
    pub async fn apply(&self, nodes: &Nodes, target: &Target, work: &Path) -> Result<Applied> {
        let changed = nodes.download(target, &self.path, &work.join(&self.dest)).await?;
        let detail = if changed { "content" } else { "" };
        Ok(Applied { changed, detail: detail.into(), notes: Vec::new() })
    }
}
