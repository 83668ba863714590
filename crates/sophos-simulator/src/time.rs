//! The formats of timestamps.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The year, month and day of a number of days since 1970-01-01.
fn civil_date(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn write_digits(out: &mut Vec<u8>, value: u32, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10u32.pow(place) % 10) as u8);
    }
}

fn write_parts(out: &mut Vec<u8>, ms: i64, between: u8, colon: u8) {
    let (year, month, day) = civil_date(ms.div_euclid(86_400_000));
    let second = (ms.rem_euclid(86_400_000) / 1_000) as u32;
    write_digits(out, year.clamp(0, 9_999) as u32, 4);
    out.push(b'-');
    write_digits(out, month, 2);
    out.push(b'-');
    write_digits(out, day, 2);
    out.push(between);
    write_digits(out, second / 3_600, 2);
    out.push(colon);
    write_digits(out, second / 60 % 60, 2);
    out.push(colon);
    write_digits(out, second % 60, 2);
}

/// Writes `2019-04-01T15:11:09.984Z`.
pub(crate) fn write_millis(out: &mut Vec<u8>, ms: i64) {
    write_parts(out, ms, b'T', b':');
    out.push(b'.');
    write_digits(out, ms.rem_euclid(1_000) as u32, 3);
    out.push(b'Z');
}

/// `2019-04-01T15:11:09.984Z`.
pub(crate) fn format_millis(ms: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_millis(&mut out, ms);
    out.into_iter().map(char::from).collect()
}

/// `2021-11-30T10:29:58.170278201Z`: nine digits. `extra` gives the last six.
pub(crate) fn format_nanos(ms: i64, extra: u32) -> String {
    let mut text = format_millis(ms);
    text.pop();
    format!("{text}{:06}Z", extra % 1_000_000)
}

/// `2021-08-13 09.07.03 GMT`, the format of isolation.
pub(crate) fn format_dotted(ms: i64, zone: &str) -> String {
    let mut out = Vec::with_capacity(24);
    write_parts(&mut out, ms, b' ', b'.');
    let mut text: String = out.into_iter().map(char::from).collect();
    text.push(' ');
    text.push_str(zone);
    text
}

/// Parses an RFC 3339 timestamp with a zone.
pub(crate) fn parse(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(|t| t.as_millisecond())
}

/// Parses a timestamp with or without a zone; the default is UTC.
pub(crate) fn parse_lenient(text: &str) -> Option<i64> {
    parse(text).or_else(|| parse(&format!("{text}Z")))
}

/// Parses a timestamp with a zone, or an ISO 8601 duration relative to `now_ms`.
pub(crate) fn parse_or_duration(text: &str, now_ms: i64) -> Option<i64> {
    if let Some(ms) = parse(text) {
        return Some(ms);
    }
    let span: Span = text.parse().ok()?;
    let now = Timestamp::from_millisecond(now_ms).ok()?;
    let then = TimeZone::UTC.to_datetime(now).checked_add(span).ok()?;
    Some(TimeZone::UTC.to_timestamp(then).ok()?.as_millisecond())
}

/// The current time by the machine's clock, in Unix milliseconds.
pub(crate) fn real_now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn formatted_time_round_trips(ms in -2_000_000_000_000i64..4_000_000_000_000) {
            prop_assert_eq!(parse(&format_millis(ms)), Some(ms));
        }
    }

    #[test]
    fn timestamps_are_formatted_as_documented() {
        let ms = 1_628_845_623_456;
        assert_eq!(format_millis(ms), "2021-08-13T09:07:03.456Z");
        assert_eq!(format_nanos(ms, 278_201), "2021-08-13T09:07:03.456278201Z");
        assert_eq!(format_dotted(ms, "GMT"), "2021-08-13 09.07.03 GMT");
        assert_eq!(parse("2021-08-13T09:07:03.456"), None);
        assert_eq!(parse_lenient("2021-08-13T09:07:03.456"), Some(ms));
        assert_eq!(parse_or_duration("-P1D", ms), Some(ms - 86_400_000));
        assert_eq!(parse_or_duration("yesterday", ms), None);
    }
}
