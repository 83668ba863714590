//! The creation times of records and their order in the feed.
//!
//! Record `k` is created at [`Timeline::position`]. Positions rise strictly, so a position is a
//! cursor. The feed has a slot for each record, in order. A slot holds the record and, in some
//! slots, an earlier record again, one millisecond later. Nothing is stored.
//! slots, an earlier record once more, one millisecond later. Nothing is stored.

use crate::hash::{Rng, mix};

const JITTER_STREAM: u64 = 1;
const LATENESS_STREAM: u64 = 2;
const REPEAT_STREAM: u64 = 3;

/// The block size. A repeat follows its record by less than twice this number of slots.
const MAX_BLOCK: u64 = 25;

/// Eight thousand years.
const MAX_DURATION_MS: f64 = 2.5e14;

#[derive(Debug, Clone)]
pub(crate) struct TimelineConfig {
    pub(crate) key: u64,
    pub(crate) start_ms: i64,
    pub(crate) history_hours: f64,
    pub(crate) per_hour: f64,
    pub(crate) total: Option<u64>,
    pub(crate) late_share: f64,
    pub(crate) late_ms: (f64, f64),
    pub(crate) repeat_share: f64,
}

/// One dataset of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Timeline {
    key: u64,
    origin_ms: i64,
    interval_ms: f64,
    total: u64,
    late_share: f64,
    late_ms: (f64, f64),
    block: u64,
    block_chance: f64,
}

/// An entry of the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeedEntry {
    pub(crate) position: i64,
    pub(crate) index: u64,
    pub(crate) repeat: bool,
}

impl Timeline {
    pub(crate) fn new(config: &TimelineConfig) -> Self {
        let none = config.per_hour <= 0.0;
        let share = config.repeat_share;
        let block = if share > 0.0 { ((1.0 / share) as u64).clamp(1, MAX_BLOCK) } else { 1 };
        let interval_ms = if none { 1.0 } else { (3_600_000.0 / config.per_hour).max(1.0) };
        // Reaches every year that a timestamp can express.
        let reach = (MAX_DURATION_MS / interval_ms) as u64;
        Self {
            key: config.key,
            origin_ms: config.start_ms - (config.history_hours * 3_600_000.0) as i64,
            interval_ms,
            total: if none { 0 } else { config.total.unwrap_or(reach).min(reach) },
            late_share: config.late_share,
            late_ms: config.late_ms,
            block,
            block_chance: share * block as f64,
        }
    }

    fn rng(&self, what: u64, index: u64) -> Rng {
        Rng::new(mix(mix(self.key, what), index))
    }

    /// The creation time of record `index`, in Unix milliseconds.
    pub(crate) fn position(&self, index: u64) -> i64 {
        let base = (index as f64 * self.interval_ms).floor();
        // Two milliseconds stay free before the next record: one of them for a repeat.
        let room = (self.interval_ms - 2.0).max(0.0);
        let jitter = (self.rng(JITTER_STREAM, index).unit() * room).floor();
        self.origin_ms + base as i64 + jitter as i64
    }

    /// The first record created after `t`; if there is no such record, the number of
    /// records.
    pub(crate) fn first_after(&self, t: i64) -> u64 {
        let guess = (t.saturating_sub(self.origin_ms)) as f64 / self.interval_ms;
        let mut index = (guess.floor() as u64).saturating_sub(2).min(self.total);
        while index < self.total && self.position(index) <= t {
            index += 1;
        }
        index
    }

    /// The indexes of the records created in `[from, to)`.
    pub(crate) fn range(&self, from: i64, to: i64) -> std::ops::Range<u64> {
        let end = self.first_after(to.saturating_sub(1));
        self.first_after(from.saturating_sub(1)).min(end)..end
    }

    /// The delay between the creation of a record and its appearance in the feed, in
    /// milliseconds.
    fn delay_ms(&self, index: u64) -> i64 {
        if self.late_share <= 0.0 {
            return 0;
        }
        let mut rng = self.rng(LATENESS_STREAM, index);
        if !rng.chance(self.late_share) {
            return 0;
        }
        let (least, most) = self.late_ms;
        (least + rng.unit() * (most - least)) as i64
    }

    /// The record that slot `slot` repeats.
    ///
    /// Each block repeats at most one of its records, in a slot of the next block. So no
    /// record repeats twice and no slot has two repeats.
    fn repeat_in(&self, slot: u64) -> Option<u64> {
        if self.block_chance <= 0.0 || self.interval_ms < 2.0 || slot < self.block {
            return None;
        }
        let block = slot / self.block - 1;
        let mut rng = self.rng(REPEAT_STREAM, block);
        if !rng.chance(self.block_chance) {
            return None;
        }
        let record = block * self.block + rng.below(self.block);
        let at = (block + 1) * self.block + rng.below(self.block);
        // A late record is not repeated: a reader that has passed it must miss it.
        (at == slot && self.delay_ms(record) == 0).then_some(record)
    }

