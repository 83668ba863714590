//! The rows that are mapped.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// A row of an export: a record with its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct StoredRow<'r> {
    /// The record's id.
    #[serde(borrow)]
    pub id: Cow<'r, str>,
    /// The tenant's id.
    #[serde(borrow)]
    pub tenant: Cow<'r, str>,
    /// The name of the dataset.
    #[serde(borrow)]
    pub dataset: Cow<'r, str>,
    /// The time of the record by the endpoint's clock; of a snapshot, its time.
    #[serde(default, deserialize_with = "parse_time")]
    pub time: Option<Timestamp>,
    /// The creation time by the service's clock.
    #[serde(default, deserialize_with = "parse_time")]
    pub created_at: Option<Timestamp>,
    /// 0 for the first row of an id.
    #[serde(default)]
    pub revision: u32,
    /// The service's own JSON.
    #[serde(borrow)]
    pub record: Cow<'r, str>,
}

impl<'r> StoredRow<'r> {
    /// Parses a row as JSON, as the format `ndjson.gz` has it.
    ///
    /// # Errors
    /// When the line is not a row.
    pub fn parse(line: &'r [u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(line)
    }
}

/// An invalid time counts as none: the record has it as the service sent it.
fn parse_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.and_then(|text| text.parse().ok()))
}

impl<'r> From<&'r sophos_export::StoredRow> for StoredRow<'r> {
    fn from(row: &'r sophos_export::StoredRow) -> Self {
        Self {
            id: Cow::Borrowed(&row.id),
            tenant: Cow::Borrowed(&row.tenant),
            dataset: Cow::Borrowed(row.dataset.name()),
            time: row.time,
            created_at: row.created_at,
            revision: row.revision,
            record: Cow::Borrowed(&row.record),
        }
    }
}
