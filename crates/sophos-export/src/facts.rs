//! What the export itself needs to know of a record.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use sophos_api::{Raw, Timestamp as ServiceTime};

use crate::digest::sha256_hex;

/// The id of a record, and when it happened.
pub(crate) struct Facts<'r> {
    pub(crate) id: Cow<'r, str>,
    pub(crate) time: Option<Timestamp>,
    pub(crate) created_at: Option<Timestamp>,
}

impl Facts<'_> {
    /// When the service took it in, in milliseconds since the Unix epoch.
    pub(crate) fn created_ms(&self) -> Option<i64> {
        self.created_at.map(Timestamp::as_millisecond)
    }
}

/// The members that hold it, in both feeds and in the Common API.
#[derive(Deserialize)]
struct Members<'r> {
    #[serde(borrow)]
    id: Cow<'r, str>,
    when: Option<ServiceTime>,
    #[serde(alias = "createdAt", alias = "raisedAt")]
    created_at: Option<ServiceTime>,
}

/// A record that does not have an id, or is no object at all, is exported as
/// well: its content is its id then.
pub(crate) fn facts<I>(item: &Raw<I>) -> Facts<'_> {
    match item.peek::<Members<'_>>() {
        Ok(members) => Facts {
            id: members.id,
            time: members.when.as_ref().or(members.created_at.as_ref()).and_then(ServiceTime::instant),
            created_at: members.created_at.as_ref().and_then(ServiceTime::instant),
        },
        Err(_) => {
            let digest = sha256_hex(item.json().as_bytes());
            Facts { id: format!("sha256:{digest}").into(), time: None, created_at: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> (String, Option<i64>, Option<i64>) {
        let item: Raw<()> = serde_json::from_str(json).expect("JSON");
        let facts = facts(&item);
        let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millisecond);
        (facts.id.into_owned(), millis(facts.time), millis(facts.created_at))
    }

    #[test]
    fn records_of_each_source_are_understood() {
        let siem =
            r#"{"id":"a","when":"1970-01-01T00:00:02Z","created_at":"1970-01-01T00:00:03.000Z","x":1}"#;
        assert_eq!(read(siem), ("a".into(), Some(2_000), Some(3_000)));
        let common = r#"{"id":"a","raisedAt":"1970-01-01T00:00:03.000Z"}"#;
        assert_eq!(read(common), ("a".into(), Some(3_000), Some(3_000)));
        assert_eq!(read(r#"{"id":"a","when":null,"created_at":"soon"}"#), ("a".into(), None, None));
    }

    #[test]
    fn a_record_that_is_not_understood_has_its_content_for_an_id() {
        let ids = ["\"text\"", "{}", r#"{"id":7}"#, "null"].map(|json| read(json).0);
        for (index, id) in ids.iter().enumerate() {
            assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
            assert!(!ids[..index].contains(id));
        }
        assert_eq!(read("{}").0, ids[1]);
    }
}
