use std::{sync::Mutex, time::Duration};

use crate::{error::Error, sync::lock};

/// A bound on a credential's requests: a number per period, and a burst after a pause.
///
/// ```
/// use std::time::Duration;
///
/// use sophos_api::RateWindow;
///
/// let window = RateWindow::new(100, Duration::from_secs(60));
/// assert_eq!(window.burst, 100);
/// assert_eq!(window.with_burst(300).requests, 100);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateWindow {
    /// The period.
    pub period: Duration,
    /// The requests per period, in the long run.
    pub requests: u32,
    /// The requests at once after a pause of a period or more, at least 1.
    pub burst: u32,
}

impl RateWindow {
    /// A window of `requests` per period, with a burst of as many.
    pub const fn new(requests: u32, period: Duration) -> Self {
        Self { period, requests, burst: requests }
    }

    /// Sets the burst.
    #[must_use]
    pub const fn with_burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self
    }

    fn refill(&self, elapsed: Duration) -> f64 {
        f64::from(self.requests) * (elapsed.as_secs_f64() / self.period.as_secs_f64())
    }

    fn time_to_refill(&self, tokens: f64) -> Duration {
        Duration::from_secs_f64(tokens * self.period.as_secs_f64() / f64::from(self.requests))
    }
}

/// The windows that bound a credential's requests to the API together.
///
/// Like the service, a [`Client`](crate::Client) counts the requests for all tenants of
/// its credential. It does not count token requests: they go to the identity service.
///
/// ```
/// use std::time::Duration;
///
/// use sophos_api::{RateLimit, RateWindow};
///
/// // An account that Sophos has granted 500 requests a minute.
/// let granted = RateLimit::new([RateWindow::new(500, Duration::from_secs(60)).with_burst(100)]);
/// assert_eq!(granted.windows()[0].burst, 100);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    windows: Vec<RateWindow>,
}

impl RateLimit {
    /// The documented limits: 10 requests per second, 100 per minute (a burst of 300),
    /// 1,000 per hour and 200,000 per day. The service enforces the ones per minute
    /// and per day, and recommends the others.
    pub fn documented() -> Self {
        let second = Duration::from_secs(1);
        Self::new([
            RateWindow::new(10, second),
            RateWindow::new(100, second * 60).with_burst(300),
            RateWindow::new(1_000, second * 3_600),
            RateWindow::new(200_000, second * 86_400),
        ])
    }

    /// No client-side limit.
    pub fn unlimited() -> Self {
        Self::new([])
    }

    /// These windows, without the ones of no period or no requests.
    pub fn new(windows: impl IntoIterator<Item = RateWindow>) -> Self {
        let is_valid = |window: &RateWindow| !window.period.is_zero() && window.requests > 0;
        Self {
            windows: windows
                .into_iter()
                .filter(is_valid)
                .map(|window| window.with_burst(window.burst.max(1)))
                .collect(),
        }
    }

    /// The windows; none if the limit is unlimited.
    pub fn windows(&self) -> &[RateWindow] {
        &self.windows
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::documented()
    }
}

/// A token bucket for each window.
///
/// A request reserves its permit at once, possibly taking the bucket below zero, and
/// then waits for it. So waiting callers do not wake up together.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    state: Mutex<LimiterState>,
}

#[derive(Debug)]
struct LimiterState {
    buckets: Vec<(RateWindow, f64)>,
    refilled_at: Duration,
    /// No request is sent before this time, which the service requested.
    paused_until: Duration,
}

impl RateLimiter {
    pub(crate) fn new(rate_limit: RateLimit) -> Self {
        let buckets =
            rate_limit.windows.into_iter().map(|window| (window, f64::from(window.burst))).collect();
        Self {
            state: Mutex::new(LimiterState {
                buckets,
                refilled_at: Duration::ZERO,
                paused_until: Duration::ZERO,
            }),
        }
    }

