//! Pid 1 of a machine.
//!
//! Owns: the order of a boot and of a shutdown. Does not know the room beyond two pipes: one brings the machine's
//! description, the other takes "SSH answers" or the reason why not.

mod children;
mod cloud_config;
mod first_boot;
mod forward;
mod host_key;
mod identity;
mod pump;
mod session;
pub(crate) mod sftp;
mod sshd;
mod user;

pub(crate) use children::{Children, Ended};
pub(crate) use user::User;

use super::fail::{Because, Result};
use super::protocol::{self, EXIT_POWER_OFF, EXIT_REBOOT, InitConfig};
use super::units::{self, Manager};
use super::{MachineSpec, netlink, rootfs, sys};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// SYS_MODULE, SYS_RAWIO, SYS_BOOT, SYS_TIME, MKNOD: what would reach this computer's kernel, devices and clock.
const FORBIDDEN: [u32; 5] = [16, 17, 22, 25, 27];
/// What processes that are no service get to end by themselves at a shutdown.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a machine's power switch can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    Off,
    Reboot,
}

/// From the first instant to the exit code. `go` brings the [`MachineSpec`] once eth0 is there, `ready` takes "SSH answers".
pub(crate) fn run(config: &InitConfig, go: File, mut ready: File) -> i32 {
    match boot(config, go) {
        Ok((spec, phases)) => live(&spec, &phases, ready),
        Err(e) => {
            let _ = ready.write_all(format!("E{e}").as_bytes());
            1
        }
    }
}

/// The end of an init that cannot begin.
pub(crate) fn refuse(mut ready: File, why: &str) -> i32 {
    let _ = ready.write_all(format!("E{why}").as_bytes());
    1
}

/// All that must be in place before SSH answers.
fn boot(config: &InitConfig, mut go: File) -> Result<(MachineSpec, String)> {
    let started = Instant::now();
    rootfs::enter(config)?;
    let mounted = started.elapsed();
    // The room makes our eth0 while we mount.
    let mut description = Vec::new();
    go.read_to_end(&mut description).because(|| "cannot hear from the machine room")?;
    let spec: MachineSpec = serde_json::from_slice(&description).because(|| "the machine room is gone")?;
    network(&spec)?;
    let networked = started.elapsed();
    identity::apply(&spec)?;
    // Of the kernel's mount calls none is needed any more. In a user namespace these rights reach nothing of this
    // computer's in the first place.
    if !config.mode.has_own_users() {
        sys::drop_capabilities(&FORBIDDEN).because(|| "cannot drop capabilities")?;
    }
    first_boot::before_ssh(&spec)?;
    host_key::ensure()?;
    let ms = |d: Duration| d.as_secs_f64() * 1e3;
    let phases = format!(
        "mounts {:.1} net {:.1} identity {:.1}",
        ms(mounted),
        ms(networked - mounted),
        ms(started.elapsed() - networked)
    );
    Ok((spec, phases))
}

fn network(spec: &MachineSpec) -> Result<()> {
    let mut nl = netlink::Netlink::open()?;
    nl.up(netlink::index("lo")?)?;
    let eth0 = netlink::index("eth0")?;
    // No IPv6 between machines: firewall rules here speak IPv4. Absent where the kernel has none.
    let _ = fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1");
    for (ip, (_, prefix)) in [(spec.public_ip, protocol::PUBLIC), (spec.private_ip, protocol::PRIVATE)] {
        if let Some(ip) = ip {
            nl.add_address(eth0, ip, prefix)?;
        }
    }
    nl.up(eth0)?;
    nl.wait_until_running("eth0")?;
    // Dials come from there; it is the only thing outside of the machines' networks that a machine can answer.
    nl.add_route(eth0, protocol::ROOM_ADDRESS, 32)
}

/// From SSH's answer to the shutdown; the exit code tells the room why.
fn live(spec: &MachineSpec, phases: &str, mut ready: File) -> i32 {
    // One thread: a machine that idles should cost next to nothing.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(r) => r,
        Err(e) => {
            let _ = ready.write_all(format!("Ecannot start init's runtime: {e}").as_bytes());
            return 1;
        }
    };
    let power = runtime.block_on(async {
        let (switch, mut asked) = mpsc::channel(1);
        // Before the room is told: from then on it asks for a shutdown with this signal, which pid 1 ignores otherwise.
        let term = signal(SignalKind::terminate()).because(|| "cannot hear when the power goes");
        let started = match term {
            Ok(term) => start(spec, switch).await.map(|(children, manager)| (term, children, manager)),
            Err(e) => Err(e),
        };
        let (mut term, children, manager) = match started {
            Ok(started) => started,
            Err(e) => {
                let _ = ready.write_all(format!("E{e}").as_bytes());
                return None;
            }
        };
        let _ = ready.write_all(format!("K{phases}").as_bytes());
        drop(ready);
        let power = tokio::select! {
            power = asked.recv() => power,
            _ = term.recv() => Some(Power::Off),
        };
        manager.stop_all().await;
        say_goodbye().await;
        drop(children);
        power
    });
    match power {
        Some(Power::Off) => EXIT_POWER_OFF,
        Some(Power::Reboot) => EXIT_REBOOT,
        None => 1,
    }
}

async fn start(spec: &MachineSpec, switch: mpsc::Sender<Power>) -> Result<(std::sync::Arc<Children>, Manager)> {
    let children = Children::start().because(|| "cannot watch over processes")?;
    let listener = tokio::net::TcpListener::bind("0.0.0.0:22").await.because(|| "cannot listen on port 22")?;
    let manager = units::start(children.clone(), switch)?;
    let cut = spec.faults.ssh_cut.map(sshd::Cut::after);
    match spec.faults.ssh_refused {
        None => drop(tokio::spawn(sshd::serve(listener, children.clone(), cut))),
        // A fault: nobody listens, as in a machine whose server starts late.
        Some(time) => {
            // Before the room is told that this machine is up: whoever comes then finds nobody.
            drop(listener);
            tokio::spawn(serve_late(time, children.clone(), cut));
        }
    }
    let (late, m) = (first_boot::after_ssh(spec, children.clone()), manager.clone());
    tokio::spawn(async move {
        m.start_enabled().await;
        late.await;
    });
    Ok((children, manager))
}

async fn serve_late(time: Duration, children: std::sync::Arc<Children>, cut: Option<sshd::Cut>) {
    tokio::time::sleep(time).await;
    if let Ok(listener) = tokio::net::TcpListener::bind("0.0.0.0:22").await {
        sshd::serve(listener, children, cut).await;
    }
}

/// Everything that still runs: a hint, a moment, the end.
async fn say_goodbye() {
    for signal in [libc::SIGHUP, libc::SIGTERM, libc::SIGCONT] {
        let _ = sys::kill(-1, signal); // all but ourselves; an error: there is nobody
    }
    let until = tokio::time::Instant::now() + PATIENCE;
    while units::anybody_else() && tokio::time::Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Our own end is SIGKILL for whoever is left.
}
