//! A node that answers: it runs, SSH lets us in, and its host key is the one that stays.

use linodetool_plugin::{ById, ErrorKind, InstanceStatus};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::UP;
use super::course::{Watch, come_up};
use crate::core::Failure;
use crate::core::events::Ending;
use crate::inventory::{Change, Node, NodePatch};
use crate::nodes::{KeyPair, NodeError};
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::keys::HostKeys;
use crate::toolkit::stages::staged;
use crate::toolkit::{Repeatable, Toolkit};

/// What was made so lately may not be found yet, in a list or by its id.
const HIDES: Duration = Duration::from_secs(60);

/// After that long without an answer of SSH it is looked whether the machine runs at all.
const LOOK_AFTER: Duration = Duration::from_secs(30);

/// Between looks whether a new machine has its key.
const KEY_LOOK: Duration = Duration::from_secs(2);

/// First logins that may break.
const TRIES: u32 = 3;

/// A node that answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ReadyNode {
    pub node: Node,
    pub changed: bool,
}

/// Waits until a node runs and SSH answers, and gives it its lasting host key.
#[derive(Serialize)]
pub(crate) struct Ready<'a> {
    #[serde(serialize_with = "only_name")]
    pub node: &'a Node,
    #[serde(skip)]
    pub hosts: &'a HostKeys,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

fn only_name<S: serde::Serializer>(node: &&Node, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&node.name)
}

/// Waiting twice does no harm, and either host key is accepted until the new one is recorded.
impl Repeatable for Ready<'_> {
    const OP: &'static str = "nodes.ready";
    const KIND: Kind = Kind::Write;
    type Out = ReadyNode;

    async fn perform(&self, cx: &StepCx) -> Result<Done<ReadyNode>, Failure> {
        let toolkit = self.toolkit;
        let name = &self.node.name;
        let (mut node, booted) = staged(toolkit, name, "boot", async {
            // What an earlier process waited for may have ended since, and not as it was wished.
            let (node, changed) = self.booted(cx, self.node, cx.in_doubt || cx.attempt > 1).await?;
            Ok(((node, changed), Ending::of_wait(changed)))
        })
        .await?;
        let replaced = staged(toolkit, name, "ssh", async {
            let replaced = self.reached(cx, &mut node).await?;
            Ok((replaced, Ending::of_wait(replaced)))
        })
        .await?;
        let patch = NodePatch {
            status: Some(node.status),
            public_ip: node.public_ip.clone(),
            private_ip: node.private_ip.clone(),
            host_keys: Some(node.host_keys.clone()),
            ..NodePatch::default()
        };
        let changes = vec![Change::patch_node(toolkit.context(), name, patch)];
        // An earlier process may have booted it.
        let booted = booted || cx.in_doubt && self.node.status == InstanceStatus::Offline;
        Ok(Done { value: ReadyNode { node, changed: booted || replaced }, changes })
    }
}

impl Ready<'_> {
    /// The node as it is when it runs, and whether it had to be booted. `look`: what is said of it may be old.
    async fn booted(&self, cx: &StepCx, node: &Node, look: bool) -> Result<(Node, bool), Failure> {
        let (toolkit, name) = (self.toolkit, &node.name);
        let on = |failure: Failure| failure.on(name);
        let client = &toolkit.provider().await?.client;
        let mut node = node.clone();
        let id = ById::new(&node.id);
        let hidden = HIDES.saturating_sub(Duration::from_millis(cx.now_ms().saturating_sub(node.created_ms)));
        if look {
            match client.get_instance(&id).await {
                Ok(instance) => node.status = instance.status,
                Err(error) if error.kind == ErrorKind::NotFound && !hidden.is_zero() => {}
                Err(error) => return Err(on(error.into())),
            }
        }
        let mut watch = Watch::of(&node.id);
        let boot = node.status == InstanceStatus::Offline && !(look && watch.is_under_way(client).await.map_err(on)?);
        if boot {
            watch = watch.only_new(client).await?;
            client.boot_instance(&id).await.map_err(|e| on(e.into()))?;
        }
        let tag = node.cluster.as_ref().map(|cluster| cx.cluster_tag(toolkit.context(), cluster));
        let instance = come_up(toolkit, name, tag, &watch, hidden).await?;
        node.status = instance.status;
        // Addresses may be given after the create was answered.
        node.public_ip = instance.ipv4.into_iter().next().or(node.public_ip);
        node.private_ip = instance.private_ipv4.into_iter().next().or(node.private_ip);
        Ok((node, boot))
    }

    /// Waits until SSH answers and shows the lasting host key; whether that had to be put in place. A machine that has
    /// gone down meanwhile is started again, and a connection that broke is made again: whatever was done on it may be
    /// done twice.
    async fn reached(&self, cx: &StepCx, node: &mut Node) -> Result<bool, Failure> {
        let (time, mut tries) = (self.toolkit.time(), 0);
        let begun = time.elapsed();
        let so_long = || time.elapsed().saturating_sub(begun);
        let by_script = !self.toolkit.provider().await?.client.has("user_data");
        let replace = node.host_keys != [self.hosts.lasting.public.clone()];
        loop {
            let patience = LOOK_AFTER.min(UP.saturating_sub(so_long()));
            let outcome = self.log_in(node, replace, patience).await?;
            match outcome {
                Ok(()) => {
                    node.host_keys = vec![self.hosts.lasting.public.clone()];
                    return Ok(replace);
                }
                Err(NodeError::Unreachable { .. }) if so_long() < UP => {}
                // A script puts the known key in place, after the server has begun with another one.
                Err(NodeError::HostKey { .. }) if by_script && so_long() < UP => {
                    time.sleep(if self.toolkit.settings().sandbox { KEY_LOOK / 20 } else { KEY_LOOK }).await;
                    continue;
                }
                Err(NodeError::Lost { reason, .. }) if tries < TRIES => {
                    tries += 1;
                    cx.events.note(format!("{}: the first login broke: {reason}; once more", node.name));
                }
                Err(error) => return Err(error.into()),
            }
            let (present, booted) = self.booted(cx, node, true).await?;
            if booted {
                cx.events.note(format!("{}: it had gone down before SSH answered and was started again", node.name));
            }
            *node = present;
        }
    }

    /// One login, and the lasting host key in place if it is not.
    async fn log_in(&self, node: &Node, replace: bool, patience: Duration) -> Result<Result<(), NodeError>, Failure> {
        let connections = self.toolkit.connections();
        let before = self.toolkit.target(node)?;
        if let Err(error) = connections.connect(&before, patience).await {
            return Ok(Err(error));
        }
        if !replace {
            return Ok(Ok(()));
        }
        let lasting = &self.hosts.lasting;
        let private_pem = self
            .toolkit
            .secret_store()
            .get(&lasting.secret)?
            .ok_or_else(|| Failure::internal("a host key is not in the secret store").on(&node.name))?;
        let pair = KeyPair { private_pem, public_line: lasting.public.clone() };
        // From here on only the lasting key is accepted.
        let after = self.toolkit.target(&Node { host_keys: vec![lasting.public.clone()], ..node.clone() })?;
        Ok(connections.replace_host_key(&before, &after, &pair, "/etc/ssh").await)
    }
}
