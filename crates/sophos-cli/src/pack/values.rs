//! The values of options, and times for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::{SignedDuration, Timestamp};

/// Parses a duration such as `90s`, `5m` or `1h 30m`.
///
/// # Errors
/// The expected form.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 90s, 5m or 2h".to_owned();
    let duration: SignedDuration = text.trim().parse().map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
}

/// The time since the Unix epoch.
pub(super) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A time in milliseconds since the Unix epoch as RFC 3339, to the second.
pub(super) fn rfc3339(ms: i64) -> String {
    Timestamp::from_second(ms.div_euclid(1_000)).map(|time| time.to_string()).unwrap_or_default()
}

/// A duration for people, such as `6h 10m`.
pub(super) fn in_words(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m {}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// A number with its noun, such as `1 row` or `2 rows`.
pub(super) fn counted(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed_and_shown() {
        for (text, seconds) in [("90s", 90), ("5m", 300), ("1h 30m", 5_400), (" 2h ", 7_200)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "soon", "-5m", "5"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        for (seconds, words) in
            [(0.4, "0s"), (59.0, "59s"), (125.0, "2m 5s"), (22_200.0, "6h 10m"), (9e4, "1d 1h")]
        {
            assert_eq!(in_words(seconds), words);
        }
        assert_eq!(rfc3339(1_795_428_000_999), "2026-11-23T10:00:00Z");
        assert_eq!((counted(1, "row"), counted(0, "row")), ("1 row".into(), "0 rows".into()));
    }
}
