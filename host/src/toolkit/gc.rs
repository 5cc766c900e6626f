//! gc: what is billed and belongs to nothing, and what is on record and is gone.
//!
//! Only what a run of this state directory made is ever destroyed: a tag is a hash, and says nothing of who else may have
//! put it there. Does not know how findings are shown or confirmed.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};

use crate::core::Failure;
use crate::runs::{Create, RunFilter, RunSummary, Status, StepError, cluster_tag};
use crate::toolkit::nodes::in_doubt_ms;
use crate::toolkit::resources::{ForgetLost, KINDS, LINODE, Thing, is_there, ours, price};
use crate::toolkit::undo::{ForgetUnused, Keys, Left, Refused, Undone};
use crate::toolkit::{At, Toolkit};

/// What does not belong together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Garbage {
    /// Made by a run of ours, and on no record.
    pub orphans: Vec<Orphan>,
    /// On record, and gone.
    pub lost: Vec<Thing>,
    /// Clusters of which nothing is left but the record.
    pub clusters: Vec<String>,
    /// Carries our tags, belongs to nothing here, and is left alone all the same.
    pub spared: Vec<Left>,
    /// Of all that is on record nothing is there.
    pub all_lost: bool,
}

/// Something that no record tells of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    pub thing: Thing,
    /// The run that made it.
    pub made_by: String,
}

impl Garbage {
    /// There is nothing to mend.
    pub fn is_empty(&self) -> bool {
        self.orphans.is_empty() && self.lost.is_empty() && self.clusters.is_empty()
    }
}

impl Toolkit {
    /// Compares the account with the inventory of this context.
    ///
    /// # Errors
    /// What the provider says.
    pub async fn find_garbage(&self) -> Result<Garbage, Failure> {
        self.check_account_of_records().await?;
        let client = &self.provider().await?.client;
        // The journal is read after the account: what is made in between is not seen at all, rather than seen without its run.
        let things = ours(client).await?;
        let operations: Vec<_> = KINDS.iter().map(|kind| kind.made_by).collect();
        let (creates, runs) = (self.runs().creates(&operations)?, self.runs().list(&RunFilter::default())?);
        let journal = Journal::new(&creates, &runs);
        let mut garbage = Garbage::default();
        let known = self.known_ids()?;
        for thing in &things {
            if !known.contains(&(thing.kind.clone(), thing.id.clone())) {
                self.judge(&mut garbage, &journal, thing.clone())?;
            }
        }
        spare_guards(&mut garbage);
        self.find_lost(&mut garbage, &journal, &things).await?;
        let mut orphans: Vec<_> = garbage.orphans.iter().map(|orphan| orphan.thing.clone()).collect();
        price(client, &mut orphans).await?;
        for (orphan, thing) in garbage.orphans.iter_mut().zip(orphans) {
            orphan.thing = thing;
        }
        Ok(garbage)
    }

    /// Kind and id of all that any context of this state directory has on record at this provider.
    fn known_ids(&self) -> Result<BTreeSet<(String, String)>, Failure> {
        let (inventory, provider) = (self.inventory(), &self.settings().provider);
        let mut known = BTreeSet::new();
        for context in inventory.contexts()? {
            let nodes = inventory.nodes(&context)?.into_iter().filter(|node| node.provider == *provider);
            known.extend(nodes.map(|node| (LINODE.to_owned(), node.id)));
            let rows = inventory.resources(&context, None)?.into_iter().filter(|row| row.provider == *provider);
            known.extend(rows.filter_map(|row| Thing::of_resource(&row)).map(|thing| (thing.kind, thing.id)));
            let clusters = inventory.clusters(&context)?.into_iter().filter(|row| row.provider == *provider);
            known.extend(clusters.filter_map(|row| Some(("firewall".to_owned(), row.cloud_firewall()?.to_owned()))));
        }
        Ok(known)
    }

