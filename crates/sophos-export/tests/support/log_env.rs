//! The export from the simulator, in its time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use object_store::{ObjectStore, memory::InMemory};
use serde_json::Value;
use sophos_api::{
    ApiClient, Client, Credentials, Hosts, RateLimit, ReqwestTransport, RetryPolicy, TenantClient, Transport,
    TransportError,
};
use sophos_export::{
    Dataset, ExportReport, ExportScope, ExportSettings, Exporter, LogRecord, Store, StreamId, StreamReport,
    StreamStatus, StreamVerification, TenantRef,
};
use sophos_simulator::{Clock, Config, Owner, Platform, Simulator, TenantGroup};

use super::{decode_rows, load_log};

const START: &str = "2026-11-23T10:00:00Z";

/// A transport to the simulator. Its time is the simulator's: a wait advances it, and so
/// does a request by the latency.
#[derive(Debug)]
pub(crate) struct SimulatedTransport {
    inner: ReqwestTransport,
    clock: Clock,
    latency_ms: AtomicI64,
    /// The requests until a crash: the next one never ends.
    requests_left: AtomicU64,
    crashed: tokio::sync::Notify,
}

impl Transport for SimulatedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if self.requests_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.crashed.notify_one();
            std::future::pending::<()>().await;
        }
        let latency = Duration::from_millis(self.latency_ms.load(Ordering::SeqCst) as u64);
        self.clock.advance(latency);
        self.inner.send(request, Duration::from_secs(30)).await
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.clock.now_ms() as u64)
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.advance(duration.max(Duration::from_millis(1)));
    }
}

pub(crate) type SimulatedClient = Client<Arc<SimulatedTransport>>;

/// A partner with tenants, its exporter and its store.
pub(crate) struct LogEnv {
    pub(crate) simulator: Simulator,
    pub(crate) store: Store,
    pub(crate) client: SimulatedClient,
    transport: Arc<SimulatedTransport>,
    objects: Arc<InMemory>,
    settings: ExportSettings,
}

impl LogEnv {
    pub(crate) async fn new() -> Self {
        Self::with_settings(|_| {}).await
    }

    /// Three tenants of a partner, with changed settings.
    pub(crate) async fn with_settings(change: impl FnOnce(&mut ExportSettings)) -> Self {
        let mut config = Config::default();
        config.clock.start = Some(START.to_owned());
        config.tenants = vec![TenantGroup { endpoints: Some(8), ..TenantGroup::new(Owner::Partner, 3) }];
        let simulator = Simulator::start(config).await.expect("a simulator");
        let mut settings = ExportSettings::default();
        change(&mut settings);
        let objects = Arc::new(InMemory::new());
        let store = Store::from_object_store(objects.clone());
        let (client, transport) = connect(&simulator, "partner", "super_admin");
        Self { simulator, store, client, transport, objects, settings }
    }

    /// Continues with another credential.
    pub(crate) fn use_credential(&mut self, id_type: &str, role: &str) {
        (self.client, self.transport) = connect(&self.simulator, id_type, role);
    }

    /// The id of a tenant.
    pub(crate) fn tenant_id(&self, number: usize) -> String {
        self.simulator.tenants()[number].id.clone()
    }

    pub(crate) async fn tenant(&self, number: usize) -> TenantClient<Arc<SimulatedTransport>> {
        self.client.tenant(self.tenant_id(number)).await.expect("a tenant")
    }

    /// The id of the partner.
    pub(crate) async fn account_id(&self) -> String {
        self.client.identity().await.expect("an identity").id.to_ascii_lowercase()
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.simulator.clock().now_ms()
    }

    pub(crate) fn advance(&self, by_ms: i64) {
        self.simulator.clock().advance(Duration::from_millis(by_ms as u64));
    }

    /// Moves a tenant to Sophos Fusion. The client has forgotten its platform.
    pub(crate) fn move_to_fusion(&self, number: usize) {
        self.simulator.set_tenant_platform(&self.tenant_id(number), Platform::Fusion);
        self.advance(sophos_api::MAX_PLATFORM_AGE.as_millis() as i64);
    }

    pub(crate) fn exporter(&self) -> Exporter<Arc<SimulatedTransport>> {
        Exporter::new(self.client.clone(), self.store.clone(), self.settings.clone())
    }

    /// One run over the stream of this tenant or account.
    pub(crate) async fn run(&self, id: &str, dataset: Dataset) -> StreamReport {
        self.exporter().export_stream(&TenantRef::new(id), dataset, None).await
    }

