//! nodes: machines one by one. What clusters do with many is made of these steps.

mod course;
mod ensure;
mod gone;
mod making;
mod new;
mod power;
mod ready;
mod records;
mod remade;

use linodetool_plugin::{Instance, InstanceStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

use crate::inventory::Node;
use crate::runs::StepError;
use crate::toolkit::keys::EnsureKeys;
use crate::toolkit::plan::Plan;
use crate::toolkit::resources::{Destroy, Thing};
use crate::toolkit::{At, Toolkit};
pub(crate) use ensure::{EnsureNode, Wanted, hides_ms, in_doubt_ms, label_taken};
pub use gone::Lost;
use new::Confirmed;
pub(crate) use new::{check_name, planned};
pub use power::Power;
pub(crate) use ready::Ready;
pub(crate) use remade::{ForgetGone, Gone};

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
        let look = at.step(&new::LookNode { spec, toolkit: self })?;
        let plan = Plan {
            title: format!("node {}", spec.name),
            create: vec![planned(&spec.name, &look.resolved, 0)],
            ..Plan::default()
        };
        self.agreed(at, &plan)?;
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
        let (resolved, login) = (&look.resolved, &keys.login);
        let making = &self.prepare_making(at, resolved)?;
        let effect = EnsureNode { wanted: &wanted, resolved, login, making, hosts: &hosts, toolkit: self };
        let ensured = at.step(&effect)?;
        at.step(&Ready { node: &ensured.node, hosts: &hosts, toolkit: self }).map(|ready| ready.node)
    }

    /// A node of the inventory.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn node(&self, at: At<'_>, name: &str) -> Result<Node, StepError> {
        at.step(&records::GetNode { name, toolkit: self })
    }

    /// Nodes that a selector means: `web-1`, `cluster:hadoop`, `role:worker`, `hadoop-*`, several with commas.
    ///
    /// # Errors
    /// `NotFound` with near names if it means none.
    pub fn select_nodes(&self, at: At<'_>, selector: &str) -> Result<Vec<Node>, StepError> {
        at.step(&records::SelectNodes { selector, toolkit: self })
    }

    /// All nodes of the context.
    pub fn list_nodes(&self, at: At<'_>) -> Result<Vec<Node>, StepError> {
        at.step(&records::ListNodes { toolkit: self })
    }

    /// Destroys a node and its keys. Fine if the provider has lost it already; what has taken its id since is left alone.
    pub fn delete_node(&self, at: At<'_>, name: &str) -> Result<(), StepError> {
        self.delete_nodes(at, &[name.to_owned()])
    }

    /// The same for several at once, whatever clusters they are of; the firewalls of those let them in no more.
    pub fn delete_nodes(&self, at: At<'_>, names: &[String]) -> Result<(), StepError> {
        let nodes = names.iter().map(|name| self.node(at, name)).collect::<Result<Vec<_>, _>>()?;
        let clusters: BTreeSet<_> = nodes.iter().filter_map(|node| node.cluster.clone()).collect();
        let items: Vec<_> = nodes.iter().map(|node| (node.name.clone(), node)).collect();
        let in_order: Vec<_> = clusters.iter().map(String::as_str).collect();
        self.alone_with_all(at, &in_order, &mut || {
            at.lanes("nodes.delete", &items, |at, node| self.destroy_node(at, node))?;
            self.close_ranks(at, &clusters)
        })
    }

    /// One machine with its record; what it cost, it costs no more.
    pub(super) fn destroy_node(&self, at: At<'_>, node: &Node) -> Result<(), StepError> {
        at.step(&Destroy::of(&Thing::of_node(node), self))?;
        self.confirm().gone(&node.name, node.price_hourly.unwrap_or_default());
        Ok(())
    }

    /// Whoever pays says yes to what is about to be made.
    pub(super) fn agreed(&self, at: At<'_>, plan: &Plan) -> Result<(), StepError> {
        // Each time, also where the yes is in the journal: what is there counts for whatever is asked later.
        self.confirm().planned(plan);
        at.step(&Confirmed { plan, toolkit: self })
    }

    /// Starts, stops or restarts a node and waits until it is so.
    pub fn power_node(&self, at: At<'_>, name: &str, power: Power) -> Result<Node, StepError> {
        let node = self.node(at, name)?;
        at.step(&power::PowerNode { name, id: &node.id, power, node: &node, toolkit: self })?;
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
        at.step(&power::WaitNode { name, id: &node.id, status, limit_ms: millis(limit), toolkit: self })?;
        self.node(at, name)
    }
}

/// Whether the provider's instance is the node that the inventory means. Ids of another account, or of an earlier sandbox,
/// may be the same by chance; a label may have been changed by its owner, the tag of our step stays.
pub(crate) fn is_same(node: &Node, instance: &Instance) -> bool {
    let ours = |tag: &&String| tag.starts_with("lt-s-");
    instance.id == node.id
        && (instance.label == node.name || node.tags.iter().filter(ours).any(|tag| instance.tags.contains(tag)))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
