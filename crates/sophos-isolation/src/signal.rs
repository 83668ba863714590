//! The tool-independent form of an alert.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// The maximum length of a stored text of a sender, in characters.
const MAX_TEXT_LEN: usize = 200;

/// A request to isolate or release one host.
///
/// All values are the sender's and may be an attacker's. Texts are sanitized and truncated; nothing
/// else is validated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Signal {
    /// The requested action.
    pub action: Action,
    /// The identifiers of the host.
    pub host: HostIdentifiers,
    /// The Sophos tenant, if the sender names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The sender's account of the event: an AWS account, a Microsoft tenant, a customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The accounts that the message gives for the host, unless it is `account` alone. The policy
    /// decides whether `account` may report for another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_accounts: Vec<String>,
    /// The severity; `None` if the sender gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The sender's title.
    #[serde(default)]
    pub title: String,
    /// The sender's reason, if there is more than a title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The sender's observation time, as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// The requested duration of the isolation in seconds, if any. The policy may shorten it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_after_seconds: Option<u64>,
    /// Whether the host runs the workloads of several owners, such as a
    /// container node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared_host: bool,
}

/// The time of a sender's observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservedAt {
    /// The message has no time.
    Missing,
    /// The text is not a point in time, for example because its UTC offset is missing.
    Invalid,
    /// The time since the Unix epoch.
    At(Duration),
}

impl Signal {
    /// Parses [`observed_at`](Self::observed_at). It accepts RFC 3339, also with a space or an
    /// offset without a colon, and RFC 2822. It also accepts seconds, milliseconds, microseconds or
    /// nanoseconds since the Unix epoch.
    pub fn observed(&self) -> ObservedAt {
        match self.observed_at.as_deref().map(str::trim) {
            None | Some("") => ObservedAt::Missing,
            Some(text) => parse_time(text).map_or(ObservedAt::Invalid, ObservedAt::At),
        }
    }
}

/// Numbers from this value are milliseconds; seconds reach it in the year 5138.
const MIN_MILLISECONDS: f64 = 1e11;

fn parse_time(text: &str) -> Option<Duration> {
    if let Ok(number) = text.parse::<f64>() {
        let scale = [1.0, 1e3, 1e6, 1e9].into_iter().find(|scale| number / scale < MIN_MILLISECONDS)?;
        return Duration::try_from_secs_f64(number / scale).ok();
    }
    let parsers: [fn(&str) -> Option<jiff::Timestamp>; 3] = [
        |text| text.parse().ok(),
        |text| {
            let formats = ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z"];
            formats.into_iter().find_map(|format| jiff::Timestamp::strptime(format, text).ok())
        },
        |text| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()),
    ];
    let instant = parsers.into_iter().find_map(|parse| parse(text))?;
    Duration::try_from(instant.as_duration()).ok()
}

/// The action that a signal requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Isolate the host.
    #[default]
    Isolate,
    /// Release the host from an isolation by this service.
    Release,
}

/// The sender's identifiers of one host, as sent. The lookup validates them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostIdentifiers {
    /// The Sophos endpoint id. Ids of other products do not belong here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// The id of the EC2 instance, such as `i-0123456789abcdef0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ec2_instance_id: Option<String>,
    /// The MAC addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mac_addresses: Vec<String>,
    /// The host names: short, fully qualified, or both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// NetBIOS names, possibly truncated to 15 characters. They are used only without a fully
    /// qualified or longer name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub netbios_names: Vec<String>,
    /// The host's own IP addresses, never those of its peers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
}

impl HostIdentifiers {
    /// Whether there is no identifier.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The severity of an alert, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Informational.
    Informational,
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
    /// Critical.
    Critical,
}

impl Severity {
    /// All severities in ascending order.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity's name in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = &'static str;

    /// Parses a severity's name in policies.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or("unknown severity: expected informational, low, medium, high or critical")
    }
}

/// Sanitizes a sender's text for logs, comments and the ledger: one line of at most 200 characters,
/// without control characters and direction marks.
pub fn clean(text: &str) -> String {
    let mut clean = String::new();
    let mut space = false;
    for character in text.trim().chars() {
        // Direction marks can make a log display a different text.
        if matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        {
            continue;
        }
        if character.is_control() || character.is_whitespace() {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) && !clean.is_empty() {
            clean.push(' ');
        }
        clean.push(character);
    }
    match clean.char_indices().nth(MAX_TEXT_LEN) {
        Some((end, _)) => clean[..end].to_owned(),
        None => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_returns_one_bounded_line() {
        assert_eq!(clean("  a\r\n\tb\u{0}c\u{202e}d  "), "a b cd");
        assert_eq!(clean(&"ä".repeat(500)).chars().count(), MAX_TEXT_LEN);
        assert_eq!(clean("\u{7}\n"), "");
    }

    #[test]
    fn observed_parses_times_of_tools() {
        let at = |text: &str| Signal { observed_at: Some(text.to_owned()), ..Signal::default() }.observed();
        let moment = ObservedAt::At(Duration::from_secs(1_764_324_000));
        for text in [
            "2025-11-28T10:00:00Z",
            "2025-11-28T10:00:00.000000Z",
            "2025-11-28T12:00:00+02:00",
            "2025-11-28T10:00:00.000+0000",
            "2025-11-28 10:00:00Z",
            "2025-11-28 10:00:00 +0000",
            "Fri, 28 Nov 2025 10:00:00 +0000",
            "1764324000",
            "1764324000.0",
            "1764324000000",
            "1764324000000000",
            "1764324000000000000",
        ] {
            assert_eq!(at(text), moment, "{text}");
        }
        for text in
            ["2025-11-28T10:00:00", "yesterday", "10:00", "-5", "NaN", "1e300", "2025-13-01T00:00:00Z"]
        {
            assert_eq!(at(text), ObservedAt::Invalid, "{text}");
        }
        assert_eq!(at(" "), ObservedAt::Missing);
        assert_eq!(Signal::default().observed(), ObservedAt::Missing);
    }

    #[test]
    fn severity_is_ordered_and_parses_its_names() {
        assert!(Severity::ALL.is_sorted());
        for severity in Severity::ALL {
            assert_eq!(severity.as_str().parse(), Ok(severity));
        }
        assert!("HIGH".parse::<Severity>().is_err());
    }
}
