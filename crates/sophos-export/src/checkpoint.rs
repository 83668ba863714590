//! The checkpoint of a stream in the feed. Pure: no clock, no network.

use serde::{Deserialize, Serialize};

/// The retention of the feed.
const FEED_RETENTION_MS: i64 = 24 * 60 * 60 * 1_000;

/// The service's `Date` header has whole seconds.
const SERVICE_CLOCK_RESOLUTION_MS: i64 = 1_000;

/// The margin for requests near the end of the retention.
const PROBE_MARGIN_MS: i64 = 60 * 1_000;

/// The end of a run and the start of the next. All times are the service's, in
/// milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The feed's cursor.
    pub cursor: Option<String>,
    /// Everything that the feed showed up to this time has been read.
    pub high_watermark_ms: i64,
    /// No further record is expected to appear before this time. Earlier than the high
    /// watermark after a run to the end of the feed, since records appear with a delay.
    /// Earlier, too, after a run that stopped while it reread an earlier interval.
    pub low_watermark_ms: i64,
    /// Set when the feed had more after the cursor: the next run continues there. The
    /// cursor may have passed records from this time on that had not appeared yet, so
    /// the low watermark must not pass it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backlog_watermark_ms: Option<i64>,
    /// Set together with `backlog_watermark_ms` while the feed is reread from its start:
    /// records created before this time were exported, even if their ids were evicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exported_before_ms: Option<i64>,
}

/// An interval that the feed no longer has: from `from_ms`, inclusive, to `to_ms`,
/// exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The start. Everything before was read.
    pub from_ms: i64,
    /// The end. The feed has records from here on.
    pub to_ms: i64,
}

impl Gap {
    /// The length in seconds.
    pub fn seconds(&self) -> f64 {
        (self.to_ms - self.from_ms) as f64 / 1_000.0
    }
}

/// The start of a run in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartPosition {
    /// The start of the feed.
    Earliest,
    /// The feed's cursor.
    Cursor(String),
    /// A time in seconds since the Unix epoch.
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
    /// The time of the request.
    pub(crate) requested_ms: i64,
    /// The time of the response.
    pub(crate) received_ms: i64,
    /// The creation time of the newest item.
    pub(crate) newest_created_ms: Option<i64>,
}

/// The progress of a run through the feed.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointTracker {
    initial_checkpoint: Option<Checkpoint>,
    overlap_ms: i64,
    cursor: Option<String>,
    high_watermark_ms: Option<i64>,
    /// The progress of this run. Behind the high watermark while it rereads what an
    /// earlier run read.
    position_ms: i64,
    /// The upper limit of the low watermark: records may still appear from here on
    /// behind the cursor.
    low_watermark_limit_ms: i64,
    /// Whether the stream never had a record and its first read is not complete. Such a
    /// read has no gap: it begins at the start of the feed.
    is_initial_read: bool,
    /// The backlog watermark of the next page; `None` after a page without a next one.
    backlog_watermark_ms: Option<i64>,
    exported_before_ms: Option<i64>,
}

impl CheckpointTracker {
    /// Continues from a checkpoint. `is_empty` if no record was ever read.
    pub(crate) fn from_checkpoint(checkpoint: Option<Checkpoint>, overlap_ms: i64, is_empty: bool) -> Self {
        Self {
            is_initial_read: is_empty
                && checkpoint.as_ref().is_none_or(|start| start.backlog_watermark_ms.is_some()),
            cursor: checkpoint.as_ref().and_then(|start| start.cursor.clone()),
            high_watermark_ms: checkpoint.as_ref().map(|start| start.high_watermark_ms),
            position_ms: checkpoint.as_ref().map_or(i64::MIN, |start| start.low_watermark_ms),
            low_watermark_limit_ms: i64::MAX,
            backlog_watermark_ms: checkpoint.as_ref().and_then(|start| start.backlog_watermark_ms),
            exported_before_ms: checkpoint.as_ref().and_then(|start| start.exported_before_ms),
            initial_checkpoint: checkpoint,
            overlap_ms,
        }
    }

    /// Sets the start that the service accepted.
    pub(crate) fn set_start(&mut self, start: &StartPosition) {
        if !matches!(start, StartPosition::Cursor(_)) {
            self.backlog_watermark_ms = None;
            let reread =
                self.initial_checkpoint.as_ref().filter(|_| matches!(start, StartPosition::Earliest));
            self.exported_before_ms = reread.map(|checkpoint| checkpoint.low_watermark_ms);
        }
    }

