//! The run of a snapshot: reads all records of a dataset, and commits them at once.

use serde::Deserialize;
use serde_json::Value;
use sophos_api::{
    ApiClient, ErrorKind, ItemList, MalformedItem, Operation, Raw, TenantClient, Transport,
    operations::{
        account_health::{
            checks::CheckAccountHealth,
            scores::{GetHistoricalScores, GetRegionalScores},
        },
        common::{admins::ListAdmins, roles::ListRoles},
        endpoint::{
            allowed_items::ListAllowedItems,
            blocked_addresses::ListBlockedAddresses,
            blocked_items::ListBlockedItems,
            endpoints::ListEndpoints,
            exploit_mitigation::ListMitigatedApplications,
            intrusion_prevention_exclusions::ListIntrusionPreventionExclusions,
            isolation_exclusions::ListIsolationExclusions,
            policies::{GetPolicy, ListPolicies},
            scanning_exclusions::ListScanningExclusions,
            web_control::ListTlsExcludedWebsites,
        },
        firewall::{firewall_groups::ListFirewallGroups, firewalls::ListFirewalls},
        licenses::product_licenses::{ListFirewallLicenses, ListLicenses},
    },
};

use crate::{
    checkpoint::Checkpoint,
    commit_log::{LogHead, SnapshotSummary, load_head},
    commit_run::format_ms,
    content_digest::ContentHash,
    dataset::Dataset,
    error::Error,
    page_size::reduce_page_size,
    record_key::record_key,
    report::StreamReport,
    snapshot_batch::SnapshotBatch,
    snapshot_source::{Listing, Verbatim, source_path},
    snapshot_state::{ListingProgress, PageCounts, PageResult, SnapshotState},
    stream::{ReadOutcome, StreamRun, is_end_of_run},
};

/// The part of the interval by which a snapshot may be early.
const EARLY_DIVISOR: u32 = 24;

/// The licenses in the response of their operation.
#[derive(Deserialize)]
struct LicenseList {
    #[serde(default)]
    licenses: Vec<Raw<Value>>,
}

impl<T: Transport + 'static> StreamRun<'_, TenantClient<T>> {
    /// Takes a snapshot if the last one is old enough.
    pub(crate) async fn run_snapshot(&self, report: &mut StreamReport) -> Result<ReadOutcome, Error> {
        let mut head = load_head(self.store, &self.stream).await?;
        let last_ms = head.record.as_ref().map(|record| record.checkpoint_after.high_watermark_ms);
        report.freshness_seconds = last_ms.map(|taken_ms| self.overdue_seconds(taken_ms));
        let interval = self.settings.snapshot_interval;
        let min_age_ms = (interval - interval / EARLY_DIVISOR).as_millis() as i64;
        let is_due = last_ms.is_none_or(|taken_ms| self.now_ms() - taken_ms >= min_age_ms);
        let outcome =
            if is_due { self.take_snapshot(&mut head, report).await } else { Ok(ReadOutcome::EndOfFeed) };
        self.end_run(&mut head, report, outcome).await
    }

    /// The seconds since the next snapshot was due.
    pub(crate) fn overdue_seconds(&self, taken_ms: i64) -> f64 {
        (self.age_seconds(taken_ms) - self.settings.snapshot_interval.as_secs_f64()).max(0.0)
    }

    /// Takes a snapshot, or continues the one that an earlier run suspended.
    async fn take_snapshot(
        &self,
        head: &mut LogHead,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let sequence = head.sequence() + 1;
        let suspended = SnapshotState::load(self.store, &self.stream, sequence, self.now_ms()).await?;
        let mut batch = SnapshotBatch {
            is_continued: suspended.is_some(),
            state: suspended.unwrap_or_else(|| SnapshotState::new(sequence)),
            writer: self.object_writer(head),
            revision: u32::try_from(head.sequence()).unwrap_or(u32::MAX),
            operation: 0,
            responses: 0,
        };
        let end = match self.read_dataset(&mut batch).await {
            Ok(()) => self.commit_snapshot(&mut batch, head, report).await,
            Err(error) if is_end_of_run(&error) && batch.responses > 0 => self.suspend(&mut batch).await,
            Err(error) => {
                // The service may have dropped the page key. The next run starts again.
                if batch.is_continued && error.is_invalid_request() {
                    SnapshotState::remove(self.store, &self.stream).await;
                }
                Err(error)
            }
        };
        self.roll_back(&mut batch.writer).await;
        end
    }

