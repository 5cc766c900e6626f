//! Work on several nodes inside a service: one lane each, as `lanes` gives it to recipes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::core::Failure;
use crate::runs::StepError;
use crate::toolkit::At;

/// Enough for a service's own frames; only touched pages cost memory.
const STACK: usize = 1 << 20;

/// Lanes of one service call that run at once; the governor, not this, is what holds work back.
const AT_ONCE: usize = 1_024;

impl At<'_> {
    /// Runs `work` for every item, each in a lane with the item's name, and answers in the items' order.
    ///
    /// # Errors
    /// The first failure in the items' order, after all have ended; a cancel or a divergence before any failure.
    pub(crate) fn lanes<T: Sync, R: Send>(
        &self,
        what: &'static str,
        items: &[(String, T)],
        work: impl Fn(At<'_>, &T) -> Result<R, StepError> + Sync,
    ) -> Result<Vec<R>, StepError> {
        let names: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
        let fan_out = self.lane.mark(self.place, what, &names)?;
        let results: Vec<Mutex<Option<Result<R, StepError>>>> = items.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let one_after_another = || {
            while let i = next.fetch_add(1, Ordering::Relaxed)
                && let Some((name, item)) = items.get(i)
            {
                let lane = self.lane.child(fan_out, name);
                let result = work(At { lane: &lane, place: self.place }, item);
                *results[i].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
            }
        };
        let crew = self.lane.run().crew();
        std::thread::scope(|scope| {
            for i in 1..items.len().min(AT_ONCE) {
                let thread = std::thread::Builder::new().stack_size(STACK).name(format!("{what}.{i}"));
                let (hand, work) = (crew.hand(), &one_after_another);
                let at_work = move || {
                    let _hand = hand;
                    work();
                };
                if thread.spawn_scoped(scope, at_work).is_err() {
                    break; // no more threads to be had: fewer work
                }
            }
            let _me = crew.me();
            one_after_another();
        });
        collect(results)
    }
}

fn collect<R>(results: Vec<Mutex<Option<Result<R, StepError>>>>) -> Result<Vec<R>, StepError> {
    let mut values = Vec::with_capacity(results.len());
    let mut failures = Vec::new();
    for result in results {
        match result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(Ok(value)) => values.push(value),
            Some(Err(StepError::Failed(failure))) => failures.push(failure),
            Some(Err(stop)) => return Err(stop),
            None => failures.push(Failure::internal("a lane ended without a result")),
        }
    }
    match failures.len() {
        0 => Ok(values),
        1 => Err(StepError::Failed(failures.remove(0))),
        n => {
            let first = failures.remove(0);
            let others: Vec<_> = failures.iter().filter_map(|f| f.node.clone()).take(5).collect();
            let more = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
            let message = format!("{} (and {} more failed{more})", first.message, n - 1);
            Err(StepError::Failed(Failure { message, ..first }))
        }
    }
}
