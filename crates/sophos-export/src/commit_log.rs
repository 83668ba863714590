//! The commit log of a stream, in order.

use serde::{Deserialize, Serialize};
use sophos_store::Store;

use crate::{
    checkpoint::{Checkpoint, Gap},
    content_digest::ContentHash,
    dataset::Dataset,
    error::Error,
    ledger_entry::TrackedDecision,
    write_ahead::WriteAheadRecord,
};

/// The distance of the hint behind the head. The hint bounds the listing of a log that
/// has grown for years.
const HINT_INTERVAL: u64 = 64;

/// The name of the ledger in the place of a tenant's id.
pub(crate) const LEDGER_TENANT: &str = "ledger";

/// A stream: one dataset of one tenant, or the ledger of isolation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamId {
    /// The dataset.
    pub dataset: Dataset,
    /// The tenant's id, in lower case.
    pub tenant: String,
}

impl StreamId {
    /// The stream of the ledger of isolation, which has the decisions of all tenants.
    pub fn of_ledger() -> Self {
        Self { dataset: Dataset::Isolations, tenant: LEDGER_TENANT.to_owned() }
    }

    /// Creates the id of the stream of this tenant and dataset.
    ///
    /// # Errors
    /// [`Error::InvalidTenantId`] when the tenant's id is not valid in a path.
    pub fn new(dataset: Dataset, tenant: &str) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if tenant.is_empty() || tenant.len() > 64 || !tenant.bytes().all(plain) {
            return Err(Error::InvalidTenantId(tenant.to_owned()));
        }
        Ok(Self { dataset, tenant: tenant.to_ascii_lowercase() })
    }

    /// The folder of the stream's log.
    pub fn log_folder(&self) -> String {
        format!("_log/{}/{}", self.dataset, self.tenant)
    }

    /// The folder of the stream's rows, with a subfolder for each day.
    pub(crate) fn data_folder(&self) -> String {
        format!("{}/tenant_id={}", self.dataset, self.tenant)
    }

    /// The folder of the stream's quarantined records.
    pub(crate) fn quarantine_folder(&self) -> String {
        format!("_quarantine/{}", self.data_folder())
    }

    pub(crate) fn record_path(&self, sequence: u64) -> String {
        format!("{}/{}", self.log_folder(), record_name(sequence))
    }

    /// Whether a run that aims at this log record could have written an object.
    pub(crate) fn owns_object(&self, path: &str, sequence: u64) -> bool {
        let folders = [self.data_folder(), self.quarantine_folder()];
        let rest = folders.iter().find_map(|folder| path.strip_prefix(folder)?.strip_prefix("/day="));
        let name = rest.and_then(|rest| rest.split_once('/')).map_or("", |(_, name)| name);
        name.starts_with(&format!("{sequence:012}-")) && !name.contains('/')
    }

    fn hint_path(&self) -> String {
        format!("{}/_from", self.log_folder())
    }
}

fn record_name(sequence: u64) -> String {
    format!("{sequence:012}.json")
}

/// The record of a commit, at `_log/<dataset>/<tenant>/<sequence>.json`. Never changed.
///
/// To read each row exactly once, read the log records in order and only the objects
/// that they name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogRecord {
    /// The format version: 1.
    pub version: u32,
    /// The dataset.
    pub dataset: Dataset,
    /// The tenant's id.
    pub tenant: String,
    /// The number of this record, from 1, without gaps.
    pub sequence: u64,
    /// The id of the run that committed it.
    pub run_id: String,
    /// The time of the commit by the service's clock.
    pub committed_at: String,
    /// The start of the run in the feed; null for the first.
    pub checkpoint_before: Option<Checkpoint>,
    /// The start of the next run.
    pub checkpoint_after: Checkpoint,
    /// The number of rows in all objects.
    pub rows: u64,
    /// The rows among these that are revisions of earlier rows.
    #[serde(default)]
    pub revised: u64,
    /// Repeated records, which were not written again.
    pub duplicates: u64,
    /// The time of the earliest record by the endpoints' clocks.
    pub first_event: Option<String>,
    /// The time of the latest record by the endpoints' clocks.
    pub last_event: Option<String>,
    /// The data objects.
    pub objects: Vec<DataObject>,
    /// The number of quarantined records, which are not JSON.
    #[serde(default)]
    pub quarantined: u64,
    /// The objects with the quarantined records. Each line has the bytes and the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantine_objects: Vec<DataObject>,
    /// The gaps: intervals that the feed dropped before this run read them.
    pub gaps: Vec<Gap>,
    /// The backfills of gaps that are not complete.
    pub pending_backfills: Vec<Backfill>,
    /// The ids of the latest records, for deduplication: Base64 of 16 bytes each.
    pub recent_ids: String,
    /// The digests of their contents: Base64 of 4 bytes each.
    #[serde(default)]
    pub recent_digests: String,
    /// The hash function of these digests.
    #[serde(default, skip_serializing_if = "ContentHash::is_default")]
    pub recent_digest_hash: ContentHash,
    /// The times of their creation, of a log: Base64 of 4 bytes each.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recent_times: String,
    /// The revisions among them: the index and the revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_revisions: Vec<(usize, u32)>,
    /// The decisions of a ledger whose next transitions or arrivals are expected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracked_decisions: Vec<TrackedDecision>,
    /// The snapshot that the objects are, of a dataset of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotSummary>,
}

