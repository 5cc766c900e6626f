//! What is about to be made and what it costs, for the one who says yes or no.

use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
    /// US dollars for these, as far as it is known. It decides nothing in the journal.
    #[serde(skip)]
    pub present_hourly: f64,
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
}

/// Says no to what would cost more than a limit, and asks another one about the rest.
pub struct Within {
    max_hourly: f64,
    and: Arc<dyn Confirm>,
    /// What each cluster costs once its latest plan is carried out.
    costs: Mutex<BTreeMap<String, f64>>,
}

impl Within {
    /// US dollars an hour, for all clusters together that plans are made for.
    pub fn new(max_hourly: f64, and: Arc<dyn Confirm>) -> Self {
        Self { max_hourly, and, costs: Mutex::default() }
    }
}

impl Confirm for Within {
    fn confirm(&self, plan: &Plan) -> Result<(), Failure> {
        let total = {
            let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
            costs.insert(plan.title.clone(), plan.hourly() + plan.present_hourly);
            dollars(costs.values().sum())
        };
        within(total, self.max_hourly)?;
        self.and.confirm(plan)
    }

    fn destroy(&self, name: &str, what: &str) -> Result<(), Failure> {
        self.and.destroy(name, what)
    }
}

/// Whether that many dollars an hour are no more than the limit.
///
/// # Errors
/// `Declined` if they are more.
pub fn within(hourly: f64, max_hourly: f64) -> Result<(), Failure> {
    if hourly <= max_hourly + 1e-9 {
        return Ok(());
    }
    let message = format!("this would cost ${hourly} an hour, and the limit is ${max_hourly}");
    Err(Failure::new(FailureKind::Declined, message).hint("ask for fewer or smaller nodes, or raise --max-cost"))
}

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

    #[test]
    fn a_limit_counts_all_clusters_together() {
        let plan = |title: &str, nodes: usize, present_hourly: f64| Plan {
            title: title.to_owned(),
            create: vec![PlannedNode { hourly: 0.036, ..PlannedNode::default() }; nodes],
            present_hourly,
            ..Plan::default()
        };
        let within = Within::new(0.108, Arc::new(Yes));
        within.confirm(&plan("cluster a", 1, 0.036)).unwrap();
        within.confirm(&plan("cluster b", 1, 0.0)).unwrap();
        let refused = within.confirm(&plan("cluster b", 1, 0.036)).unwrap_err();
        expect_test::expect![["this would cost $0.144 an hour, and the limit is $0.108"]].assert_eq(&refused.message);
        assert_eq!(refused.kind, FailureKind::Declined);
    }

    #[test]
    fn sums_are_as_one_would_add_them_on_paper() {
        let node = PlannedNode { hourly: 0.0075, monthly: 5.1, ..PlannedNode::default() };
        let plan = Plan { create: vec![node; 3], ..Plan::default() };
        assert_eq!((plan.hourly().to_string(), plan.monthly().to_string()), ("0.0225".into(), "15.3".into()));
        assert_eq!(Plan::default().hourly().to_string(), "0");
    }
}
