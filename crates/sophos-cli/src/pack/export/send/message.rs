//! Rows as messages of syslog, by RFC 5424.

use clap::ValueEnum;
use jiff::{Timestamp, tz::Offset};
use serde::Deserialize;
use serde_json::Value;
use sophos_export::{Format, Row};

/// The name of the program in messages.
const APP_NAME: &str = "sophos-central";

/// The maximum length of a host name in messages.
const MAX_HOST_NAME_LEN: usize = 255;

/// The text of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum RowFormat {
    /// The Common Event Format
    #[default]
    Cef,
    /// The Common Event Format, byte for byte as Sophos's script writes it
    CefCompatible,
    /// Pairs of keys and values
    Kv,
    /// Pairs, byte for byte as Sophos's script writes them
    KvCompatible,
}

impl RowFormat {
    fn format(self) -> Format {
        match self {
            Self::Cef => Format::CefGzip,
            Self::CefCompatible => Format::CefCompatibleGzip,
            Self::Kv => Format::KeyValueGzip,
            Self::KvCompatible => Format::KeyValueCompatibleGzip,
        }
    }
}

/// The facility of messages, with its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Facility {
    User = 1,
    Daemon = 3,
    Auth = 4,
    Authpriv = 10,
    Local0 = 16,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

/// The members of a record that a message's header needs.
#[derive(Debug, Default, Deserialize)]
struct Header {
    #[serde(default)]
    severity: Value,
}

/// The constant parts of messages.
#[derive(Debug)]
pub(super) struct MessageFormat {
    format: Format,
    facility: Facility,
    hostname: String,
}

impl MessageFormat {
    pub(super) fn new(format: RowFormat, facility: Facility, hostname: Option<&str>) -> Self {
        let hostname = match hostname {
            Some(hostname) => hostname.to_owned(),
            None => gethostname::gethostname()
                .into_string()
                .ok()
                .and_then(|name| parse_hostname(&name).ok())
                .unwrap_or_else(|| "-".to_owned()),
        };
        Self { format: format.format(), facility, hostname }
    }

    /// The message of a row: priority, version, time, host name, program, no process id,
    /// the dataset as the message id, no structured data, and the text without a byte
    /// order mark.
    pub(super) fn encode(&self, row: &Row<'_>) -> String {
        let header: Header = serde_json::from_str(row.record).unwrap_or_default();
        let priority = self.facility as u8 * 8 + severity(&header.severity);
        let time = row.time.or(row.created_at).and_then(rfc3339).unwrap_or_else(|| "-".to_owned());
        let (hostname, dataset) = (&self.hostname, row.dataset);
        let text = self.format.to_line(row).unwrap_or_default();
        format!("<{priority}>1 {time} {hostname} {APP_NAME} - {dataset} - {text}")
    }
}

/// The severity of a message. That of alerts and events is a word, of detections a number
/// up to 10.
fn severity(severity: &Value) -> u8 {
    const CRITICAL: u8 = 2;
    const ERROR: u8 = 3;
    const WARNING: u8 = 4;
    const NOTICE: u8 = 5;
    const INFORMATIONAL: u8 = 6;
    match (severity.as_str(), severity.as_f64()) {
        (Some("critical" | "very_high"), _) => CRITICAL,
        (Some("high"), _) => ERROR,
        (Some("medium"), _) => WARNING,
        (Some("low"), _) => NOTICE,
        (_, Some(number)) if number >= 9.0 => CRITICAL,
        (_, Some(number)) if number >= 7.0 => ERROR,
        (_, Some(number)) if number >= 4.0 => WARNING,
        (_, Some(number)) if number >= 1.0 => NOTICE,
        _ => INFORMATIONAL,
    }
}

/// A time as RFC 3339 with milliseconds; `None` for years that it does not have.
fn rfc3339(time: Timestamp) -> Option<String> {
    let year = Offset::UTC.to_datetime(time).year();
    (0..=9_999).contains(&year).then(|| format!("{time:.3}"))
}

/// Parses the host name of messages.
///
/// # Errors
/// The expected form.
pub(crate) fn parse_hostname(text: &str) -> Result<String, String> {
    let is_valid =
        (1..=MAX_HOST_NAME_LEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err("expected 1 to 255 ASCII characters without spaces".into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sophos_export::Dataset;

    use super::*;

    fn encode(format: RowFormat, time: Option<&str>, record: &str) -> String {
        let row = Row {
            id: "a",
            tenant: "t",
            dataset: Dataset::Alerts,
            source: "siem/v1/alerts",
            time: time.map(|time| time.parse().expect("a time")),
            created_at: None,
            revision: 0,
            record,
        };
        MessageFormat::new(format, Facility::Local7, Some("relay")).encode(&row)
    }

    #[test]
    fn message_has_the_header_of_rfc_5424() {
        let record = r#"{"severity":"high","type":"T","name":"n\u00e9"}"#;
        assert_eq!(
            encode(RowFormat::Cef, Some("2026-11-23T09:00:00.1234Z"), record),
            "<187>1 2026-11-23T09:00:00.123Z relay sophos-central - alerts - \
             CEF:0|sophos|sophos central|1.0|T|n\u{e9}|8|datastream=alert end=2026-11-23T09:00:00.123Z"
        );
        assert_eq!(
            encode(RowFormat::KvCompatible, None, "{}"),
            "<190>1 - relay sophos-central - alerts - datastream=\"alert\";"
        );
        let before = encode(RowFormat::KvCompatible, Some("-000001-01-01T00:00:00Z"), "[]");
        assert!(before.starts_with("<190>1 - relay"), "{before}");
    }

    #[test]
    fn severity_is_that_of_the_record() {
        for (value, expected) in [
            (json!("critical"), 2),
            (json!("very_high"), 2),
            (json!("high"), 3),
            (json!("medium"), 4),
            (json!("low"), 5),
            (json!("none"), 6),
            (json!(10), 2),
            (json!(8), 3),
            (json!(4.5), 4),
            (json!(1), 5),
            (json!(0), 6),
            (json!(null), 6),
            (json!(["high"]), 6),
        ] {
            assert_eq!(severity(&value), expected, "{value}");
        }
    }

    #[test]
    fn hostname_is_graphic_ascii() {
        assert_eq!(parse_hostname("relay-1.example.com"), Ok("relay-1.example.com".to_owned()));
        let long = "a".repeat(256);
        for text in ["", "a b", "r\u{e9}lay", "a\n", long.as_str()] {
            assert!(parse_hostname(text).is_err(), "{text}");
        }
    }
}
