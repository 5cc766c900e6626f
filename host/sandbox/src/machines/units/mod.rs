//! A small part of systemd: services by unit file, asked over a Unix socket by the shims inside the machine.
//!
//! Owns: the socket and its protocol. Does not know how services run (`manager.rs`) nor what verbs print (`verbs.rs`).
//! `Type=notify` and `dbus` are taken as `exec`; sockets, timers and targets are not run.

mod file;
mod manager;
mod order;
mod policy;
mod processes;
mod run;
mod show;
mod verbs;

pub(crate) use manager::Manager;
pub(crate) use processes::anybody_else;

use super::fail::{Because, Result};
use super::init::{Children, Power};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

pub(crate) const SOCKET: &str = "/run/linodetool/init.sock";
const LOGS: &str = "/var/log/units";
/// A request is a command line; a longer one is a mistake.
const LONGEST: u64 = 64 << 10;

/// Where a unit's output goes.
pub(crate) fn log_file(unit: &str) -> String {
    format!("{LOGS}/{unit}.log")
}

/// What a shim asks: one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// `systemctl` with these arguments.
    Control(Vec<String>),
    Off,
    Reboot,
}

/// What it gets: one line of JSON.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Starts answering; no unit is started yet.
pub(crate) fn start(children: Arc<Children>, power: mpsc::Sender<Power>) -> Result<Manager> {
    super::layer::make_dir(LOGS.as_ref(), 0o755)?;
    let listener = tokio::net::UnixListener::bind(SOCKET).because(|| format!("cannot listen on {SOCKET}"))?;
    // Everybody may ask how a service is; who may do more is decided by who asks.
    let everybody = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    std::fs::set_permissions(SOCKET, everybody).because(|| format!("cannot set the mode of {SOCKET}"))?;
    let manager = Manager::new(children);
    let m = manager.clone();
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((s, _)) => drop(tokio::spawn(answer(s, m.clone(), power.clone()))),
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        }
    });
    Ok(manager)
}

async fn answer(mut s: UnixStream, m: Manager, power: mpsc::Sender<Power>) {
    let root = s.peer_cred().is_ok_and(|c| c.uid() == 0);
    let (read, mut write) = s.split();
    let mut line = String::new();
    if BufReader::new(tokio::io::AsyncReadExt::take(read, LONGEST)).read_line(&mut line).await.is_err() {
        return;
    }
    let told = match serde_json::from_str(&line) {
        Ok(Ask::Control(args)) => match verbs::power(&args) {
            Some(p) => switch(p, root, &power).await,
            None => verbs::run(&m, &args, root).await,
        },
        Ok(Ask::Off) => switch(Power::Off, root, &power).await,
        Ok(Ask::Reboot) => switch(Power::Reboot, root, &power).await,
        Err(e) => Told { code: 1, err: format!("not a request: {e}\n"), ..Default::default() },
    };
    let _ = write.write_all(serde_json::to_string(&told).unwrap_or_default().as_bytes()).await;
}

async fn switch(p: Power, root: bool, power: &mpsc::Sender<Power>) -> Told {
    if !root {
        return Told { code: 1, err: "Access denied: only root may do that.\n".to_owned(), ..Default::default() };
    }
    let _ = power.try_send(p); // full: it is being done already
    Told::default()
}
