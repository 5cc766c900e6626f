//! adopt: a cluster's records made anew from its tags and labels, when the inventory is lost.
//!
//! What is found so may be anybody's word, so that a node stays locked until its keys are here: those of this computer's
//! secret store, or a file that was exported. Does not know that file.

use linodetool_plugin::{Instance, InstanceStatus, ListInstances, NoArguments, Type};
use serde::{Deserialize, Serialize};

use crate::core::{Failure, FailureKind};
use crate::inventory::store::natural_order;
use crate::inventory::{Change, Cluster, KeyRef, Node, Resource, Role};
use crate::runs::{Done, Kind, StepCx, StepError, cluster_tag};
use crate::toolkit::clusters::Members;
use crate::toolkit::keys::{host_key_names, key_ref};
use crate::toolkit::resources::{Thing, ours};
use crate::toolkit::{At, Repeatable, Toolkit};

/// What was found of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Adopted {
    /// Names of nodes that were not on record before.
    pub nodes: Vec<String>,
    /// Labels that say no role: somebody has changed them.
    pub without_role: Vec<String>,
}

impl Toolkit {
    /// Puts on record what carries the cluster's tag and is not there yet.
    ///
    /// # Errors
    /// `NotFound` if the account has nothing of it, `Conflict` if a name is another machine's in the inventory.
    pub fn adopt_cluster(&self, at: At<'_>, name: &str) -> Result<(Members, Adopted), StepError> {
        self.alone(at, name, || {
            let adopted = at.step(&Adopt { name, toolkit: self })?;
            let mut members = self.cluster(at, name)?;
            members.changed = !adopted.nodes.is_empty();
            self.count(members.changed);
            Ok((members, adopted))
        })
    }
}

#[derive(Serialize)]
struct Adopt<'a> {
    name: &'a str,
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

/// What is on record already is left as it is, so that once more does no harm.
impl Repeatable for Adopt<'_> {
    const OP: &'static str = "clusters.adopt";
    const KIND: Kind = Kind::Write;
    type Out = Adopted;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Adopted>, Failure> {
        let (toolkit, client) = (self.toolkit, &self.toolkit.provider().await?.client);
        let tag = cluster_tag(toolkit.context(), self.name);
        let found =
            client.list_instances(&ListInstances { tag: Some(tag.clone()), ..ListInstances::default() }).await?;
        let mut instances = found.items;
        instances.retain(|instance| instance.tags.contains(&tag) && instance.status != InstanceStatus::Deleting);
        instances.sort_by(|a, b| natural_order(&a.label, &b.label));
        let things = ours(client).await?;
        let firewall = things.iter().find(|thing| thing.kind == "firewall" && thing.carries(&tag));
        let known = toolkit.inventory().cluster(toolkit.context(), self.name)?;
        if instances.is_empty() && firewall.is_none() && known.is_none() {
            return Err(self.nothing(&things)?);
        }
        let types = client.list_types(&NoArguments {}).await?.items;
        let login = self.login()?;
        let on_record = toolkit.inventory().nodes(toolkit.context())?;
        let mut changes = Vec::new();
        let mut adopted = Adopted::default();
        for instance in &instances {
            if is_known(&on_record, instance)? {
                continue;
            }
            let node = self.node(cx, instance, &types, login.as_ref())?;
            if node.role.is_none() {
                adopted.without_role.push(node.name.clone());
            }
            adopted.nodes.push(node.name.clone());
            changes.push(Change::put_node(node));
        }
        if let Some(thing) = firewall {
            changes.extend(self.firewall(cx, thing)?);
        }
        if known.is_none() {
            let firewall = firewall.map(|thing| thing.id.clone());
            changes.push(Change::put_cluster(self.cluster(cx, &instances, firewall, login)));
        }
        Ok(Done { value: adopted, changes })
    }
}

