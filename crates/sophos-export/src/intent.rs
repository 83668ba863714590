//! What a run is about to write, written down before it does.
//!
//! A run that dies leaves objects that no log record names. Its intent says
//! which, so the next run can remove them without listing the whole export. An
//! intent aims at one sequence number of the log; once a record of that number
//! exists, no run that aimed at it can commit any more, so what it wrote is
//! rubbish whether it is dead or merely slow. No clock is needed to tell.

use serde::{Deserialize, Serialize};
use sophos_store::Store;

use crate::{
    error::Error,
    log::{Head, Stream, read_record},
};

const SUFFIX: &str = ".intent";

/// The objects that a run may have written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Intent {
    sequence: u64,
    run: String,
    objects: Vec<String>,
    #[serde(skip)]
    written: usize,
}

impl Intent {
    pub(crate) fn new(sequence: u64, run: String) -> Self {
        Self { sequence, run, objects: Vec::new(), written: 0 }
    }

    pub(crate) fn is_name(name: &str) -> bool {
        name.ends_with(SUFFIX)
    }

    fn path(&self, stream: &Stream) -> String {
        format!("{}/{:012}.{}{SUFFIX}", stream.log_folder(), self.sequence, self.run)
    }

    /// Adds an object that is about to be written.
    pub(crate) fn add(&mut self, path: String) {
        self.objects.push(path);
    }

    /// Writes the intent, if it grew since it was written.
    pub(crate) async fn write(&mut self, store: &Store, stream: &Stream) -> Result<(), Error> {
        if self.written < self.objects.len() {
            let body = serde_json::to_vec(&self).map_err(std::io::Error::from)?;
            store.write(&self.path(stream), body).await?;
            self.written = self.objects.len();
        }
        Ok(())
    }

    /// Takes back everything: the objects, then the intent.
    pub(crate) async fn undo(&self, store: &Store, stream: &Stream) -> Result<(), Error> {
        if self.written == 0 {
            return Ok(());
        }
        for object in &self.objects[..self.written] {
            store.remove(object).await?;
        }
        Ok(store.remove(&self.path(stream)).await?)
    }

    /// Forgets the intent: what it named is committed.
    pub(crate) async fn settle(&self, store: &Store, stream: &Stream) -> Result<(), Error> {
        if self.written == 0 {
            return Ok(());
        }
        Ok(store.remove(&self.path(stream)).await?)
    }
}

/// Removes what other runs left that cannot be committed any more. Says how
/// many objects went. An object that cannot be removed is left to the next run, with
/// the intent that names it, and holds up no other.
pub(crate) async fn sweep(store: &Store, stream: &Stream, head: &Head) -> Result<u64, Error> {
    let mut swept = 0;
    for name in &head.intents {
        let path = format!("{}/{name}", stream.log_folder());
        let Some(body) = store.read(&path).await? else { continue };
        let Ok(intent) = serde_json::from_slice::<Intent>(&body) else {
            tracing::warn!(path, "an intent that cannot be read; remove it by hand");
            continue;
        };
        if intent.sequence > head.sequence() {
            // Its run may be at work.
            continue;
        }
        let mut all_gone = true;
        if committer(store, stream, head, intent.sequence).await? != intent.run {
            for object in &intent.objects {
                let gone = remove(store, object).await;
                swept += u64::from(gone);
                all_gone &= gone;
            }
        }
        if all_gone {
            remove(store, &path).await;
        }
    }
    Ok(swept)
}

/// Removes an object that no reader needs. Says whether it is gone.
async fn remove(store: &Store, path: &str) -> bool {
    let removed = store.remove(path).await;
    if let Err(error) = &removed {
        tracing::warn!(path, %error, "removing an unneeded object failed; allow s3:DeleteObject there");
    }
    removed.is_ok()
}

/// The run that committed this number of the log.
async fn committer(store: &Store, stream: &Stream, head: &Head, sequence: u64) -> Result<String, Error> {
    match &head.record {
        Some(record) if record.sequence == sequence => Ok(record.run.clone()),
        _ => Ok(read_record(store, stream, sequence).await?.run),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::dataset::Dataset;

    #[tokio::test]
    async fn sweep_leaves_what_cannot_be_removed_to_the_next_run() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let stream = Stream::new(Dataset::Events, "97d69ec5-d0b3-425a-8d0d-cf4ac6521463").expect("a tenant");
        let record = json!({
            "version": 1, "dataset": "events", "tenant": stream.tenant, "sequence": 1, "run": "committed",
            "committed_at": "2026-11-23T10:00:00.000Z", "before": null,
            "after": { "cursor": null, "frontier_ms": 7, "settled_ms": 7 }, "rows": 0, "duplicates": 0,
            "first_event": null, "last_event": null, "objects": [], "gaps": [], "backfill": [], "recent": "",
        });
        let record = Some(serde_json::from_value(record).expect("a record"));
        let mut intents = Vec::new();
        for (run, object) in
            [("dead", "events/stuck"), ("late", "events/loose"), ("committed", "events/kept")]
        {
            let mut intent = Intent::new(1, run.into());
            intent.add(object.into());
            intent.write(&store, &stream).await.expect("written");
            intents.push(intent.path(&stream).rsplit('/').next().expect("a name").to_owned());
        }
        // A folder that is not empty cannot be removed as an object.
        for object in ["events/stuck/inside", "events/loose", "events/kept"] {
            store.create(object, Vec::new()).await.expect("created");
        }
        let head = Head { record, intents: intents.clone() };
        for swept in [1, 0] {
            assert_eq!(sweep(&store, &stream, &head).await.expect("no failure"), swept);
            let left = store.names_after(&stream.log_folder(), "").await.expect("a listing");
            assert_eq!(left, [intents[0].as_str()], "the others are gone");
            assert_eq!(store.names_after("events", "").await.expect("a listing"), ["kept"]);
        }
        std::fs::remove_dir_all(folder.path().join("events/stuck")).expect("removed");
        sweep(&store, &stream, &head).await.expect("no failure");
        let left = store.names_after(&stream.log_folder(), "").await.expect("a listing");
        assert_eq!(left, [""; 0], "the next run gets on with it");
    }
}
