//! What is about to be made and what it costs, for the one who says yes or no.

use serde::{Deserialize, Serialize};

use crate::core::Failure;

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
    fn sums_are_as_one_would_add_them_on_paper() {
        let node = PlannedNode { hourly: 0.0075, monthly: 5.1, ..PlannedNode::default() };
        let plan = Plan { create: vec![node; 3], ..Plan::default() };
        assert_eq!((plan.hourly().to_string(), plan.monthly().to_string()), ("0.0225".into(), "15.3".into()));
        assert_eq!(Plan::default().hourly().to_string(), "0");
    }
}
