//! What a rehearsal tells, as data: the JSON of `run --rehearse --json` and what its text is made from.
//!
//! Owns: the words and how the parts come together. Does not know how any part is found.

use super::changes::{Changes, Things};
use super::course::Steps;
use super::seed::Present;
use super::{Asked, Cloud, Stage, cost, unknown};
use crate::core::{Clock, Failure};
use crate::inventory::Node;
use crate::runs::Run;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a run would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rehearsal {
    pub recipe: String,
    /// The error that would end it; then the rest is what was reached before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    pub create: Vec<Made>,
    /// Made and destroyed again.
    pub passing: Vec<Made>,
    pub change: Vec<NodeChange>,
    pub destroy: Vec<Destroyed>,
    /// What that means for what runs: `web-1: service nginx restarts`.
    pub impact: Vec<String>,
    pub work: Vec<Work>,
    pub cost: Cost,
    pub time: Course,
    /// Where prices, types and regions are from.
    pub catalogue: String,
    /// What was assumed, or could not be known.
    pub unknown: Vec<String>,
    pub outputs: Map<String, Value>,
}

/// Something to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Made {
    /// `linode`, `firewall`, ...
    pub kind: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub type_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub region: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub image: String,
    /// US dollars.
    pub hourly: f64,
    pub monthly: f64,
}

/// What is different on nodes that are there, or on something else.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NodeChange {
    /// `file /etc/motd`
    pub what: String,
    /// `content`, `created`, `restarted`, ...
    #[serde(skip_serializing_if = "String::is_empty")]
    pub how: String,
    /// Names of nodes.
    pub on: Vec<String>,
}

/// Something to be destroyed, with what is lost.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Destroyed {
    pub kind: String,
    pub name: String,
    /// `all data on its disk`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lost: String,
    /// US dollars that it costs no more.
    pub hourly: f64,
    pub monthly: f64,
}

/// What is done on the nodes of one role.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Work {
    /// Empty for nodes without a role.
    pub role: String,
    pub nodes: usize,
    /// Commands that are run, by name.
    pub commands: Vec<Counted>,
    /// All else, which looks first and changes only what differs.
    pub operations: Vec<Counted>,
}

/// One thing that is done, and how often.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Counted {
    pub what: String,
    pub times: usize,
    /// Of these, so many changed something.
    pub changed: usize,
}

/// US dollars for all nodes of the clusters that the run deals with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    pub hourly_before: f64,
    pub hourly_after: f64,
    /// The most at any time from before to after.
    pub hourly_peak: f64,
    /// What was allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hourly_max: Option<f64>,
    pub monthly_before: f64,
    pub monthly_after: f64,
}

/// How long it takes, and what for.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Course {
    pub seconds: f64,
    /// What was waited for, longest first; together that is all the time.
    pub shares: Vec<Share>,
}

impl Course {
    /// As a person waits for it whose time passes that many times more slowly.
    fn at(mut self, scale: f64) -> Self {
        self.seconds /= scale;
        self.shares.iter_mut().for_each(|share| share.seconds /= scale);
        self
    }
}

/// A part of the time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Share {
    /// `creating and booting Linodes`
    pub what: String,
    pub seconds: f64,
}

/// Concludes from a run that has ended.
pub(super) fn make(asked: &Asked<'_>, stage: &Stage, present: &Present, run: &Arc<Run>) -> Result<Rehearsal, Failure> {
    let after: BTreeMap<String, Node> = {
        let nodes = stage.toolkit().inventory().nodes(asked.context)?;
        nodes.into_iter().map(|node| (node.name.clone(), node)).collect()
    };
    let (sandbox, scale) = match asked.cloud {
        Cloud::Sandbox { scale, .. } => (true, scale),
        Cloud::Real => (false, 1.0),
    };
    let (mut changes, mut steps) = (Changes::new(present, &after), Steps::new(stage.began_ms));
    stage.toolkit().runs().each_step(run.id(), &mut |step| {
        steps.note(&step, sandbox);
        changes.note(&step);
    })?;
    let ended_ms = stage.cloud.time.now_ms();
    let ledger = stage.cloud.sandbox.ledger();
    let Things { create, passing, destroy } = changes.things(&ledger);
    let (clusters, nodes) = changes.touched(&create, &destroy);
    let mut cost = cost::of(&present.nodes, &after, &clusters, &nodes);
    cost.hourly_peak = cost::peak(cost.hourly_before, &ledger, |entry| changes.price(entry));
    let calls = changes.calls;
    let (work, change, impact) = changes.told(&destroy);
    Ok(Rehearsal {
        recipe: asked.recipe.path.clone(),
        failure: None,
        create,
        passing,
        change,
        destroy,
        impact,
        work,
        cost,
        time: steps.course(ended_ms).at(scale),
        catalogue: unknown::catalogue(stage),
        unknown: unknown::of(stage, present, calls),
        outputs: super::outputs(run),
    })
}
