//! One node that should be there: found, or made exactly once whatever happens on the way.

use linodetool_plugin::{ById, CreateInstance, ErrorKind, Instance, ListInstances, ProviderError, SecretRef};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::is_same;
use crate::core::events::Ending;
use crate::core::{Failure, FailureKind, Secret, random_hex};
use crate::inventory::{Change, KeyRef, Node};
use crate::provider::Secrets;
use crate::runs::{Done, Effect, Kind, StepCx};
use crate::toolkit::Toolkit;
use crate::toolkit::cloud_init::user_data;
use crate::toolkit::info::Resolved;
use crate::toolkit::keys::HostKeys;
use crate::toolkit::stages::staged;

/// A create may hang for six minutes and then take effect; after this it will not any more.
const IN_DOUBT: Duration = Duration::from_secs(600);

/// The sandbox answers in moments or is gone, and takes no label twice.
const IN_DOUBT_IN_SANDBOX: Duration = Duration::from_secs(5);

/// How long a create without an answer may still take effect.
pub(crate) fn in_doubt(toolkit: &Toolkit) -> Duration {
    if toolkit.settings().sandbox { IN_DOUBT_IN_SANDBOX } else { IN_DOUBT }
}

/// Between looks for what may still appear: far below the limit of 200 lists a minute for many such nodes at once.
const LOOK: Duration = Duration::from_secs(5);

/// One node that should be there.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Wanted {
    pub name: String,
    pub cluster: Option<String>,
    pub role: Option<String>,
    /// Which of the resolved types.
    pub type_index: usize,
    pub tags: Vec<String>,
    pub private_ip: bool,
    pub firewall: Option<String>,
}

/// The outcome of ensuring a node: the same step whether it was there or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct EnsuredNode {
    pub node: Node,
    pub changed: bool,
}

