//! A node that answers: it runs, SSH lets us in, and its host key is the one that stays.

use linodetool_plugin::{ById, InstanceStatus};
use serde::{Deserialize, Serialize};

use super::UP;
use super::course::{Watch, come_up};
use crate::core::Failure;
use crate::core::events::Ending;
use crate::inventory::{Change, Node, NodePatch};
use crate::nodes::KeyPair;
use crate::runs::{Done, Kind, StepCx};
use crate::toolkit::keys::HostKeys;
use crate::toolkit::stages::staged;
use crate::toolkit::{Repeatable, Toolkit};

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
            let (node, changed) = self.booted(cx).await?;
            Ok(((node, changed), Ending::of_wait(changed)))
        })
        .await?;
        let replaced = staged(toolkit, name, "ssh", async {
            toolkit.connections().connect(&toolkit.target(&node)?, UP).await?;
            let replace = node.host_keys != [self.hosts.lasting.public.clone()];
            if replace {
                self.replace_host_key(&mut node).await?;
            }
            Ok((replace, Ending::of_wait(replace)))
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
        Ok(Done { value: ReadyNode { node, changed: booted || replaced }, changes })
    }
}

impl Ready<'_> {
    /// The node as it is when it runs, and whether it had to be booted.
    async fn booted(&self, cx: &StepCx) -> Result<(Node, bool), Failure> {
        let (toolkit, name) = (self.toolkit, &self.node.name);
        let on = |failure: Failure| failure.on(name);
        let client = &toolkit.provider().await?.client;
        let mut node = self.node.clone();
        let id = ById::new(&node.id);
        if cx.attempt > 1 {
            // What was said of it before its boot failed is old.
            node.status = client.get_instance(&id).await.map_err(|e| on(e.into()))?.status;
        }
        let mut watch = Watch::of(&node.id);
        let boot = node.status == InstanceStatus::Offline;
        if boot {
            watch = watch.only_new(client).await?;
            client.boot_instance(&id).await.map_err(|e| on(e.into()))?;
        }
        let tag = node.cluster.as_ref().map(|cluster| cx.cluster_tag(toolkit.context(), cluster));
        let instance = come_up(toolkit, name, tag, &watch).await?;
        node.status = instance.status;
        // Addresses may be given after the create was answered.
        node.public_ip = instance.ipv4.into_iter().next().or(node.public_ip);
        node.private_ip = instance.private_ipv4.into_iter().next().or(node.private_ip);
        Ok((node, boot))
    }

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
