//! Secrets that nobody can guess.
//!
//! Owns: where randomness comes from. Does not know what a secret opens.

use std::fs::File;
use std::io::{self, Read};

/// 256 random bits in hex, as tokens of the API look.
pub(crate) fn random() -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
