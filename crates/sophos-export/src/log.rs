//! The log of a stream: what was committed, in order.

use serde::{Deserialize, Serialize};
use sophos_store::Store;

use crate::{
    dataset::Dataset,
    error::Error,
    feed::{Gap, Place},
    intent::Intent,
};

/// The log is listed from here on, if there is a hint: a bound to the listing
/// of a stream that has run for years, kept a while behind the head.
const HINT_EVERY: u64 = 64;

/// A stream: one dataset of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The dataset.
    pub dataset: Dataset,
    /// The tenant's id, in lower case.
    pub tenant: String,
}

impl Stream {
    /// The stream of this tenant and dataset.
    ///
    /// # Errors
    /// [`Error::TenantId`] when no path can be made of the id.
    pub fn new(dataset: Dataset, tenant: &str) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if tenant.is_empty() || tenant.len() > 64 || !tenant.bytes().all(plain) {
            return Err(Error::TenantId(tenant.to_owned()));
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
    pub run: String,
    /// When, by the service's clock.
    pub committed_at: String,
    /// Where the run began in the feed; null for the first.
    pub before: Option<Place>,
    /// Where the next begins.
    pub after: Place,
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
    pub quarantine: Vec<DataObject>,
    /// What the feed had dropped before this run came for it.
    pub gaps: Vec<Gap>,
    /// What is still to be read from the Common API to fill gaps.
    pub backfill: Vec<Backfill>,
    /// The ids of the last records, for the next run. Base64 of 16 bytes each.
    pub recent: String,
    /// The digests of their contents. Base64 of 4 bytes each.
    #[serde(default)]
    pub recent_contents: String,
    /// Which of them are revisions: the index and the revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent_revisions: Vec<(usize, u32)>,
}

impl LogRecord {
    /// Whether this is one of its objects.
    pub(crate) fn names(&self, path: &str) -> bool {
        self.objects.iter().chain(&self.quarantine).any(|object| object.path == path)
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
pub(crate) struct Head {
    /// The last record; `None` before the first run.
    pub(crate) record: Option<LogRecord>,
    /// What runs meant to write, as the names of their intents.
    pub(crate) intents: Vec<String>,
}

impl Head {
    pub(crate) fn sequence(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.sequence)
    }
}

/// Finds the end of a stream's log: one read of the hint, one listing, one read
/// of the record.
pub(crate) async fn head(store: &Store, stream: &Stream) -> Result<Head, Error> {
    let hint = store.read(&stream.hint_path()).await?;
    // No more than a hint: an unreadable one costs a longer listing.
    let from = hint.and_then(|hint| std::str::from_utf8(&hint).ok()?.trim().parse::<u64>().ok());
    let after = from.map(|from| record_name(from.saturating_sub(1))).unwrap_or_default();
    let mut names = store.names_after(&stream.log_folder(), &after).await?;
    let mut last = last_record(&names);
    if last.is_none() && from.is_some() {
        // A hint past the end: somebody restored an older log.
        names = store.names_after(&stream.log_folder(), "").await?;
        last = last_record(&names);
    }
    let record = match last {
        Some(sequence) => Some(read_record(store, stream, sequence).await?),
        None => None,
    };
    let intents = names.into_iter().filter(|name| Intent::is_name(name)).collect();
    Ok(Head { record, intents })
}

fn last_record(names: &[String]) -> Option<u64> {
    names.iter().filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max()
}

pub(crate) async fn read_record(store: &Store, stream: &Stream, sequence: u64) -> Result<LogRecord, Error> {
    let path = stream.record_path(sequence);
    let unreadable = |reason: String| Error::Unreadable { path: path.clone(), reason };
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
pub(crate) async fn commit(store: &Store, stream: &Stream, record: &LogRecord) -> Result<bool, Error> {
    let body = serde_json::to_vec_pretty(record).map_err(std::io::Error::from)?;
    let created = store.create(&stream.record_path(record.sequence), body).await?;
    // The store may have created it and lost its answer, and then refused the
    // repetition.
    let ours = created || read_record(store, stream, record.sequence).await?.run == record.run;
    if ours && record.sequence.is_multiple_of(HINT_EVERY) && record.sequence > HINT_EVERY {
        let from = record.sequence - HINT_EVERY;
        if let Err(error) = store.write(&stream.hint_path(), from.to_string().into_bytes()).await {
            tracing::warn!(%error, tenant = stream.tenant, "the hint to the log's end was not written");
        }
    }
    Ok(ours)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use object_store::memory::InMemory;

    use super::*;

    fn stream() -> Stream {
        Stream::new(Dataset::Events, "97D69EC5-d0b3-425a-8d0d-cf4ac6521463").expect("a tenant's id")
    }

    fn record(sequence: u64, run: &str) -> LogRecord {
        LogRecord {
            version: 1,
            dataset: Dataset::Events,
            tenant: stream().tenant,
            sequence,
            run: run.into(),
            committed_at: "2026-11-23T10:00:00.000Z".into(),
            before: None,
            after: Place {
                cursor: None,
                frontier_ms: 7,
                settled_ms: 7,
                pending_ms: None,
                known_before_ms: None,
            },
            rows: 0,
            revised: 0,
            duplicates: 0,
            first_event: None,
            last_event: None,
            objects: Vec::new(),
            quarantined: 0,
            quarantine: Vec::new(),
            gaps: Vec::new(),
            backfill: Vec::new(),
            recent: String::new(),
            recent_contents: String::new(),
            recent_revisions: Vec::new(),
        }
    }

    #[tokio::test]
    async fn the_end_is_found_with_a_hint_without_one_and_with_a_wrong_one() {
        let store = Store::over(Arc::new(InMemory::new()));
        assert_eq!(head(&store, &stream()).await.expect("an empty log").sequence(), 0);
        for sequence in 1..=130 {
            assert!(commit(&store, &stream(), &record(sequence, "a")).await.expect("a commit"));
        }
        let hint = store.read(&stream().hint_path()).await.expect("the hint");
        assert_eq!(hint.as_deref(), Some(b"64".as_slice()), "a while behind the end");
        for hint in ["64", "1", "130", "131", "999999", "", "soon", "-1"] {
            store.write(&stream().hint_path(), hint.into()).await.expect("a hint");
            assert_eq!(head(&store, &stream()).await.expect("a log").sequence(), 130, "hint {hint}");
        }
    }

    #[tokio::test]
    async fn a_record_is_committed_by_one_run_only() {
        let store = Store::over(Arc::new(InMemory::new()));
        assert!(commit(&store, &stream(), &record(1, "a")).await.expect("a commit"));
        assert!(!commit(&store, &stream(), &record(1, "b")).await.expect("an answer"));
        assert!(
            commit(&store, &stream(), &record(1, "a")).await.expect("an answer"),
            "a repetition is the same"
        );
        assert_eq!(head(&store, &stream()).await.expect("a log").record, Some(record(1, "a")));
    }

    #[tokio::test]
    async fn a_log_that_is_not_ours_stops_the_run() {
        let store = Store::over(Arc::new(InMemory::new()));
        let newer = LogRecord { version: 2, ..record(1, "a") };
        for body in [b"{}".to_vec(), serde_json::to_vec(&newer).expect("JSON"), b"\xff".to_vec()] {
            store.write(&stream().record_path(1), body).await.expect("an object");
            let error = head(&store, &stream()).await.expect_err("not to be read");
            assert!(error.to_string().contains("000000000001.json"), "{error}");
        }
    }

    #[test]
    fn no_path_is_made_of_a_strange_id() {
        for id in ["", "..", "a/b", "a b", "ä", &"a".repeat(65)] {
            assert!(Stream::new(Dataset::Events, id).is_err(), "{id}");
        }
    }
}