    /// Whether an earlier run exported a record of this creation time.
    pub(crate) fn is_exported(&self, created_ms: Option<i64>) -> bool {
        created_ms.zip(self.exported_before_ms).is_some_and(|(created, known)| created < known)
    }

    /// The possible starts, best first; the next one applies if the service rejects a
    /// start. It rejects times beyond the retention, and reads an old cursor from the
    /// start of the feed.
    pub(crate) fn start_positions(&self, now_ms: Option<i64>) -> Vec<StartPosition> {
        let mut starts = Vec::new();
        if let Some(checkpoint) = &self.initial_checkpoint {
            if checkpoint.backlog_watermark_ms.is_some() {
                starts.extend(checkpoint.cursor.clone().map(StartPosition::Cursor));
            }
            if now_ms.is_none_or(|now| checkpoint.low_watermark_ms >= now - FEED_RETENTION_MS) {
                starts.push(StartPosition::FromDate(checkpoint.low_watermark_ms.div_euclid(1_000)));
            }
        }
        starts.push(StartPosition::Earliest);
        starts
    }

    /// Advances after a page. Conservative: an interval that the feed may have dropped
    /// during the request is a gap, and only what was certainly read counts as read.
    /// `next_cursor` is `None` if the cursor is invalid.
    pub(crate) fn advance(
        &mut self,
        times: PageTimes,
        has_more: bool,
        next_cursor: Option<String>,
    ) -> Option<Gap> {
        let kept_from = times.received_ms + SERVICE_CLOCK_RESOLUTION_MS - FEED_RETENTION_MS;
        let gap = self
            .high_watermark_ms
            .filter(|watermark| *watermark < kept_from && !self.is_initial_read)
            .map(|from_ms| Gap { from_ms, to_ms: kept_from });
        // A time in the future would hide a later gap.
        let requested_ms = times.requested_ms;
        let reached = if has_more {
            times.newest_created_ms.map(|newest| newest.min(requested_ms))
        } else {
            Some(requested_ms)
        };
        // The first page of a stream begins at the start of the feed.
        let feed_start = self.is_initial_read.then_some(kept_from);
        self.is_initial_read &= times.newest_created_ms.is_none();
        self.high_watermark_ms =
            self.high_watermark_ms.max(reached).max(gap.map(|gap| gap.to_ms)).max(feed_start);
        self.position_ms = self.position_ms.max(reached.or(feed_start).unwrap_or(i64::MIN));
        let late_ms = requested_ms - self.overlap_ms;
        self.low_watermark_limit_ms =
            self.backlog_watermark_ms.map_or(late_ms, |backlog| backlog.min(late_ms));
        // Only a page with records shows that the cursor has not passed the limit.
        let before_limit =
            times.newest_created_ms.is_some() && self.position_ms <= self.low_watermark_limit_ms;
        let continues = has_more && next_cursor.is_some();
        self.backlog_watermark_ms =
            continues.then_some(if before_limit { late_ms } else { self.low_watermark_limit_ms });
        self.cursor = next_cursor;
        gap
    }

    /// The earliest time, in whole seconds, that is unread and within the retention:
    /// the start of a gap around an oversized page.
    pub(crate) fn unread_from_seconds(&self, now_ms: i64) -> i64 {
        self.position_ms.max(now_ms - FEED_RETENTION_MS + PROBE_MARGIN_MS).div_euclid(1_000)
    }

