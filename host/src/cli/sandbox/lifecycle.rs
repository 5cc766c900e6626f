//! The life of the sandbox as commands see it: use the running one or start one, show it, stop it, forget it.
//!
//! Owns the layout of the sandbox's folder. Does not know what the sandbox emulates.

use super::background::{self, DEADLINE, Started};
use super::faults::{self, Wanted};
use crate::core::{Cancel, Failure, FailureKind, Paths, Secret};
use crate::secrets::SecretStore;
use linodetool_sandbox::client::{self, ClientError, Running};
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use linodetool_sandbox::world::Timing;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};

/// A sandbox to work with.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    /// `http://127.0.0.1:PORT/v4`
    pub(crate) v4: String,
    pub(crate) token: Secret<String>,
    /// Started for this command.
    pub(crate) fresh: bool,
    /// What is going wrong in it on purpose.
    pub(crate) faults: Option<InForce>,
    /// Its machines are not there; its time then, and its times.
    pub(crate) simulated: Option<Simulated>,
}

/// Of a sandbox whose machines are only simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Simulated {
    pub(crate) now_ms: u64,
    pub(crate) scale: f64,
    pub(crate) timing: Timing,
}

/// How a command wants its sandbox to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    pub(crate) faults: Option<Wanted>,
    pub(crate) time_scale: Option<f64>,
}

/// Faults of a sandbox that runs.
#[derive(Clone, Debug)]
pub(crate) struct InForce {
    pub(crate) running: Running,
    /// They, their seed and their number, for a person.
    pub(crate) line: String,
    /// The last one that happened before.
    pub(crate) last: u64,
}

/// Where the machines of a sandbox are.
pub(crate) fn machines(folder: &Path) -> PathBuf {
    folder.join("machines")
}

/// Where linodetool keeps what it knows of the sandbox's world: apart from what it knows of the real one.
pub(crate) fn state(folder: &Path) -> PathBuf {
    folder.join("state")
}

/// The sandbox that runs, or a new one.
pub(crate) fn ensure_running(paths: &Paths, cancel: &Cancel, wish: &Wish) -> Result<Sandbox, Failure> {
    let folder = paths.sandbox();
    if let Some(running) = client::status(&folder) {
        return as_wished(running, wish);
    }
    match background::start(background::command(&paths.exe, &folder, wish), &folder, DEADLINE, cancel) {
        Ok(Started { v4, token }) => {
            let (faults, simulated) = client::status(&folder).map(known).transpose()?.unwrap_or_default();
            Ok(Sandbox { v4, token, fresh: true, faults, simulated })
        }
        // Another command may have started one at the same moment; then ours ends and theirs is as good.
        Err(failure) => client::status(&folder).map_or(Err(failure), |running| as_wished(running, wish)),
    }
}

/// One that runs already, with the faults that are wanted of it.
fn as_wished(running: Running, wish: &Wish) -> Result<Sandbox, Failure> {
    let details = client::details(&running).map_err(|e| of_client(&e))?;
    let scale = details["time_scale"].as_f64();
    if let Some(wanted) = wish.time_scale
        && scale != Some(wanted)
    {
        let scale = scale.unwrap_or(1.0);
        return Err(Failure::new(
            FailureKind::Conflict,
            format!("a sandbox runs already, and its time passes {scale} times as fast, not {wanted} times"),
        )
        .hint("stop it first, with all its machines: linodetool sandbox stop"));
    }
    if let Some(wanted) = &wish.faults {
        faults::set(&running, wanted)?;
    }
    of_running(running)
}

/// The sandbox that runs, if one does.
pub(crate) fn running(paths: &Paths) -> Result<Option<Sandbox>, Failure> {
    let folder = paths.sandbox();
    client::status(&folder).map(of_running).transpose()
}

fn of_running(running: Running) -> Result<Sandbox, Failure> {
    let token = std::fs::read_to_string(&running.token_file).map_err(|e| {
        Failure::new(
            FailureKind::Local,
            format!("the sandbox's token {} cannot be read: {e}", running.token_file.display()),
        )
        .hint("was it started by another user? `linodetool sandbox stop` and try again")
    })?;
    let token = Secret::new(token.trim().to_owned());
    let v4 = running.v4.clone();
    let (faults, simulated) = known(running)?;
    Ok(Sandbox { v4, token, fresh: false, faults, simulated })
}

/// What it says of itself.
fn known(running: Running) -> Result<(Option<InForce>, Option<Simulated>), Failure> {
    let details = client::details(&running).map_err(|e| of_client(&e))?;
    let faults = &details["faults"];
    let (line, last) = (faults::line(faults), faults["injected"].as_u64().unwrap_or_default());
    Ok(((line != "none").then_some(InForce { running, line, last }), simulated(&details)))
}

