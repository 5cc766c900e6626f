//! The jobs of a Linode's host.
//!
//! Owns: this list. What API v4 has begun shows as well while it is under way. Does not know how a job is done.

use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::dates;
use crate::clock::Time;
use crate::world::{HostJob, JobState, Linode, Status, World};

/// Above all ids of jobs that are asked for here.
const OF_V4: u64 = 1_000_000_000;

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let (linode, wanted) = (call.linode()?, call.number("jobid"));
    let pending = call.flag("pendingonly") == Some(true);
    let mut rows: Vec<Value> = call
        .world
        .host_jobs(linode.id)
        .filter(|job| wanted.is_none_or(|wanted| wanted == job.id) && (!pending || job.is_pending()))
        .map(|job| row(linode.id, job))
        .collect();
    if wanted.is_none() {
        rows.extend(of_v4(call.world, linode));
    }
    // The newest first.
    rows.reverse();
    Ok(Value::Array(rows))
}

fn row(linode: u64, job: &HostJob) -> Value {
    let date = |time: Time| Value::from(dates::written(time));
    let unset = || Value::from("");
    let (began, ended, success, message, duration) = match &job.state {
        JobState::Waiting => (unset(), unset(), unset(), "", unset()),
        JobState::Running { began, .. } => (date(*began), unset(), unset(), "", unset()),
        JobState::Done { began, ended, failure } => {
            let (success, message) = failure.as_deref().map_or((1, ""), |why| (0, why));
            let seconds = ended.since(*began).as_secs();
            (date(*began), date(*ended), success.into(), message, seconds.into())
        }
    };
    json!({
        "JOBID": job.id, "LINODEID": linode, "ACTION": job.action, "LABEL": job.label, "ENTERED_DT": date(job.entered),
        "HOST_START_DT": began, "HOST_FINISH_DT": ended, "HOST_SUCCESS": success, "HOST_MESSAGE": message,
        "DURATION": duration,
    })
}

/// An operation that no job has begun.
fn of_v4(world: &World, linode: &Linode) -> Option<Value> {
    let operation = linode.operation.as_ref()?;
    let began_by_job = world.host_jobs(linode.id).any(
        |job| matches!(job.state, JobState::Running { operation: Some(serial), .. } if serial == operation.serial),
    );
    if began_by_job {
        return None;
    }
    let (action, label) = match linode.status {
        Status::Provisioning | Status::Rebuilding | Status::Offline => ("fs.create", "Create Filesystem"),
        Status::Booting | Status::Running => ("linode.boot", "Linode initial boot"),
        Status::Rebooting => ("linode.reboot", "System Reboot"),
        Status::ShuttingDown => ("linode.shutdown", "System Shutdown"),
    };
    Some(json!({
        "JOBID": OF_V4 + operation.serial, "LINODEID": linode.id, "ACTION": action, "LABEL": label,
        "ENTERED_DT": dates::written(operation.began), "HOST_START_DT": dates::written(operation.began),
        "HOST_FINISH_DT": "", "HOST_SUCCESS": "", "HOST_MESSAGE": "", "DURATION": "",
    }))
}
