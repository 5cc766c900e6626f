//! nodes: machines one by one. What clusters do with many is made of these steps.

use linodetool_plugin::{
    ById, CreateInstance, ErrorKind, Instance, InstanceStatus, ListInstances, ProviderError, SecretRef,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::core::events::Event;
use crate::core::{Failure, FailureKind, Secret, random_hex};
use crate::inventory::{Change, KeyRef, Node, NodePatch, Selector};
use crate::nodes::ExecOptions;
use crate::provider::{Secrets, Wait};
use crate::runs::{Done, Effect, Kind, StepCx, StepError, performs_again};
use crate::toolkit::cloud_init::user_data;
use crate::toolkit::info::{Resolved, resolved};
use crate::toolkit::keys::{EnsureKeys, HostKeys, forget_nodes};
use crate::toolkit::plan::{Plan, PlannedNode};
use crate::toolkit::{At, Toolkit};

/// A create may hang for six minutes and then take effect; a boot takes one to three.
const UP: Duration = Duration::from_secs(600);

/// A new node, as it is asked for. Names of region, type and image may be loose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Its label: 3 to 64 letters, digits, `-`, `_` and `.`.
    pub name: String,
    pub region: String,
    #[serde(rename = "type")]
    pub type_id: String,
    pub image: String,
    #[serde(default)]
    pub tags: Vec<String>,
    /// Wants an address in the region's private network.
    #[serde(default)]
    pub private_ip: bool,
    /// A secret that holds the private key to log in with; by default one is made.
    #[serde(default)]
    pub ssh_key: Option<String>,
}

impl Toolkit {
    /// Makes one node and answers when SSH answers.
    ///
    /// # Errors
    /// `Conflict` if the name is taken; nothing is made then.
    pub fn create_node(&self, at: At<'_>, spec: &NodeSpec) -> Result<Node, StepError> {
        check_name(&spec.name).map_err(StepError::Failed)?;
        let look = at.step(&LookNode { spec, toolkit: self })?;
        if let Some(taken) = look.taken {
            let failure =
                Failure::new(FailureKind::Conflict, format!("there is a node {} already: {taken}", spec.name));
            return Err(StepError::Failed(failure.hint("choose another name, or delete that one first")));
        }
        let plan = Plan {
            title: format!("node {}", spec.name),
            create: vec![planned(&spec.name, &look.resolved, 0)],
            present: 0,
        };
        at.step(&Confirmed { plan: &plan, toolkit: self })?;
        let keys = at.step(&EnsureKeys {
            login: format!("node/{}", spec.name),
            given: spec.ssh_key.as_deref(),
            nodes: vec![spec.name.clone()],
            toolkit: self,
        })?;
        let hosts = keys.hosts.get(&spec.name).cloned().unwrap_or_default();
        let wanted = Wanted {
            name: spec.name.clone(),
            cluster: None,
            role: None,
            type_index: 0,
            tags: spec.tags.clone(),
            private_ip: spec.private_ip,
            firewall: None,
        };
        let effect =
            EnsureNode { wanted: &wanted, resolved: &look.resolved, login: &keys.login, hosts: &hosts, toolkit: self };
        let ensured = at.step(&effect)?;
        at.step(&Ready { node: &ensured.node, hosts: &hosts, toolkit: self }).map(|ready| ready.node)
    }

    /// A node of the inventory.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn node(&self, at: At<'_>, name: &str) -> Result<Node, StepError> {
        at.step(&GetNode { name, toolkit: self })
    }

    /// Nodes that a selector means: `web-1`, `cluster:hadoop`, `role:worker`, `hadoop-*`, several with commas.
    ///
    /// # Errors
    /// `NotFound` with near names if it means none.
    pub fn select_nodes(&self, at: At<'_>, selector: &str) -> Result<Vec<Node>, StepError> {
        at.step(&SelectNodes { selector, toolkit: self })
    }

    /// All nodes of the context.
    pub fn list_nodes(&self, at: At<'_>) -> Result<Vec<Node>, StepError> {
        at.step(&ListNodes { toolkit: self })
    }

    /// Destroys a node. Fine if the provider has lost it already.
    pub fn delete_node(&self, at: At<'_>, name: &str) -> Result<(), StepError> {
        let node = self.node(at, name)?;
        at.step(&DeleteNode { name, id: &node.id, toolkit: self })
    }

    /// Starts, stops or restarts a node and waits until it is so.
    pub fn power_node(&self, at: At<'_>, name: &str, power: Power) -> Result<Node, StepError> {
        let node = self.node(at, name)?;
        at.step(&PowerNode { name, id: &node.id, power, toolkit: self })?;
        self.node(at, name)
    }

    /// Waits until a node is in a state, `running` or `offline`.
    pub fn wait_node(
        &self,
        at: At<'_>,
        name: &str,
        status: InstanceStatus,
        limit: Duration,
    ) -> Result<Node, StepError> {
        let node = self.node(at, name)?;
        at.step(&WaitNode { name, id: &node.id, status, limit_ms: millis(limit), toolkit: self })?;
        self.node(at, name)
    }
}

