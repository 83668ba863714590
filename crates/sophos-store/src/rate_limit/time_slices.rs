//! Time slices: equal intervals since the Unix epoch, each with room for some requests.

use std::time::Duration;

use sophos_api::RateLimit;

/// The intended length of a slice, in seconds.
const TARGET_SLICE_SECONDS: f64 = 3.0;

/// The fewest requests of a slice, where the bursts allow so many.
const MIN_PERMITS: f64 = 5.0;

/// The largest share of a burst that a slice takes. A smaller share leaves the owner
/// more time for its requests.
const BURST_DIVISOR: u32 = 12;

const MAX_GRACE_SLICES: u64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeSlices {
    duration_ns: u64,
    permits: u32,
    /// The number of slices after its own in which a request may still be sent.
    grace_slices: u64,
}

impl TimeSlices {
    /// The slices of a rate limit; `None` for an unlimited one.
    pub(crate) fn from_rate_limit(rate_limit: &RateLimit) -> Option<Self> {
        let windows = rate_limit.windows();
        let rate = |window: &sophos_api::RateWindow| f64::from(window.requests) / window.period.as_secs_f64();
        let rate = windows.iter().map(rate).min_by(f64::total_cmp)?;
        let burst = windows.iter().map(|window| window.burst).min()?;
        let max_permits = (burst / BURST_DIVISOR).max((burst / 3).min(2)).max(1);
        let permits = ((rate * TARGET_SLICE_SECONDS).ceil().max(MIN_PERMITS) as u32).min(max_permits);
        // Rounded up, so that the rate is not exceeded.
        let duration_ns = (f64::from(permits) / rate * 1e9).ceil().max(1.0) as u64;
        let grace_slices = u64::from((burst / permits).saturating_sub(2)).min(MAX_GRACE_SLICES);
        Some(Self { duration_ns, permits, grace_slices })
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_nanos(self.duration_ns)
    }

    pub(crate) fn permits(&self) -> u32 {
        self.permits
    }

    /// The slice at this time.
    pub(crate) fn slice_at(&self, now: Duration) -> u64 {
        (now.as_nanos() / u128::from(self.duration_ns)) as u64
    }

    pub(crate) fn start(&self, slice: u64) -> Duration {
        Duration::from_nanos(slice.saturating_mul(self.duration_ns))
    }

    /// The time until which requests of the slice may be sent.
    pub(crate) fn end(&self, slice: u64) -> Duration {
        self.start(slice + 1 + self.grace_slices)
    }
}

/// Whether the slice belongs to the reserve. Of any hundred successive slices `percent`
/// do, evenly spread.
pub(crate) fn is_reserved(slice: u64, percent: u64) -> bool {
    slice % 100 * percent % 100 < percent
}

/// The name of a slice's object. Names sort as slices do.
pub(crate) fn slice_name(slice: u64) -> String {
    format!("{slice:016}")
}

pub(crate) fn parse_slice_name(name: &str) -> Option<u64> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time_slices(rate_limit: &str) -> Option<(u32, f64, u64)> {
        let slices = TimeSlices::from_rate_limit(&rate_limit.parse().expect("a rate limit"))?;
        Some((slices.permits, slices.duration().as_secs_f64(), slices.grace_slices))
    }

    #[test]
    fn time_slices_follow_from_the_rate_windows() {
        assert_eq!(time_slices("unlimited"), None);
        assert_eq!(time_slices("100/m"), Some((5, 3.0, 18)));
        assert_eq!(time_slices("100/m+300"), Some((5, 3.0, 20)));
        assert_eq!(time_slices("100/s"), Some((8, 0.08, 10)));
        // The burst of the second bounds the slice, the hour its rate.
        assert_eq!(time_slices("documented"), Some((2, 7.2, 3)));
        assert_eq!(time_slices("10/s+1"), Some((1, 0.1, 0)));
    }

    #[test]
    fn slice_names_sort_like_slices() {
        let numbers = [0, 9, 10, 99_999_999, 100_000_000, 9_999_999_999];
        assert!(numbers.map(slice_name).is_sorted());
        assert_eq!(numbers.map(|slice| parse_slice_name(&slice_name(slice))), numbers.map(Some));
    }

    #[test]
    fn is_reserved_spreads_the_percentage_evenly() {
        for percent in 0..=50 {
            for first in [0, 13, 598_333_333] {
                let reserved: Vec<_> =
                    (first..first + 100).filter(|slice| is_reserved(*slice, percent)).collect();
                assert_eq!(reserved.len() as u64, percent);
                let most = 100_u64.checked_div(percent).unwrap_or(0) + 1;
                assert!(reserved.windows(2).all(|pair| pair[1] - pair[0] <= most), "{percent}: {reserved:?}");
            }
        }
    }
}
