//! Rate limits, as the API publishes them: so many calls in any window, per token and class.
//!
//! Owns: the windows. Does not know paths: a route names its class. Source: Linode API v4 docs.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Time;

/// Whether limits are enforced. They are shown in the headers either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LimitMode {
    #[default]
    Real,
    Off,
}

/// Calls that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Paginated GETs.
    Lists,
    ListImages,
    ListStackScripts,
    CreateLinode,
    /// By API v3.
    CreateLinodeV3,
    Other,
}

impl Class {
    /// At most so many in any window of this length.
    fn limit(self) -> (usize, Duration) {
        let minute = Duration::from_secs(60);
        match self {
            Self::Lists => (200, minute),
            Self::ListImages => (20, minute),
            Self::ListStackScripts => (60, minute),
            Self::CreateLinode => (20, Duration::from_secs(15)),
            Self::CreateLinodeV3 => (75, 60 * minute),
            Self::Other => (1600, minute),
        }
    }
}

/// What the headers say after a call was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub admitted: bool,
    pub limit: usize,
    pub remaining: usize,
    /// When the oldest call leaves the window, in seconds since 1970.
    pub reset: u64,
    /// The same from now on, at least one.
    pub retry_after: u64,
}

/// All windows of all callers.
#[derive(Debug, Default)]
pub struct Limits {
    mode: LimitMode,
    windows: HashMap<(String, Class), VecDeque<Time>>,
}

impl Limits {
    pub fn new(mode: LimitMode) -> Self {
        Self { mode, windows: HashMap::new() }
    }

    /// Counts a call of `who`, unless it is one too many.
    pub fn admit(&mut self, who: &str, class: Class, now: Time) -> Standing {
        let (limit, length) = class.limit();
        let window = self.windows.entry((who.to_owned(), class)).or_default();
        while window.front().is_some_and(|then| now.since(*then) >= length) {
            window.pop_front();
        }
        let admitted = window.len() < limit || self.mode == LimitMode::Off;
        if window.len() < limit {
            window.push_back(now);
        }
        let reset = window.front().copied().unwrap_or(now).after(length);
        Standing {
            admitted,
            limit,
            remaining: limit - window.len(),
            reset: reset.0.div_ceil(1000),
            retry_after: reset.since(now).as_millis().div_ceil(1000).max(1) as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_creates_fit_into_any_fifteen_seconds() {
        let mut limits = Limits::new(LimitMode::Real);
        let mut admitted = |millis: u64| {
            let standing = limits.admit("token", Class::CreateLinode, Time(millis));
            (standing.admitted, standing.remaining, standing.retry_after)
        };
        for n in 0..20 {
            assert_eq!(admitted(1000 + n * 500).1, 19 - usize::try_from(n).expect("small"));
        }
        assert_eq!(admitted(10_500), (false, 0, 6), "the window slides: it is not emptied at once");
        assert_eq!(admitted(15_999), (false, 0, 1), "a refused call is not counted");
        assert_eq!(admitted(16_000), (true, 0, 1));
        assert_eq!(admitted(16_000), (false, 0, 1));
        assert!(limits.admit("other", Class::CreateLinode, Time(16_000)).admitted);
        assert!(limits.admit("token", Class::Other, Time(16_000)).admitted);
    }

    #[test]
    fn switched_off_they_only_show() {
        let mut limits = Limits::new(LimitMode::Off);
        for _ in 0..100 {
            assert!(limits.admit("token", Class::CreateLinode, Time(0)).admitted);
        }
        assert_eq!(limits.admit("token", Class::CreateLinode, Time(0)).remaining, 0);
    }
}