    /// Reserves a permit, and returns the wait until it is valid.
    ///
    /// # Errors
    /// The wait, if it ends after `deadline`. Then no permit is reserved.
    pub(crate) fn reserve_permit(
        &self,
        now: Duration,
        deadline: Option<Duration>,
    ) -> Result<Duration, Duration> {
        let mut state = lock(&self.state);
        let elapsed = now.saturating_sub(state.refilled_at);
        state.refilled_at = state.refilled_at.max(now);
        let mut wait = state.paused_until.saturating_sub(now);
        for (window, tokens) in &mut state.buckets {
            *tokens = (*tokens + window.refill(elapsed)).min(f64::from(window.burst));
            if *tokens < 1.0 {
                wait = wait.max(window.time_to_refill(1.0 - *tokens));
            }
        }
        if !wait.is_zero() && deadline.is_some_and(|deadline| now + wait >= deadline) {
            return Err(wait);
        }
        for (_, tokens) in &mut state.buckets {
            *tokens -= 1.0;
        }
        Ok(wait)
    }

    /// Returns a permit that was not used.
    pub(crate) fn return_permit(&self) {
        for (window, tokens) in &mut lock(&self.state).buckets {
            *tokens = (*tokens + 1.0).min(f64::from(window.burst));
        }
    }

    /// Pauses all callers until `until`.
    pub(crate) fn pause_until(&self, until: Duration) {
        let mut state = lock(&self.state);
        state.paused_until = state.paused_until.max(until);
    }

    /// The remaining pause of all callers.
    pub(crate) fn remaining_pause(&self, now: Duration) -> Duration {
        lock(&self.state).paused_until.saturating_sub(now)
    }
}

impl std::str::FromStr for RateLimit {
    type Err = Error;

