//! Tags by which what we made is found again after a lost answer.

use crate::core::ids::hex;
use sha2::{Digest, Sha256};

/// `lt-s-` and 24 hexadecimal digits: one attempt of one step of one run, on whatever it creates.
pub fn step_tag(run: &str, step: &str, attempt: u32) -> String {
    format!("lt-s-{}", hash(&[run, step, &attempt.to_string()], 12))
}

/// `lt-c-` and 16 hexadecimal digits: a cluster of a context, on all that belongs to it.
pub fn cluster_tag(context: &str, cluster: &str) -> String {
    format!("lt-c-{}", hash(&[context, cluster], 8))
}

fn hash(parts: &[&str], bytes: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        // With its length, so that no two lists of parts are alike.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hex(&hasher.finalize()[..bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_fixed_for_ever() {
        // Machines carry them: another value would orphan them.
        assert_eq!(step_tag("0a1b2c3d4e", "3.worker-1.0", 1), "lt-s-e069ae269dd58792c6db3e7a");
        assert_eq!(cluster_tag("default/default", "hadoop"), "lt-c-cdcd0d29c8852146");
        assert_ne!(step_tag("a", "bc", 1), step_tag("ab", "c", 1));
    }
}
