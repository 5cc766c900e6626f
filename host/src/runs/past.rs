//! What a run has from the processes before this one: their steps, asked by place.
//!
//! Does not know what is done with a step that was met; that is the lane's.

use super::load::{self, Recorded, Steps};
use super::records::{StepState, step_path};
use super::run::Run;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a run has from the processes before.
#[derive(Default)]
pub(super) struct Past {
    pub(super) steps: Steps,
    pub(super) sources: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, Value>,
    pub(super) facts: BTreeMap<String, Value>,
    pub(super) follows: bool,
}

impl Run {
    /// Steps of the journal that the script has not come by, first ones first, as `(path, operation, place)`: a resumed
    /// script that ends while there are any has taken another path.
    pub fn unmet(&self) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        for (lane, steps) in &self.steps {
            for (seq, step) in (0..).zip(steps) {
                if let Some(step) = step.as_ref().filter(|step| !step.met.load(Ordering::Relaxed)) {
                    found.push((step_path(lane, seq), step.op.clone(), step.place.clone()));
                }
            }
        }
        found.sort_by(|a, b| crate::inventory::store::natural_order(&a.0, &b.0));
        found
    }

    /// Counts of steps from before: all, done.
    pub fn recorded_steps(&self) -> (usize, usize) {
        let all = self.steps.values().flatten().flatten();
        all.fold((0, 0), |(all, done), step| (all + 1, done + usize::from(step.state == StepState::Done)))
    }

    /// Operations and outcomes, as JSON, of the steps that a process before this one did.
    pub fn recorded_outcomes(&self) -> impl Iterator<Item = (&str, &str)> {
        let steps = self.steps.values().flatten().flatten().filter(|step| step.state == StepState::Done);
        steps.map(|step| (step.op.as_str(), step.body.as_str()))
    }

    pub(super) fn recorded(&self, lane: &str, seq: u32) -> Option<&Recorded> {
        self.steps.get(lane)?.get(seq as usize)?.as_ref()
    }

    /// The arguments of a step from before.
    pub(super) fn recorded_args(&self, lane: &str, seq: u32) -> Option<String> {
        // Not kept with the steps, since only a divergence asks; one that cannot be read is told without.
        self.shared.read(|reader| load::args(reader, self.id().as_str(), lane, seq)).ok().flatten()
    }

    /// A failure is history if the script went on after it, otherwise it is tried again.
    pub(super) fn went_on_after(&self, lane: &str, seq: u32) -> bool {
        self.next_after(lane, seq).is_some()
    }

    /// The step after this one: a later one in its lane, or one past the fan-out in a lane above.
    pub(super) fn next_after(&self, lane: &str, seq: u32) -> Option<(String, &Recorded)> {
        let (mut lane, mut seq) = (lane, seq);
        loop {
            let later = (0..).zip(self.steps.get(lane).into_iter().flatten()).skip(seq as usize + 1);
            if let Some((seq, step)) = later.filter_map(|(seq, step)| Some((seq, step.as_ref()?))).next() {
                return Some((step_path(lane, seq), step));
            }
            // `7.worker-2` is the lane `worker-2` of the fan-out that is step 7 of the lane above.
            let (fan_out, _name) = lane.rsplit_once('.')?;
            let (above, number) = fan_out.rsplit_once('.').unwrap_or(("", fan_out));
            (lane, seq) = (above, number.parse().ok()?);
        }
    }

    /// Another step may take the place of this one: it failed, nothing came of it, and the text was changed since.
    pub(super) fn may_replace(&self, lane: &str, seq: u32, old: &Recorded) -> bool {
        self.other_text.load(Ordering::Relaxed) && old.state == StepState::Failed && !self.went_on_after(lane, seq)
    }
}

/// Steps of the processes before that are not done.
pub(super) fn not_done(steps: &Steps) -> HashSet<(Arc<str>, u32)> {
    let of_lane = |(lane, steps): (&String, &Vec<Option<Recorded>>)| {
        let open = (0..).zip(steps).filter(|(_, step)| step.as_ref().is_some_and(|step| step.state != StepState::Done));
        let lane: Arc<str> = Arc::from(lane.as_str());
        open.map(|(seq, _)| (lane.clone(), seq)).collect::<Vec<_>>()
    };
    steps.iter().flat_map(of_lane).collect()
}
