//! Where a stream is in the feed. Pure: no clock, no network.

use serde::{Deserialize, Serialize};

/// How far back the feed goes.
const KEPT_MS: i64 = 24 * 60 * 60 * 1_000;

/// The service tells its time in whole seconds.
const CLOCK_STEP_MS: i64 = 1_000;

/// Time for requests from near the end of what the feed keeps.
const PROBE_MARGIN_MS: i64 = 60 * 1_000;

/// Where a run ended, and so where the next begins. All times are the service's,
/// in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The feed's own mark.
    pub cursor: Option<String>,
    /// Everything that the feed showed up to here has been read.
    pub frontier_ms: i64,
    /// Nothing more is expected to appear before here. Earlier than the
    /// frontier when the run read to the end, since what the service takes in
    /// shows in the feed only after a while, and when it stopped while it read
    /// again what an earlier run had read.
    pub settled_ms: i64,
    /// Set when the feed had more after the cursor: the next run goes on there.
    /// The cursor may have passed records from this time on that had not shown
    /// yet, so the run that reads to the end settles nothing after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_ms: Option<i64>,
    /// Set with the former when the feed is read from its beginning once more:
    /// records that the service took in before this are known, even if their ids
    /// are forgotten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_before_ms: Option<i64>,
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
pub(crate) enum Start {
    /// All that the feed has.
    Everything,
    /// From the feed's own mark on.
    Cursor(String),
    /// From this time on, in seconds since the Unix epoch.
    From(i64),
}

impl Start {
    /// The name in log records.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Everything => "beginning",
            Self::Cursor(_) => "cursor",
            Self::From(_) => "time",
        }
    }
}

/// The service's times of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// When it was asked for.
    pub(crate) asked_ms: i64,
    /// When it came.
    pub(crate) answered_ms: i64,
    /// When the service took in the newest of its items.
    pub(crate) newest_ms: Option<i64>,
}

/// A run's way through the feed.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    resume: Option<Place>,
    overlap_ms: i64,
    cursor: Option<String>,
    frontier_ms: Option<i64>,
    /// How far this run got, which is behind the frontier as long as it reads
    /// again what an earlier one read.
    reached_ms: i64,
    /// Nothing after this is settled: records may still show from here on
    /// behind the cursor.
    bound_ms: i64,
    /// Whether the stream has never had a record, and its first reading is not
    /// done. It misses nothing: it begins where the feed does.
    fresh: bool,
    /// The bound of the next page; `None` after a page that leads nowhere.
    pending_ms: Option<i64>,
    known_before_ms: Option<i64>,
}

impl Reading {
    /// Goes on from a place. `blank` if no record was ever read.
    pub(crate) fn resume(place: Option<Place>, overlap_ms: i64, blank: bool) -> Self {
        Self {
            fresh: blank && place.as_ref().is_none_or(|place| place.pending_ms.is_some()),
            cursor: place.as_ref().and_then(|place| place.cursor.clone()),
            frontier_ms: place.as_ref().map(|place| place.frontier_ms),
            reached_ms: place.as_ref().map_or(i64::MIN, |place| place.settled_ms),
            bound_ms: i64::MAX,
            pending_ms: place.as_ref().and_then(|place| place.pending_ms),
            known_before_ms: place.as_ref().and_then(|place| place.known_before_ms),
            resume: place,
            overlap_ms,
        }
    }

    /// Notes which start the service answered.
    pub(crate) fn begin(&mut self, start: &Start) {
        if !matches!(start, Start::Cursor(_)) {
            self.pending_ms = None;
            let again = self.resume.as_ref().filter(|_| matches!(start, Start::Everything));
            self.known_before_ms = again.map(|place| place.settled_ms);
        }
    }

    /// Whether a record that the service took in then was read by an earlier run.
    pub(crate) fn is_known(&self, created_ms: Option<i64>) -> bool {
        created_ms.zip(self.known_before_ms).is_some_and(|(created, known)| created < known)
    }

