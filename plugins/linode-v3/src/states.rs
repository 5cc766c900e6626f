//! The state of a Linode: what API v3 keeps in `STATUS` together with the jobs that wait for its host.

use crate::action::Action;
use crate::api::Api;
use crate::data::Row;
use linodetool_plugin::{Cx, ErrorKind, InstanceStatus, ProviderError, Result};

/// `STATUS` of a Linode that has never run.
const BRAND_NEW: i64 = 0;
/// `STATUS` of a Linode that runs.
pub(crate) const RUNNING: i64 = 1;

/// Pauses between two looks at jobs that this plugin itself must wait for.
const LOOK_MS: u64 = 2_000;
/// Looks until it gives up: ten minutes.
const LOOKS: u32 = 300;

/// The jobs of a Linode that are not done.
pub(crate) fn pending(linode: u64) -> Action {
    Action::new("linode.job.list").id("LinodeID", linode).flag("pendingOnly", true)
}

/// The actions of pending jobs, the next one first. What has a time of finishing is done, whatever was asked for.
pub(crate) fn queue(jobs: &[Row]) -> Vec<String> {
    let mut open: Vec<_> = jobs.iter().filter(|job| job.text("host_finish_dt").trim().is_empty()).collect();
    open.sort_by_key(|job| job.whole("jobid"));
    open.iter().map(|job| job.text("action").to_ascii_lowercase()).collect()
}

/// There is no state for what a job does: the next one tells.
pub(crate) fn of(status: Option<i64>, queue: &[String]) -> InstanceStatus {
    let waits = |start: &str| queue.iter().any(|action| action.starts_with(start));
    // Its disks first; a boot behind them is not yet one.
    if status == Some(BRAND_NEW) && (waits("fs.") || waits("disk.")) {
        return InstanceStatus::Provisioning;
    }
    match queue.first().map(String::as_str) {
        Some("linode.boot") => return InstanceStatus::Booting,
        Some("linode.reboot") => return InstanceStatus::Rebooting,
        Some("linode.shutdown") if waits("linode.boot") || waits("linode.reboot") => return InstanceStatus::Rebooting,
        Some("linode.shutdown") => return InstanceStatus::ShuttingDown,
        Some(job) if job.contains("resize") && job.starts_with("linode.") => return InstanceStatus::Resizing,
        Some(job) if job.contains("migrat") => return InstanceStatus::Migrating,
        Some(job) if job.contains("clone") => return InstanceStatus::Cloning,
        // Disks change while it runs, as with API v4.
        Some(_) if status != Some(RUNNING) => return InstanceStatus::Other,
        _ => {}
    }
    match status {
        Some(-1) => InstanceStatus::Provisioning,
        Some(RUNNING) => InstanceStatus::Running,
        // -2: it failed to boot; 4: suspended to disk, which needs a boot too.
        Some(-2 | BRAND_NEW | 2 | 4) => InstanceStatus::Offline,
        Some(3) => InstanceStatus::ShuttingDown,
        _ => InstanceStatus::Other,
    }
}

/// Waits until no job of the Linode is pending.
pub(crate) async fn settled(api: &Api, cx: &Cx, linode: u64) -> Result<()> {
    for _ in 0..LOOKS {
        let Some(next) = queue(&api.call(cx, pending(linode)).await?.rows()).into_iter().next() else {
            return Ok(());
        };
        cx.progress(format!("Linode {linode}: waiting for {next}"));
        cx.sleep_ms(LOOK_MS).await;
    }
    let message = format!("Linode {linode} has had jobs in its queue for ten minutes");
    Err(ProviderError::new(ErrorKind::Timeout, message))
}
