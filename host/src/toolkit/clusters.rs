//! clusters: named sets of nodes in roles, brought to what a recipe asks for and never destroyed on the way.

use linodetool_plugin::{Instance, ListInstances, Type};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

use crate::core::{Failure, FailureKind};
use crate::inventory::{Change, Cluster, KeyRef, Node, Role};
use crate::runs::{Done, Kind, StepCx, StepError};
use crate::toolkit::firewall_rules::{MOST_MEMBERS, member_addresses};
use crate::toolkit::firewalls::{DeleteFirewall, EnsureFirewall, Ensured};
use crate::toolkit::info::{Resolved, resolved};
use crate::toolkit::keys::{EnsureKeys, HostKeys, forget, locked};
use crate::toolkit::nodes::{EnsureNode, ForgetGone, Gone, Ready, Wanted, check_name, is_same, label_taken, planned};
use crate::toolkit::plan::Plan;
use crate::toolkit::{At, Repeatable, Toolkit};

/// A cluster as it is asked for. Names of region, types and image may be loose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterSpec {
    /// Nodes are named `NAME-ROLE-1`, `NAME-ROLE-2`, ...
    pub name: String,
    pub region: String,
    pub image: String,
    pub roles: Vec<RoleSpec>,
    /// Drop all inbound but SSH and the members' own traffic.
    #[serde(default = "yes")]
    pub firewall: bool,
    /// Give each node an address in the region's private network.
    #[serde(default = "yes")]
    pub private_ip: bool,
    #[serde(default)]
    pub tags: Vec<String>,
    /// A secret that holds the private key to log in with; by default one is made.
    #[serde(default)]
    pub ssh_key: Option<String>,
}

fn yes() -> bool {
    true
}

/// Nodes of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleSpec {
    pub role: String,
    #[serde(default = "one")]
    pub count: u32,
    #[serde(rename = "type")]
    pub type_id: String,
}

fn one() -> u32 {
    1
}

/// A cluster and its nodes, by role and number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Members {
    pub cluster: Cluster,
    pub nodes: Vec<Node>,
    /// Whether anything was made or changed to get here.
    pub changed: bool,
}

impl Toolkit {
    /// Makes what is missing of a cluster; answers when every node answers over SSH.
    ///
    /// # Errors
    /// `Conflict` where the cluster would have to lose or replace nodes: nothing is done then.
    pub fn ensure_cluster(&self, at: At<'_>, spec: &ClusterSpec) -> Result<Members, StepError> {
        check(spec).map_err(StepError::Failed)?;
        self.alone(at, &spec.name, || self.ensure_alone(at, spec))
    }

    fn ensure_alone(&self, at: At<'_>, spec: &ClusterSpec) -> Result<Members, StepError> {
        let look = at.step(&Look { spec, toolkit: self })?;
        let wanted = wanted_nodes(spec);
        agrees(spec, &look, &wanted).map_err(StepError::Failed)?;
        let there: HashSet<&str> = look.nodes.iter().map(|node| node.name.as_str()).collect();
        let missing = wanted.iter().filter(|w| !there.contains(w.name.as_str()));
        let plan = Plan {
            title: format!("cluster {}", spec.name),
            create: missing.map(|w| planned(&w.name, &look.resolved, w.type_index)).collect(),
            present: look.nodes.len(),
            present_nodes: look
                .nodes
                .iter()
                .map(|node| (node.name.clone(), node.price_hourly.unwrap_or(0.0)))
                .collect(),
        };
        self.agreed(at, &plan)?;
        if !look.gone.is_empty() {
            at.step(&ForgetGone { nodes: &look.gone, toolkit: self })?;
        }
        let keys = at.step(&EnsureKeys {
            login: format!("cluster/{}", spec.name),
            given: spec.ssh_key.as_deref(),
            nodes: wanted.iter().map(|w| w.name.clone()).collect(),
            toolkit: self,
        })?;
        let firewall = match spec.firewall {
            true if look.on_nodes => Some(Ensured { id: Cluster::ON_NODES.to_owned(), changed: false }),
            true => Some(at.step(&EnsureFirewall { cluster: &spec.name, toolkit: self })?),
            false => None,
        };
        let firewall_id = firewall.as_ref().map(|f| f.id.clone());
        let record =
            Record { spec, firewall: firewall_id.clone(), login: &keys.login, resolved: &look.resolved, toolkit: self };
        let cluster = at.step(&record)?;
        let items: Vec<_> = wanted
            .into_iter()
            .map(|mut w| {
                w.firewall.clone_from(&firewall_id);
                let hosts = keys.hosts.get(&w.name).cloned().unwrap_or_default();
                (w.name.clone(), (w, hosts))
            })
            .collect();
        let (login, making) = (&keys.login, &self.prepare_making(at, &look.resolved)?);
        let made = at.lanes("clusters.nodes", &items, |at, (wanted, hosts): &(Wanted, HostKeys)| {
            let resolved = &look.resolved;
            let ensured = at.step(&EnsureNode { wanted, resolved, login, making, hosts, toolkit: self })?;
            let ready = at.step(&Ready { node: &ensured.node, hosts, toolkit: self })?;
            Ok((ready.node, ensured.changed || ready.changed))
        })?;
        let mut changed = made.iter().any(|(_, changed)| *changed) || firewall.is_some_and(|f| f.changed);
        let nodes: Vec<Node> = made.into_iter().map(|(node, _)| node).collect();
        if let Some(id) = &firewall_id {
            changed |= self.set_members(at, id, &nodes)?;
        }
        self.count(changed);
        Ok(Members { cluster, nodes, changed })
    }

