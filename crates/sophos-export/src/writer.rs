//! The writer of objects: one open object for each day, written when the memory limit is
//! reached and at the end.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt};
use jiff::{Timestamp, civil::Date};
use sophos_store::Store;
use tokio::task::JoinHandle;

use crate::{
    commit_log::{DataObject, StreamId},
    digest::sha256_hex,
    encode::{Encoder, QuarantinedRecord, Row, to_rfc3339_millis},
    error::Error,
    format::{Format, NdjsonGzip},
    write_ahead::WriteAheadRecord,
};

/// The concurrent uploads at the end of a run.
const MAX_CONCURRENT_UPLOADS: usize = 8;

/// The partition of an object. The order puts quarantine after data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Partition {
    /// Rows of this day.
    Data(Date),
    /// Records that are not JSON and were read on this day.
    Quarantine(Date),
}

/// Writes the objects of one run.
#[derive(Debug)]
pub(crate) struct ObjectWriter {
    store: Store,
    stream: StreamId,
    format: Format,
    sequence: u64,
    run_id: String,
    write_ahead: WriteAheadRecord,
    open: BTreeMap<Partition, OpenObject>,
    /// The memory of open objects in bytes.
    buffered_bytes: usize,
    /// The memory limit of open objects in bytes. Beyond it, the largest is written.
    max_buffered_bytes: usize,
    upload: Option<JoinHandle<Result<Vec<CreatedObject>, Error>>>,
    objects: Vec<DataObject>,
    /// Whether a log record may name the objects. They must not be deleted then.
    may_be_committed: bool,
}

/// An uploaded object, and its entity tag if the store returned one.
#[derive(Debug)]
struct CreatedObject {
    path: String,
    e_tag: Option<String>,
}

#[derive(Debug)]
struct OpenObject {
    encoder: ObjectEncoder,
    rows: u64,
    time_range: TimeRange,
}

/// The encoder of an object. Quarantined records are lines in every format.
#[derive(Debug)]
enum ObjectEncoder {
    Rows(Box<dyn Encoder>),
    Quarantine(Box<NdjsonGzip>),
}

impl ObjectEncoder {
    fn size(&self) -> usize {
        match self {
            Self::Rows(encoder) => encoder.size(),
            Self::Quarantine(encoder) => encoder.size(),
        }
    }

    fn finish(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Rows(encoder) => encoder.finish(),
            Self::Quarantine(encoder) => encoder.finish(),
        }
    }
}

/// The earliest and the latest time of some records.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TimeRange(Option<(Timestamp, Timestamp)>);

impl TimeRange {
    pub(crate) fn include(&mut self, time: Timestamp) {
        let (first, last) = self.0.unwrap_or((time, time));
        self.0 = Some((first.min(time), last.max(time)));
    }

    pub(crate) fn first(&self) -> Option<String> {
        self.0.map(|(first, _)| to_rfc3339_millis(first))
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.0.map(|(_, last)| to_rfc3339_millis(last))
    }
}

impl ObjectWriter {
    pub(crate) fn new(
        store: Store,
        stream: StreamId,
        format: Format,
        sequence: u64,
        run_id: String,
        max_buffered_bytes: usize,
    ) -> Self {
        Self {
            write_ahead: WriteAheadRecord::new(sequence, run_id.clone()),
            store,
            stream,
            format,
            sequence,
            run_id,
            open: BTreeMap::new(),
            buffered_bytes: 0,
            max_buffered_bytes,
            upload: None,
            objects: Vec::new(),
            may_be_committed: false,
        }
    }

    pub(crate) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Adds a row to the object of this day. Writes objects beyond the memory limit.
    pub(crate) async fn add_row(&mut self, row: &Row<'_>, day: Date) -> Result<(), Error> {
        let time = row.time.or(row.created_at);
        let format = self.format;
        let new = || ObjectEncoder::Rows(format.encoder());
        self.add(Partition::Data(day), time, new, |encoder| match encoder {
            ObjectEncoder::Rows(encoder) => encoder.push(row),
            ObjectEncoder::Quarantine(_) => Err(std::io::Error::other("the object has quarantined records")),
        })
        .await
    }

    /// Adds a record that is not JSON to the quarantine of this day.
    pub(crate) async fn add_quarantined(
        &mut self,
        record: &QuarantinedRecord<'_>,
        day: Date,
    ) -> Result<(), Error> {
        let line = record.to_line()?;
        let new = || ObjectEncoder::Quarantine(Box::default());
        self.add(Partition::Quarantine(day), None, new, |encoder| match encoder {
            ObjectEncoder::Quarantine(encoder) => encoder.push_line(&line),
            ObjectEncoder::Rows(_) => Err(std::io::Error::other("the object has rows")),
        })
        .await
    }

    async fn add(
        &mut self,
        partition: Partition,
        time: Option<Timestamp>,
        new: impl FnOnce() -> ObjectEncoder,
        push: impl FnOnce(&mut ObjectEncoder) -> std::io::Result<()>,
    ) -> Result<(), Error> {
        let open = self.open.entry(partition).or_insert_with(|| OpenObject {
            encoder: new(),
            rows: 0,
            time_range: TimeRange::default(),
        });
        let before = open.encoder.size();
        push(&mut open.encoder)?;
        open.rows += 1;
        if let Some(time) = time {
            open.time_range.include(time);
        }
        self.buffered_bytes = self.buffered_bytes + open.encoder.size() - before;
        // After every row: one page may open hundreds of days.
        if self.buffered_bytes > self.max_buffered_bytes {
            // Boxed: the future of each row would contain this rare one.
            Box::pin(self.flush_if_full()).await
        } else {
            Ok(())
        }
    }

