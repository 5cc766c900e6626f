//! One node that should be there: found, or made exactly once whatever happens on the way.

use linodetool_plugin::{ById, CreateInstance, ErrorKind, Instance, ListInstances, ProviderError, Retry, SecretRef};
use serde::{Deserialize, Serialize};
use std::time::Duration;

use super::making::Making;
use super::{is_same, millis};
use crate::core::events::Ending;
use crate::core::{Failure, FailureKind, RunId, Secret, random_hex};
use crate::inventory::{Change, Cluster, KeyRef, Node};
use crate::provider::Secrets;
use crate::runs::{Done, Effect, Kind, Status, StepCx};
use crate::toolkit::Toolkit;
use crate::toolkit::cloud_init::user_data;
use crate::toolkit::first_boot::{answers, key_file};
use crate::toolkit::info::Resolved;
use crate::toolkit::keys::HostKeys;
use crate::toolkit::node_firewalls::rules;
use crate::toolkit::stages::staged;

/// A create may hang for six minutes and then take effect; after this it will not any more.
const IN_DOUBT: Duration = Duration::from_secs(600);

/// The sandbox answers in moments or is gone, and takes no label twice.
const IN_DOUBT_IN_SANDBOX: Duration = Duration::from_secs(5);

/// A create whose answer is lost is sent again after that long, and in the sandbox: most that are lost never arrived.
const AGAIN: Duration = Duration::from_secs(30);
const AGAIN_IN_SANDBOX: Duration = Duration::from_secs(2);

/// Tries in all; after the last one it is looked for until it cannot appear any more.
const TRIES: u32 = 4;

/// What has just been made may not be found for so long, and in the sandbox.
const HIDES: Duration = Duration::from_secs(60);
const HIDES_IN_SANDBOX: Duration = Duration::from_secs(10);

/// How long after a create without an answer something may still appear: it may take effect late, and hide then.
pub(crate) fn in_doubt_ms(toolkit: &Toolkit) -> u64 {
    millis(in_doubt(toolkit)) + hides_ms(toolkit)
}

/// How long what has just been made may not be found.
pub(crate) fn hides_ms(toolkit: &Toolkit) -> u64 {
    millis(if toolkit.settings().sandbox { HIDES_IN_SANDBOX } else { HIDES })
}

fn in_doubt(toolkit: &Toolkit) -> Duration {
    if toolkit.settings().sandbox { IN_DOUBT_IN_SANDBOX } else { IN_DOUBT }
}

/// Between looks for what may still appear: far below the limit of 200 lists a minute for many such nodes at once.
const LOOK: Duration = Duration::from_secs(5);

