//! Write-ahead records: the objects that a run is about to write.
//!
//! A run that dies leaves objects that no log record names. Its write-ahead record names
//! them, so that the next run can delete them without listing the whole export. Each
//! write-ahead record belongs to one sequence number of the log. When a log record of
//! that number exists, no other run of that number can commit: its objects are garbage,
//! whether the run is dead or slow. That needs no clock.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sophos_store::Store;

use crate::{
    commit_log::{LogHead, LogRecord, StreamId, load_record},
    error::Error,
};

const FILE_SUFFIX: &str = ".wal";

/// The objects that a run may have written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct WriteAheadRecord {
    sequence: u64,
    run_id: String,
    objects: Vec<String>,
    #[serde(skip)]
    saved_len: usize,
}

impl WriteAheadRecord {
    pub(crate) fn new(sequence: u64, run_id: String) -> Self {
        Self { sequence, run_id, objects: Vec::new(), saved_len: 0 }
    }

    pub(crate) fn is_file_name(name: &str) -> bool {
        name.ends_with(FILE_SUFFIX)
    }

    /// The sequence number and the run's id in the name of a write-ahead record.
    pub(crate) fn parse_file_name(name: &str) -> Option<(u64, &str)> {
        let (sequence, run_id) = name.strip_suffix(FILE_SUFFIX)?.split_once('.')?;
        Some((sequence.parse().ok()?, run_id))
    }

    /// The name of the stored record; `None` if it was not written.
    pub(crate) fn file_name(&self) -> Option<String> {
        (self.saved_len > 0).then(|| format!("{:012}.{}{FILE_SUFFIX}", self.sequence, self.run_id))
    }

    fn path(&self, stream: &StreamId) -> String {
        format!("{}/{:012}.{}{FILE_SUFFIX}", stream.log_folder(), self.sequence, self.run_id)
    }

    /// Whether the run could have written all objects: in a partition of the stream, and
    /// named after the run.
    fn belongs_to(&self, stream: &StreamId) -> bool {
        let file = format!("{:012}-{}-", self.sequence, self.run_id);
        let folders = [stream.data_folder(), stream.quarantine_folder()];
        self.objects.iter().all(|object| {
            let rest = folders.iter().find_map(|folder| object.strip_prefix(folder)?.strip_prefix("/day="));
            let Some((day, name)) = rest.and_then(|rest| rest.split_once('/')) else { return false };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
            day.parse::<Date>().is_ok()
                && name.strip_prefix(&file).is_some_and(|part| part.bytes().all(plain))
        })
    }

    /// Adds an object that is about to be written.
    pub(crate) fn add(&mut self, path: String) {
        self.objects.push(path);
    }

    /// Writes the record if it has new objects.
    pub(crate) async fn save(&mut self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        if self.saved_len < self.objects.len() {
            let body = serde_json::to_vec(&self).map_err(std::io::Error::from)?;
            store.write(&self.path(stream), body).await?;
            self.saved_len = self.objects.len();
        }
        Ok(())
    }

    /// Deletes the objects, then the record.
    pub(crate) async fn rollback(&self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        if self.saved_len == 0 {
            return Ok(());
        }
        for object in &self.objects[..self.saved_len] {
            store.delete(object).await?;
        }
        Ok(store.delete(&self.path(stream)).await?)
    }

    /// Deletes the record after the commit.
    pub(crate) async fn finalize(&self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        if self.saved_len == 0 {
            return Ok(());
        }
        Ok(store.delete(&self.path(stream)).await?)
    }
}

/// Loads the objects of all write-ahead records of a stream. Leaves out those of runs that
/// end meanwhile, and invalid ones.
pub(crate) async fn load_write_ahead_records(
    store: &Store,
    stream: &StreamId,
) -> Result<Vec<Vec<String>>, Error> {
    let mut records = Vec::new();
    let names = store.list_names(&stream.log_folder(), "").await?;
    for name in names.iter().filter(|name| WriteAheadRecord::is_file_name(name)) {
        let path = format!("{}/{name}", stream.log_folder());
        let Some(body) = store.read(&path).await? else { continue };
        let record = serde_json::from_slice::<WriteAheadRecord>(&body).ok();
        let record = record.filter(|record| record.path(stream) == path && record.belongs_to(stream));
        records.extend(record.map(|record| record.objects));
    }
    Ok(records)
}

