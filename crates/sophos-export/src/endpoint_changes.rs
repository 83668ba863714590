//! The changes between two snapshots of the endpoints, derived without requests.
//!
//! Each commit has the changes of one pair of consecutive snapshots. Its cursor is the
//! number of the later one in the endpoints' log, so each pair is compared once, in order.
//!
//! The memory does not depend on the size of a record. Each endpoint takes an id and a
//! digest (33 bytes, and up to three times as much while the table grows). The earlier
//! records of changed endpoints are read in batches.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;
use sophos_api::{TenantClient, Transport};

use crate::{
    checkpoint::{Checkpoint, Gap},
    commit_log::{LogHead, LogRecord, StreamId, load_head, load_record},
    commit_run::format_ms,
    dataset::Dataset,
    day::utc_date,
    dedup_window::RecordId,
    encode::Row,
    endpoint_diff::{EndpointDigest, changed_members},
    error::Error,
    report::StreamReport,
    snapshot_reader::SnapshotReader,
    stream::{ReadOutcome, StreamRun},
    writer::ObjectWriter,
};

/// The records of a batch in bytes, as a multiple of the stream's buffer.
const BATCH_BUFFERS: usize = 4;

/// An endpoint in both snapshots or in one.
#[derive(Debug, Clone, Copy)]
enum EndpointState {
    /// In the earlier snapshot, and not found in the later one so far.
    Before(EndpointDigest),
    /// In both, with other content.
    Changed,
}

