//! The run of one stream: reads the feed from the last checkpoint and commits.

use std::time::Duration;

use sophos_api::{
    ErrorKind, TenantClient, Transport,
    operations::siem::{alerts::ListSiemAlerts, events::ListSiemEvents},
};
use sophos_store::Store;

use crate::{
    checkpoint::{Checkpoint, CheckpointTracker, Gap},
    clock::{RunClock, trusted_service_ms},
    commit_log::{Backfill, LogHead, LogRecord, StreamId, load_head},
    cycle_detector::{CycleDetector, MAX_EMPTY_PAGES},
    dataset::{Dataset, DatasetKind},
    dedup_window::{DedupSnapshot, DedupWindow},
    error::Error,
    export::ExportSettings,
    report::{StreamOutcome, StreamReport},
    run_control::{ExportProgress, RunControl},
    siem_feed::{Fetched, PageTask, SiemFeed, fetch_fitting_page, join_page},
    writer::{ObjectWriter, TimeRange},
};

/// A checkpoint without rows is committed when the last commit is older than this: it
/// must advance before the feed drops it.
pub(crate) const IDLE_COMMIT_INTERVAL_MS: i64 = 60 * 60 * 1_000;

/// A run over one stream.
#[derive(Debug)]
pub(crate) struct StreamRun<'a, C> {
    /// The tenant's client; a clock alone for a run without requests.
    pub(crate) client: C,
    pub(crate) store: &'a Store,
    pub(crate) settings: &'a ExportSettings,
    pub(crate) control: &'a RunControl,
    pub(crate) stream: StreamId,
    /// The deadline of reading, in the transport's time.
    pub(crate) stop_at: Option<Duration>,
}

/// The end of a read.
#[derive(Debug)]
pub(crate) enum ReadOutcome {
    /// The feed has no more records at present.
    EndOfFeed,
    /// The batch has enough rows for a commit.
    BatchFull,
    /// The deadline has passed, or the run was stopped.
    Deadline,
    /// A request failed; the earlier pages are valid.
    Failed(Error),
}

