//! The rate limiter; off unless a window is configured.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::limiter_counts::{CallTally, LimiterCounts};
use crate::time;

/// Limits on one credential's calls to the global, regional and GraphQL hosts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimiterConfig {
    /// Calls a second.
    pub per_second: Option<u32>,
    /// Calls a minute.
    pub per_minute: Option<u32>,
    /// The burst within a minute's allowance; by default, `per_minute`.
    pub minute_burst: Option<u32>,
    /// Calls an hour.
    pub per_hour: Option<u32>,
    /// Calls a day.
    pub per_day: Option<u32>,
    /// Whether to measure in real time instead of the simulator's clock.
    pub real_time: bool,
    /// Whether a 429 has `Retry-After`.
    pub retry_after: bool,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    capacity: f64,
    per_ms: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    refilled_at_ms: i64,
}

#[derive(Debug)]
pub(crate) struct Limiter {
    windows: Vec<Window>,
    real_time: bool,
    usage: Mutex<HashMap<usize, CredentialUsage>>,
}

/// The usage of one credential.
#[derive(Debug, Default)]
struct CredentialUsage {
    buckets: Vec<Bucket>,
    tally: CallTally,
}

impl Limiter {
    pub(crate) fn new(config: &LimiterConfig) -> Self {
        let windows = [
            (config.per_second, None, 1_000.0),
            (config.per_minute, config.minute_burst, 60_000.0),
            (config.per_hour, None, 3_600_000.0),
            (config.per_day, None, 86_400_000.0),
        ]
        .into_iter()
        .filter_map(|(limit, burst, ms)| {
            let limit = limit?;
            Some(Window { capacity: f64::from(burst.unwrap_or(limit)), per_ms: f64::from(limit) / ms })
        })
        .collect();
        Self { windows, real_time: config.real_time, usage: Mutex::default() }
    }

    /// Takes one call from a credential's allowance. Otherwise returns the seconds to wait.
    pub(crate) fn acquire(&self, credential: usize, clock: &Clock) -> Result<(), u64> {
        let now = if self.real_time { time::real_now_ms() } else { clock.now_ms() };
        let mut all = self.lock();
        let CredentialUsage { buckets, tally } = all.entry(credential).or_default();
        tally.record_call(now);
        if buckets.is_empty() {
            let full = |w: &Window| Bucket { tokens: w.capacity, refilled_at_ms: now };
            *buckets = self.windows.iter().map(full).collect();
        }
        let mut wait_ms = 0.0f64;
        for (window, bucket) in self.windows.iter().zip(buckets.iter_mut()) {
            let gained = (now - bucket.refilled_at_ms).max(0) as f64 * window.per_ms;
            bucket.tokens = (bucket.tokens + gained).min(window.capacity);
            bucket.refilled_at_ms = now;
            if bucket.tokens < 1.0 {
                wait_ms = wait_ms.max((1.0 - bucket.tokens) / window.per_ms);
            }
        }
        if wait_ms > 0.0 {
            tally.record_refusal();
            return Err((wait_ms / 1_000.0).ceil() as u64);
        }
        for bucket in buckets {
            bucket.tokens -= 1.0;
        }
        Ok(())
    }

    /// The counts of each credential, by its number.
    pub(crate) fn counts(&self) -> Vec<(usize, LimiterCounts)> {
        self.lock().iter().map(|(number, account)| (*number, account.tally.counts())).collect()
    }

    /// Resets the counts to zero. Allowances do not change.
    pub(crate) fn reset_counts(&self) {
        for account in self.lock().values_mut() {
            account.tally = CallTally::default();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, CredentialUsage>> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn limiter_applies_the_strictest_window() {
        let limiter = Limiter::new(&LimiterConfig {
            per_second: Some(2),
            per_minute: Some(60),
            minute_burst: Some(3),
            ..LimiterConfig::default()
        });
        let clock = Clock::new(0, false);
        assert_eq!(limiter.acquire(0, &clock), Ok(()));
        assert_eq!(limiter.acquire(0, &clock), Ok(()));
        assert_eq!(limiter.acquire(0, &clock), Err(1));
        assert_eq!(limiter.acquire(1, &clock), Ok(()));
        clock.advance(Duration::from_millis(500));
        assert_eq!(limiter.acquire(0, &clock), Ok(()));
        clock.advance(Duration::from_millis(100));
        assert_eq!(limiter.acquire(0, &clock), Err(1));
        clock.advance(Duration::from_millis(900));
        assert_eq!(limiter.acquire(0, &clock), Ok(()));
    }

    #[test]
    fn limiter_is_disabled_by_default() {
        let limiter = Limiter::new(&LimiterConfig::default());
        let clock = Clock::new(0, false);
        assert!((0..1_000).all(|_| limiter.acquire(0, &clock).is_ok()));
    }
}
