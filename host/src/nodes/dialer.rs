//! How a TCP connection to a machine is made. Does not know SSH.

use crate::core::BoxFuture;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Opens connections to machines: straight, or into the sandbox.
pub trait Dialer: Send + Sync {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>>;
}

/// Straight over this computer's network.
#[derive(Clone, Copy, Debug)]
pub struct Direct {
    /// How long one attempt may take: a packet filter that drops would hold it for two minutes.
    pub timeout: Duration,
}

impl Default for Direct {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(10) }
    }
}

impl Dialer for Direct {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'_, io::Result<TcpStream>> {
        Box::pin(async move {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "no answer to the connection request");
            let stream =
                tokio::time::timeout(self.timeout, TcpStream::connect(address)).await.map_err(|_| late())??;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}
