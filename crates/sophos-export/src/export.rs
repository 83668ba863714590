use std::{
    collections::HashSet,
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::StreamExt;
use sophos_api::{Client, TenantClient, TenantId, Transport, models::Tenant};
use sophos_store::Store;

use crate::{
    commit_log::StreamId,
    dataset::Dataset,
    encode::Format,
    error::Error,
    report::{ExportReport, StreamOutcome, StreamReport},
    stream::StreamRun,
    tenant_inventory::{InventoryChanges, RegionChange, TenantInventory, TenantRef},
};

/// How an export works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportSettings {
    /// How much of the feed's end is read again, for what shows in it late.
    pub overlap: Duration,
    /// Rows after which a run commits and goes on: what a crash can cost.
    pub rows_per_commit: u64,
    /// Bytes of compressed rows that are held in memory, over all streams at
    /// work, before objects are written. About as much again is under way to
    /// the store.
    pub max_buffered_bytes: usize,
    /// Streams at work at once.
    pub concurrency: usize,
    /// How objects are written.
    pub format: Format,
    /// How far the time of an endpoint may be from when the service took its
    /// record in, for the row to be in the partition of that time.
    pub max_event_skew: Duration,
    /// How far the service's time may be from the transport's to be believed.
    /// Keep it below `overlap`: what is believed wrongly may be skipped.
    pub max_service_skew: Duration,
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self {
            overlap: Duration::from_secs(600),
            rows_per_commit: 250_000,
            max_buffered_bytes: 8 << 20,
            concurrency: 4,
            format: Format::default(),
            max_event_skew: Duration::from_secs(7 * 24 * 60 * 60),
            max_service_skew: Duration::from_secs(120),
        }
    }
}

impl ExportSettings {
    pub(crate) fn overlap_ms(&self) -> i64 {
        self.overlap.as_millis() as i64
    }
}

/// What a run is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportScope {
    /// One tenant; `None` for all that the credential reaches.
    pub tenant: Option<TenantId>,
    /// The datasets.
    pub datasets: Vec<Dataset>,
    /// Tenants that another credential serves.
    pub excluded: HashSet<TenantId>,
}

impl Default for ExportScope {
    fn default() -> Self {
        Self { tenant: None, datasets: Dataset::ALL.to_vec(), excluded: HashSet::new() }
    }
}

/// Exports what one credential reaches.
#[derive(Debug)]
pub struct Exporter<T> {
    client: Client<T>,
    store: Store,
    settings: ExportSettings,
    /// Which tenant the next run begins with: the first that the last one had
    /// no time for. A new process begins anywhere, so that no tenant is always
    /// the last.
    first_tenant: AtomicUsize,
}

