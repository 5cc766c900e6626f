//! The SHA-256 of something that is read to its end. Does not know what it is for.

use crate::core::ids::hex;
use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// SHA-256 in hexadecimal digits, and size.
pub fn sha256_of(mut content: impl Read) -> io::Result<(String, u64)> {
    let (mut digest, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok((hex(&digest.finalize()), size)),
            Ok(n) => {
                digest.update(&buffer[..n]);
                size += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