    /// A cluster of the inventory with its nodes.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn cluster(&self, at: At<'_>, name: &str) -> Result<Members, StepError> {
        at.step(&GetCluster { name, toolkit: self })
    }

    /// All clusters of the context.
    pub fn list_clusters(&self, at: At<'_>) -> Result<Vec<Members>, StepError> {
        at.step(&ListClusters { toolkit: self })
    }

    /// Destroys a cluster's nodes, firewall and keys. What is gone already is fine.
    pub fn destroy_cluster(&self, at: At<'_>, name: &str) -> Result<(), StepError> {
        self.alone(at, name, || self.destroy_alone(at, name))
    }

    fn destroy_alone(&self, at: At<'_>, name: &str) -> Result<(), StepError> {
        let members = self.cluster(at, name)?;
        let items: Vec<_> = members.nodes.iter().map(|node| (node.name.clone(), node)).collect();
        at.lanes("clusters.delete_nodes", &items, |at, node| self.destroy_node(at, node))?;
        if let Some(firewall) = members.cluster.cloud_firewall() {
            at.step(&DeleteFirewall { firewall, cluster: name, toolkit: self })?;
        }
        at.step(&Forget { name, toolkit: self })
    }
}

impl Members {
    /// By which its nodes are let in.
    pub(crate) fn addresses(&self) -> Vec<String> {
        member_addresses(&self.nodes)
    }
}

fn check(spec: &ClusterSpec) -> Result<(), Failure> {
    if spec.roles.is_empty() {
        return Err(Failure::usage(format!("cluster {} has no roles", spec.name))
            .field("roles")
            .hint("give at least one: roles: [#{ role: \"node\", count: 3, type: \"g6-nanode-1\" }]"));
    }
    for (i, role) in spec.roles.iter().enumerate() {
        if role.count == 0 {
            return Err(Failure::usage(format!("role {} has count 0", role.role))
                .field("count")
                .hint("leave the role out, or ask for at least one"));
        }
        if spec.roles[..i].iter().any(|other| other.role == role.role) {
            return Err(Failure::usage(format!("role {} is given twice", role.role))
                .field("roles")
                .hint("give it once, with the sum of both counts"));
        }
        check_name(&format!("{}-{}-{}", spec.name, role.role, role.count))?;
    }
    let nodes: u64 = spec.roles.iter().map(|role| u64::from(role.count)).sum();
    if spec.firewall && nodes > MOST_MEMBERS as u64 {
        let name = &spec.name;
        let message =
            format!("cluster {name} would have {nodes} nodes, and a firewall knows at most {MOST_MEMBERS} members");
        return Err(Failure::usage(message).field("count").hint(
            "make several clusters, or ask for one without a firewall (firewall: false) and keep strangers out on the nodes",
        ));
    }
    Ok(())
}

/// All nodes of the spec, in the order of roles and numbers.
fn wanted_nodes(spec: &ClusterSpec) -> Vec<Wanted> {
    let numbered = spec.roles.iter().enumerate().flat_map(|(i, role)| (1..=role.count).map(move |n| (i, role, n)));
    numbered
        .map(|(type_index, role, number)| Wanted {
            name: format!("{}-{}-{number}", spec.name, role.role),
            cluster: Some(spec.name.clone()),
            role: Some(role.role.clone()),
            type_index,
            tags: spec.tags.clone(),
            private_ip: spec.private_ip,
            firewall: None,
        })
        .collect()
}

