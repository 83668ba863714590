//! One stream, from the end of its log to as near to now as time allows.

use std::time::Duration;

use jiff::Timestamp;
use sophos_api::{
    CursorPage, ErrorKind, TenantClient, Transport, UnreadableItem,
    operations::siem::{ListSiemAlerts, ListSiemEvents},
};
use sophos_store::Store;

use crate::{
    backfill::{self, key_is_lost},
    clock::{is_past, now_ms, service_ms},
    dataset::Dataset,
    day::{day, partition_day},
    digest::sha256_hex,
    encode::{QuarantinedRecord, Row, millis},
    error::Error,
    export::{Settings, run_id},
    facts::{Facts, facts},
    feed::{Gap, Reading, Times},
    intent::sweep,
    log::{Backfill, Head, LogRecord, Stream, commit, head},
    report::{Outcome, StreamReport},
    seen::{RecordId, Saved, Seen, Sighting},
    siem::{Answer, Feed, Fetch, ask, fetched},
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
enum End {
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
struct Segment {
    reading: Reading,
    seen: Seen,
    writer: Writer,
    span: Span,
    rows: u64,
    revised: u64,
    backfilled: u64,
    duplicates: u64,
    quarantined: u64,
    gaps: Vec<Gap>,
    backfill: Vec<Backfill>,
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
        let (mut operation, mut answer) = self.first_page::<O>(segment).await?;
        loop {
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
            let fetch = next.filter(|_| end.is_none()).map(|next| (self.fetch(next.clone()), next));
            self.take(segment, &answer, leads_on).await?;
            if let Some(end) = end {
                return Ok(end);
            }
            let Some((fetch, next)) = fetch else { return Ok(End::CaughtUp) };
            match fetched(fetch).await {
                Ok(next_answer) => (operation, answer) = (next, next_answer),
                Err(error) => return Ok(End::Trouble(error)),
            }
        }
    }

    /// The first page, from the best start that the service answers.
    ///
    /// A cursor may be gone, or may lead to a page that the service cannot
    /// produce: then the run goes on from a time, then from the beginning of the
    /// feed. What the feed has dropped meanwhile becomes a gap.
    async fn first_page<O: Feed>(&self, segment: &mut Segment) -> Result<(O, Answer<O::Response>), Error> {
        let mut starts = segment
            .reading
            .starts(service_ms(&self.client, self.settings.max_service_skew))
            .into_iter()
            .peekable();
        while let Some(start) = starts.next() {
            let operation = O::first(start.clone());
            match ask(&self.client, &operation, self.settings.max_service_skew).await {
                Ok(answer) => {
                    segment.reading.begin(&start);
                    return Ok((operation, answer));
                }
                Err(error) if starts.peek().is_some() && may_be_the_start(&error) => {
                    let (tenant, dataset) = (&self.stream.tenant, self.stream.dataset);
                    let event = "feed_start_rejected";
                    tracing::warn!(event, tenant, %dataset, ?start, %error, "trying an earlier start");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(sophos_api::Error::invalid("the feed has no start").into())
    }

    fn fetch<O: Feed>(&self, operation: O) -> Fetch<O::Response> {
        let (client, max_skew) = (self.client.clone(), self.settings.max_service_skew);
        tokio::spawn(async move { ask(&client, &operation, max_skew).await })
    }

    /// Takes the records of a page, those that are new.
    async fn take<I>(
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
    async fn read_backfill(&self, segment: &mut Segment) -> Result<End, Error> {
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
                Err(error) => return Ok(End::Trouble(error)),
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

    fn now_ms(&self) -> i64 {
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
