//! What is about to be made and what it costs, for the one who says yes or no.

use serde::{Deserialize, Serialize};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::core::{Failure, FailureKind};

/// A node that is about to be made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedNode {
    pub name: String,
    pub region: String,
    #[serde(rename = "type")]
    pub type_id: String,
    pub image: String,
    /// US dollars.
    pub hourly: f64,
    /// US dollars, the cap for a whole month.
    pub monthly: f64,
}

/// All that one request is about to make.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Of a cluster, or of a node without one.
    pub title: String,
    pub create: Vec<PlannedNode>,
    /// Nodes that are there already.
    pub present: usize,
    /// These by name, with US dollars an hour as far as that is known. It decides nothing in the journal.
    #[serde(skip)]
    pub present_nodes: Vec<(String, f64)>,
}

impl Plan {
    pub fn hourly(&self) -> f64 {
        dollars(self.create.iter().map(|node| node.hourly).sum())
    }

    pub fn monthly(&self) -> f64 {
        dollars(self.create.iter().map(|node| node.monthly).sum())
    }
}

/// Without what adding in binary leaves: prices have at most five decimals, `0.0075`.
fn dollars(sum: f64) -> f64 {
    // A sum of nothing is -0, which nobody wants to read.
    (sum * 1e6).round() / 1e6 + 0.0
}

/// Says yes or no before anything that costs money is made.
pub trait Confirm: Send + Sync {
    /// # Errors
    /// `Declined`: the user said no, or nobody could be asked.
    fn confirm(&self, plan: &Plan) -> Result<(), Failure>;

    /// Before something is destroyed; `what` describes it. Commands that destroy ask before they begin, so that only
    /// those who run recipes need to look.
    ///
    /// # Errors
    /// `Declined`: the user said no, or nobody could be asked.
    fn destroy(&self, name: &str, what: &str) -> Result<(), Failure> {
        let _ = (name, what);
        Ok(())
    }

    /// Told of each plan before anybody is asked, again when a run is taken up in which somebody said yes before.
    fn planned(&self, plan: &Plan) {
        let _ = plan;
    }

    /// Told of each node that was destroyed, with what it cost an hour; in a run that is taken up of all of them again.
    fn gone(&self, name: &str, hourly: f64) {
        let _ = (name, hourly);
    }
}

/// Says no to what would cost more than a limit, if there is one, and asks another one about the rest.
pub struct Within {
    and: Arc<dyn Confirm>,
    costs: Mutex<Costs>,
}

/// US dollars an hour.
#[derive(Default)]
struct Costs {
    max: Option<f64>,
    /// Of each node that plans told of, once its plan is carried out.
    nodes: BTreeMap<String, f64>,
    /// Names of all nodes that were heard of; each counts as there before only when it is heard of first.
    known: BTreeSet<String>,
    /// Of what was there before.
    before: f64,
    /// What was refused last.
    refused: Option<f64>,
}

impl Within {
    /// Without a limit yet.
    pub fn new(and: Arc<dyn Confirm>) -> Self {
        Self { and, costs: Mutex::default() }
    }

    /// US dollars an hour, for all that plans tell of together.
    pub fn limit(&self, max_hourly: f64) {
        self.costs().max = Some(max_hourly);
    }

    pub fn max_hourly(&self) -> Option<f64> {
        self.costs().max
    }

    /// What would have had to be allowed for the plan that was refused last.
    pub fn refused(&self) -> Option<f64> {
        self.costs().refused
    }

    fn costs(&self) -> MutexGuard<'_, Costs> {
        self.costs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Confirm for Within {
    fn confirm(&self, plan: &Plan) -> Result<(), Failure> {
        {
            let mut costs = self.costs();
            let total = dollars(costs.nodes.values().sum());
            if let Some(max) = costs.max
                && let Err(failure) = within(costs.before, total, max)
            {
                costs.refused = Some(total);
                costs.never_made(plan);
                return Err(failure);
            }
        }
        self.and.confirm(plan).inspect_err(|_| self.costs().never_made(plan))
    }

    fn destroy(&self, name: &str, what: &str) -> Result<(), Failure> {
        self.and.destroy(name, what)
    }

    fn planned(&self, plan: &Plan) {
        let mut costs = self.costs();
        for (name, hourly) in &plan.present_nodes {
            costs.was_there(name, *hourly);
            costs.nodes.insert(name.clone(), *hourly);
        }
        for node in &plan.create {
            costs.known.insert(node.name.clone());
            costs.nodes.insert(node.name.clone(), node.hourly);
        }
        drop(costs);
        self.and.planned(plan);
    }

    fn gone(&self, name: &str, hourly: f64) {
        let mut costs = self.costs();
        costs.was_there(name, hourly);
        costs.nodes.remove(name);
        drop(costs);
        self.and.gone(name, hourly);
    }
}

impl Costs {
    /// A plan that nobody carries out.
    fn never_made(&mut self, plan: &Plan) {
        for node in &plan.create {
            self.nodes.remove(&node.name);
        }
    }

