//! Cloud Firewalls of clusters.

use linodetool_plugin::{ById, CreateFirewall, Firewall, ListFirewalls, SetFirewallRules};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

use crate::core::ids::hex;
use crate::core::{Failure, FailureKind};
use crate::inventory::{Change, Cluster, Node, Resource};
use crate::runs::{Done, Effect, Kind, StepCx, StepError};
use crate::toolkit::firewall_rules::{cluster_rules, member_addresses};
use crate::toolkit::{At, Repeatable, Toolkit};

/// What ensuring a firewall found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ensured {
    pub id: String,
    pub changed: bool,
}

/// The cluster's firewall, made with SSH alone let in if it is not there.
#[derive(Serialize)]
pub(crate) struct EnsureFirewall<'a> {
    pub cluster: &'a str,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

/// Creates in all whose answers are lost.
const TRIES: u32 = 4;

/// Labels have 3 to 32 characters (Linode API v4, `POST /networking/firewalls`).
pub(crate) fn label(context: &str, cluster: &str) -> String {
    let plain = format!("lt-{cluster}");
    if context == "default/default" && plain.len() <= 32 {
        return plain;
    }
    let digest = hex(&Sha256::digest(format!("{context}/{cluster}")));
    format!("lt-{}-{}", &cluster[..cluster.len().min(16)].trim_end_matches(['-', '_', '.']), &digest[..10])
}

impl EnsureFirewall<'_> {
    async fn find(&self, cx: &StepCx) -> Result<Option<Firewall>, Failure> {
        let client = &self.toolkit.provider().await?.client;
        let label = label(self.toolkit.context(), self.cluster);
        let wanted = ListFirewalls { label: Some(label.clone()), tag: None };
        let Some(found) = client.list_firewalls(&wanted).await?.items.into_iter().next() else {
            return Ok(None);
        };
        let ours = cx.cluster_tag(self.toolkit.context(), self.cluster);
        if found.tags.contains(&ours) {
            return Ok(Some(found));
        }
        Err(Failure::new(
            FailureKind::Conflict,
            format!("firewall {label} (id {}) exists and does not belong to cluster {}", found.id, self.cluster),
        )
        .hint("choose another cluster name, or rename or delete that firewall"))
    }

    /// One that was there: this step's own only if an attempt of it marked it. A cluster tag alone says that some run made it.
    fn found(&self, cx: &StepCx, found: Firewall) -> Result<Done<Ensured>, Failure> {
        let made = cx.earlier_tags().into_iter().chain([cx.tag()]).any(|tag| found.tags.contains(&tag));
        self.done(cx, found.id, made)
    }

    /// `changed`: this step has made it, now or in an attempt before.
    fn done(&self, cx: &StepCx, id: String, changed: bool) -> Result<Done<Ensured>, Failure> {
        let (context, name) = (self.toolkit.context(), label(self.toolkit.context(), self.cluster));
        let known = self.toolkit.inventory().resource(context, "firewall", &name)?;
        if !changed && known.is_some_and(|row| row.id == id) {
            return Ok(Ensured { id, changed }.into());
        }
        let row = Resource {
            kind: "firewall".into(),
            name,
            context: context.into(),
            provider: self.toolkit.settings().provider.clone(),
            id: id.clone(),
            cluster: Some(self.cluster.into()),
            created_by_run: if changed { cx.run.to_string() } else { String::new() },
            created_ms: self.toolkit.time().now_ms(),
            ..Resource::default()
        };
        Ok(Done { value: Ensured { id, changed }, changes: vec![Change::put_resource(row)] })
    }
}

