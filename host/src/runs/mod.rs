//! Runs: durable executions, and the only door to effects.
//!
//! Owns the journal, steps and their identity, lanes, and who may write a run. Does not know Rhai, providers, SSH, or
//! what an effect does: an effect brings its own handles.
//!
//! The promises, each tested:
//! - A write's intent is durable before it starts. Nothing else is waited for: the journal is one queue in, one
//!   transaction after the other out, so what is durable is always a prefix of what was said.
//! - An intent without an outcome is *in doubt* and reconciled, never simply done again.
//! - An outcome and its inventory rows are one transaction.
//! - The same journal answers the same script the same way; one that takes another path is told so.

mod archive;
mod bounds;
mod chain;
mod crash;
mod creates;
mod difference;
mod effect;
mod entry;
mod failures;
mod holder;
mod journal;
mod lane;
mod load;
mod log;
mod number;
mod past;
mod records;
mod registry;
mod run;
mod tags;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

pub use archive::{past, peek, unknown};
pub use bounds::Bounds;
pub use crash::{CrashPoints, Phase};
pub use creates::{Create, Work};
pub use difference::{Argument, Departure, Difference};
pub use effect::{Done, Effect, Kind, Place, StepCx, StepError, performs_again};
pub use failures::FailedStep;
pub use journal::{Durability, Traffic};
pub use lane::Lane;
pub use log::{LogLine, LogReader};
pub use records::{
    ChainReport, NewRun, Owner, Problem, REQUEST, RunDetail, RunFilter, RunSummary, Status, StepKind, StepRecord,
    StepState, Stored,
};
pub use registry::{Held, Runs};
pub use run::Run;
pub use tags::{cluster_tag, step_tag};
