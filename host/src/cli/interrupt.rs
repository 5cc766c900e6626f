//! Ctrl-C: the first one stops cleanly, the second one at once.
//!
//! Owns the process's signals while a command works. Does not know what the command does.

use super::output::Output;
use crate::core::{Cancel, Failure, FailureKind};
use crate::rehearsal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// What a process that is ended by Ctrl-C ends with.
const INTERRUPTED: i32 = 130;
/// A rehearsal that was told to end has that long: one large call of a recipe looks at nothing until it returns.
const MOMENT: Duration = Duration::from_secs(2);

/// The process's watch over Ctrl-C, a closed terminal and `kill`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Default)]
struct Inner {
    cancel: Cancel,
    /// Of the runs that are under way.
    others: Mutex<Vec<Cancel>>,
    /// Only a rehearsal is under way: nothing of it is worth waiting for.
    idle: AtomicBool,
}

impl Interrupt {
    /// From now on the first signal cancels what is under way; a second one ends the process.
    pub(crate) fn watch(out: &Output) -> Result<Self, Failure> {
        let this = Self::default();
        let (out, watched) = (out.clone(), this.clone());
        let cannot = |e: std::io::Error| Failure::new(FailureKind::Local, format!("signals cannot be watched: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let streams = {
            let _inside = runtime.enter();
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal)
        };
        let [interrupt, terminate, hangup] = streams;
        let (mut interrupt, mut terminate, mut hangup) =
            (interrupt.map_err(cannot)?, terminate.map_err(cannot)?, hangup.map_err(cannot)?);
        let watch = move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        _ = hangup.recv() => {}
                    }
                    if watched.0.cancel.is_set() {
                        end_at_once();
                    }
                    watched.set();
                    if watched.is_idle() {
                        let _ = std::thread::Builder::new().name("end".into()).spawn({
                            let watched = watched.clone();
                            move || watched.end_if_idle()
                        });
                    }
                    // By another thread: a terminal that nobody reads must not keep the second signal from being seen.
                    let out = out.clone();
                    let _ = std::thread::Builder::new().name("said".into()).spawn(move || out.note(SAID));
                }
            });
        };
        std::thread::Builder::new().name("signals".into()).spawn(watch).map_err(cannot)?;
        Ok(this)
    }

    /// Set by the first signal.
    pub(crate) fn cancel(&self) -> &Cancel {
        &self.0.cancel
    }

    /// A signal came while a run was under way, or before it began.
    pub(crate) fn has_cut_a_run(&self) -> bool {
        self.0.cancel.is_set() && !self.0.others.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Cancels this one, too.
    pub(crate) fn also(&self, cancel: &Cancel) {
        self.0.others.lock().unwrap_or_else(PoisonError::into_inner).push(cancel.clone());
        // The signal may have come just before.
        if self.0.cancel.is_set() {
            cancel.set();
        }
    }

    /// For as long as what this gives lives, the first signal ends the process after a moment, whatever is computed.
    pub(crate) fn idle(&self) -> Idle<'_> {
        self.0.idle.store(true, Ordering::SeqCst);
        Idle(self)
    }

    fn is_idle(&self) -> bool {
        self.0.idle.load(Ordering::SeqCst)
    }

    fn end_if_idle(&self) {
        std::thread::sleep(MOMENT);
        if self.is_idle() {
            rehearsal::leave();
            end_at_once();
        }
    }

    fn set(&self) {
        self.0.cancel.set();
        self.0.others.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Cancel::set);
    }
}

/// Nothing is under way that would have to end cleanly.
pub(crate) struct Idle<'a>(&'a Interrupt);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.0.idle.store(false, Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupt")
    }
}

const SAID: &str = "Stopping; once more Ctrl-C ends it at once.";

/// The journal is written before each effect, so nothing is lost that a clean end would keep.
#[expect(clippy::exit, reason = "the user asked twice, or nothing is under way: nothing may delay the end")]
fn end_at_once() -> ! {
    std::process::exit(INTERRUPTED)
}

/// What a cancelled run says: what exists.
pub(crate) fn left_behind(run: &str, nodes: &[String]) -> Failure {
    let message = match nodes {
        [] => format!("interrupted; run {run} made no node"),
        nodes => format!("interrupted; these nodes exist: {}", nodes.join(", ")),
    };
    Failure::new(FailureKind::Cancelled, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rehearsal_is_idle_until_it_ends() {
        let interrupt = Interrupt::default();
        let idle = interrupt.idle();
        assert!(interrupt.is_idle());
        drop(idle);
        assert!(!interrupt.is_idle());
    }

    #[test]
    fn a_run_that_begins_too_late_is_cancelled_at_once() {
        let interrupt = Interrupt::default();
        let (early, late) = (Cancel::default(), Cancel::default());
        interrupt.also(&early);
        assert!(!early.is_set() && !interrupt.has_cut_a_run());
        interrupt.set();
        interrupt.also(&late);
        assert!(early.is_set() && late.is_set() && interrupt.cancel().is_set() && interrupt.has_cut_a_run());
    }
}
