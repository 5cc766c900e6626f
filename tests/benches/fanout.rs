//! One command and ten commands on 64 hosts over SSH, ours beside the tools that are installed here.
//!
//! `cargo bench -p linodetool --bench fanout -- [ROUNDS] [PEER...]`: one OpenSSH server listens on 64 loopback addresses, with a clean
//! home, since a start file of a shell costs more than all else. Each round begins with no connection. pdsh, clush and
//! pyinfra take part if they are found. A load is bounded: 64 hosts, ten commands, at most nine rounds.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for the person who runs it")]

#[path = "../nodes/sshd.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod sshd;

use linodetool::nodes::{ExecOptions, Nodes, Outcome, Place, RunnerCommand, Target};
use sshd::Sshd;
use std::fs;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HOSTS: u8 = 64;

fn main() {
    let rounds = std::env::args().filter_map(|a| a.parse::<usize>().ok()).next().unwrap_or(3).clamp(1, 9);
    if sshd::program().is_none() {
        println!("OpenSSH's server is not installed");
        return;
    }
    let server = Sshd::start_on("0.0.0.0");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let targets: Vec<_> =
        (1..=HOSTS).map(|i| server.target_at(Ipv4Addr::new(127, 9, 0, i).into(), &format!("n{i}"))).collect();
    let key = server.dir().join("client_key");
    fs::write(&key, server.client.private_pem.reveal()).unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let wanted: Vec<_> = std::env::args().skip(1).filter(|a| a.starts_with(char::is_alphabetic)).collect();
    let mut peers = peers(&server);
    peers.retain(|p| wanted.is_empty() || wanted.iter().any(|w| w == p.name));
    println!("{HOSTS} hosts, median of {rounds}, seconds");
    for commands in [1, 10] {
        let mut rows: Vec<(String, Vec<Duration>)> = Vec::new();
        let mut add = |name: &str, time: Option<Duration>| {
            let Some(time) = time else { return };
            match rows.iter_mut().find(|(n, _)| n == name) {
                Some((_, times)) => times.push(time),
                None => rows.push((name.to_owned(), vec![time])),
            }
        };
        // Turn by turn, so that whatever else this computer does is shared.
        for round in 0..rounds {
            add(
                "linodetool exec",
                Some(runtime.block_on(ours(server.nodes_on(runtime.handle().clone()), &targets, commands, None))),
            );
            let run = format!("bench{round}x{commands}");
            let durable = ours(server.nodes_on(runtime.handle().clone()), &targets, commands, Some(run));
            add("linodetool runner", Some(runtime.block_on(durable)));
            // Those that take ten calls for ten commands take long: once is enough to see that.
            for peer in peers.iter().filter(|p| commands == 1 || p.calls == 1 || (round == 0 && p.name == "pdsh")) {
                add(peer.name, peer.time(commands));
            }
        }
        println!("-- {commands} command(s)");
        for (name, mut times) in rows {
            times.sort();
            println!("{name:20} {:.2}", times[times.len() / 2].as_secs_f64());
        }
    }
}

