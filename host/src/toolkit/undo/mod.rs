//! undo: destroys what a run made, newest first, and nothing else.
//!
//! A killed undo is simply begun again: what to do is found from the journal of the run that is undone, and what is gone is
//! gone. Does not know how the plan is shown or confirmed.

mod plan;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use std::time::Duration;

use crate::core::{Failure, FailureKind, RunId};
use crate::inventory::Change;
use crate::runs::{Done, Kind, RunFilter, StepCx, StepError};
use crate::toolkit::keys::{forget, forget_nodes};
use crate::toolkit::nodes::in_doubt_ms;
use crate::toolkit::resources::{Destroy, Fate, KINDS, Thing, ours};
use crate::toolkit::{At, Repeatable, Toolkit};
pub(super) use plan::Keys;
use plan::Known;
pub use plan::{Doubt, Left, UndoPlan};

/// Whoever undoes a run waits that long for a create in doubt; one that may take longer is left for another time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between looks for what may still appear.
const LOOK: Duration = Duration::from_millis(500);

/// What came of undoing.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Undone {
    pub destroyed: Vec<Thing>,
    /// Others were faster; only what was on record of it is removed.
    pub gone: Vec<Thing>,
    /// What is still there, and why.
    pub refused: Vec<Refused>,
    /// What may still appear.
    pub doubts: Vec<Doubt>,
}

/// Something that could not be destroyed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refused {
    pub thing: Thing,
    pub failure: Failure,
}

impl Undone {
    /// Nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.refused.is_empty() && self.doubts.is_empty()
    }
}

impl Toolkit {
    /// What undoing a run would do now. The run must be of this context and provider, and nobody may be executing it.
    ///
    /// # Errors
    /// `NotFound` without such a run; `Usage` for one of elsewhere; what the provider says.
    pub async fn undo_plan(&self, run: &RunId) -> Result<UndoPlan, Failure> {
        let detail = self.runs().show(run)?;
        self.is_at_home(&detail.summary)?;
        let (inventory, context) = (self.inventory(), self.context());
        let makes = detail.steps.iter().any(|step| KINDS.iter().any(|kind| kind.made_by == step.op));
        // Who made nothing needs no provider to be undone.
        let things = if makes { ours(&self.provider().await?.client).await? } else { Vec::new() };
        let nodes = inventory.nodes(context)?;
        let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        let known = Known {
            detail: &detail,
            things: &things,
            nodes: &nodes,
            clusters: &inventory.clusters(context)?,
            resources: &inventory.resources(context, None)?,
            runs: &self.runs().list(&RunFilter::default())?,
            work: &self.runs().worked_on_since(&detail.summary, &names)?,
            now_ms: self.time().now_ms(),
            in_doubt_ms: in_doubt_ms(self),
            program: self.program(),
        };
        Ok(known.plan())
    }

    fn is_at_home(&self, run: &crate::runs::RunSummary) -> Result<(), Failure> {
        let wrong = |what: &str, its: &str, option: &str| {
            Err(Failure::usage(format!("run {} is of the {what} {its}", run.id))
                .hint(format!("say so: {option} {its}")))
        };
        if run.context != self.context() {
            return wrong("context", &run.context, "--context");
        }
        if run.provider != self.settings().provider {
            return wrong("provider", &run.provider, "--provider");
        }
        Ok(())
    }

    /// Carries out a plan. What cannot be destroyed keeps nothing else from being destroyed.
    ///
    /// # Errors
    /// A cancel, or a journal that cannot be written; all else is in what came of it.
    pub fn undo(&self, at: At<'_>, plan: &UndoPlan) -> Result<Undone, StepError> {
        let clusters: Vec<_> = plan.touched.iter().map(String::as_str).collect();
        self.alone_with_all(at, &clusters, &mut || self.undo_alone(at, plan))
    }

    fn undo_alone(&self, at: At<'_>, plan: &UndoPlan) -> Result<Undone, StepError> {
        let mut undone = Undone::default();
        // Things of one kind in a row at once: what was made later may need what was made before.
        for things in plan.destroy.chunk_by(|a, b| a.kind == b.kind) {
            self.destroy_all(at, things, &mut undone)?;
        }
        if !plan.doubts.is_empty() {
            let seen = at.step(&LookForDoubts { doubts: &plan.doubts, toolkit: self })?;
            self.destroy_all(at, &seen.found, &mut undone)?;
            undone.doubts = seen.left;
        }
        at.step(&ForgetUnused { clusters: &plan.clusters, keys: &plan.keys, doubts: &undone.doubts, toolkit: self })?;
        // All of them, and not only those that lost a machine just now: an undo that was cut may have destroyed others.
        self.close_ranks(at, &plan.touched)?;
        self.count(!undone.destroyed.is_empty());
        Ok(undone)
    }

    pub(super) fn destroy_all(&self, at: At<'_>, things: &[Thing], undone: &mut Undone) -> Result<(), StepError> {
        let items: Vec<_> = things.iter().map(|thing| (format!("{}-{}", thing.kind, thing.id), thing)).collect();
        let fates = at.lanes("things.destroy_all", &items, |at, thing| match at.step(&Destroy::of(thing, self)) {
            Ok(fate) => Ok(Ok(fate)),
            Err(StepError::Failed(failure)) => Ok(Err(failure)),
            Err(stop) => Err(stop),
        })?;
        for (thing, fate) in things.iter().cloned().zip(fates) {
            match fate {
                Ok(Fate::Destroyed) => undone.destroyed.push(thing),
                Ok(Fate::GoneAlready) => undone.gone.push(thing),
                Err(failure) => undone.refused.push(Refused { thing, failure }),
            }
        }
        Ok(())
    }
}

