//! A snapshot in progress, and its rows.

use jiff::Timestamp;
use sophos_api::{MalformedItem, Raw, TenantClient, Transport};

use crate::{
    content_digest::ContentHash,
    day::utc_date,
    digest::sha256_hex,
    encode::{QuarantinedRecord, Row},
    error::Error,
    record_key::record_key,
    snapshot_state::SnapshotState,
    stream::StreamRun,
    writer::ObjectWriter,
};

/// A snapshot in progress.
pub(crate) struct SnapshotBatch {
    pub(crate) state: SnapshotState,
    pub(crate) writer: ObjectWriter,
    /// The revision of the rows: the number of snapshots before this one.
    pub(crate) revision: u32,
    /// The number of the current operation, from 0.
    pub(crate) operation: usize,
    /// The responses of this run.
    pub(crate) responses: u64,
    /// Whether an earlier run began it.
    pub(crate) is_continued: bool,
}

impl SnapshotBatch {
    /// Begins the next operation. Returns `false` if it is complete already.
    pub(crate) fn enter(&mut self, source: &str) -> bool {
        if self.operation < self.state.complete {
            self.operation += 1;
            return false;
        }
        self.state.count(source, 0);
        true
    }

    /// Ends the current operation.
    pub(crate) fn leave(&mut self) {
        self.state.listing = None;
        self.operation += 1;
        self.state.complete = self.operation;
    }
}

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    /// Adds a row with the time of the snapshot.
    pub(crate) async fn add_row<I>(
        &self,
        batch: &mut SnapshotBatch,
        row_id: String,
        source: &'static str,
        item: &Raw<I>,
    ) -> Result<(), Error> {
        let taken_ms = batch.state.taken_ms.unwrap_or_else(|| self.now_ms());
        let row = Row {
            id: &row_id,
            tenant: &self.stream.tenant,
            dataset: self.stream.dataset,
            source,
            time: Timestamp::from_millisecond(taken_ms).ok(),
            created_at: record_key(item, ContentHash::Xxh3).created_at,
            revision: batch.revision,
            record: item.json(),
        };
        batch.writer.add_row(&row, utc_date(taken_ms)).await?;
        batch.state.count(source, 1);
        batch.state.ids.insert(&row_id, batch.operation);
        Ok(())
    }

    /// Quarantines records that are not JSON. Returns the number of new ones.
    pub(crate) async fn quarantine_items(
        &self,
        batch: &mut SnapshotBatch,
        source: &'static str,
        records: &[MalformedItem],
    ) -> Result<u64, Error> {
        let mut new = 0;
        for MalformedItem { bytes, reason, .. } in records {
            let sha256 = sha256_hex(bytes);
            let Some(row_id) = batch.state.ids.row_id(&sha256, batch.operation, source) else { continue };
            let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
            tracing::warn!(event = "record_quarantined", tenant_id = tenant, %dataset, source, sha256, reason, "quarantined a record that is not JSON");
            let now_ms = self.now_ms();
            let read_at = Timestamp::from_millisecond(now_ms).unwrap_or_default();
            let record =
                QuarantinedRecord { sha256: &sha256, tenant, dataset, source, read_at, reason, bytes };
            batch.writer.add_quarantined(&record, utc_date(now_ms)).await?;
            batch.state.ids.insert(&row_id, batch.operation);
            batch.state.quarantined += 1;
            new += 1;
        }
        Ok(new)
    }
}
