//! Scripts from text to outcome: what they compute, print and put out, and how their errors read.

#![allow(clippy::unwrap_used, clippy::result_large_err, reason = "the helpers of tests may panic")]

#[path = "script/support.rs"]
mod support;

#[path = "script/errors.rs"]
mod errors;
#[path = "script/evaluation.rs"]
mod evaluation;
#[path = "script/hints.rs"]
mod hints;
#[path = "script/lanes.rs"]
mod lanes;
#[path = "script/parameters.rs"]
mod parameters;
#[path = "script/resume.rs"]
mod resume;
