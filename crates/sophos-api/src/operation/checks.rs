//! Checks of an operation's values before anything is sent. Errors name a field as the
//! service does: `pageSize`.

use std::{fmt::Display, ops::RangeInclusive};

use jiff::fmt::temporal::SpanParser;

use crate::{
    error::Error,
    models::{SecretText, timestamp::MIN_MILLIS},
    operation::request::camel_case,
};

/// Rejects a number outside `range`.
pub(crate) fn check_range<N: PartialOrd + Display>(
    name: &str,
    value: Option<N>,
    range: RangeInclusive<N>,
) -> Result<(), Error> {
    match value {
        Some(value) if !range.contains(&value) => {
            let (min, max) = range.into_inner();
            Err(invalid(name, &value, &format!("{min} to {max}")))
        }
        _ => Ok(()),
    }
}

/// Rejects zero.
pub(crate) fn check_positive<N: Into<u64>>(name: &str, value: Option<N>) -> Result<(), Error> {
    match value.map(Into::into) {
        Some(0) => Err(invalid(name, &0, "at least 1")),
        _ => Ok(()),
    }
}

/// Rejects a text that is not a time with a zone.
pub(crate) fn check_time(name: &str, value: Option<&str>) -> Result<(), Error> {
    match value {
        Some(text) if !is_time(text) => {
            Err(invalid(name, &text, "a UTC time such as 2026-11-23T10:00:00.000Z"))
        }
        _ => Ok(()),
    }
}

/// Rejects a text that is neither a time with a zone nor an ISO 8601 duration.
pub(crate) fn check_time_or_duration(name: &str, value: Option<&str>) -> Result<(), Error> {
    match value {
        Some(text) if !is_time(text) && !is_duration(text) => Err(invalid(
            name,
            &text,
            "a UTC time such as 2026-11-23T10:00:00.000Z or a duration such as -P90D",
        )),
        _ => Ok(()),
    }
}

/// Rejects a number that is not seconds since the Unix epoch.
pub(crate) fn check_unix_seconds(name: &str, value: Option<i64>) -> Result<(), Error> {
    match value {
        Some(seconds) if !(0..MIN_MILLIS).contains(&seconds) => {
            Err(invalid(name, &seconds, "seconds since the Unix epoch"))
        }
        _ => Ok(()),
    }
}

/// Rejects a list whose length is outside `range`.
pub(crate) fn check_count(name: &str, count: usize, range: RangeInclusive<usize>) -> Result<(), Error> {
    if range.contains(&count) {
        return Ok(());
    }
    let (min, max) = range.into_inner();
    Err(Error::invalid(format!("invalid {name}: {count} given, expected {min} to {max}")))
}

/// A field with a bound: the value of a number, the characters of a text, or the items
/// of a list. A missing value is within each bound.
pub(crate) trait Bounded {
    /// Rejects a field outside `range`.
    fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error>;
}

/// Rejects the field of an operation outside `range`. The error has the name on the wire.
pub(crate) fn check_field(
    field: &impl Bounded,
    name: &str,
    range: &RangeInclusive<i64>,
) -> Result<(), Error> {
    field.check(&camel_case(name), range)
}

macro_rules! bounded_numbers {
    ($($number:ty)+) => {$(
        impl Bounded for $number {
            fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
                if i64::try_from(*self).is_ok_and(|value| range.contains(&value)) {
                    return Ok(());
                }
                Err(invalid(name, self, &format!("{} to {}", range.start(), range.end())))
            }
        }
    )+};
}

bounded_numbers! { i64 u32 u64 }

impl Bounded for str {
    fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
        check_size(name, self.chars().count(), "characters", range)
    }
}

impl Bounded for String {
    fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
        self.as_str().check(name, range)
    }
}

impl Bounded for SecretText {
    fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
        self.expose().check(name, range)
    }
}

impl<T> Bounded for Vec<T> {
    fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
        check_size(name, self.len(), "items", range)
    }
}

impl<T: Bounded> Bounded for Option<T> {
    fn check(&self, name: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
        self.as_ref().map_or(Ok(()), |value| value.check(name, range))
    }
}

fn check_size(name: &str, size: usize, unit: &str, range: &RangeInclusive<i64>) -> Result<(), Error> {
    if i64::try_from(size).is_ok_and(|size| range.contains(&size)) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "invalid {name}: {size} {unit} given, expected {} to {}",
        range.start(),
        range.end()
    )))
}

fn is_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
}

fn is_duration(text: &str) -> bool {
    text.trim_start_matches('-').starts_with('P') && SpanParser::new().parse_span(text).is_ok()
}

fn invalid(name: &str, value: &dyn Display, expected: &str) -> Error {
    Error::invalid(format!("invalid {name} \"{value}\": expected {expected}"))
}
