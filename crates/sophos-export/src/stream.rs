//! One stream, from the end of its log to as near to now as time allows.

use std::time::Duration;

use jiff::Timestamp;
use sophos_api::{
    ErrorKind, TenantClient, Transport,
    operations::siem::{ListSiemAlerts, ListSiemEvents},
};
use sophos_store::Store;

use crate::{
    clock::{is_past, now_ms, service_ms},
    dataset::Dataset,
    encode::millis,
    error::Error,
    export::{Settings, run_id},
    feed::{Gap, Reading},
    intent::sweep,
    log::{Backfill, Head, LogRecord, Stream, commit, head},
    report::{Outcome, StreamReport},
    seen::{Saved, Seen},
    siem::{Feed, Fetch, Fetched, ask_fitting, fetched},
    walk::{MAX_EMPTY_PAGES, Walk},
    writer::{Span, Writer},
};

/// A place without rows is committed when the last commit is older than this:
/// the place must move on before the feed drops it.
const IDLE_COMMIT_MS: i64 = 60 * 60 * 1_000;

/// A run over one stream.
#[derive(Debug)]
pub(crate) struct StreamRun<'a, T> {
    pub(crate) client: TenantClient<T>,
    pub(crate) store: &'a Store,
    pub(crate) settings: &'a Settings,
    pub(crate) stream: Stream,
    /// When to stop reading, in the transport's time; `None` for never.
    pub(crate) stop_at: Option<Duration>,
}

/// What ended the reading.
#[derive(Debug)]
pub(crate) enum End {
    /// The feed has no more at present.
    CaughtUp,
    /// Enough for one commit.
    Full,
    /// The time is up.
    OutOfTime,
    /// The service failed; what was read before is good.
    Trouble(Error),
}

/// What a run has read on its way to a commit.
pub(crate) struct Segment {
    pub(crate) reading: Reading,
    pub(crate) seen: Seen,
    pub(crate) writer: Writer,
    pub(crate) span: Span,
    pub(crate) rows: u64,
    pub(crate) revised: u64,
    pub(crate) backfilled: u64,
    pub(crate) duplicates: u64,
    pub(crate) quarantined: u64,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) backfill: Vec<Backfill>,
}

impl<T: Transport + 'static> StreamRun<'_, T> {
    pub(crate) async fn run(&self) -> StreamReport {
        let mut report = StreamReport::new(&self.stream.tenant, self.stream.dataset, Outcome::UpToDate);
        if is_past(&self.client, self.stop_at) {
            report.outcome = Outcome::NotStarted;
            return report;
        }
        let mut walk = Walk::default();
        let end = loop {
            let end = match self.stream.dataset {
                Dataset::Events => self.segment::<ListSiemEvents>(&mut walk, &mut report).await,
                Dataset::Alerts => self.segment::<ListSiemAlerts>(&mut walk, &mut report).await,
            };
            if !matches!(end, Ok(End::Full)) {
                break end;
            }
        };
        match end {
            Ok(End::Full | End::CaughtUp) => {}
            Ok(End::OutOfTime) => report.more = true,
            Ok(End::Trouble(error)) | Err(error) => {
                report.more = true;
                if !is_deadline(&error) {
                    report.fail(&error);
                } else if report.outcome == Outcome::UpToDate {
                    // A stream that got no page in is still to be begun.
                    report.outcome = Outcome::NotStarted;
                }
            }
        }
        if report.outcome != Outcome::Failed
            && let Some(error) = walk.passed_over
        {
            report.fail(&error.into());
        }
        report
    }

    /// Reads as much as one commit holds, and commits it.
    async fn segment<O: Feed>(&self, walk: &mut Walk, report: &mut StreamReport) -> Result<End, Error> {
        let mut head = head(self.store, &self.stream).await?;
        // What holds if this run comes to nothing.
        let known = head.record.as_ref().map(|record| record.after.frontier_ms);
        report.freshness_seconds = known.map(|frontier| self.age(frontier)).or(report.freshness_seconds);
        let mut segment = self.begin(&head)?;
        let outcome = self.fill::<O>(walk, &mut segment, &mut head, report).await;
        // Rubbish is swept by the next run if this fails too.
        if let Err(error) = segment.writer.undo().await {
            tracing::warn!(tenant = self.stream.tenant, %error, "what was written is left to the next run");
        }
        let end = outcome?;
        if !head.intents.is_empty() {
            report.swept += sweep(self.store, &self.stream, &head).await?;
        }
        Ok(end)
    }