    /// Reads all operations of the dataset, in a fixed order.
    async fn read_dataset(&self, batch: &mut SnapshotBatch) -> Result<(), Error> {
        match self.stream.dataset {
            Dataset::Endpoints => self.read_listing::<ListEndpoints>(batch).await?,
            Dataset::Health => {
                self.read_single(batch, CheckAccountHealth::new()).await?;
                self.read_single(batch, GetHistoricalScores::new()).await?;
                self.read_single(batch, GetRegionalScores::new()).await?;
            }
            Dataset::Policies => self.read_listing::<ListPolicies>(batch).await?,
            Dataset::Exclusions => {
                self.read_listing::<ListScanningExclusions>(batch).await?;
                self.read_listing::<ListIsolationExclusions>(batch).await?;
                self.read_listing::<ListIntrusionPreventionExclusions>(batch).await?;
                self.read_listing::<ListTlsExcludedWebsites>(batch).await?;
                self.read_listing::<ListAllowedItems>(batch).await?;
                self.read_listing::<ListBlockedItems>(batch).await?;
                self.read_listing::<ListBlockedAddresses>(batch).await?;
                self.read_listing::<ListMitigatedApplications>(batch).await?;
            }
            Dataset::Licenses => {
                self.read_licenses(batch).await?;
                self.read_listing::<ListFirewallLicenses>(batch).await?;
            }
            Dataset::Firewalls => {
                self.read_listing::<ListFirewalls>(batch).await?;
                self.read_listing::<ListFirewallGroups>(batch).await?;
            }
            Dataset::Admins => {
                self.read_listing::<ListAdmins>(batch).await?;
                self.read_roles(batch).await?;
            }
            other => return Err(sophos_api::Error::invalid(format!("{other} has no snapshots")).into()),
        }
        Ok(())
    }

