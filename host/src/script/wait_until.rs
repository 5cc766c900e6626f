//! `wait_until(|| ...)`: asks again and again without a journal entry per try; only reads are allowed inside.

use super::detach::detach_function;
use super::step::{Tag, lane_of, place_of, session_of};
use super::thrown::{Result, raise, throw};
use crate::core::{Failure, FailureKind};
use crate::runs::StepError;
use rhai::{Dynamic, FnPtr, NativeCallContext};
use serde::Deserialize;
use std::time::Duration;

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
    let seconds = |value: f64| Duration::try_from_secs_f64(value.clamp(0.0, 1e9)).unwrap_or_default();
    let every = seconds(options.every).max(Duration::from_millis(10));
    let tries = (seconds(options.timeout).as_millis() / every.as_millis()).max(1);
    let ready = detach_function(ready.clone());
    let mut global = call.global_runtime_state().clone();
    global.tag = Dynamic::from(Tag::Live { lane: lane.probe(), session });
    let probe = NativeCallContext::new_with_all_fields(
        call.engine(),
        call.fn_name(),
        call.fn_source(),
        &global,
        call.call_position(),
    );
    for _ in 0..=tries {
        if ready.call_within_context::<bool>(&probe, ())? {
            return mark();
        }
        if !lane.run().cancel().sleep(every) {
            return Err(raise(StepError::Cancelled, call));
        }
    }
    let failure = Failure::new(FailureKind::Timeout, format!("still not so after {} s", options.timeout));
    Err(throw(failure.hint("give wait_until a longer `timeout`, or look at what it waits for"), call))
}