/// What an `ensure` must not do: lose nodes, move them, or make them anew.
fn agrees(spec: &ClusterSpec, look: &Looked, wanted: &[Wanted]) -> Result<(), Failure> {
    let conflict = |message: String, hint: String| Err(Failure::new(FailureKind::Conflict, message).hint(hint));
    let name = &spec.name;
    let another = "ask for what it has, or make another cluster under another name";
    if look.guarded && !spec.firewall {
        return conflict(
            format!("cluster {name} has a firewall; an ensure opens no cluster"),
            format!("leave `firewall: false` out, or begin anew: linodetool cluster destroy {name}"),
        );
    }
    if let Some(cluster) = &look.cluster {
        let (has, wants) = (&cluster.region, &look.resolved.region.id);
        if has != wants {
            return conflict(
                format!("cluster {name} is in region {has}, not {wants}; nodes are never moved"),
                another.into(),
            );
        }
        let (has, wants) = (&cluster.image, &look.resolved.image.id);
        if has != wants {
            return conflict(
                format!("cluster {name} is made of image {has}, not {wants}; nodes are never replaced"),
                another.into(),
            );
        }
    }
    let by_name: HashMap<&str, &Wanted> = wanted.iter().map(|w| (w.name.as_str(), w)).collect();
    for node in &look.nodes {
        if node.locked {
            return Err(locked(node));
        }
        let Some(w) = by_name.get(node.name.as_str()) else {
            return conflict(
                format!(
                    "cluster {name} has a node {} more than asked for; nodes are never destroyed by an ensure",
                    node.name
                ),
                format!(
                    "ask for as many as there are, or decommission it and then: linodetool node delete {}",
                    node.name
                ),
            );
        };
        let wants = &look.resolved.types[w.type_index].id;
        if &node.type_id != wants {
            return conflict(
                format!(
                    "{} is of type {}, not {wants}; nodes are never replaced by an ensure",
                    node.name, node.type_id
                ),
                another.into(),
            );
        }
    }
    Ok(())
}

/// What is there before a cluster is ensured.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Looked {
    resolved: Resolved,
    cluster: Option<Cluster>,
    /// It has a firewall, even if it has no node left.
    #[serde(default)]
    guarded: bool,
    /// The provider has no firewalls: nodes have their own.
    #[serde(default)]
    on_nodes: bool,
    /// Of the inventory, and still on the account.
    nodes: Vec<Node>,
    /// Of the inventory, and not on the account any more.
    #[serde(default)]
    gone: Vec<Gone>,
}

#[derive(Serialize)]
struct Look<'a> {
    spec: &'a ClusterSpec,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Look<'_> {
    const OP: &'static str = "clusters.look";
    const KIND: Kind = Kind::Read;
    type Out = Looked;

    async fn perform(&self, _: &StepCx) -> Result<Done<Looked>, Failure> {
        let (spec, toolkit) = (self.spec, self.toolkit);
        let types: Vec<String> = spec.roles.iter().map(|role| role.type_id.clone()).collect();
        let resolved = resolved(toolkit, &spec.region, &types, &spec.image).await?;
        let on_nodes = !toolkit.provider().await?.client.has("firewalls");
        if spec.firewall && on_nodes && !resolved.birth.by_script {
            let message = format!("provider {} has no firewalls", toolkit.settings().provider);
            return Err(
                Failure::new(FailureKind::Unsupported, message).hint("ask for a cluster without one: firewall: false")
            );
        }
        let cluster = toolkit.inventory().cluster(toolkit.context(), &spec.name)?;
        let mut nodes = toolkit.inventory().nodes_of(toolkit.context(), &spec.name)?;
        // One list tells what is left of ours, and whose labels stand in the way.
        let client = &toolkit.provider().await?.client;
        let present = client.list_instances(&ListInstances::default()).await?.items;
        let by_id: HashMap<&str, &Instance> = present.iter().map(|one| (one.id.as_str(), one)).collect();
        let mut missing: HashSet<String> = wanted_nodes(spec).into_iter().map(|w| w.name).collect();
        let is_gone = |node: &&Node| missing.contains(&node.name) && !by_id.contains_key(node.id.as_str());
        let gone = nodes.iter().filter(is_gone).filter_map(|node| Gone::of(toolkit, node)).collect();
        nodes.retain(|node| by_id.get(node.id.as_str()).is_some_and(|instance| is_same(node, instance)));
        for node in &nodes {
            missing.remove(&node.name);
        }
        if let Some(found) = present.iter().find(|instance| missing.contains(&instance.label)) {
            return Err(label_taken(toolkit, &found.label, found));
        }
        // A cluster without a node left binds nobody to its region or image.
        let guarded = cluster.as_ref().is_some_and(|cluster| cluster.firewall_id.is_some());
        let cluster = cluster.filter(|_| !nodes.is_empty());
        Ok(Looked { resolved, cluster, guarded, on_nodes, nodes, gone }.into())
    }
}