impl Adopt<'_> {
    fn nothing(&self, things: &[Thing]) -> Result<Failure, Failure> {
        let mut names = Vec::new();
        for thing in things {
            names.extend(self.toolkit.cluster_of(thing)?);
        }
        names.sort();
        names.dedup();
        let (name, context) = (self.name, self.toolkit.context());
        let failure =
            Failure::not_found(format!("this account has nothing of a cluster `{name}` of the context {context}"));
        let hint = match names.as_slice() {
            [] => "is it another context (--context), or another account's token?".to_owned(),
            names => format!("it has something of: {}", names.join(", ")),
        };
        Ok(failure.hint(hint).near(name, names.iter().map(String::as_str)))
    }

    /// The cluster's own key to log in with, if this computer still has it.
    fn login(&self) -> Result<Option<KeyRef>, Failure> {
        let name = format!("generated/cluster/{}.login", self.name);
        self.toolkit.secret_store().get(&name)?.map(|key| key_ref(&name, &key)).transpose()
    }

    fn node(&self, cx: &StepCx, instance: &Instance, types: &[Type], login: Option<&KeyRef>) -> Result<Node, Failure> {
        let [_, lasting] = host_key_names(&instance.label);
        let host = self.toolkit.secret_store().get(&lasting)?.map(|key| key_ref(&lasting, &key)).transpose()?;
        let keys = login.cloned().zip(host);
        let price = types.iter().find(|r#type| r#type.id == instance.type_id);
        let price = price.map(|r#type| r#type.price_in(&instance.region));
        Ok(Node {
            cluster: Some(self.name.into()),
            role: role_of(self.name, &instance.label).map(str::to_owned),
            locked: keys.is_none(),
            host_keys: keys.iter().map(|(_, host)| host.public.clone()).collect(),
            key_ref: keys.map(|(login, _)| login),
            ..self.toolkit.node_of(cx, instance.clone(), price)
        })
    }

    fn firewall(&self, cx: &StepCx, thing: &Thing) -> Result<Option<Change>, Failure> {
        let rows = self.toolkit.inventory().resources(self.toolkit.context(), Some("firewall"))?;
        if rows.iter().any(|row| row.id == thing.id) {
            return Ok(None);
        }
        Ok(Some(Change::put_resource(Resource {
            kind: "firewall".into(),
            name: thing.label.clone(),
            context: self.toolkit.context().into(),
            provider: self.toolkit.settings().provider.clone(),
            id: thing.id.clone(),
            cluster: Some(self.name.into()),
            created_by_run: cx.run.to_string(),
            created_ms: cx.now_ms(),
            ..Resource::default()
        })))
    }

    fn cluster(
        &self,
        cx: &StepCx,
        instances: &[Instance],
        firewall_id: Option<String>,
        key_ref: Option<KeyRef>,
    ) -> Cluster {
        let mut roles: Vec<Role> = Vec::new();
        for instance in instances {
            let Some(role) = role_of(self.name, &instance.label) else { continue };
            match roles.iter_mut().find(|known| known.role == role) {
                Some(known) => known.count += 1,
                None => roles.push(Role { role: role.into(), count: 1, type_id: instance.type_id.clone() }),
            }
        }
        let first = instances.first();
        Cluster {
            name: self.name.into(),
            context: self.toolkit.context().into(),
            provider: self.toolkit.settings().provider.clone(),
            region: first.map(|instance| instance.region.clone()).unwrap_or_default(),
            image: first.map(|instance| instance.image.clone()).unwrap_or_default(),
            roles,
            firewall_id,
            key_ref,
            created_by_run: cx.run.to_string(),
            created_ms: cx.now_ms(),
            ..Cluster::default()
        }
    }
}

/// Whether this machine is on record.
fn is_known(on_record: &[Node], instance: &Instance) -> Result<bool, Failure> {
    if on_record.iter().any(|node| node.id == instance.id) {
        return Ok(true);
    }
    let Some(other) = on_record.iter().find(|node| node.name == instance.label) else { return Ok(false) };
    let message = format!("is on record as Linode {}, and the account has it as {}", other.id, instance.id);
    Err(Failure::new(FailureKind::Conflict, message)
        .hint("remove records of what is gone first: linodetool cluster gc")
        .on(&instance.label))
}

/// The role of `NAME-ROLE-NUMBER`.
fn role_of<'a>(cluster: &str, label: &'a str) -> Option<&'a str> {
    let (role, number) = label.strip_prefix(cluster)?.strip_prefix('-')?.rsplit_once('-')?;
    (!role.is_empty() && number.parse::<u32>().is_ok_and(|number| number > 0)).then_some(role)
}

#[cfg(test)]
mod tests {
    use super::role_of;

    #[test]
    fn a_label_tells_the_role() {
        assert_eq!(role_of("hadoop", "hadoop-worker-12"), Some("worker"));
        assert_eq!(role_of("a-b", "a-b-data-node-1"), Some("data-node"));
        for label in ["hadoop-worker", "hadoop-1", "worker-1", "hadoop-worker-x", "hadoop--1", "hadoopx-worker-1"] {
            assert_eq!(role_of("hadoop", label), None, "{label}");
        }
    }
}