    /// How to begin, best first. The next one is for a start that the service
    /// does not answer. It refuses a time that the feed no longer keeps; for an
    /// old cursor it begins where the feed does.
    pub(crate) fn starts(&self, now_ms: Option<i64>) -> Vec<Start> {
        let mut starts = Vec::new();
        if let Some(place) = &self.resume {
            if place.pending_ms.is_some() {
                starts.extend(place.cursor.clone().map(Start::Cursor));
            }
            if now_ms.is_none_or(|now| place.settled_ms >= now - KEPT_MS) {
                starts.push(Start::From(place.settled_ms.div_euclid(1_000)));
            }
        }
        starts.push(Start::Everything);
        starts
    }

    /// Advances after a page. Conservative: an interval that the feed may have
    /// dropped during the request is a gap, and what may not have been read is
    /// not counted as read. `next_cursor` is `None` if it leads nowhere.
    pub(crate) fn page(&mut self, times: Times, has_more: bool, next_cursor: Option<String>) -> Option<Gap> {
        let kept_from = times.answered_ms + CLOCK_STEP_MS - KEPT_MS;
        let gap = self
            .frontier_ms
            .filter(|frontier| *frontier < kept_from && !self.fresh)
            .map(|from_ms| Gap { from_ms, to_ms: kept_from });
        // A time in the future would hide a later gap.
        let asked_ms = times.asked_ms;
        let reached =
            if has_more { times.newest_ms.map(|newest| newest.min(asked_ms)) } else { Some(asked_ms) };
        // The first page of a stream begins where the feed does.
        let begins = self.fresh.then_some(kept_from);
        self.fresh &= times.newest_ms.is_none();
        self.frontier_ms = self.frontier_ms.max(reached).max(gap.map(|gap| gap.to_ms)).max(begins);
        self.reached_ms = self.reached_ms.max(reached.or(begins).unwrap_or(i64::MIN));
        let late_ms = asked_ms - self.overlap_ms;
        self.bound_ms = self.pending_ms.map_or(late_ms, |pending| pending.min(late_ms));
        // Only a page with records tells that the cursor has not passed the bound.
        let before_bound = times.newest_ms.is_some() && self.reached_ms <= self.bound_ms;
        let leads_on = has_more && next_cursor.is_some();
        self.pending_ms = leads_on.then_some(if before_bound { late_ms } else { self.bound_ms });
        self.cursor = next_cursor;
        gap
    }

    /// The first time, in whole seconds, that is later than all that was read and
    /// that the feed still has: what may be passed over begins there.
    pub(crate) fn unread_from_seconds(&self, now_ms: i64) -> i64 {
        self.reached_ms.max(now_ms - KEPT_MS + PROBE_MARGIN_MS).div_euclid(1_000)
    }

    /// Goes on from this time, without what the feed has before it.
    pub(crate) fn pass_over(&mut self, to_ms: i64, now_ms: i64) -> Gap {
        let from_ms =
            if self.reached_ms == i64::MIN { now_ms + CLOCK_STEP_MS - KEPT_MS } else { self.reached_ms };
        self.frontier_ms = self.frontier_ms.max(Some(to_ms));
        self.reached_ms = self.reached_ms.max(to_ms);
        self.cursor = None;
        Gap { from_ms, to_ms }
    }

    /// The time from which the ids of records are needed to recognize them.
    pub(crate) fn needed_from_ms(&self) -> Option<i64> {
        Some((self.frontier_ms? - self.overlap_ms).min(self.bound_ms) - CLOCK_STEP_MS)
    }

    /// How far the run has read; `None` before its first page.
    pub(crate) fn frontier_ms(&self) -> Option<i64> {
        self.frontier_ms
    }