impl LogRecord {
    /// Loads the last record of a stream's log; `None` before the first commit. Of a
    /// dataset of the kind [`Snapshot`](crate::DatasetKind::Snapshot), it names the
    /// objects of the latest complete snapshot.
    ///
    /// # Errors
    /// When the store fails, or the record is invalid.
    pub async fn load_latest(store: &Store, stream: &StreamId) -> Result<Option<Self>, Error> {
        Ok(load_head(store, stream).await?.record)
    }

    /// Whether the record names this object.
    pub(crate) fn contains_object(&self, path: &str) -> bool {
        self.objects.iter().chain(&self.quarantine_objects).any(|object| object.path == path)
    }
}

/// A complete snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SnapshotSummary {
    /// The time of the snapshot by the service's clock, in RFC 3339: the time of the
    /// first response. All rows have it.
    pub taken_at: String,
    /// The number of records by operation. Those without records are listed as well.
    pub sources: Vec<SnapshotSource>,
}

/// The records of a snapshot from one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SnapshotSource {
    /// The source in the rows, such as `endpoint/v1/endpoints`.
    pub source: String,
    /// The number of records.
    pub records: u64,
}

/// An object with rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DataObject {
    /// The path from the root of the export.
    pub path: String,
    /// The size in bytes.
    pub bytes: u64,
    /// The SHA-256 of the object in hexadecimal.
    pub sha256: String,
    /// The entity tag by S3, without quotes. `None` if the store has none, or if the
    /// response with it was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_tag: Option<String>,
    /// The number of rows.
    pub rows: u64,
    /// The time of the earliest record by the endpoints' clocks.
    pub first_event: Option<String>,
    /// The time of the latest record by the endpoints' clocks.
    pub last_event: Option<String>,
}

/// The backfill of a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The gap.
    pub gap: Gap,
    /// The key of the next page; `None` before the first.
    pub next_key: Option<String>,
}

/// The end of a stream's log.
#[derive(Debug, Default)]
pub(crate) struct LogHead {
    /// The last record; `None` before the first run.
    pub(crate) record: Option<LogRecord>,
    /// The names of the write-ahead records.
    pub(crate) write_ahead_files: Vec<String>,
}

impl LogHead {
    pub(crate) fn sequence(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.sequence)
    }

    /// The lowest number of a write-ahead record.
    pub(crate) fn first_write_ahead(&self) -> Option<u64> {
        let numbers =
            self.write_ahead_files.iter().filter_map(|name| WriteAheadRecord::parse_file_name(name));
        numbers.map(|(sequence, _)| sequence).min()
    }
}

/// Loads the end of a stream's log: reads the hint, lists once, and reads the record.
pub(crate) async fn load_head(store: &Store, stream: &StreamId) -> Result<LogHead, Error> {
    let hint = store.read(&stream.hint_path()).await?;
    // An invalid hint only costs a longer listing.
    let from = hint.and_then(|hint| std::str::from_utf8(&hint).ok()?.trim().parse::<u64>().ok());
    let after = from.map(|from| record_name(from.saturating_sub(1))).unwrap_or_default();
    let mut names = store.list_names(&stream.log_folder(), &after).await?;
    let mut last = last_sequence(&names);
    if last.is_none() && from.is_some() {
        // A hint past the end: an older log was restored.
        names = store.list_names(&stream.log_folder(), "").await?;
        last = last_sequence(&names);
    }
    let record = match last {
        Some(sequence) => Some(load_record(store, stream, sequence).await?),
        None => None,
    };
    let write_ahead_files = names.into_iter().filter(|name| WriteAheadRecord::is_file_name(name)).collect();
    Ok(LogHead { record, write_ahead_files })
}

fn last_sequence(names: &[String]) -> Option<u64> {
    names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max()
}

pub(crate) async fn load_record(store: &Store, stream: &StreamId, sequence: u64) -> Result<LogRecord, Error> {
    let path = stream.record_path(sequence);
    let invalid = |reason: String| Error::InvalidLogRecord { path: path.clone(), reason };
    let bytes =
        store.read(&path).await?.ok_or_else(|| invalid("it was listed, but does not exist".into()))?;
    let record: LogRecord = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    let found = StreamId { dataset: record.dataset, tenant: record.tenant.clone() };
    check_identity(record.version, (&found, record.sequence), (stream, sequence)).map_err(invalid)?;
    Ok(record)
}

