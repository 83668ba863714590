//! Time in slots.

use std::time::Duration;

use sophos_api::RateLimit;

/// How long a slot is meant to be, in seconds.
const TARGET_SLICE_SECONDS: f64 = 3.0;

/// Requests in a slot at least, where the bursts allow it.
const MIN_PERMITS: f64 = 5.0;

/// A slot has no more than this share of a burst: the less it has, the longer
/// its owner may take over it.
const BURST_DIVISOR: u32 = 12;

const MAX_GRACE_SLICES: u64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeSlices {
    duration_ns: u64,
    permits: u32,
    /// For how many slots after its own a request may still be sent.
    grace_slices: u64,
}

impl TimeSlices {
    /// The slots of a budget; `None` if it has no bound.
    pub(crate) fn from_rate_limit(budget: &RateLimit) -> Option<Self> {
        let windows = budget.windows();
        let rate = |window: &sophos_api::RateWindow| f64::from(window.requests) / window.period.as_secs_f64();
        let rate = windows.iter().map(rate).min_by(f64::total_cmp)?;
        let burst = windows.iter().map(|window| window.burst).min()?;
        let most = (burst / BURST_DIVISOR).max((burst / 3).min(2)).max(1);
        let requests = ((rate * TARGET_SLICE_SECONDS).ceil().max(MIN_PERMITS) as u32).min(most);
        // Rounded up, so that the rate is not exceeded.
        let length_ns = (f64::from(requests) / rate * 1e9).ceil().max(1.0) as u64;
        let grace = u64::from((burst / requests).saturating_sub(2)).min(MAX_GRACE_SLICES);
        Some(Self { duration_ns: length_ns, permits: requests, grace_slices: grace })
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_nanos(self.duration_ns)
    }

    pub(crate) fn permits(&self) -> u32 {
        self.permits
    }

    /// The slot of this moment.
    pub(crate) fn slice_at(&self, now: Duration) -> u64 {
        (now.as_nanos() / u128::from(self.duration_ns)) as u64
    }

    pub(crate) fn start(&self, slot: u64) -> Duration {
        Duration::from_nanos(slot.saturating_mul(self.duration_ns))
    }

    /// When the last of its requests may be sent.
    pub(crate) fn end(&self, slot: u64) -> Duration {
        self.start(slot + 1 + self.grace_slices)
    }
}

/// The name of a slot's object. Names sort as slots do.
pub(crate) fn slice_name(slot: u64) -> String {
    format!("{slot:016}")
}

pub(crate) fn parse_slice_name(name: &str) -> Option<u64> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time_slices(budget: &str) -> Option<(u32, f64, u64)> {
        let slots = TimeSlices::from_rate_limit(&budget.parse().expect("a budget"))?;
        Some((slots.permits, slots.duration().as_secs_f64(), slots.grace_slices))
    }

    #[test]
    fn time_slices_follow_from_the_rate_windows() {
        assert_eq!(time_slices("unlimited"), None);
        assert_eq!(time_slices("100/m"), Some((5, 3.0, 18)));
        assert_eq!(time_slices("100/m+300"), Some((5, 3.0, 20)));
        assert_eq!(time_slices("100/s"), Some((8, 0.08, 10)));
        // The burst of the second bounds the slot, the hour its rate.
        assert_eq!(time_slices("documented"), Some((2, 7.2, 3)));
        assert_eq!(time_slices("10/s+1"), Some((1, 0.1, 0)));
    }

    #[test]
    fn slice_names_sort_like_slices() {
        let numbers = [0, 9, 10, 99_999_999, 100_000_000, 9_999_999_999];
        assert!(numbers.map(slice_name).is_sorted());
        assert_eq!(numbers.map(|slot| parse_slice_name(&slice_name(slot))), numbers.map(Some));
    }
}