/// Writes the cluster's row, before any of its nodes is made.
#[derive(Serialize)]
struct Record<'a> {
    spec: &'a ClusterSpec,
    firewall: Option<String>,
    login: &'a KeyRef,
    #[serde(skip)]
    resolved: &'a Resolved,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Record<'_> {
    const OP: &'static str = "clusters.record";
    const KIND: Kind = Kind::Write;
    type Out = Cluster;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Cluster>, Failure> {
        let (spec, toolkit) = (self.spec, self.toolkit);
        let before = toolkit.inventory().cluster(toolkit.context(), &spec.name)?;
        let role = |(role, r#type): (&RoleSpec, &Type)| Role {
            role: role.role.clone(),
            count: role.count,
            type_id: r#type.id.clone(),
        };
        let cluster = Cluster {
            name: spec.name.clone(),
            context: toolkit.context().into(),
            provider: toolkit.settings().provider.clone(),
            region: self.resolved.region.id.clone(),
            image: self.resolved.image.id.clone(),
            roles: spec.roles.iter().zip(&self.resolved.types).map(role).collect(),
            firewall_id: self.firewall.clone(),
            key_ref: Some(self.login.clone()),
            created_by_run: before.as_ref().map_or_else(|| cx.run.to_string(), |c| c.created_by_run.clone()),
            created_ms: before.map_or_else(|| cx.now_ms(), |c| c.created_ms),
            ..Cluster::default()
        };
        Ok(Done { value: cluster.clone(), changes: vec![Change::put_cluster(cluster)] })
    }
}

#[derive(Serialize)]
struct GetCluster<'a> {
    name: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for GetCluster<'_> {
    const OP: &'static str = "clusters.get";
    const KIND: Kind = Kind::Read;
    type Out = Members;

    async fn perform(&self, _: &StepCx) -> Result<Done<Members>, Failure> {
        let cluster = self.toolkit.inventory().expect_cluster(self.toolkit.context(), self.name)?;
        Ok(members(self.toolkit, cluster)?.into())
    }
}

pub(crate) fn members(toolkit: &Toolkit, cluster: Cluster) -> Result<Members, Failure> {
    let mut nodes = toolkit.inventory().nodes_of(toolkit.context(), &cluster.name)?;
    let place = |node: &Node| {
        let role = cluster.roles.iter().position(|r| Some(&r.role) == node.role.as_ref()).unwrap_or(usize::MAX);
        let number = node.name.rsplit('-').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(u64::MAX);
        (role, number, node.name.clone())
    };
    nodes.sort_by_key(place);
    Ok(Members { cluster, nodes, changed: false })
}

#[derive(Serialize)]
struct ListClusters<'a> {
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for ListClusters<'_> {
    const OP: &'static str = "clusters.list";
    const KIND: Kind = Kind::Read;
    type Out = Vec<Members>;

    async fn perform(&self, _: &StepCx) -> Result<Done<Vec<Members>>, Failure> {
        let clusters = self.toolkit.inventory().clusters(self.toolkit.context())?;
        let all = clusters.into_iter().map(|c| members(self.toolkit, c)).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into())
    }
}

/// Removes a destroyed cluster's row and login key.
#[derive(Serialize)]
struct Forget<'a> {
    name: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for Forget<'_> {
    const OP: &'static str = "clusters.forget";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        forget(self.toolkit, &format!("cluster/{}.login", self.name)).await?;
        Ok(Done { value: (), changes: vec![Change::remove_cluster(self.toolkit.context(), self.name)] })
    }
}
