//! The records of a page, on their way to the writer.

use jiff::Timestamp;
use sophos_api::{CursorPage, MalformedItem, Transport};

use crate::{
    backfill::{self, is_key_rejected, is_too_large},
    checkpoint::PageTimes,
    clock::deadline_passed,
    day::{partition_day, utc_date},
    dedup_window::{DedupResult, RecordId},
    digest::sha256_hex,
    encode::{QuarantinedRecord, Row},
    error::Error,
    record_key::{RecordKey, record_key},
    siem_feed::TimedPage,
    stream::{CommitBatch, ReadOutcome, StreamRun},
};

impl<T: Transport + 'static> StreamRun<'_, T> {
    /// Takes the records of a page, those that are new.
    pub(crate) async fn add_page<I>(
        &self,
        segment: &mut CommitBatch,
        answer: &TimedPage<CursorPage<I>>,
        leads_on: bool,
    ) -> Result<(), Error> {
        let TimedPage { page, requested_ms: asked_ms, received_ms: answered_ms } = answer;
        let mut newest_ms = None;
        for item in &page.items {
            let facts = record_key(item);
            newest_ms = newest_ms.max(facts.created_ms());
            if segment.tracker.is_exported(facts.created_ms()) {
                segment.duplicates += 1;
                continue;
            }
            self.add_record(
                segment,
                &facts,
                item.json(),
                self.stream.dataset.source(),
                *answered_ms,
                *answered_ms,
            )
            .await?;
        }
        self.quarantine(segment, &page.malformed_items, self.stream.dataset.source(), *answered_ms).await?;
        let times =
            PageTimes { requested_ms: *asked_ms, received_ms: *answered_ms, newest_created_ms: newest_ms };
        let cursor = page.next_cursor.clone().filter(|_| leads_on);
        if let Some(gap) = segment.tracker.advance(times, page.has_more, cursor) {
            match segment.gaps.last_mut().filter(|last| last.to_ms == gap.from_ms) {
                Some(last) => last.to_ms = gap.to_ms,
                None => segment.gaps.push(gap),
            }
        }
        if let Some(needed) = segment.tracker.dedup_from_ms() {
            segment.dedup.evict_before(needed);
        }
        Ok(())
    }

    /// Reads what fills the gaps, page by page, as far as time allows.
    pub(crate) async fn read_backfill(&self, segment: &mut CommitBatch) -> Result<ReadOutcome, Error> {
        let mut reader = backfill::BackfillReader::new(&self.client);
        while let Some(current) = segment.backfills.first().cloned() {
            if deadline_passed(&self.client, self.stop_at) {
                return Ok(ReadOutcome::Deadline);
            }
            let page = match reader.fetch_page(&current).await {
                Ok(page) => page,
                Err(error) if is_key_rejected(&error, &current) => {
                    tracing::error!(event = "backfill_abandoned", tenant_id = self.stream.tenant, %error, "abandoned the rest of a backfill: its page key was rejected");
                    segment.backfills.remove(0);
                    continue;
                }
                Err(error) => {
                    if is_too_large(&error) {
                        segment.backfills.remove(0);
                    }
                    return Ok(ReadOutcome::Failed(error));
                }
            };
            for alert in &page.alerts {
                let kept = self
                    .add_record(
                        segment,
                        &record_key(alert),
                        alert.json(),
                        backfill::SOURCE,
                        current.gap.to_ms,
                        self.now_ms(),
                    )
                    .await?;
                segment.backfilled += u64::from(kept);
            }
            self.quarantine(segment, &page.unreadable, backfill::SOURCE, current.gap.to_ms).await?;
            match page.remaining {
                Some(rest) => segment.backfills[0] = rest,
                None => drop(segment.backfills.remove(0)),
            }
        }
        Ok(ReadOutcome::EndOfFeed)
    }

    /// Writes a record, unless it was written before. A record that does not
    /// tell when the service took it in counts as taken in at `else_ms`.
    async fn add_record(
        &self,
        segment: &mut CommitBatch,
        facts: &RecordKey<'_>,
        record: &str,
        source: &'static str,
        default_ms: i64,
        read_ms: i64,
    ) -> Result<bool, Error> {
        // The Common API writes the same alert otherwise, which is no update.
        let content = if source == self.stream.dataset.source() { facts.content_digest } else { 0 };
        let at_ms = facts.created_ms().unwrap_or(default_ms);
        let revision = match segment.dedup.insert(RecordId::new(&facts.id), content, at_ms) {
            DedupResult::New => 0,
            DedupResult::Revision(revision) => revision,
            DedupResult::Duplicate => {
                segment.duplicates += 1;
                return Ok(false);
            }
        };
        segment.revised += u64::from(revision > 0);
        let row = Row {
            id: &facts.id,
            tenant: &self.stream.tenant,
            dataset: self.stream.dataset,
            source,
            time: facts.time,
            created_at: facts.created_at,
            revision,
            record,
        };
        let day = partition_day(facts, read_ms, self.settings.max_event_skew);
        segment.writer.add_row(&row, day).await?;
        segment.rows += 1;
        if let Some(time) = facts.time {
            segment.time_range.include(time);
        }
        Ok(true)
    }

    /// Keeps records that are not JSON, unless they were kept before.
    async fn quarantine(
        &self,
        segment: &mut CommitBatch,
        records: &[MalformedItem],
        source: &'static str,
        at_ms: i64,
    ) -> Result<(), Error> {
        for MalformedItem { bytes, reason, .. } in records {
            let sha256 = sha256_hex(bytes);
            let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
            if segment.dedup.insert(RecordId::new(&sha256), 0, at_ms) != DedupResult::New {
                segment.duplicates += 1;
                continue;
            }
            let event = "record_quarantined";
            tracing::warn!(event, tenant_id = tenant, %dataset, source, sha256, reason, "a record is not JSON");
            let now_ms = self.now_ms();
            let read_at = Timestamp::from_millisecond(now_ms).unwrap_or_default();
            let record =
                QuarantinedRecord { sha256: &sha256, tenant, dataset, source, read_at, reason, bytes };
            segment.writer.add_quarantined(&record, utc_date(now_ms)).await?;
            segment.quarantined += 1;
        }
        Ok(())
    }
}
