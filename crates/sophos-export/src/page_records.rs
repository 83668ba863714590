//! The records of a page, on their way to the writer.

use jiff::Timestamp;
use sophos_api::{CursorPage, Transport, UnreadableItem};

use crate::{
    backfill::{self, is_too_large, key_is_lost},
    clock::is_past,
    day::{day, partition_day},
    digest::sha256_hex,
    encode::{QuarantinedRecord, Row},
    error::Error,
    facts::{Facts, facts},
    feed::Times,
    seen::{RecordId, Sighting},
    siem::Answer,
    stream::{End, Segment, StreamRun},
};

impl<T: Transport + 'static> StreamRun<'_, T> {
    /// Takes the records of a page, those that are new.
    pub(crate) async fn take<I>(
        &self,
        segment: &mut Segment,
        answer: &Answer<CursorPage<I>>,
        leads_on: bool,
    ) -> Result<(), Error> {
        let Answer { page, asked_ms, answered_ms } = answer;
        let mut newest_ms = None;
        for item in &page.items {
            let facts = facts(item);
            newest_ms = newest_ms.max(facts.created_ms());
            if segment.reading.is_known(facts.created_ms()) {
                segment.duplicates += 1;
                continue;
            }
            self.keep(segment, &facts, item.json(), self.stream.dataset.source(), *answered_ms, *answered_ms)
                .await?;
        }
        self.quarantine(segment, &page.unreadable, self.stream.dataset.source(), *answered_ms).await?;
        let times = Times { asked_ms: *asked_ms, answered_ms: *answered_ms, newest_ms };
        let cursor = page.next_cursor.clone().filter(|_| leads_on);
        if let Some(gap) = segment.reading.page(times, page.has_more, cursor) {
            match segment.gaps.last_mut().filter(|last| last.to_ms == gap.from_ms) {
                Some(last) => last.to_ms = gap.to_ms,
                None => segment.gaps.push(gap),
            }
        }
        if let Some(needed) = segment.reading.needed_from_ms() {
            segment.seen.forget_before(needed);
        }
        Ok(())
    }

    /// Reads what fills the gaps, page by page, as far as time allows.
    pub(crate) async fn read_backfill(&self, segment: &mut Segment) -> Result<End, Error> {
        let mut reader = backfill::Reader::new(&self.client);
        while let Some(current) = segment.backfill.first().cloned() {
            if is_past(&self.client, self.stop_at) {
                return Ok(End::OutOfTime);
            }
            let page = match reader.page(&current).await {
                Ok(page) => page,
                Err(error) if key_is_lost(&error, &current) => {
                    tracing::error!(tenant = self.stream.tenant, %error, "the rest of a gap cannot be filled");
                    segment.backfill.remove(0);
                    continue;
                }
                Err(error) => {
                    if is_too_large(&error) {
                        segment.backfill.remove(0);
                    }
                    return Ok(End::Trouble(error));
                }
            };
            for alert in &page.alerts {
                let kept = self
                    .keep(
                        segment,
                        &facts(alert),
                        alert.json(),
                        backfill::SOURCE,
                        current.gap.to_ms,
                        self.now_ms(),
                    )
                    .await?;
                segment.backfilled += u64::from(kept);
            }
            self.quarantine(segment, &page.unreadable, backfill::SOURCE, current.gap.to_ms).await?;
            match page.rest {
                Some(rest) => segment.backfill[0] = rest,
                None => drop(segment.backfill.remove(0)),
            }
        }
        Ok(End::CaughtUp)
    }

    /// Writes a record, unless it was written before. A record that does not
    /// tell when the service took it in counts as taken in at `else_ms`.
    async fn keep(
        &self,
        segment: &mut Segment,
        facts: &Facts<'_>,
        record: &str,
        source: &'static str,
        else_ms: i64,
        read_ms: i64,
    ) -> Result<bool, Error> {
        // The Common API writes the same alert otherwise, which is no update.
        let content = if source == self.stream.dataset.source() { facts.content } else { 0 };
        let at_ms = facts.created_ms().unwrap_or(else_ms);
        let revision = match segment.seen.note(RecordId::new(&facts.id), content, at_ms) {
            Sighting::New => 0,
            Sighting::Revised(revision) => revision,
            Sighting::Repeated => {
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
        segment.writer.push(&row, day).await?;
        segment.rows += 1;
        if let Some(time) = facts.time {
            segment.span.add(time);
        }
        Ok(true)
    }

    /// Keeps records that are not JSON, unless they were kept before.
    async fn quarantine(
        &self,
        segment: &mut Segment,
        records: &[UnreadableItem],
        source: &'static str,
        at_ms: i64,
    ) -> Result<(), Error> {
        for UnreadableItem { bytes, reason, .. } in records {
            let sha256 = sha256_hex(bytes);
            let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
            if segment.seen.note(RecordId::new(&sha256), 0, at_ms) != Sighting::New {
                segment.duplicates += 1;
                continue;
            }
            let event = "record_quarantined";
            tracing::warn!(event, tenant, %dataset, source, sha256, reason, "a record is not JSON");
            let now_ms = self.now_ms();
            let read_at = Timestamp::from_millisecond(now_ms).unwrap_or_default();
            let record =
                QuarantinedRecord { sha256: &sha256, tenant, dataset, source, read_at, reason, bytes };
            segment.writer.quarantine(&record, day(now_ms)).await?;
            segment.quarantined += 1;
        }
        Ok(())
    }
}
