//! The last use of a secret, except by audits.
//!
//! Secrets Manager keeps the day of the last read only, including reads by audits. A
//! daily audit would hide that a secret is otherwise unused. So each audit stores in a
//! tag of the secret the last use and its own day.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// The tag's key.
pub(crate) const USAGE_TAG_KEY: &str = "sophos-central:last-used";

/// The hour of UTC from which a day counts as over. A later audit attributes a read on
/// that day to this audit.
const END_OF_DAY_HOUR: i8 = 18;

const LATE_MARKER: &str = "late";

/// The usage as of an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// The last day of known use by others.
    last_used_on: Date,
    inspected_on: Date,
    /// Whether the audit ran late in the day.
    inspected_late: bool,
}

impl Usage {
    /// Parses a tag's value.
    pub(crate) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        let (used, inspected) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self {
            last_used_on: used,
            inspected_on: inspected,
            inspected_late: words.next() == Some(LATE_MARKER),
        })
    }

    /// The tag's value.
    pub(crate) fn to_tag_value(self) -> String {
        let Self { last_used_on: used, inspected_on: inspected, inspected_late: late } = self;
        if late { format!("{used} {inspected} {LATE_MARKER}") } else { format!("{used} {inspected}") }
    }

    /// The usage after an audit that starts now. `last_read` and `stored` are the times of
    /// Secrets Manager before it.
    pub(crate) fn after_inspection(
        before: Option<Self>,
        last_read: Option<Timestamp>,
        stored: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let now = in_utc(now);
        let (inspected, late) = (now.date(), now.hour() >= END_OF_DAY_HOUR);
        let read = last_read.map(|read| in_utc(read).date());
        let Some(before) = before else {
            let stored = stored.map(|stored| in_utc(stored).date());
            return Self {
                last_used_on: read.or(stored).unwrap_or(inspected),
                inspected_on: inspected,
                inspected_late: late,
            };
        };
        let used = match read {
            // A second audit on the same day sees the read of the first.
            _ if before.inspected_on == inspected => before.last_used_on,
            None => before.last_used_on,
            Some(read) if read == before.inspected_on && before.inspected_late => before.last_used_on,
            Some(read) => before.last_used_on.max(read),
        };
        Self {
            last_used_on: used,
            inspected_on: inspected,
            inspected_late: late || (before.inspected_late && before.inspected_on == inspected),
        }
    }

    /// The last day of known use by others.
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

    /// The last day of known use after daily audits at this hour, with uses at noon on
    /// these days.
    fn last_used_day(days: i64, hour: i64, uses: &[i64]) -> i64 {
        let mut usage: Option<Usage> = None;
        let mut last_read = None::<i64>;
        for day in 0..days {
            let used = uses.contains(&day);
            // A use at noon precedes a late audit and follows an early one.
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
        let used = usage.expect("audits").last_used_on;
        let start = in_utc(at(0, 0)).date();
        i64::from((used - start).get_days())
    }

    #[test]
    fn late_inspection_is_exact_and_early_one_conservative() {
        assert_eq!(last_used_day(40, 23, &[]), 0, "stored, and never used");
        assert_eq!(last_used_day(40, 23, &[3, 9]), 9);
        assert_eq!(last_used_day(40, 23, &[39]), 39);
        // A read on the day of an early audit may be the audit's own.
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
