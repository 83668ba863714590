//! Where a stream is in the feed. Pure: no clock, no network.

use serde::{Deserialize, Serialize};

/// How far back the feed goes.
const FEED_RETENTION_MS: i64 = 24 * 60 * 60 * 1_000;

/// The service tells its time in whole seconds.
const SERVICE_CLOCK_RESOLUTION_MS: i64 = 1_000;

/// Time for requests from near the end of what the feed keeps.
const PROBE_MARGIN_MS: i64 = 60 * 1_000;

/// Where a run ended, and so where the next begins. All times are the service's,
/// in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The feed's own mark.
    pub cursor: Option<String>,
    /// Everything that the feed showed up to here has been read.
    pub high_watermark_ms: i64,
    /// Nothing more is expected to appear before here. Earlier than the
    /// frontier when the run read to the end, since what the service takes in
    /// shows in the feed only after a while, and when it stopped while it read
    /// again what an earlier run had read.
    pub low_watermark_ms: i64,
    /// Set when the feed had more after the cursor: the next run goes on there.
    /// The cursor may have passed records from this time on that had not shown
    /// yet, so the run that reads to the end settles nothing after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_watermark_ms: Option<i64>,
    /// Set with the former when the feed is read from its beginning once more:
    /// records that the service took in before this are known, even if their ids
    /// are forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported_before_ms: Option<i64>,
}

/// A stretch of time that the feed no longer has, from its first millisecond up
/// to but not including its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Everything before was read.
    pub from_ms: i64,
    /// The feed goes back to here.
    pub to_ms: i64,
}

impl Gap {
    /// Its length in seconds.
    pub fn seconds(&self) -> f64 {
        (self.to_ms - self.from_ms) as f64 / 1_000.0
    }
}

/// How to ask for the first page of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartPosition {
    /// All that the feed has.
    Earliest,
    /// From the feed's own mark on.
    Cursor(String),
    /// From this time on, in seconds since the Unix epoch.
    FromDate(i64),
}

impl StartPosition {
    /// The name in log records.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Earliest => "beginning",
            Self::Cursor(_) => "cursor",
            Self::FromDate(_) => "time",
        }
    }
}

/// The service's times of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageTimes {
    /// When it was asked for.
    pub(crate) requested_ms: i64,
    /// When it came.
    pub(crate) received_ms: i64,
    /// When the service took in the newest of its items.
    pub(crate) newest_created_ms: Option<i64>,
}

/// A run's way through the feed.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointTracker {
    initial_checkpoint: Option<Checkpoint>,
    overlap_ms: i64,
    cursor: Option<String>,
    high_watermark_ms: Option<i64>,
    /// How far this run got, which is behind the frontier as long as it reads
    /// again what an earlier one read.
    position_ms: i64,
    /// Nothing after this is settled: records may still show from here on
    /// behind the cursor.
    low_watermark_limit_ms: i64,
    /// Whether the stream has never had a record, and its first reading is not
    /// done. It misses nothing: it begins where the feed does.
    is_initial_read: bool,
    /// The bound of the next page; `None` after a page that leads nowhere.
    backlog_watermark_ms: Option<i64>,
    exported_before_ms: Option<i64>,
}

impl CheckpointTracker {
    /// Goes on from a place. `blank` if no record was ever read.
    pub(crate) fn from_checkpoint(place: Option<Checkpoint>, overlap_ms: i64, is_empty: bool) -> Self {
        Self {
            is_initial_read: is_empty
                && place.as_ref().is_none_or(|place| place.backlog_watermark_ms.is_some()),
            cursor: place.as_ref().and_then(|place| place.cursor.clone()),
            high_watermark_ms: place.as_ref().map(|place| place.high_watermark_ms),
            position_ms: place.as_ref().map_or(i64::MIN, |place| place.low_watermark_ms),
            low_watermark_limit_ms: i64::MAX,
            backlog_watermark_ms: place.as_ref().and_then(|place| place.backlog_watermark_ms),
            exported_before_ms: place.as_ref().and_then(|place| place.exported_before_ms),
            initial_checkpoint: place,
            overlap_ms,
        }
    }