/// The name is the Linode's label: 3-64 characters (Linode API v4, `POST /linode/instances`).
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let wrong = if !(3..=64).contains(&bytes.len()) {
        format!("it has {} characters, and a label has 3 to 64", name.chars().count())
    } else if !bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b)) {
        "a label has letters, digits, `-`, `_` and `.` only".into()
    } else if !edge(bytes.first()) || !edge(bytes.last()) {
        "a label begins and ends with a letter or digit".into()
    } else if ["--", "__", ".."].iter().any(|twice| name.contains(twice)) {
        "a label has no `--`, `__` or `..`".into()
    } else {
        return Ok(());
    };
    Err(Failure::usage(format!("`{name}` cannot be the name of a node: {wrong}"))
        .field("name")
        .hint("choose another name"))
}

pub(crate) fn planned(name: &str, resolved: &Resolved, type_index: usize) -> PlannedNode {
    let r#type = &resolved.types[type_index];
    let price = r#type.price_in(&resolved.region.id);
    PlannedNode {
        name: name.into(),
        region: resolved.region.id.clone(),
        type_id: r#type.id.clone(),
        image: resolved.image.id.clone(),
        hourly: price.hourly,
        monthly: price.monthly,
    }
}

/// What is there before a node is made.
#[derive(Serialize, Deserialize)]
struct Look {
    resolved: Resolved,
    taken: Option<String>,
}