    fn was_there(&mut self, name: &str, hourly: f64) {
        if self.known.insert(name.to_owned()) {
            self.before += hourly;
        }
    }
}

/// Whether that many dollars an hour are no more than the limit, or no more than what was paid before.
///
/// # Errors
/// `Declined` if they are more.
pub fn within(before: f64, hourly: f64, max_hourly: f64) -> Result<(), Failure> {
    if hourly <= max_hourly.max(before) + 1e-9 {
        return Ok(());
    }
    let message = format!("this would cost ${hourly} an hour, and the limit is ${max_hourly}");
    Err(Failure::new(FailureKind::Declined, message).field(MAX_COST).hint(FEWER))
}

/// What to do about a limit.
pub const FEWER: &str = "ask for fewer or smaller nodes, or raise --max-cost";

/// The field of a failure that a limit was the cause of.
pub const MAX_COST: &str = "max_cost";

/// Says yes, for the sandbox, `--yes`, and applications that ask for themselves.
#[derive(Clone, Copy, Debug)]
pub struct Yes;

impl Confirm for Yes {
    fn confirm(&self, _: &Plan) -> Result<(), Failure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+a,b` plans these nodes beside those that are there, `-a` destroys one; a dollar an hour each. What was refused.
    fn refused(there: &[&str], limit: f64, course: &[&str]) -> String {
        let within = Within::new(Arc::new(Yes));
        within.limit(limit);
        let mut there: Vec<_> = there.iter().map(|name| (*name).to_owned()).collect();
        let mut told = String::new();
        for act in course {
            if let Some(name) = act.strip_prefix('-') {
                within.gone(name, 1.0);
                there.retain(|known| known != name);
                continue;
            }
            let names = act[1..].split(',').map(str::to_owned);
            let create = names.map(|name| PlannedNode { name, hourly: 1.0, ..PlannedNode::default() });
            let present_nodes = there.iter().map(|name| (name.clone(), 1.0)).collect();
            let plan = Plan { create: create.collect(), present_nodes, ..Plan::default() };
            within.planned(&plan);
            if let Err(failure) = within.confirm(&plan) {
                told += &format!("{act}: {:?}: {} ", failure.kind, failure.message);
                continue;
            }
            there.extend(plan.create.into_iter().map(|node| node.name));
            told += &format!("{act} ");
        }
        format!("{told}\n")
    }

    #[test]
    fn a_limit_counts_what_is_there_at_a_time() {
        let told = [
            refused(&[], 3.0, &["+a,b", "+c", "+d"]),
            // One by one anew.
            refused(&[], 2.0, &["+a,b", "-a", "+c", "-b", "+d", "+e"]),
            refused(&["a", "b"], 1.0, &["-a", "+a", "-b", "+b", "+c"]),
            // What is refused is never made.
            refused(&[], 2.0, &["+a,b,c", "+a,b"]),
            // What costs no more than before is not refused.
            refused(&["a", "b"], 1.0, &["-b", "-a", "+c,d"]),
            refused(&["a"], 1.0, &["+b"]),
        ];
        expect_test::expect![[r#"
            +a,b +c +d: Declined: this would cost $4 an hour, and the limit is $3 
            +a,b +c +d +e: Declined: this would cost $3 an hour, and the limit is $2 
            +a +b +c: Declined: this would cost $3 an hour, and the limit is $1 
            +a,b,c: Declined: this would cost $3 an hour, and the limit is $2 +a,b 
            +c,d 
            +b: Declined: this would cost $2 an hour, and the limit is $1 
        "#]]
        .assert_eq(&told.concat());
    }

    #[test]
    fn sums_are_as_one_would_add_them_on_paper() {
        let node = PlannedNode { hourly: 0.0075, monthly: 5.1, ..PlannedNode::default() };
        let plan = Plan { create: vec![node; 3], ..Plan::default() };
        assert_eq!((plan.hourly().to_string(), plan.monthly().to_string()), ("0.0225".into(), "15.3".into()));
        assert_eq!(Plan::default().hourly().to_string(), "0");
    }
}