    /// Continues from this time and returns the gap before it.
    pub(crate) fn skip_to(&mut self, to_ms: i64, now_ms: i64) -> Gap {
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

    /// The start of the interval whose record ids are needed for deduplication.
    pub(crate) fn dedup_from_ms(&self) -> Option<i64> {
        Some(
            (self.high_watermark_ms? - self.overlap_ms).min(self.low_watermark_limit_ms)
                - SERVICE_CLOCK_RESOLUTION_MS,
        )
    }

    /// The high watermark; `None` before the first page of a new stream.
    pub(crate) fn high_watermark_ms(&self) -> Option<i64> {
        self.high_watermark_ms
    }

    /// The start of the next run, not before `floor_ms`. `None` before the first page of
    /// a new stream.
    pub(crate) fn checkpoint(&self, floor_ms: i64) -> Option<Checkpoint> {
        let high_watermark_ms = self.high_watermark_ms?;
        let low = self.position_ms.min(self.low_watermark_limit_ms).max(floor_ms);
        let low_watermark_ms = if low >= high_watermark_ms {
            low
        } else {
            // Requests have times in whole seconds.
            low - low.rem_euclid(1_000)
        };
        let backlog_watermark_ms = self.backlog_watermark_ms.map(|backlog| backlog.max(floor_ms));
        let exported_before_ms = self.exported_before_ms.filter(|_| backlog_watermark_ms.is_some());
        Some(Checkpoint {
            cursor: self.cursor.clone(),
            high_watermark_ms,
            low_watermark_ms,
            backlog_watermark_ms,
            exported_before_ms,
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

    fn checkpoint(high_watermark_ms: i64, low_watermark_ms: i64) -> Checkpoint {
        Checkpoint {
            cursor: Some("cursor".into()),
            high_watermark_ms,
            low_watermark_ms,
            backlog_watermark_ms: None,
            exported_before_ms: None,
        }
    }

    #[test]
    fn tracker_reports_no_gap_on_the_first_run() {
        let mut tracker = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        assert_eq!(tracker.start_positions(Some(NOW)), [StartPosition::Earliest]);
        assert_eq!(tracker.advance(page_times(NOW, Some(NOW - 23 * HOUR)), true, Some("a".into())), None);
        assert_eq!(
            tracker.advance(page_times(NOW + HOUR / 60, Some(NOW - HOUR)), true, Some("b".into())),
            None
        );
    }

    #[test]
    fn tracker_rereads_the_overlap_after_the_end_of_the_feed() {
        let mut tracker = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        tracker.advance(page_times(NOW + 300, Some(NOW - HOUR)), false, Some("end".into()));
        let next_start = tracker.checkpoint(i64::MIN).expect("a page was read");
        assert_eq!(next_start.high_watermark_ms, NOW + 300);
        assert_eq!(next_start.low_watermark_ms, NOW - OVERLAP, "in whole seconds");
        let next = CheckpointTracker::from_checkpoint(Some(next_start), OVERLAP, false);
        assert_eq!(
            next.start_positions(None),
            [StartPosition::FromDate((NOW - OVERLAP) / 1_000), StartPosition::Earliest]
        );
    }

    #[test]
    fn tracker_resumes_at_the_cursor_in_a_backlog() {
        let mut tracker = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        tracker.advance(page_times(NOW, Some(NOW - 5 * HOUR)), true, Some("middle".into()));
        let next_start = tracker.checkpoint(i64::MIN).expect("a page was read");
        assert_eq!(next_start.low_watermark_ms, next_start.high_watermark_ms);
        let starts =
            CheckpointTracker::from_checkpoint(Some(next_start), OVERLAP, false).start_positions(Some(NOW));
        assert_eq!(starts[0], StartPosition::Cursor("middle".into()));
    }

    #[test]
    fn tracker_reports_exactly_the_dropped_interval_as_a_gap() {
        let mut tracker = CheckpointTracker::from_checkpoint(
            Some(checkpoint(NOW - 30 * HOUR, NOW - 30 * HOUR)),
            OVERLAP,
            false,
        );
        let gap = tracker
            .advance(page_times(NOW, Some(NOW - 23 * HOUR)), true, Some("b".into()))
            .expect("six hours are gone");
        assert_eq!(gap, Gap { from_ms: NOW - 30 * HOUR, to_ms: NOW - 24 * HOUR + 1_000 });
        assert_eq!(
            tracker.advance(page_times(NOW, Some(NOW - 22 * HOUR)), true, Some("c".into())),
            None,
            "reported once"
        );

        let mut tracker = CheckpointTracker::from_checkpoint(
            Some(checkpoint(NOW - 23 * HOUR, NOW - 23 * HOUR)),
            OVERLAP,
            false,
        );
        assert_eq!(tracker.advance(page_times(NOW, None), false, None), None);
    }

    #[test]
    fn tracker_reports_a_gap_when_it_reads_too_slowly() {
        let mut tracker = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        tracker.advance(page_times(NOW, Some(NOW - 24 * HOUR + 60_000)), true, Some("a".into()));
        let gap = tracker.advance(page_times(NOW + 120_000, Some(NOW - 23 * HOUR)), true, Some("b".into()));
        assert_eq!(gap.expect("a minute went by").seconds(), 61.0);
    }

    #[test]
    fn tracker_skips_a_start_time_beyond_the_retention() {
        let tracker = CheckpointTracker::from_checkpoint(
            Some(checkpoint(NOW - 30 * HOUR + 1, NOW - 30 * HOUR)),
            OVERLAP,
            false,
        );
        assert_eq!(tracker.start_positions(Some(NOW)), [StartPosition::Earliest]);
        assert!(
            matches!(tracker.start_positions(None)[0], StartPosition::FromDate(_)),
            "without the service's time the run has to try"
        );
    }

    #[test]
    fn tracker_ignores_record_times_in_the_future() {
        let mut tracker = CheckpointTracker::from_checkpoint(None, OVERLAP, true);
        tracker.advance(page_times(NOW, Some(NOW + 900 * HOUR)), true, Some("a".into()));
        assert_eq!(tracker.high_watermark_ms(), Some(NOW));
    }

    #[test]
    fn tracker_assumes_the_worst_for_a_slow_response() {
        let slow = PageTimes { requested_ms: NOW, received_ms: NOW + 60_000, newest_created_ms: None };
        let mut tracker =
            CheckpointTracker::from_checkpoint(Some(checkpoint(NOW - 24 * HOUR + 30_000, 0)), OVERLAP, false);
        assert!(
            tracker.advance(slow, false, None).is_some(),
            "the interval may be dropped before the response"
        );
        assert_eq!(tracker.high_watermark_ms(), Some(NOW), "records after the request were not read");
    }

    mod model {
        //! A small feed, read by runs that start and stop at random.

        use std::collections::HashMap;

        use proptest::prelude::*;

        use super::*;
        use crate::dedup_window::{DedupResult, DedupSnapshot, DedupWindow, RecordId};

        /// A record: its id, its creation time and the time at which it appears.
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

        /// A page from this time on, and whether there is more.
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
                let mut exported: HashMap<usize, u32> = HashMap::new();
                let mut start_at = None::<Checkpoint>;
                let mut saved = DedupSnapshot::default();
                let mut now_ms = NOW;
                let last = Run { after_ms: 20_000_000, page: 7, pages: usize::MAX, gaps: true };
                // Records that appear behind a cursor in the backlog are read by the next run.
                let next = Run { after_ms: 1, ..last.clone() };
                for run in runs.into_iter().chain([last, next]) {
                    now_ms += run.after_ms;
                    let mut window = DedupWindow::new(500);
                    window.restore(&saved, start_at.as_ref().map_or(0, |start| start.high_watermark_ms)).expect("its own form");
                    let mut tracker = CheckpointTracker::from_checkpoint(start_at.clone(), OVERLAP, saved.ids.is_empty());
                    let start = tracker.start_positions(Some(now_ms)).remove(0);
                    tracker.set_start(&start);
                    let mut from_ms = match start {
                        StartPosition::Earliest => 0,
                        StartPosition::Cursor(cursor) => cursor.parse::<i64>().expect("our own cursor") + 1,
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
                            if window.insert(RecordId::new(&entry.id.to_string()), 1, entry.at_ms) == DedupResult::New {
                                *exported.entry(entry.id).or_default() += 1;
                            }
                        }
                        let newest = entries.iter().map(|entry| entry.at_ms).max();
                        let cursor = passed.unwrap_or(if more { newest.unwrap_or(from_ms) } else { now_ms });
                        let gap = tracker.advance(page_times(now_ms, newest), more, Some(cursor.to_string()));
                        // Only before the first record: an empty page does not tell how far it went.
                        prop_assert!(gap.is_none_or(|gap| gap.from_ms < NOW), "{gap:?}");
                        window.evict_before(tracker.dedup_from_ms().expect("a page was read"));
                        from_ms = cursor + 1;
                        now_ms += 1_000;
                        if !more {
                            break;
                        }
                    }
                    start_at = tracker.checkpoint(window.complete_from_ms());
                    saved = window.snapshot();
                }
                for entry in &feed {
                    prop_assert_eq!(exported.get(&entry.id), Some(&1), "{:?}", entry);
                }
            }
        }
    }
}
