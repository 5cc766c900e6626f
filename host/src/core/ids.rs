//! Ids that we make.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Name of a run: 10 letters and digits that a person can type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    pub fn random() -> Self {
        Self(random_hex(5))
    }

    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
            .then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// That many random bytes from the system, as hexadecimal digits.
///
/// # Panics
/// If the system has no random numbers, since nothing safe can be done then.
pub fn random_hex(bytes: usize) -> String {
    use rustls::crypto::ring::default_provider;
    let mut buffer = vec![0; bytes];
    default_provider().secure_random.fill(&mut buffer).expect("the system gives random numbers");
    hex(&buffer)
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
