//! The run over a ledger of isolation: reads new transitions and commits them.
//!
//! The arrivals of the ledger are its decisions in the order of time. The log record has
//! the decisions that may get another transition, each with the number of its transitions
//! that are committed. So a run reads the next entry of each of these decisions, and the
//! decisions that have arrived since.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use sophos_store::Store;

use crate::{
    checkpoint::Checkpoint,
    clock::RunClock,
    commit_log::{LogHead, load_head},
    day::{log_day, utc_date},
    digest::sha256_hex,
    encode::{QuarantinedRecord, Row},
    error::Error,
    ledger_entry::{DecisionContext, LedgerEntry, SOURCE, TrackedDecision, parse_arrival, row_id},
    report::{StreamOutcome, StreamReport},
    stream::{IDLE_COMMIT_INTERVAL_MS, ReadOutcome, StreamRun},
    writer::{ObjectWriter, TimeRange},
};

/// The folder of the arrivals.
const ARRIVALS: &str = "arrivals";

/// The number of arrivals in one listing.
const MAX_LISTED: usize = 1_000;

/// The number of decisions that are read at once.
const MAX_CONCURRENT_READS: usize = 8;

/// The interval before the latest arrival that each run lists again: the longest time
/// between the time in an arrival's name and its creation. A webhook has seconds for both;
/// the rest is for clocks that differ.
const ARRIVAL_OVERLAP_MS: i64 = 60 * 60 * 1_000;

/// A run over a ledger.
pub(crate) struct LedgerRun<'a, C> {
    pub(crate) run: StreamRun<'a, C>,
    pub(crate) ledger: &'a Store,
}

/// The rows of the next commit.
struct LedgerBatch {
    writer: ObjectWriter,
    tracked: BTreeMap<String, TrackedDecision>,
    time_range: TimeRange,
    rows: u64,
    quarantined: u64,
}

/// The stored entries of a decision: those before the new ones, and the new ones.
struct StoredEntries {
    known: Vec<Option<Bytes>>,
    new: Vec<Bytes>,
}

