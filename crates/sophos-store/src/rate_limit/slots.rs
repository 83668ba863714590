//! Time in slots.

use std::time::Duration;

use sophos_api::RateBudget;

/// How long a slot is meant to be, in seconds.
const MEANT: f64 = 3.0;

/// Requests in a slot at least, where the bursts allow it.
const FEW: f64 = 5.0;

/// A slot has no more than this share of a burst: the less it has, the longer
/// its owner may take over it.
const SHARE_OF_BURST: u32 = 12;

const LONGEST_GRACE: u64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    length_ns: u64,
    requests: u32,
    /// For how many slots after its own a request may still be sent.
    grace: u64,
}

impl Slots {
    /// The slots of a budget; `None` if it has no bound.
    pub(crate) fn of(budget: &RateBudget) -> Option<Self> {
        let windows = budget.windows();
        let rate = |window: &sophos_api::Window| f64::from(window.requests) / window.period.as_secs_f64();
        let rate = windows.iter().map(rate).min_by(f64::total_cmp)?;
        let burst = windows.iter().map(|window| window.burst).min()?;
        let most = (burst / SHARE_OF_BURST).max((burst / 3).min(2)).max(1);
        let requests = ((rate * MEANT).ceil().max(FEW) as u32).min(most);
        // Rounded up, so that the rate is not exceeded.
        let length_ns = (f64::from(requests) / rate * 1e9).ceil().max(1.0) as u64;
        let grace = u64::from((burst / requests).saturating_sub(2)).min(LONGEST_GRACE);
        Some(Self { length_ns, requests, grace })
    }

    pub(crate) fn length(&self) -> Duration {
        Duration::from_nanos(self.length_ns)
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests
    }

    /// The slot of this moment.
    pub(crate) fn at(&self, now: Duration) -> u64 {
        (now.as_nanos() / u128::from(self.length_ns)) as u64
    }

    pub(crate) fn start(&self, slot: u64) -> Duration {
        Duration::from_nanos(slot.saturating_mul(self.length_ns))
    }

    /// When the last of its requests may be sent.
    pub(crate) fn end(&self, slot: u64) -> Duration {
        self.start(slot + 1 + self.grace)
    }
}

/// The name of a slot's object. Names sort as slots do.
pub(crate) fn name(slot: u64) -> String {
    format!("{slot:016}")
}

pub(crate) fn number(name: &str) -> Option<u64> {
    name.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(budget: &str) -> Option<(u32, f64, u64)> {
        let slots = Slots::of(&budget.parse().expect("a budget"))?;
        Some((slots.requests, slots.length().as_secs_f64(), slots.grace))
    }

    #[test]
    fn slots_follow_from_the_windows() {
        assert_eq!(slots("unlimited"), None);
        assert_eq!(slots("100/m"), Some((5, 3.0, 18)));
        assert_eq!(slots("100/m+300"), Some((5, 3.0, 20)));
        assert_eq!(slots("100/s"), Some((8, 0.08, 10)));
        // The burst of the second bounds the slot, the hour its rate.
        assert_eq!(slots("documented"), Some((2, 7.2, 3)));
        assert_eq!(slots("10/s+1"), Some((1, 0.1, 0)));
    }

    #[test]
    fn names_sort_as_slots_do() {
        let numbers = [0, 9, 10, 99_999_999, 100_000_000, 9_999_999_999];
        assert!(numbers.map(name).is_sorted());
        assert_eq!(numbers.map(|slot| number(&name(slot))), numbers.map(Some));
    }
}
