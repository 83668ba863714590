//! What came of the calls that the limiter saw.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Calls of one credential to the global and regional hosts, as its limiter saw them, limited or
/// not. A call that a fault answered did not get so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LimiterCounts {
    /// All of them.
    pub calls: u64,
    /// Those that were refused with 429.
    pub refused: u64,
    /// The most within any second, the refused ones too. Time is the limiter's.
    pub most_in_a_second: u64,
    /// The most within any minute.
    pub most_in_a_minute: u64,
}

#[derive(Debug)]
pub(crate) struct Tally {
    calls: u64,
    refused: u64,
    second: Sliding,
    minute: Sliding,
}

impl Default for Tally {
    fn default() -> Self {
        Self { calls: 0, refused: 0, second: Sliding::new(1_000), minute: Sliding::new(60_000) }
    }
}

impl Tally {
    pub(crate) fn came(&mut self, now: i64) {
        self.calls += 1;
        self.second.came(now);
        self.minute.came(now);
    }

    pub(crate) fn refused(&mut self) {
        self.refused += 1;
    }

    pub(crate) fn counts(&self) -> LimiterCounts {
        LimiterCounts {
            calls: self.calls,
            refused: self.refused,
            most_in_a_second: self.second.most,
            most_in_a_minute: self.minute.most,
        }
    }
}

/// The calls of the last while, a number for each millisecond that had any.
#[derive(Debug)]
struct Sliding {
    length_ms: i64,
    recent: VecDeque<(i64, u64)>,
    within: u64,
    most: u64,
}

impl Sliding {
    fn new(length_ms: i64) -> Self {
        Self { length_ms, recent: VecDeque::new(), within: 0, most: 0 }
    }

    fn came(&mut self, now: i64) {
        // A clock that was set back begins anew.
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
        self.most = self.most.max(self.within);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_most_is_that_of_any_window(gaps in prop::collection::vec(0i64..1_500, 1..60)) {
            let mut tally = Tally::default();
            let mut now = 0;
            let mut times = Vec::new();
            for gap in gaps {
                now += gap;
                times.push(now);
                tally.came(now);
            }
            let most = |length: i64| {
                let within = |end: &i64| times.iter().filter(|at| **at > end - length && *at <= end).count();
                times.iter().map(within).max().unwrap_or_default() as u64
            };
            let counts = tally.counts();
            prop_assert_eq!(counts.calls, times.len() as u64);
            prop_assert_eq!((counts.most_in_a_second, counts.most_in_a_minute), (most(1_000), most(60_000)));
        }
    }

    #[test]
    fn a_clock_may_go_back() {
        let mut tally = Tally::default();
        for now in [5_000, 5_000, 100, 200, 300] {
            tally.came(now);
        }
        assert_eq!(tally.counts().most_in_a_second, 3);
    }
}