    /// Notes which start the service answered.
    pub(crate) fn set_start(&mut self, start: &StartPosition) {
        if !matches!(start, StartPosition::Cursor(_)) {
            self.backlog_watermark_ms = None;
            let again = self.initial_checkpoint.as_ref().filter(|_| matches!(start, StartPosition::Earliest));
            self.exported_before_ms = again.map(|place| place.low_watermark_ms);
        }
    }

    /// Whether a record that the service took in then was read by an earlier run.
    pub(crate) fn is_exported(&self, created_ms: Option<i64>) -> bool {
        created_ms.zip(self.exported_before_ms).is_some_and(|(created, known)| created < known)
    }

    /// How to begin, best first. The next one is for a start that the service
    /// does not answer. It refuses a time that the feed no longer keeps; for an
    /// old cursor it begins where the feed does.
    pub(crate) fn start_positions(&self, now_ms: Option<i64>) -> Vec<StartPosition> {
        let mut starts = Vec::new();
        if let Some(place) = &self.initial_checkpoint {
            if place.backlog_watermark_ms.is_some() {
                starts.extend(place.cursor.clone().map(StartPosition::Cursor));
            }
            if now_ms.is_none_or(|now| place.low_watermark_ms >= now - FEED_RETENTION_MS) {
                starts.push(StartPosition::FromDate(place.low_watermark_ms.div_euclid(1_000)));
            }
        }
        starts.push(StartPosition::Earliest);
        starts
    }

    /// Advances after a page. Conservative: an interval that the feed may have
    /// dropped during the request is a gap, and what may not have been read is
    /// not counted as read. `next_cursor` is `None` if it leads nowhere.
    pub(crate) fn advance(
        &mut self,
        times: PageTimes,
        has_more: bool,
        next_cursor: Option<String>,
    ) -> Option<Gap> {
        let kept_from = times.received_ms + SERVICE_CLOCK_RESOLUTION_MS - FEED_RETENTION_MS;
        let gap = self
            .high_watermark_ms
            .filter(|frontier| *frontier < kept_from && !self.is_initial_read)
            .map(|from_ms| Gap { from_ms, to_ms: kept_from });
        // A time in the future would hide a later gap.
        let asked_ms = times.requested_ms;
        let reached = if has_more {
            times.newest_created_ms.map(|newest| newest.min(asked_ms))
        } else {
            Some(asked_ms)
        };
        // The first page of a stream begins where the feed does.
        let begins = self.is_initial_read.then_some(kept_from);
        self.is_initial_read &= times.newest_created_ms.is_none();
        self.high_watermark_ms =
            self.high_watermark_ms.max(reached).max(gap.map(|gap| gap.to_ms)).max(begins);
        self.position_ms = self.position_ms.max(reached.or(begins).unwrap_or(i64::MIN));
        let late_ms = asked_ms - self.overlap_ms;
        self.low_watermark_limit_ms =
            self.backlog_watermark_ms.map_or(late_ms, |pending| pending.min(late_ms));
        // Only a page with records tells that the cursor has not passed the bound.
        let before_bound =
            times.newest_created_ms.is_some() && self.position_ms <= self.low_watermark_limit_ms;
        let leads_on = has_more && next_cursor.is_some();
        self.backlog_watermark_ms =
            leads_on.then_some(if before_bound { late_ms } else { self.low_watermark_limit_ms });
        self.cursor = next_cursor;
        gap
    }

    /// The first time, in whole seconds, that is later than all that was read and
    /// that the feed still has: what may be passed over begins there.
    pub(crate) fn unread_from_seconds(&self, now_ms: i64) -> i64 {
        self.position_ms.max(now_ms - FEED_RETENTION_MS + PROBE_MARGIN_MS).div_euclid(1_000)
    }

