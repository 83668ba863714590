//! Commits and their rows, for readers of an export.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de};
use sophos_store::Store;

use crate::{
    commit_log::{DataObject, StreamId, check_identity},
    dataset::Dataset,
    digest::sha256_hex,
    error::Error,
    format::{StoredRows, read_rows},
};

/// The members of a [`LogRecord`](crate::LogRecord) that a reader of rows needs. The ids
/// for deduplication, which may be megabytes, are not kept.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Commit {
    version: u32,
    dataset: Dataset,
    tenant: String,
    /// The number of the commit in the log of its stream, from 1, without gaps.
    pub sequence: u64,
    /// The id of the run that committed it.
    pub run_id: String,
    /// The time of the commit by the service's clock.
    #[serde(deserialize_with = "parse_time")]
    pub committed_at: Timestamp,
    /// The number of rows in all objects.
    pub rows: u64,
    /// The data objects.
    pub objects: Vec<DataObject>,
}

impl Commit {
    /// Loads the commit of a stream with this number; `None` if it does not exist yet.
    ///
    /// # Errors
    /// When the store fails, or the log record is invalid.
    pub async fn load(store: &Store, stream: &StreamId, sequence: u64) -> Result<Option<Self>, Error> {
        let path = stream.record_path(sequence);
        let Some(bytes) = store.read(&path).await? else { return Ok(None) };
        let invalid = |reason: String| Error::InvalidLogRecord { path: path.clone(), reason };
        let commit: Self = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        let found = StreamId { dataset: commit.dataset, tenant: commit.tenant.clone() };
        check_identity(commit.version, (&found, commit.sequence), (stream, sequence)).map_err(invalid)?;
        Ok(Some(commit))
    }
}

fn parse_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
}

impl DataObject {
    /// Reads the rows of a committed object, in order.
    ///
    /// # Errors
    /// When the store fails. [`Error::InvalidObject`] when the object is missing, its
    /// content is not that of the log, or its format keeps no record.
    pub async fn read_rows(&self, store: &Store) -> Result<StoredRows, Error> {
        let invalid = |reason: String| Error::InvalidObject { path: self.path.clone(), reason };
        let body = store.read(&self.path).await?.ok_or_else(|| invalid("it does not exist".into()))?;
        let found = sha256_hex(&body);
        if found != self.sha256 {
            return Err(invalid(format!("its SHA-256 is {found}, and {} was committed", self.sha256)));
        }
        read_rows(&self.path, body)
    }
}