impl<T: Transport + 'static> Exporter<T> {
    /// An exporter of this client's tenants to this store.
    pub fn new(client: Client<T>, store: Store, settings: ExportSettings) -> Self {
        let begin_with = AtomicUsize::new(random_u64() as usize);
        Self { client, store, settings, first_tenant: begin_with }
    }

    /// The client.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Exports what is new. Stops reading at `stop_at`, in the time of the
    /// transport, commits what was read, and leaves the rest to the next run.
    ///
    /// A tenant that fails harms no other: the report says what became of each.
    ///
    /// # Errors
    /// When no tenant can be reached at all: the credential is refused, or the
    /// list of tenants cannot be read.
    pub async fn run(&self, scope: &ExportScope, stop_at: Option<Duration>) -> Result<ExportReport, Error> {
        let client = self.client.with_optional_deadline(stop_at);
        let before = client.stats();
        let mut report = ExportReport::default();
        let mut tenants = self.select_tenants(&client, scope, &mut report).await?;
        report.tenants = tenants.len() as u64;
        let start =
            if tenants.is_empty() { 0 } else { self.first_tenant.load(Ordering::Relaxed) % tenants.len() };
        tenants.rotate_left(start);

        let runs = tenants.iter().enumerate().flat_map(|(index, tenant)| {
            scope.datasets.iter().map(move |dataset| (index, self.run_stream(tenant, *dataset, stop_at)))
        });
        let mut runs = futures_util::stream::iter(runs)
            .map(|(index, run)| async move { (index, run.await) })
            .buffer_unordered(self.settings.concurrency.max(1));
        let mut left = None::<usize>;
        while let Some((index, stream)) = runs.next().await {
            if stream.outcome == StreamOutcome::NotStarted {
                left = Some(left.map_or(index, |left| left.min(index)));
            }
            report.add(stream);
        }
        drop(runs);
        if let Some(left) = left {
            self.first_tenant.store(start + left, Ordering::Relaxed);
        }
        let after = client.stats();
        report.api_requests = after.api_requests - before.api_requests;
        report.token_requests = after.token_requests - before.token_requests;
        report.throttled = after.throttled - before.throttled;
        report.rate_limit_wait_ms = (after.wait_time - before.wait_time).as_millis() as u64;
        report.streams.sort_by(|a, b| (&a.tenant, a.dataset).cmp(&(&b.tenant, b.dataset)));
        Ok(report)
    }

    /// The tenants that the credential reaches: as they were kept under the
    /// credential's name, if that is not older than `max_age`, else as the
    /// service lists them now; and what is other than it was kept.
    ///
    /// # Errors
    /// When they can be neither read nor listed.
    pub async fn tenant_inventory(
        &self,
        credential: &str,
        max_age: Duration,
        deadline: Option<Duration>,
    ) -> Result<(TenantInventory, InventoryChanges), Error> {
        let kept = TenantInventory::load(&self.store, credential).await?;
        let now = self.client.transport().now();
        if let Some(roster) = kept.as_ref().filter(|roster| roster.age(now) <= max_age) {
            return Ok((roster.clone(), InventoryChanges::default()));
        }
        let (tenants, unusable) =
            list_tenants(&self.client.with_optional_deadline(deadline), &HashSet::new()).await?;
        let members = tenants.iter().map(|(record, _)| TenantRef::from(record)).collect();
        let roster = TenantInventory::new(now, members, unusable);
        let changes = roster.changes_since(kept.as_ref());
        roster.save(&self.store, credential).await?;
        Ok((roster, changes))
    }

    /// Exports one stream. Stops reading at `stop_at`, commits what was read,
    /// and leaves the rest to the next run.
    ///
    /// A tenant that is not answered for where it was said to be is looked for
    /// once: it may have moved to another data region.
    pub async fn export_stream(
        &self,
        tenant: &TenantRef,
        dataset: Dataset,
        stop_at: Option<Duration>,
    ) -> StreamReport {
        let client = self.client.with_optional_deadline(stop_at);
        let place = if tenant.has_location() {
            client.for_tenant(&tenant.to_tenant())
        } else {
            client.tenant(tenant.id.clone()).await
        };
        let handle = match place {
            Ok(handle) => handle,
            Err(error) => {
                let mut report = StreamReport::new(tenant.id.as_str(), dataset, StreamOutcome::Failed);
                report.set_error(&error.into());
                return report;
            }
        };
        let report = self.run_stream(&handle, dataset, stop_at).await;
        if !tenant.has_location() || !report.may_be_wrong_region() {
            return report;
        }
        match client.tenant(tenant.id.clone()).await {
            Ok(now) if now.base_url() != handle.base_url() => {
                let mut again = self.run_stream(&now, dataset, stop_at).await;
                again.api_requests += report.api_requests;
                again.throttled += report.throttled;
                let (from, to) = (handle.base_url().to_string(), now.base_url().to_string());
                again.moved = Some(RegionChange { tenant: tenant.id.to_string(), from, to });
                again
            }
            _ => report,
        }
    }

    /// The tenants of a run, in the order of their ids, those that lead to a
    /// host.
    async fn select_tenants(
        &self,
        client: &Client<T>,
        scope: &ExportScope,
        report: &mut ExportReport,
    ) -> Result<Vec<TenantClient<T>>, Error> {
        if let Some(id) = &scope.tenant {
            return Ok(vec![client.tenant(id.as_str()).await?]);
        }
        let (tenants, unusable) = list_tenants(client, &scope.excluded).await?;
        report.skipped_tenants.extend(unusable);
        let mut tenants: Vec<_> = tenants.into_iter().map(|(_, tenant)| tenant).collect();
        tenants.sort_by_cached_key(|tenant| tenant.id().as_str().to_ascii_lowercase());
        tenants.dedup_by(|a, b| a.id() == b.id());
        Ok(tenants)
    }

    async fn run_stream(
        &self,
        tenant: &TenantClient<T>,
        dataset: Dataset,
        stop_at: Option<Duration>,
    ) -> StreamReport {
        let tenant = tenant.with_separate_stats();
        let id = tenant.id().as_str();
        let mut report = match StreamId::new(dataset, id) {
            Ok(stream) => {
                let run = StreamRun {
                    client: tenant.clone(),
                    store: &self.store,
                    settings: &self.settings,
                    stream,
                    stop_at,
                };
                run.run().await
            }
            Err(error) => {
                let mut report = StreamReport::new(id, dataset, StreamOutcome::Failed);
                report.set_error(&error);
                report
            }
        };
        let stats = tenant.stats();
        report.api_requests = stats.api_requests;
        report.throttled = stats.throttled;
        report
    }
}

/// The tenants that a credential reaches, but for some: those that lead to a host,
/// each with its handle, and of the others why not.
async fn list_tenants<T: Transport>(
    client: &Client<T>,
    except: &HashSet<TenantId>,
) -> Result<(Vec<(Tenant, TenantClient<T>)>, Vec<String>), Error> {
    let list = client.list_tenants().await?;
    let mut unusable: Vec<_> = list.errors.iter().map(ToString::to_string).collect();
    let mut tenants = Vec::with_capacity(list.tenants.len());
    for record in list.tenants.into_iter().filter(|record| !except.contains(&record.id)) {
        match client.for_tenant(&record) {
            Ok(tenant) => tenants.push((record, tenant)),
            Err(error) => unusable.push(error.to_string()),
        }
    }
    Ok((tenants, unusable))
}

/// The name of a run: no two are the same, and they sort by time.
pub(crate) fn run_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:012x}-{:016x}", now.as_millis(), random_u64())
}

/// A random number, from the seed that every hash map has.
fn random_u64() -> u64 {
    RandomState::new().build_hasher().finish()
}
