//! `wait` and `wait_until(|| ...)`, which asks again and again without a journal entry per try.
//!
//! All waiting of scripts goes through one effect, so that another clock can take its place.

use super::detach::detach_function;
use super::step::{Tag, lane_of, place_of, session_of};
use super::thrown::{Result, raise, throw};
use crate::core::{Failure, FailureKind};
use crate::runs::{Done, Effect, Kind, StepCx, performs_again};
use rhai::{Dynamic, FnPtr, NativeCallContext};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Passing time.
#[derive(Serialize)]
pub(crate) struct Wait {
    pub(crate) ms: u64,
}

impl Effect for Wait {
    const OP: &'static str = "wait";
    const KIND: Kind = Kind::Read;
    type Out = ();

    async fn perform(&self, cx: &StepCx) -> std::result::Result<Done<()>, Failure> {
        cx.time.sleep(Duration::from_millis(self.ms)).await;
        Ok(().into())
    }

    async fn reconcile(&self, _: &StepCx) -> std::result::Result<Option<Done<()>>, Failure> {
        performs_again().await
    }
}

/// How long time has passed, in milliseconds since some moment; never journaled.
#[derive(Serialize)]
struct Passed;

impl Effect for Passed {
    const OP: &'static str = "passed";
    const KIND: Kind = Kind::Read;
    type Out = u64;

    async fn perform(&self, cx: &StepCx) -> std::result::Result<Done<u64>, Failure> {
        Ok(u64::try_from(cx.time.elapsed().as_millis()).unwrap_or(u64::MAX).into())
    }

    async fn reconcile(&self, _: &StepCx) -> std::result::Result<Option<Done<u64>>, Failure> {
        performs_again().await
    }
}

/// The options of `wait_until`, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    #[serde(default = "Options::default_every")]
    every: f64,
    #[serde(default = "Options::default_timeout")]
    timeout: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { every: Self::default_every(), timeout: Self::default_timeout() }
    }
}

impl Options {
    fn default_every() -> f64 {
        1.0
    }

    /// A node may take minutes to boot, and an endless wait helps nobody.
    fn default_timeout() -> f64 {
        600.0
    }
}

pub(crate) fn wait_until(call: &NativeCallContext, ready: &FnPtr, options: Options) -> Result<()> {
    let (lane, session) = (lane_of(call)?, session_of(call)?);
    let mark = || lane.mark(&place_of(call), "wait_until", &()).map(drop).map_err(|error| raise(error, call));
    if lane.is_next_done() {
        return mark();
    }
    let every = (options.every.clamp(0.01, 1e6) * 1000.0) as u64;
    let limit = (options.timeout.clamp(0.0, 1e9) * 1000.0) as u64;
    let ready = detach_function(ready.clone());
    let probe = lane.probe();
    let mut global = call.global_runtime_state().clone();
    global.tag = Dynamic::from(Tag::Live { lane: probe.clone(), session });
    let inside = NativeCallContext::new_with_all_fields(
        call.engine(),
        call.fn_name(),
        call.fn_source(),
        &global,
        call.call_position(),
    );
    let passed = || probe.step(&place_of(call), &Passed).map_err(|error| raise(error, call));
    let begun = passed()?;
    // Looked once more when the time is up: it may have come true in the last pause.
    for _ in 0..=limit / every + 1 {
        let late = passed()?.saturating_sub(begun) >= limit;
        if ready.call_within_context::<bool>(&inside, ())? {
            return mark();
        }
        if late {
            break;
        }
        probe.step(&place_of(call), &Wait { ms: every }).map_err(|error| raise(error, call))?;
    }
    let failure = Failure::new(FailureKind::Timeout, format!("still not so after {} s", options.timeout));
    Err(throw(failure.hint("give wait_until a longer `timeout`, or look at what it waits for"), call))
}
