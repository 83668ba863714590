//! The commit of a run: one log record, created only if it is absent.

use jiff::Timestamp;

use crate::{
    announcement::{announce_commits, end_commit},
    checkpoint::Checkpoint,
    clock::RunClock,
    commit_log::{DataObject, LogHead, LogRecord, commit},
    content_digest::ContentHash,
    encode::to_rfc3339_millis,
    error::Error,
    export::run_id,
    report::{StreamOutcome, StreamReport},
    run_control::ExportProgress,
    stream::{ReadOutcome, StreamRun},
    write_ahead::collect_garbage,
    writer::ObjectWriter,
};

impl<C: RunClock> StreamRun<'_, C> {
    /// A writer for the next log record.
    pub(crate) fn object_writer(&self, head: &LogHead) -> ObjectWriter {
        ObjectWriter::new(
            self.store.clone(),
            self.stream.clone(),
            self.settings.formats.format(self.stream.dataset),
            head.sequence() + 1,
            run_id(),
            self.settings.stream_buffer_bytes(),
        )
    }

    /// The next log record, without objects.
    pub(crate) fn next_record(
        &self,
        head: &LogHead,
        writer: &ObjectWriter,
        checkpoint_after: Checkpoint,
    ) -> LogRecord {
        LogRecord {
            version: 1,
            dataset: self.stream.dataset,
            tenant: self.stream.tenant.clone(),
            sequence: head.sequence() + 1,
            run_id: writer.run_id().to_owned(),
            committed_at: format_ms(self.now_ms()),
            checkpoint_before: head.record.as_ref().map(|record| record.checkpoint_after.clone()),
            checkpoint_after,
            rows: 0,
            revised: 0,
            duplicates: 0,
            first_event: None,
            last_event: None,
            objects: Vec::new(),
            quarantined: 0,
            quarantine_objects: Vec::new(),
            gaps: Vec::new(),
            pending_backfills: Vec::new(),
            recent_ids: String::new(),
            recent_digests: String::new(),
            recent_times: String::new(),
            recent_revisions: Vec::new(),
            recent_digest_hash: ContentHash::default(),
            tracked_decisions: Vec::new(),
            snapshot: None,
        }
    }

    /// Splits the objects of a run into those with rows and those with quarantined
    /// records.
    pub(crate) fn split_objects(&self, objects: Vec<DataObject>) -> (Vec<DataObject>, Vec<DataObject>) {
        let folder = self.stream.quarantine_folder();
        objects.into_iter().partition(|object| !object.path.starts_with(&folder))
    }

    /// Deletes the objects of a run that did not commit. If that fails, the next run
    /// collects the garbage.
    pub(crate) async fn roll_back(&self, writer: &mut ObjectWriter) {
        if let Err(error) = writer.rollback().await {
            tracing::warn!(event = "rollback_failed", tenant_id = self.stream.tenant, %error, "rollback failed; the next run collects the garbage");
        }
    }

    /// Announces the commits that are not announced yet, even if the run failed, and
    /// deletes the garbage of runs that died.
    pub(crate) async fn end_run(
        &self,
        head: &mut LogHead,
        report: &mut StreamReport,
        outcome: Result<ReadOutcome, Error>,
    ) -> Result<ReadOutcome, Error> {
        if let Some(announcer) = &self.control.announcer {
            announce_commits(self.store, &self.stream, &**announcer, head, report).await;
        }
        let end = outcome?;
        if !head.write_ahead_files.is_empty() {
            report.garbage_removed += collect_garbage(self.store, &self.stream, head).await?;
        }
        Ok(end)
    }

    /// Commits a log record whose objects are written, and reports it. Returns `false` if
    /// another run committed first.
    pub(crate) async fn commit_record(
        &self,
        writer: &mut ObjectWriter,
        head: &mut LogHead,
        record: LogRecord,
        report: &mut StreamReport,
    ) -> Result<bool, Error> {
        writer.begin_commit();
        let first_kept = self.control.announcer.as_ref().and_then(|_| head.first_write_ahead());
        if !commit(self.store, &self.stream, &record, first_kept).await? {
            writer.mark_superseded();
            report.outcome = StreamOutcome::Superseded;
            return Ok(false);
        }
        report.outcome = StreamOutcome::Committed;
        self.control.report(&ExportProgress::Committed {
            tenant: &self.stream.tenant,
            dataset: self.stream.dataset,
            rows: record.rows,
            high_watermark_ms: record.checkpoint_after.high_watermark_ms,
        });
        report.commits += 1;
        report.rows += record.rows;
        report.revised += record.revised;
        report.quarantined += record.quarantined;
        report.objects += record.objects.len() as u64;
        report.bytes += record.objects.iter().map(|object| object.bytes).sum::<u64>();
        head.record = Some(record);
        end_commit(writer, &self.stream, head, self.control.announcer.is_some()).await;
        Ok(true)
    }
}

impl Checkpoint {
    /// The checkpoint of a stream that is complete up to a time.
    pub(crate) fn at(watermark_ms: i64, cursor: Option<String>) -> Self {
        Self {
            cursor,
            high_watermark_ms: watermark_ms,
            low_watermark_ms: watermark_ms,
            backlog_watermark_ms: None,
            exported_before_ms: None,
        }
    }
}

/// Formats a time in milliseconds since the Unix epoch.
pub(crate) fn format_ms(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map(to_rfc3339_millis).unwrap_or_default()
}
