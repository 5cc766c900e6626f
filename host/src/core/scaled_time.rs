//! Time that passes so many times as fast as the computer's: that of an emulator, for those who live in it.
//!
//! Owns where it began. Does not know what is waited for.

use super::clock::Clock;
use super::time::{BoxFuture, Time};
use std::time::{Duration, Instant};

/// See the module.
#[derive(Clone, Copy, Debug)]
pub struct ScaledTime {
    began: Instant,
    start_ms: u64,
    scale: f64,
}

impl ScaledTime {
    /// It is `start_ms` now, in milliseconds since 1970. A scale that is no number of times counts as 1.
    pub fn new(start_ms: u64, scale: f64) -> Self {
        let scale = if scale.is_finite() && scale > 0.0 { scale } else { 1.0 };
        Self { began: Instant::now(), start_ms, scale }
    }
}

impl Clock for ScaledTime {
    fn now_ms(&self) -> u64 {
        self.start_ms.saturating_add(u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

impl Time for ScaledTime {
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let really = Duration::try_from_secs_f64(time.as_secs_f64() / self.scale).unwrap_or(Duration::MAX);
        Box::pin(async move { tokio::time::sleep(really).await })
    }

    fn elapsed(&self) -> Duration {
        Duration::try_from_secs_f64(self.began.elapsed().as_secs_f64() * self.scale).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_passes_in_a_moment() {
        let time = ScaledTime::new(1_000, 1_000_000.0);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(time.sleep(Duration::from_secs(3600)));
        assert!(time.now_ms() >= 3_601_000, "{}", time.now_ms());
        assert!(time.began.elapsed() < Duration::from_secs(60));
    }
}
