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
    error::Error,
    log::{Head, LogRecord, Stream, read_record},
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

    /// Whether all objects are ones that its run writes: in a day of the stream,
    /// and named after the run.
    fn is_of(&self, stream: &Stream) -> bool {
        let file = format!("{:012}-{}-", self.sequence, self.run);
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

/// Removes what other runs left that cannot be committed any more, and returns
/// the number of removed objects.
///
/// An intent is believed only about objects that its run could have written:
/// anything else in the bucket is not this stream's to remove.
pub(crate) async fn sweep(store: &Store, stream: &Stream, head: &Head) -> Result<u64, Error> {
    let mut swept = 0;
    for name in &head.intents {
        let path = format!("{}/{name}", stream.log_folder());
        let Some(body) = store.read(&path).await? else { continue };
        let intent = serde_json::from_slice::<Intent>(&body).ok();
        let Some(intent) = intent.filter(|intent| intent.path(stream) == path && intent.is_of(stream)) else {
            let event = "intent_rejected";
            tracing::warn!(event, path, "invalid intent: it names objects of others; remove it by hand");
            continue;
        };
        if intent.sequence > head.sequence() {
            // Its run may be at work.
            continue;
        }
        let committed = committed(store, stream, head, intent.sequence).await?;
        if committed.run != intent.run {
            for object in intent.objects.iter().filter(|object| !committed.names(object)) {
                store.remove(object).await?;
                swept += 1;
            }
        }
        store.remove(&path).await?;
    }
    Ok(swept)
}

/// The record that has this number in the log.
async fn committed(store: &Store, stream: &Stream, head: &Head, sequence: u64) -> Result<LogRecord, Error> {
    match &head.record {
        Some(record) if record.sequence == sequence => Ok(record.clone()),
        _ => read_record(store, stream, sequence).await,
    }
}