    /// Parses windows such as `10/s, 100/m+300, 1000/h, 200000/d`: the requests, the
    /// period (second, minute, hour, day), and after a plus the burst. It also accepts
    /// `unlimited` and `documented`.
    ///
    /// ```
    /// use sophos_api::RateLimit;
    ///
    /// let half: RateLimit = "5/s, 50/m+150, 500/h, 100000/d".parse()?;
    /// assert_eq!((half.windows()[1].requests, half.windows()[1].burst), (50, 150));
    /// assert!("5/w".parse::<RateLimit>().is_err());
    /// # Ok::<(), sophos_api::Error>(())
    /// ```
    fn from_str(text: &str) -> Result<Self, Error> {
        match text.trim() {
            "unlimited" => return Ok(Self::unlimited()),
            "documented" => return Ok(Self::documented()),
            _ => {}
        }
        let window = |part: &str| -> Option<RateWindow> {
            let (requests, rest) = part.split_once('/')?;
            let (period, burst) =
                rest.split_once('+').map_or((rest, None), |(period, burst)| (period, Some(burst)));
            let seconds = match period.trim() {
                "s" => 1,
                "m" => 60,
                "h" => 3_600,
                "d" => 86_400,
                _ => return None,
            };
            let requests = requests.trim().parse::<u32>().ok().filter(|requests| *requests > 0)?;
            let window = RateWindow::new(requests, Duration::from_secs(seconds));
            match burst {
                None => Some(window),
                Some(burst) => {
                    let burst = burst.trim().parse::<u32>().ok().filter(|burst| *burst > 0)?;
                    Some(window.with_burst(burst))
                }
            }
        };
        let windows = text
            .split(',')
            .map(|part| {
                window(part.trim()).ok_or_else(|| {
                    Error::invalid(format!(
                        "invalid rate window \"{}\": expected one such as 10/s, 100/m+300 or 1000/h",
                        part.trim()
                    ))
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(windows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn reserve_permit_delays_requests_beyond_the_burst() {
        let limiter = RateLimiter::new(RateLimit::new([RateWindow::new(10, SECOND)]));
        let now = Duration::from_secs(1_000_000);
        let waits: Vec<_> =
            (0..13).map(|_| limiter.reserve_permit(now, None).expect("no deadline")).collect();
        assert!(waits[..10].iter().all(Duration::is_zero));
        assert_eq!(waits[10..], [SECOND / 10, SECOND / 5, SECOND * 3 / 10]);
    }

    #[test]
    fn reserve_permit_keeps_tokens_when_deadline_is_too_near() {
        let limiter = RateLimiter::new(RateLimit::new([RateWindow::new(1, SECOND)]));
        let now = Duration::from_secs(50);
        assert_eq!(limiter.reserve_permit(now, Some(now + SECOND)), Ok(Duration::ZERO));
        for _ in 0..5 {
            assert_eq!(
                limiter.reserve_permit(now, Some(now + SECOND / 2)),
                Err(SECOND),
                "a rejection takes no permit"
            );
        }
        assert_eq!(limiter.reserve_permit(now, Some(now + SECOND * 2)), Ok(SECOND));
    }

    #[test]
    fn return_permit_frees_one_permit_up_to_the_burst() {
        let limiter = RateLimiter::new(RateLimit::new([RateWindow::new(1, SECOND)]));
        let now = Duration::from_secs(50);
        limiter.return_permit();
        assert_eq!(limiter.reserve_permit(now, None), Ok(Duration::ZERO));
        assert_eq!(limiter.reserve_permit(now, None), Ok(SECOND), "no more than the burst can be returned");
        limiter.return_permit();
        assert_eq!(limiter.reserve_permit(now, None), Ok(SECOND));
        assert_eq!(limiter.reserve_permit(now, None), Ok(SECOND * 2));
    }

    #[test]
    fn pause_until_delays_all_callers_to_the_latest_time() {
        let limiter = RateLimiter::new(RateLimit::unlimited());
        limiter.pause_until(Duration::from_secs(30));
        limiter.pause_until(Duration::from_secs(20));
        assert_eq!(limiter.reserve_permit(Duration::from_secs(10), None), Ok(Duration::from_secs(20)));
        assert_eq!(limiter.reserve_permit(Duration::from_secs(30), None), Ok(Duration::ZERO));
    }

    #[test]
    fn rate_limit_parses_from_text() {
        let parse = |text: &str| text.parse::<RateLimit>();
        assert_eq!(parse("10/s, 100/m+300, 1000/h, 200000/d").expect("windows"), RateLimit::documented());
        assert_eq!(parse("documented").expect("a name"), RateLimit::documented());
        assert_eq!(parse(" unlimited ").expect("a name"), RateLimit::unlimited());
        for invalid in ["", "10", "10/w", "0/s", "-1/s", "10/s+", "10/s+0", "10/s,,5/m", "many/s"] {
            let error = parse(invalid).expect_err(invalid);
            assert!(error.to_string().contains("10/s, 100/m+300"), "{error}");
        }
    }

    proptest! {
        /// No interval has more requests than the burst and the refill in it.
        #[test]
        fn rate_limiter_never_exceeds_a_window(
            gaps in prop::collection::vec(0_u64..400, 1..300),
            requests in 1_u32..20,
            burst in 1_u32..30,
        ) {
            let window = RateWindow::new(requests, SECOND).with_burst(burst);
            let limiter = RateLimiter::new(RateLimit::new([window, RateWindow::new(90, SECOND * 60)]));
            let mut now = Duration::from_secs(9_000);
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                sent.push(now + limiter.reserve_permit(now, None).expect("no deadline"));
            }
            prop_assert!(sent.is_sorted(), "permits are valid in the order of their reservation");
            for (first, start) in sent.iter().enumerate() {
                for (last, end) in sent.iter().enumerate().skip(first) {
                    let allowed = f64::from(burst) + window.refill(*end - *start);
                    prop_assert!((last - first + 1) as f64 <= allowed + 1.0 + 1e-6);
                }
            }
        }
    }
}
