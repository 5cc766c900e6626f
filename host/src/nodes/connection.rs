//! One SSH connection to one machine: login with a pinned host key, and channels. Does not know which connections are kept.

use super::dialer::Dialer;
use super::keys;
use super::{NodeError, Result, Target};
use russh::client::{self, Handle, Msg};
use russh::keys::{Algorithm, PrivateKeyWithHashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Channel, ChannelReadHalf, ChannelWriteHalf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// OpenSSH's default MaxSessions is 10; the rest is left to a person's own use of the same connection limit.
const SESSIONS: usize = 8;
/// Key exchange and login: a machine that is just coming up is slow, one that never answers must not hold a place.
pub(super) const LOGIN: Duration = Duration::from_secs(30);
/// Opening a channel is one round trip, but sshd may be forking under load.
const OPEN: Duration = Duration::from_secs(60);
/// A silent peer is declared dead after four of these.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// A connection that is logged in.
pub(super) struct Connection {
    handle: Handle<Verifier>,
    sessions: Arc<Semaphore>,
}

/// Why a login failed, and whether trying again may help.
pub(super) enum LoginError {
    /// The machine may be coming up.
    NotYet(String),
    /// The key was refused; a machine that is coming up may not have it yet.
    Refused,
    Final(NodeError),
}

impl Connection {
    /// One attempt. Dialling is not counted among the logins: machines that are still down must not keep out those
    /// that are up.
    pub(super) async fn open(
        dialer: &dyn Dialer,
        target: &Target,
        logins: &Semaphore,
    ) -> std::result::Result<Self, LoginError> {
        let pinned = target.pinned().map_err(LoginError::Final)?;
        let key = target.private_key().map_err(LoginError::Final)?;
        let stream = dialer.dial(target.address).await.map_err(|e| LoginError::NotYet(e.to_string()))?;
        let _permit = logins.acquire().await;
        let attempt = login(stream, target, pinned, key);
        timeout(LOGIN, attempt).await.unwrap_or_else(|_| Err(LoginError::NotYet("the login takes too long".into())))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// A channel for a command. An error means that nothing was started.
    pub(super) async fn session(&self) -> std::result::Result<Session, russh::Error> {
        let permit = self.sessions.clone().acquire_owned().await.map_err(|_| russh::Error::Disconnect)?;
        let opened = timeout(OPEN, self.handle.channel_open_session()).await;
        Ok(Session::new(opened.map_err(|_| russh::Error::ConnectionTimeout)??, Some(permit)))
    }

    /// A channel to a port as the machine sees it.
    pub(super) async fn tcp(&self, host: &str, port: u16) -> std::result::Result<Session, russh::Error> {
        let opened = timeout(OPEN, self.handle.channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0)).await;
        Ok(Session::new(opened.map_err(|_| russh::Error::ConnectionTimeout)??, None))
    }

    pub(super) async fn close(&self) {
        let _ =
            timeout(Duration::from_secs(1), self.handle.disconnect(russh::Disconnect::ByApplication, "", "en")).await;
    }
}

async fn login(
    stream: tokio::net::TcpStream,
    target: &Target,
    pinned: Vec<PublicKey>,
    key: russh::keys::PrivateKey,
) -> std::result::Result<Connection, LoginError> {
    let found = Arc::new(Mutex::new(None));
    let verifier = Verifier { pinned, found: found.clone() };
    let config = Arc::new(config(&verifier.pinned));
    let mut handle = match client::connect_stream(config, stream, verifier).await {
        Ok(handle) => handle,
        Err(russh::Error::UnknownKey) => {
            let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Err(LoginError::Final(NodeError::HostKey {
                node: target.name.clone(),
                address: target.address,
                expected: target.pinned_fingerprints(),
                found: found.unwrap_or_else(|| "none".into()),
            }));
        }
        Err(error) => return Err(LoginError::NotYet(error.to_string())),
    };
    let not_yet = |e: russh::Error| LoginError::NotYet(e.to_string());
    let hash = match key.algorithm() {
        Algorithm::Rsa { .. } => handle.best_supported_rsa_hash().await.map_err(not_yet)?.flatten(),
        _ => None,
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
    let answer = handle.authenticate_publickey(&target.user, key).await.map_err(not_yet)?;
    if answer.success() {
        return Ok(Connection { handle, sessions: Arc::new(Semaphore::new(SESSIONS)) });
    }
    // A connection that broke during the login is reported by russh as a refusal too.
    Err(if handle.is_closed() { LoginError::NotYet("it hung up during the login".into()) } else { LoginError::Refused })
}

fn config(pinned: &[PublicKey]) -> client::Config {
    let mut config = client::Config {
        nodelay: true,
        inactivity_timeout: None,
        keepalive_interval: Some(KEEPALIVE),
        // Messages that a channel may have unread before the whole connection stops.
        channel_buffer_size: 512,
        ..client::Config::default()
    };
    // A server has several host keys and shows the kind that we ask for first: ask for the pinned ones.
    let wanted = |a: &Algorithm| pinned.iter().any(|k| same_kind(&k.algorithm(), a));
    let (first, rest): (Vec<_>, Vec<_>) = config.preferred.key.iter().cloned().partition(wanted);
    config.preferred.key = first.into_iter().chain(rest).collect();
    config
}

fn same_kind(a: &Algorithm, b: &Algorithm) -> bool {
    a == b || matches!((a, b), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// Lets only pinned host keys pass.
pub(super) struct Verifier {
    pinned: Vec<PublicKey>,
    found: Arc<Mutex<Option<String>>>,
}

impl client::Handler for Verifier {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = shown else {
            *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some("a certificate".into());
            return Ok(false);
        };
        if self.pinned.iter().any(|p| p.key_data() == key.key_data()) {
            return Ok(true);
        }
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys::of(key));
        Ok(false)
    }
}

/// A channel that is closed when dropped, so that a future given up halfway leaves nothing open.
pub(super) struct Session {
    pub(super) read: ChannelReadHalf,
    write: Option<ChannelWriteHalf<Msg>>,
    permit: Option<OwnedSemaphorePermit>,
    runtime: tokio::runtime::Handle,
}

impl Session {
    fn new(channel: Channel<Msg>, permit: Option<OwnedSemaphorePermit>) -> Self {
        let (read, write) = channel.split();
        Self { read, write: Some(write), permit, runtime: tokio::runtime::Handle::current() }
    }

    pub(super) fn halves(&mut self) -> (&mut ChannelReadHalf, &ChannelWriteHalf<Msg>) {
        (&mut self.read, self.write.as_ref().expect("the write half is there until drop"))
    }

    /// The other side has closed it: nothing is left to do.
    pub(super) fn mark_closed(&mut self) {
        self.write = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let (Some(write), permit) = (self.write.take(), self.permit.take()) else { return };
        self.runtime.spawn(async move {
            let _ = write.close().await;
            drop(permit);
        });
    }
}
