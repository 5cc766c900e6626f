//! The emulator's time: everything the emulated cloud dates, delays or counts is in it.
//!
//! Owns: what time it is, and how to write it as the API does. Does not know what happens when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment of the emulated world: milliseconds since 1970 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// This much later.
    pub fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// As the API writes it: UTC without a zone, `2026-01-31T12:00:00`.
    pub fn wire(self) -> String {
        let seconds = self.0 / 1000;
        let (year, month, day) = civil(seconds / 86_400);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// Year, month and day of a day since 1970 (the usual era arithmetic, with years that begin in March).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day_of_year - (153 * march_month + 2) / 5 + 1)
}

/// Who says what time it is.
pub trait Clock: Send + Sync {
    fn now(&self) -> Time;
    /// How long to sleep until `then` has come; `None` if this clock only moves when somebody moves it.
    fn sleep_until(&self, then: Time) -> Option<Duration>;
    /// Moves it forward to `then`, if it is one that is moved; it never goes back.
    fn follow(&self, _then: Time) {}
    /// How many times as fast as the computer's it runs; 0: it only moves when somebody moves it.
    fn scale(&self) -> f64 {
        0.0
    }
}

/// The computer's time from the start on, `scale` times as fast.
#[derive(Debug)]
pub struct ScaledClock {
    began: Instant,
    start: Time,
    scale: f64,
}

impl ScaledClock {
    /// Begins at the present time. `scale` below a thousandth counts as a thousandth.
    pub fn new(scale: f64) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { began: Instant::now(), start: Time::default().after(since), scale: scale.max(0.001) }
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Time {
        self.start.after(self.began.elapsed().mul_f64(self.scale))
    }

    fn sleep_until(&self, then: Time) -> Option<Duration> {
        Some(then.since(self.now()).div_f64(self.scale))
    }

    fn scale(&self) -> f64 {
        self.scale
    }
}

/// A clock that stands until it is moved: for tests and for virtual time.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    pub fn new(start: Time) -> Self {
        Self(AtomicU64::new(start.0))
    }

    /// Moves the time forward to `then`; it never goes back.
    pub fn advance_to(&self, then: Time) {
        self.0.fetch_max(then.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, _: Time) -> Option<Duration> {
        None
    }

    fn follow(&self, then: Time) {
        self.advance_to(then);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_api_does() {
        let written = |seconds: u64| Time(seconds * 1000 + 999).wire();
        assert_eq!(written(0), "1970-01-01T00:00:00");
        assert_eq!(written(951_782_400), "2000-02-29T00:00:00");
        assert_eq!(written(1_767_225_599), "2025-12-31T23:59:59");
        assert_eq!(written(4_107_542_399), "2100-02-28T23:59:59");
        assert_eq!(written(4_107_542_400), "2100-03-01T00:00:00");
    }

    #[test]
    fn a_scaled_clock_runs_ahead_and_a_manual_one_stands() {
        let fast = ScaledClock::new(1000.0);
        let then = fast.now().after(Duration::from_secs(1000));
        assert!(fast.sleep_until(then).expect("it runs") <= Duration::from_secs(1));
        let still = ManualClock::new(Time(5));
        still.advance_to(Time(9));
        still.advance_to(Time(7));
        assert_eq!(still.now(), Time(9));
    }
}
