use std::{
    collections::HashSet,
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::StreamExt;
use sophos_api::{Client, TenantClient, TenantId, Transport, models::Tenant};
use sophos_store::Store;

use crate::{
    announcement::Announcer,
    commit_log::StreamId,
    dataset::Dataset,
    error::Error,
    format::FormatSelection,
    report::{ExportReport, StreamOutcome, StreamReport},
    run_control::{ExportProgress, RunControl, StopSignal},
    stream::StreamRun,
    tenant_inventory::{InventoryChanges, RegionChange, TenantInventory, TenantRef},
};

/// The settings of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportSettings {
    /// The interval at the end of the feed that the next run rereads, since records
    /// appear with a delay.
    pub overlap: Duration,
    /// The rows after which a run commits and continues. A crash loses at most these.
    pub rows_per_commit: u64,
    /// The maximum bytes of encoded rows in memory, over all concurrent streams,
    /// before objects are written. Uploads take about as much again.
    pub max_buffered_bytes: usize,
    /// The number of concurrent streams.
    pub concurrency: usize,
    /// The format of objects, for each dataset.
    pub formats: FormatSelection,
    /// The maximum distance between a record's time by the endpoint's clock and its
    /// creation time. Beyond it, the creation time decides the partition.
    pub max_event_skew: Duration,
    /// The maximum skew of the service's clock from the transport's. Beyond it, the
    /// transport's clock counts. Keep it below `overlap`: a wrong time may skip records.
    pub max_service_skew: Duration,
    /// The interval of snapshots. A run takes the next one when at most a twenty-fourth of
    /// the interval is left, so that a schedule with jitter skips none.
    pub snapshot_interval: Duration,
}

