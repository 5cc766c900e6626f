//! What a rehearsal cannot know, and what it assumes instead.

use super::seed::Present;
use super::{Asked, Stage};
use crate::core::clock::utc;
use crate::core::{Failure, Secret, SystemClock};
use crate::nodes::{Assumption, KeyPair};
use crate::secrets::{Otherwise, SecretStore};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Prices and types change a few times a year.
const OLD_DAYS: u64 = 30;

/// Where prices, types and regions are from.
pub(super) fn catalogue(stage: &Stage) -> String {
    match &stage.catalogue {
        Some(seen) => format!("as the account showed them on {}", day(seen.seen_ms)),
        None => "bundled with linodetool".to_owned(),
    }
}

fn day(ms: u64) -> String {
    utc(ms).chars().take(10).collect()
}

/// What could not be read of what there is, a sentence each.
#[derive(Clone, Default)]
pub(super) struct Missing(Arc<Mutex<BTreeSet<String>>>);

impl Missing {
    /// Answers for the user's secrets: from the store, or with something in its place that is a private key, since that is
    /// the only form that anything asks of a secret.
    pub(super) fn otherwise(&self, asked: &Asked<'_>) -> Result<Otherwise, Failure> {
        let store = SecretStore::open(&asked.paths.state, asked.context, Arc::new(SystemClock))?;
        let missing = self.clone();
        Ok(Arc::new(move |name: &str| {
            let why = match store.get(name) {
                Ok(Some(secret)) => return Some(secret),
                Ok(None) => "not in the store".to_owned(),
                Err(error) => error.to_string(),
            };
            missing.note(format!("secret `{name}`: {why}; something was used in its place"));
            Some(Secret::new(KeyPair::generate("rehearsal").private_pem.reveal().clone()))
        }))
    }

    pub(super) fn note(&self, what: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(what);
    }
}

/// All of it, a sentence each.
pub(super) fn of(stage: &Stage, present: &Present) -> Vec<String> {
    let mut told = Vec::new();
    let assumed = stage.toolkit().connections().simulation().map(|simulation| simulation.assumed()).unwrap_or_default();
    for (what, of, times) in assumed {
        let times = if times == 1 { String::new() } else { format!(" ({times} times)") };
        told.push(match what {
            Assumption::Silent => {
                format!("command `{of}`{times}: assumed to succeed, to write nothing and to take a moment")
            }
            Assumption::Needed => format!("command `{of}`{times}: its `unless` is assumed not to hold"),
            Assumption::Yes => format!("question `{of}`{times}: assumed to be answered with yes"),
        });
    }
    told.extend(stage.missing.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    if let Some(seen) = &stage.catalogue {
        let days = stage.began_ms.saturating_sub(seen.seen_ms) / 86_400_000;
        if days > OLD_DAYS {
            told.push(format!("prices, types and regions since {}, {days} days ago", day(seen.seen_ms)));
        }
    }
    if !present.nodes.is_empty() {
        told.push("what was changed on nodes by hand, and whether they still are as the inventory has them".to_owned());
    }
    told.push("Linodes and limits of the account that the inventory does not have".to_owned());
    told.push("how large downloads are: each is taken for 150 MB".to_owned());
    told
}