#[derive(Serialize)]
struct LookNode<'a> {
    spec: &'a NodeSpec,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Effect for LookNode<'_> {
    const OP: &'static str = "nodes.look";
    const KIND: Kind = Kind::Read;
    type Out = Look;

    async fn perform(&self, _: &StepCx) -> Result<Done<Look>, Failure> {
        let spec = self.spec;
        let types = std::slice::from_ref(&spec.type_id);
        let resolved = resolved(self.toolkit, &spec.region, types, &spec.image).await?;
        let known = self.toolkit.inventory().node(self.toolkit.context(), &spec.name)?;
        let taken = match known {
            Some(node) => Some(format!("id {} in the inventory", node.id)),
            None => by_label(self.toolkit, &spec.name).await?.map(|i| format!("Linode {} with that label", i.id)),
        };
        Ok(Look { resolved, taken }.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Look>>, Failure> {
        performs_again().await
    }
}

/// The one who pays said yes.
#[derive(Serialize)]
pub(crate) struct Confirmed<'a> {
    pub plan: &'a Plan,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl Effect for Confirmed<'_> {
    const OP: &'static str = "confirm";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        if self.plan.create.is_empty() {
            return Ok(().into());
        }
        // Asking blocks on the terminal.
        let (plan, toolkit) = (self.plan.clone(), self.toolkit.clone());
        let asked = tokio::task::spawn_blocking(move || toolkit.confirm().confirm(&plan)).await;
        asked.map_err(|e| Failure::internal(format!("the question failed: {e}")))??;
        Ok(().into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<()>>, Failure> {
        performs_again().await
    }
}

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
            // Ids of another account, or of an earlier sandbox, may be the same by chance.
            Ok(instance) if instance.label == node.name => {
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
        match by_label(self.toolkit, name).await {
            Ok(Some(found)) if self.is_ours(cx, &found) => Ok(found),
            Ok(Some(found)) if taken => Err(somebody_elses(name, &found)),
            _ if taken => Err(Failure::from(error).on(name)),
            // It may still appear: the step stays in doubt and is looked for when the run is resumed.
            _ => {
                Err(Failure::new(FailureKind::Interrupted, format!("no answer whether it was made: {error}")).on(name))
            }
        }
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
        stage(self.toolkit, &self.wanted.name, "create");
        let instance = self.create(cx).await?;
        stage_done(self.toolkit, &self.wanted.name, "create", true);
        Ok(self.done(cx, instance))
    }

    async fn reconcile(&self, cx: &StepCx) -> Result<Option<Done<EnsuredNode>>, Failure> {
        let found = by_label(self.toolkit, &self.wanted.name).await?;
        match found {
            Some(found) if self.is_ours(cx, &found) => Ok(Some(self.done(cx, found))),
            _ => Ok(None),
        }
    }
}

fn somebody_elses(name: &str, found: &Instance) -> Failure {
    let message =
        format!("the account has a Linode {} with the label {name} that this inventory does not know", found.id);
    Failure::new(FailureKind::Conflict, message).hint("choose another name, or rename or delete that Linode").on(name)
}

async fn by_label(toolkit: &Toolkit, label: &str) -> Result<Option<Instance>, Failure> {
    let wanted = ListInstances { label: Some(label.into()), ..ListInstances::default() };
    Ok(toolkit.provider().await?.client.list_instances(&wanted).await?.items.into_iter().next())
}

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

impl Effect for Ready<'_> {
    const OP: &'static str = "nodes.ready";
    const KIND: Kind = Kind::Write;
    type Out = ReadyNode;

    async fn perform(&self, cx: &StepCx) -> Result<Done<ReadyNode>, Failure> {
        let toolkit = self.toolkit;
        let name = &self.node.name;
        let mut node = self.node.clone();
        let mut changed = false;
        stage(toolkit, name, "boot");
        if node.status == InstanceStatus::Offline {
            toolkit.provider().await?.client.boot_instance(&ById::new(&node.id)).await?;
            changed = true;
        }
        let tag = node.cluster.as_ref().map(|cluster| cx.cluster_tag(toolkit.context(), cluster));
        let wait = Wait { id: node.id.clone(), tag, wanted: vec![InstanceStatus::Running], timeout: UP };
        let instance = toolkit.provider().await?.waits.until(wait).await.map_err(|e| Failure::from(e).on(name))?;
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

    /// Waiting twice does no harm, and either host key is accepted until the new one is recorded.
    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<ReadyNode>>, Failure> {
        performs_again().await
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
        // The key arrives on standard input, so that it is in no process list. Only then are the others removed.
        let script = format!(
            "set -eu; umask 077; cd /etc/ssh; cat > .lt-host-key; \
             printf '%s\\n' '{}' > .lt-host-key.pub; chmod 644 .lt-host-key.pub; sync .lt-host-key 2>/dev/null || sync; \
             mv .lt-host-key.pub ssh_host_ed25519_key.pub; mv .lt-host-key ssh_host_ed25519_key; \
             rm -f ssh_host_rsa_key* ssh_host_ecdsa_key* ssh_host_dsa_key*; \
             systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null || true",
            lasting.public
        );
        let options = ExecOptions { stdin: Some(private.reveal().clone().into_bytes()), ..ExecOptions::default() };
        let connections = self.toolkit.connections();
        let before = self.toolkit.target(node)?;
        connections.exec_ok(&before, &script, options).await?;
        connections.disconnect(&before).await;
        node.host_keys = vec![lasting.public.clone()];
        // From here on only the lasting key is accepted.
        connections.connect(&self.toolkit.target(node)?, Duration::from_secs(60)).await?;
        Ok(())
    }
}

#[derive(Serialize)]
struct GetNode<'a> {
    name: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Effect for GetNode<'_> {
    const OP: &'static str = "nodes.get";
    const KIND: Kind = Kind::Read;
    type Out = Node;

    async fn perform(&self, _: &StepCx) -> Result<Done<Node>, Failure> {
        Ok(self.toolkit.inventory().expect_node(self.toolkit.context(), self.name)?.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Node>>, Failure> {
        performs_again().await
    }
}

#[derive(Serialize)]
struct SelectNodes<'a> {
    selector: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Effect for SelectNodes<'_> {
    const OP: &'static str = "nodes.select";
    const KIND: Kind = Kind::Read;
    type Out = Vec<Node>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<Node>>, Failure> {
        Ok(self.toolkit.inventory().select(self.toolkit.context(), &Selector::parse(self.selector)?)?.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Vec<Node>>>, Failure> {
        performs_again().await
    }
}

#[derive(Serialize)]
struct ListNodes<'a> {
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Effect for ListNodes<'_> {
    const OP: &'static str = "nodes.list";
    const KIND: Kind = Kind::Read;
    type Out = Vec<Node>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<Node>>, Failure> {
        Ok(self.toolkit.inventory().nodes(self.toolkit.context())?.into())
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<Vec<Node>>>, Failure> {
        performs_again().await
    }
}

/// Destroys the machine, its row and its keys.
#[derive(Serialize)]
pub(crate) struct DeleteNode<'a> {
    pub name: &'a str,
    pub id: &'a str,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl Effect for DeleteNode<'_> {
    const OP: &'static str = "nodes.delete";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        stage(self.toolkit, self.name, "delete");
        match self.toolkit.provider().await?.client.delete_instance(&ById::new(self.id)).await {
            Err(error) if error.kind != ErrorKind::NotFound => return Err(Failure::from(error).on(self.name)),
            _ => {}
        }
        forget_nodes(self.toolkit, &[self.name])?;
        stage_done(self.toolkit, self.name, "delete", true);
        Ok(Done { value: (), changes: vec![Change::remove_node(self.toolkit.context(), self.name)] })
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<()>>, Failure> {
        performs_again().await
    }
}

/// What to do with a node's power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    Boot,
    Shutdown,
    Reboot,
}

#[derive(Serialize)]
struct PowerNode<'a> {
    name: &'a str,
    id: &'a str,
    power: Power,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Effect for PowerNode<'_> {
    const OP: &'static str = "nodes.power";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, _: &StepCx) -> Result<Done<bool>, Failure> {
        let provider = self.toolkit.provider().await?;
        let id = ById::new(self.id);
        let word = match self.power {
            Power::Boot => "boot",
            Power::Shutdown => "shutdown",
            Power::Reboot => "reboot",
        };
        let present = provider.client.get_instance(&id).await?.status;
        let wanted = match self.power {
            Power::Shutdown => InstanceStatus::Offline,
            Power::Boot | Power::Reboot => InstanceStatus::Running,
        };
        let changed = self.power == Power::Reboot || present != wanted;
        stage(self.toolkit, self.name, word);
        if changed {
            match self.power {
                Power::Boot => provider.client.boot_instance(&id).await?,
                Power::Shutdown => provider.client.shutdown_instance(&id).await?,
                Power::Reboot => provider.client.reboot_instance(&id).await?,
            };
        }
        let wait = Wait { id: self.id.into(), tag: None, wanted: vec![wanted], timeout: UP };
        let instance = provider.waits.until(wait).await.map_err(|e| Failure::from(e).on(self.name))?;
        stage_done(self.toolkit, self.name, word, changed);
        let patch = NodePatch { status: Some(instance.status), ..NodePatch::default() };
        Ok(Done { value: changed, changes: vec![Change::patch_node(self.toolkit.context(), self.name, patch)] })
    }

    /// Booting and shutting down check first; a reboot whose answer was lost is asked again, since one too many is harmless
    /// where one too few is not.
    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<bool>>, Failure> {
        performs_again().await
    }
}

