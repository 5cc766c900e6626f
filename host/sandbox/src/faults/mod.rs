//! Faults on purpose: what happens to which request or Linode, drawn from a seed, and the record of it.
//!
//! Owns: the rules in force, the draws and the log. Does not know the world: it is asked whether something happens, and the
//! one who asks does it. Whether it happens depends on the seed, the fault, what it is about (a request's method, path and
//! node; a Linode's label) and how often that was so before, never on what else goes on: a failure comes again with its seed.
//! With a seed given the same goes for how long things take; without one they take what is usual.

mod answers;
mod spec;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::wire::Request;
pub(crate) use answers::Fate;
pub use spec::{Fault, Rule, Spec, SpecError};

/// More are not kept; the number of a fault tells how many there were.
const MOST_KEPT: usize = 10_000;

/// Thousandths that are the whole.
pub(crate) const USUAL: u32 = 1000;

/// With a seed, what takes longest takes that many times what is usual, and what takes least that part of it: hosts and
/// hours differ so much.
const SPREAD: f64 = 1.5;

/// What goes wrong, and when. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    spec: Spec,
    seed: Option<u64>,
    /// How often it was asked how long something takes for a Linode.
    timed: HashMap<(&'static str, String), u64>,
    /// How often a rule was asked about a place.
    asked: HashMap<(usize, String), u64>,
    /// How often each rule has happened.
    happened: HashMap<usize, u32>,
    log: VecDeque<Injected>,
    number: u64,
}

/// A fault that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Injected {
    /// Counts up from 1.
    pub number: u64,
    /// In the emulator's time, as the API writes it.
    pub time: String,
    /// Its name, `lost-reply`.
    pub what: String,
    /// To what: `POST /linode/instances web-2`, `web-2`.
    pub place: String,
}

impl std::fmt::Display for Injected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ({})", self.number, self.what, self.place)
    }
}

/// It happens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) fault: Fault,
    pub(crate) number: u64,
    pub(crate) time: Duration,
    pub(crate) size: Option<u64>,
    /// Drawn too, for what has two sides.
    pub(crate) heads: bool,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// What a text says (`Spec::parse`), drawn from a seed.
    pub fn parse(text: &str, seed: u64) -> Result<Self, SpecError> {
        Ok(Self::of(Spec::parse(text)?, seed))
    }

    /// These, drawn from a seed.
    pub fn of(spec: Spec, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State { spec, seed: Some(seed), ..State::default() })))
    }

    /// Other rules or another seed from now on; what is not given stays, but no seed without rules. The log goes on.
    pub fn replace(&self, spec: Option<Spec>, seed: Option<u64>) {
        let mut state = self.lock();
        let State { spec: rules, seed: number, log, number: last, .. } = std::mem::take(&mut *state);
        let ends = spec.as_ref().is_some_and(|spec| *spec == Spec::default());
        let (spec, seed) = (spec.unwrap_or(rules), seed.or(number.filter(|_| !ends)));
        *state = State { spec, seed, log, number: last, ..State::default() };
    }

    /// The rules in force, `none` without any, and the seed, if one was given.
    pub fn in_force(&self) -> (String, Option<u64>) {
        let state = self.lock();
        (state.spec.to_string(), state.seed)
    }

    /// How many have happened.
    pub fn count(&self) -> u64 {
        self.lock().number
    }

    /// Those that happened after number `after`, oldest first.
    pub fn log(&self, after: u64) -> Vec<Injected> {
        self.lock().log.iter().filter(|one| one.number > after).cloned().collect()
    }

    /// What happens to a request; `label` is that of the Linode it is about, `linodes` how many there are.
    pub(crate) fn fate(&self, request: &Request, label: Option<&str>, linodes: usize, now: Time) -> Option<Fate> {
        let mut state = self.lock();
        if state.spec.rules.is_empty() {
            return None;
        }
        let asked = answers::Asked::of(request, label)?;
        let words = asked.words();
        let hit = state.draw(|rule| asked.concerned_by(rule, &words, linodes), &asked.place, now)?;
        Some(Fate::new(hit, asked.by_v3))
    }

    /// Whether this befalls the Linode of this label now.
    pub(crate) fn befalls(&self, fault: Fault, label: &str, now: Time) -> Option<Hit> {
        self.lock().draw(|rule| rule.fault == fault && rule.concerns(&[label]), label, now)
    }

    /// How long this takes for the Linode of this label now, in thousandths of what is usual.
    pub(crate) fn pace(&self, what: &'static str, label: &str) -> u32 {
        let mut state = self.lock();
        let Some(seed) = state.seed else { return USUAL };
        let count = state.timed.entry((what, label.to_owned())).or_default();
        *count += 1;
        // Two halves, so that most are near the middle.
        let drawn = dice(seed, what, label, *count);
        let halves = [drawn as u32, (drawn >> 32) as u32].map(|half| f64::from(half) / f64::from(u32::MAX) - 0.5);
        (f64::from(USUAL) * SPREAD.powf(halves[0] + halves[1])).round() as u32
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first rule that applies and whose draw says so.
    fn draw(&mut self, applies: impl Fn(&Rule) -> bool, place: &str, now: Time) -> Option<Hit> {
        let mut found = None;
        for (at, rule) in self.spec.rules.iter().enumerate().filter(|(_, rule)| applies(rule)) {
            let count = self.asked.entry((at, place.to_owned())).or_default();
            *count += 1;
            let drawn = dice(self.seed.unwrap_or_default(), rule.fault.name(), place, *count);
            let happened = self.happened.get(&at).copied().unwrap_or_default();
            // The upper 53 bits, which a float holds exactly.
            let share = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
            // Those after it are asked too, so that no rule's draws depend on another rule.
            if found.is_none() && share < rule.chance && rule.most.is_none_or(|most| happened < most) {
                found = Some((at, drawn & 1 == 1));
            }
        }
        let (at, heads) = found?;
        let (fault, time, size) = {
            let rule = &self.spec.rules[at];
            (rule.fault, rule.time, rule.size)
        };
        *self.happened.entry(at).or_default() += 1;
        self.number += 1;
        if self.log.len() == MOST_KEPT {
            self.log.pop_front();
        }
        let number = self.number;
        self.log.push_back(Injected {
            number,
            time: now.wire(),
            what: fault.name().to_owned(),
            place: place.to_owned(),
        });
        Some(Hit { fault, number, time, size, heads })
    }
}

