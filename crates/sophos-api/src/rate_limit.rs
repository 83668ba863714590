use std::{sync::Mutex, time::Duration};

use crate::{error::Error, sync::lock};

/// How many requests a credential may send: so many a period, and so many at
/// once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateWindow {
    /// The period.
    pub period: Duration,
    /// Requests a period, in the long run.
    pub requests: u32,
    /// Requests at once after a pause of a period or more. At least 1.
    pub burst: u32,
}

impl RateWindow {
    /// `requests` a period, and as many at once.
    pub const fn new(requests: u32, period: Duration) -> Self {
        Self { period, requests, burst: requests }
    }

    /// With another number of requests at once.
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

/// The windows that bound a credential's requests to the API, all at once.
///
/// The service counts over all tenants of a credential, and so does a
/// [`Client`](crate::Client), which belongs to one. Token requests are not
/// counted: they go to the identity service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    windows: Vec<RateWindow>,
}

impl RateLimit {
    /// What the service asks for: 10 requests a second, 100 a minute (300 at
    /// once), 1,000 an hour, 200,000 a day. Those of the minute and the day are
    /// enforced, those of the second and the hour recommended.
    pub fn documented() -> Self {
        let second = Duration::from_secs(1);
        Self::new([
            RateWindow::new(10, second),
            RateWindow::new(100, second * 60).with_burst(300),
            RateWindow::new(1_000, second * 3_600),
            RateWindow::new(200_000, second * 86_400),
        ])
    }

    /// No bound but the service's own.
    pub fn unlimited() -> Self {
        Self::new([])
    }

    /// These windows. One without a period or without requests bounds nothing.
    pub fn new(windows: impl IntoIterator<Item = RateWindow>) -> Self {
        let bounding = |window: &RateWindow| !window.period.is_zero() && window.requests > 0;
        Self {
            windows: windows
                .into_iter()
                .filter(bounding)
                .map(|window| window.with_burst(window.burst.max(1)))
                .collect(),
        }
    }

    /// The windows; none bound nothing.
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
/// A request takes its place in the queue at once, by taking the bucket below
/// zero if need be, and then waits for its turn: so waiting callers do not wake
/// together.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    state: Mutex<LimiterState>,
}

#[derive(Debug)]
struct LimiterState {
    buckets: Vec<(RateWindow, f64)>,
    refilled_at: Duration,
    /// Nobody sends before this: the service said so.
    paused_until: Duration,
}

impl RateLimiter {
    pub(crate) fn new(budget: RateLimit) -> Self {
        let buckets = budget.windows.into_iter().map(|window| (window, f64::from(window.burst))).collect();
        Self {
            state: Mutex::new(LimiterState {
                buckets,
                refilled_at: Duration::ZERO,
                paused_until: Duration::ZERO,
            }),
        }
    }

    /// Takes a place, and says how long to wait for its turn.
    ///
    /// # Errors
    /// The wait, when the turn would come after `deadline`; no place is taken
    /// then.
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

    /// Gives a place back that was taken and not used.
    pub(crate) fn return_permit(&self) {
        for (window, tokens) in &mut lock(&self.state).buckets {
            *tokens = (*tokens + 1.0).min(f64::from(window.burst));
        }
    }

    /// Holds everybody back until `until`.
    pub(crate) fn pause_until(&self, until: Duration) {
        let mut state = lock(&self.state);
        state.paused_until = state.paused_until.max(until);
    }

    /// How long everybody is held back from now.
    pub(crate) fn remaining_pause(&self, now: Duration) -> Duration {
        lock(&self.state).paused_until.saturating_sub(now)
    }
}

impl std::str::FromStr for RateLimit {
    type Err = Error;

