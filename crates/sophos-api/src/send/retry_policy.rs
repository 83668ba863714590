use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, header};

use crate::{
    error::{Error, ErrorKind},
    setters::with_setters,
};

with_setters! {
    /// The conditions and the timing of retries.
    ///
    /// The service does not execute a request that it throttles (429), so the client
    /// retries any operation after one. Other transient failures leave the outcome
    /// unknown: 408, 425, 5xx, and no complete response. After these it retries
    /// idempotent operations only. It also retries any operation after a failure that is
    /// known to precede the execution. The wait before a retry is `Retry-After`, or random
    /// up to `initial_backoff`, doubled with every attempt (full jitter).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sophos_api::RetryPolicy;
    ///
    /// // For a caller that waits: fail early.
    /// let policy = RetryPolicy::new().max_attempts(2).attempt_timeout(Duration::from_secs(10));
    /// assert_eq!(policy.max_attempts, 2);
    /// ```
    #[derive(Debug, Clone, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct RetryPolicy {
        /// The most attempts for one request, the first included.
        pub max_attempts: u32,
        /// The longest random wait before the second attempt.
        pub initial_backoff: Duration,
        /// The longest random wait before any attempt.
        pub max_backoff: Duration,
        /// The longest `Retry-After` that the client waits for. A longer one fails
        /// the operation with [`ErrorKind::Throttled`] and that time.
        pub max_retry_after: Duration,
        /// The time limit of one attempt.
        pub attempt_timeout: Duration,
    }
}

impl Default for RetryPolicy {
    /// Six attempts of 60 s each, with about a minute of waits in total. The service
    /// takes several seconds for a large page of a busy tenant.
    fn default() -> Self {
        Self {
            max_attempts: 6,
            initial_backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(20),
            max_retry_after: Duration::from_secs(120),
            attempt_timeout: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// The default policy.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn should_retry(&self, error: &Error, idempotent: bool) -> bool {
        match error.kind() {
            _ if error.is_repeatable() => true,
            ErrorKind::Throttled | ErrorKind::Unreachable => true,
            ErrorKind::Invalid => idempotent && matches!(error.status(), Some(408 | 425)),
            ErrorKind::DeadlineExceeded => false,
            _ => idempotent && error.is_retryable(),
        }
    }

    /// A random wait after this many attempts.
    pub(crate) fn backoff(&self, attempt: u32, jitter: &Jitter, now: Duration) -> Duration {
        let ceiling = self
            .initial_backoff
            .saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX))
            .min(self.max_backoff);
        ceiling.mul_f64(jitter.fraction(now))
    }
}

/// Pseudo-random numbers from a counter and the time. They only spread retries, so
/// they need no real source of randomness.
#[derive(Debug, Default)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    /// A number from 0 up to but not including 1.
    pub(crate) fn fraction(&self, now: Duration) -> f64 {
        let step = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mut bits = step ^ (now.as_nanos() as u64).rotate_left(17);
        // The mixing function of SplitMix64.
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The time of the `Date` header since the Unix epoch.
pub(crate) fn parse_date(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// The wait of `Retry-After`, which is in seconds or a date. A date is relative to
/// the response's own `Date`, else to `now`.
pub(crate) fn parse_retry_after(headers: &HeaderMap, now: Duration) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(until.saturating_sub(parse_date(headers).unwrap_or(now)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().expect("a header value"))).collect()
    }

    #[test]
    fn parse_retry_after_accepts_seconds_and_dates() {
        let now = Duration::from_secs(1_000_000_000);
        let parse = |pairs: &[_]| parse_retry_after(&headers(pairs), now);
        assert_eq!(parse(&[(header::RETRY_AFTER, "17")]), Some(Duration::from_secs(17)));
        assert_eq!(
            parse(&[
                (header::RETRY_AFTER, "Mon, 23 Nov 2026 10:00:30 GMT"),
                (header::DATE, "Mon, 23 Nov 2026 10:00:00 GMT"),
            ]),
            Some(Duration::from_secs(30)),
            "a date is relative to the service's own clock"
        );
        assert_eq!(
            parse(&[(header::RETRY_AFTER, "Sun, 09 Sep 2001 01:46:45 GMT")]),
            Some(Duration::from_secs(5)),
            "without a Date, to this clock"
        );
        assert_eq!(
            parse(&[(header::RETRY_AFTER, "Sat, 09 Sep 2000 01:46:45 GMT")]),
            Some(Duration::ZERO),
            "a past time is no wait"
        );
        assert_eq!(parse(&[(header::RETRY_AFTER, "soon")]), None);
        assert_eq!(parse(&[(header::RETRY_AFTER, "-3")]), None);
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn backoff_is_spread_and_bounded() {
        let policy = RetryPolicy::default();
        let jitter = Jitter::default();
        for attempt in 1..40 {
            let ceiling = policy.initial_backoff.as_secs_f64() * 2_f64.powi(attempt as i32 - 1);
            let waits: Vec<_> = (0..64)
                .map(|_| policy.backoff(attempt, &jitter, Duration::from_secs(7)).as_secs_f64())
                .collect();
            let highest = ceiling.min(policy.max_backoff.as_secs_f64());
            assert!(waits.iter().all(|wait| *wait <= highest), "attempt {attempt}");
            let mean = waits.iter().sum::<f64>() / 64.0;
            assert!((0.25..0.75).contains(&(mean / highest)), "attempt {attempt}: mean {mean} of {highest}");
        }
    }
}