/// A number that looks random and is always the same for the same question: FNV-1a, then the mixer of SplitMix64.
fn dice(seed: u64, fault: &str, place: &str, count: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let bytes = [&seed.to_le_bytes()[..], fault.as_bytes(), &[0], place.as_bytes(), &[0], &count.to_le_bytes()];
    for byte in bytes.concat() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(faults: &Faults, order: &[&str]) -> Vec<String> {
        let mut hits: Vec<String> = Vec::new();
        let mut times = HashMap::new();
        for label in order {
            let count: &mut u32 = times.entry(*label).or_default();
            *count += 1;
            if faults.befalls(Fault::BootFail, label, Time(0)).is_some() {
                hits.push(format!("{label} {count}"));
            }
        }
        hits.sort();
        hits
    }

    #[test]
    fn the_seed_and_not_the_order_decides() {
        let forth: Vec<_> = (0..200).map(|n| ["a", "b", "c"][n % 3]).collect();
        let back: Vec<_> = forth.iter().rev().copied().collect();
        let of = |seed, order: &[&str]| happened(&Faults::parse("boot-fail:10%,flaky", seed).unwrap(), order);
        assert_eq!(of(1, &forth[..198]), of(1, &back[2..]));
        assert_ne!(of(1, &forth), of(2, &forth));
        assert!((5..40).contains(&of(1, &forth).len()));
        // Another rule beside it changes nothing.
        let more = Faults::parse("invisible:50%,boot-fail:10%", 1).unwrap();
        assert_eq!(happened(&more, &forth), of(1, &forth));
    }

    #[test]
    fn the_seed_decides_how_long_things_take() {
        let of = |seed| {
            let faults = Faults::of(Spec::default(), seed);
            let labels: Vec<_> = (0..500).map(|n| format!("web-{n}")).collect();
            labels.iter().map(|label| faults.pace("boot", label)).collect::<Vec<_>>()
        };
        let (mut one, usual) = (of(1), Faults::none().pace("boot", "web-1"));
        assert_eq!(of(1), one);
        assert_ne!(of(2), one);
        one.sort_unstable();
        assert_eq!(usual, USUAL);
        assert!(one[0] >= 666 && one[499] <= 1500, "{} to {}", one[0], one[499]);
        assert!((950..1050).contains(&one[250]), "half of them are below {}", one[250]);
    }

    #[test]
    fn a_target_without_a_chance_is_hit_once_and_noted() {
        let faults = Faults::parse("boot-fail=b", 0).unwrap();
        assert_eq!(happened(&faults, &["a", "b", "b", "c"]), ["b 1"]);
        faults.replace(Spec::parse("boot-fail:2x").ok(), Some(0));
        assert_eq!(happened(&faults, &["a", "b", "c"]), ["a 1", "b 1"]);
        let told: Vec<_> = faults.log(1).iter().map(ToString::to_string).collect();
        assert_eq!(told, ["2: boot-fail (a)", "3: boot-fail (b)"]);
        faults.replace(Some(Spec::default()), None);
        assert_eq!((faults.in_force(), faults.count()), (("none".to_owned(), None), 3));
    }
}
