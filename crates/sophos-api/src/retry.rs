use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, UNIX_EPOCH},
};

use http::{HeaderMap, header};

use crate::error::{Error, ErrorKind};

/// When a failed request is sent again.
///
/// A refusal for too many requests (429) was not carried out, so any operation
/// is sent again after one. All other transient failures (408, 425, 5xx, no or
/// half an answer) leave open what happened, so after them only an operation
/// that is safe to repeat is. Between attempts is a random time of up to
/// `initial_backoff`, doubled with every attempt (full jitter), or what the service
/// asks for in `Retry-After`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most, the first time included.
    pub max_attempts: u32,
    /// The longest wait before the second attempt.
    pub initial_backoff: Duration,
    /// The longest random wait before any attempt.
    pub max_backoff: Duration,
    /// The longest `Retry-After` that is waited out. A longer one ends the
    /// operation with [`ErrorKind::Throttled`] and the time it names.
    pub max_retry_after: Duration,
    /// How long one attempt may take.
    pub attempt_timeout: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts within at most about a minute of waiting, and 60 s for each
    /// attempt: large pages of a busy tenant take the service several seconds.
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
    pub(crate) fn should_retry(&self, error: &Error, repeatable: bool) -> bool {
        match error.kind() {
            ErrorKind::Throttled => true,
            ErrorKind::Unreachable => true,
            ErrorKind::Invalid => repeatable && matches!(error.status(), Some(408 | 425)),
            ErrorKind::DeadlineExceeded => false,
            _ => repeatable && error.is_transient(),
        }
    }

    /// The wait before attempt `attempt` (the second is 1).
    pub(crate) fn backoff(&self, attempt: u32, jitter: &Jitter, now: Duration) -> Duration {
        let ceiling = self
            .initial_backoff
            .saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX))
            .min(self.max_backoff);
        ceiling.mul_f64(jitter.fraction(now))
    }
}

/// Numbers without a pattern, from a counter and the time. Retries only need
/// to spread; a true random source would be one more thing to import.
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

/// The time that `Date` gives, since the Unix epoch.
pub(crate) fn parse_date(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()
}

/// The wait that `Retry-After` asks for, in seconds or as a date. A date is
/// held against the answer's own `Date`, else against `now`.
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
        let read = |pairs: &[_]| parse_retry_after(&headers(pairs), now);
        assert_eq!(read(&[(header::RETRY_AFTER, "17")]), Some(Duration::from_secs(17)));
        assert_eq!(
            read(&[
                (header::RETRY_AFTER, "Mon, 23 Nov 2026 10:00:30 GMT"),
                (header::DATE, "Mon, 23 Nov 2026 10:00:00 GMT"),
            ]),
            Some(Duration::from_secs(30)),
            "a date counts from the service's own clock"
        );
        assert_eq!(
            read(&[(header::RETRY_AFTER, "Sun, 09 Sep 2001 01:46:45 GMT")]),
            Some(Duration::from_secs(5)),
            "without a Date, from ours"
        );
        assert_eq!(
            read(&[(header::RETRY_AFTER, "Sat, 09 Sep 2000 01:46:45 GMT")]),
            Some(Duration::ZERO),
            "a time gone by is no wait"
        );
        assert_eq!(read(&[(header::RETRY_AFTER, "soon")]), None);
        assert_eq!(read(&[(header::RETRY_AFTER, "-3")]), None);
        assert_eq!(read(&[]), None);
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