/// What was found of creates in doubt, and which may still appear.
#[derive(Serialize, Deserialize)]
struct Seen {
    found: Vec<Thing>,
    left: Vec<Doubt>,
}

#[derive(Serialize)]
struct LookForDoubts<'a> {
    doubts: &'a [Doubt],
    #[serde(skip)]
    toolkit: &'a Toolkit,
}

impl Repeatable for LookForDoubts<'_> {
    const OP: &'static str = "undo.look_for_doubts";
    const KIND: Kind = Kind::Read;
    type Out = Seen;

    async fn perform(&self, cx: &StepCx) -> Result<Done<Seen>, Failure> {
        let client = &self.toolkit.provider().await?.client;
        let mut looks = PATIENCE.as_millis() / LOOK.as_millis();
        let mut told = false;
        loop {
            // The time is taken before the look: what may appear after it is not ruled out by it.
            let now = cx.now_ms();
            let things = ours(client).await?;
            let is = |doubt: &Doubt, thing: &Thing| doubt.tags.iter().any(|tag| thing.carries(tag));
            let found: Vec<_> =
                things.into_iter().filter(|thing| self.doubts.iter().any(|doubt| is(doubt, thing))).collect();
            let open = |doubt: &&Doubt| doubt.until_ms > now && !found.iter().any(|thing| is(doubt, thing));
            let left: Vec<_> = self.doubts.iter().filter(open).cloned().collect();
            let last = left.iter().map(|doubt| doubt.until_ms).max().unwrap_or(0);
            if left.is_empty() || looks == 0 || Duration::from_millis(last.saturating_sub(now)) > PATIENCE {
                return Ok(Seen { found, left }.into());
            }
            if !std::mem::replace(&mut told, true) {
                let names: Vec<_> = left.iter().map(|doubt| doubt.name.as_str()).collect();
                cx.events.note(format!("looking for what may still appear: {}", names.join(", ")));
            }
            looks -= 1;
            cx.time.sleep(LOOK).await;
        }
    }
}

/// Removes records of clusters without nodes, and keys that nothing uses.
#[derive(Serialize)]
pub(super) struct ForgetUnused<'a> {
    pub(super) clusters: &'a [String],
    pub(super) keys: &'a [Keys],
    pub(super) doubts: &'a [Doubt],
    #[serde(skip)]
    pub(super) toolkit: &'a Toolkit,
}

impl Repeatable for ForgetUnused<'_> {
    const OP: &'static str = "clusters.forget_unused";
    const KIND: Kind = Kind::Write;
    type Out = ();

    async fn perform(&self, _: &StepCx) -> Result<Done<()>, Failure> {
        let (toolkit, context) = (self.toolkit, self.toolkit.context());
        let nodes = toolkit.inventory().nodes(context)?;
        let empty = |name: &&String| nodes.iter().all(|node| node.cluster.as_ref() != Some(name));
        let gone: Vec<_> = self.clusters.iter().filter(empty).collect();
        let clusters = toolkit.inventory().clusters(context)?;
        let staying: Vec<_> = clusters.iter().filter(|cluster| !gone.contains(&&cluster.name)).collect();
        for keys in self.keys {
            let doubted = |name: &str| self.doubts.iter().any(|doubt| doubt.name == name);
            let unused = |name: &&str| !doubted(name) && nodes.iter().all(|node| node.name != **name);
            let unused: Vec<_> = keys.nodes.iter().map(String::as_str).filter(unused).collect();
            forget_nodes(toolkit, &unused).await?;
            let Some(login) = &keys.login else { continue };
            let secret = format!("generated/{login}.login");
            let in_use = nodes.iter().map(|node| &node.key_ref).chain(staying.iter().map(|cluster| &cluster.key_ref));
            let in_use = in_use.flatten().any(|key| key.secret == secret);
            if !in_use && unused.len() == keys.nodes.len() {
                forget(toolkit, &format!("{login}.login")).await?;
            }
        }
        let changes = gone.into_iter().map(|name| Change::remove_cluster(context, name)).collect();
        Ok(Done { value: (), changes })
    }
}

/// Why an undo is not complete, and what completes it.
pub fn incomplete(run: &RunId, undone: &Undone) -> Failure {
    let left: Vec<_> = undone.refused.iter().map(|refused| refused.thing.described()).collect();
    let doubts: Vec<_> = undone.doubts.iter().map(|doubt| format!("{} {}", doubt.kind, doubt.name)).collect();
    let mut parts = Vec::new();
    if let Some(first) = undone.refused.first() {
        parts.push(format!("still there: {} ({})", left.join(", "), first.failure.message));
    }
    if !doubts.is_empty() {
        parts.push(format!("may still appear: {}", doubts.join(", ")));
    }
    let kind = undone.refused.first().map_or(FailureKind::Timeout, |refused| refused.failure.kind);
    let until = undone.doubts.iter().map(|doubt| doubt.until_ms).max();
    let when = until.map_or_else(String::new, |ms| format!(" after {}", crate::core::clock::utc(ms)));
    Failure::new(kind, format!("run {run} is not wholly undone; {}", parts.join("; ")))
        .hint(format!("finish it{when}: linodetool runs undo {run}"))
}
