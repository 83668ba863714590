//! Counts of the calls that reached the limiter.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Calls of one credential to the global and regional hosts that reached the limiter, limited
/// or not. A call that a fault handled does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimiterCounts {
    /// All calls.
    pub calls: u64,
    /// Calls rejected with 429.
    pub refused: u64,
    /// The maximum in any second, including rejected calls, by the limiter's time.
    pub max_per_second: u64,
    /// The maximum in any minute.
    pub max_per_minute: u64,
}

#[derive(Debug)]
pub(crate) struct CallTally {
    calls: u64,
    refused: u64,
    second: SlidingWindow,
    minute: SlidingWindow,
}

impl Default for CallTally {
    fn default() -> Self {
        Self { calls: 0, refused: 0, second: SlidingWindow::new(1_000), minute: SlidingWindow::new(60_000) }
    }
}

impl CallTally {
    pub(crate) fn record_call(&mut self, now: i64) {
        self.calls += 1;
        self.second.record(now);
        self.minute.record(now);
    }

    pub(crate) fn record_refusal(&mut self) {
        self.refused += 1;
    }

    pub(crate) fn counts(&self) -> LimiterCounts {
        LimiterCounts {
            calls: self.calls,
            refused: self.refused,
            max_per_second: self.second.max,
            max_per_minute: self.minute.max,
        }
    }
}

/// The recent calls, as a count for each millisecond with calls.
#[derive(Debug)]
struct SlidingWindow {
    length_ms: i64,
    recent: VecDeque<(i64, u64)>,
    within: u64,
    max: u64,
}

impl SlidingWindow {
    fn new(length_ms: i64) -> Self {
        Self { length_ms, recent: VecDeque::new(), within: 0, max: 0 }
    }

    fn record(&mut self, now: i64) {
        // A clock that was set back starts a new window.
        if self.recent.back().is_some_and(|(at, _)| *at > now) {
            self.recent.clear();
            self.within = 0;
        }
        while let Some((_, calls)) = self.recent.pop_front_if(|(at, _)| *at <= now - self.length_ms) {
            self.within -= calls;
        }
        match self.recent.back_mut() {
            Some((at, calls)) if *at == now => *calls += 1,
            _ => self.recent.push_back((now, 1)),
        }
        self.within += 1;
        self.max = self.max.max(self.within);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn maximum_is_that_of_any_sliding_window(gaps in prop::collection::vec(0i64..1_500, 1..60)) {
            let mut tally = CallTally::default();
            let mut now = 0;
            let mut times = Vec::new();
            for gap in gaps {
                now += gap;
                times.push(now);
                tally.record_call(now);
            }
            let most = |length: i64| {
                let within = |end: &i64| times.iter().filter(|at| **at > end - length && *at <= end).count();
                times.iter().map(within).max().unwrap_or_default() as u64
            };
            let counts = tally.counts();
            prop_assert_eq!(counts.calls, times.len() as u64);
            prop_assert_eq!((counts.max_per_second, counts.max_per_minute), (most(1_000), most(60_000)));
        }
    }

    #[test]
    fn sliding_window_resets_when_the_clock_goes_back() {
        let mut tally = CallTally::default();
        for now in [5_000, 5_000, 100, 200, 300] {
            tally.record_call(now);
        }
        assert_eq!(tally.counts().max_per_second, 3);
    }
}