/// The changes of one pair of snapshots.
struct ChangeBatch<'a> {
    before: &'a LogRecord,
    after: &'a LogRecord,
    writer: ObjectWriter,
    rows: u64,
}

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    /// Compares the next pair of snapshots. `BatchFull` if another pair follows.
    pub(crate) async fn run_changes(&self, report: &mut StreamReport) -> Result<ReadOutcome, Error> {
        let mut head = load_head(self.store, &self.stream).await?;
        let endpoints = StreamId { dataset: Dataset::Endpoints, tenant: self.stream.tenant.clone() };
        let latest = load_head(self.store, &endpoints).await?.sequence();
        let compared = self.compared_sequence(&head)?;
        report.freshness_seconds = head
            .record
            .as_ref()
            .map(|record| self.overdue_seconds(record.checkpoint_after.high_watermark_ms));
        // The first commit compares the last two. Earlier objects may be archived.
        let next = compared.map_or(latest.max(2), |sequence| sequence + 1);
        let outcome = if next > latest {
            Ok(ReadOutcome::EndOfFeed)
        } else if self.must_stop() {
            Ok(ReadOutcome::Deadline)
        } else {
            let is_committed = self.compare_pair(&mut head, &endpoints, next, report).await;
            is_committed.map(|is_committed| match is_committed && next < latest {
                true => ReadOutcome::BatchFull,
                false => ReadOutcome::EndOfFeed,
            })
        };
        self.end_run(&mut head, report, outcome).await
    }

    /// The number of the latest snapshot that was compared.
    fn compared_sequence(&self, head: &LogHead) -> Result<Option<u64>, Error> {
        let Some(record) = &head.record else { return Ok(None) };
        let sequence = record.checkpoint_after.cursor.as_deref().and_then(|cursor| cursor.parse().ok());
        sequence.map(Some).ok_or_else(|| Error::InvalidLogRecord {
            path: self.stream.record_path(record.sequence),
            reason: "its cursor is not the number of a snapshot".into(),
        })
    }

    /// Compares the snapshot with this number with the one before it, and commits the
    /// changes. Returns `false` if another run committed first.
    async fn compare_pair(
        &self,
        head: &mut LogHead,
        endpoints: &StreamId,
        sequence: u64,
        report: &mut StreamReport,
    ) -> Result<bool, Error> {
        let before = load_record(self.store, endpoints, sequence - 1).await?;
        let after = load_record(self.store, endpoints, sequence).await?;
        let mut batch =
            ChangeBatch { before: &before, after: &after, writer: self.object_writer(head), rows: 0 };
        let compared = self.compare_and_commit(&mut batch, head, report).await;
        self.roll_back(&mut batch.writer).await;
        compared
    }

    async fn compare_and_commit(
        &self,
        batch: &mut ChangeBatch<'_>,
        head: &mut LogHead,
        report: &mut StreamReport,
    ) -> Result<bool, Error> {
        let taken_ms = batch.after.checkpoint_after.high_watermark_ms;
        let is_gap = !self.has_all_objects(batch.before).await? || !self.has_all_objects(batch.after).await?;
        if !is_gap {
            self.compare(batch).await?;
        }
        let objects = batch.writer.finish().await?;
        let checkpoint = Checkpoint::at(taken_ms, Some(batch.after.sequence.to_string()));
        let mut record = self.next_record(head, &batch.writer, checkpoint);
        record.objects = objects;
        record.rows = batch.rows;
        if batch.rows > 0 {
            (record.first_event, record.last_event) = (Some(format_ms(taken_ms)), Some(format_ms(taken_ms)));
        }
        if is_gap {
            let gap = Gap { from_ms: batch.before.checkpoint_after.high_watermark_ms, to_ms: taken_ms };
            tracing::error!(
                event = "snapshot_objects_missing",
                tenant_id = self.stream.tenant,
                from_ms = gap.from_ms,
                to_ms = gap.to_ms,
                "objects of a snapshot no longer exist; the changes between the two snapshots are a gap"
            );
            record.gaps.push(gap);
        }
        let gaps = record.gaps.clone();
        let is_committed = self.commit_record(&mut batch.writer, head, record, report).await?;
        if is_committed {
            report.gaps.extend(gaps);
            report.freshness_seconds = Some(self.overdue_seconds(taken_ms));
        }
        Ok(is_committed)
    }

    /// Whether all objects of a snapshot exist. A lifecycle rule may have removed them.
    async fn has_all_objects(&self, snapshot: &LogRecord) -> Result<bool, Error> {
        let mut listed: Option<(&str, Vec<String>)> = None;
        for object in &snapshot.objects {
            let Some((folder, name)) = object.path.rsplit_once('/') else { return Ok(false) };
            let names = match listed.take().filter(|(known, _)| *known == folder) {
                Some((_, names)) => names,
                None => self.store.list_names(folder, "").await?,
            };
            let exists = names.iter().any(|known| known == name);
            listed = Some((folder, names));
            if !exists {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Writes the changes: first the added endpoints, then the removed and changed ones.
    async fn compare(&self, batch: &mut ChangeBatch<'_>) -> Result<(), Error> {
        let mut endpoints = HashMap::<RecordId, EndpointState>::new();
        let mut rows = SnapshotReader::new(self, batch.before);
        while let Some(row) = rows.next().await? {
            endpoints.insert(RecordId::new(&row.id), EndpointState::Before(EndpointDigest::new(&row.record)));
        }
        let mut rows = SnapshotReader::new(self, batch.after);
        while let Some(row) = rows.next().await? {
            let id = RecordId::new(&row.id);
            match endpoints.get(&id).copied() {
                Some(EndpointState::Before(digest)) if digest == EndpointDigest::new(&row.record) => {
                    endpoints.remove(&id);
                }
                Some(_) => {
                    endpoints.insert(id, EndpointState::Changed);
                }
                None => {
                    self.add_change(batch, "added", &row.id, &format!("\"after\":{}", row.record)).await?
                }
            }
        }
        self.compare_changed(batch, &endpoints).await
    }

    /// Compares the records of endpoints that differ. Those of the earlier snapshot are
    /// held in batches. The later one is read on from where the batch before ended, since
    /// the service lists both in the same order.
    async fn compare_changed(
        &self,
        batch: &mut ChangeBatch<'_>,
        endpoints: &HashMap<RecordId, EndpointState>,
    ) -> Result<(), Error> {
        let max_bytes = self.settings.stream_buffer_bytes() * BATCH_BUFFERS;
        let mut earlier = SnapshotReader::new(self, batch.before);
        let mut later = SnapshotReader::new(self, batch.after);
        let mut is_end = endpoints.is_empty();
        while !is_end {
            let (mut held, mut bytes) = (HashMap::<RecordId, String>::new(), 0);
            while bytes <= max_bytes {
                let Some(row) = earlier.next().await? else {
                    is_end = true;
                    break;
                };
                let id = RecordId::new(&row.id);
                match endpoints.get(&id) {
                    None => {}
                    Some(EndpointState::Before(_)) => {
                        let before = format!("\"before\":{}", row.record);
                        self.add_change(batch, "removed", &row.id, &before).await?;
                    }
                    Some(EndpointState::Changed) => {
                        bytes += row.record.len();
                        held.insert(id, row.record);
                    }
                }
            }
            self.compare_held(batch, held, &mut later).await?;
        }
        Ok(())
    }

    /// Compares earlier records with the later ones.
    async fn compare_held(
        &self,
        batch: &mut ChangeBatch<'_>,
        mut held: HashMap<RecordId, String>,
        later: &mut SnapshotReader<'_, T>,
    ) -> Result<(), Error> {
        let mut laps = 0;
        while !held.is_empty() {
            let Some(row) = later.next().await? else {
                // The reader starts again. A second end shows that a record is not there.
                laps += 1;
                if laps > 1 {
                    return Err(Error::InvalidObject {
                        path: batch
                            .after
                            .objects
                            .first()
                            .map(|object| object.path.clone())
                            .unwrap_or_default(),
                        reason: "an endpoint disappeared while its snapshot was read".into(),
                    });
                }
                continue;
            };
            let Some(before) = held.remove(&RecordId::new(&row.id)) else { continue };
            let members = changed_members(&before, &row.record);
            if !members.is_empty() {
                let members = format!("\"members\":{}", Value::from(members));
                self.add_change(batch, "changed", &row.id, &members).await?;
            }
        }
        Ok(())
    }

    /// Adds a row. `content` is the last member of its record.
    async fn add_change(
        &self,
        batch: &mut ChangeBatch<'_>,
        change: &str,
        id: &str,
        content: &str,
    ) -> Result<(), Error> {
        let taken_ms = batch.after.checkpoint_after.high_watermark_ms;
        let record = format!(
            r#"{{"change":"{change}","id":{},"beforeAt":"{}","afterAt":"{}","beforeSequence":{},"afterSequence":{},{content}}}"#,
            Value::from(id),
            format_ms(batch.before.checkpoint_after.high_watermark_ms),
            format_ms(taken_ms),
            batch.before.sequence,
            batch.after.sequence,
        );
        let row = Row {
            id,
            tenant: &self.stream.tenant,
            dataset: self.stream.dataset,
            source: self.stream.dataset.source(),
            time: Timestamp::from_millisecond(taken_ms).ok(),
            created_at: None,
            // An endpoint may change in each snapshot.
            revision: u32::try_from(batch.after.sequence - 1).unwrap_or(u32::MAX),
            record: &record,
        };
        batch.writer.add_row(&row, utc_date(taken_ms)).await?;
        batch.rows += 1;
        Ok(())
    }
}
