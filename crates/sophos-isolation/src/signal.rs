//! What a security tool says, in one form for all of them.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// The longest text of a sender that is kept, in characters.
const MAX_TEXT_LEN: usize = 200;

/// One host that a tool wants isolated, or released, and why.
///
/// Everything in it is the sender's word and may be an attacker's: texts have
/// been cleaned of control characters and cut, and nothing else is promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Signal {
    /// What is asked for.
    pub action: Action,
    /// What is said about the host.
    pub host: HostIdentifiers,
    /// The Sophos tenant, when the sender names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The account that the event is about in the sender's world: an AWS
    /// account, a Microsoft tenant, a customer id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The accounts in which the message puts the host, where that is not
    /// `account` alone. The policy says whether `account` may speak for another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_accounts: Vec<String>,
    /// How bad it is; `None` when the sender does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What happened, in the sender's words.
    #[serde(default)]
    pub title: String,
    /// Why the host is to be isolated, when the sender says more than a title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the sender saw it, as it writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<String>,
    /// For how long the host is to be isolated, in seconds, when the sender
    /// says so. The policy may allow less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_after_seconds: Option<u64>,
    /// Whether the host runs the workloads of several owners, such as a
    /// container node.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared_host: bool,
}

/// The time at which a sender saw what it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservedAt {
    /// The sender gives no time.
    Missing,
    /// The sender gives a text that is no moment: one without an offset from UTC
    /// is none.
    Invalid,
    /// Since the Unix epoch.
    At(Duration),
}

impl Signal {
    /// The time in [`observed_at`](Self::observed_at): RFC 3339, also with a space
    /// or an offset without a colon, RFC 2822, or a number of seconds, milliseconds,
    /// microseconds or nanoseconds since the Unix epoch.
    pub fn observed(&self) -> ObservedAt {
        match self.observed_at.as_deref().map(str::trim) {
            None | Some("") => ObservedAt::Missing,
            Some(text) => parse_time(text).map_or(ObservedAt::Invalid, ObservedAt::At),
        }
    }
}

/// Numbers from here on are milliseconds; seconds get there in the year 5138.
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

/// What a signal asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Isolate the host.
    #[default]
    Isolate,
    /// Release the host from an isolation that was asked for here.
    Release,
}

/// What a sender says about one host, as it says it. Which of it is good for
/// finding an endpoint is judged when it is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HostIdentifiers {
    /// The endpoint's id at Sophos. No other product's id of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// The id of the EC2 instance, such as `i-0123456789abcdef0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ec2_instance_id: Option<String>,
    /// Its MAC addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mac_addresses: Vec<String>,
    /// Its names: short, fully qualified, or both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hostnames: Vec<String>,
    /// Names that NetBIOS may have cut at 15 characters. They find an endpoint
    /// only where no full or longer name is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub netbios_names: Vec<String>,
    /// Its own addresses. Never the other side's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
}

impl HostIdentifiers {
    /// Whether nothing at all is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How bad a tool says it is, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// For information.
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
    /// All, from the least on.
    pub const ALL: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word that policies use.
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

    /// Reads the words that policies use.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or("a severity is informational, low, medium, high or critical")
    }
}

/// A sender's text made fit for a log, a comment or a ledger: one line without
/// control characters or direction marks, of at most 200 characters.
pub fn clean(text: &str) -> String {
    let mut clean = String::new();
    let mut space = false;
    for character in text.trim().chars() {
        // Marks that turn the direction of text make a log show what is not there.
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
