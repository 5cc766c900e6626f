//! Where a command's record lies on its node.

use sha2::{Digest, Sha256};
use std::fmt;

/// A step of a run, and which attempt at it. The same place is the same command: it is started at most once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub run: String,
    pub step: String,
    pub attempt: u32,
}

impl Place {
    pub fn new(run: impl Into<String>, step: impl Into<String>, attempt: u32) -> Self {
        Self { run: run.into(), step: step.into(), attempt }
    }

    /// What the names of the record's files begin with.
    pub(super) fn path(&self, base: &str) -> String {
        format!("{base}/{}/{}", self.run_folder(), self.step_name())
    }

    /// One text for each place.
    pub(in crate::nodes) fn key(&self) -> String {
        format!("{}/{}", self.run_folder(), self.step_name())
    }

    pub(super) fn run_folder(&self) -> String {
        folder(&self.run)
    }

    pub(super) fn step_name(&self) -> String {
        format!("{}.{}", folder(&self.step), self.attempt)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "run {} step {}", self.run, self.step)
    }
}

/// A name that is one folder, and different for different texts: lanes are named by recipes.
fn folder(text: &str) -> String {
    const LONGEST: usize = 120;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let mut name = String::new();
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            b if plain(b) || (b == b'.' && i > 0) => name.push(b as char),
            b => name.push_str(&format!("%{b:02x}")),
        }
    }
    if name.is_empty() {
        return "%".into();
    }
    if name.len() > LONGEST {
        let digest = Sha256::digest(text.as_bytes());
        name.truncate(LONGEST);
        name.push_str(&format!("%{}", crate::core::ids::hex(&digest[..8])));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_folder_whatever_it_is_called() {
        let path = |run: &str, step: &str| Place::new(run, step, 1).path("/b");
        assert_eq!(path("0123456789", "4.worker-2.7"), "/b/0123456789/4.worker-2.7.1");
        assert_eq!(path("..", "a/../b c'\""), "/b/%2e./a%2f..%2fb%20c%27%22.1");
        assert_eq!(path("", "é"), "/b/%/%c3%a9.1");
        let (a, b) = (path("r", &"x".repeat(300)), path("r", &"x".repeat(301)));
        assert!(a.len() < 160 && a != b);
    }
}