async fn ours(nodes: Nodes, targets: &[Target], commands: usize, run: Option<String>) -> Duration {
    let began = Instant::now();
    let tasks: Vec<_> = targets
        .iter()
        .cloned()
        .map(|target| {
            let (nodes, run) = (nodes.clone(), run.clone());
            tokio::spawn(async move {
                for step in 0..commands {
                    match &run {
                        None => drop(nodes.exec_ok(&target, "true", ExecOptions::default()).await.unwrap()),
                        Some(run) => {
                            // All hosts are one machine here, so each has a run of its own.
                            let place = Place::new(format!("{run}-{}", target.name), step.to_string(), 1);
                            let command = RunnerCommand { command: "true".into(), ..RunnerCommand::default() };
                            let outcome = nodes.run(&target, &place, &command).await.unwrap();
                            assert!(matches!(outcome, Outcome::Ended(o) if o.success()));
                        }
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let time = began.elapsed();
    nodes.disconnect_all().await;
    time
}

/// A tool to compare with, with its command lines for one and for ten commands.
struct Peer {
    name: &'static str,
    one: Vec<String>,
    ten: Vec<String>,
    /// Times `ten` has to be called for ten commands.
    calls: usize,
    env: Vec<(&'static str, String)>,
}

impl Peer {
    /// Nothing if it fails, which is told.
    fn time(&self, commands: usize) -> Option<Duration> {
        let (line, calls) = if commands == 1 { (&self.one, 1) } else { (&self.ten, self.calls) };
        let began = Instant::now();
        for _ in 0..calls {
            let output = Command::new(&line[0])
                .args(&line[1..])
                .envs(self.env.iter().cloned())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            if !output.status.success() {
                let text = String::from_utf8_lossy(&output.stderr);
                println!("{} failed: {}", self.name, text.lines().last().unwrap_or_default());
                return None;
            }
        }
        Some(began.elapsed())
    }
}

fn peers(server: &Sshd) -> Vec<Peer> {
    let dir = server.dir().display().to_string();
    let (port, user) = (server.port, &server.user);
    let ssh = format!(
        "-i {dir}/client_key -p {port} -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
         -o UserKnownHostsFile={dir}/known -o LogLevel=ERROR"
    );
    let known: String = (1..=HOSTS).map(|i| format!("[127.9.0.{i}]:{port} {}\n", server.host.public_line)).collect();
    fs::write(server.dir().join("known"), known).unwrap();
    let words = |text: String| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut peers = Vec::new();
    if let Some(pdsh) = found("pdsh") {
        let line = words(format!("{pdsh} -R ssh -S -f {HOSTS} -l {user} -w 127.9.0.[1-{HOSTS}] true"));
        let env = vec![("PDSH_SSH_ARGS", format!("{ssh} -l%u %h"))];
        peers.push(Peer { name: "pdsh", one: line.clone(), ten: line, calls: 10, env });
    }
    if let Some(clush) = found("clush") {
        let mut line = words(format!("{clush} -S -f {HOSTS} -l {user} -w 127.9.0.[1-{HOSTS}]"));
        line.extend(["-o".into(), ssh, "true".into()]);
        peers.push(Peer { name: "clush", one: line.clone(), ten: line, calls: 10, env: Vec::new() });
    }
    // Elsewhere if LT_PYINFRA names it, since it usually lives in an environment of its own.
    if let Some(pyinfra) = std::env::var("LT_PYINFRA").ok().or_else(|| found("pyinfra")) {
        let hosts: String = (1..=HOSTS).map(|i| format!("\"127.9.0.{i}\", ")).collect();
        let data = format!(
            "{{\"ssh_port\": {port}, \"ssh_user\": \"{user}\", \"ssh_key\": \"{dir}/client_key\", \
             \"ssh_known_hosts_file\": \"{dir}/known\"}}"
        );
        fs::write(server.dir().join("inventory.py"), format!("hosts = ([{hosts}], {data})\n")).unwrap();
        for (name, n) in [("one.py", 1), ("ten.py", 10)] {
            let shell = "server.shell(commands=[\"true\"])\n".repeat(n);
            fs::write(server.dir().join(name), format!("from pyinfra.operations import server\n{shell}")).unwrap();
        }
        let line = |deploy: &str| words(format!("{pyinfra} -y --parallel {HOSTS} {dir}/inventory.py {dir}/{deploy}"));
        peers.push(Peer { name: "pyinfra", one: line("one.py"), ten: line("ten.py"), calls: 1, env: Vec::new() });
    }
    peers
}

fn found(program: &str) -> Option<String> {
    let paths = std::env::var("PATH").unwrap_or_default();
    paths.split(':').map(|p| format!("{p}/{program}")).find(|p| fs::exists(p).unwrap_or(false))
}
