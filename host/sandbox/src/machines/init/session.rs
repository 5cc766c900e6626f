//! One session channel: a command, a shell or sftp, with or without a terminal.
//!
//! Owns: the process, its streams, its end as the client sees it. Does not know authentication.

use super::children::{Children, Ended};
use super::pump::Pump;
use super::user::User;
use crate::machines::fail::{Because, Result};
use crate::machines::protocol::SFTP;
use crate::machines::rootfs::BINARY;
use crate::machines::sys::{self, Terminal};
use russh::server::{Handle, Msg};
use russh::{ChannelId, ChannelMsg, ChannelWriteHalf, Sig};
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, unix::AsyncFd};
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

/// How long a terminal is read after its program's end while something else still holds it open.
const LAST_WORDS: Duration = Duration::from_millis(200);

pub(crate) struct Channel {
    handle: Handle,
    children: Arc<Children>,
    user: User,
    env: Vec<(String, String)>,
    /// Columns and rows of the terminal that was asked for.
    terminal: Option<(u32, u32)>,
}

/// What to run.
enum Program {
    Shell,
    Command(Vec<u8>),
}

impl Channel {
    pub(crate) fn new(handle: Handle, children: Arc<Children>, user: User, origin: &str) -> Self {
        let client = origin.split(' ').take(2).chain(origin.split(' ').skip(3)).collect::<Vec<_>>().join(" ");
        let env = vec![("SSH_CONNECTION".to_owned(), origin.to_owned()), ("SSH_CLIENT".to_owned(), client)];
        Self { handle, children, user, env, terminal: None }
    }

    /// All requests arrive in order as channel messages.
    pub(crate) async fn run(mut self, mut channel: russh::Channel<Msg>) {
        let id = channel.id();
        while let Some(msg) = channel.wait().await {
            let ok = match msg {
                ChannelMsg::RequestPty { term, col_width, row_height, .. } => {
                    self.env.push(("TERM".to_owned(), term));
                    self.terminal = Some((col_width, row_height));
                    true
                }
                ChannelMsg::WindowChange { col_width, row_height, .. } if self.terminal.is_some() => {
                    self.terminal = Some((col_width, row_height));
                    continue;
                }
                ChannelMsg::SetEnv { variable_name: k, variable_value: v, .. } => {
                    let ok = k == "LANG" || k.starts_with("LC_");
                    if ok {
                        self.env.push((k, v));
                    }
                    ok
                }
                ChannelMsg::RequestShell { .. } => return self.start(channel, Program::Shell).await,
                ChannelMsg::Exec { command, .. } => return self.start(channel, Program::Command(command)).await,
                ChannelMsg::RequestSubsystem { name, .. } if name == "sftp" => {
                    let command = format!("exec {BINARY} {SFTP}").into_bytes();
                    return self.start(channel, Program::Command(command)).await;
                }
                ChannelMsg::RequestSubsystem { .. }
                | ChannelMsg::AgentForward { .. }
                | ChannelMsg::RequestX11 { .. } => false,
                ChannelMsg::Close => return,
                _ => continue,
            };
            let _ = if ok { self.handle.channel_success(id).await } else { self.handle.channel_failure(id).await };
        }
    }

    async fn start(self, channel: russh::Channel<Msg>, program: Program) {
        let (id, handle) = (channel.id(), self.handle.clone());
        match self.execute(channel, program).await {
            Ok(Some(e)) => report(&handle, id, e).await,
            Ok(None) => {}
            Err(e) => {
                let _ = handle.channel_failure(id).await;
                let _ = handle.extended_data(id, 1, format!("{e}\n").into_bytes()).await;
                let _ = handle.exit_status_request(id, 255).await;
            }
        }
        let _ = handle.eof(id).await;
        let _ = handle.close(id).await;
    }

    /// Runs until the program has ended and nobody holds its output, as OpenSSH does.
    async fn execute(self, channel: russh::Channel<Msg>, program: Program) -> Result<Option<Ended>> {
        let mut cmd = Command::new(&self.user.shell);
        match program {
            Program::Shell => cmd.arg0(format!("-{}", self.user.shell.rsplit('/').next().unwrap_or_default())),
            Program::Command(c) => cmd.arg("-c").arg(OsString::from_vec(c)),
        };
        self.user.environment(&mut cmd);
        cmd.envs(system_environment()).envs(self.env.iter().map(|(k, v)| (k, v)));
        let mut identity = self.user.identity(&self.user.home);
        identity.terminal = self.terminal.is_some();
        identity.apply(&mut cmd);
        let id = channel.id();
        let (read, write) = channel.split();
        let pump = Pump::new(read);
        let what = || format!("cannot run {}", self.user.shell);
        if let Some((columns, rows)) = self.terminal {
            let (master, slave) = Terminal::open().because(|| "cannot open a terminal")?;
            master.resize(columns, rows);
            let copy = || slave.try_clone().because(|| "cannot copy a descriptor");
            cmd.stdin(copy()?).stdout(copy()?).stderr(copy()?);
            let (child, ended) = self.children.spawn(&mut cmd).because(what)?;
            // Every copy of the slave must go, or the master never reads an end.
            drop((cmd, slave));
            let _ = self.handle.channel_success(id).await;
            let master = Arc::new(master.watched().because(|| "cannot watch the terminal")?);
            let typing = tokio::spawn(type_in(pump, master.clone(), child.id() as i32));
            let ended = show(&master, &write, ended).await;
            typing.abort();
            return Ok(ended);
        }
        cmd.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, ended) = self.children.spawn(&mut cmd).because(what)?;
        drop(cmd);
        let (Some(i), Some(o), Some(e)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Ok(None);
        };
        let watch = || "cannot watch a pipe";
        let input = pipe::Sender::from_owned_fd(i.into()).because(watch)?;
        let mut out = pipe::Receiver::from_owned_fd(o.into()).because(watch)?;
        let mut err = pipe::Receiver::from_owned_fd(e.into()).because(watch)?;
        let _ = self.handle.channel_success(id).await;
        let feeding = tokio::spawn(feed(pump, input, child.id() as i32));
        let (mut to_out, mut to_err) = (write.make_writer(), write.make_writer_ext(Some(1)));
        let (_, _, ended) =
            tokio::join!(tokio::io::copy(&mut out, &mut to_out), tokio::io::copy(&mut err, &mut to_err), ended);
        feeding.abort();
        Ok(ended.ok())
    }
}