    /// One run that stops after this many requests.
    pub(crate) async fn run_for_requests(&self, id: &str, dataset: Dataset, requests: i64) -> StreamReport {
        let latency = 1_000;
        self.transport.latency_ms.store(latency, Ordering::SeqCst);
        let stop_at = self.transport.now() + Duration::from_millis((requests * latency) as u64);
        let report = self.exporter().export_stream(&TenantRef::new(id), dataset, Some(stop_at)).await;
        self.transport.latency_ms.store(0, Ordering::SeqCst);
        report
    }

    /// One run that is killed before the request after this many. `None` if it was.
    pub(crate) async fn run_until_crash(
        &self,
        id: &str,
        dataset: Dataset,
        requests: u64,
    ) -> Option<StreamReport> {
        self.transport.requests_left.store(requests, Ordering::SeqCst);
        let tenant = TenantRef::new(id);
        let exporter = self.exporter();
        let report = tokio::select! {
            report = exporter.export_stream(&tenant, dataset, None) => Some(report),
            () = self.transport.crashed.notified() => None,
        };
        self.transport.requests_left.store(u64::MAX, Ordering::SeqCst);
        report
    }

    /// One run over all tenants.
    pub(crate) async fn run_all(&self, datasets: &[Dataset]) -> ExportReport {
        let scope = ExportScope { datasets: datasets.to_vec(), ..ExportScope::default() };
        self.exporter().run(&scope, None).await.expect("a report")
    }

    /// The log of a stream, in order.
    pub(crate) async fn log(&self, id: &str, dataset: Dataset) -> Vec<LogRecord> {
        load_log(&self.store, &format!("_log/{dataset}/{id}")).await
    }

    /// All committed rows of a stream, in the order of the log.
    pub(crate) async fn rows(&self, id: &str, dataset: Dataset) -> Vec<Value> {
        let mut rows = Vec::new();
        for record in self.log(id, dataset).await {
            rows.extend(decode_rows(&self.store, &record.objects).await);
        }
        rows
    }

    /// The sorted ids of all rows of a stream.
    pub(crate) async fn row_ids(&self, id: &str, dataset: Dataset) -> Vec<String> {
        let rows = self.rows(id, dataset).await;
        sorted(rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()))
    }

    /// The number of rows by source.
    pub(crate) async fn sources(&self, id: &str, dataset: Dataset) -> BTreeMap<String, usize> {
        let mut sources = BTreeMap::new();
        for row in self.rows(id, dataset).await {
            *sources.entry(row["source"].as_str().expect("a source").to_owned()).or_default() += 1;
        }
        sources
    }

    /// Verifies a stream: its log, its objects, and that no row is there twice.
    pub(crate) async fn verify(&self, id: &str, dataset: Dataset) {
        let stream = StreamId::new(dataset, id).expect("a stream");
        let verification =
            StreamVerification::run(&self.store, &stream, true, |_| {}).await.expect("a store");
        assert_eq!(verification.findings, [], "{dataset} of {id}");
        assert_eq!(verification.pending_objects, [""; 0]);
    }

    pub(crate) async fn status(&self, id: &str, dataset: Dataset) -> StreamStatus {
        let stream = StreamId::new(dataset, id).expect("a stream");
        StreamStatus::load(&self.store, &stream, u64::MAX).await.expect("a status")
    }

    /// The names of all objects.
    pub(crate) async fn object_names(&self) -> Vec<String> {
        self.objects.list(None).map(|object| object.expect("an object").location.to_string()).collect().await
    }
}

/// A client of a credential of this kind and role.
fn connect(simulator: &Simulator, id_type: &str, role: &str) -> (SimulatedClient, Arc<SimulatedTransport>) {
    let credentials = simulator.credentials().into_iter();
    let credential = credentials.filter(|one| one.id_type == id_type).find(|one| one.role == role);
    let credential = credential.expect("a credential");
    let base = |url: String| url.parse().expect("a URL");
    let hosts = Hosts::new(base(simulator.identity_url()), base(simulator.global_url()))
        .with_fusion(base(simulator.fusion_url()));
    let builder = reqwest::Client::builder().no_proxy();
    let transport = Arc::new(SimulatedTransport {
        inner: ReqwestTransport::from_builder(builder).expect("a transport"),
        clock: simulator.clock(),
        latency_ms: AtomicI64::new(0),
        requests_left: AtomicU64::new(u64::MAX),
        crashed: tokio::sync::Notify::new(),
    });
    let client = Client::builder(
        Arc::clone(&transport),
        Credentials::new(credential.client_id, credential.client_secret),
    )
    .hosts(hosts)
    .rate_limit(RateLimit::unlimited())
    .retry_policy(RetryPolicy::new().initial_backoff(Duration::from_millis(1)))
    .build();
    (client, transport)
}

pub(crate) fn sorted(ids: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut ids: Vec<_> = ids.into_iter().collect();
    ids.sort();
    ids
}
