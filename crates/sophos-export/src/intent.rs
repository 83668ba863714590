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
/// many objects went.
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
        if committer(store, stream, head, intent.sequence).await? != intent.run {
            for object in &intent.objects {
                store.remove(object).await?;
                swept += 1;
            }
        }
        store.remove(&path).await?;
    }
    Ok(swept)
}

/// The run that committed this number of the log.
async fn committer(store: &Store, stream: &Stream, head: &Head, sequence: u64) -> Result<String, Error> {
    match &head.record {
        Some(record) if record.sequence == sequence => Ok(record.run.clone()),
        _ => Ok(read_record(store, stream, sequence).await?.run),
    }
}