/// Makes a node unless it is there.
#[derive(Serialize)]
pub(crate) struct EnsureNode<'a> {
    pub wanted: &'a Wanted,
    #[serde(skip)]
    pub resolved: &'a Resolved,
    pub login: &'a KeyRef,
    #[serde(skip)]
    pub hosts: &'a HostKeys,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl EnsureNode<'_> {
    fn tags(&self, cx: &StepCx) -> Vec<String> {
        let cluster = self.wanted.cluster.as_ref().map(|name| cx.cluster_tag(self.toolkit.context(), name));
        self.wanted.tags.iter().cloned().chain(cluster).chain([cx.tag()]).collect()
    }

    /// What the inventory knows, if the provider still has it.
    async fn present(&self) -> Result<Option<Node>, Failure> {
        let Some(mut node) = self.toolkit.inventory().node(self.toolkit.context(), &self.wanted.name)? else {
            return Ok(None);
        };
        match self.toolkit.provider().await?.client.get_instance(&ById::new(&node.id)).await {
            Ok(instance) if is_same(&node, &instance) => {
                node.status = instance.status;
                Ok(Some(node))
            }
            Err(error) if error.kind != ErrorKind::NotFound => Err(error.into()),
            _ => {
                let (name, id) = (&node.name, &node.id);
                self.toolkit.events().note(format!("{name} (Linode {id}) is gone from the account; making it again"));
                Ok(None)
            }
        }
    }

    async fn create(&self, cx: &StepCx) -> Result<Instance, Failure> {
        let w = self.wanted;
        let store = self.toolkit.secret_store();
        let host_key = store
            .get(&self.hosts.first.secret)?
            .ok_or_else(|| Failure::internal("a host key was not made before its node").on(&w.name))?;
        let user_data_id = format!("user-data-{}", random_hex(8));
        let root_pass_id = format!("root-pass-{}", random_hex(8));
        let secrets = Secrets::from_iter([
            (user_data_id.clone(), user_data(&w.name, &host_key, &self.hosts.first.public)),
            // Nobody knows it: keys are the only way in.
            (root_pass_id.clone(), Secret::new(format!("Lt-{}!", random_hex(24)))),
        ]);
        let create = CreateInstance {
            label: w.name.clone(),
            region: self.resolved.region.id.clone(),
            type_id: self.resolved.types[w.type_index].id.clone(),
            image: self.resolved.image.id.clone(),
            tags: self.tags(cx),
            authorized_keys: vec![self.login.public.clone()],
            root_pass: Some(SecretRef::new(root_pass_id)),
            user_data: Some(SecretRef::new(user_data_id)),
            firewall_id: w.firewall.clone(),
            private_ip: w.private_ip,
            ..CreateInstance::default()
        };
        let client = self.toolkit.provider().await?.client.with_secrets(secrets);
        match client.create_instance(&create).await {
            Ok(instance) => Ok(instance),
            Err(error) => self.after_failed_create(cx, error).await,
        }
    }

    /// The label is unique for the account, so it tells whether a create took effect whose answer was lost.
    async fn after_failed_create(&self, cx: &StepCx, error: ProviderError) -> Result<Instance, Failure> {
        let name = &self.wanted.name;
        let taken = error.kind == ErrorKind::Conflict && error.field.as_deref() == Some("label");
        if !taken && !error.is_ambiguous() {
            return Err(Failure::from(error).on(name));
        }
        if taken {
            return match by_label(self.toolkit, name).await? {
                Some(found) if self.is_ours(cx, &found) => Ok(found),
                Some(found) => Err(somebody_elses(name, &found)),
                None => Err(Failure::from(error).on(name)),
            };
        }
        match self.look_for(cx).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) => Err(Failure::from(error).on(name)),
            // It may still appear: the step stays in doubt and is looked for when the run is resumed.
            Err(look) => {
                let message = format!("no answer whether it was made: {error}; and looking for it failed: {look}");
                Err(Failure::new(FailureKind::Interrupted, message)
                    .hint("begin again when the provider answers: it is then found, or made")
                    .on(name))
            }
        }
    }

    /// Looks for what a create without an answer has made, until it is there or cannot appear any more. A cancel cuts
    /// this where it waits, and the step stays in doubt.
    async fn look_for(&self, cx: &StepCx) -> Result<Option<Instance>, Failure> {
        let limit = in_doubt(self.toolkit);
        let pause = LOOK.min(limit / 10);
        let name = &self.wanted.name;
        // Counted too, for a clock that is set back must not make this endless.
        for look in 0..=limit.as_millis() / pause.as_millis() {
            match by_label(self.toolkit, name).await? {
                Some(found) if self.is_ours(cx, &found) => return Ok(Some(found)),
                // A label is given once: with another holder, ours cannot appear.
                Some(_) => return Ok(None),
                None if cx.since_intent() >= limit => return Ok(None),
                None => {}
            }
            if look == 0 {
                let left = limit.saturating_sub(cx.since_intent()).as_secs();
                cx.events.note(format!("{name}: the answer of its create is lost; looking for it for up to {left} s"));
            }
            cx.time.sleep(pause).await;
        }
        Ok(None)
    }

    fn is_ours(&self, cx: &StepCx, instance: &Instance) -> bool {
        instance.tags.contains(&cx.tag()) || cx.earlier_tags().iter().any(|tag| instance.tags.contains(tag))
    }

    fn done(&self, cx: &StepCx, instance: Instance) -> Done<EnsuredNode> {
        let w = self.wanted;
        let price = self.resolved.types[w.type_index].price_in(&self.resolved.region.id);
        let node = Node {
            name: w.name.clone(),
            context: self.toolkit.context().into(),
            cluster: w.cluster.clone(),
            role: w.role.clone(),
            provider: self.toolkit.settings().provider.clone(),
            id: instance.id,
            region: instance.region,
            type_id: instance.type_id,
            image: instance.image,
            status: instance.status,
            public_ip: instance.ipv4.into_iter().next(),
            private_ip: instance.private_ipv4.into_iter().next(),
            ipv6: instance.ipv6.map(|a| a.split('/').next().unwrap_or_default().to_owned()),
            memory_mb: instance.memory_mb,
            vcpus: instance.vcpus,
            host_keys: vec![self.hosts.first.public.clone(), self.hosts.lasting.public.clone()],
            key_ref: Some(self.login.clone()),
            user: "root".into(),
            tags: instance.tags,
            created_by_run: cx.run.to_string(),
            created_ms: cx.now_ms(),
            price_hourly: Some(price.hourly),
            price_monthly: Some(price.monthly),
            ..Node::default()
        };
        let changes = vec![Change::put_node(node.clone())];
        Done { value: EnsuredNode { node, changed: true }, changes }
    }
}

impl Effect for EnsureNode<'_> {
    const OP: &'static str = "nodes.ensure";
    const KIND: Kind = Kind::Write;
    type Out = EnsuredNode;

    async fn perform(&self, cx: &StepCx) -> Result<Done<EnsuredNode>, Failure> {
        if let Some(node) = self.present().await? {
            return Ok(EnsuredNode { node, changed: false }.into());
        }
        let create = async { Ok((self.create(cx).await?, Ending::Changed)) };
        let instance = staged(self.toolkit, &self.wanted.name, "create", create).await?;
        Ok(self.done(cx, instance))
    }

    async fn reconcile(&self, cx: &StepCx) -> Result<Option<Done<EnsuredNode>>, Failure> {
        Ok(self.look_for(cx).await?.map(|found| self.done(cx, found)))
    }
}

pub(crate) fn somebody_elses(name: &str, found: &Instance) -> Failure {
    let message =
        format!("the account has a Linode {} with the label {name} that this inventory does not know", found.id);
    Failure::new(FailureKind::Conflict, message).hint("choose another name, or rename or delete that Linode").on(name)
}

pub(super) async fn by_label(toolkit: &Toolkit, label: &str) -> Result<Option<Instance>, Failure> {
    let wanted = ListInstances { label: Some(label.into()), ..ListInstances::default() };
    Ok(toolkit.provider().await?.client.list_instances(&wanted).await?.items.into_iter().next())
}
