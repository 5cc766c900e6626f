//! The processes of a service.
//!
//! Owns: finding and ending them. Does not know units. There are no cgroups to rely on, so they are those that carry
//! the service's INVOCATION_ID (systemd sets one too) in their environment or share a session with one that does.

use super::super::sys;
use std::fs;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a dying service is looked at.
const TICK: Duration = Duration::from_millis(10);

fn pids() -> impl Iterator<Item = i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|e| e.file_name().to_str().and_then(|s| s.parse().ok())).filter(|p| *p > 1)
}

/// Whether a process is there and not only waits to be waited for.
pub(crate) fn lives(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// Whether anybody but pid 1 is there.
pub(crate) fn anybody_else() -> bool {
    pids().any(lives)
}

/// Every process of a service, the lowest pid first.
pub(crate) fn members(invocation: &str) -> Vec<i32> {
    let tag = format!("INVOCATION_ID={invocation}");
    let look = |pid: i32| {
        let env = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        (pid, sys::session_of(pid), env.split(|b| *b == 0).any(|v| v == tag.as_bytes()))
    };
    let all: Vec<_> = pids().map(look).collect();
    let sessions: Vec<i32> = all.iter().filter(|p| p.2).filter_map(|p| p.1).collect();
    let mut found: Vec<i32> = all
        .iter()
        .filter(|p| p.2 || p.1.is_some_and(|s| sessions.contains(&s)))
        .map(|p| p.0)
        .filter(|p| lives(*p))
        .collect();
    found.sort_unstable();
    found
}

pub(crate) fn signal_all(pids: &[i32], signal: i32) {
    for p in pids {
        let _ = sys::kill(*p, signal); // it may have gone by itself
    }
}

/// Asks `who` to end with `signal`, and ends by force all that is left of the service when the patience is over.
/// Whether it ended without force.
pub(crate) async fn end(invocation: &str, who: &[i32], signal: i32, patience: Duration) -> bool {
    signal_all(who, signal);
    if gone(invocation, patience).await {
        return true;
    }
    signal_all(&members(invocation), libc::SIGKILL);
    gone(invocation, Duration::from_secs(5)).await;
    false
}

async fn gone(invocation: &str, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        if members(invocation).is_empty() {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        sleep(TICK).await;
    }
}
