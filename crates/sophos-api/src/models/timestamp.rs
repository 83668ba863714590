use std::{borrow::Cow, fmt, ops::Range};

use jiff::{
    civil::{Date, DateTime, Time},
    fmt::rfc2822,
    tz::Offset,
};
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::value::RawValue;

/// A time as the service wrote it.
///
/// The service uses several formats: RFC 3339 with three or nine fractional digits,
/// the same without a zone, `2024-10-03 09.50.54 UTC` in isolation records, and
/// numbers of seconds or milliseconds since the Unix epoch. [`as_str`](Self::as_str)
/// is the text, [`instant`](Self::instant) the parsed time.
///
/// Two are equal if their texts are. There is no order, since the order of the texts
/// is not that of the times: compare [`instant`](Self::instant).
///
/// ```
/// use sophos_api::Timestamp;
///
/// let (earlier, later) = (Timestamp::from("1717756198"), Timestamp::from("1917756198170"));
/// assert!(earlier.instant() < later.instant());
/// ```
/// ```compile_fail,E0369
/// use sophos_api::Timestamp;
///
/// let (earlier, later) = (Timestamp::from("1717756198"), Timestamp::from("1917756198170"));
/// assert!(earlier < later);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(String);

impl Timestamp {
    /// The text as the service wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parsed time, or `None` for an unknown format. A time without a zone is
    /// UTC.
    pub fn instant(&self) -> Option<jiff::Timestamp> {
        parse(&self.0)
    }

    /// Parses a text without storing it, like [`instant`](Self::instant).
    pub fn parse_instant(text: &str) -> Option<jiff::Timestamp> {
        parse(text)
    }

    /// The parsed time in milliseconds since the Unix epoch, like
    /// [`instant`](Self::instant).
    pub fn unix_millis(&self) -> Option<i64> {
        self.instant().map(jiff::Timestamp::as_millisecond)
    }
}

/// Numbers from here on are milliseconds: as seconds they would be in the year
/// 5138 or later.
pub(crate) const MIN_MILLIS: i64 = 100_000_000_000;

fn parse(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    if let Some(instant) = parse_utc_millis(text) {
        return Some(instant);
    }
    if let Ok(number) = text.parse::<f64>() {
        let millis = if number.abs() < MIN_MILLIS as f64 { number * 1_000.0 } else { number };
        let millis = millis.is_finite().then(|| millis.round() as i64)?;
        return jiff::Timestamp::from_millisecond(millis).ok();
    }
    let text = truncate_fraction(text);
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let local = text
        .strip_suffix("GMT")
        .or_else(|| text.strip_suffix("UTC"))
        .or_else(|| text.strip_suffix('Z'))
        .unwrap_or(&text)
        .trim_end();
    let civil = local.parse::<DateTime>().or_else(|_| DateTime::strptime("%Y-%m-%d %H.%M.%S", local));
    match civil {
        Ok(civil) => jiff::tz::TimeZone::UTC.to_timestamp(civil).ok(),
        Err(_) => rfc2822::parse(&text).ok().map(|zoned| zoned.timestamp()),
    }
}

/// Parses the most frequent format, such as `2020-11-04T09:31:17.546Z`, in a third of the
/// time.
fn parse_utc_millis(text: &str) -> Option<jiff::Timestamp> {
    let text: &[u8; 24] = text.as_bytes().try_into().ok()?;
    if [4, 7, 10, 13, 16, 19, 23].map(|at| text[at]) != *b"--T::.Z" {
        return None;
    }
    let number = |digits: Range<usize>| {
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
        text[digits].iter().try_fold(0, |number, byte| Some(number * 10 + digit(byte)?))
    };
    let small = |digits| number(digits).map(|number| number as i8);
    let date = Date::new(number(0..4)? as i16, small(5..7)?, small(8..10)?).ok()?;
    let time = Time::new(small(11..13)?, small(14..16)?, small(17..19)?, number(20..23)? * 1_000_000).ok()?;
    Offset::UTC.to_timestamp(DateTime::from_parts(date, time)).ok()
}

/// The text without the fractional digits after the ninth.
fn truncate_fraction(text: &str) -> Cow<'_, str> {
    let Some((whole, fraction)) = text.split_once(['.', ',']) else { return text.into() };
    let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if digits <= 9 {
        return text.into();
    }
    format!("{whole}.{}{}", &fraction[..9], &fraction[digits..]).into()
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        match text.bytes().next() {
            Some(b'"') => serde_json::from_str(text).map(Self).map_err(de::Error::custom),
            // A number keeps its digits.
            Some(b'-' | b'0'..=b'9') => Ok(Self(text.to_owned())),
            _ => Err(de::Error::custom("invalid time: expected a string or a number")),
        }
    }
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
    fn timestamp_parses_every_recorded_format() {
        for (text, millis) in [
            ("2020-11-04T09:31:17.546Z", Some(1_604_482_277_546)),
            ("2024-06-07T10:29:58.170278201Z", Some(1_717_756_198_170)),
            ("2021-08-13 09.07.03 GMT", Some(1_628_845_623_000)),
            ("2024-10-03 09.50.54 UTC", Some(1_727_949_054_000)),
            ("2021-02-12T15:04:53.780", Some(1_613_142_293_780)),
            ("2021-02-12T16:04:53.780+01:00", Some(1_613_142_293_780)),
            ("2024-06-07T10:29:58.1702782019Z", Some(1_717_756_198_170)),
            ("2024-06-07T12:29:58.170278201999+02:00", Some(1_717_756_198_170)),
            ("Fri, 07 Jun 2024 10:29:58 GMT", Some(1_717_756_198_000)),
            ("Fri, 07 Jun 2024 12:29:58 +0200", Some(1_717_756_198_000)),
            ("1717756198170", Some(1_717_756_198_170)),
            ("1717756198", Some(1_717_756_198_000)),
            ("1717756198.17", Some(1_717_756_198_170)),
            ("1.71775619817e12", Some(1_717_756_198_170)),
            ("-1", Some(-1_000)),
            ("1e400", None),
            ("NaN", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(Timestamp::from(text).unix_millis(), millis, "{text}");
        }
    }

    #[test]
    fn timestamp_parses_the_frequent_format_like_any_other() {
        for text in [
            "0000-01-01T00:00:00.000Z",
            "1969-12-31T23:59:59.999Z",
            "2024-02-29T12:34:56.789Z",
            "2023-02-29T12:34:56.789Z",
            "2024-13-01T00:00:00.000Z",
            "2024-01-01T24:00:00.000Z",
            "2024-01-01T00:00:61.000Z",
            "2024-01-01T00:00:00.0+0Z",
            "+024-01-01T00:00:00.000Z",
            "9999-12-30T21:59:59.999Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            let expected = text.parse::<jiff::Timestamp>().ok();
            assert_eq!(parse_utc_millis(text), expected, "{text}");
        }
        assert_eq!(parse_utc_millis("2024-12-31T23:59:60.000Z"), None, "a leap second");
        assert!(Timestamp::from("2024-12-31T23:59:60.000Z").instant().is_some());
    }

    #[test]
    fn timestamp_accepts_numbers() {
        let read = |json: &str| serde_json::from_str::<Timestamp>(json).ok().map(|time| time.unix_millis());
        assert_eq!(read("1717756198170"), Some(Some(1_717_756_198_170)));
        assert_eq!(read("1717756198"), Some(Some(1_717_756_198_000)));
        assert_eq!(read(r#""\u0031717756198170""#), Some(Some(1_717_756_198_170)));
        for json in ["null", "true", "{}", r#"{"$date":1}"#, "[1]"] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
