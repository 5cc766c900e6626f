//! Talking to a running sandbox from another process.
//!
//! Owns: whether one runs in a folder, what it says of itself, and how it is asked to stop. Does not know how one is
//! started: the command line does that.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults::Injected;
use crate::state_dir;
pub use crate::state_dir::Running;
use crate::state_dir::StateDirError;

/// A server on this computer answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// A stopping server waits for its machines.
const STOP_PATIENCE: Duration = Duration::from_secs(75);
/// A process that was killed has let go of everything after so long.
const DYING: Duration = Duration::from_secs(1);
/// An answer longer than this is none of ours.
const LONGEST_ANSWER: u64 = 64 * 1024 * 1024;

/// Why a sandbox could not be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the sandbox's address {url} is no address: its sandbox.json is damaged; stop process {pid} by hand")]
    Address { url: String, pid: u32 },
    #[error(
        "the sandbox's address {url} is not on this computer, and its token goes nowhere else: its sandbox.json is damaged; stop process {pid} by hand"
    )]
    Elsewhere { url: String, pid: u32 },
    #[error(transparent)]
    Folder(#[from] StateDirError),
    #[error("cannot read the sandbox's token {path}: {source}")]
    Token { path: String, source: io::Error },
    #[error("the sandbox (process {pid}) does not answer: {source}")]
    Silent { pid: u32, source: io::Error },
    #[error("the sandbox (process {pid}) answered {path} with status {status}")]
    Refused { pid: u32, path: String, status: u16 },
    #[error("the sandbox (process {pid}) did not stop within {} s", STOP_PATIENCE.as_secs())]
    StillThere { pid: u32 },
}

/// The sandbox that runs in a folder: one holds the lock, and it answers.
pub fn status(dir: &Path) -> Option<Running> {
    let running = match state_dir::running(dir) {
        Ok(running) => running?,
        Err(error) => return passed_over(dir, &error.into()),
    };
    match details(&running) {
        Ok(_) => Some(running),
        Err(error @ ClientError::Elsewhere { .. }) => passed_over(dir, &error),
        Err(_) => None,
    }
}

fn passed_over(dir: &Path, why: &ClientError) -> Option<Running> {
    tracing::warn!(dir = %dir.display(), %why, "a sandbox is passed over");
    None
}

/// What it says of itself: counts, whether firewalls are enforced, troubles.
pub fn details(running: &Running) -> Result<Value, ClientError> {
    call(running, "GET", "/sandbox/status", "")
}

/// Everything it ever created and destroyed.
pub fn ledger(running: &Running) -> Result<Value, ClientError> {
    call(running, "GET", "/sandbox/ledger", "")
}

/// Faults that happened after number `after`, oldest first.
pub fn faults(running: &Running, after: u64) -> Result<Vec<Injected>, ClientError> {
    let mut answer = call(running, "GET", &format!("/sandbox/faults?after={after}"), "")?;
    let damaged = |error: serde_json::Error| ClientError::Silent { pid: running.pid, source: error.into() };
    serde_json::from_value(answer["faults"].take()).map_err(damaged)
}

/// Lets other faults happen from now on, `none` for no more, or draws from another seed.
pub fn set_faults(running: &Running, spec: Option<&str>, seed: Option<u64>) -> Result<Value, ClientError> {
    call(running, "POST", "/sandbox/faults", &json!({"spec": spec, "seed": seed}).to_string())
}

/// Stops the sandbox of a folder and waits until it is gone. False if none ran.
pub fn stop(dir: &Path) -> Result<bool, ClientError> {
    let began = Instant::now();
    let mut asked = None;
    while state_dir::held(dir) {
        if asked.is_none()
            && let Some(running) = state_dir::running(dir)?
        {
            match call(&running, "POST", "/sandbox/stop", "") {
                Ok(_) => asked = Some(running.pid),
                // One that was just killed holds its folder for a moment longer: the next look tells.
                Err(ClientError::Silent { .. }) if began.elapsed() < DYING => {}
                Err(error) => return Err(error),
            }
        }
        // A folder that is held and tells nothing: that sandbox is about to start, or to end.
        if began.elapsed() > STOP_PATIENCE {
            return Err(ClientError::StillThere { pid: asked.unwrap_or_default() });
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(asked.is_some())
}

fn call(running: &Running, method: &str, path: &str, body: &str) -> Result<Value, ClientError> {
    let address: SocketAddr = running
        .v4
        .strip_prefix("http://")
        .and_then(|rest| rest.split('/').next())
        .and_then(|host| host.parse().ok())
        .ok_or_else(|| ClientError::Address { url: running.v4.clone(), pid: running.pid })?;
    if !address.ip().is_loopback() {
        return Err(ClientError::Elsewhere { url: running.v4.clone(), pid: running.pid });
    }
    let token = std::fs::read_to_string(&running.token_file)
        .map_err(|source| ClientError::Token { path: running.token_file.display().to_string(), source })?;
    let (status, body) = exchange(address, method, path, token.trim(), body)
        .map_err(|source| ClientError::Silent { pid: running.pid, source })?;
    if status != 200 {
        return Err(ClientError::Refused { pid: running.pid, path: path.to_owned(), status });
    }
    serde_json::from_str(&body).map_err(|error| ClientError::Silent { pid: running.pid, source: error.into() })
}

/// One request of HTTP/1.1 on a connection of its own; the server closes it after its answer.
fn exchange(address: SocketAddr, method: &str, path: &str, token: &str, body: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
    let damaged = || io::Error::new(io::ErrorKind::InvalidData, "not an answer in HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(damaged)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(damaged)?;
    Ok((status, body.to_owned()))
}
