use std::fmt;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// A time as the service wrote it.
///
/// The service writes times in several ways: RFC 3339 with three or nine
/// fractional digits, the same without a zone, and `2024-10-03 09.50.54 UTC`
/// in isolation records. The text is kept; [`instant`](Self::instant) reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text as the service wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instant it means, or `None` for a form that nobody has seen yet. A
    /// time without a zone is UTC.
    pub fn instant(&self) -> Option<jiff::Timestamp> {
        parse(&self.0)
    }

    /// Milliseconds since the Unix epoch, on the terms of
    /// [`instant`](Self::instant).
    pub fn unix_millis(&self) -> Option<i64> {
        self.instant().map(jiff::Timestamp::as_millisecond)
    }
}

fn parse(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let local = text
        .strip_suffix("GMT")
        .or_else(|| text.strip_suffix("UTC"))
        .or_else(|| text.strip_suffix('Z'))
        .unwrap_or(text)
        .trim_end();
    let civil = local.parse::<DateTime>().or_else(|_| DateTime::strptime("%Y-%m-%d %H.%M.%S", local)).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()
}

impl<S: Into<String>> From<S> for Timestamp {
    fn from(text: S) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recorded_form_is_read() {
        for (text, millis) in [
            ("2020-11-04T09:31:17.546Z", Some(1_604_482_277_546)),
            ("2024-06-07T10:29:58.170278201Z", Some(1_717_756_198_170)),
            ("2021-08-13 09.07.03 GMT", Some(1_628_845_623_000)),
            ("2024-10-03 09.50.54 UTC", Some(1_727_949_054_000)),
            ("2021-02-12T15:04:53.780", Some(1_613_142_293_780)),
            ("2021-02-12T16:04:53.780+01:00", Some(1_613_142_293_780)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::from(text).unix_millis(), millis, "{text}");
        }
    }
}
