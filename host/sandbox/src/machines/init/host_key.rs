//! The machine's SSH host key: the file decides, at every connection.
//!
//! Owns: reading and, where there is none, making it. Does not know where a given key came from.

use crate::machines::fail::{Because, Result};
use crate::machines::rootfs::replace;
use russh::keys::{PrivateKey, ssh_key};
use std::fs;
use std::io::Read;
use std::path::Path;

pub(crate) const FILE: &str = "/etc/ssh/ssh_host_ed25519_key";

/// Makes a key unless there is one.
pub(crate) fn ensure() -> Result<()> {
    if Path::new(FILE).exists() {
        return Ok(());
    }
    let mut seed = [0; 32];
    fs::File::open("/dev/urandom").and_then(|mut f| f.read_exact(&mut seed)).because(|| "cannot read random bytes")?;
    let key = PrivateKey::from(ssh_key::private::Ed25519Keypair::from_seed(&seed));
    fs::create_dir_all("/etc/ssh").because(|| "cannot make /etc/ssh")?;
    let (private, public) = (
        key.to_openssh(ssh_key::LineEnding::LF).because(|| "cannot write a key")?,
        key.public_key().to_openssh().because(|| "cannot write a key")?,
    );
    replace(FILE, &private, 0o600)?;
    replace(&format!("{FILE}.pub"), &format!("{public}\n"), 0o644)
}

/// The key as it is now.
pub(crate) fn load() -> Result<PrivateKey> {
    russh::keys::load_secret_key(FILE, None).because(|| format!("cannot read the host key {FILE}"))
}