    fn judge(&self, garbage: &mut Garbage, journal: &Journal<'_>, thing: Thing) -> Result<(), Failure> {
        let program = self.program();
        let why = match journal.maker(&thing) {
            Some((run, _)) if run.context != self.context() => {
                format!("it belongs to the context {}: {program} --context {0} cluster gc", run.context)
            }
            Some((run, _)) if run.status == Status::Running => format!("run {} is at work on it", run.id),
            Some((run, create)) if create.in_doubt || run.status == Status::Interrupted => {
                let id = &run.id;
                format!("run {id} has made it and was cut off: {program} runs resume {id}, or {program} runs undo {id}")
            }
            Some((run, _)) => {
                garbage.orphans.push(Orphan { made_by: run.id.to_string(), thing });
                return Ok(());
            }
            None => match self.cluster_of(&thing)? {
                Some(name) => {
                    format!(
                        "it is of cluster {name}, and this inventory does not know it: {program} cluster adopt {name}"
                    )
                }
                None => "it was made with another state directory or context".to_owned(),
            },
        };
        garbage.spared.push(Left { what: thing.described(), why });
        Ok(())
    }

    /// The cluster of this context that a thing's tag and label prove: the tag is a hash of the name, so that a wrong guess
    /// does not fit.
    pub(crate) fn cluster_of(&self, thing: &Thing) -> Result<Option<String>, Failure> {
        let known = self.inventory().clusters(self.context())?.into_iter().map(|cluster| cluster.name);
        let label = thing.label.strip_prefix("lt-").filter(|_| thing.kind != LINODE).unwrap_or(&thing.label);
        let guesses = label.match_indices('-').map(|(end, _)| label[..end].to_owned()).chain([label.to_owned()]);
        Ok(known.chain(guesses).find(|name| thing.carries(&cluster_tag(self.context(), name))))
    }

    async fn find_lost(&self, garbage: &mut Garbage, journal: &Journal<'_>, things: &[Thing]) -> Result<(), Failure> {
        let listed: HashMap<_, _> = things.iter().map(|thing| ((&thing.kind, &thing.id), thing)).collect();
        let (inventory, context, provider) = (self.inventory(), self.context(), &self.settings().provider);
        let (nodes, resources) = (inventory.nodes(context)?, inventory.resources(context, None)?);
        let at_work = |by: &str| journal.is_running(by);
        let of_nodes = nodes.iter().filter(|row| row.provider == *provider && !at_work(&row.changed_by_run));
        let of_nodes = of_nodes.map(|row| (Thing::of_node(row), row.created_ms));
        let of_resources = resources.iter().filter(|row| row.provider == *provider && !at_work(&row.changed_by_run));
        let of_resources = of_resources.filter_map(|row| Some((Thing::of_resource(row)?, row.created_ms)));
        let rows: Vec<_> = of_nodes.chain(of_resources).collect();
        for (thing, created_ms) in &rows {
            // Only what the list does not show is asked for one by one: its owner may have taken our tags off.
            let seen = listed.get(&(&thing.kind, &thing.id)).is_some_and(|there| there.label == thing.label);
            if seen || is_there(thing, self).await? {
                continue;
            }
            if self.time().now_ms() < created_ms + in_doubt_ms(self) {
                let why = "it was made a moment ago and may not be shown yet; look again in some minutes";
                garbage.spared.push(Left { what: thing.described(), why: why.to_owned() });
            } else {
                garbage.lost.push(thing.clone());
            }
        }
        garbage.all_lost = rows.len() > 1 && garbage.lost.len() == rows.len();
        let lost = |kind: &str, id: &str| garbage.lost.iter().any(|thing| thing.kind == kind && thing.id == id);
        for cluster in inventory.clusters(context)? {
            let has_node = nodes.iter().any(|n| n.cluster.as_ref() == Some(&cluster.name) && !lost(LINODE, &n.id));
            let has_firewall =
                resources.iter().any(|row| row.cluster.as_ref() == Some(&cluster.name) && !lost("firewall", &row.id));
            if cluster.provider == *provider && !has_node && !has_firewall && !at_work(&cluster.changed_by_run) {
                garbage.clusters.push(cluster.name);
            }
        }
        Ok(())
    }

