//! A node's power, and waiting for what it does.

use linodetool_plugin::{ById, Instance, InstanceStatus};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::course::{Watch, come_up};
use super::{UP, is_same};
use crate::core::events::Ending;
use crate::core::{Failure, FailureKind};
use crate::inventory::{Change, Node, NodePatch};
use crate::provider::{Client, Wait};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::stages::staged;
use crate::toolkit::{Repeatable, Toolkit};

/// What to do with a node's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    Boot,
    Shutdown,
    Reboot,
}

#[derive(Serialize)]
pub(super) struct PowerNode<'a> {
    pub(super) name: &'a str,
    pub(super) id: &'a str,
    pub(super) power: Power,
    #[serde(skip)]
    pub(super) node: &'a Node,
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

/// Booting and shutting down check first; a reboot whose answer was lost is asked again, since one too many is harmless
/// where one too few is not.
impl Repeatable for PowerNode<'_> {
    const OP: &'static str = "nodes.power";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, cx: &StepCx) -> Result<Done<bool>, Failure> {
        let client = &self.toolkit.provider().await?.client;
        let id = ById::new(self.id);
        let on = |failure: Failure| failure.on(self.name);
        let present = client.get_instance(&id).await.map_err(|e| on(e.into()))?;
        if !is_same(self.node, &present) {
            let message = format!("Linode {} is {} now and not the node that was made", self.id, present.label);
            let failure = Failure::new(FailureKind::NotFound, message);
            return Err(on(failure.hint("delete the node here, which leaves that Linode alone, and make it again")));
        }
        let (word, wanted) = match self.power {
            Power::Boot => ("boot", InstanceStatus::Running),
            Power::Shutdown => ("shutdown", InstanceStatus::Offline),
            Power::Reboot => ("reboot", InstanceStatus::Running),
        };
        let changed = self.power == Power::Reboot || present.status != wanted;
        let instance = staged(self.toolkit, self.name, word, async {
            Ok((self.until(client, wanted, changed).await?, Ending::of(changed)))
        })
        .await?;
        let patch = NodePatch { status: Some(instance.status), ..NodePatch::default() };
        let changed = changed || cx.in_doubt;
        Ok(Done { value: changed, changes: vec![Change::patch_node(self.toolkit.context(), self.name, patch)] })
    }
}

impl PowerNode<'_> {
    /// Asks for what is wanted, if it is not so, and waits for it.
    async fn until(&self, client: &Client, wanted: InstanceStatus, ask: bool) -> Result<Instance, Failure> {
        let id = ById::new(self.id);
        let on = |failure: Failure| failure.on(self.name);
        let mut watch = Watch::of(self.id);
        if ask && self.power != Power::Shutdown {
            watch = watch.only_new(client).await.map_err(on)?;
        }
        if ask {
            let asked = match self.power {
                Power::Boot => client.boot_instance(&id).await,
                Power::Shutdown => client.shutdown_instance(&id).await,
                Power::Reboot => client.reboot_instance(&id).await,
            };
            asked.map_err(|e| on(e.into()))?;
        }
        if self.power == Power::Reboot {
            // It may be shown as running until the reboot begins.
            watch.until_done(self.toolkit, self.name).await?;
        }
        match self.power {
            Power::Boot | Power::Reboot => come_up(self.toolkit, self.name, None, &watch, Duration::ZERO).await,
            Power::Shutdown => {
                let wait = Wait { id: self.id.into(), wanted: vec![wanted], timeout: UP, ..Wait::default() };
                self.toolkit.provider().await?.waits.until(wait).await.map_err(|e| on(e.into()))
            }
        }
    }
}

#[derive(Serialize)]
pub(super) struct WaitNode<'a> {
    pub(super) name: &'a str,
    pub(super) id: &'a str,
    pub(super) status: InstanceStatus,
    pub(super) limit_ms: u64,
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for WaitNode<'_> {
    const OP: &'static str = "nodes.wait";
    const KIND: Kind = Kind::Read;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        let timeout = Duration::from_millis(self.limit_ms);
        let wait = Wait { id: self.id.into(), wanted: vec![self.status], timeout, ..Wait::default() };
        let instance =
            self.toolkit.provider().await?.waits.until(wait).await.map_err(|e| Failure::from(e).on(self.name))?;
        let patch = NodePatch { status: Some(instance.status), ..NodePatch::default() };
        Ok(Done { value: (), changes: vec![Change::patch_node(self.toolkit.context(), self.name, patch)] })
    }
}