impl<C: RunClock> LedgerRun<'_, C> {
    /// Reads and commits until the end of the ledger.
    pub(crate) async fn run(&self) -> StreamReport {
        let stream = &self.run.stream;
        let mut report = StreamReport::new(&stream.tenant, stream.dataset, StreamOutcome::UpToDate);
        if self.run.must_stop() {
            report.outcome = StreamOutcome::NotStarted;
            return report;
        }
        // The name of the last arrival that this run has read.
        let mut last_arrival = None;
        let end = loop {
            let end = self.commit_batch(&mut last_arrival, &mut report).await;
            if !matches!(end, Ok(ReadOutcome::BatchFull)) {
                break end;
            }
        };
        report.conclude(end);
        report
    }

    async fn commit_batch(
        &self,
        last_arrival: &mut Option<String>,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let mut head = load_head(self.run.store, &self.run.stream).await?;
        let record = head.record.as_ref();
        report.freshness_seconds = record
            .map(|record| self.run.age_seconds(record.checkpoint_after.high_watermark_ms))
            .or(report.freshness_seconds);
        let tracked = record.map(|record| record.tracked_decisions.clone()).unwrap_or_default();
        let mut batch = LedgerBatch {
            writer: self.run.object_writer(&head),
            tracked: tracked.into_iter().map(|decision| (decision.id.clone(), decision)).collect(),
            time_range: TimeRange::default(),
            rows: 0,
            quarantined: 0,
        };
        let outcome = self.read_and_commit(&mut batch, &mut head, last_arrival, report).await;
        self.run.roll_back(&mut batch.writer).await;
        self.run.end_run(&mut head, report, outcome).await
    }

    async fn read_and_commit(
        &self,
        batch: &mut LedgerBatch,
        head: &mut LogHead,
        last_arrival: &mut Option<String>,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let started_ms = self.run.now_ms();
        let before = head.record.as_ref().map(|record| record.checkpoint_after.clone());
        let low_ms = before.as_ref().map_or(0, |before| before.low_watermark_ms);
        if last_arrival.is_none() {
            self.read_tracked(batch).await?;
            *last_arrival = Some(format!("{low_ms:015}"));
        }
        let end = self.read_arrivals(batch, last_arrival).await?;
        let listed_ms = last_arrival.as_deref().and_then(parse_arrival).map(|(at_ms, _)| at_ms);
        // An arrival with a time in the future would hide later ones.
        let listed_ms = listed_ms.map(|listed| listed.min(started_ms));
        let high_ms = match end {
            ReadOutcome::EndOfFeed => started_ms,
            _ => listed_ms.unwrap_or(low_ms),
        };
        let after = Checkpoint {
            low_watermark_ms: listed_ms.map_or(low_ms, |listed| low_ms.max(listed - ARRIVAL_OVERLAP_MS)),
            ..Checkpoint::at(
                before.as_ref().map_or(high_ms, |before| high_ms.max(before.high_watermark_ms)),
                None,
            )
        };
        if matches!(end, ReadOutcome::EndOfFeed) {
            report.freshness_seconds = Some(self.run.age_seconds(after.high_watermark_ms));
        }
        let is_idle = before.as_ref().is_some_and(|before| {
            batch.rows == 0
                && batch.quarantined == 0
                && after.high_watermark_ms - before.high_watermark_ms < IDLE_COMMIT_INTERVAL_MS
        });
        if is_idle || self.commit(batch, head, after, report).await? {
            return Ok(end);
        }
        Ok(ReadOutcome::EndOfFeed)
    }

    /// Writes the objects of a batch and commits them. Returns `false` if another run
    /// committed first.
    async fn commit(
        &self,
        batch: &mut LedgerBatch,
        head: &mut LogHead,
        after: Checkpoint,
        report: &mut StreamReport,
    ) -> Result<bool, Error> {
        // An arrival before the low watermark is never listed again.
        let is_needed =
            |decision: &TrackedDecision| !decision.ended || decision.arrived_ms >= after.low_watermark_ms;
        let tracked_decisions = batch.tracked.values().filter(|one| is_needed(one)).cloned().collect();
        let (objects, quarantine_objects) = self.run.split_objects(batch.writer.finish().await?);
        let mut record = self.run.next_record(head, &batch.writer, after);
        record.rows = batch.rows;
        record.first_event = batch.time_range.first();
        record.last_event = batch.time_range.last();
        record.objects = objects;
        record.quarantined = batch.quarantined;
        record.quarantine_objects = quarantine_objects;
        record.tracked_decisions = tracked_decisions;
        self.run.commit_record(&mut batch.writer, head, record, report).await
    }

    /// Reads the new transitions of the decisions that have not ended.
    async fn read_tracked(&self, batch: &mut LedgerBatch) -> Result<(), Error> {
        let open: Vec<_> = batch.tracked.values().filter(|decision| !decision.ended).cloned().collect();
        let mut read = stream::iter(open)
            .map(|decision| async move {
                let entries = self.read_entries(&decision.id, decision.exported).await?;
                Ok::<_, Error>((decision, entries))
            })
            .buffered(MAX_CONCURRENT_READS);
        while let Some((decision, entries)) = read.try_next().await? {
            self.add_entries(batch, decision, entries).await?;
            if self.run.must_stop() {
                break;
            }
        }
        Ok(())
    }

    /// Reads the decisions that arrived after `last_arrival`, and moves it.
    async fn read_arrivals(
        &self,
        batch: &mut LedgerBatch,
        last_arrival: &mut Option<String>,
    ) -> Result<ReadOutcome, Error> {
        loop {
            if self.run.must_stop() {
                return Ok(ReadOutcome::Deadline);
            }
            if batch.rows >= self.run.settings.rows_per_commit {
                return Ok(ReadOutcome::BatchFull);
            }
            let after = last_arrival.clone().unwrap_or_default();
            let names = self.ledger.list_names_with_limit(ARRIVALS, &after, MAX_LISTED).await?;
            self.run.report_page(names.len());
            let is_end = names.len() < MAX_LISTED;
            let is_new =
                |name: &&String| parse_arrival(name).is_some_and(|(_, id)| !batch.tracked.contains_key(id));
            let new: Vec<_> = names.iter().filter(is_new).cloned().collect();
            let mut read = stream::iter(new)
                .map(|name| async move {
                    let id = parse_arrival(&name).map(|(_, id)| id.to_owned()).unwrap_or_default();
                    let entries = self.read_entries(&id, 0).await?;
                    Ok::<_, Error>((name, entries))
                })
                .buffered(MAX_CONCURRENT_READS);
            while let Some((name, entries)) = read.try_next().await? {
                if self.run.must_stop() {
                    return Ok(ReadOutcome::Deadline);
                }
                self.add_arrival(batch, &name, entries).await?;
                *last_arrival = Some(name);
            }
            if let Some(last) = names.last() {
                *last_arrival = Some(last.clone());
            }
            if is_end {
                return Ok(ReadOutcome::EndOfFeed);
            }
        }
    }

    /// Adds the entries of a decision that arrived, unless it is known. A repeated event
    /// makes another arrival, at another time than that of the decision.
    async fn add_arrival(
        &self,
        batch: &mut LedgerBatch,
        name: &str,
        entries: StoredEntries,
    ) -> Result<(), Error> {
        let Some((arrived_ms, id)) = parse_arrival(name) else { return Ok(()) };
        let Some(first) = entries.new.first() else { return Ok(()) };
        let is_own = LedgerEntry::parse(first, id, 1).map_or(true, |entry| entry.at_ms == arrived_ms);
        if !is_own || batch.tracked.contains_key(id) {
            return Ok(());
        }
        let decision = TrackedDecision { id: id.to_owned(), arrived_ms, exported: 0, ended: false };
        self.add_entries(batch, decision, entries).await
    }

    /// Adds the rows of new entries, and tracks the decision.
    async fn add_entries(
        &self,
        batch: &mut LedgerBatch,
        mut decision: TrackedDecision,
        entries: StoredEntries,
    ) -> Result<(), Error> {
        let mut context = DecisionContext::default();
        for (sequence, body) in (1..).zip(&entries.known) {
            if let Some(Ok(entry)) =
                body.as_ref().map(|body| LedgerEntry::parse(body, &decision.id, sequence))
            {
                context.add(&entry);
            }
        }
        for body in &entries.new {
            let sequence = decision.exported + 1;
            match LedgerEntry::parse(body, &decision.id, sequence) {
                Ok(entry) => {
                    context.add(&entry);
                    decision.ended |= entry.is_final();
                    self.add_row(batch, &context, &entry, &row_id(&decision.id, sequence), body).await?;
                }
                Err(reason) => self.quarantine(batch, body, &reason).await?,
            }
            decision.exported = sequence;
        }
        batch.tracked.insert(decision.id.clone(), decision);
        Ok(())
    }

    async fn add_row(
        &self,
        batch: &mut LedgerBatch,
        context: &DecisionContext,
        entry: &LedgerEntry,
        id: &str,
        body: &[u8],
    ) -> Result<(), Error> {
        let time = Timestamp::from_millisecond(entry.at_ms).ok();
        // An entry that was parsed is UTF-8.
        let record = context.record(entry, &String::from_utf8_lossy(body));
        let row = Row {
            id,
            tenant: context.tenant(),
            dataset: self.run.stream.dataset,
            source: SOURCE,
            time,
            created_at: time,
            revision: 0,
            record: &record,
        };
        batch.writer.add_row(&row, log_day(time, self.run.now_ms())).await?;
        batch.rows += 1;
        if let Some(time) = time {
            batch.time_range.include(time);
        }
        Ok(())
    }

    async fn quarantine(&self, batch: &mut LedgerBatch, bytes: &[u8], reason: &str) -> Result<(), Error> {
        let (tenant, dataset) = (&self.run.stream.tenant, self.run.stream.dataset);
        let (sha256, now_ms) = (sha256_hex(bytes), self.run.now_ms());
        tracing::warn!(event = "record_quarantined", tenant_id = tenant, %dataset, source = SOURCE, sha256, reason, "quarantined an invalid entry of the ledger");
        let read_at = Timestamp::from_millisecond(now_ms).unwrap_or_default();
        let record =
            QuarantinedRecord { sha256: &sha256, tenant, dataset, source: SOURCE, read_at, reason, bytes };
        batch.writer.add_quarantined(&record, utc_date(now_ms)).await?;
        batch.quarantined += 1;
        Ok(())
    }

    /// Reads the entries of a decision after those that are exported. If there are any,
    /// reads the others, too.
    async fn read_entries(&self, id: &str, exported: u32) -> Result<StoredEntries, Error> {
        let mut entries = StoredEntries { known: Vec::new(), new: Vec::new() };
        for sequence in exported + 1.. {
            let Some(body) = self.read_entry(id, sequence).await? else { break };
            entries.new.push(body);
        }
        if !entries.new.is_empty() {
            for sequence in 1..=exported {
                entries.known.push(self.read_entry(id, sequence).await?);
            }
        }
        Ok(entries)
    }

    /// Reads an entry. The worker has not copied the first one before it acts.
    async fn read_entry(&self, id: &str, sequence: u32) -> Result<Option<Bytes>, Error> {
        let body = self.ledger.read(&format!("decisions/{id}/{sequence:04}.json")).await?;
        if body.is_some() || sequence > 1 {
            return Ok(body);
        }
        Ok(self.ledger.read(&format!("received/{id}.json")).await?)
    }
}
