//! The id and the times of a record, each parsed independently.
//!
//! A valid member counts even if the rest of the record is irregular.

use std::borrow::Cow;

use jiff::Timestamp;
use sophos_api::{Raw, Timestamp as ServiceTime};

use crate::{content_digest::ContentHash, digest::sha256_hex};

/// The id, the times and the content digest of a record.
#[derive(Debug)]
pub(crate) struct RecordKey<'r> {
    pub(crate) id: Cow<'r, str>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) created_at: Option<Timestamp>,
    /// The digest of the content.
    pub(crate) content_digest: u32,
}

impl RecordKey<'_> {
    /// The creation time in milliseconds since the Unix epoch.
    pub(crate) fn created_ms(&self) -> Option<i64> {
        self.created_at.map(Timestamp::as_millisecond)
    }
}

/// The first valid value of each relevant member, which may be repeated.
#[derive(Default)]
struct JsonMembers<'r> {
    id: Option<Cow<'r, str>>,
    when: Option<Timestamp>,
    /// `created_at`, `createdAt` and `raisedAt`.
    created: [Option<Timestamp>; 3],
}

impl<'r> JsonMembers<'r> {
    /// Keeps a relevant member of the record. `key` includes its quotes.
    fn keep(&mut self, key: &str, value: &'r str) {
        let time = match key {
            r#""id""# => return self.id = self.id.take().or_else(|| parse_id(value)),
            r#""when""# => &mut self.when,
            r#""created_at""# => &mut self.created[0],
            r#""createdAt""# => &mut self.created[1],
            r#""raisedAt""# => &mut self.created[2],
            _ => return,
        };
        *time = time.or_else(|| parse_time(value));
    }
}

/// The text of a string, or the digits of a number. A string with an invalid escape,
/// such as half a surrogate pair, stays as written.
pub(crate) fn parse_id(json: &str) -> Option<Cow<'_, str>> {
    let id = match json.as_bytes().first()? {
        b'"' => {
            let written = &json[1..json.len() - 1];
            if written.contains('\\') {
                serde_json::from_str::<String>(json).map_or(written.into(), Cow::Owned)
            } else {
                written.into()
            }
        }
        b'-' | b'0'..=b'9' => json.into(),
        _ => return None,
    };
    (!id.chars().all(char::is_whitespace)).then_some(id)
}

pub(crate) fn parse_time(json: &str) -> Option<Timestamp> {
    match json.as_bytes().first()? {
        b'"' if !json.contains('\\') => ServiceTime::parse_instant(&json[1..json.len() - 1]),
        b'"' => serde_json::from_str::<ServiceTime>(json).ok()?.instant(),
        b'-' | b'0'..=b'9' => ServiceTime::parse_instant(json),
        _ => None,
    }
}

/// Parses the key of a record. A record without an id, or that is not an object, has
/// the hash of its content as its id.
pub(crate) fn record_key<I>(item: &Raw<I>, hash: ContentHash) -> RecordKey<'_> {
    let mut members = JsonMembers::default();
    let content_digest = hash.digest_with(item.json(), |key, value| members.keep(key, value));
    let created_at = members.created.into_iter().flatten().next();
    RecordKey {
        id: members.id.unwrap_or_else(|| format!("sha256:{}", sha256_hex(item.json().as_bytes())).into()),
        time: members.when.or(created_at),
        created_at,
        content_digest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> (String, Option<i64>, Option<i64>) {
        let item: Raw<()> = serde_json::from_str(json).expect("JSON");
        let key = record_key(&item, ContentHash::Xxh3);
        let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
        (key.id.into_owned(), millis(key.time), millis(key.created_at))
    }

    #[test]
    fn record_key_reads_records_of_each_source() {
        let siem =
            r#"{"id":"a","when":"1970-01-01T00:00:02Z","created_at":"1970-01-01T00:00:03.000Z","x":1}"#;
        assert_eq!(parse(siem), ("a".into(), Some(2_000), Some(3_000)));
        let common = r#"{"id":"a","raisedAt":"1970-01-01T00:00:03.000Z"}"#;
        assert_eq!(parse(common), ("a".into(), Some(3_000), Some(3_000)));
        assert_eq!(parse(r#"{"id":"a","when":null,"created_at":"soon"}"#), ("a".into(), None, None));
    }

    #[test]
    fn record_key_keeps_the_id_of_an_irregular_record() {
        let whole = "\"id\":\"a\",\"when\":\"1970-01-01T00:00:02Z\",\"created_at\":\"1970-01-01T00:00:03Z\"";
        for odd in [
            r#""name":"x","name":"y","NAME":"z""#,
            r#""id":"a""#,
            r#""id":null"#,
            r#""when":"1970-01-01T00:00:09Z""#,
            r#""created_at":{"$date":1}"#,
            r#""createdAt":"1970-01-01T00:00:09Z","raisedAt":"1970-01-01T00:00:09Z""#,
            r#""\ud800":"\udfff","n":1e400"#,
        ] {
            assert_eq!(parse(&format!("{{{whole},{odd}}}")), ("a".into(), Some(2_000), Some(3_000)), "{odd}");
        }
        let parse_with = |json: &str| parse(&format!("{{\"id\":\"a\",{json}}}"));
        assert_eq!(parse_with(r#""when":2000000000000,"created_at":2000000000"#).1, Some(2_000_000_000_000));
        assert_eq!(parse_with(r#""when":{"$date":1},"created_at":2000000000"#).1, Some(2_000_000_000_000));
        assert_eq!(
            parse_with(r#""createdAt":null,"raisedAt":"Thu, 01 Jan 1970 00:00:03 GMT""#).2,
            Some(3_000)
        );
        assert_eq!(parse_with(r#""x":7"#), ("a".into(), None, None));
        assert_eq!(parse_with(&format!("\"x\":{}1{}", "[".repeat(20_000), "]".repeat(20_000))).0, "a");
    }

    #[test]
    fn record_key_keeps_every_character_of_an_id() {
        for (json, id) in [
            ("7", "7"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.50", "1.50"),
            (r#""a\u0062\/c""#, "ab/c"),
            (r#""\ud800""#, "\\ud800"),
            (r#""a/b/../c""#, "a/b/../c"),
        ] {
            assert_eq!(parse(&format!("{{\"id\":{json}}}")).0, id);
        }
    }

    #[test]
    fn record_key_is_the_sha256_when_a_record_has_no_id() {
        let ids =
            ["\"text\"", "{}", r#"{"id":{}}"#, r#"{"id":" "}"#, "null", "[1]"].map(|json| parse(json).0);
        for (index, id) in ids.iter().enumerate() {
            assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
            assert!(!ids[..index].contains(id));
        }
        assert_eq!(parse("{}").0, ids[1]);
    }
}