    /// Compresses or writes the largest objects until the rest is within the memory limit.
    async fn flush_if_full(&mut self) -> Result<(), Error> {
        let largest = self.open.values().map(|open| open.encoder.size()).max().unwrap_or(0);
        let limit = self.max_buffered_bytes;
        // If all are small, each of the next rows would fill the memory again.
        let target = if largest < limit / 8 { limit / 2 } else { limit };
        let mut closed = Vec::new();
        while self.buffered_bytes > target {
            let largest = self.open.iter_mut().max_by_key(|(_, open)| open.encoder.size());
            let Some((partition, open)) = largest else { break };
            let partition = *partition;
            let before = open.encoder.size();
            if let ObjectEncoder::Rows(encoder) = &mut open.encoder {
                encoder.compact()?;
            }
            let after = open.encoder.size();
            self.buffered_bytes = self.buffered_bytes + after - before;
            // Otherwise the object would be compressed again after a few rows.
            if after < before / 2 {
                continue;
            }
            // One upload at a time: more would take memory if the store is slow.
            self.await_upload().await?;
            closed.push(self.close(partition)?);
        }
        if !closed.is_empty() {
            self.write_ahead.save(&self.store, &self.stream).await?;
            let store = self.store.clone();
            self.upload = Some(tokio::spawn(async move {
                let mut created = Vec::with_capacity(closed.len());
                for (path, body) in closed {
                    created.push(create_object(&store, path, body).await?);
                }
                Ok(created)
            }));
        }
        Ok(())
    }

    /// Writes all open objects. Returns all objects of the run, in order.
    pub(crate) async fn finish(&mut self) -> Result<Vec<DataObject>, Error> {
        self.await_upload().await?;
        let mut closed = Vec::with_capacity(self.open.len());
        while let Some(partition) = self.open.keys().next().copied() {
            closed.push(self.close(partition)?);
        }
        self.write_ahead.save(&self.store, &self.stream).await?;
        let uploads = closed.into_iter().map(|(path, body)| {
            let store = self.store.clone();
            async move { create_object(&store, path, body).await }
        });
        let created: Vec<_> = futures_util::stream::iter(uploads)
            .buffer_unordered(MAX_CONCURRENT_UPLOADS)
            .try_collect()
            .await?;
        created.into_iter().for_each(|object| self.set_e_tag(object));
        Ok(std::mem::take(&mut self.objects))
    }

    /// Marks the start of the commit. If its response is lost, only the next run can find
    /// out whether it succeeded.
    pub(crate) fn begin_commit(&mut self) {
        self.may_be_committed = true;
    }

    /// Marks that another run committed first.
    pub(crate) fn mark_superseded(&mut self) {
        self.may_be_committed = false;
    }

    /// Deletes the written objects, unless they may be committed.
    pub(crate) async fn rollback(&mut self) -> Result<(), Error> {
        if self.may_be_committed {
            return Ok(());
        }
        // The upload has to end before its object is deleted; its result is irrelevant.
        let _ = self.await_upload().await;
        self.write_ahead.rollback(&self.store, &self.stream).await
    }

    /// The name of the write-ahead record in the folder of the log; `None` if the run
    /// wrote none.
    pub(crate) fn write_ahead_file(&self) -> Option<String> {
        self.write_ahead.file_name()
    }

    /// Deletes the write-ahead record after the commit.
    pub(crate) async fn finalize(&self) -> Result<(), Error> {
        self.write_ahead.finalize(&self.store, &self.stream).await
    }

    async fn await_upload(&mut self) -> Result<(), Error> {
        if let Some(upload) = self.upload.take() {
            upload.await??.into_iter().for_each(|object| self.set_e_tag(object));
        }
        Ok(())
    }

    fn set_e_tag(&mut self, CreatedObject { path, e_tag }: CreatedObject) {
        if let Some(object) = self.objects.iter_mut().find(|object| object.path == path) {
            object.e_tag = e_tag;
        }
    }

    fn close(&mut self, partition: Partition) -> Result<(String, Vec<u8>), Error> {
        let Some(open) = self.open.remove(&partition) else {
            return Err(std::io::Error::other("the day is not open").into());
        };
        let (sequence, run, part) = (self.sequence, &self.run_id, self.objects.len());
        let (root, day, format) = match partition {
            Partition::Data(day) => (self.stream.data_folder(), day, self.format),
            Partition::Quarantine(day) => (self.stream.quarantine_folder(), day, Format::NdjsonGzip),
        };
        let extension = format.extension();
        let path = format!("{root}/day={day}/{sequence:012}-{run}-{part:04}.{extension}");
        self.buffered_bytes -= open.encoder.size();
        let body = open.encoder.finish()?;
        self.write_ahead.add(path.clone());
        self.objects.push(DataObject {
            path: path.clone(),
            bytes: body.len() as u64,
            sha256: sha256_hex(&body),
            e_tag: None,
            rows: open.rows,
            first_event: open.time_range.first(),
            last_event: open.time_range.last(),
        });
        Ok((path, body))
    }
}

async fn create_object(store: &Store, path: String, body: Vec<u8>) -> Result<CreatedObject, Error> {
    // The name is unique to this run. An existing object is from an earlier attempt of
    // this request, whose response with the entity tag was lost.
    let e_tag = store.create_with_e_tag(&path, body).await?.filter(|e_tag| !e_tag.is_empty());
    Ok(CreatedObject { path, e_tag })
}