#[derive(Serialize)]
struct WaitNode<'a> {
    name: &'a str,
    id: &'a str,
    status: InstanceStatus,
    limit_ms: u64,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Effect for WaitNode<'_> {
    const OP: &'static str = "nodes.wait";
    const KIND: Kind = Kind::Read;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        let timeout = Duration::from_millis(self.limit_ms);
        let wait = Wait { id: self.id.into(), tag: None, wanted: vec![self.status], timeout };
        let instance =
            self.toolkit.provider().await?.waits.until(wait).await.map_err(|e| Failure::from(e).on(self.name))?;
        let patch = NodePatch { status: Some(instance.status), ..NodePatch::default() };
        Ok(Done { value: (), changes: vec![Change::patch_node(self.toolkit.context(), self.name, patch)] })
    }

    async fn reconcile(&self, _: &StepCx) -> Result<Option<Done<()>>, Failure> {
        performs_again().await
    }
}

pub(crate) fn stage(toolkit: &Toolkit, node: &str, stage: &str) {
    toolkit.events().send(Event::Stage { node: node.into(), stage: stage.into() });
}

pub(crate) fn stage_done(toolkit: &Toolkit, node: &str, stage: &str, changed: bool) {
    toolkit.events().send(Event::StageDone { node: node.into(), stage: stage.into(), changed });
}

pub(crate) fn stage_failed(toolkit: &Toolkit, node: &str, stage: &str, failure: &Failure) {
    let message = failure.message.clone();
    toolkit.events().send(Event::StageFailed { node: node.into(), stage: stage.into(), message });
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::check_name;
    use expect_test::expect;

    #[test]
    fn names_follow_the_rules_of_labels() {
        let check = |name: &str| check_name(name).err().map_or("fine".into(), |e| e.message);
        let long = "a".repeat(65);
        let lines: Vec<_> =
            ["web-1", "ab", &long, "web 1", "-web", "web--1"].iter().map(|name| format!("{}\n", check(name))).collect();
        expect![[r#"
            fine
            `ab` cannot be the name of a node: it has 2 characters, and a label has 3 to 64
            `aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa` cannot be the name of a node: it has 65 characters, and a label has 3 to 64
            `web 1` cannot be the name of a node: a label has letters, digits, `-`, `_` and `.` only
            `-web` cannot be the name of a node: a label begins and ends with a letter or digit
            `web--1` cannot be the name of a node: a label has no `--`, `__` or `..`
        "#]]
        .assert_eq(&lines.concat());
    }
}