impl Default for ExportSettings {
    fn default() -> Self {
        Self {
            overlap: Duration::from_secs(600),
            rows_per_commit: 250_000,
            max_buffered_bytes: 8 << 20,
            concurrency: 4,
            formats: FormatSelection::default(),
            max_event_skew: Duration::from_secs(7 * 24 * 60 * 60),
            max_service_skew: Duration::from_secs(120),
            snapshot_interval: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl ExportSettings {
    pub(crate) fn overlap_ms(&self) -> i64 {
        self.overlap.as_millis() as i64
    }

    /// The maximum bytes that one stream buffers.
    pub(crate) fn stream_buffer_bytes(&self) -> usize {
        self.max_buffered_bytes / self.concurrency.max(1)
    }
}

/// The scope of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportScope {
    /// One tenant; `None` for all tenants of the credential. The id of the credential's
    /// own partner or organization stands for its audit log.
    pub tenant: Option<TenantId>,
    /// The datasets. Those that are not [per tenant](Dataset::is_per_tenant) are left out.
    pub datasets: Vec<Dataset>,
    /// The tenants of other credentials.
    pub excluded: HashSet<TenantId>,
}

impl Default for ExportScope {
    fn default() -> Self {
        Self { tenant: None, datasets: Dataset::DEFAULT.to_vec(), excluded: HashSet::new() }
    }
}

/// Exports the tenants of one credential.
///
/// # Examples
/// ```
/// use sophos_api::{Client, Transport};
/// use sophos_export::{Error, ExportScope, ExportSettings, Exporter, Store};
///
/// async fn export<T: Transport + 'static>(client: Client<T>) -> Result<(), Error> {
///     let store = Store::open("s3://my-bucket/sophos")?;
///     let exporter = Exporter::new(client, store, ExportSettings::default());
///     // Both datasets of all tenants, without a deadline.
///     let report = exporter.run(&ExportScope::default(), None).await?;
///     for stream in &report.streams {
///         println!("{} {}: {:?}, {} rows", stream.tenant, stream.dataset, stream.outcome, stream.rows);
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Exporter<T> {
    client: Client<T>,
    store: Store,
    settings: ExportSettings,
    control: RunControl,
    /// The tenant with which the next run begins: the first that the last run did not
    /// start. Random in a new process, so that no tenant is always the last.
    first_tenant: AtomicUsize,
}

impl<T: Transport + 'static> Exporter<T> {
    /// Creates an exporter of the client's tenants to a store.
    pub fn new(client: Client<T>, store: Store, settings: ExportSettings) -> Self {
        let first_tenant = AtomicUsize::new(random_u64() as usize);
        Self { client, store, settings, control: RunControl::default(), first_tenant }
    }

    /// Sets the signal that ends runs early.
    #[must_use]
    pub fn with_stop_signal(mut self, stop: StopSignal) -> Self {
        self.control.stop = stop;
        self
    }

    /// Sets an observer of the progress. It is called from several tasks and must not
    /// block.
    #[must_use]
    pub fn with_progress(mut self, observer: impl Fn(&ExportProgress<'_>) + Send + Sync + 'static) -> Self {
        self.control.observer = Some(Arc::new(observer));
        self
    }

    /// Sets the announcer of commits. A run without one announces nothing, and forgets which
    /// commits of earlier runs are not announced yet.
    #[must_use]
    pub fn with_announcer(mut self, announcer: Arc<dyn Announcer>) -> Self {
        self.control.announcer = Some(announcer);
        self
    }

    /// The client.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Exports new records. Stops reading at `stop_at`, in the transport's time, or at the
    /// [stop signal](Self::with_stop_signal). Then it commits, and leaves the rest to the
    /// next run.
    ///
    /// The failure of a stream does not affect others: the report has each outcome.
    ///
    /// # Errors
    /// When the credential is rejected or the tenants cannot be listed.
    pub async fn run(&self, scope: &ExportScope, stop_at: Option<Duration>) -> Result<ExportReport, Error> {
        let client = self.client.with_optional_deadline(stop_at);
        let before = client.stats();
        let mut report = ExportReport::default();
        let account = own_account(&client, scope).await?;
        let mut tenants = self.select_tenants(&client, scope, account.as_ref(), &mut report).await?;
        report.tenants = tenants.len() as u64;
        let datasets: Vec<_> = scope.datasets.iter().filter(|dataset| dataset.is_per_tenant()).collect();
        let streams = report.tenants * datasets.len() as u64 + u64::from(account.is_some());
        self.control.report(&ExportProgress::Started { tenants: report.tenants, streams });
        let start =
            if tenants.is_empty() { 0 } else { self.first_tenant.load(Ordering::Relaxed) % tenants.len() };
        tenants.rotate_left(start);

        let account_run =
            account.iter().map(|account| (None, self.run_stream(account, Dataset::Audit, stop_at)));
        let tenant_runs = tenants.iter().enumerate().flat_map(|(index, tenant)| {
            let run = move |dataset: &&Dataset| (Some(index), self.run_stream(tenant, **dataset, stop_at));
            datasets.iter().map(run)
        });
        let runs = account_run.chain(tenant_runs);
        let mut runs = futures_util::stream::iter(runs)
            .map(|(index, run)| async move { (index, run.await) })
            .buffer_unordered(self.settings.concurrency.max(1));
        let mut left = None::<usize>;
        while let Some((index, stream)) = runs.next().await {
            if let Some(index) = index.filter(|_| stream.outcome == StreamOutcome::NotStarted) {
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

    /// The tenants of the credential, and the changes since the stored inventory. Uses
    /// the stored inventory if it is at most `max_age` old, and lists the tenants
    /// otherwise.
    ///
    /// # Errors
    /// When the store fails or the tenants cannot be listed.
    pub async fn tenant_inventory(
        &self,
        credential: &str,
        max_age: Duration,
        deadline: Option<Duration>,
    ) -> Result<(TenantInventory, InventoryChanges), Error> {
        let stored = TenantInventory::load(&self.store, credential).await?;
        let now = self.client.transport().now();
        if let Some(inventory) = stored.as_ref().filter(|inventory| inventory.age(now) <= max_age) {
            return Ok((inventory.clone(), InventoryChanges::default()));
        }
        let (tenants, skipped) =
            list_tenants(&self.client.with_optional_deadline(deadline), &HashSet::new()).await?;
        let tenants = tenants.iter().map(|(record, _)| TenantRef::from(record)).collect();
        let inventory = TenantInventory::new(now, tenants, skipped);
        let changes = inventory.changes_since(stored.as_ref());
        inventory.save(&self.store, credential).await?;
        Ok((inventory, changes))
    }

    /// Exports one stream. Stops reading at `stop_at`, commits, and leaves the rest to the
    /// next run.
    ///
    /// If the failure suggests that the tenant moved to another data region, looks up its
    /// region once and retries.
    ///
    /// The audit log of a partner or organization is the stream of its own id.
    pub async fn export_stream(
        &self,
        tenant: &TenantRef,
        dataset: Dataset,
        stop_at: Option<Duration>,
    ) -> StreamReport {
        let client = self.client.with_optional_deadline(stop_at);
        let account = match dataset {
            Dataset::Audit => client.own_account().await,
            _ => Ok(None),
        };
        let account = account.map(|account| account.filter(|account| *account.id() == tenant.id));
        if let Ok(Some(account)) = &account {
            return self.run_stream(account, dataset, stop_at).await;
        }
        let located = if let Err(error) = account {
            Err(error)
        } else if tenant.has_location() {
            client.for_tenant(&tenant.to_tenant())
        } else {
            client.tenant(tenant.id.clone()).await
        };
        let handle = match located {
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
            Ok(moved) if moved.base_url() != handle.base_url() => {
                let mut retry = self.run_stream(&moved, dataset, stop_at).await;
                retry.api_requests += report.api_requests;
                retry.throttled += report.throttled;
                let (from, to) = (handle.base_url().to_string(), moved.base_url().to_string());
                retry.moved = Some(RegionChange { tenant: tenant.id.to_string(), from, to });
                retry
            }
            _ => report,
        }
    }

    /// The tenants of a run with a valid host, in the order of their ids.
    async fn select_tenants(
        &self,
        client: &Client<T>,
        scope: &ExportScope,
        account: Option<&TenantClient<T>>,
        report: &mut ExportReport,
    ) -> Result<Vec<TenantClient<T>>, Error> {
        if account.is_some_and(|account| scope.tenant.as_ref() == Some(account.id())) {
            return Ok(Vec::new());
        }
        if let Some(id) = &scope.tenant {
            return Ok(vec![client.tenant(id.as_str()).await?]);
        }
        let (tenants, skipped) = list_tenants(client, &scope.excluded).await?;
        report.skipped_tenants.extend(skipped);
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
                    control: &self.control,
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
        self.control.report(&ExportProgress::Ended(&report));
        report
    }
}

/// The account of a partner or organization, if its audit log is in the scope.
async fn own_account<T: Transport>(
    client: &Client<T>,
    scope: &ExportScope,
) -> Result<Option<TenantClient<T>>, Error> {
    if !scope.datasets.contains(&Dataset::Audit) {
        return Ok(None);
    }
    let account = client.own_account().await?;
    Ok(account.filter(|account| {
        !scope.excluded.contains(account.id()) && scope.tenant.as_ref().is_none_or(|id| id == account.id())
    }))
}

/// Lists the tenants of a credential, except for `excluded`: those with a valid host, each
/// with its handle, and the errors of the others.
async fn list_tenants<T: Transport>(
    client: &Client<T>,
    excluded: &HashSet<TenantId>,
) -> Result<(Vec<(Tenant, TenantClient<T>)>, Vec<String>), Error> {
    let list = client.list_tenants().await?;
    let mut skipped: Vec<_> = list.errors.iter().map(ToString::to_string).collect();
    let mut tenants = Vec::with_capacity(list.tenants.len());
    for record in list.tenants.into_iter().filter(|record| !excluded.contains(&record.id)) {
        match client.for_tenant(&record) {
            Ok(tenant) => tenants.push((record, tenant)),
            Err(error) => skipped.push(error.to_string()),
        }
    }
    Ok((tenants, skipped))
}

/// A unique id of a run. Ids sort by time.
pub(crate) fn run_id() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:012x}-{:016x}", now.as_millis(), random_u64())
}

/// A random number, from the seed of a hash map.
fn random_u64() -> u64 {
    RandomState::new().build_hasher().finish()
}