    /// Destroys the orphans and removes the records of what is gone. What cannot be mended keeps nothing else from being so.
    ///
    /// # Errors
    /// A cancel, or a journal that cannot be written; all else is in what came of it.
    pub fn collect_garbage(&self, at: At<'_>, garbage: &Garbage) -> Result<Undone, StepError> {
        let mut clusters: BTreeSet<String> = garbage.clusters.iter().cloned().collect();
        for thing in garbage.orphans.iter().map(|orphan| &orphan.thing).chain(&garbage.lost) {
            clusters.extend(self.cluster_of(thing).map_err(StepError::Failed)?);
        }
        let names: Vec<_> = clusters.iter().map(String::as_str).collect();
        self.alone_with_all(at, &names, &mut || {
            let done = self.collect_alone(at, garbage)?;
            self.close_ranks(at, &clusters)?;
            Ok(done)
        })
    }

    fn collect_alone(&self, at: At<'_>, garbage: &Garbage) -> Result<Undone, StepError> {
        let mut done = Undone::default();
        let orphans: Vec<_> = garbage.orphans.iter().map(|orphan| orphan.thing.clone()).collect();
        // Kinds in the order of the table: what guards or serves machines goes after them.
        for things in orphans.chunk_by(|a, b| a.kind == b.kind) {
            self.destroy_all(at, things, &mut done)?;
        }
        let items: Vec<_> = garbage.lost.iter().map(|thing| (format!("{}-{}", thing.kind, thing.id), thing)).collect();
        let forgotten =
            at.lanes("things.forget_all", &items, |at, thing| match at.step(&ForgetLost::of(thing, self)) {
                Err(StepError::Failed(failure)) => Ok(Err(failure)),
                other => other.map(Ok),
            })?;
        for (thing, forgotten) in garbage.lost.iter().cloned().zip(forgotten) {
            match forgotten {
                Ok(true) => done.gone.push(thing),
                Ok(false) => {} // it is there after all, and stays on record
                Err(failure) => done.refused.push(Refused { thing, failure }),
            }
        }
        let keys: Vec<_> = garbage.clusters.iter().map(|name| Keys::of_cluster(name)).collect();
        at.step(&ForgetUnused { clusters: &garbage.clusters, keys: &keys, doubts: &[], toolkit: self })?;
        self.count(!done.destroyed.is_empty() || !done.gone.is_empty());
        Ok(done)
    }
}

/// A firewall that guards what stays has to stay too.
fn spare_guards(garbage: &mut Garbage) {
    let ids: BTreeSet<_> =
        garbage.orphans.iter().filter(|o| o.thing.kind == LINODE).map(|o| o.thing.id.clone()).collect();
    let (orphans, guards): (Vec<_>, Vec<_>) = std::mem::take(&mut garbage.orphans)
        .into_iter()
        .partition(|orphan| orphan.thing.instances.iter().all(|id| ids.contains(id)));
    garbage.orphans = orphans;
    garbage.spared.extend(guards.into_iter().map(|guard| Left {
        what: guard.thing.described(),
        why: format!("it guards Linodes that stay: {}", guard.thing.instances.join(", ")),
    }));
}

/// Who made what, by the journals of this state directory.
struct Journal<'a> {
    creates: HashMap<&'a str, &'a Create>,
    runs: HashMap<&'a str, &'a RunSummary>,
}

impl<'a> Journal<'a> {
    fn new(creates: &'a [Create], runs: &'a [RunSummary]) -> Self {
        let tags = creates.iter().flat_map(|create| create.tags.iter().map(move |tag| (tag.as_str(), create)));
        Self { creates: tags.collect(), runs: runs.iter().map(|run| (run.id.as_str(), run)).collect() }
    }

    fn maker(&self, thing: &Thing) -> Option<(&'a RunSummary, &'a Create)> {
        let create = thing.step_tags().find_map(|tag| self.creates.get(tag.as_str()))?;
        Some((self.runs.get(create.run.as_str())?, create))
    }

    fn is_running(&self, run: &str) -> bool {
        self.runs.get(run).is_some_and(|run| run.status == Status::Running)
    }
}
