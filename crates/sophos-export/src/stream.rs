//! One stream, from the end of its log to as near to now as time allows.

use std::time::Duration;

use jiff::Timestamp;
use sophos_api::{
    ErrorKind, TenantClient, Transport,
    operations::siem::{ListSiemAlerts, ListSiemEvents},
};
use sophos_store::Store;

use crate::{
    checkpoint::{CheckpointTracker, Gap},
    clock::{deadline_passed, now_ms, trusted_service_ms},
    commit_log::{Backfill, LogHead, LogRecord, StreamId, commit, load_head},
    cycle_detector::{CycleDetector, MAX_EMPTY_PAGES},
    dataset::Dataset,
    dedup_window::{DedupSnapshot, DedupWindow},
    encode::to_rfc3339_millis,
    error::Error,
    export::{ExportSettings, run_id},
    report::{StreamOutcome, StreamReport},
    siem_feed::{Fetched, PageTask, SiemFeed, ask_fitting, join_page},
    write_ahead::collect_garbage,
    writer::{ObjectWriter, TimeRange},
};

/// A place without rows is committed when the last commit is older than this:
/// the place must move on before the feed drops it.
const IDLE_COMMIT_INTERVAL_MS: i64 = 60 * 60 * 1_000;

/// A run over one stream.
#[derive(Debug)]
pub(crate) struct StreamRun<'a, T> {
    pub(crate) client: TenantClient<T>,
    pub(crate) store: &'a Store,
    pub(crate) settings: &'a ExportSettings,
    pub(crate) stream: StreamId,
    /// When to stop reading, in the transport's time; `None` for never.
    pub(crate) stop_at: Option<Duration>,
}

/// What ended the reading.
#[derive(Debug)]
pub(crate) enum ReadOutcome {
    /// The feed has no more at present.
    EndOfFeed,
    /// Enough for one commit.
    BatchFull,
    /// The time is up.
    Deadline,
    /// The service failed; what was read before is good.
    Failed(Error),
}

/// What a run has read on its way to a commit.
pub(crate) struct CommitBatch {
    pub(crate) tracker: CheckpointTracker,
    pub(crate) dedup: DedupWindow,
    pub(crate) writer: ObjectWriter,
    pub(crate) time_range: TimeRange,
    pub(crate) rows: u64,
    pub(crate) revised: u64,
    pub(crate) backfilled: u64,
    pub(crate) duplicates: u64,
    pub(crate) quarantined: u64,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) backfills: Vec<Backfill>,
}