    fn begin(&self, head: &Head) -> Result<Segment, Error> {
        let place = head.record.as_ref().map(|record| record.after.clone());
        let mut seen = Seen::new(self.stream.dataset.remembered());
        if let Some(record) = &head.record {
            let saved = Saved {
                ids: record.recent.clone(),
                contents: record.recent_contents.clone(),
                revisions: record.recent_revisions.clone(),
            };
            seen.load(&saved, record.after.frontier_ms).ok_or_else(|| Error::Unreadable {
                path: self.stream.record_path(record.sequence),
                reason: "its recent ids are not of their form".into(),
            })?;
        }
        Ok(Segment {
            reading: Reading::resume(place, self.settings.overlap_ms(), seen.is_empty()),
            seen,
            writer: Writer::new(
                self.store.clone(),
                self.stream.clone(),
                self.settings.format,
                head.sequence() + 1,
                run_id(),
                self.settings.held_at_most / self.settings.concurrency.max(1),
            ),
            span: Span::default(),
            rows: 0,
            revised: 0,
            backfilled: 0,
            duplicates: 0,
            quarantined: 0,
            gaps: Vec::new(),
            backfill: head.record.as_ref().map(|record| record.backfill.clone()).unwrap_or_default(),
        })
    }

    /// Reads and commits.
    async fn fill<O: Feed>(
        &self,
        walk: &mut Walk,
        segment: &mut Segment,
        head: &mut Head,
        report: &mut StreamReport,
    ) -> Result<End, Error> {
        let mut end = self.read_feed::<O>(walk, segment).await?;
        if self.stream.dataset == Dataset::Alerts {
            let gaps = segment.gaps.iter().map(|gap| Backfill { gap: *gap, next_key: None });
            segment.backfill.extend(gaps);
            if matches!(end, End::CaughtUp) {
                end = self.read_backfill(segment).await?;
            }
        }
        if let Some(frontier) = segment.reading.frontier_ms() {
            report.freshness_seconds = Some(self.age(frontier));
        }
        report.duplicates += segment.duplicates;
        report.gaps.extend(&segment.gaps);

        let Some(after) = segment.reading.place(segment.seen.floor_ms()) else { return Ok(end) };
        let idle = head.record.as_ref().is_some_and(|record| {
            segment.rows == 0
                && segment.quarantined == 0
                && segment.gaps.is_empty()
                && segment.backfill == record.backfill
                // A cursor in the middle of the feed is progress by itself.
                && (after.pending_ms.is_none() || after.cursor == record.after.cursor)
                && after.frontier_ms - record.after.frontier_ms < IDLE_COMMIT_MS
        });
        if idle {
            return Ok(end);
        }

        let recent = segment.seen.save();
        let (quarantine, objects) = (segment.writer.finish().await?.into_iter())
            .partition(|object| object.path.starts_with(&self.stream.quarantine_folder()));
        let record = LogRecord {
            version: 1,
            dataset: self.stream.dataset,
            tenant: self.stream.tenant.clone(),
            sequence: head.sequence() + 1,
            run: segment.writer.run().to_owned(),
            committed_at: Timestamp::from_millisecond(self.now_ms()).map(millis).unwrap_or_default(),
            before: head.record.as_ref().map(|record| record.after.clone()),
            after,
            rows: segment.rows,
            revised: segment.revised,
            duplicates: segment.duplicates,
            first_event: segment.span.first(),
            last_event: segment.span.last(),
            objects,
            quarantined: segment.quarantined,
            quarantine,
            gaps: segment.gaps.clone(),
            backfill: segment.backfill.clone(),
            recent: recent.ids,
            recent_contents: recent.contents,
            recent_revisions: recent.revisions,
        };
        segment.writer.commits();
        if !commit(self.store, &self.stream, &record).await? {
            segment.writer.superseded();
            report.outcome = Outcome::Superseded;
            return Ok(End::CaughtUp);
        }
        report.outcome = Outcome::Committed;
        report.commits += 1;
        report.rows += record.rows;
        report.backfilled += segment.backfilled;
        report.revised += record.revised;
        report.quarantined += record.quarantined;
        report.objects += record.objects.len() as u64;
        report.bytes += record.objects.iter().map(|object| object.bytes).sum::<u64>();
        head.record = Some(record);
        if let Err(error) = segment.writer.settle().await {
            tracing::warn!(tenant = self.stream.tenant, %error, "the intent is left to the next run");
        }
        Ok(end)
    }

