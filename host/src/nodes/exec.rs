//! A command over SSH that lives and dies with its channel. Does not know the durable runner, which uses it.

use super::connection::Session;
use super::output::{Kept, Lines};
use super::quote::{exports, is_variable};
use super::{NodeError, Nodes, Output, Result, Stream, Target};
use russh::ChannelMsg;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Told of each line that a command writes. Must return soon: the connection waits for it.
pub type OnLine = Arc<dyn Fn(Stream, &str) + Send + Sync>;

/// Linux gives a program at most 128 KiB in one argument, and sshd gives the command to the shell as one.
const LONGEST: usize = 120_000;

/// How a command is to be run.
#[derive(Clone, Default)]
pub struct ExecOptions {
    /// What it reads; without it, it reads an empty file.
    pub stdin: Option<Vec<u8>>,
    /// Variables. They are part of the command line, which other users of the node can see: no secrets.
    pub env: BTreeMap<String, String>,
    /// After this the channel is closed and the command fails. A command that never writes may go on on the node.
    pub timeout: Option<Duration>,
    pub on_line: Option<OnLine>,
}

impl Nodes {
    /// Runs a command in the user's shell and waits for it. Its exit code is in the output, not an error.
    pub async fn exec(&self, target: &Target, command: &str, options: ExecOptions) -> Result<Output> {
        let full = with_env(command, &options.env)?;
        if let Some(simulation) = self.simulation() {
            return simulation.exec(target, command).await;
        }
        // The limit is the command's, not the login's, which has its own.
        self.connect(target, Duration::ZERO).await?;
        let mut capture = Capture::new(options.on_line.clone());
        let mut sink = |stream, bytes: &[u8]| capture.push(stream, bytes);
        let work = Box::pin(self.stream(target, &full, options.stdin.as_deref().unwrap_or_default(), &mut sink));
        let ended = match options.timeout {
            None => work.await,
            Some(limit) => match tokio::time::timeout(limit, work).await {
                Ok(ended) => ended,
                Err(_) => {
                    let (node, command) = (target.name.clone(), command.to_owned());
                    let output = capture.finish(Ended::default()).last_lines();
                    return Err(NodeError::Timeout { node, command, limit, output });
                }
            },
        }?;
        Ok(capture.finish(ended))
    }

    /// The same for a command that may be run twice: once more if its connection is lost.
    pub async fn exec_again(&self, target: &Target, command: &str) -> Result<Output> {
        self.persistently(target, || self.exec(target, command, ExecOptions::default())).await
    }

    /// The same, where anything but exit code 0 is an error.
    pub async fn exec_ok(&self, target: &Target, command: &str, options: ExecOptions) -> Result<Output> {
        let output = self.exec(target, command, options).await?;
        if output.success() { Ok(output) } else { Err(NodeError::command(&target.name, command, &output)) }
    }

    /// Runs a command and hands on what it writes as it comes.
    pub(super) async fn stream(
        &self,
        target: &Target,
        command: &str,
        stdin: impl tokio::io::AsyncRead + Unpin + Send,
        sink: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Ended> {
        if command.len() > LONGEST {
            let message = format!("a command of {} bytes is too long: write it to a file and run that", command.len());
            return Err(NodeError::usage("command", message));
        }
        let session = self.session(target, Duration::ZERO).await?;
        drive(session, command, stdin, sink).await.map_err(|reason| NodeError::Lost {
            node: target.name.clone(),
            during: "while a command ran",
            reason,
        })
    }
}

/// How a command ended.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) exit_code: Option<i32>,
    pub(super) signal: Option<String>,
}

async fn drive(
    mut session: Session,
    command: &str,
    stdin: impl tokio::io::AsyncRead + Unpin + Send,
    sink: &mut (dyn FnMut(Stream, &[u8]) + Send),
) -> Result<Ended, String> {
    let mut ended = Ended::default();
    let closed = talk(&mut session, command, stdin, sink, &mut ended).await?;
    if closed {
        session.mark_closed();
    }
    if ended.exit_code.is_none() && ended.signal.is_none() {
        return Err("the channel ended without an exit code".into());
    }
    Ok(ended)
}

/// Says whether the other side closed the channel.
async fn talk(
    session: &mut Session,
    command: &str,
    stdin: impl tokio::io::AsyncRead + Unpin + Send,
    sink: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ended: &mut Ended,
) -> Result<bool, String> {
    let (read, write) = session.halves();
    write.exec(true, command).await.map_err(|e| e.to_string())?;
    // A command may end without reading all: a failed write is no error, the exit code tells.
    let feed = async {
        if write.data(stdin).await.is_ok() {
            let _ = write.eof().await;
        }
    };
    tokio::pin!(feed);
    let mut fed = false;
    loop {
        // Messages are taken at once, even while standard input is stuck: one full channel stops the whole connection.
        let message = tokio::select! {
            biased;
            message = read.wait() => message,
            () = &mut feed, if !fed => {
                fed = true;
                continue;
            }
        };
        match message {
            Some(ChannelMsg::Data { data }) => sink(Stream::Out, &data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => sink(Stream::Err, &data),
            Some(ChannelMsg::ExitStatus { exit_status }) => ended.exit_code = Some(exit_status.cast_signed()),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => ended.signal = Some(format!("{signal_name:?}")),
            Some(ChannelMsg::Failure) => return Err("the server refused to start the command".into()),
            Some(ChannelMsg::Close) => return Ok(true),
            None => return Ok(false),
            Some(_) => {}
        }
    }
}

/// Keeps what a command writes and tells its lines.
#[derive(Default)]
pub(super) struct Capture {
    out: Kept,
    err: Kept,
    out_lines: Lines,
    err_lines: Lines,
    on_line: Option<OnLine>,
}

impl Capture {
    pub(super) fn new(on_line: Option<OnLine>) -> Self {
        Self {
            out: Kept::default(),
            err: Kept::default(),
            out_lines: Lines::default(),
            err_lines: Lines::default(),
            on_line,
        }
    }

    pub(super) fn push(&mut self, stream: Stream, bytes: &[u8]) {
        let (kept, lines) = match stream {
            Stream::Out => (&mut self.out, &mut self.out_lines),
            Stream::Err => (&mut self.err, &mut self.err_lines),
        };
        kept.push(bytes);
        if let Some(on_line) = &self.on_line {
            lines.push(bytes, |line| on_line(stream, line));
        }
    }

    /// Whether somebody wants the lines.
    pub(super) fn tells(&self) -> bool {
        self.on_line.is_some()
    }

    pub(super) fn finish(mut self, ended: Ended) -> Output {
        if let Some(on_line) = &self.on_line {
            self.out_lines.finish(|line| on_line(Stream::Out, line));
            self.err_lines.finish(|line| on_line(Stream::Err, line));
        }
        let (stdout, stdout_omitted) = self.out.finish();
        let (stderr, stderr_omitted) = self.err.finish();
        Output { exit_code: ended.exit_code, signal: ended.signal, stdout, stderr, stdout_omitted, stderr_omitted }
    }
}

pub(super) fn check_env(env: &BTreeMap<String, String>) -> Result<()> {
    match env.keys().find(|name| !is_variable(name)) {
        Some(name) => Err(NodeError::usage("env", format!("`{name}` cannot be the name of an environment variable"))),
        None => Ok(()),
    }
}

fn with_env(command: &str, env: &BTreeMap<String, String>) -> Result<String> {
    check_env(env)?;
    if env.is_empty() {
        return Ok(command.to_owned());
    }
    Ok(format!("nl='\n'; {}; {command}", exports(env)))
}
