//! The export of one tenant from the simulator to a store in memory, by its clock.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use object_store::memory::InMemory;
use sophos_api::{
    ApiClient, Client, Credentials, Hosts, Paged, RateLimit, ReqwestTransport, TenantClient, Transport,
    TransportError,
};
use sophos_export::{Dataset, ExportSettings, Exporter, LogRecord, Store, StreamId, StreamReport, TenantRef};
use sophos_simulator::{
    Clock, ClockConfig, Config, CredentialConfig, DataConfig, Owner, Role, Simulator, TenantGroup,
};

/// Real HTTP with the simulator's time. Waiting advances its clock.
#[derive(Debug, Clone)]
pub(crate) struct ClockedTransport {
    http: ReqwestTransport,
    clock: Clock,
}

impl Transport for ClockedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        self.http.send(request, timeout).await
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.clock.now_ms() as u64)
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.advance(duration + Duration::from_millis(1));
    }
}

/// A simulator with one tenant, an exporter and its store.
pub(crate) struct SimulatedEnv {
    pub(crate) simulator: Simulator,
    pub(crate) store: Store,
    pub(crate) tenant_id: String,
    pub(crate) client: Client<ClockedTransport>,
    pub(crate) exporter: Exporter<ClockedTransport>,
}

impl SimulatedEnv {
    /// A tenant with this number of endpoints.
    pub(crate) async fn start(endpoints: u64) -> Self {
        let config = Config {
            clock: ClockConfig { start: Some("2026-11-23T10:00:00Z".into()), running: false },
            tenants: vec![TenantGroup {
                name: Some("Acme".into()),
                ..TenantGroup::new(Owner::Standalone, 1)
            }],
            credentials: vec![CredentialConfig::for_tenant("Acme", Role::SuperAdmin)],
            data: DataConfig { endpoints, ..DataConfig::default() },
            ..Config::default()
        };
        let simulator = Simulator::start(config).await.expect("a simulator");
        let url = |text: String| text.parse().expect("a URL");
        let hosts = Hosts::new(url(simulator.identity_url()), url(simulator.global_url()));
        let credential = &simulator.credentials()[0];
        let http = ReqwestTransport::new().expect("a transport");
        let transport = ClockedTransport { http, clock: simulator.clock() };
        let secret = Credentials::new(credential.client_id.clone(), credential.client_secret.clone());
        let client =
            Client::builder(transport, secret).hosts(hosts).rate_limit(RateLimit::unlimited()).build();
        let store = Store::from_object_store(Arc::new(InMemory::new()));
        let exporter = Exporter::new(client.clone(), store.clone(), ExportSettings::default());
        let tenant_id = simulator.tenants()[0].id.clone();
        Self { simulator, store, tenant_id, client, exporter }
    }

    /// One run over a stream.
    pub(crate) async fn run(&self, dataset: Dataset) -> StreamReport {
        let tenant = TenantRef::new(self.tenant_id.as_str());
        Box::pin(self.exporter.export_stream(&tenant, dataset, None)).await
    }

    pub(crate) async fn tenant(&self) -> TenantClient<ClockedTransport> {
        self.client.tenant(self.tenant_id.as_str()).await.expect("the tenant")
    }

    pub(crate) fn stream(&self, dataset: Dataset) -> StreamId {
        StreamId::new(dataset, &self.tenant_id).expect("a tenant")
    }

    /// The records of a listing, read in other pages than the export's.
    pub(crate) async fn list<O: Paged>(&self, first: O) -> u64 {
        let mut pages = self.tenant().await.pages(first);
        let mut count = 0;
        while let Some(page) = pages.next().await {
            count += O::items(page.expect("a page")).len() as u64;
        }
        count
    }

    pub(crate) async fn latest(&self, dataset: Dataset) -> LogRecord {
        let latest = LogRecord::load_latest(&self.store, &self.stream(dataset)).await;
        latest.expect("a log").expect("a snapshot")
    }
}
