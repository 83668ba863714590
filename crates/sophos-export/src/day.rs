//! The day of a row, which is its partition.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::record_key::RecordKey;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Records are taken in at most this long before they are read: the Common API
/// keeps them for 90 days.
const MAX_RECORD_AGE_MS: i64 = 366 * DAY_MS;

/// The day of a row that was read at `read_ms`, in UTC.
///
/// It is the day the record happened, by the endpoint's clock, unless that is
/// further than `max_skew` from when the service took it in, or in the future:
/// then the clock is wrong, and the day is that on which the service took the
/// record in. So every row is in a partition that readers look at.
pub(crate) fn partition_day(facts: &RecordKey<'_>, read_ms: i64, max_skew: Duration) -> Date {
    let latest = read_ms + DAY_MS;
    let taken_in = facts.created_ms().filter(|ms| (read_ms - MAX_RECORD_AGE_MS..=latest).contains(ms));
    let taken_in = taken_in.unwrap_or(read_ms);
    let skew = max_skew.as_millis() as i64;
    let range = taken_in - skew..=latest.min(taken_in + skew);
    let happened = facts.time.map(Timestamp::as_millisecond).filter(|ms| range.contains(ms));
    utc_date(happened.unwrap_or(taken_in))
}

/// The day of a time in milliseconds since the Unix epoch, in UTC.
pub(crate) fn utc_date(ms: i64) -> Date {
    TimeZone::UTC.to_datetime(Timestamp::from_millisecond(ms).unwrap_or_default()).date()
}