    /// Reads windows such as `10/s, 100/m+300, 1000/h, 200000/d`: requests, the
    /// period (second, minute, hour, day), and after a plus how many at once.
    /// `unlimited` and `documented` are read as well.
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
                        "\"{}\" is no window; write them as 10/s, 100/m+300, 1000/h",
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
        let budget = RateLimiter::new(RateLimit::new([RateWindow::new(10, SECOND)]));
        let now = Duration::from_secs(1_000_000);
        let waits: Vec<_> = (0..13).map(|_| budget.reserve_permit(now, None).expect("no deadline")).collect();
        assert!(waits[..10].iter().all(Duration::is_zero));
        assert_eq!(waits[10..], [SECOND / 10, SECOND / 5, SECOND * 3 / 10]);
    }

    #[test]
    fn reserve_permit_keeps_tokens_when_deadline_is_too_near() {
        let budget = RateLimiter::new(RateLimit::new([RateWindow::new(1, SECOND)]));
        let now = Duration::from_secs(50);
        assert_eq!(budget.reserve_permit(now, Some(now + SECOND)), Ok(Duration::ZERO));
        for _ in 0..5 {
            assert_eq!(
                budget.reserve_permit(now, Some(now + SECOND / 2)),
                Err(SECOND),
                "a refusal costs nothing"
            );
        }
        assert_eq!(budget.reserve_permit(now, Some(now + SECOND * 2)), Ok(SECOND));
    }

    #[test]
    fn return_permit_frees_one_permit_up_to_the_burst() {
        let budget = RateLimiter::new(RateLimit::new([RateWindow::new(1, SECOND)]));
        let now = Duration::from_secs(50);
        budget.return_permit();
        assert_eq!(budget.reserve_permit(now, None), Ok(Duration::ZERO));
        assert_eq!(budget.reserve_permit(now, None), Ok(SECOND), "more than the burst cannot be given back");
        budget.return_permit();
        assert_eq!(budget.reserve_permit(now, None), Ok(SECOND));
        assert_eq!(budget.reserve_permit(now, None), Ok(SECOND * 2));
    }

    #[test]
    fn pause_until_delays_all_callers_to_the_latest_time() {
        let budget = RateLimiter::new(RateLimit::unlimited());
        budget.pause_until(Duration::from_secs(30));
        budget.pause_until(Duration::from_secs(20));
        assert_eq!(budget.reserve_permit(Duration::from_secs(10), None), Ok(Duration::from_secs(20)));
        assert_eq!(budget.reserve_permit(Duration::from_secs(30), None), Ok(Duration::ZERO));
    }

    #[test]
    fn rate_limit_parses_from_text() {
        let read = |text: &str| text.parse::<RateLimit>();
        assert_eq!(read("10/s, 100/m+300, 1000/h, 200000/d").expect("windows"), RateLimit::documented());
        assert_eq!(read("documented").expect("a name"), RateLimit::documented());
        assert_eq!(read(" unlimited ").expect("a name"), RateLimit::unlimited());
        for wrong in ["", "10", "10/w", "0/s", "-1/s", "10/s+", "10/s+0", "10/s,,5/m", "many/s"] {
            let error = read(wrong).expect_err(wrong);
            assert!(error.to_string().contains("10/s, 100/m+300"), "{error}");
        }
    }

    proptest! {
        /// Whatever the callers do, no stretch of time sees more requests than
        /// the burst and what refills in it.
        #[test]
        fn rate_limiter_never_exceeds_a_window(
            gaps in prop::collection::vec(0_u64..400, 1..300),
            requests in 1_u32..20,
            burst in 1_u32..30,
        ) {
            let window = RateWindow::new(requests, SECOND).with_burst(burst);
            let budget = RateLimiter::new(RateLimit::new([window, RateWindow::new(90, SECOND * 60)]));
            let mut now = Duration::from_secs(9_000);
            let mut sent = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                sent.push(now + budget.reserve_permit(now, None).expect("no deadline"));
            }
            prop_assert!(sent.is_sorted(), "turns come in the order of asking");
            for (first, start) in sent.iter().enumerate() {
                for (last, end) in sent.iter().enumerate().skip(first) {
                    let allowed = f64::from(burst) + window.refill(*end - *start);
                    prop_assert!((last - first + 1) as f64 <= allowed + 1.0 + 1e-6);
                }
            }
        }
    }
}
