//! What a rehearsal cannot know, and what it assumes instead.

use super::seed::Present;
use super::words::some_of;
use super::{Asked, Stage};
use crate::core::clock::utc;
use crate::core::{Failure, Secret, SystemClock};
use crate::inventory::natural_order;
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

/// All of it, a sentence each; what is of most weight first.
pub(super) fn of(stage: &Stage, present: &Present, calls: usize) -> Vec<String> {
    let mut told = Vec::from_iter(stage.missing.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
    if calls > 0 {
        told.push(format!(
            "what {calls} calls of the provider's API by the recipe itself cost: what they make counts as $0, also for --max-cost"
        ));
    }
    if let Some(seen) = &stage.catalogue {
        let days = stage.began_ms.saturating_sub(seen.seen_ms) / 86_400_000;
        if days > OLD_DAYS {
            told.push(format!("prices, types and regions since {}, {days} days ago", day(seen.seen_ms)));
        }
    }
    let simulation = stage.toolkit().connections().simulation();
    told.extend(assumed(simulation.map(|simulation| simulation.assumed()).unwrap_or_default()));
    if !present.nodes.is_empty() {
        told.push("what was changed on nodes by hand, and whether they still are as the inventory has them".to_owned());
    }
    told.push("Linodes and limits of the account that the inventory does not have".to_owned());
    told.push("how large downloads are: each is taken for 150 MB".to_owned());
    told
}

/// How commands are taken to come out: of what, and how often.
fn assumed(all: Vec<(Assumption, String, usize)>) -> Vec<String> {
    const SILENT: &str = "assumed to succeed, to write nothing and to take a moment";
    let (silent, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(what, ..)| *what == Assumption::Silent);
    let named = |of: &str, times| match times {
        1 => format!("`{of}`"),
        times => format!("`{of}` ({times} times)"),
    };
    let mut told = Vec::new();
    match silent.as_slice() {
        // They are all counted as work.
        [_, _, _, _, ..] => {
            let mut names: Vec<_> = silent.iter().map(|(_, of, times)| named(of, *times)).collect();
            names.sort_by(|a, b| natural_order(a, b));
            told.push(format!("{} commands, {}: {SILENT}", names.len(), some_of(&names)));
        }
        few => told.extend(few.iter().map(|(_, of, times)| format!("command {}: {SILENT}", named(of, *times)))),
    }
    told.extend(others.into_iter().map(|(what, of, times)| match what {
        Assumption::Needed => format!("command {}: its `unless` is assumed not to hold", named(&of, times)),
        _ => format!("question {}: assumed to be answered with yes", named(&of, times)),
    }));
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    #[test]
    fn many_commands_are_one_sentence() {
        let silent =
            |names: &[&str]| names.iter().map(|name| (Assumption::Silent, (*name).to_owned(), 1)).collect::<Vec<_>>();
        let mut few = silent(&["build"]);
        few.extend([(Assumption::Yes, "test -e /x".to_owned(), 2), (Assumption::Needed, "grep x".to_owned(), 1)]);
        let many = silent(&["a", "b", "c", "d", "e"]);
        expect![[r#"
            command `build`: assumed to succeed, to write nothing and to take a moment
            question `test -e /x` (2 times): assumed to be answered with yes
            command `grep x`: its `unless` is assumed not to hold
            5 commands, `a`, `b`, `c` and 2 more: assumed to succeed, to write nothing and to take a moment"#]]
        .assert_eq(&[assumed(few), assumed(many)].concat().join("\n"));
    }
}
