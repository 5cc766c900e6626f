//! What artifacts are in a rehearsal, where nothing is fetched: what they were when they were fetched last, or something in
//! their place.
//!
//! Owns that. Does not know where it is known from.

use super::{Artifact, From, Source};
use crate::core::ids::hex;
use crate::core::{Failure, FailureKind};
use crate::toolkit::Toolkit;
use crate::toolkit::packing::Packed;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// How large a distribution such as Hadoop's jars is.
const BYTES: u64 = 150 << 20;

/// Digests of the bytes of sources, by what stands for the source.
#[derive(Default)]
pub(crate) struct Assumed(Mutex<HashMap<String, String>>);

impl Toolkit {
    /// In a rehearsal this source has the bytes of this artifact.
    pub(crate) fn assume_artifact(&self, source: &Source, artifact: &Artifact) {
        if let Ok(key) = key(source) {
            let mut assumed = self.assumed().0.lock().unwrap_or_else(PoisonError::into_inner);
            assumed.insert(key, artifact.digest().to_owned());
        }
    }

    /// What is known of an artifact without fetching it: its size is guessed, and where its digest is not known, one that
    /// stands for it.
    pub(super) fn assumed_artifact(&self, source: &Source) -> Result<Artifact, Failure> {
        let (name, bytes) = match source {
            Source::Jars(jars) => (&jars.name, BYTES),
            Source::Web(web) => {
                web.check()?;
                (&web.name, BYTES)
            }
            Source::Local(local) => {
                let found = std::fs::metadata(self.here(&local.path));
                let found = found.map_err(|e| {
                    Failure::new(FailureKind::Local, format!("cannot read {}: {e}", local.path))
                        .hint("give the path of a tarball or a folder that you can read")
                })?;
                (&local.name, if found.is_dir() { BYTES } else { found.len() })
            }
        };
        let key = key(source)?;
        let known = self.assumed().0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let sha256 = known.unwrap_or(key);
        Ok(Artifact { name: name.clone(), from: From::Here(Packed { path: PathBuf::new(), sha256, bytes }) })
    }
}

fn key(source: &Source) -> Result<String, Failure> {
    let text = serde_json::to_vec(source).map_err(|e| Failure::internal(e.to_string()))?;
    Ok(hex(&Sha256::digest(text)))
}