impl<T: Transport + 'static> StreamRun<'_, T> {
    pub(crate) async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(&self.stream.tenant, self.stream.dataset, StreamOutcome::UpToDate);
        if deadline_passed(&self.client, self.stop_at) {
            report.outcome = StreamOutcome::NotStarted;
            return report;
        }
        let mut walk = CycleDetector::default();
        let end = loop {
            let end = match self.stream.dataset {
                Dataset::Events => self.commit_batch::<ListSiemEvents>(&mut walk, &mut report).await,
                Dataset::Alerts => self.commit_batch::<ListSiemAlerts>(&mut walk, &mut report).await,
            };
            if !matches!(end, Ok(ReadOutcome::BatchFull)) {
                break end;
            }
        };
        match end {
            Ok(ReadOutcome::BatchFull | ReadOutcome::EndOfFeed) => {}
            Ok(ReadOutcome::Deadline) => report.has_more = true,
            Ok(ReadOutcome::Failed(error)) | Err(error) => {
                report.has_more = true;
                if !is_deadline(&error) {
                    report.set_error(&error);
                } else if report.outcome == StreamOutcome::UpToDate {
                    // A stream that got no page in is still to be begun.
                    report.outcome = StreamOutcome::NotStarted;
                }
            }
        }
        if report.outcome != StreamOutcome::Failed
            && let Some(error) = walk.passed_over
        {
            report.set_error(&error.into());
        }
        report
    }

    /// Reads as much as one commit holds, and commits it.
    async fn commit_batch<O: SiemFeed>(
        &self,
        walk: &mut CycleDetector,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let mut head = load_head(self.store, &self.stream).await?;
        // What holds if this run comes to nothing.
        let known = head.record.as_ref().map(|record| record.checkpoint_after.high_watermark_ms);
        report.freshness_seconds =
            known.map(|frontier| self.age_seconds(frontier)).or(report.freshness_seconds);
        let mut segment = self.start_batch(&head)?;
        let outcome = self.read_and_commit::<O>(walk, &mut segment, &mut head, report).await;
        // Rubbish is swept by the next run if this fails too.
        if let Err(error) = segment.writer.rollback().await {
            tracing::warn!(event = "rollback_failed", tenant_id = self.stream.tenant, %error, "rollback failed; the next run collects the garbage");
        }
        let end = outcome?;
        if !head.write_ahead_files.is_empty() {
            report.garbage_removed += collect_garbage(self.store, &self.stream, &head).await?;
        }
        Ok(end)
    }

    fn start_batch(&self, head: &LogHead) -> Result<CommitBatch, Error> {
        let place = head.record.as_ref().map(|record| record.checkpoint_after.clone());
        let mut seen = DedupWindow::new(self.stream.dataset.min_dedup_records());
        if let Some(record) = &head.record {
            let saved = DedupSnapshot {
                ids: record.recent_ids.clone(),
                digests: record.recent_digests.clone(),
                revisions: record.recent_revisions.clone(),
            };
            seen.restore(&saved, record.checkpoint_after.high_watermark_ms).ok_or_else(|| {
                Error::InvalidLogRecord {
                    path: self.stream.record_path(record.sequence),
                    reason: "its recent ids are not of their form".into(),
                }
            })?;
        }
        Ok(CommitBatch {
            tracker: CheckpointTracker::from_checkpoint(place, self.settings.overlap_ms(), seen.is_empty()),
            dedup: seen,
            writer: ObjectWriter::new(
                self.store.clone(),
                self.stream.clone(),
                self.settings.format,
                head.sequence() + 1,
                run_id(),
                self.settings.max_buffered_bytes / self.settings.concurrency.max(1),
            ),
            time_range: TimeRange::default(),
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

    /// Reads and commits.
    async fn read_and_commit<O: SiemFeed>(
        &self,
        walk: &mut CycleDetector,
        segment: &mut CommitBatch,
        head: &mut LogHead,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let mut end = self.read_feed::<O>(walk, segment).await?;
        if self.stream.dataset == Dataset::Alerts {
            let gaps = segment.gaps.iter().map(|gap| Backfill { gap: *gap, next_key: None });
            segment.backfills.extend(gaps);
            if matches!(end, ReadOutcome::EndOfFeed) {
                end = self.read_backfill(segment).await?;
            }
        }
        if let Some(frontier) = segment.tracker.high_watermark_ms() {
            report.freshness_seconds = Some(self.age_seconds(frontier));
        }
        report.duplicates += segment.duplicates;
        report.gaps.extend(&segment.gaps);

        let Some(after) = segment.tracker.checkpoint(segment.dedup.complete_from_ms()) else {
            return Ok(end);
        };
        let idle = head.record.as_ref().is_some_and(|record| {
            segment.rows == 0
                && segment.quarantined == 0
                && segment.gaps.is_empty()
                && segment.backfills == record.pending_backfills
                // A cursor in the middle of the feed is progress by itself.
                && (after.backlog_watermark_ms.is_none() || after.cursor == record.checkpoint_after.cursor)
                && after.high_watermark_ms - record.checkpoint_after.high_watermark_ms < IDLE_COMMIT_INTERVAL_MS
        });
        if idle {
            return Ok(end);
        }

        let recent = segment.dedup.snapshot();
        let (quarantine, objects) = (segment.writer.finish().await?.into_iter())
            .partition(|object| object.path.starts_with(&self.stream.quarantine_folder()));
        let record = LogRecord {
            version: 1,
            dataset: self.stream.dataset,
            tenant: self.stream.tenant.clone(),
            sequence: head.sequence() + 1,
            run_id: segment.writer.run_id().to_owned(),
            committed_at: Timestamp::from_millisecond(self.now_ms())
                .map(to_rfc3339_millis)
                .unwrap_or_default(),
            checkpoint_before: head.record.as_ref().map(|record| record.checkpoint_after.clone()),
            checkpoint_after: after,
            rows: segment.rows,
            revised: segment.revised,
            duplicates: segment.duplicates,
            first_event: segment.time_range.first(),
            last_event: segment.time_range.last(),
            objects,
            quarantined: segment.quarantined,
            quarantine_objects: quarantine,
            gaps: segment.gaps.clone(),
            pending_backfills: segment.backfills.clone(),
            recent_ids: recent.ids,
            recent_digests: recent.digests,
            recent_revisions: recent.revisions,
        };
        segment.writer.begin_commit();
        if !commit(self.store, &self.stream, &record).await? {
            segment.writer.mark_superseded();
            report.outcome = StreamOutcome::Superseded;
            return Ok(ReadOutcome::EndOfFeed);
        }
        report.outcome = StreamOutcome::Committed;
        report.commits += 1;
        report.rows += record.rows;
        report.backfilled += segment.backfilled;
        report.revised += record.revised;
        report.quarantined += record.quarantined;
        report.objects += record.objects.len() as u64;
        report.bytes += record.objects.iter().map(|object| object.bytes).sum::<u64>();
        head.record = Some(record);
        if let Err(error) = segment.writer.finalize().await {
            tracing::warn!(event = "finalize_failed", tenant_id = self.stream.tenant, %error, "failed to remove the write-ahead record; the next run removes it");
        }
        Ok(end)
    }

    /// Reads the feed, the next page being fetched while one is written. What
    /// was read before a page that leads nowhere is good, and so is that page.
    async fn read_feed<O: SiemFeed>(
        &self,
        walk: &mut CycleDetector,
        segment: &mut CommitBatch,
    ) -> Result<ReadOutcome, Error> {
        let (mut operation, mut answer) = self.fetch_first_page::<O>(walk, segment).await?;
        loop {
            walk.page_limit = operation.limit();
            let page = &answer.page;
            let next = operation.next_page(page).and_then(|next| {
                walk.record_page(next.as_ref().and(page.next_cursor.as_deref()), page.items.is_empty())?;
                Ok(next)
            });
            let (next, end) = match next {
                Err(error) => (None, Some(ReadOutcome::Failed(error.into()))),
                Ok(None) => (None, Some(ReadOutcome::EndOfFeed)),
                Ok(next) if walk.empty_pages >= MAX_EMPTY_PAGES => {
                    walk.empty_pages = 0;
                    let error = format!("{MAX_EMPTY_PAGES} pages in a row are empty, and more are to follow");
                    (next, Some(ReadOutcome::Failed(sophos_api::Error::malformed(error).into())))
                }
                Ok(next) if deadline_passed(&self.client, self.stop_at) => {
                    (next, Some(ReadOutcome::Deadline))
                }
                Ok(next) if segment.rows + page.items.len() as u64 >= self.settings.rows_per_commit => {
                    (next, Some(ReadOutcome::BatchFull))
                }
                Ok(next) => (next, None),
            };
            let leads_on = next.is_some() || !page.has_more;
            let fetch = next.filter(|_| end.is_none()).map(|next| self.spawn_fetch(next));
            self.add_page(segment, &answer, leads_on).await?;
            if let Some(end) = end {
                return Ok(end);
            }
            let Some(fetch) = fetch else { return Ok(ReadOutcome::EndOfFeed) };
            (operation, answer) = match join_page(fetch).await {
                Ok(fetched) => fetched,
                Err(Error::Service(error)) if error.kind() == ErrorKind::TooLarge => {
                    match self.pass_over(walk, segment, error).await {
                        Ok(fetched) => fetched,
                        Err(error) => return Ok(ReadOutcome::Failed(error.into())),
                    }
                }
                Err(error) => return Ok(ReadOutcome::Failed(error)),
            }
        }
    }

    /// The first page, from the best start that the service answers.
    ///
    /// A cursor may be gone, or may lead to a page that the service cannot
    /// produce: then the run goes on from a time, then from the beginning of the
    /// feed. What the feed has dropped meanwhile becomes a gap.
    async fn fetch_first_page<O: SiemFeed>(
        &self,
        walk: &mut CycleDetector,
        segment: &mut CommitBatch,
    ) -> Result<Fetched<O>, Error> {
        let mut starts = segment
            .tracker
            .start_positions(trusted_service_ms(&self.client, self.settings.max_service_skew))
            .into_iter()
            .peekable();
        while let Some(start) = starts.next() {
            let operation = O::from_start(start.clone(), walk.page_limit);
            match ask_fitting(&self.client, operation, self.settings.max_service_skew).await {
                Ok(fetched) => {
                    segment.tracker.set_start(&start);
                    return Ok(fetched);
                }
                Err(error) if error.kind() == ErrorKind::TooLarge => {
                    segment.tracker.set_start(&start);
                    return Ok(self.pass_over(walk, segment, error).await?);
                }
                Err(error) if starts.peek().is_some() && is_start_error(&error) => {
                    let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
                    let event = "feed_start_rejected";
                    tracing::warn!(event, tenant, %dataset, start = start.name(), %error, "trying an earlier start");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(sophos_api::Error::invalid("the feed has no start").into())
    }

    fn spawn_fetch<O: SiemFeed>(&self, operation: O) -> PageTask<O> {
        let (client, max_skew) = (self.client.clone(), self.settings.max_service_skew);
        tokio::spawn(async move { ask_fitting(&client, operation, max_skew).await })
    }

    pub(crate) fn now_ms(&self) -> i64 {
        now_ms(&self.client, self.settings.max_service_skew)
    }

    /// How long ago a moment was, in seconds.
    fn age_seconds(&self, ms: i64) -> f64 {
        (self.now_ms() - ms).max(0) as f64 / 1_000.0
    }
}

/// Whether another start may be answered: the service answered, and not about
/// who asks or how often.
fn is_start_error(error: &sophos_api::Error) -> bool {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Malformed => error.status().is_some(),
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Interrupted => true,
        _ => false,
    }
}

fn is_deadline(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.kind() == ErrorKind::DeadlineExceeded)
}