impl Effect for EnsureFirewall<'_> {
    const OP: &'static str = "firewalls.ensure";
    const KIND: Kind = Kind::Write;
    type Out = Ensured;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Ensured>, Failure> {
        if let Some(found) = self.find(cx).await? {
            return self.found(cx, found);
        }
        let create = CreateFirewall {
            label: label(self.toolkit.context(), self.cluster),
            tags: vec![cx.cluster_tag(self.toolkit.context(), self.cluster), cx.tag()],
            rules: cluster_rules(&[]),
        };
        let client = &self.toolkit.provider().await?.client;
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match client.create_firewall(&create).await {
                Ok(made) => return self.done(cx, made.id, true),
                Err(error) => error,
            };
            // The answer may have been lost after the effect: look before giving up. Its label is given once, so that
            // another try makes no second one.
            match self.find(cx).await {
                Ok(Some(found)) => return self.found(cx, found),
                Ok(None) if error.is_ambiguous() && tries < TRIES => {}
                Err(look) if error.is_ambiguous() => {
                    let message =
                        format!("no answer whether the firewall was made: {error}; and looking failed: {look}");
                    return Err(Failure::new(FailureKind::Interrupted, message)
                        .hint("begin again when the provider answers: it is then found, or made"));
                }
                _ => return Err(error.into()),
            }
        }
    }

    async fn reconcile(&self, cx: &StepCx) -> Result<Option<Done<Ensured>>, Failure> {
        self.find(cx).await?.map(|found| self.found(cx, found)).transpose()
    }
}

/// Lets the members reach each other; nothing if the rules say so already.
#[derive(Serialize)]
pub(crate) struct SetMembers<'a> {
    pub firewall: &'a str,
    /// Addresses of all members.
    pub members: Vec<String>,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

/// Setting all rules twice does no harm.
impl Repeatable for SetMembers<'_> {
    const OP: &'static str = "firewalls.set_members";
    const KIND: Kind = Kind::Write;
    type Out = bool;

    async fn perform(&self, cx: &StepCx) -> Result<Done<bool>, Failure> {
        let client = &self.toolkit.provider().await?.client;
        let rules = cluster_rules(&self.members);
        let present = client.get_firewall(&ById::new(self.firewall)).await?;
        if present.rules == rules {
            return Ok(cx.in_doubt.into());
        }
        client.set_firewall_rules(&SetFirewallRules { id: self.firewall.into(), rules }).await?;
        Ok(true.into())
    }
}

impl Toolkit {
    /// Lets these nodes reach each other through their cluster's firewall; whether it had to be changed.
    pub(crate) fn set_members(&self, at: At<'_>, firewall: &str, nodes: &[Node]) -> Result<bool, StepError> {
        let members = member_addresses(nodes);
        if firewall == Cluster::ON_NODES {
            return self.set_node_members(at, nodes, &members);
        }
        at.step(&SetMembers { firewall, members, toolkit: self })
    }

    /// The address of a machine that is gone is soon a stranger's: the firewalls of these clusters let in their members and
    /// nobody else. To be asked by who has the clusters' locks, after the rows of the machines are gone.
    pub(crate) fn close_ranks(&self, at: At<'_>, clusters: &BTreeSet<String>) -> Result<(), StepError> {
        if clusters.is_empty() {
            return Ok(());
        }
        for members in self.list_clusters(at)? {
            let name = &members.cluster.name;
            let Some(firewall) = members.cluster.firewall_id.as_ref().filter(|_| clusters.contains(name)) else {
                continue;
            };
            match self.set_members(at, firewall, &members.nodes) {
                // One that is gone lets nobody in.
                Err(StepError::Failed(failure)) if failure.kind == FailureKind::NotFound => {}
                Err(StepError::Failed(failure)) => {
                    let text = "its firewall still lets in the addresses of what is gone, until it is ensured again";
                    self.events().note(format!("cluster {name}: {text}: {failure}"));
                }
                other => drop(other?),
            }
        }
        Ok(())
    }
}

/// Destroys a cluster's firewall; fine if it is gone.
#[derive(Serialize)]
pub(crate) struct DeleteFirewall<'a> {
    pub firewall: &'a str,
    pub cluster: &'a str,
    #[serde(skip)]
    pub toolkit: &'a Toolkit,
}

impl Repeatable for DeleteFirewall<'_> {
    const OP: &'static str = "firewalls.delete";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        let deleted = self.toolkit.provider().await?.client.delete_firewall(&ById::new(self.firewall)).await;
        if let Err(error) = deleted
            && error.kind != linodetool_plugin::ErrorKind::NotFound
        {
            return Err(error.into());
        }
        let context = self.toolkit.context();
        let gone = Change::remove_resource(context, "firewall", label(context, self.cluster));
        Ok(Done { value: (), changes: vec![gone] })
    }
}
