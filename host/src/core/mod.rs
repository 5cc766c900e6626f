//! What every layer may use: ids, cancellation, secrets' wrapper, events, failures, the clock, paths, redaction.
//!
//! Knows none of the layers above it.

pub mod cancel;
pub mod clock;
pub mod digest;
pub mod events;
pub mod failure;
pub mod ids;
pub mod paths;
pub mod redact;
pub mod scaled_time;
pub mod secret;
pub mod time;
pub mod virtual_time;

pub use cancel::Cancel;
pub use clock::{Clock, SystemClock};
pub use events::{Event, Events};
pub use failure::{Failure, FailureKind};
pub use ids::{RunId, random_hex};
pub use paths::Paths;
pub use redact::Redactor;
pub use scaled_time::ScaledTime;
pub use secret::Secret;
pub use time::{BoxFuture, Hold, Time};
pub use virtual_time::VirtualTime;
