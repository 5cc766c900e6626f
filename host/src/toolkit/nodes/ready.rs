//! A node that answers: it runs, SSH lets us in, and its host key is the one that stays.

use linodetool_plugin::{ById, ErrorKind, InstanceStatus};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::course::{Watch, come_up};
use super::{UP, stage, stage_done};
use crate::core::Failure;
use crate::inventory::{Change, Node, NodePatch};
use crate::nodes::KeyPair;
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::keys::HostKeys;
use crate::toolkit::{Repeatable, Toolkit};

/// What was made so lately may not be found yet, in a list or by its id.
const HIDES: Duration = Duration::from_secs(60);

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
        let mut node = self.node.clone();
        let mut changed = false;
        stage(toolkit, name, "boot");
        let client = &toolkit.provider().await?.client;
        let age = Duration::from_millis(cx.now_ms().saturating_sub(node.created_ms));
        let hidden = HIDES.saturating_sub(age);
        if cx.attempt > 1 {
            // What was said of it before its boot failed is old.
            match client.get_instance(&ById::new(&node.id)).await {
                Ok(instance) => node.status = instance.status,
                Err(error) if error.kind == ErrorKind::NotFound && !hidden.is_zero() => {}
                Err(error) => return Err(Failure::from(error).on(name)),
            }
        }
        let mut watch = Watch::of(&node.id);
        if node.status == InstanceStatus::Offline {
            watch = watch.only_new(client).await?;
            client.boot_instance(&ById::new(&node.id)).await.map_err(|e| Failure::from(e).on(name))?;
            changed = true;
        }
        let tag = node.cluster.as_ref().map(|cluster| cx.cluster_tag(toolkit.context(), cluster));
        let instance = come_up(toolkit, name, tag, &watch, hidden).await?;
        node.status = instance.status;
        // Addresses may be given after the create was answered.
        node.public_ip = instance.ipv4.into_iter().next().or(node.public_ip);
        node.private_ip = instance.private_ipv4.into_iter().next().or(node.private_ip);
        stage_done(toolkit, name, "boot", changed);
        stage(toolkit, name, "ssh");
        let connections = toolkit.connections();
        connections.connect(&toolkit.target(&node)?, UP).await?;
        if node.host_keys != [self.hosts.lasting.public.clone()] {
            self.replace_host_key(&mut node).await?;
            changed = true;
        }
        stage_done(toolkit, name, "ssh", changed);
        let patch = NodePatch {
            status: Some(node.status),
            public_ip: node.public_ip.clone(),
            private_ip: node.private_ip.clone(),
            host_keys: Some(node.host_keys.clone()),
            ..NodePatch::default()
        };
        let changes = vec![Change::patch_node(toolkit.context(), name, patch)];
        Ok(Done { value: ReadyNode { node, changed }, changes })
    }
}

impl Ready<'_> {
    async fn replace_host_key(&self, node: &mut Node) -> Result<(), Failure> {
        let lasting = &self.hosts.lasting;
        let private = self
            .toolkit
            .secret_store()
            .get(&lasting.secret)?
            .ok_or_else(|| Failure::internal("a host key is not in the secret store").on(&node.name))?;
        let before = self.toolkit.target(node)?;
        node.host_keys = vec![lasting.public.clone()];
        // From here on only the lasting key is accepted.
        let pair = KeyPair { private_pem: private, public_line: lasting.public.clone() };
        let after = self.toolkit.target(node)?;
        self.toolkit.connections().replace_host_key(&before, &after, &pair, "/etc/ssh").await?;
        Ok(())
    }
}