    /// Goes on from this time, without what the feed has before it.
    pub(crate) fn pass_over(&mut self, to_ms: i64, now_ms: i64) -> Gap {
        let from_ms = if self.position_ms == i64::MIN {
            now_ms + SERVICE_CLOCK_RESOLUTION_MS - FEED_RETENTION_MS
        } else {
            self.position_ms
        };
        self.high_watermark_ms = self.high_watermark_ms.max(Some(to_ms));
        self.position_ms = self.position_ms.max(to_ms);
        self.cursor = None;
        Gap { from_ms, to_ms }
    }

    /// The time from which the ids of records are needed to recognize them.
    pub(crate) fn dedup_from_ms(&self) -> Option<i64> {
        Some(
            (self.high_watermark_ms? - self.overlap_ms).min(self.low_watermark_limit_ms)
                - SERVICE_CLOCK_RESOLUTION_MS,
        )
    }

    /// How far the run has read; `None` before its first page.
    pub(crate) fn high_watermark_ms(&self) -> Option<i64> {
        self.high_watermark_ms
    }

    /// Where the next run begins, if not before `floor_ms`.
    pub(crate) fn checkpoint(&self, floor_ms: i64) -> Option<Checkpoint> {
        let frontier_ms = self.high_watermark_ms?;
        let settled = self.position_ms.min(self.low_watermark_limit_ms).max(floor_ms);
        let settled_ms = if settled >= frontier_ms {
            settled
        } else {
            // A time is asked for in whole seconds.
            settled - settled.rem_euclid(1_000)
        };
        let pending_ms = self.backlog_watermark_ms.map(|pending| pending.max(floor_ms));
        let known_before_ms = self.exported_before_ms.filter(|_| pending_ms.is_some());
        Some(Checkpoint {
            cursor: self.cursor.clone(),
            high_watermark_ms: frontier_ms,
            low_watermark_ms: settled_ms,
            backlog_watermark_ms: pending_ms,
            exported_before_ms: known_before_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_800_000_000_000;
    const OVERLAP: i64 = 600_000;

    fn page_times(now_ms: i64, newest_ms: Option<i64>) -> PageTimes {
        PageTimes { requested_ms: now_ms, received_ms: now_ms, newest_created_ms: newest_ms }
    }

    fn checkpoint(frontier_ms: i64, settled_ms: i64) -> Checkpoint {
        Checkpoint {
            cursor: Some("mark".into()),
            high_watermark_ms: frontier_ms,
            low_watermark_ms: settled_ms,
            backlog_watermark_ms: None,
            exported_before_ms: None,
        }
    }

    #[test]
    fn tracker_reports_no_gap_on_the_first_run() {
        let mut reading = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        assert_eq!(reading.start_positions(Some(NOW)), [StartPosition::Earliest]);
        assert_eq!(reading.advance(page_times(NOW, Some(NOW - 23 * HOUR)), true, Some("a".into())), None);
        assert_eq!(
            reading.advance(page_times(NOW + HOUR / 60, Some(NOW - HOUR)), true, Some("b".into())),
            None
        );
    }

    #[test]
    fn tracker_rereads_the_overlap_after_the_end_of_the_feed() {
        let mut reading = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        reading.advance(page_times(NOW + 300, Some(NOW - HOUR)), false, Some("end".into()));
        let place = reading.checkpoint(i64::MIN).expect("a page was read");
        assert_eq!(place.high_watermark_ms, NOW + 300);
        assert_eq!(place.low_watermark_ms, NOW - OVERLAP, "in whole seconds");
        let next = CheckpointTracker::from_checkpoint(Some(place), OVERLAP, false);
        assert_eq!(
            next.start_positions(None),
            [StartPosition::FromDate((NOW - OVERLAP) / 1_000), StartPosition::Earliest]
        );
    }

    #[test]
    fn tracker_resumes_at_the_cursor_in_a_backlog() {
        let mut reading = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        reading.advance(page_times(NOW, Some(NOW - 5 * HOUR)), true, Some("middle".into()));
        let place = reading.checkpoint(i64::MIN).expect("a page was read");
        assert_eq!(place.low_watermark_ms, place.high_watermark_ms);
        let starts =
            CheckpointTracker::from_checkpoint(Some(place), OVERLAP, false).start_positions(Some(NOW));
        assert_eq!(starts[0], StartPosition::Cursor("middle".into()));
    }

    #[test]
    fn tracker_reports_exactly_the_dropped_interval_as_a_gap() {
        let mut reading = CheckpointTracker::from_checkpoint(
            Some(checkpoint(NOW - 30 * HOUR, NOW - 30 * HOUR)),
            OVERLAP,
            false,
        );
        let gap = reading
            .advance(page_times(NOW, Some(NOW - 23 * HOUR)), true, Some("b".into()))
            .expect("six hours are gone");
        assert_eq!(gap, Gap { from_ms: NOW - 30 * HOUR, to_ms: NOW - 24 * HOUR + 1_000 });
        assert_eq!(
            reading.advance(page_times(NOW, Some(NOW - 22 * HOUR)), true, Some("c".into())),
            None,
            "told once"
        );

        let mut reading = CheckpointTracker::from_checkpoint(
            Some(checkpoint(NOW - 23 * HOUR, NOW - 23 * HOUR)),
            OVERLAP,
            false,
        );
        assert_eq!(reading.advance(page_times(NOW, None), false, None), None);
    }

    #[test]
    fn tracker_reports_a_gap_when_it_reads_too_slowly() {
        let mut reading = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        reading.advance(page_times(NOW, Some(NOW - 24 * HOUR + 60_000)), true, Some("a".into()));
        let gap = reading.advance(page_times(NOW + 120_000, Some(NOW - 23 * HOUR)), true, Some("b".into()));
        assert_eq!(gap.expect("a minute went by").seconds(), 61.0);
    }

    #[test]
    fn tracker_skips_a_start_time_beyond_the_retention() {
        let reading = CheckpointTracker::from_checkpoint(
            Some(checkpoint(NOW - 30 * HOUR + 1, NOW - 30 * HOUR)),
            OVERLAP,
            false,
        );
        assert_eq!(reading.start_positions(Some(NOW)), [StartPosition::Earliest]);
        assert!(
            matches!(reading.start_positions(None)[0], StartPosition::FromDate(_)),
            "without the service's time one has to try"
        );
    }

    #[test]
    fn tracker_ignores_record_times_in_the_future() {
        let mut reading = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        reading.advance(page_times(NOW, Some(NOW + 900 * HOUR)), true, Some("a".into()));
        assert_eq!(reading.high_watermark_ms(), Some(NOW));
    }

    #[test]
    fn tracker_assumes_the_worst_for_a_slow_response() {
        let slow = PageTimes { requested_ms: NOW, received_ms: NOW + 60_000, newest_created_ms: None };
        let mut reading =
            CheckpointTracker::from_checkpoint(Some(checkpoint(NOW - 24 * HOUR + 30_000, 0)), OVERLAP, false);
        assert!(reading.advance(slow, false, None).is_some(), "it may be gone by the time of the answer");
        assert_eq!(reading.high_watermark_ms(), Some(NOW), "what came after the question was not read");
    }

    mod model {
        //! A feed in miniature, read by runs that come and stop at random.

        use std::collections::HashMap;

        use proptest::prelude::*;

        use super::*;
        use crate::dedup_window::{DedupResult, DedupSnapshot, DedupWindow, RecordId};

        /// A record: when the service took it in, how much later it shows, and
        /// whether it is sent again further on.
        #[derive(Debug, Clone)]
        struct Entry {
            id: usize,
            at_ms: i64,
            shows_ms: i64,
        }

        #[derive(Debug, Clone)]
        struct Run {
            after_ms: i64,
            page: usize,
            pages: usize,
            /// Whether every other page is empty.
            gaps: bool,
        }

        /// A page from this start or mark on, and whether there is more.
        fn page(feed: &[Entry], from_ms: i64, now_ms: i64, size: usize) -> (Vec<Entry>, bool) {
            let shown =
                |entry: &&Entry| entry.at_ms >= from_ms && entry.shows_ms <= now_ms && entry.at_ms <= now_ms;
            let mut found: Vec<_> = feed.iter().filter(shown).take(size + 1).cloned().collect();
            let more = found.len() > size;
            found.truncate(size);
            (found, more)
        }

        fn feed() -> impl Strategy<Value = Vec<Entry>> {
            let gaps =
                prop::collection::vec((1_i64..90_000, 0..OVERLAP / 2, prop::bool::weighted(0.1)), 1..120);
            gaps.prop_map(|gaps| {
                let mut at_ms = NOW;
                let mut feed: Vec<Entry> = Vec::new();
                for (gap, lag, again) in gaps {
                    at_ms += gap;
                    let id = if again { feed.len() / 2 } else { feed.len() + 1_000 };
                    feed.push(Entry { id, at_ms, shows_ms: at_ms + lag });
                }
                feed
            })
        }

        fn run() -> impl Strategy<Value = Run> {
            (0_i64..1_500_000, 1_usize..20, 1_usize..8, any::<bool>())
                .prop_map(|(after_ms, page, pages, gaps)| Run { after_ms, page, pages, gaps })
        }

        proptest! {
            #[test]
            fn each_record_is_exported_once_across_interrupted_runs(
                feed in feed(),
                runs in prop::collection::vec(run(), 1..20),
            ) {
                let mut taken: HashMap<usize, u32> = HashMap::new();
                let mut place = None::<Checkpoint>;
                let mut saved = DedupSnapshot::default();
                let mut now_ms = NOW;
                let last = Run { after_ms: 20_000_000, page: 7, pages: usize::MAX, gaps: true };
                // What showed behind a cursor in the middle is read by the run after its own.
                let again = Run { after_ms: 1, ..last.clone() };
                for run in runs.into_iter().chain([last, again]) {
                    now_ms += run.after_ms;
                    let mut seen = DedupWindow::new(500);
                    seen.restore(&saved, place.as_ref().map_or(0, |place| place.high_watermark_ms)).expect("its own form");
                    let mut reading = CheckpointTracker::from_checkpoint(place.clone(), OVERLAP, saved.ids.is_empty());
                    let start = reading.start_positions(Some(now_ms)).remove(0);
                    reading.set_start(&start);
                    let mut from_ms = match start {
                        StartPosition::Earliest => 0,
                        StartPosition::Cursor(mark) => mark.parse::<i64>().expect("our own mark") + 1,
                        StartPosition::FromDate(seconds) => seconds * 1_000,
                    };
                    for read in 0..run.pages {
                        let (mut entries, mut more) = page(&feed, from_ms, now_ms, run.page);
                        // The page may hold less than its cursor passes.
                        let mut passed = None;
                        if run.gaps && (more || !entries.is_empty()) && read % 2 == 0 {
                            let next = entries.first().map_or(now_ms, |entry| entry.at_ms);
                            passed = Some(next - 1);
                            entries.clear();
                            more = true;
                        }
                        for entry in &entries {
                            if seen.insert(RecordId::new(&entry.id.to_string()), 1, entry.at_ms) == DedupResult::New {
                                *taken.entry(entry.id).or_default() += 1;
                            }
                        }
                        let newest = entries.iter().map(|entry| entry.at_ms).max();
                        let mark = passed.unwrap_or(if more { newest.unwrap_or(from_ms) } else { now_ms });
                        let gap = reading.advance(page_times(now_ms, newest), more, Some(mark.to_string()));
                        // Only before the first record: an empty page does not tell how far it went.
                        prop_assert!(gap.is_none_or(|gap| gap.from_ms < NOW), "{gap:?}");
                        seen.evict_before(reading.dedup_from_ms().expect("a page was read"));
                        from_ms = mark + 1;
                        now_ms += 1_000;
                        if !more {
                            break;
                        }
                    }
                    place = reading.checkpoint(seen.complete_from_ms());
                    saved = seen.snapshot();
                }
                for entry in &feed {
                    prop_assert_eq!(taken.get(&entry.id), Some(&1), "{:?}", entry);
                }
            }
        }
    }
}