/// An exit code, or the signal, as a real sshd tells it.
async fn report(handle: &Handle, id: ChannelId, e: Ended) {
    let _ = match (e.exited(), e.signal()) {
        (Some(code), _) => handle.exit_status_request(id, code as u32).await,
        (None, Some(s)) => handle.exit_signal_request(id, signal_name(s), false, String::new(), String::new()).await,
        (None, None) => Ok(()),
    };
}

/// Lines of /etc/environment, which PAM gives every login.
fn system_environment() -> Vec<(String, String)> {
    let text = std::fs::read_to_string("/etc/environment").unwrap_or_default();
    let lines = text.lines().map(|l| l.trim().trim_start_matches("export ")).filter(|l| !l.starts_with('#'));
    lines
        .filter_map(|l| l.split_once('='))
        .map(|(k, v)| (k.trim().to_owned(), v.trim().trim_matches('"').to_owned()))
        .collect()
}

/// The client's side of a command: bytes, their end, signals.
async fn feed(mut from: Pump, to: pipe::Sender, pid: i32) {
    let mut to = Some(to);
    while let Some(msg) = from.next().await {
        match msg {
            ChannelMsg::Data { data } => {
                if let Some(p) = &mut to
                    && p.write_all(&data).await.is_err()
                {
                    to = None; // it does not listen; we still take what comes
                }
                from.used(data.len());
            }
            ChannelMsg::Eof => to = None,
            ChannelMsg::Signal { signal } => send_signal(pid, &signal),
            _ => {}
        }
    }
    // The connection is gone: a command without a terminal goes on, as under OpenSSH.
}

/// The client's side of a terminal: keys, size, signals, hang-up.
async fn type_in(mut from: Pump, to: Arc<AsyncFd<Terminal>>, pid: i32) {
    while let Some(msg) = from.next().await {
        match msg {
            ChannelMsg::Data { data } => {
                let mut rest = &data[..];
                while !rest.is_empty() {
                    let Ok(mut ready) = to.writable().await else { break };
                    match ready.try_io(|t| t.get_ref().write(rest)) {
                        Ok(Ok(n)) => rest = &rest[n..],
                        Ok(Err(_)) => break,
                        Err(_) => {}
                    }
                }
                from.used(data.len());
            }
            ChannelMsg::WindowChange { col_width, row_height, .. } => to.get_ref().resize(col_width, row_height),
            ChannelMsg::Signal { signal } => send_signal(pid, &signal),
            _ => {}
        }
    }
    let _ = sys::kill(-pid, libc::SIGHUP);
}

/// A terminal's output, until its end or its program's.
async fn show(
    from: &AsyncFd<Terminal>,
    write: &ChannelWriteHalf<Msg>,
    ended: oneshot::Receiver<Ended>,
) -> Option<Ended> {
    let mut to = write.make_writer();
    let mut buf = vec![0; 32 << 10];
    let mut result = None;
    tokio::pin!(ended);
    loop {
        let got = tokio::select! {
            biased;
            got = read(from, &mut buf) => got,
            e = &mut ended, if result.is_none() => {
                result = Some(e.ok());
                continue;
            }
            // The program is gone, and something in the background holds its terminal.
            () = tokio::time::sleep(LAST_WORDS), if result.is_some() => break,
        };
        match got {
            Ok(n) if n > 0 => {
                if to.write_all(&buf[..n]).await.is_err() {
                    break;
                }
            }
            _ => break,
        }
    }
    match result {
        Some(r) => r,
        None => ended.await.ok(),
    }
}

async fn read(from: &AsyncFd<Terminal>, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        let mut ready = from.readable().await?;
        if let Ok(r) = ready.try_io(|t| t.get_ref().read(buf)) {
            return r;
        }
    }
}

/// To the command's whole session, which it leads.
fn send_signal(pid: i32, signal: &Sig) {
    let s = match signal {
        Sig::INT => libc::SIGINT,
        Sig::TERM => libc::SIGTERM,
        Sig::HUP => libc::SIGHUP,
        Sig::KILL => libc::SIGKILL,
        Sig::QUIT => libc::SIGQUIT,
        Sig::USR1 => libc::SIGUSR1,
        _ => return,
    };
    let _ = sys::kill(-pid, s);
}

fn signal_name(s: i32) -> Sig {
    match s {
        libc::SIGABRT => Sig::ABRT,
        libc::SIGALRM => Sig::ALRM,
        libc::SIGFPE => Sig::FPE,
        libc::SIGHUP => Sig::HUP,
        libc::SIGILL => Sig::ILL,
        libc::SIGINT => Sig::INT,
        libc::SIGKILL => Sig::KILL,
        libc::SIGPIPE => Sig::PIPE,
        libc::SIGQUIT => Sig::QUIT,
        libc::SIGSEGV => Sig::SEGV,
        libc::SIGTERM => Sig::TERM,
        libc::SIGUSR1 => Sig::USR1,
        other => Sig::Custom(format!("SIG{other}@sandbox")),
    }
}
