//! The log of a stream: what was committed, in order.

use serde::{Deserialize, Serialize};
use sophos_store::Store;

use crate::{
    checkpoint::{Checkpoint, Gap},
    dataset::Dataset,
    error::Error,
    write_ahead::WriteAheadRecord,
};

/// The log is listed from here on, if there is a hint: a bound to the listing
/// of a stream that has run for years, kept a while behind the head.
const HINT_INTERVAL: u64 = 64;

/// A stream: one dataset of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StreamId {
    /// The dataset.
    pub dataset: Dataset,
    /// The tenant's id, in lower case.
    pub tenant: String,
}

impl StreamId {
    /// The stream of this tenant and dataset.
    ///
    /// # Errors
    /// [`Error::InvalidTenantId`] when no path can be made of the id.
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

    /// The folder of the stream's rows, with one folder a day.
    pub(crate) fn data_folder(&self) -> String {
        format!("{}/tenant_id={}", self.dataset, self.tenant)
    }

    /// The folder of the stream's records that are not JSON.
    pub(crate) fn quarantine_folder(&self) -> String {
        format!("_quarantine/{}", self.data_folder())
    }

    pub(crate) fn record_path(&self, sequence: u64) -> String {
        format!("{}/{}", self.log_folder(), record_name(sequence))
    }

    fn hint_path(&self) -> String {
        format!("{}/_from", self.log_folder())
    }
}

fn record_name(sequence: u64) -> String {
    format!("{sequence:012}.json")
}

/// What one run committed. Written once, as
/// `_log/<dataset>/<tenant>/<sequence>.json`, and never changed.
///
/// A reader who wants each row exactly once reads these, in order, and the
/// objects that they name, and no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LogRecord {
    /// The form of this record: 1.
    pub version: u32,
    /// The dataset.
    pub dataset: Dataset,
    /// The tenant's id.
    pub tenant: String,
    /// The number of this record, from 1, without holes.
    pub sequence: u64,
    /// The run that committed it.
    pub run_id: String,
    /// When, by the service's clock.
    pub committed_at: String,
    /// Where the run began in the feed; null for the first.
    pub checkpoint_before: Option<Checkpoint>,
    /// Where the next begins.
    pub checkpoint_after: Checkpoint,
    /// Rows in all objects.
    pub rows: u64,
    /// Rows of these whose id was written before, with other content.
    #[serde(default)]
    pub revised: u64,
    /// Records that the service sent again and that were not written again.
    pub duplicates: u64,
    /// The time of the earliest record, by the endpoints' clocks.
    pub first_event: Option<String>,
    /// The time of the latest record, by the endpoints' clocks.
    pub last_event: Option<String>,
    /// The objects.
    pub objects: Vec<DataObject>,
    /// Records that are not JSON.
    #[serde(default)]
    pub quarantined: u64,
    /// The objects that hold them, one line for each: the bytes and the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantine_objects: Vec<DataObject>,
    /// What the feed had dropped before this run came for it.
    pub gaps: Vec<Gap>,
    /// What is still to be read from the Common API to fill gaps.
    pub pending_backfills: Vec<Backfill>,
    /// The ids of the last records, for the next run. Base64 of 16 bytes each.
    pub recent_ids: String,
    /// The digests of their contents. Base64 of 4 bytes each.
    #[serde(default)]
    pub recent_digests: String,
    /// Which of them are revisions: the index and the revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_revisions: Vec<(usize, u32)>,
}

impl LogRecord {
    /// Whether this is one of its objects.
    pub(crate) fn contains_object(&self, path: &str) -> bool {
        self.objects.iter().chain(&self.quarantine_objects).any(|object| object.path == path)
    }
}

/// One object of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DataObject {
    /// Where it is, from the root of the export.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Its rows.
    pub rows: u64,
    /// The time of its earliest record, by the endpoints' clocks.
    pub first_event: Option<String>,
    /// The time of its latest record, by the endpoints' clocks.
    pub last_event: Option<String>,
}

/// A gap on its way to be filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// The gap.
    pub gap: Gap,
    /// The key of the next page, when some were read.
    pub next_key: Option<String>,
}

