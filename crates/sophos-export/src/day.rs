//! The partition of a row, which is a day.

use std::time::Duration;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::record_key::RecordKey;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The maximum age of a record when it is read: the Common API keeps records for 90
/// days.
const MAX_RECORD_AGE_MS: i64 = 366 * DAY_MS;

/// The partition, in UTC, of a record that was read at `read_ms`.
///
/// It is the day of the record by the endpoint's clock. If that time is in the future, or
/// further than `max_skew` from the creation time, it is the day of the creation time. So
/// every row is in a partition that readers query.
pub(crate) fn partition_day(key: &RecordKey<'_>, read_ms: i64, max_skew: Duration) -> Date {
    let latest = read_ms + DAY_MS;
    let created = key.created_ms().filter(|ms| (read_ms - MAX_RECORD_AGE_MS..=latest).contains(ms));
    let created = created.unwrap_or(read_ms);
    let skew = max_skew.as_millis() as i64;
    let range = created - skew..=latest.min(created + skew);
    let occurred = key.time.map(Timestamp::as_millisecond).filter(|ms| range.contains(ms));
    utc_date(occurred.unwrap_or(created))
}

/// The partition, in UTC, of a record of this time that was read at `read_ms`: the day of
/// its time, or of the read if the time is missing or out of range.
pub(crate) fn log_day(time: Option<Timestamp>, read_ms: i64) -> Date {
    let range = read_ms - MAX_RECORD_AGE_MS..=read_ms + DAY_MS;
    utc_date(time.map(Timestamp::as_millisecond).filter(|ms| range.contains(ms)).unwrap_or(read_ms))
}

/// The day of a time in milliseconds since the Unix epoch, in UTC.
pub(crate) fn utc_date(ms: i64) -> Date {
    TimeZone::UTC.to_datetime(Timestamp::from_millisecond(ms).unwrap_or_default()).date()
}
