use std::time::Duration;

use super::{SignedRequest, VerificationError};

/// Where the time of sending is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// The headers, in lower case, of which the first that is there holds it.
    /// Unix seconds or milliseconds, also with a fraction, or RFC 3339.
    pub headers: Vec<String>,
    /// What comes before the time in an element of the header, between commas,
    /// such as `t=`. Empty where the header holds nothing but the time.
    pub prefix: String,
    /// How many seconds it may lie in the past or the future.
    pub window_seconds: u64,
}

impl Timestamp {
    /// A time that has a header of its own.
    pub fn from_header(header: impl Into<String>, window_seconds: u64) -> Self {
        Self { headers: vec![header.into()], prefix: String::new(), window_seconds }
    }

    /// The header's text, when it is a time inside the window.
    pub(super) fn verify<'e>(
        &self,
        evidence: &'e impl SignedRequest,
        now: Duration,
    ) -> Result<&'e str, VerificationError> {
        let text = self
            .headers
            .iter()
            .find_map(|header| evidence.header(header))
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

/// Whether a moment is no more than this far from `now`.
pub(super) fn is_within(moment: Duration, now: Duration, window_seconds: u64) -> bool {
    moment.abs_diff(now) <= Duration::from_secs(window_seconds)
}

/// Unix seconds or milliseconds, with or without a fraction, or RFC 3339.
pub(super) fn parse_time(text: &str) -> Option<Duration> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if is_number(whole) && is_number(fraction) {
        let number: u64 = whole.parse().ok()?;
        // Seconds do not get there before the year 5138.
        if number >= 100_000_000_000 {
            return Some(Duration::from_millis(number));
        }
        // Nine digits are nanoseconds; what follows them is less.
        let nanoseconds: u32 = format!("{:0<9.9}", fraction).parse().ok()?;
        return Some(Duration::new(number, nanoseconds));
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Duration::try_from(time.as_duration()).ok()
}