/// The end of a stream's log, and what lies about.
#[derive(Debug, Default)]
pub(crate) struct LogHead {
    /// The last record; `None` before the first run.
    pub(crate) record: Option<LogRecord>,
    /// What runs meant to write, as the names of their intents.
    pub(crate) write_ahead_files: Vec<String>,
}

impl LogHead {
    pub(crate) fn sequence(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.sequence)
    }
}

/// Finds the end of a stream's log: one read of the hint, one listing, one read
/// of the record.
pub(crate) async fn load_head(store: &Store, stream: &StreamId) -> Result<LogHead, Error> {
    let hint = store.read(&stream.hint_path()).await?;
    // No more than a hint: an unreadable one costs a longer listing.
    let from = hint.and_then(|hint| std::str::from_utf8(&hint).ok()?.trim().parse::<u64>().ok());
    let after = from.map(|from| record_name(from.saturating_sub(1))).unwrap_or_default();
    let mut names = store.list_names(&stream.log_folder(), &after).await?;
    let mut last = last_sequence(&names);
    if last.is_none() && from.is_some() {
        // A hint past the end: somebody restored an older log.
        names = store.list_names(&stream.log_folder(), "").await?;
        last = last_sequence(&names);
    }
    let record = match last {
        Some(sequence) => Some(load_record(store, stream, sequence).await?),
        None => None,
    };
    let intents = names.into_iter().filter(|name| WriteAheadRecord::is_file_name(name)).collect();
    Ok(LogHead { record, write_ahead_files: intents })
}

fn last_sequence(names: &[String]) -> Option<u64> {
    names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max()
}

pub(crate) async fn load_record(store: &Store, stream: &StreamId, sequence: u64) -> Result<LogRecord, Error> {
    let path = stream.record_path(sequence);
    let unreadable = |reason: String| Error::InvalidLogRecord { path: path.clone(), reason };
    let bytes = store.read(&path).await?.ok_or_else(|| unreadable("it was listed and is gone".into()))?;
    let record: LogRecord = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
    if record.version != 1 {
        return Err(unreadable(format!("its version is {}; a newer release wrote it", record.version)));
    }
    if record.sequence != sequence || record.dataset != stream.dataset || record.tenant != stream.tenant {
        return Err(unreadable("it belongs to another stream or place".into()));
    }
    Ok(record)
}

/// Commits a run: creates its record, if no other run was first. Says whether
/// it is committed.
pub(crate) async fn commit(store: &Store, stream: &StreamId, record: &LogRecord) -> Result<bool, Error> {
    let body = serde_json::to_vec_pretty(record).map_err(std::io::Error::from)?;
    let created = store.create(&stream.record_path(record.sequence), body).await?;
    // The store may have created it and lost its answer, and then refused the
    // repetition.
    let ours = created || load_record(store, stream, record.sequence).await?.run_id == record.run_id;
    if ours && record.sequence.is_multiple_of(HINT_INTERVAL) && record.sequence > HINT_INTERVAL {
        let from = record.sequence - HINT_INTERVAL;
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
            recent_revisions: Vec::new(),
        }
    }

    #[tokio::test]
    async fn load_head_finds_the_end_with_any_hint() {
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        assert_eq!(load_head(&store, &stream()).await.expect("an empty log").sequence(), 0);
        for sequence in 1..=130 {
            assert!(commit(&store, &stream(), &record(sequence, "a")).await.expect("a commit"));
        }
        let hint = store.read(&stream().hint_path()).await.expect("the hint");
        assert_eq!(hint.as_deref(), Some(b"64".as_slice()), "a while behind the end");
        for hint in ["64", "1", "130", "131", "999999", "", "soon", "-1"] {
            store.write(&stream().hint_path(), hint.into()).await.expect("a hint");
            assert_eq!(load_head(&store, &stream()).await.expect("a log").sequence(), 130, "hint {hint}");
        }
    }

    #[tokio::test]
    async fn commit_succeeds_for_one_run_only() {
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        assert!(commit(&store, &stream(), &record(1, "a")).await.expect("a commit"));
        assert!(!commit(&store, &stream(), &record(1, "b")).await.expect("an answer"));
        assert!(
            commit(&store, &stream(), &record(1, "a")).await.expect("an answer"),
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
