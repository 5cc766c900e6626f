//! Which machine is meant and how it is recognised. Does not know where these facts are kept.

use super::{NodeError, Result, fingerprint};
use crate::core::Secret;
use russh::keys::{PrivateKey, PublicKey};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;

/// A machine to reach. There is no trust on first use: a host key that is not among `host_keys` is an error.
#[derive(Clone, Debug)]
pub struct Target {
    /// The node's name, for messages.
    pub name: String,
    /// Where its SSH server listens, usually port 22 of the public address.
    pub address: SocketAddr,
    pub user: String,
    /// The private key to log in with, in OpenSSH's format.
    pub key: Secret<String>,
    /// The host keys it may show, as in `known_hosts`: `ssh-ed25519 AAAA...`.
    pub host_keys: Vec<String>,
}

impl Target {
    /// The same for targets that may share a connection.
    pub(super) fn identity(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&self.address.to_string(), &self.user, self.key.reveal()].into_iter().chain(&self.host_keys) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }

    pub(super) fn private_key(&self) -> Result<PrivateKey> {
        PrivateKey::from_openssh(self.key.reveal()).map_err(|e| NodeError::BadKey {
            node: self.name.clone(),
            reason: format!("its private key is not in OpenSSH's format: {e}"),
        })
    }

    pub(super) fn pinned(&self) -> Result<Vec<PublicKey>> {
        if self.host_keys.is_empty() {
            return Err(NodeError::NoHostKey { node: self.name.clone(), address: self.address });
        }
        let parse = |line: &String| {
            PublicKey::from_openssh(line).map_err(|e| NodeError::BadKey {
                node: self.name.clone(),
                reason: format!("the host key `{}` is not of the form `ssh-ed25519 AAAA...`: {e}", line.trim()),
            })
        };
        self.host_keys.iter().map(parse).collect()
    }

    pub(super) fn pinned_fingerprints(&self) -> Vec<String> {
        self.host_keys.iter().map(|line| fingerprint(line).unwrap_or_else(|| line.clone())).collect()
    }
}
