//! The records of a page: deduplication, rows, quarantine.

use jiff::{Timestamp, civil::Date};
use sophos_api::{CursorPage, MalformedItem, TenantClient, Transport};

use crate::{
    backfill::{self, is_key_rejected, is_too_large},
    checkpoint::PageTimes,
    day::{partition_day, utc_date},
    dedup_window::{DedupResult, RecordId},
    digest::sha256_hex,
    encode::{QuarantinedRecord, Row},
    error::Error,
    record_key::{RecordKey, record_key},
    siem_feed::TimedPage,
    stream::{CommitBatch, ReadOutcome, StreamRun},
};

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    /// Adds the new records of a page and advances the checkpoint. `continues` is false
    /// if the page's cursor is invalid.
    pub(crate) async fn add_page<I>(
        &self,
        batch: &mut CommitBatch,
        response: &TimedPage<CursorPage<I>>,
        continues: bool,
    ) -> Result<(), Error> {
        let TimedPage { page, requested_ms, received_ms } = response;
        let mut newest_ms = None;
        for item in &page.items {
            let key = record_key(item, batch.dedup.content_hash());
            newest_ms = newest_ms.max(key.created_ms());
            if batch.tracker.is_exported(key.created_ms()) {
                batch.duplicates += 1;
                continue;
            }
            self.add_record(
                batch,
                &key,
                item.json(),
                self.stream.dataset.source(),
                *received_ms,
                *received_ms,
            )
            .await?;
        }
        self.quarantine(batch, &page.malformed_items, self.stream.dataset.source(), *received_ms).await?;
        self.report_page(page.items.len() + page.malformed_items.len());
        let times = PageTimes {
            requested_ms: *requested_ms,
            received_ms: *received_ms,
            newest_created_ms: newest_ms,
        };
        let cursor = page.next_cursor.clone().filter(|_| continues);
        if let Some(gap) = batch.tracker.advance(times, page.has_more, cursor) {
            match batch.gaps.last_mut().filter(|last| last.to_ms == gap.from_ms) {
                Some(last) => last.to_ms = gap.to_ms,
                None => batch.gaps.push(gap),
            }
        }
        if let Some(needed_from_ms) = batch.tracker.dedup_from_ms() {
            batch.dedup.evict_before(needed_from_ms);
        }
        Ok(())
    }

    /// Reads the pending backfills, page by page, until the deadline.
    pub(crate) async fn read_backfill(&self, batch: &mut CommitBatch) -> Result<ReadOutcome, Error> {
        let mut reader = backfill::BackfillReader::new(&self.client);
        while let Some(current) = batch.backfills.first().cloned() {
            if self.must_stop() {
                return Ok(ReadOutcome::Deadline);
            }
            let Some(fetched) = self.control.stop.unless_stopped(reader.fetch_page(&current)).await else {
                return Ok(ReadOutcome::Deadline);
            };
            let page = match fetched {
                Ok(page) => page,
                Err(error) if is_key_rejected(&error, &current) => {
                    tracing::error!(event = "backfill_abandoned", tenant_id = self.stream.tenant, %error, "abandoned the rest of a backfill: its page key was rejected");
                    batch.backfills.remove(0);
                    continue;
                }
                Err(error) => {
                    if is_too_large(&error) {
                        batch.backfills.remove(0);
                    }
                    return Ok(ReadOutcome::Failed(error));
                }
            };
            for alert in &page.alerts {
                let is_new = self
                    .add_record(
                        batch,
                        &record_key(alert, batch.dedup.content_hash()),
                        alert.json(),
                        backfill::SOURCE,
                        current.gap.to_ms,
                        self.now_ms(),
                    )
                    .await?;
                batch.backfilled += u64::from(is_new);
            }
            self.quarantine(batch, &page.malformed, backfill::SOURCE, current.gap.to_ms).await?;
            self.report_page(page.alerts.len() + page.malformed.len());
            match page.remaining {
                Some(rest) => batch.backfills[0] = rest,
                None => drop(batch.backfills.remove(0)),
            }
        }
        Ok(ReadOutcome::EndOfFeed)
    }

    /// Writes a record, unless it is a duplicate. A record without a creation time counts
    /// as created at `default_ms`. Returns whether it was written.
    pub(crate) async fn add_record(
        &self,
        batch: &mut CommitBatch,
        key: &RecordKey<'_>,
        record: &str,
        source: &'static str,
        default_ms: i64,
        read_ms: i64,
    ) -> Result<bool, Error> {
        let day = partition_day(key, read_ms, self.settings.max_event_skew);
        self.add_record_on(batch, key, record, source, default_ms, day).await
    }

    /// Like [`add_record`](Self::add_record), to the partition of this day.
    pub(crate) async fn add_record_on(
        &self,
        batch: &mut CommitBatch,
        key: &RecordKey<'_>,
        record: &str,
        source: &'static str,
        default_ms: i64,
        day: Date,
    ) -> Result<bool, Error> {
        // The Common API formats the same alert differently, which is not a revision.
        let content = if source == backfill::SOURCE { 0 } else { key.content_digest };
        let at_ms = key.created_ms().unwrap_or(default_ms);
        let revision = match batch.dedup.insert(RecordId::new(&key.id), content, at_ms) {
            DedupResult::New => 0,
            DedupResult::Revision(revision) => revision,
            DedupResult::Duplicate => {
                batch.duplicates += 1;
                return Ok(false);
            }
        };
        batch.revised += u64::from(revision > 0);
        let row = Row {
            id: &key.id,
            tenant: &self.stream.tenant,
            dataset: self.stream.dataset,
            source,
            time: key.time,
            created_at: key.created_at,
            revision,
            record,
        };
        batch.writer.add_row(&row, day).await?;
        batch.rows += 1;
        if let Some(time) = key.time {
            batch.time_range.include(time);
        }
        Ok(true)
    }

    /// Quarantines records that are not JSON, unless they are duplicates.
    pub(crate) async fn quarantine(
        &self,
        batch: &mut CommitBatch,
        records: &[MalformedItem],
        source: &'static str,
        at_ms: i64,
    ) -> Result<(), Error> {
        for MalformedItem { bytes, reason, .. } in records {
            let sha256 = sha256_hex(bytes);
            let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
            if batch.dedup.insert(RecordId::new(&sha256), 0, at_ms) != DedupResult::New {
                batch.duplicates += 1;
                continue;
            }
            tracing::warn!(event = "record_quarantined", tenant_id = tenant, %dataset, source, sha256, reason, "quarantined a record that is not JSON");
            let now_ms = self.now_ms();
            let read_at = Timestamp::from_millisecond(now_ms).unwrap_or_default();
            let record =
                QuarantinedRecord { sha256: &sha256, tenant, dataset, source, read_at, reason, bytes };
            batch.writer.add_quarantined(&record, utc_date(now_ms)).await?;
            batch.quarantined += 1;
        }
        Ok(())
    }
}