/// What holds the label of a node that should be there.
enum Found {
    Ours(Instance),
    Strangers(Instance),
    Nothing,
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
    pub making: &'a Making,
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
        let first_boot_id = format!("first-boot-{}", random_hex(8));
        let root_pass_id = format!("root-pass-{}", random_hex(8));
        let (script, public) = (&self.making.script, &self.hosts.first.public);
        let first_boot = match script {
            Some(_) => key_file(&host_key),
            None => user_data(&w.name, &host_key, public),
        };
        let secrets = Secrets::from_iter([
            (first_boot_id.clone(), first_boot),
            // Nobody knows it: keys are the only way in.
            (root_pass_id.clone(), Secret::new(format!("Lt-{}!", random_hex(24)))),
        ]);
        let first_boot = SecretRef::new(first_boot_id);
        let own_firewall = w.firewall.as_deref() == Some(Cluster::ON_NODES);
        let rules = own_firewall.then(|| rules(&[]));
        let answers = script.as_ref().map(|_| answers(&w.name, first_boot.clone(), public, rules.as_deref()));
        let mut create = CreateInstance {
            label: w.name.clone(),
            region: self.resolved.region.id.clone(),
            type_id: self.resolved.types[w.type_index].id.clone(),
            image: self.resolved.image.id.clone(),
            tags: self.tags(cx),
            authorized_keys: vec![self.login.public.clone()],
            root_pass: Some(SecretRef::new(root_pass_id)),
            user_data: script.is_none().then_some(first_boot),
            stackscript_id: script.clone(),
            stackscript_data: answers.unwrap_or_default(),
            firewall_id: w.firewall.clone().filter(|_| !own_firewall),
            private_ip: w.private_ip,
            ..CreateInstance::default()
        };
        let client = self.toolkit.provider().await?.client.with_secrets(secrets);
        // Until each has its label and tags nobody else of ours may make one.
        let _births = match self.making.before {
            Some(_) => Some(self.toolkit.births().await?),
            None => None,
        };
        let mut tries = 0;
        loop {
            tries += 1;
            // Only where an earlier try may have left one: else nothing that is new can be ours.
            if cx.in_doubt || cx.attempt > 1 || tries > 1 {
                create.before.clone_from(&self.making.before);
            }
            match client.create_instance(&create).await {
                Ok(instance) => return Ok(instance),
                Err(error) => match self.after_failed_create(cx, error, tries).await? {
                    Some(instance) => return Ok(instance),
                    None => cx.events.note(format!("{}: it was not made; asking for it again", w.name)),
                },
            }
        }
    }

    /// What a create has made that gave no answer, or whose label is taken; none if it is to be sent again. That does no
    /// harm: the label is unique for the account, so at most one of all tries can take effect, and it carries our tag.
    async fn after_failed_create(
        &self,
        cx: &StepCx,
        error: ProviderError,
        tries: u32,
    ) -> Result<Option<Instance>, Failure> {
        let name = &self.wanted.name;
        let taken = error.kind == ErrorKind::Conflict && error.field.as_deref() == Some("label");
        let passes = matches!(error.retry, Some(Retry::Backoff | Retry::AfterMs(_))) && tries < TRIES;
        if !taken && !error.is_ambiguous() && !passes {
            return Err(Failure::from(error).on(name));
        }
        let sandbox = self.toolkit.settings().sandbox;
        let now = cx.now_ms();
        let until_ms = match (taken, tries < TRIES) {
            // There is one with this label: it shows before long.
            (true, _) => now + millis(if sandbox { HIDES_IN_SANDBOX } else { HIDES }),
            (false, true) => now + millis(if sandbox { AGAIN_IN_SANDBOX } else { AGAIN }),
            // Not from the intent: the request may have waited for its turn ever since.
            (false, false) => now + millis(in_doubt(self.toolkit)),
        };
        let unknown = |why: String| {
            Failure::new(FailureKind::Interrupted, format!("no answer whether it was made: {error}; {why}"))
                .hint("begin again when the provider answers: it is then found, or made")
                .on(name)
        };
        match self.look_for(cx, until_ms).await {
            Ok(Found::Ours(found)) => {
                cx.events.note(format!("{name}: no answer told of it ({error}), but it was made: Linode {}", found.id));
                Ok(Some(found))
            }
            Ok(Found::Strangers(found)) => Err(label_taken(self.toolkit, name, &found)),
            Ok(Found::Nothing) if taken => Err(unknown("its label is taken, and nothing shows by whom".into())),
            Ok(Found::Nothing) if tries < TRIES => Ok(None),
            Ok(Found::Nothing) => Err(Failure::from(error).on(name)),
            // It may still appear: the step stays in doubt and is looked for when the run is resumed.
            Err(look) => Err(unknown(format!("and looking for it failed: {look}"))),
        }
    }

    /// Looks for what a create without an answer has made, once and until then. A cancel cuts this where it waits, and
    /// the step stays in doubt.
    async fn look_for(&self, cx: &StepCx, until_ms: u64) -> Result<Found, Failure> {
        let pause = if self.toolkit.settings().sandbox { LOOK / 10 } else { LOOK };
        let left_ms = until_ms.saturating_sub(cx.now_ms());
        let name = &self.wanted.name;
        // Counted too, for a clock that is set back must not make this endless.
        for look in 0..=u128::from(left_ms) / pause.as_millis() + 1 {
            match by_label(self.toolkit, name).await? {
                Some(found) if self.is_ours(cx, &found)? => return Ok(Found::Ours(found)),
                // A label is given once: with another holder, ours cannot appear.
                Some(found) => return Ok(Found::Strangers(found)),
                None if cx.now_ms() >= until_ms => return Ok(Found::Nothing),
                None => {}
            }
            if look == 0 {
                let left = left_ms.div_ceil(1000);
                cx.events.note(format!("{name}: the answer of its create is lost; looking for it for up to {left} s"));
            }
            cx.time.sleep(pause).await;
        }
        Ok(Found::Nothing)
    }

    /// Made by this step, or the very one that the inventory means.
    fn is_ours(&self, cx: &StepCx, instance: &Instance) -> Result<bool, Failure> {
        if instance.tags.contains(&cx.tag()) || cx.earlier_tags().iter().any(|tag| instance.tags.contains(tag)) {
            return Ok(true);
        }
        let known = self.toolkit.inventory().node(self.toolkit.context(), &self.wanted.name)?;
        Ok(known.is_some_and(|node| is_same(&node, instance)))
    }

    fn done(&self, cx: &StepCx, instance: Instance) -> Done<EnsuredNode> {
        let w = self.wanted;
        let price = self.resolved.types[w.type_index].price_in(&self.resolved.region.id);
        // Not every provider can say what a node was made of.
        let image = if instance.image.is_empty() { self.resolved.image.id.clone() } else { instance.image.clone() };
        let node = Node {
            image,
            name: w.name.clone(),
            cluster: w.cluster.clone(),
            role: w.role.clone(),
            host_keys: vec![self.hosts.first.public.clone(), self.hosts.lasting.public.clone()],
            key_ref: Some(self.login.clone()),
            ..self.toolkit.node_of(cx, instance, Some(price))
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
        // From then on what was asked for cannot appear any more.
        let until_ms = cx.intent_ms + millis(in_doubt(self.toolkit));
        match self.look_for(cx, until_ms).await? {
            Found::Ours(found) => Ok(Some(self.done(cx, found))),
            Found::Strangers(_) | Found::Nothing => Ok(None),
        }
    }
}

