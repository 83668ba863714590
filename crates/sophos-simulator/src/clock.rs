//! The simulator's own clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// The time of the service. It moves on request, or with real time if it runs.
///
/// Clones share one clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<ClockState>);

#[derive(Debug)]
struct ClockState {
    base_ms: AtomicI64,
    running_since: Option<Instant>,
}

impl Clock {
    /// A clock that starts at `start_ms` (Unix milliseconds).
    pub(crate) fn new(start_ms: i64, running: bool) -> Self {
        Self(Arc::new(ClockState {
            base_ms: AtomicI64::new(start_ms),
            running_since: running.then(Instant::now),
        }))
    }

    /// The current time, in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.0.base_ms.load(Ordering::SeqCst) + self.elapsed_ms()
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX / 4);
        self.0.base_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// Sets the clock to a time in Unix milliseconds, which may be earlier.
    pub fn set(&self, ms: i64) {
        self.0.base_ms.store(ms - self.elapsed_ms(), Ordering::SeqCst);
    }

    /// Whether the clock moves with real time.
    pub fn is_running(&self) -> bool {
        self.0.running_since.is_some()
    }

    fn elapsed_ms(&self) -> i64 {
        self.0
            .running_since
            .map_or(0, |since| i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopped_clock_moves_only_on_advance() {
        let clock = Clock::new(1_000, false);
        let other = clock.clone();
        other.advance(Duration::from_millis(250));
        assert_eq!(clock.now_ms(), 1_250);
        clock.set(7);
        assert_eq!(other.now_ms(), 7);
        assert!(!clock.is_running());
    }

    #[test]
    fn running_clock_moves_and_can_be_set() {
        let clock = Clock::new(0, true);
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now_ms() >= 5);
        clock.set(1_000_000);
        assert!(clock.now_ms() >= 1_000_000);
    }
}
