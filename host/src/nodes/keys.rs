//! SSH key pairs: made here, stored elsewhere.

use crate::core::Secret;
use russh::keys::HashAlg;
use russh::keys::ssh_key::private::{Ed25519Keypair, KeypairData};
use russh::keys::ssh_key::{LineEnding, PrivateKey, PublicKey};
use rustls::crypto::ring::default_provider;

/// An Ed25519 key pair in OpenSSH's formats.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// `-----BEGIN OPENSSH PRIVATE KEY-----` ...
    pub private_pem: Secret<String>,
    /// `ssh-ed25519 AAAA... comment`
    pub public_line: String,
}

impl KeyPair {
    /// A new pair from the system's random numbers.
    ///
    /// # Panics
    /// If the system has no random numbers, since nothing safe can be done then.
    pub fn generate(comment: &str) -> Self {
        let mut seed = [0; 32];
        default_provider().secure_random.fill(&mut seed).expect("the system gives random numbers");
        let pair = KeypairData::from(Ed25519Keypair::from_seed(&seed));
        let key = PrivateKey::new(pair, comment).expect("a new Ed25519 key is not encrypted");
        let pem = key.to_openssh(LineEnding::LF).expect("an Ed25519 key can be written");
        let public = key.public_key().to_openssh().expect("an Ed25519 key can be written");
        Self { private_pem: Secret::new(pem.to_string()), public_line: public }
    }

    /// The public half, `ssh-ed25519 AAAA... comment`, of a private key in OpenSSH's format.
    pub fn public_of(private_pem: &Secret<String>) -> Result<String, String> {
        let key = PrivateKey::from_openssh(private_pem.reveal()).map_err(|e| e.to_string())?;
        if key.is_encrypted() {
            return Err("it is locked with a passphrase".into());
        }
        key.public_key().to_openssh().map_err(|e| e.to_string())
    }
}

/// `SHA256:...` of a line `ssh-ed25519 AAAA...`, as OpenSSH shows it; nothing if it is no public key.
pub fn fingerprint(public_line: &str) -> Option<String> {
    Some(of(&PublicKey::from_openssh(public_line).ok()?))
}

pub(super) fn of(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_read_again_and_no_two_are_the_same() {
        let (one, two) = (KeyPair::generate("cluster web"), KeyPair::generate("cluster web"));
        assert_ne!(one.public_line, two.public_line);
        let read = PrivateKey::from_openssh(one.private_pem.reveal()).unwrap();
        assert_eq!(read.public_key().to_openssh().unwrap(), one.public_line);
        assert!(one.public_line.starts_with("ssh-ed25519 ") && one.public_line.ends_with(" cluster web"));
        assert_eq!(format!("{:?}", one.private_pem), "***");
    }

    #[test]
    fn fingerprints_are_those_of_openssh() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
        assert_eq!(fingerprint(line).as_deref(), Some("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"));
        assert_eq!(fingerprint("none"), None);
    }
}