    /// Where the next run begins, if not before `floor_ms`.
    pub(crate) fn place(&self, floor_ms: i64) -> Option<Place> {
        let frontier_ms = self.frontier_ms?;
        let settled = self.reached_ms.min(self.bound_ms).max(floor_ms);
        let settled_ms = if settled >= frontier_ms {
            settled
        } else {
            // A time is asked for in whole seconds.
            settled - settled.rem_euclid(1_000)
        };
        let pending_ms = self.pending_ms.map(|pending| pending.max(floor_ms));
        let known_before_ms = self.known_before_ms.filter(|_| pending_ms.is_some());
        Some(Place { cursor: self.cursor.clone(), frontier_ms, settled_ms, pending_ms, known_before_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const NOW: i64 = 1_800_000_000_000;
    const OVERLAP: i64 = 600_000;

    fn at(now_ms: i64, newest_ms: Option<i64>) -> Times {
        Times { asked_ms: now_ms, answered_ms: now_ms, newest_ms }
    }

    fn place(frontier_ms: i64, settled_ms: i64) -> Place {
        Place {
            cursor: Some("mark".into()),
            frontier_ms,
            settled_ms,
            pending_ms: None,
            known_before_ms: None,
        }
    }

    #[test]
    fn the_first_run_reads_all_there_is_and_misses_nothing() {
        let mut reading = Reading::resume(None, OVERLAP, true);
        assert_eq!(reading.starts(Some(NOW)), [Start::Everything]);
        assert_eq!(reading.page(at(NOW, Some(NOW - 23 * HOUR)), true, Some("a".into())), None);
        assert_eq!(reading.page(at(NOW + HOUR / 60, Some(NOW - HOUR)), true, Some("b".into())), None);
    }

    #[test]
    fn after_the_end_of_the_feed_the_last_minutes_are_read_again() {
        let mut reading = Reading::resume(None, OVERLAP, true);
        reading.page(at(NOW + 300, Some(NOW - HOUR)), false, Some("end".into()));
        let place = reading.place(i64::MIN).expect("a page was read");
        assert_eq!(place.frontier_ms, NOW + 300);
        assert_eq!(place.settled_ms, NOW - OVERLAP, "in whole seconds");
        let next = Reading::resume(Some(place), OVERLAP, false);
        assert_eq!(next.starts(None), [Start::From((NOW - OVERLAP) / 1_000), Start::Everything]);
    }

    #[test]
    fn in_a_backlog_nothing_is_read_twice() {
        let mut reading = Reading::resume(None, OVERLAP, true);
        reading.page(at(NOW, Some(NOW - 5 * HOUR)), true, Some("middle".into()));
        let place = reading.place(i64::MIN).expect("a page was read");
        assert_eq!(place.settled_ms, place.frontier_ms);
        let starts = Reading::resume(Some(place), OVERLAP, false).starts(Some(NOW));
        assert_eq!(starts[0], Start::Cursor("middle".into()));
    }

    #[test]
    fn what_the_feed_dropped_is_a_gap_and_only_that() {
        let mut reading = Reading::resume(Some(place(NOW - 30 * HOUR, NOW - 30 * HOUR)), OVERLAP, false);
        let gap =
            reading.page(at(NOW, Some(NOW - 23 * HOUR)), true, Some("b".into())).expect("six hours are gone");
        assert_eq!(gap, Gap { from_ms: NOW - 30 * HOUR, to_ms: NOW - 24 * HOUR + 1_000 });
        assert_eq!(reading.page(at(NOW, Some(NOW - 22 * HOUR)), true, Some("c".into())), None, "told once");

        let mut reading = Reading::resume(Some(place(NOW - 23 * HOUR, NOW - 23 * HOUR)), OVERLAP, false);
        assert_eq!(reading.page(at(NOW, None), false, None), None);
    }

    #[test]
    fn a_reader_that_is_slower_than_the_feed_forgets_is_told_so() {
        let mut reading = Reading::resume(None, OVERLAP, true);
        reading.page(at(NOW, Some(NOW - 24 * HOUR + 60_000)), true, Some("a".into()));
        let gap = reading.page(at(NOW + 120_000, Some(NOW - 23 * HOUR)), true, Some("b".into()));
        assert_eq!(gap.expect("a minute went by").seconds(), 61.0);
    }

    #[test]
    fn a_place_that_the_feed_no_longer_has_is_not_asked_for_by_time() {
        let reading = Reading::resume(Some(place(NOW - 30 * HOUR + 1, NOW - 30 * HOUR)), OVERLAP, false);
        assert_eq!(reading.starts(Some(NOW)), [Start::Everything]);
        assert!(
            matches!(reading.starts(None)[0], Start::From(_)),
            "without the service's time one has to try"
        );
    }

    #[test]
    fn a_clock_in_the_future_hides_no_gap() {
        let mut reading = Reading::resume(None, OVERLAP, true);
        reading.page(at(NOW, Some(NOW + 900 * HOUR)), true, Some("a".into()));
        assert_eq!(reading.frontier_ms(), Some(NOW));
    }

    #[test]
    fn a_slow_answer_is_taken_for_the_worst() {
        let slow = Times { asked_ms: NOW, answered_ms: NOW + 60_000, newest_ms: None };
        let mut reading = Reading::resume(Some(place(NOW - 24 * HOUR + 30_000, 0)), OVERLAP, false);
        assert!(reading.page(slow, false, None).is_some(), "it may be gone by the time of the answer");
        assert_eq!(reading.frontier_ms(), Some(NOW), "what came after the question was not read");
    }

    mod model {
        //! A feed in miniature, read by runs that come and stop at random.

        use std::collections::HashMap;

        use proptest::prelude::*;

        use super::*;
        use crate::seen::{RecordId, Saved, Seen, Sighting};

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
            fn each_record_is_taken_once_however_runs_come_and_stop(
                feed in feed(),
                runs in prop::collection::vec(run(), 1..20),
            ) {
                let mut taken: HashMap<usize, u32> = HashMap::new();
                let mut place = None::<Place>;
                let mut saved = Saved::default();
                let mut now_ms = NOW;
                let last = Run { after_ms: 20_000_000, page: 7, pages: usize::MAX, gaps: true };
                // What showed behind a cursor in the middle is read by the run after its own.
                let again = Run { after_ms: 1, ..last.clone() };
                for run in runs.into_iter().chain([last, again]) {
                    now_ms += run.after_ms;
                    let mut seen = Seen::new(500);
                    seen.load(&saved, place.as_ref().map_or(0, |place| place.frontier_ms)).expect("its own form");
                    let mut reading = Reading::resume(place.clone(), OVERLAP, saved.ids.is_empty());
                    let start = reading.starts(Some(now_ms)).remove(0);
                    reading.begin(&start);
                    let mut from_ms = match start {
                        Start::Everything => 0,
                        Start::Cursor(mark) => mark.parse::<i64>().expect("our own mark") + 1,
                        Start::From(seconds) => seconds * 1_000,
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
                            if seen.note(RecordId::new(&entry.id.to_string()), 1, entry.at_ms) == Sighting::New {
                                *taken.entry(entry.id).or_default() += 1;
                            }
                        }
                        let newest = entries.iter().map(|entry| entry.at_ms).max();
                        let mark = passed.unwrap_or(if more { newest.unwrap_or(from_ms) } else { now_ms });
                        let gap = reading.page(at(now_ms, newest), more, Some(mark.to_string()));
                        // Only before the first record: an empty page does not tell how far it went.
                        prop_assert!(gap.is_none_or(|gap| gap.from_ms < NOW), "{gap:?}");
                        seen.forget_before(reading.needed_from_ms().expect("a page was read"));
                        from_ms = mark + 1;
                        now_ms += 1_000;
                        if !more {
                            break;
                        }
                    }
                    place = reading.place(seen.floor_ms());
                    saved = seen.save();
                }
                for entry in &feed {
                    prop_assert_eq!(taken.get(&entry.id), Some(&1), "{:?}", entry);
                }
            }
        }
    }
}
