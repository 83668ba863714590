//! The id and the times of a record of a log, by the names of its members.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::{
    content_digest::ContentHash,
    digest::sha256_hex,
    record_key::{RecordKey, parse_id, parse_time},
};

/// The members of a record that may hold its id and its times, best first.
#[derive(Debug)]
pub(crate) struct KeyMembers {
    id: &'static [&'static str],
    time: &'static [&'static str],
    created_at: &'static [&'static str],
}

/// The members that may hold the time of an audit event.
const AUDIT_TIMES: &[&str] =
    &["createdAt", "created_at", "timestamp", "time", "eventTime", "occurredAt", "when", "date"];

impl KeyMembers {
    /// The shape of an audit event is not published, so other names count as well.
    pub(crate) const AUDIT_EVENT: Self = Self {
        id: &["id", "eventId", "auditEventId", "auditId"],
        time: AUDIT_TIMES,
        created_at: AUDIT_TIMES,
    };

    pub(crate) const DETECTION: Self = Self {
        id: &["id"],
        time: &["sensorGeneratedAt", "time"],
        created_at: &["time", "sensorGeneratedAt"],
    };

    /// The time of a case is the time of its last change.
    pub(crate) const CASE: Self =
        Self { id: &["id"], time: &["updatedAt", "createdAt"], created_at: &["createdAt"] };
}

/// Parses the key of a record. A record without an id has the hash of its content as its
/// id.
pub(crate) fn log_record_key<'r>(json: &'r str, members: &KeyMembers, hash: ContentHash) -> RecordKey<'r> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let content_digest = hash.digest_with(json, |key, value| {
        let name = &key[1..key.len() - 1];
        if [members.id, members.time, members.created_at].concat().contains(&name) {
            found.push((name, value));
        }
    });
    let time = |names: &[&str]| first_of(&found, names).find_map(parse_time);
    RecordKey {
        id: first_of(&found, members.id).find_map(parse_id).unwrap_or_else(|| hash_id(json)),
        time: time(members.time),
        created_at: time(members.created_at),
        content_digest,
    }
}

/// The values of these members, in the order of the names.
fn first_of<'r>(found: &[(&str, &'r str)], names: &[&str]) -> impl Iterator<Item = &'r str> {
    names
        .iter()
        .flat_map(|name| found.iter().filter(move |(found, _)| found == name).map(|(_, value)| *value))
}

/// The id of a record that has none.
pub(crate) fn hash_id(json: &str) -> Cow<'static, str> {
    format!("sha256:{}", sha256_hex(json.as_bytes())).into()
}

/// The key of a record whose times are inside a member.
pub(crate) fn nested_record_key<'r>(
    json: &'r str,
    member: &str,
    hash: ContentHash,
    times: impl Fn(&str) -> (Option<Timestamp>, Option<Timestamp>),
) -> RecordKey<'r> {
    let (mut id, mut inner) = (None, None);
    let content_digest = hash.digest_with(json, |key, value| match &key[1..key.len() - 1] {
        "id" => id = id.take().or_else(|| parse_id(value)),
        name if name == member => inner = Some(value),
        _ => {}
    });
    let (time, created_at) = inner.map(times).unwrap_or_default();
    RecordKey { id: id.unwrap_or_else(|| hash_id(json)), time, created_at, content_digest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(json: &str) -> (String, Option<i64>) {
        let key = log_record_key(json, &KeyMembers::AUDIT_EVENT, ContentHash::Xxh3);
        assert_eq!(key.time, key.created_at);
        let created_ms = key.created_ms();
        (key.id.into_owned(), created_ms)
    }

    #[test]
    fn log_record_key_reads_an_audit_event_of_any_shape() {
        let time = "1970-01-01T00:00:03.000Z";
        assert_eq!(audit(&format!(r#"{{"id":"a","createdAt":"{time}"}}"#)), ("a".into(), Some(3_000)));
        assert_eq!(audit(&format!(r#"{{"eventTime":"{time}","eventId":7}}"#)), ("7".into(), Some(3_000)));
        assert_eq!(audit(r#"{"id":null,"auditId":"b","timestamp":3000000000}"#).0, "b");
        let (id, at) = audit(r#"{"what":"x"}"#);
        assert!(id.starts_with("sha256:") && at.is_none());
    }

    #[test]
    fn log_record_key_takes_the_last_change_of_a_case() {
        let json = r#"{"id":"C","createdAt":"1970-01-01T00:00:01Z","updatedAt":"1970-01-01T00:00:02Z"}"#;
        let key = log_record_key(json, &KeyMembers::CASE, ContentHash::Xxh3);
        assert_eq!(key.time.map(Timestamp::as_millisecond), Some(2_000));
        assert_eq!(key.created_ms(), Some(1_000));
    }
}
