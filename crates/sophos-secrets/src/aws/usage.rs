//! When a secret was last used by others than those who survey it.
//!
//! Secrets Manager keeps the day on which a value was last read, by whomever: a
//! survey every day would hide that nobody else reads it. So a survey notes in a
//! tag of the secret what it knows, and when it was.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// The tag's key.
pub(crate) const USAGE_TAG_KEY: &str = "sophos-central:last-used";

/// From this hour of UTC on a day counts as over: what the next survey finds of
/// it is this one's reading.
const END_OF_DAY_HOUR: i8 = 18;

const LATE_MARKER: &str = "late";

/// What is known after a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The last day of which it is known that others used it.
    last_used_on: Date,
    inspected_on: Date,
    /// Whether that was late in the day.
    inspected_late: bool,
}

impl Usage {
    /// Reads a tag's value.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        let (used, surveyed) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self {
            last_used_on: used,
            inspected_on: surveyed,
            inspected_late: words.next() == Some(LATE_MARKER),
        })
    }

    /// The tag's value.
    pub(crate) fn to_tag_value(self) -> String {
        let Self { last_used_on: used, inspected_on: surveyed, inspected_late: late } = self;
        if late { format!("{used} {surveyed} {LATE_MARKER}") } else { format!("{used} {surveyed}") }
    }

    /// What is known after a survey that begins now, of a secret that was last
    /// read, and stored, then.
    pub(crate) fn after_inspection(
        before: Option<Self>,
        last_read: Option<Timestamp>,
        stored: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let now = in_utc(now);
        let (surveyed, late) = (now.date(), now.hour() >= END_OF_DAY_HOUR);
        let read = last_read.map(|read| in_utc(read).date());
        let Some(before) = before else {
            let stored = stored.map(|stored| in_utc(stored).date());
            return Self {
                last_used_on: read.or(stored).unwrap_or(surveyed),
                inspected_on: surveyed,
                inspected_late: late,
            };
        };
        let used = match read {
            // A second survey of a day finds its own reading.
            _ if before.inspected_on == surveyed => before.last_used_on,
            None => before.last_used_on,
            Some(read) if read == before.inspected_on && before.inspected_late => before.last_used_on,
            Some(read) => before.last_used_on.max(read),
        };
        Self {
            last_used_on: used,
            inspected_on: surveyed,
            inspected_late: late || (before.inspected_late && before.inspected_on == surveyed),
        }
    }

    /// The last day of which it is known that others used it.
    pub(crate) fn last_used(&self) -> Option<Timestamp> {
        TimeZone::UTC.to_timestamp(self.last_used_on.at(0, 0, 0, 0)).ok()
    }
}

fn in_utc(time: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(time)
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, ToSpan};
    use proptest::prelude::*;

    use super::*;

    const START: &str = "2026-11-01T00:00:00Z";

    fn at(day: i64, hour: i64) -> Timestamp {
        let start: Timestamp = START.parse().expect("a time");
        start + SignedDuration::from_hours(24 * day + hour)
    }

    /// The day that is known as the last of use, after surveys on each of these
    /// days at this hour, with uses of others on these days at noon.
    fn last_used_day(days: i64, hour: i64, uses: &[i64]) -> i64 {
        let mut usage: Option<Usage> = None;
        let mut last_read = None::<i64>;
        for day in 0..days {
            let used = uses.contains(&day);
            // A use at noon comes before a late survey and after an early one.
            if used && hour > 12 {
                last_read = Some(day);
            }
            let read = last_read.map(|day| at(day, 0));
            let next = Usage::after_inspection(usage, read, Some(at(0, 0)), at(day, hour));
            let kept = Usage::parse(&next.to_tag_value()).expect("a tag");
            assert_eq!(kept, next);
            usage = Some(kept);
            last_read = Some(day);
        }
        let used = usage.expect("surveys").last_used_on;
        let start = in_utc(at(0, 0)).date();
        i64::from((used - start).get_days())
    }

    #[test]
    fn late_inspection_is_exact_and_early_one_conservative() {
        assert_eq!(last_used_day(40, 23, &[]), 0, "stored, and never used");
        assert_eq!(last_used_day(40, 23, &[3, 9]), 9);
        assert_eq!(last_used_day(40, 23, &[39]), 39);
        // What is read on the day of an early survey may be the survey's own.
        assert_eq!(last_used_day(40, 1, &[3, 9]), 38);
    }

    #[test]
    fn second_inspection_of_a_day_changes_nothing() {
        let first = Usage::after_inspection(None, None, Some(at(0, 0)), at(10, 20));
        let again = Usage::after_inspection(Some(first), Some(at(10, 0)), Some(at(0, 0)), at(10, 21));
        assert_eq!(again, first);
        let next = Usage::after_inspection(Some(again), Some(at(10, 0)), None, at(11, 20));
        assert_eq!(next.last_used_on, first.last_used_on);
        assert_eq!(next.inspected_on, first.inspected_on + 1.day());
    }

    #[test]
    fn usage_parse_rejects_other_tag_values() {
        for value in ["", "2026-11-01", "yesterday today", "2026-11-01 late"] {
            assert_eq!(Usage::parse(value), None, "{value}");
        }
    }

    proptest! {
        #[test]
        fn daily_late_inspection_is_exact(uses in prop::collection::vec(0_i64..60, 0..12), hour in 18_i64..24) {
            let last = uses.iter().copied().max().unwrap_or(0);
            prop_assert_eq!(last_used_day(60, hour, &uses), last);
        }
    }
}
