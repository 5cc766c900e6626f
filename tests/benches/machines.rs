//! How long machines of the sandbox take from the call that boots them to a command's end over SSH, and to end again.
//!
//! `cargo bench -p linodetool --bench machines -- [ROUNDS] [real-root]` prints 1, 3 and 20 machines at once: the first boot of a new disk, a
//! later one, powering off, and the end of all. Works as whoever runs it: as root or not. At most fifty rounds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the person who runs it")]

use linodetool_sandbox::dial::dial;
use linodetool_sandbox::machines::namespaces::{Namespaces, Options};
use linodetool_sandbox::machines::{MachineSpec, Machines};
use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, ssh_key};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    // A machine's init is the program that opens the room: this one, which therefore is all that linodetool is.
    if let Some(code) = linodetool_sandbox::roles::run_if_role() {
        return ExitCode::from(u8::try_from(code).unwrap_or(1));
    }
    if std::env::args().nth(1).is_some_and(|a| a == "linodetool") {
        return linodetool::cli::main();
    }
    let rounds = std::env::args().find_map(|a| a.parse::<usize>().ok()).unwrap_or(9).clamp(1, 50);
    let folder = tempfile::tempdir().unwrap();
    let opened = Instant::now();
    let options = Options { real_root: std::env::args().any(|a| a == "real-root"), ..Options::default() };
    let room = match Namespaces::open(&folder.path().join("machines"), &options) {
        Ok(room) => room,
        Err(error) => {
            println!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{:?}, machine room open after {:.0} ms, median of {rounds}", room.mode(), ms(opened.elapsed()));
    let key = Arc::new(PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&[7; 32])));
    for count in [1, 3, 20] {
        measure(&room, &key, count, rounds);
    }
    let last: Vec<_> = (0..20).map(|n| spec(99_000 + n, n, &key)).collect();
    boot(&room, &key, &last);
    let began = Instant::now();
    room.delete_all().unwrap().unwrap();
    println!("20 running machines and {} disks ended at once in {:.0} ms", rounds * 24 + 20, ms(began.elapsed()));
    ExitCode::SUCCESS
}

fn measure(room: &Namespaces, key: &Arc<PrivateKey>, count: u64, rounds: usize) {
    let (mut first, mut later, mut off, mut phases) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    for round in 0..rounds {
        let id = |n| count * 1000 + round as u64 * 20 + n;
        let specs: Vec<_> = (0..count).map(|n| spec(id(n), n, key)).collect();
        for times in [&mut first, &mut later] {
            let began = Instant::now();
            phases = boot(room, key, &specs);
            times.push(began.elapsed());
            let began = Instant::now();
            std::thread::scope(|s| {
                for spec in &specs {
                    s.spawn(|| room.power_off(spec.id).unwrap());
                }
            });
            off.push(began.elapsed());
        }
        // Not deleted yet: a file system is slow for some seconds after much has been deleted, and nobody waits for that.
    }
    println!(
        "{count:2} machines: first boot {}, later {}, power off {}; the last one's phases: {phases}",
        show(first),
        show(later),
        show(off)
    );
}

fn spec(id: u64, n: u64, key: &PrivateKey) -> MachineSpec {
    let n = u8::try_from(n + 10).unwrap();
    MachineSpec {
        id,
        hostname: format!("bench-{n}"),
        public_ip: Some(Ipv4Addr::new(198, 18, 1, n)),
        private_ip: Some(Ipv4Addr::new(192, 168, 129, n)),
        authorized_keys: vec![key.public_key().to_openssh().unwrap()],
        memory_mb: 2048,
        ..MachineSpec::default()
    }
}

/// All at once; each until a command has run in it.
fn boot(room: &Namespaces, key: &Arc<PrivateKey>, specs: &[MachineSpec]) -> String {
    std::thread::scope(|s| {
        let boots: Vec<_> = specs
            .iter()
            .map(|spec| {
                s.spawn(|| {
                    let phases = room.boot_phases(spec).unwrap();
                    run_true(room.dir(), spec.public_ip.unwrap(), key);
                    phases
                })
            })
            .collect();
        boots.into_iter().map(|b| b.join().unwrap()).next_back().unwrap_or_default()
    })
}

struct AnyHost;

impl russh::client::Handler for AnyHost {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &russh::keys::PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

/// One login and one command.
fn run_true(dir: &Path, ip: Ipv4Addr, key: &Arc<PrivateKey>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = dial(dir, (ip, 22).into()).unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        let config = Arc::new(russh::client::Config { nodelay: true, ..Default::default() });
        let mut session = russh::client::connect_stream(config, stream, AnyHost).await.unwrap();
        let key = PrivateKeyWithHashAlg::new(key.clone(), None);
        assert!(session.authenticate_publickey("root", key).await.unwrap().success());
        let mut channel = session.channel_open_session().await.unwrap();
        channel.exec(true, "true").await.unwrap();
        let mut code = None;
        while let Some(message) = channel.wait().await {
            if let russh::ChannelMsg::ExitStatus { exit_status } = message {
                code = Some(exit_status);
            }
        }
        assert_eq!(code, Some(0));
    });
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn show(mut times: Vec<Duration>) -> String {
    times.sort();
    format!("{:.0} ms ({:.0}-{:.0})", ms(times[times.len() / 2]), ms(times[0]), ms(times[times.len() - 1]))
}
