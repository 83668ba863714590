//! What a run is about to write, written down before it does.
//!
//! A run that dies leaves objects that no log record names. Its intent says
//! which, so the next run can remove them without listing the whole export. An
//! intent aims at one sequence number of the log; once a record of that number
//! exists, no run that aimed at it can commit any more, so what it wrote is
//! rubbish whether it is dead or merely slow. No clock is needed to tell.

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
    pub(crate) fn new(sequence: u64, run: String) -> Self {
        Self { sequence, run_id: run, objects: Vec::new(), saved_len: 0 }
    }

    pub(crate) fn is_file_name(name: &str) -> bool {
        name.ends_with(FILE_SUFFIX)
    }

    fn path(&self, stream: &StreamId) -> String {
        format!("{}/{:012}.{}{FILE_SUFFIX}", stream.log_folder(), self.sequence, self.run_id)
    }

    /// Whether all objects are ones that its run writes: in a day of the stream,
    /// and named after the run.
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

    /// Writes the intent, if it grew since it was written.
    pub(crate) async fn save(&mut self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        if self.saved_len < self.objects.len() {
            let body = serde_json::to_vec(&self).map_err(std::io::Error::from)?;
            store.write(&self.path(stream), body).await?;
            self.saved_len = self.objects.len();
        }
        Ok(())
    }

    /// Takes back everything: the objects, then the intent.
    pub(crate) async fn rollback(&self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        if self.saved_len == 0 {
            return Ok(());
        }
        for object in &self.objects[..self.saved_len] {
            store.delete(object).await?;
        }
        Ok(store.delete(&self.path(stream)).await?)
    }

    /// Forgets the intent: what it named is committed.
    pub(crate) async fn finalize(&self, store: &Store, stream: &StreamId) -> Result<(), Error> {
        if self.saved_len == 0 {
            return Ok(());
        }
        Ok(store.delete(&self.path(stream)).await?)
    }
}

/// Removes what other runs left that cannot be committed any more, and returns
/// the number of removed objects. An object that cannot be removed is left to the
/// next run, with the intent that names it, and holds up no other.
///
/// An intent is believed only about objects that its run could have written:
/// anything else in the bucket is not this stream's to remove.
pub(crate) async fn collect_garbage(store: &Store, stream: &StreamId, head: &LogHead) -> Result<u64, Error> {
    let mut swept = 0;
    for name in &head.write_ahead_files {
        let path = format!("{}/{name}", stream.log_folder());
        let Some(body) = store.read(&path).await? else { continue };
        let intent = serde_json::from_slice::<WriteAheadRecord>(&body).ok();
        let Some(intent) = intent.filter(|intent| intent.path(stream) == path && intent.belongs_to(stream))
        else {
            let event = "write_ahead_record_rejected";
            tracing::warn!(event, path, "invalid intent: it names objects of others; remove it by hand");
            continue;
        };
        if intent.sequence > head.sequence() {
            // Its run may be at work.
            continue;
        }
        let mut all_gone = true;
        let committed = load_committed(store, stream, head, intent.sequence).await?;
        if committed.run_id != intent.run_id {
            for object in intent.objects.iter().filter(|object| !committed.contains_object(object)) {
                let gone = try_remove(store, object).await;
                swept += u64::from(gone);
                all_gone &= gone;
            }
        }
        if all_gone {
            try_remove(store, &path).await;
        }
    }
    Ok(swept)
}

/// Removes an object that no reader needs. Says whether it is gone.
async fn try_remove(store: &Store, path: &str) -> bool {
    let removed = store.delete(path).await;
    if let Err(error) = &removed {
        tracing::warn!(event = "garbage_collection_failed", path, %error, "removing an unneeded object failed; allow s3:DeleteObject there");
    }
    removed.is_ok()
}

/// The record that has this number in the log.
async fn load_committed(
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
    async fn collect_garbage_keeps_the_record_when_removal_fails() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let stream =
            StreamId::new(Dataset::Events, "97d69ec5-d0b3-425a-8d0d-cf4ac6521463").expect("a tenant");
        let record = json!({
            "version": 1, "dataset": "events", "tenant": stream.tenant, "sequence": 1, "run_id": "committed",
            "committed_at": "2026-11-23T10:00:00.000Z", "checkpoint_before": null,
            "checkpoint_after": { "cursor": null, "high_watermark_ms": 7, "low_watermark_ms": 7 }, "rows": 0, "duplicates": 0,
            "first_event": null, "last_event": null, "objects": [], "gaps": [], "pending_backfills": [], "recent_ids": "",
        });
        let record = Some(serde_json::from_value(record).expect("a record"));
        let mut intents = Vec::new();
        let day = format!("{}/day=2026-11-23", stream.data_folder());
        for run in ["dead", "late", "committed"] {
            let mut intent = WriteAheadRecord::new(1, run.into());
            intent.add(format!("{day}/000000000001-{run}-0"));
            intent.save(&store, &stream).await.expect("written");
            intents.push(intent.path(&stream).rsplit('/').next().expect("a name").to_owned());
        }
        // A folder that is not empty cannot be removed as an object.
        for object in ["dead-0/inside", "late-0", "committed-0"] {
            store.create(&format!("{day}/000000000001-{object}"), Vec::new()).await.expect("created");
        }
        let head = LogHead { record, write_ahead_files: intents.clone() };
        for swept in [1, 0] {
            assert_eq!(collect_garbage(&store, &stream, &head).await.expect("no failure"), swept);
            let left = store.list_names(&stream.log_folder(), "").await.expect("a listing");
            assert_eq!(left, [intents[0].as_str()], "the others are gone");
            assert_eq!(store.list_names(&day, "").await.expect("a listing"), ["000000000001-committed-0"]);
        }
        std::fs::remove_dir_all(folder.path().join(format!("{day}/000000000001-dead-0"))).expect("removed");
        collect_garbage(&store, &stream, &head).await.expect("no failure");
        let left = store.list_names(&stream.log_folder(), "").await.expect("a listing");
        assert_eq!(left, [""; 0], "the next run gets on with it");
    }
}
