//! A local port that leads to a port as a node sees it, through SSH.

use super::connection::Session;
use super::{NodeError, Nodes, Result, Simulation, Target};
use russh::ChannelMsg;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;

/// Connections through one forward at a time.
const CONNECTIONS: usize = 256;
/// A local program that does not read is cut off with this much waiting for it (pieces of at most 32 KiB): its share of
/// the connection cannot be held up without holding up everything on the connection.
const WAITING: usize = 2048;

/// An open forward; it ends when dropped.
#[derive(Debug)]
pub struct Forward {
    local: SocketAddr,
    task: JoinHandle<()>,
}

impl Forward {
    /// Where to connect to, on this computer's loopback.
    pub fn local(&self) -> SocketAddr {
        self.local
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Nodes {
    /// Listens on 127.0.0.1 and leads to `host:port` as the node sees it. Port 0 takes any free one.
    pub async fn forward(&self, target: &Target, local_port: u16, host: &str, port: u16) -> Result<Forward> {
        if self.simulation().is_some() {
            return Err(Simulation::no_forward(target, port));
        }
        self.connect(target, Duration::ZERO).await?;
        let local = |source| NodeError::Local { path: format!("127.0.0.1:{local_port}"), source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, local_port)).await.map_err(local)?;
        let address = listener.local_addr().map_err(local)?;
        let (nodes, target, host) = (self.clone(), target.clone(), host.to_owned());
        let task = self.runtime().spawn(async move { serve(nodes, target, listener, &host, port).await });
        Ok(Forward { local: address, task })
    }

    /// Whether a port, as the node sees it, takes connections.
    pub async fn port_open(&self, target: &Target, host: &str, port: u16) -> Result<bool> {
        if let Some(simulation) = self.simulation() {
            return simulation.port_open(target, host, port).await;
        }
        let connection = self.connection(target, Duration::ZERO).await?;
        match connection.tcp(host, port).await {
            Ok(_) => Ok(true),
            Err(russh::Error::ChannelOpenFailure(_)) => Ok(false),
            Err(error) => {
                self.forget(target, &connection).await;
                let node = target.name.clone();
                Err(NodeError::Lost { node, during: "while a port was tried", reason: error.to_string() })
            }
        }
    }
}

async fn serve(nodes: Nodes, target: Target, listener: TcpListener, host: &str, port: u16) {
    let gate = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = tokio::task::JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let Ok(permit) = gate.clone().acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, for instance: others may be given back.
                tracing::warn!(node = target.name, %error, "a connection to a forwarded port was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (nodes, target, host) = (nodes.clone(), target.clone(), host.to_owned());
        open.spawn(async move {
            let _permit = permit;
            if let Err(reason) = carry(&nodes, &target, stream, &host, port).await {
                tracing::debug!(node = target.name, host, port, reason, "a forwarded connection ended");
            }
        });
    }
}

async fn carry(nodes: &Nodes, target: &Target, stream: TcpStream, host: &str, port: u16) -> Result<(), String> {
    let connection = nodes.connection(target, nodes.0.limits.reconnect).await.map_err(|e| e.to_string())?;
    let session = connection.tcp(host, port).await.map_err(|e| e.to_string())?;
    let _ = stream.set_nodelay(true);
    shuttle(session, stream).await
}

async fn shuttle(mut session: Session, stream: TcpStream) -> Result<(), String> {
    let (mut from_local, mut to_local) = stream.into_split();
    let (read, write) = session.halves();
    let (queue, mut queued) = mpsc::channel(WAITING);
    let upward = async {
        let mut buffer = vec![0; 32 * 1024];
        loop {
            match from_local.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(n) => write.data(&buffer[..n]).await.map_err(|e| e.to_string())?,
            }
        }
        write.eof().await.map_err(|e| e.to_string())
    };
    let downward = async {
        while let Some(message) = read.wait().await {
            match message {
                ChannelMsg::Data { data } => queue.try_send(data).map_err(|_| "the local program does not read")?,
                ChannelMsg::Eof | ChannelMsg::Close => break,
                _ => {}
            }
        }
        drop(queue);
        Ok(())
    };
    let writer = async {
        while let Some(data) = queued.recv().await {
            to_local.write_all(&data).await.map_err(|e| e.to_string())?;
        }
        to_local.shutdown().await.map_err(|e| e.to_string())
    };
    tokio::pin!(upward);
    let down = async { tokio::try_join!(downward, writer).map(drop) };
    tokio::pin!(down);
    let mut sent = false;
    loop {
        tokio::select! {
            ended = &mut down => return ended,
            ended = &mut upward, if !sent => {
                ended?;
                sent = true;
            }
        }
    }
}