/// Of what a sandbox says of itself: its time, if its machines are only simulated.
pub(crate) fn simulated(details: &Value) -> Option<Simulated> {
    let simulated = Simulated {
        now_ms: details["now_ms"].as_u64()?,
        scale: details["time_scale"].as_f64()?,
        timing: timing(details),
    };
    details["simulated"].as_bool()?.then_some(simulated)
}

/// How long things take in it.
pub(crate) fn timing(details: &Value) -> Timing {
    if details["timing"] == "real" { Timing::real() } else { Timing::fast() }
}

/// Stops the sandbox of a folder; `false` if none ran.
pub(crate) fn stop(folder: &Path) -> Result<bool, Failure> {
    client::stop(folder).map_err(|e| of_client(&e))
}

/// Stops the sandbox and removes all that it kept.
pub(crate) fn reset(folder: &Path) -> Result<(), Failure> {
    stop(folder)?;
    let cannot = |e: io::Error| {
        Failure::new(FailureKind::State, format!("{} cannot be removed: {e}", folder.display()))
            .hint("look who owns it; an ordinary user cannot remove what root's sandbox made")
    };
    if machines(folder).exists() {
        // Without root, the files in the machines' disks belong to other ids: only from inside can they be removed.
        let options = Options { forget_disks: true, ..Options::default() };
        Namespaces::open(&machines(folder), &options).map_err(|e| Failure::new(FailureKind::Local, e.to_string()))?;
    }
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(cannot(e)),
        _ => Ok(()),
    }
}

/// A world that begins knows nothing of the last one's nodes, so what linodetool knew of them is put aside. The secrets
/// that the user has set are the user's, and stay.
pub(crate) fn put_aside_state(folder: &Path) -> Result<(), Failure> {
    let (state, old, new) = (state(folder), folder.join("state.old"), folder.join("state.new"));
    let fine_if_absent = |done: io::Result<()>| match done {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            let message = format!("{} cannot be written: {e}", folder.display());
            Err(Failure::new(FailureKind::State, message).hint("give another folder with --state"))
        }
        _ => Ok(()),
    };
    if state.exists() {
        fine_if_absent(std::fs::remove_dir_all(&new))?;
        SecretStore::copy_set(&state, &new)?;
        fine_if_absent(std::fs::remove_dir_all(&old))?;
        fine_if_absent(std::fs::rename(&state, &old))?;
    }
    // Absent if there are no secrets. One who died just before has left it.
    fine_if_absent(std::fs::rename(new, state))
}

pub(crate) fn of_client(error: &ClientError) -> Failure {
    let hint = match error {
        ClientError::Refused { pid, status: 401, .. } => {
            format!("its token file is not the one it was started with; end it with `kill {pid}`, then start it again")
        }
        _ => "see the log, sandbox.log in the sandbox's folder".to_owned(),
    };
    Failure::new(FailureKind::Unavailable, error.to_string()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_world_is_put_aside() {
        let dir = tempfile::tempdir().unwrap();
        put_aside_state(dir.path()).unwrap();
        for text in ["one", "two"] {
            std::fs::create_dir_all(state(dir.path())).unwrap();
            std::fs::write(state(dir.path()).join("x"), text).unwrap();
            put_aside_state(dir.path()).unwrap();
            assert!(!state(dir.path()).exists());
            assert_eq!(std::fs::read_to_string(dir.path().join("state.old/x")).unwrap(), text);
        }
    }

    #[test]
    fn secrets_of_the_user_stay() {
        let dir = tempfile::tempdir().unwrap();
        let clock: std::sync::Arc<dyn crate::core::Clock> = std::sync::Arc::new(crate::core::SystemClock);
        let open = |context: &str| SecretStore::open(&state(dir.path()), context, clock.clone()).unwrap();
        open("default/default").set("db", &Secret::new("one".into())).unwrap();
        open("app/other").set("db", &Secret::new("two".into())).unwrap();
        open("default/default").generate("node/web-1.login", || Ok("a key".into())).unwrap();
        put_aside_state(dir.path()).unwrap();
        let value = |context: &str, name: &str| open(context).get(name).unwrap().map(|secret| secret.reveal().clone());
        assert_eq!(value("default/default", "db").as_deref(), Some("one"));
        assert_eq!(value("app/other", "db").as_deref(), Some("two"));
        // Of a node that is no more.
        assert_eq!(value("default/default", "generated/node/web-1.login"), None);
        open("default/default").set("db", &Secret::new("three".into())).unwrap();
        // A process that died between the two renames.
        std::fs::rename(state(dir.path()), dir.path().join("state.new")).unwrap();
        put_aside_state(dir.path()).unwrap();
        assert_eq!(value("default/default", "db").as_deref(), Some("three"));
    }

    #[test]
    fn resetting_nothing_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("sandbox");
        assert!(!stop(&folder).unwrap());
        reset(&folder).unwrap();
    }
}