    /// The entries of the feed at `now` after position `after`, in order.
    pub(crate) fn entries(&self, after: i64, now: i64) -> impl Iterator<Item = FeedEntry> + '_ {
        // The slot before may still have a repeat after this position.
        let first = self.first_after(after).saturating_sub(1);
        (first..self.total)
            .map(move |slot| (slot, self.position(slot)))
            .take_while(move |(_, position)| *position <= now)
            .flat_map(move |(slot, position)| {
                let own = (position + self.delay_ms(slot) <= now).then_some(FeedEntry {
                    position,
                    index: slot,
                    repeat: false,
                });
                let again = self.repeat_in(slot).map(|index| FeedEntry {
                    position: position + 1,
                    index,
                    repeat: true,
                });
                own.into_iter().chain(again.filter(|e| e.position <= now)).filter(move |e| e.position > after)
            })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn timeline(key: u64, per_hour: f64, late_share: f64, repeat_share: f64) -> Timeline {
        Timeline::new(&TimelineConfig {
            key,
            start_ms: 1_700_000_000_000,
            history_hours: 24.0,
            per_hour,
            total: None,
            late_share,
            late_ms: (5_000.0, 120_000.0),
            repeat_share,
        })
    }

    proptest! {
        #[test]
        fn positions_increase_strictly(key: u64, per_hour in 0.1f64..5_000_000.0, from in 0u64..1 << 30) {
            let line = timeline(key, per_hour, 0.0, 0.0);
            for k in from..from + 200 {
                prop_assert!(line.position(k) < line.position(k + 1));
            }
        }

        #[test]
        fn first_after_finds_the_adjacent_records(key: u64, per_hour in 1.0f64..4_000_000.0, t in 0i64..90_000_000) {
            let line = timeline(key, per_hour, 0.0, 0.0);
            let t = 1_700_000_000_000 - 86_400_000 + t;
            let k = line.first_after(t);
            prop_assert!(line.position(k) > t);
            prop_assert!(k == 0 || line.position(k - 1) <= t);
        }

        #[test]
        fn paging_returns_each_entry_once(
            key: u64,
            per_hour in 100.0f64..1_000_000.0,
            repeat in 0.0f64..1.0,
            limits in prop::collection::vec(1usize..60, 1..12),
        ) {
            let line = timeline(key, per_hour, 0.05, repeat);
            let now = 1_700_000_000_000 - 86_400_000 + (400.0 * line.interval_ms) as i64;
            let whole: Vec<FeedEntry> = line.entries(i64::MIN, now).collect();
            prop_assert!(whole.windows(2).all(|w| w[0].position < w[1].position));
            let mut walked = Vec::new();
            let mut after = i64::MIN;
            for limit in limits.iter().cycle() {
                let page: Vec<FeedEntry> = line.entries(after, now).take(*limit).collect();
                let Some(last) = page.last() else { break };
                after = last.position;
                walked.extend(page);
            }
            prop_assert_eq!(whole, walked);
        }

        #[test]
        fn record_repeats_once_within_two_blocks(key: u64, repeat in 0.001f64..1.0) {
            let line = timeline(key, 3_600.0, 0.0, repeat);
            let mut seen = std::collections::HashMap::new();
            for (at, entry) in line.entries(i64::MIN, line.position(2_000)).enumerate() {
                if entry.repeat {
                    let first: usize = seen.insert(entry.index, usize::MAX).unwrap();
                    prop_assert!(first != usize::MAX, "repeated twice");
                    prop_assert!(at - first <= 100);
                } else {
                    seen.insert(entry.index, at);
                }
            }
        }
    }

    #[test]
    fn late_and_repeat_shares_match_the_config() {
        let line = timeline(9, 3_600.0, 0.02, 0.01);
        let now = line.position(40_000) + 200_000;
        let repeats = line.entries(i64::MIN, now).filter(|e| e.repeat).count();
        assert!((300..520).contains(&repeats), "{repeats}");
        let late = (0..40_000).filter(|k| line.delay_ms(*k) > 0).count();
        assert!((650..950).contains(&late), "{late}");
        let late = (0..40_000).find(|k| line.delay_ms(*k) > 0).unwrap();
        let (created, shown) = (line.position(late), line.position(late) + line.delay_ms(late));
        assert!((5_000..=120_000).contains(&(shown - created)));
        let has = |now| line.entries(created - 1, now).any(|e| e.index == late);
        assert!(!has(shown - 1));
        assert!(has(shown));
    }

    #[test]
    fn unbounded_range_covers_all_records() {
        for per_hour in [0.001, 1.0, 4_000_000.0] {
            let line = timeline(1, per_hour, 0.0, 0.0);
            let all = line.range(i64::MIN, i64::MAX);
            assert_eq!(all, 0..line.total);
            assert!(line.position(line.total) > 0);
        }
    }

    #[test]
    fn timeline_supports_zero_rate_and_a_total() {
        let mut config = TimelineConfig {
            key: 1,
            start_ms: 0,
            history_hours: 10.0,
            per_hour: 0.0,
            total: None,
            late_share: 0.0,
            late_ms: (0.0, 0.0),
            repeat_share: 0.0,
        };
        assert_eq!(Timeline::new(&config).entries(i64::MIN, i64::MAX).count(), 0);
        config.per_hour = 100.0;
        config.total = Some(7);
        let line = Timeline::new(&config);
        assert_eq!(line.entries(i64::MIN, i64::MAX).count(), 7);
        assert_eq!(line.range(i64::MIN, i64::MAX), 0..7);
    }
}
