//! Times as arguments: a time, a date, or a duration before now.

use std::str::FromStr;

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, civil::Date, tz::TimeZone};
use serde_json::Value;

const DAY_SECONDS: i64 = 86_400;

/// The value of an option for a time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeArg {
    At(Timestamp),
    /// This long before now.
    Ago(SignedDuration),
}

/// The form in which an operation takes a time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum TimeForm {
    /// RFC 3339 in UTC.
    Utc,
    /// Seconds since the Unix epoch.
    EpochSeconds,
    /// RFC 3339 in UTC, or a duration such as `-P90D`, which the service's clock resolves.
    UtcOrDuration,
}

impl FromStr for TimeArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = text.parse() {
            return Ok(Self::At(time));
        }
        // A longer text may be a date with a time of no time zone.
        if text.len() == "2026-11-23".len()
            && let Ok(date) = text.parse::<Date>()
            && let Ok(start) = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0))
        {
            return Ok(Self::At(start));
        }
        let duration = text.strip_prefix('-').unwrap_or(text).parse::<Span>();
        duration
            .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
            .ok()
            .filter(|duration| !duration.is_negative())
            .map(Self::Ago)
            .ok_or_else(|| {
                "expected a time such as 2026-11-23T10:00:00Z, a date, or a duration before now such as 7d or 24h"
                    .to_owned()
            })
    }
}

impl TimeArg {
    /// The value of a request's member. `None` if the time is before 1970.
    pub(crate) fn to_json(&self, form: TimeForm, now: Timestamp) -> Option<Value> {
        let time = match (self, form) {
            (Self::Ago(duration), TimeForm::UtcOrDuration) => {
                return Some(negative_duration(*duration).into());
            }
            (Self::Ago(duration), _) => now.checked_sub(*duration).ok()?,
            (Self::At(time), _) => *time,
        };
        if time < Timestamp::UNIX_EPOCH {
            return None;
        }
        Some(match form {
            TimeForm::EpochSeconds => time.as_second().into(),
            TimeForm::Utc | TimeForm::UtcOrDuration => format!("{time:.3}").into(),
        })
    }
}

/// A duration before now in ISO 8601: of days, or below.
fn negative_duration(duration: SignedDuration) -> String {
    let days = duration.as_secs() / DAY_SECONDS;
    if days > 0 && duration == SignedDuration::from_secs(days * DAY_SECONDS) {
        return format!("-P{days}D");
    }
    (-duration).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str, form: TimeForm) -> Value {
        let now = "2026-11-23T10:00:00.25Z".parse().expect("a time");
        text.parse::<TimeArg>().expect(text).to_json(form, now).expect(text)
    }

    #[test]
    fn times_take_the_form_of_the_operation() {
        for (text, utc, seconds, filter) in [
            ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000Z", 1_795_428_000, "2026-11-23T10:00:00.000Z"),
            ("2026-11-23T12:00+02:00", "2026-11-23T10:00:00.000Z", 1_795_428_000, "2026-11-23T10:00:00.000Z"),
            ("2026-11-23", "2026-11-23T00:00:00.000Z", 1_795_392_000, "2026-11-23T00:00:00.000Z"),
            ("24h", "2026-11-22T10:00:00.250Z", 1_795_341_600, "-P1D"),
            ("7d", "2026-11-16T10:00:00.250Z", 1_794_823_200, "-P7D"),
            ("1w", "2026-11-16T10:00:00.250Z", 1_794_823_200, "-P7D"),
            ("-P7D", "2026-11-16T10:00:00.250Z", 1_794_823_200, "-P7D"),
            ("1h 30m", "2026-11-23T08:30:00.250Z", 1_795_422_600, "-PT1H30M"),
        ] {
            assert_eq!(json(text, TimeForm::Utc), utc, "{text}");
            assert_eq!(json(text, TimeForm::EpochSeconds), seconds, "{text}");
            assert_eq!(json(text, TimeForm::UtcOrDuration), filter, "{text}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", "yesterday", "2026-11-23T10:00:00", "2026-13-01", "1mo", "1y", "7", "--7d", "7d ago"]
        {
            assert!(text.parse::<TimeArg>().is_err(), "{text}");
        }
        let now = "2026-11-23T10:00:00Z".parse().expect("a time");
        for text in ["30000d", "4000000d", "1969-12-31"] {
            let early: TimeArg = text.parse().expect(text);
            assert_eq!(early.to_json(TimeForm::Utc, now), None, "{text}");
        }
    }
}
