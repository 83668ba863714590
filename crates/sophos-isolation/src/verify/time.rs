use std::time::Duration;

use super::{SignedRequest, VerificationError};

/// The location and tolerance of a timestamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// The headers, in lower case; the first present counts. The value is Unix seconds or
    /// milliseconds, with or without a fraction, or RFC 3339.
    pub headers: Vec<String>,
    /// The prefix of the time in an element of a comma-separated header, such as `t=`. Empty if the
    /// header contains only the time.
    pub prefix: String,
    /// The tolerance in seconds, in both directions.
    pub window_seconds: u64,
}

impl Timestamp {
    /// Creates the configuration of a separate timestamp header.
    pub fn from_header(header: impl Into<String>, window_seconds: u64) -> Self {
        Self { headers: vec![header.into()], prefix: String::new(), window_seconds }
    }

    /// Returns the header's text if it is a time inside the window.
    pub(super) fn verify<'e>(
        &self,
        request: &'e impl SignedRequest,
        now: Duration,
    ) -> Result<&'e str, VerificationError> {
        let text = self
            .headers
            .iter()
            .find_map(|header| request.header(header))
            .ok_or(VerificationError::MissingTimestamp)?;
        let text = match self.prefix.as_str() {
            "" => text,
            prefix => text
                .split(',')
                .find_map(|element| super::strip_prefix_ignore_case(element.trim(), prefix))
                .ok_or(VerificationError::MissingTimestamp)?,
        };
        let text = text.trim();
        let sent = parse_time(text).ok_or(VerificationError::MissingTimestamp)?;
        if is_within(sent, now, self.window_seconds) {
            Ok(text)
        } else {
            Err(VerificationError::TimestampOutsideWindow)
        }
    }
}

/// Whether a moment is at most `window_seconds` away from `now`.
pub(super) fn is_within(moment: Duration, now: Duration, window_seconds: u64) -> bool {
    moment.abs_diff(now) <= Duration::from_secs(window_seconds)
}

/// Parses Unix seconds or milliseconds, with or without a fraction, or RFC 3339.
pub(super) fn parse_time(text: &str) -> Option<Duration> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if is_number(whole) && is_number(fraction) {
        let number: u64 = whole.parse().ok()?;
        // Larger numbers are milliseconds: seconds reach this value in the year 5138.
        if number >= 100_000_000_000 {
            return Some(Duration::from_millis(number));
        }
        // Digits after the ninth are below a nanosecond and are ignored.
        let nanoseconds: u32 = format!("{:0<9.9}", fraction).parse().ok()?;
        return Some(Duration::new(number, nanoseconds));
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Duration::try_from(time.as_duration()).ok()
}