/// Deletes objects of other runs that cannot be committed any more, and returns their
/// number. An object that cannot be deleted is left to the next run, together with its
/// write-ahead record.
///
/// A write-ahead record that names an object of another run is rejected as a whole:
/// other objects in the bucket are not this stream's to delete.
pub(crate) async fn collect_garbage(store: &Store, stream: &StreamId, head: &LogHead) -> Result<u64, Error> {
    let mut deleted = 0;
    for name in &head.write_ahead_files {
        let path = format!("{}/{name}", stream.log_folder());
        let Some(body) = store.read(&path).await? else { continue };
        let record = serde_json::from_slice::<WriteAheadRecord>(&body).ok();
        let Some(record) = record.filter(|record| record.path(stream) == path && record.belongs_to(stream))
        else {
            tracing::warn!(
                event = "write_ahead_record_rejected",
                path,
                "invalid write-ahead record: it names objects of others; delete it manually"
            );
            continue;
        };
        if record.sequence > head.sequence() {
            // Its run may be active.
            continue;
        }
        let mut all_gone = true;
        let committed = load_committed(store, stream, head, record.sequence).await?;
        if committed.run_id != record.run_id {
            for object in record.objects.iter().filter(|object| !committed.contains_object(object)) {
                let gone = try_remove(store, object).await;
                deleted += u64::from(gone);
                all_gone &= gone;
            }
        }
        if all_gone {
            try_remove(store, &path).await;
        }
    }
    Ok(deleted)
}

/// Deletes an object that readers do not need. Returns whether it is gone.
pub(crate) async fn try_remove(store: &Store, path: &str) -> bool {
    let removed = store.delete(path).await;
    if let Err(error) = &removed {
        tracing::warn!(event = "garbage_collection_failed", path, %error, "failed to delete an unneeded object; allow s3:DeleteObject there");
    }
    removed.is_ok()
}

/// Loads the log record of this number.
pub(crate) async fn load_committed(
    store: &Store,
    stream: &StreamId,
    head: &LogHead,
    sequence: u64,
) -> Result<LogRecord, Error> {
    match &head.record {
        Some(record) if record.sequence == sequence => Ok(record.clone()),
        _ => load_record(store, stream, sequence).await,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dataset::Dataset;

    #[test]
    fn write_ahead_record_keeps_its_stored_form() {
        let stored = include_str!("../tests/fixtures/stored/write_ahead_record.wal");
        let record: WriteAheadRecord = serde_json::from_str(stored).expect("a write-ahead record");
        assert_eq!(serde_json::to_string(&record).expect("JSON"), stored);
        let stream =
            StreamId::new(Dataset::Alerts, "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f").expect("a tenant");
        assert!(record.belongs_to(&stream));
    }

    #[tokio::test]
    async fn collect_garbage_keeps_committed_and_undeletable_objects() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let stream =
            StreamId::new(Dataset::Events, "97d69ec5-d0b3-425a-8d0d-cf4ac6521463").expect("a tenant");
        let day = format!("{}/day=2026-11-23", stream.data_folder());
        let named = json!({
            "path": format!("{day}/000000000001-named-0"), "bytes": 0, "sha256": "", "rows": 0,
            "first_event": null, "last_event": null,
        });
        let record = json!({
            "version": 1, "dataset": "events", "tenant": stream.tenant, "sequence": 1, "run_id": "committed",
            "committed_at": "2026-11-23T10:00:00.000Z", "checkpoint_before": null,
            "checkpoint_after": { "cursor": null, "high_watermark_ms": 7, "low_watermark_ms": 7 }, "rows": 0, "duplicates": 0,
            "first_event": null, "last_event": null, "objects": [named], "gaps": [], "pending_backfills": [], "recent_ids": "",
        });
        let record = Some(serde_json::from_value(record).expect("a record"));
        let mut files = Vec::new();
        for run in ["dead", "late", "committed", "named"] {
            let mut write_ahead = WriteAheadRecord::new(1, run.into());
            write_ahead.add(format!("{day}/000000000001-{run}-0"));
            write_ahead.save(&store, &stream).await.expect("written");
            files.push(write_ahead.path(&stream).rsplit('/').next().expect("a name").to_owned());
        }
        // A folder that is not empty cannot be removed as an object.
        for object in ["dead-0/inside", "late-0", "committed-0", "named-0"] {
            store.create(&format!("{day}/000000000001-{object}"), Vec::new()).await.expect("created");
        }
        let head = LogHead { record, write_ahead_files: files.clone() };
        for deleted in [1, 0] {
            assert_eq!(collect_garbage(&store, &stream, &head).await.expect("no failure"), deleted);
            let left = store.list_names(&stream.log_folder(), "").await.expect("a listing");
            assert_eq!(left, [files[0].as_str()], "the others are gone");
            let kept = store.list_names(&day, "").await.expect("a listing");
            assert_eq!(
                kept,
                ["000000000001-committed-0", "000000000001-named-0"],
                "the log names the second"
            );
        }
        std::fs::remove_dir_all(folder.path().join(format!("{day}/000000000001-dead-0"))).expect("removed");
        collect_garbage(&store, &stream, &head).await.expect("no failure");
        let left = store.list_names(&stream.log_folder(), "").await.expect("a listing");
        assert_eq!(left, [""; 0], "the next run completes the deletion");
    }
}
