//! Files between this computer and nodes, as steps.

use serde::Serialize;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::core::Failure;
use crate::core::events::Ending;
use crate::inventory::Node;
use crate::nodes::states::{Applied, Download, Upload};
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::stages::staged;
use crate::toolkit::{At, Repeatable, Toolkit};

impl Toolkit {
    /// Puts a file of this computer on a node.
    pub fn upload(&self, at: At<'_>, node: &Node, upload: &Upload) -> Result<Applied, StepError> {
        let applied = at.step(&UploadTo { node: &node.name, upload, at_node: node, toolkit: self })?;
        self.count(applied.changed);
        Ok(applied)
    }

    /// Fetches a file of a node to this computer.
    pub fn download(&self, at: At<'_>, node: &Node, download: &Download) -> Result<Applied, StepError> {
        at.step(&DownloadFrom { node: &node.name, download, at_node: node, toolkit: self })
    }
}

#[derive(Serialize)]
struct UploadTo<'a> {
    node: &'a str,
    upload: &'a Upload,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for UploadTo<'_> {
    const OP: &'static str = "node.upload";
    const KIND: Kind = Kind::Write;
    type Out = Applied;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Applied>, Failure> {
        let title = format!("upload {}", self.upload.path);
        let target = self.toolkit.target(self.at_node)?;
        let redaction = self.toolkit.redaction(self.at_node)?;
        let applied = staged(self.toolkit, self.node, &title, async {
            let (nodes, work) = (self.toolkit.connections(), &self.toolkit.settings().work);
            let tries = AtomicU32::new(0);
            let applied = nodes.persistently(&target, || {
                tries.fetch_add(1, Ordering::Relaxed);
                self.upload.apply(nodes, &target, work)
            });
            let mut applied = applied.await.map_err(|error| redaction.failure(error.into()))?;
            // One whose answer was lost may have changed what the next one finds as it should be.
            applied.changed |= cx.in_doubt || tries.into_inner() > 1;
            let ending = Ending::of(applied.changed);
            Ok((applied, ending))
        });
        Ok(applied.await?.into())
    }
}

#[derive(Serialize)]
struct DownloadFrom<'a> {
    node: &'a str,
    download: &'a Download,
    #[serde(skip)]
    at_node: &'a Node,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for DownloadFrom<'_> {
    const OP: &'static str = "node.download";
    const KIND: Kind = Kind::Write;
    type Out = Applied;

    async fn perform(&self, _: &StepCx) -> Result<Done<Applied>, Failure> {
        let target = self.toolkit.target(self.at_node)?;
        let (nodes, work) = (self.toolkit.connections(), &self.toolkit.settings().work);
        let fetched = nodes.persistently(&target, || self.download.apply(nodes, &target, work));
        Ok(fetched.await?.into())
    }
}