    /// Reads the feed, the next page being fetched while one is written. What
    /// was read before a page that leads nowhere is good, and so is that page.
    async fn read_feed<O: Feed>(&self, walk: &mut Walk, segment: &mut Segment) -> Result<End, Error> {
        let (mut operation, mut answer) = self.first_page::<O>(walk, segment).await?;
        loop {
            walk.page_limit = operation.limit();
            let page = &answer.page;
            let next = operation.next(page).and_then(|next| {
                walk.check(next.as_ref().and(page.next_cursor.as_deref()), page.items.is_empty())?;
                Ok(next)
            });
            let (next, end) = match next {
                Err(error) => (None, Some(End::Trouble(error.into()))),
                Ok(None) => (None, Some(End::CaughtUp)),
                Ok(next) if walk.empty_pages >= MAX_EMPTY_PAGES => {
                    walk.empty_pages = 0;
                    let error = format!("{MAX_EMPTY_PAGES} pages in a row are empty, and more are to follow");
                    (next, Some(End::Trouble(sophos_api::Error::malformed(error).into())))
                }
                Ok(next) if is_past(&self.client, self.stop_at) => (next, Some(End::OutOfTime)),
                Ok(next) if segment.rows + page.items.len() as u64 >= self.settings.rows_per_commit => {
                    (next, Some(End::Full))
                }
                Ok(next) => (next, None),
            };
            let leads_on = next.is_some() || !page.has_more;
            let fetch = next.filter(|_| end.is_none()).map(|next| self.fetch(next));
            self.take(segment, &answer, leads_on).await?;
            if let Some(end) = end {
                return Ok(end);
            }
            let Some(fetch) = fetch else { return Ok(End::CaughtUp) };
            (operation, answer) = match fetched(fetch).await {
                Ok(fetched) => fetched,
                Err(Error::Service(error)) if error.kind() == ErrorKind::TooLarge => {
                    match self.pass_over(walk, segment, error).await {
                        Ok(fetched) => fetched,
                        Err(error) => return Ok(End::Trouble(error.into())),
                    }
                }
                Err(error) => return Ok(End::Trouble(error)),
            }
        }
    }

    /// The first page, from the best start that the service answers.
    ///
    /// A cursor may be gone, or may lead to a page that the service cannot
    /// produce: then the run goes on from a time, then from the beginning of the
    /// feed. What the feed has dropped meanwhile becomes a gap.
    async fn first_page<O: Feed>(&self, walk: &mut Walk, segment: &mut Segment) -> Result<Fetched<O>, Error> {
        let mut starts = segment
            .reading
            .starts(service_ms(&self.client, self.settings.max_service_skew))
            .into_iter()
            .peekable();
        while let Some(start) = starts.next() {
            let operation = O::first(start.clone(), walk.page_limit);
            match ask_fitting(&self.client, operation, self.settings.max_service_skew).await {
                Ok(fetched) => {
                    segment.reading.begin(&start);
                    return Ok(fetched);
                }
                Err(error) if error.kind() == ErrorKind::TooLarge => {
                    segment.reading.begin(&start);
                    return Ok(self.pass_over(walk, segment, error).await?);
                }
                Err(error) if starts.peek().is_some() && may_be_the_start(&error) => {
                    let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
                    let event = "feed_start_rejected";
                    tracing::warn!(event, tenant, %dataset, start = start.name(), %error, "trying an earlier start");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(sophos_api::Error::invalid("the feed has no start").into())
    }

    fn fetch<O: Feed>(&self, operation: O) -> Fetch<O> {
        let (client, max_skew) = (self.client.clone(), self.settings.max_service_skew);
        tokio::spawn(async move { ask_fitting(&client, operation, max_skew).await })
    }

    pub(crate) fn now_ms(&self) -> i64 {
        now_ms(&self.client, self.settings.max_service_skew)
    }

    /// How long ago a moment was, in seconds.
    fn age(&self, ms: i64) -> f64 {
        (self.now_ms() - ms).max(0) as f64 / 1_000.0
    }
}

/// Whether another start may be answered: the service answered, and not about
/// who asks or how often.
fn may_be_the_start(error: &sophos_api::Error) -> bool {
    match error.kind() {
        ErrorKind::Invalid | ErrorKind::Malformed => error.status().is_some(),
        ErrorKind::NotFound | ErrorKind::Conflict | ErrorKind::Unavailable | ErrorKind::Interrupted => true,
        _ => false,
    }
}

fn is_deadline(error: &Error) -> bool {
    matches!(error, Error::Service(error) if error.kind() == ErrorKind::Deadline)
}