/// The records of the next commit.
pub(crate) struct CommitBatch {
    pub(crate) tracker: CheckpointTracker,
    pub(crate) dedup: DedupWindow,
    pub(crate) writer: ObjectWriter,
    pub(crate) time_range: TimeRange,
    /// The pages of a log.
    pub(crate) pages: u64,
    pub(crate) rows: u64,
    pub(crate) revised: u64,
    pub(crate) backfilled: u64,
    pub(crate) duplicates: u64,
    pub(crate) quarantined: u64,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) backfills: Vec<Backfill>,
}

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    pub(crate) async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(&self.stream.tenant, self.stream.dataset, StreamOutcome::UpToDate);
        if self.must_stop() {
            report.outcome = StreamOutcome::NotStarted;
            return report;
        }
        let mut cycle = CycleDetector::default();
        let end = loop {
            let end = match self.stream.dataset.kind() {
                DatasetKind::Feed if self.stream.dataset == Dataset::Alerts => {
                    self.commit_batch::<ListSiemAlerts>(&mut cycle, &mut report).await
                }
                DatasetKind::Feed => self.commit_batch::<ListSiemEvents>(&mut cycle, &mut report).await,
                DatasetKind::Log => self.commit_log_batch(&mut cycle, &mut report).await,
                DatasetKind::Snapshot => Box::pin(self.run_snapshot(&mut report)).await,
                DatasetKind::Changes => Box::pin(self.run_changes(&mut report)).await,
                DatasetKind::Ledger => {
                    let reason = "the ledger has the decisions of all tenants; use LedgerExporter";
                    Err(sophos_api::Error::invalid(reason).into())
                }
            };
            if !matches!(end, Ok(ReadOutcome::BatchFull)) {
                break end;
            }
        };
        report.conclude(end);
        if report.outcome != StreamOutcome::Failed
            && let Some(error) = cycle.skipped_page_error
        {
            report.set_error(&error.into());
        }
        report
    }

    /// Reads the records of one commit, and commits them.
    async fn commit_batch<O: SiemFeed>(
        &self,
        cycle: &mut CycleDetector,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let (mut head, mut batch) = self.open_batch(report).await?;
        let outcome = self.read_and_commit::<O>(cycle, &mut batch, &mut head, report).await;
        self.close_batch(&mut batch, &mut head, report, outcome).await
    }

    /// Loads the end of the log and starts a batch after it.
    pub(crate) async fn open_batch(
        &self,
        report: &mut StreamReport,
    ) -> Result<(LogHead, CommitBatch), Error> {
        let head = load_head(self.store, &self.stream).await?;
        // The freshness if this run commits nothing.
        let high_watermark = head.record.as_ref().map(|record| record.checkpoint_after.high_watermark_ms);
        report.freshness_seconds =
            high_watermark.map(|watermark| self.age_seconds(watermark)).or(report.freshness_seconds);
        let batch = self.start_batch(&head)?;
        Ok((head, batch))
    }

    /// Removes what is not committed, announces what is, and removes the garbage of other runs.
    pub(crate) async fn close_batch(
        &self,
        batch: &mut CommitBatch,
        head: &mut LogHead,
        report: &mut StreamReport,
        outcome: Result<ReadOutcome, Error>,
    ) -> Result<ReadOutcome, Error> {
        self.roll_back(&mut batch.writer).await;
        self.end_run(head, report, outcome).await
    }

    fn start_batch(&self, head: &LogHead) -> Result<CommitBatch, Error> {
        let checkpoint = head.record.as_ref().map(|record| record.checkpoint_after.clone());
        let mut dedup = DedupWindow::new(self.stream.dataset.min_dedup_records());
        if let Some(record) = &head.record {
            let snapshot = DedupSnapshot {
                ids: record.recent_ids.clone(),
                digests: record.recent_digests.clone(),
                times: record.recent_times.clone(),
                revisions: record.recent_revisions.clone(),
                content_hash: record.recent_digest_hash,
            };
            dedup.restore(&snapshot, record.checkpoint_after.high_watermark_ms).ok_or_else(|| {
                Error::InvalidLogRecord {
                    path: self.stream.record_path(record.sequence),
                    reason: "its recent ids are invalid".into(),
                }
            })?;
        }
        Ok(CommitBatch {
            tracker: CheckpointTracker::from_checkpoint(
                checkpoint,
                self.settings.overlap_ms(),
                dedup.is_empty(),
            ),
            dedup,
            writer: self.object_writer(head),
            time_range: TimeRange::default(),
            pages: 0,
            rows: 0,
            revised: 0,
            backfilled: 0,
            duplicates: 0,
            quarantined: 0,
            gaps: Vec::new(),
            backfills: head
                .record
                .as_ref()
                .map(|record| record.pending_backfills.clone())
                .unwrap_or_default(),
        })
    }

    /// Reads the feed and the backfills, and commits.
    async fn read_and_commit<O: SiemFeed>(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
        head: &mut LogHead,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let mut end = self.read_feed::<O>(cycle, batch).await?;
        if self.stream.dataset == Dataset::Alerts {
            let gaps = batch.gaps.iter().map(|gap| Backfill { gap: *gap, next_key: None });
            batch.backfills.extend(gaps);
            if matches!(end, ReadOutcome::EndOfFeed) {
                end = self.read_backfill(batch).await?;
            }
        }
        if let Some(watermark) = batch.tracker.high_watermark_ms() {
            report.freshness_seconds = Some(self.age_seconds(watermark));
        }
        report.duplicates += batch.duplicates;
        report.gaps.extend(&batch.gaps);

        let Some(after) = batch.tracker.checkpoint(batch.dedup.complete_from_ms()) else {
            return Ok(end);
        };
        let idle = head.record.as_ref().is_some_and(|record| {
            batch.rows == 0
                && batch.quarantined == 0
                && batch.gaps.is_empty()
                && batch.backfills == record.pending_backfills
                // A new cursor within the backlog is progress.
                && (after.backlog_watermark_ms.is_none() || after.cursor == record.checkpoint_after.cursor)
                && after.high_watermark_ms - record.checkpoint_after.high_watermark_ms < IDLE_COMMIT_INTERVAL_MS
        });
        if idle || self.commit_rows(batch, head, after, report).await? {
            return Ok(end);
        }
        Ok(ReadOutcome::EndOfFeed)
    }

    /// Writes the objects of a batch and commits them. Returns `false` if another run
    /// committed first.
    pub(crate) async fn commit_rows(
        &self,
        batch: &mut CommitBatch,
        head: &mut LogHead,
        after: Checkpoint,
        report: &mut StreamReport,
    ) -> Result<bool, Error> {
        let recent = batch.dedup.snapshot();
        let is_log = self.stream.dataset.kind() == DatasetKind::Log;
        let (objects, quarantine_objects) = self.split_objects(batch.writer.finish().await?);
        let record = LogRecord {
            rows: batch.rows,
            revised: batch.revised,
            duplicates: batch.duplicates,
            first_event: batch.time_range.first(),
            last_event: batch.time_range.last(),
            objects,
            quarantined: batch.quarantined,
            quarantine_objects,
            gaps: batch.gaps.clone(),
            pending_backfills: batch.backfills.clone(),
            recent_ids: recent.ids,
            recent_digests: recent.digests,
            recent_times: if is_log { recent.times } else { String::new() },
            recent_revisions: recent.revisions,
            recent_digest_hash: recent.content_hash,
            ..self.next_record(head, &batch.writer, after)
        };
        if !self.commit_record(&mut batch.writer, head, record, report).await? {
            return Ok(false);
        }
        report.backfilled += batch.backfilled;
        Ok(true)
    }

    /// Reads the feed. Fetches the next page while the current one is written. A page with
    /// an invalid cursor, and the pages before it, are valid.
    async fn read_feed<O: SiemFeed>(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
    ) -> Result<ReadOutcome, Error> {
        let first = self.control.stop.unless_stopped(self.fetch_first_page::<O>(cycle, batch)).await;
        let (mut operation, mut response) = first.ok_or(Error::Stopped)??;
        loop {
            cycle.page_limit = operation.limit();
            let page = &response.page;
            let next = operation.next_page(page).and_then(|next| {
                cycle.record_page(next.as_ref().and(page.next_cursor.as_deref()), page.items.is_empty())?;
                Ok(next)
            });
            let (next, end) = match next {
                Err(error) => (None, Some(ReadOutcome::Failed(error.into()))),
                Ok(None) => (None, Some(ReadOutcome::EndOfFeed)),
                Ok(next) if cycle.empty_pages >= MAX_EMPTY_PAGES => {
                    cycle.empty_pages = 0;
                    let error = format!("{MAX_EMPTY_PAGES} consecutive pages are empty, and more follow");
                    (next, Some(ReadOutcome::Failed(sophos_api::Error::malformed(error).into())))
                }
                Ok(next) if self.must_stop() => (next, Some(ReadOutcome::Deadline)),
                Ok(next) if batch.rows + page.items.len() as u64 >= self.settings.rows_per_commit => {
                    (next, Some(ReadOutcome::BatchFull))
                }
                Ok(next) => (next, None),
            };
            let continues = next.is_some() || !page.has_more;
            let fetch = next.filter(|_| end.is_none()).map(|next| self.spawn_fetch(next));
            self.add_page(batch, &response, continues).await?;
            if let Some(end) = end {
                return Ok(end);
            }
            let Some(fetch) = fetch else { return Ok(ReadOutcome::EndOfFeed) };
            let abort = fetch.abort_handle();
            let Some(fetched) = self.control.stop.unless_stopped(join_page(fetch)).await else {
                // A page may wait minutes for the rate limit.
                abort.abort();
                return Ok(ReadOutcome::Deadline);
            };
            (operation, response) = match fetched {
                Ok(fetched) => fetched,
                Err(Error::Service(error)) if error.kind() == ErrorKind::TooLarge => {
                    match self.skip_oversized_page(cycle, batch, error).await {
                        Ok(fetched) => fetched,
                        Err(error) => return Ok(ReadOutcome::Failed(error.into())),
                    }
                }
                Err(error) => return Ok(ReadOutcome::Failed(error)),
            }
        }
    }

    /// Reads the first page, from the best start that the service accepts.
    ///
    /// The service may have dropped a cursor or fail to produce its page. Then the run
    /// continues from a time, and finally from the start of the feed. The interval that
    /// the feed has dropped meanwhile becomes a gap.
    async fn fetch_first_page<O: SiemFeed>(
        &self,
        cycle: &mut CycleDetector,
        batch: &mut CommitBatch,
    ) -> Result<Fetched<O>, Error> {
        let mut starts = batch
            .tracker
            .start_positions(trusted_service_ms(&self.client, self.settings.max_service_skew))
            .into_iter()
            .peekable();
        while let Some(start) = starts.next() {
            let operation = O::from_start(start.clone(), cycle.page_limit);
            match fetch_fitting_page(&self.client, operation, self.settings.max_service_skew).await {
                Ok(fetched) => {
                    batch.tracker.set_start(&start);
                    return Ok(fetched);
                }
                Err(error) if error.kind() == ErrorKind::TooLarge => {
                    batch.tracker.set_start(&start);
                    return Ok(self.skip_oversized_page(cycle, batch, error).await?);
                }
                Err(error) if starts.peek().is_some() && is_start_error(&error) => {
                    let (tenant_id, dataset) = (&self.stream.tenant, self.stream.dataset);
                    tracing::warn!(event = "feed_start_rejected", tenant_id, %dataset, start = start.name(), %error, "the service rejected the start; trying the next one");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(sophos_api::Error::invalid("the feed has no start").into())
    }

    fn spawn_fetch<O: SiemFeed>(&self, operation: O) -> PageTask<O> {
        let (client, max_skew) = (self.client.clone(), self.settings.max_service_skew);
        tokio::spawn(async move { fetch_fitting_page(&client, operation, max_skew).await })
    }
}

impl<C: RunClock> StreamRun<'_, C> {
    pub(crate) fn report_page(&self, records: usize) {
        self.control.report(&ExportProgress::PageRead {
            tenant: &self.stream.tenant,
            dataset: self.stream.dataset,
            records: records as u64,
        });
    }
}

impl StreamReport {
    /// Adds the end of a run.
    pub(crate) fn conclude(&mut self, end: Result<ReadOutcome, Error>) {
        match end {
            Ok(ReadOutcome::BatchFull | ReadOutcome::EndOfFeed) => {}
            Ok(ReadOutcome::Deadline) => self.has_more = true,
            Ok(ReadOutcome::Failed(error)) | Err(error) => {
                self.has_more = true;
                if !is_end_of_run(&error) {
                    self.set_error(&error);
                } else if self.outcome == StreamOutcome::UpToDate {
                    // The deadline passed before the first page.
                    self.outcome = StreamOutcome::NotStarted;
                }
            }
        }
    }
}

/// Whether another start may succeed: the error is neither about the caller nor about
/// its rate.
fn is_start_error(error: &sophos_api::Error) -> bool {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Malformed => error.status().is_some(),
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Interrupted => true,
        _ => false,
    }
}

/// Whether the deadline or the stop signal ended the run.
pub(crate) fn is_end_of_run(error: &Error) -> bool {
    match error {
        Error::Service(error) => error.kind() == ErrorKind::DeadlineExceeded,
        Error::Stopped => true,
        _ => false,
    }
}