/// A node of that name that the inventory has.
pub(super) fn name_taken(toolkit: &Toolkit, node: &Node) -> Failure {
    let (name, id) = (&node.name, &node.id);
    let maker = RunId::parse(&node.created_by_run).and_then(|run| toolkit.runs().summary(&run).ok());
    let conflict = |message: String, hint: String| Failure::new(FailureKind::Conflict, message).hint(hint);
    match maker.filter(|run| run.resumable) {
        Some(run) => conflict(
            format!(
                "there is a node {name} already, Linode {id}, made by run {} (`{}`), which was cut off",
                run.id, run.title
            ),
            format!("go on with it: linodetool runs resume {}", run.id),
        ),
        None => conflict(
            format!("there is a node {name} already: id {id} in the inventory"),
            "choose another name, or delete that one first".into(),
        ),
    }
}

/// A Linode that has the label and is not this step's: made by another run of ours, or by somebody else.
pub(crate) fn label_taken(toolkit: &Toolkit, name: &str, found: &Instance) -> Failure {
    let id = &found.id;
    let conflict = |message: String, hint: String| Failure::new(FailureKind::Conflict, message).hint(hint).on(name);
    // If the journal cannot be read, nothing more is known of it.
    let Some(maker) = toolkit.runs().maker_of(&[EnsureNode::OP], &found.tags).ok().flatten() else {
        let message = format!("the account has a Linode {id} with the label {name} that this inventory does not know");
        return conflict(message, "choose another name, or rename or delete that Linode".into());
    };
    let (run, title) = (&maker.id, &maker.title);
    if maker.status == Status::Running {
        let message = format!("Linode {id} with the label {name} is being made by run {run} (`{title}`)");
        return conflict(message, format!("wait for its end: linodetool runs log {run} --follow"));
    }
    if maker.resumable {
        let message = format!("Linode {id} with the label {name} was made by run {run} (`{title}`), which was cut off");
        return conflict(message, format!("go on with it, nothing is made twice: linodetool runs resume {run}"));
    }
    let message =
        format!("Linode {id} with the label {name} was made by run {run} (`{title}`) in context {}", maker.context);
    conflict(message, "choose another name, or delete that Linode in its own context".into())
}

pub(super) async fn by_label(toolkit: &Toolkit, label: &str) -> Result<Option<Instance>, Failure> {
    let wanted = ListInstances { label: Some(label.into()), ..ListInstances::default() };
    Ok(toolkit.provider().await?.client.list_instances(&wanted).await?.items.into_iter().next())
}