/// Checks the version of a log record, and its stream and sequence number against those
/// of its path.
pub(crate) fn check_identity(
    version: u32,
    found: (&StreamId, u64),
    expected: (&StreamId, u64),
) -> Result<(), String> {
    if version != 1 {
        return Err(format!("its version is {version}, written by a newer release"));
    }
    if found != expected {
        return Err("it belongs to another stream or sequence number".into());
    }
    Ok(())
}

/// Commits a run by creating its log record. Returns `false` if another run committed
/// first. Later runs list the write-ahead records from the number `first_kept` on.
pub(crate) async fn commit(
    store: &Store,
    stream: &StreamId,
    record: &LogRecord,
    first_kept: Option<u64>,
) -> Result<bool, Error> {
    let body = serde_json::to_vec_pretty(record).map_err(std::io::Error::from)?;
    let created = store.create(&stream.record_path(record.sequence), body).await?;
    // The store may have created it, lost the response and rejected the retry.
    let ours = created || load_record(store, stream, record.sequence).await?.run_id == record.run_id;
    if ours && record.sequence.is_multiple_of(HINT_INTERVAL) && record.sequence > HINT_INTERVAL {
        let from = (record.sequence - HINT_INTERVAL).min(first_kept.unwrap_or(u64::MAX));
        if let Err(error) = store.write(&stream.hint_path(), from.to_string().into_bytes()).await {
            tracing::warn!(event = "log_hint_failed", %error, tenant_id = stream.tenant, "failed to write the log hint");
        }
    }
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    fn stream() -> StreamId {
        StreamId::new(Dataset::Events, "97D69EC5-d0b3-425a-8d0d-cf4ac6521463").expect("a tenant's id")
    }

    fn record(sequence: u64, run: &str) -> LogRecord {
        LogRecord {
            version: 1,
            dataset: Dataset::Events,
            tenant: stream().tenant,
            sequence,
            run_id: run.into(),
            committed_at: "2026-11-23T10:00:00.000Z".into(),
            checkpoint_before: None,
            checkpoint_after: Checkpoint {
                cursor: None,
                high_watermark_ms: 7,
                low_watermark_ms: 7,
                backlog_watermark_ms: None,
                exported_before_ms: None,
            },
            rows: 0,
            revised: 0,
            duplicates: 0,
            first_event: None,
            last_event: None,
            objects: Vec::new(),
            quarantined: 0,
            quarantine_objects: Vec::new(),
            gaps: Vec::new(),
            pending_backfills: Vec::new(),
            recent_ids: String::new(),
            recent_digests: String::new(),
            recent_times: String::new(),
            recent_revisions: Vec::new(),
            recent_digest_hash: ContentHash::default(),
            tracked_decisions: Vec::new(),
            snapshot: None,
        }
    }

    #[tokio::test]
    async fn load_head_finds_the_end_with_any_hint() {
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        assert_eq!(load_head(&store, &stream()).await.expect("an empty log").sequence(), 0);
        for sequence in 1..=130 {
            assert!(commit(&store, &stream(), &record(sequence, "a"), None).await.expect("a commit"));
        }
        let hint = store.read(&stream().hint_path()).await.expect("the hint");
        assert_eq!(hint.as_deref(), Some(b"64".as_slice()), "behind the end");
        for hint in ["64", "1", "130", "131", "999999", "", "soon", "-1"] {
            store.write(&stream().hint_path(), hint.into()).await.expect("a hint");
            assert_eq!(load_head(&store, &stream()).await.expect("a log").sequence(), 130, "hint {hint}");
        }
    }

    #[tokio::test]
    async fn commit_succeeds_for_one_run_only() {
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        assert!(commit(&store, &stream(), &record(1, "a"), None).await.expect("a commit"));
        assert!(!commit(&store, &stream(), &record(1, "b"), None).await.expect("a response"));
        assert!(
            commit(&store, &stream(), &record(1, "a"), None).await.expect("a response"),
            "a repetition is the same"
        );
        assert_eq!(load_head(&store, &stream()).await.expect("a log").record, Some(record(1, "a")));
    }

    #[tokio::test]
    async fn load_head_fails_on_an_invalid_log_record() {
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        let newer = LogRecord { version: 2, ..record(1, "a") };
        for body in [b"{}".to_vec(), serde_json::to_vec(&newer).expect("JSON"), b"\xff".to_vec()] {
            store.write(&stream().record_path(1), body).await.expect("an object");
            let error = load_head(&store, &stream()).await.expect_err("not to be read");
            assert!(error.to_string().contains("000000000001.json"), "{error}");
        }
    }

    #[test]
    fn stream_id_rejects_an_invalid_tenant_id() {
        for id in ["", "..", "a/b", "a b", "ä", &"a".repeat(65)] {
            assert!(StreamId::new(Dataset::Events, id).is_err(), "{id}");
        }
    }
}