    /// Reads a listing to its end.
    async fn read_listing<O: Listing>(&self, batch: &mut SnapshotBatch) -> Result<(), Error> {
        let source = source_path::<O>();
        if !batch.enter(source) {
            return Ok(());
        }
        let mut progress = batch.state.listing.take().unwrap_or_else(|| ListingProgress::new(O::PAGE_SIZE));
        loop {
            // For the case that this run ends here.
            batch.state.listing = Some(progress.clone());
            let operation = O::page(progress.position.as_deref(), progress.page_size);
            let page = match self.request(batch, &operation).await {
                Ok(page) => page,
                Err(Error::Service(error)) => {
                    let tenant_id = &self.stream.tenant;
                    let size = reduce_page_size(tenant_id, &error, progress.page_size, 1).ok_or(error)?;
                    progress.resize(size, O::IS_KEYED);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let next = operation.next_page(&page)?.and_then(|next| next.position());
            let total = O::total(&page);
            let malformed = O::malformed_items(&page).to_vec();
            let items = O::items(page);
            let mut new = 0;
            for item in &items {
                new += u64::from(self.add_item::<O>(batch, source, item).await?);
            }
            new += self.quarantine_items(batch, source, &malformed).await?;
            let records = (items.len() + malformed.len()) as u64;
            self.report_page(items.len() + malformed.len());
            batch.state.duplicates += records - new;
            match progress.end_page(PageCounts { records, new, total, next }, O::IS_KEYED)? {
                PageResult::Continues => {}
                PageResult::Repeats => {
                    tracing::warn!(
                        event = "listing_repeated",
                        tenant_id = self.stream.tenant,
                        dataset = %self.stream.dataset,
                        source,
                        "a listing changed while it was read; reading it again"
                    );
                }
                PageResult::Complete => {
                    batch.leave();
                    return Ok(());
                }
            }
        }
    }

    /// Adds a record of a listing. Returns whether it is new.
    async fn add_item<O: Listing>(
        &self,
        batch: &mut SnapshotBatch,
        source: &'static str,
        item: &Raw<O::Item>,
    ) -> Result<bool, Error> {
        let id = match O::ID_MEMBER {
            "id" => record_key(item, ContentHash::Xxh3).id.into_owned(),
            member => item
                .parse_as::<Value>()
                .ok()
                .and_then(|record| Some(record[member].as_str()?.to_owned()))
                .unwrap_or_else(|| record_key(item, ContentHash::Xxh3).id.into_owned()),
        };
        let Some(row_id) = batch.state.ids.row_id(&id, batch.operation, source) else { return Ok(false) };
        if self.stream.dataset != Dataset::Policies || has_member(item, "appliesTo") {
            return self.add_row(batch, row_id, source, item).await.map(|()| true);
        }
        // The listing of policies leaves out what they apply to.
        let operation = Verbatim(GetPolicy::new(id));
        match self.request(batch, &operation).await {
            Ok(policy) => {
                let source = source_path::<GetPolicy>();
                self.add_row(batch, row_id, source, &policy).await.map(|()| true)
            }
            // Deleted since.
            Err(Error::Service(error)) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads an operation that returns one record. Its path is the id of the row.
    async fn read_single<O: Operation>(&self, batch: &mut SnapshotBatch, operation: O) -> Result<(), Error> {
        let source = source_path::<O>();
        if batch.enter(source) {
            let record = self.request(batch, &Verbatim(operation)).await?;
            self.add_row(batch, source.to_owned(), source, &record).await?;
            self.report_page(1);
            batch.leave();
        }
        Ok(())
    }

    async fn read_licenses(&self, batch: &mut SnapshotBatch) -> Result<(), Error> {
        let source = source_path::<ListLicenses>();
        if batch.enter(source) {
            let response = self.request(batch, &Verbatim(ListLicenses::new())).await?;
            let list: LicenseList = response.parse_as()?;
            self.add_list(batch, source, &list.licenses, &[]).await?;
        }
        Ok(())
    }

    async fn read_roles(&self, batch: &mut SnapshotBatch) -> Result<(), Error> {
        let source = source_path::<ListRoles>();
        if batch.enter(source) {
            let ItemList { items, malformed_items, .. } = self.request(batch, &ListRoles::new()).await?;
            self.add_list(batch, source, &items, &malformed_items).await?;
        }
        Ok(())
    }

    /// Adds the records of a response that has all of them.
    async fn add_list<I>(
        &self,
        batch: &mut SnapshotBatch,
        source: &'static str,
        items: &[Raw<I>],
        malformed: &[MalformedItem],
    ) -> Result<(), Error> {
        for item in items {
            match batch.state.ids.row_id(&record_key(item, ContentHash::Xxh3).id, batch.operation, source) {
                Some(row_id) => self.add_row(batch, row_id, source, item).await?,
                None => batch.state.duplicates += 1,
            }
        }
        self.quarantine_items(batch, source, malformed).await?;
        self.report_page(items.len() + malformed.len());
        batch.leave();
        Ok(())
    }

    /// Sends a request. The time of the first response is the time of the snapshot.
    async fn request<O: Operation>(
        &self,
        batch: &mut SnapshotBatch,
        operation: &O,
    ) -> Result<O::Response, Error> {
        if self.must_stop() {
            return Err(Error::Stopped);
        }
        let response = self.control.stop.unless_stopped(self.client.send(operation)).await;
        let response = response.ok_or(Error::Stopped)??;
        batch.responses += 1;
        if batch.state.taken_ms.is_none() {
            batch.state.taken_ms = Some(self.now_ms());
        }
        Ok(response)
    }

    /// Commits the snapshot.
    async fn commit_snapshot(
        &self,
        batch: &mut SnapshotBatch,
        head: &mut LogHead,
        report: &mut StreamReport,
    ) -> Result<ReadOutcome, Error> {
        let mut objects = std::mem::take(&mut batch.state.objects);
        objects.extend(batch.writer.finish().await?);
        let taken_ms = batch.state.taken_ms.unwrap_or_else(|| self.now_ms());
        let mut record = self.next_record(head, &batch.writer, Checkpoint::at(taken_ms, None));
        (record.objects, record.quarantine_objects) = self.split_objects(objects);
        record.rows = batch.state.rows();
        record.duplicates = batch.state.duplicates;
        record.quarantined = batch.state.quarantined;
        let taken_at = format_ms(taken_ms);
        if record.rows > 0 {
            (record.first_event, record.last_event) = (Some(taken_at.clone()), Some(taken_at.clone()));
        }
        let sources = std::mem::take(&mut batch.state.sources);
        record.snapshot = Some(SnapshotSummary { taken_at, sources });
        let duplicates = record.duplicates;
        if self.commit_record(&mut batch.writer, head, record, report).await? {
            report.duplicates += duplicates;
            report.freshness_seconds = Some(self.overdue_seconds(taken_ms));
            if batch.is_continued {
                SnapshotState::remove(self.store, &self.stream).await;
            }
        }
        Ok(ReadOutcome::EndOfFeed)
    }

    /// Stores the progress, so that the next run continues the snapshot. Its objects stay
    /// named by the write-ahead record of this run.
    async fn suspend(&self, batch: &mut SnapshotBatch) -> Result<ReadOutcome, Error> {
        let written = batch.writer.finish().await?;
        batch.state.objects.extend(written);
        batch.writer.begin_commit();
        batch.state.save(self.store, &self.stream).await?;
        Ok(ReadOutcome::Deadline)
    }
}

/// Whether a record is an object with this member.
fn has_member<I>(item: &Raw<I>, member: &str) -> bool {
    item.parse_as::<Value>().is_ok_and(|record| record.get(member).is_some())
}
