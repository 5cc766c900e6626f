//! The machine's SSH server: who may come in, and what for.
//!
//! Owns: connections and authentication (public keys only). Does not know how a command runs (`session.rs`).

use super::children::Children;
use super::user::User;
use super::{forward, host_key, session};
use russh::keys::ssh_key::{self, authorized_keys::Entry};
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, MethodKind};
use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SshError {
    #[error(transparent)]
    Protocol(#[from] russh::Error),
    #[error("a channel was opened before anyone logged in")]
    NobodyThere,
}

/// A fault: a while after a machine's first command begins all its connections are cut. Once.
#[derive(Clone)]
pub(crate) struct Cut {
    after: Duration,
    begun: Arc<AtomicBool>,
    /// Of all connections by the peer's port, until they are cut.
    sockets: Arc<Mutex<Option<HashMap<u16, OwnedFd>>>>,
}

impl Cut {
    pub(crate) fn after(time: Duration) -> Self {
        Self { after: time, begun: Arc::default(), sockets: Arc::new(Mutex::new(Some(HashMap::new()))) }
    }

    fn sockets(&self) -> MutexGuard<'_, Option<HashMap<u16, OwnedFd>>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This one, too, until what is given is dropped: a socket is closed only when nobody has it.
    fn watch(&self, connection: &TcpStream, port: u16) -> Watched {
        if let (Some(sockets), Ok(socket)) = (self.sockets().as_mut(), connection.as_fd().try_clone_to_owned()) {
            sockets.insert(port, socket);
        }
        Watched(self.clone(), port)
    }

    fn begin(&self) {
        if self.begun.swap(true, Ordering::SeqCst) {
            return;
        }
        let this = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(this.after).await;
            for (_, socket) in this.sockets().take().into_iter().flatten() {
                // It may have ended by then, which cuts nothing.
                let _ = std::net::TcpStream::from(socket).shutdown(std::net::Shutdown::Both);
            }
        });
    }
}

/// A connection that will be cut.
struct Watched(Cut, u16);

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(sockets) = self.0.sockets().as_mut() {
            sockets.remove(&self.1);
        }
    }
}

/// Accepts connections until the machine ends.
pub(crate) async fn serve(listener: TcpListener, children: Arc<Children>, cut: Option<Cut>) {
    loop {
        match listener.accept().await {
            Ok((s, _)) => drop(tokio::spawn(connection(s, children.clone(), cut.clone()))),
            // Out of descriptors, or the client was gone already: the next may work.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn connection(s: TcpStream, children: Arc<Children>, cut: Option<Cut>) {
    // Read anew for each: recipes replace the key that user data gave the machine.
    let Ok(key) = host_key::load() else { return };
    let config = Config {
        keys: vec![key],
        methods: (&[MethodKind::PublicKey][..]).into(),
        auth_rejection_time: Duration::from_millis(200),
        // OpenSSH opens with "none" to learn the methods: no penalty for that.
        auth_rejection_time_initial: Some(Duration::ZERO),
        inactivity_timeout: None,
        nodelay: true,
        ..Default::default()
    };
    let (Ok(peer), Ok(local)) = (s.peer_addr(), s.local_addr()) else { return };
    let _ = s.set_nodelay(true);
    let origin = format!("{} {} {} {}", peer.ip(), peer.port(), local.ip(), local.port());
    let _watched = cut.as_ref().map(|cut| cut.watch(&s, peer.port()));
    if let Ok(session) =
        russh::server::run_stream(Arc::new(config), s, Connection { children, user: None, origin, cut }).await
    {
        let _ = session.await; // how a client leaves is its own affair
    }
}

struct Connection {
    children: Arc<Children>,
    user: Option<User>,
    origin: String,
    cut: Option<Cut>,
}

/// The account, if its `authorized_keys` has this key without options: those (`command=`, `from=`) narrow what a key may
/// do, and what we cannot narrow we refuse.
fn allowed(user: &str, key: &ssh_key::PublicKey) -> Option<User> {
    let user = User::find(user)?;
    let text = std::fs::read_to_string(Path::new(&user.home).join(".ssh/authorized_keys")).ok()?;
    let entries = text.lines().filter_map(|l| l.trim().parse::<Entry>().ok());
    let fits = entries.filter(|e| e.config_opts().is_empty()).any(|e| e.public_key().key_data() == key.key_data());
    fits.then_some(user)
}

impl Handler for Connection {
    type Error = SshError;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, SshError> {
        Ok(if allowed(user, offer.public_key).is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, SshError> {
        self.user = allowed(user, key.public_key);
        Ok(if self.user.is_some() { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), SshError> {
        let user = self.user.clone().ok_or(SshError::NobodyThere)?;
        reply.accept().await;
        if let Some(cut) = self.cut.take() {
            cut.begin();
        }
        tokio::spawn(session::Channel::new(session.handle(), self.children.clone(), user, &self.origin).run(channel));
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host: &str,
        port: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), SshError> {
        self.user.as_ref().ok_or(SshError::NobodyThere)?;
        // Not in the handler: it would hold up the whole connection.
        tokio::spawn(forward::run(channel, host.to_owned(), port, reply));
        Ok(())
    }
}
