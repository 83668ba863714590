//! The run over a log: reads it by time from the last checkpoint and commits.

use foldhash::{HashSet, HashSetExt};
use jiff::{Timestamp, civil::Date};
use sophos_api::{ErrorKind, Platform, TenantClient, Transport};

use crate::{
    checkpoint::{Checkpoint, Gap},
    commit_log::LogHead,
    cycle_detector::{CycleDetector, MAX_EMPTY_PAGES},
    dataset::Dataset,
    day::{log_day, partition_day},
    dedup_window::RecordId,
    digest::sha256_hex,
    error::Error,
    log_page::{LogPage, LogReader, is_key_rejected},
    log_progress::{LogPlatform, LogProgress, LogRange},
    record_key::RecordKey,
    report::StreamReport,
    stream::{CommitBatch, IDLE_COMMIT_INTERVAL_MS, ReadOutcome, StreamRun},
};

/// The reader of a run, and the handle that it sends requests through.
struct LogSource<T> {
    reader: LogReader,
    client: TenantClient<T>,
    /// Whether this is the last read of the platform that the tenant has left.
    is_leaving: bool,
}

/// A complete listing so far.
#[derive(Default)]
struct Listing {
    ids: HashSet<RecordId>,
    /// Whether it began in this batch.
    is_whole: bool,
}

