//! How long things take in the emulated cloud.
//!
//! Owns: the two profiles. Does not know who waits.

use std::time::Duration;

use crate::faults::USUAL;

/// Least durations, but for answers; a machine that needs longer takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From the create call until the create event runs.
    pub scheduled: Duration,
    /// From the create call until the disks are ready.
    pub create: Duration,
    /// From the boot's begin until the status says `running`.
    pub running: Duration,
    /// From the boot's begin until its event is finished.
    pub boot: Duration,
    /// From `running` until the boot's event is finished, at least: the Linode is busy that long.
    pub settle: Duration,
    pub shutdown: Duration,
    /// Until the answer to a request that only reads.
    pub read: Duration,
    /// Until the answer to any other.
    pub write: Duration,
}

impl Timing {
    /// The same where everything takes so many thousandths of the usual time.
    pub fn at(self, pace: u32) -> Self {
        let Self { scheduled, create, running, boot, settle, shutdown, read, write } = self;
        let [scheduled, create, running, boot, settle, shutdown, read, write] =
            [scheduled, create, running, boot, settle, shutdown, read, write].map(|time| time * pace / USUAL);
        Self { scheduled, create, running, boot, settle, shutdown, read, write }
    }

    /// A Linode is as fast as its machine.
    pub fn fast() -> Self {
        Self {
            scheduled: Duration::ZERO,
            create: Duration::ZERO,
            running: Duration::ZERO,
            boot: Duration::ZERO,
            // Long enough to be met now and then by a client that does not wait for the event, too short to hurt.
            settle: Duration::from_millis(20),
            shutdown: Duration::ZERO,
            read: Duration::ZERO,
            write: Duration::ZERO,
        }
    }

    /// As measured on the real API: a create takes about 65 s, a boot 24 s, a shutdown 28 s.
    pub fn real() -> Self {
        Self {
            scheduled: Duration::from_secs(3),
            create: Duration::from_secs(65),
            running: Duration::from_secs(19),
            boot: Duration::from_secs(24),
            settle: Duration::from_secs(3),
            shutdown: Duration::from_secs(28),
            // Not measured: what is usual for such an API.
            read: Duration::from_millis(150),
            write: Duration::from_millis(400),
        }
    }
}