/// The end of the pages of one range.
enum RangeEnd {
    /// The range is complete.
    Complete,
    /// The run ends here.
    Run(ReadOutcome),
}

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    /// Reads the records of one commit, and commits them.
    pub(crate) async fn commit_log_batch(
        &self,
        cycle: &mut CycleDetector,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let (mut head, mut batch) = self.open_batch(report).await?;
        let outcome = self.read_and_commit_log(cycle, &mut batch, &mut head, report).await;
        self.close_batch(&mut batch, &mut head, report, outcome).await
    }

    async fn read_and_commit_log(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
        head: &mut LogHead,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let before = head.record.as_ref().map(|record| record.checkpoint_after.clone());
        let mut progress = LogProgress::from_checkpoint(before.as_ref());
        if progress.is_initial() {
            // The first read begins months ago, which is no delay of the export.
            report.freshness_seconds = None;
        }
        let mut end = self.read_log(cycle, batch, &mut progress).await?;
        if let Some(watermark) = progress.high_watermark_ms().filter(|_| !progress.is_initial()) {
            report.freshness_seconds = Some(self.age_seconds(watermark));
        }
        report.duplicates += batch.duplicates;
        report.gaps.extend(&batch.gaps);
        let floor_ms =
            if self.stream.dataset == Dataset::Cases { i64::MIN } else { batch.dedup.complete_from_ms() };
        let Some(after) = progress.checkpoint(floor_ms) else { return Ok(end) };
        let is_idle = before.as_ref().is_some_and(|before| is_idle(before, &after, batch));
        if !is_idle && !self.commit_rows(batch, head, after, report).await? {
            end = ReadOutcome::EndOfFeed;
        }
        Ok(end)
    }

    /// Reads the log from its checkpoint to its end.
    async fn read_log(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
        progress: &mut LogProgress,
    ) -> Result<ReadOutcome, Error> {
        loop {
            let opened = self.control.stop.unless_stopped(self.open_source(progress)).await;
            let Some(source) = opened else { return Ok(stopped(batch)) };
            let source = match source {
                Ok(source) => source,
                Err(error) => return Ok(ReadOutcome::Failed(error.into())),
            };
            match self.read_source(cycle, batch, progress, &source).await? {
                ReadOutcome::EndOfFeed if source.is_leaving => finish_leaving(progress, source.reader),
                ReadOutcome::Failed(Error::Service(error)) if source.is_leaving && is_gone(&error) => {
                    self.skip_left_platform(batch, progress, &error);
                    finish_leaving(progress, source.reader);
                }
                end => return Ok(end),
            }
        }
    }

    /// The reader for the platform of the tenant. A tenant moves at one point in time, so
    /// the platform of the last run counts once that is Sophos Fusion.
    async fn open_source(&self, progress: &mut LogProgress) -> Result<LogSource<T>, sophos_api::Error> {
        // Its response has the service's time, by which the log is read.
        self.client.client().identity().await?;
        let source = |reader| LogSource { reader, client: self.client.clone(), is_leaving: false };
        let (central, fusion) = match self.stream.dataset {
            Dataset::Detections => (LogReader::CentralDetections, LogReader::FusionDetections),
            Dataset::Cases => (LogReader::CentralCases, LogReader::FusionCases),
            _ => return Ok(source(LogReader::AuditEvents)),
        };
        let before = progress.platform();
        let platform = match before {
            Some(LogPlatform::Fusion) => LogPlatform::Fusion,
            _ => self.fetch_platform().await?,
        };
        match (before, platform) {
            (Some(LogPlatform::Central), LogPlatform::Fusion) => {
                progress.start_leaving();
                let client = self.client.reading_before_move();
                Ok(LogSource { reader: central, client, is_leaving: true })
            }
            (_, LogPlatform::Central) => {
                progress.set_platform(platform);
                Ok(source(central))
            }
            (_, LogPlatform::Fusion) => {
                progress.set_platform(platform);
                Ok(source(fusion))
            }
        }
    }

    async fn fetch_platform(&self) -> Result<LogPlatform, sophos_api::Error> {
        match self.client.platform().await {
            Ok(Platform::Fusion) => Ok(LogPlatform::Fusion),
            Ok(_) => Ok(LogPlatform::Central),
            // No host of Sophos Fusion is configured.
            Err(error) if error.kind() == ErrorKind::Invalid && error.status().is_none() => {
                Ok(LogPlatform::Central)
            }
            Err(error) => Err(error),
        }
    }

    /// Reads range by range up to the present.
    async fn read_source(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
        progress: &mut LogProgress,
        source: &LogSource<T>,
    ) -> Result<ReadOutcome, Error> {
        let timing = source.reader.timing(self.settings.overlap_ms());
        loop {
            let untouched = progress.clone();
            let (range, gap) = progress.start_range(timing, self.now_ms());
            let mut listing = Listing { ids: HashSet::new(), is_whole: progress.key().is_none() };
            let pages = batch.pages;
            let end = self.read_range(cycle, batch, progress, source, range, &mut listing).await?;
            if batch.pages == pages {
                // Without a page the range has no effect on the checkpoint.
                *progress = untouched;
            } else {
                batch.gaps.extend(gap);
            }
            if let RangeEnd::Run(outcome) = end {
                return Ok(outcome);
            }
            if source.reader.is_listing() && listing.is_whole {
                let previous_from_ms = range.started_ms - timing.overlap_ms;
                batch.dedup.retain_listed(&listing.ids, previous_from_ms);
            }
            if progress.complete_range(timing) {
                return Ok(ReadOutcome::EndOfFeed);
            }
            if let Some(outcome) = self.pause(batch) {
                return Ok(outcome);
            }
        }
    }

    /// Reads the pages of a range.
    async fn read_range(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
        progress: &mut LogProgress,
        source: &LogSource<T>,
        range: LogRange,
        listing: &mut Listing,
    ) -> Result<RangeEnd, Error> {
        let timing = source.reader.timing(self.settings.overlap_ms());
        loop {
            let key = progress.key().map(str::to_owned);
            let fetch = source.reader.fetch(&source.client, range, key.as_deref());
            let fetched = self.control.stop.unless_stopped(fetch).await;
            let Some(fetched) = fetched else { return Ok(RangeEnd::Run(stopped(batch))) };
            let page = match fetched {
                Ok(page) => page,
                Err(error) if progress.key_is_stored() && is_key_rejected(&error) => {
                    let (tenant_id, dataset) = (&self.stream.tenant, self.stream.dataset);
                    tracing::warn!(event = "log_key_rejected", tenant_id, %dataset, %error, "the service rejected the page key of an earlier run; reading its range again");
                    progress.restart_range();
                    listing.is_whole = true;
                    continue;
                }
                Err(error) => return Ok(RangeEnd::Run(ReadOutcome::Failed(error.into()))),
            };
            batch.pages += 1;
            let known_before_ms = if source.is_leaving { None } else { progress.low_watermark_ms() };
            self.add_log_page(batch, source.reader, range, known_before_ms, &page, listing).await?;
            if let Some(needed_from_ms) = progress.dedup_from_ms(timing) {
                // Stored times have whole seconds.
                batch.dedup.evict_before(needed_from_ms - 1_000);
            }
            let is_empty = page.records.is_empty() && page.malformed.is_empty();
            let Some(next_key) = page.next_key else { return Ok(RangeEnd::Complete) };
            let id = format!("{}/{}/{next_key}", source.reader.source(), range.from_ms);
            if let Err(error) = cycle.record_page(Some(&id), is_empty) {
                return Ok(RangeEnd::Run(ReadOutcome::Failed(error.into())));
            }
            progress.advance(next_key);
            if cycle.empty_pages >= MAX_EMPTY_PAGES {
                cycle.empty_pages = 0;
                let error = format!("{MAX_EMPTY_PAGES} consecutive pages are empty, and more follow");
                let error = sophos_api::Error::malformed(error);
                return Ok(RangeEnd::Run(ReadOutcome::Failed(error.into())));
            }
            if let Some(outcome) = self.pause(batch) {
                return Ok(RangeEnd::Run(outcome));
            }
        }
    }

    /// The reason to commit before the end of the log.
    fn pause(&self, batch: &CommitBatch) -> Option<ReadOutcome> {
        if self.must_stop() {
            return Some(ReadOutcome::Deadline);
        }
        (batch.rows >= self.settings.rows_per_commit).then_some(ReadOutcome::BatchFull)
    }

    /// Adds the new records of a page.
    async fn add_log_page(
        &self,
        batch: &mut CommitBatch,
        reader: LogReader,
        range: LogRange,
        known_before_ms: Option<i64>,
        page: &LogPage,
        listing: &mut Listing,
    ) -> Result<(), Error> {
        let read_ms = self.now_ms();
        for json in &page.records {
            let key = reader.record_key(json, batch.dedup.content_hash());
            let id = RecordId::new(&key.id);
            if reader.is_listing() {
                listing.ids.insert(id);
            }
            let time_ms = if reader.is_case() { key.time } else { key.created_at };
            let time_ms = time_ms.map(Timestamp::as_millisecond);
            let is_before_range = reader.exceeds_range() && time_ms.is_some_and(|time| time < range.from_ms);
            // A full window has forgotten cases, and those did not change since the last run.
            let is_forgotten = reader.is_listing()
                && batch.dedup.is_full()
                && !batch.dedup.contains(id)
                && time_ms.zip(known_before_ms).is_some_and(|(time, known)| time < known);
            if is_before_range || is_forgotten {
                batch.duplicates += 1;
                continue;
            }
            let day = self.log_partition(reader, &key, read_ms);
            self.add_record_on(batch, &key, json, reader.source(), read_ms, day).await?;
        }
        if reader.is_listing() {
            listing.ids.extend(page.malformed.iter().map(|item| RecordId::new(&sha256_hex(&item.bytes))));
        }
        self.quarantine(batch, &page.malformed, reader.source(), read_ms).await?;
        self.report_page(page.records.len() + page.malformed.len());
        Ok(())
    }

    /// The partition of a record: for a case, the day of its last change.
    fn log_partition(&self, reader: LogReader, key: &RecordKey<'_>, read_ms: i64) -> Date {
        if reader.is_case() {
            log_day(key.time, read_ms)
        } else {
            partition_day(key, read_ms, self.settings.max_event_skew)
        }
    }

    /// Reports what the platform that the tenant has left does not return any more.
    fn skip_left_platform(&self, batch: &mut CommitBatch, progress: &LogProgress, error: &sophos_api::Error) {
        let (tenant_id, dataset) = (&self.stream.tenant, self.stream.dataset);
        tracing::error!(event = "left_platform_unreadable", tenant_id, %dataset, %error, "the tenant moved to Sophos Fusion, and reading its last records on Sophos Central failed; their interval is a gap");
        let to_ms = self.now_ms();
        batch.gaps.extend(progress.high_watermark_ms().map(|from_ms| Gap { from_ms, to_ms }));
    }
}

/// The end of a stopped run.
fn stopped(batch: &CommitBatch) -> ReadOutcome {
    if batch.pages == 0 { ReadOutcome::Failed(Error::Stopped) } else { ReadOutcome::Deadline }
}

/// Continues on Sophos Fusion. All cases have new ids there, so all are read; detections
/// continue from the low watermark.
fn finish_leaving(progress: &mut LogProgress, left: LogReader) {
    progress.finish_leaving(left.is_case().then_some(0));
}

/// Whether another attempt to read the platform that the tenant has left would fail as
/// well.
fn is_gone(error: &sophos_api::Error) -> bool {
    match error.kind() {
        ErrorKind::Forbidden | ErrorKind::NotFound => true,
        ErrorKind::Invalid => error.status().is_some(),
        _ => false,
    }
}

/// Whether a commit would change nothing but a recent watermark.
fn is_idle(before: &Checkpoint, after: &Checkpoint, batch: &CommitBatch) -> bool {
    batch.rows == 0
        && batch.quarantined == 0
        && batch.gaps.is_empty()
        && after.cursor == before.cursor
        && after.high_watermark_ms - before.high_watermark_ms < IDLE_COMMIT_INTERVAL_MS
}
