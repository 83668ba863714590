//! Clients of several processes against the simulator's own limiter.

use std::sync::Arc;

use sophos_api::{
    ApiClient, Client, Credentials, Hosts, RateLimit, ReqwestTransport, Transport,
    operations::siem::events::ListSiemEvents,
};
use sophos_simulator::{
    Config, CredentialConfig, CredentialKind, LimiterConfig, Owner, Role, Simulator, TenantGroup,
};
use sophos_store::{Store, StoreRateLimiter};

const RATE: u32 = 60;
const PROCESSES: usize = 6;
const REQUESTS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn rate_limiter_keeps_processes_within_the_service_limit() {
    let config = Config {
        tenants: vec![TenantGroup::new(Owner::Partner, PROCESSES)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        limiter: LimiterConfig { per_second: Some(RATE), real_time: true, ..LimiterConfig::default() },
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.expect("a simulator");
    let credential = simulator.credentials().remove(0);
    let hosts = Hosts::new(
        simulator.identity_url().parse().expect("an address"),
        simulator.global_url().parse().expect("an address"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let budget: RateLimit = format!("{RATE}/s").parse().expect("a budget");

    let process = async |number: usize| {
        let transport = ReqwestTransport::new().expect("a transport");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let shared = StoreRateLimiter::new(store, "_rate_limit/partner", &budget, transport.clone());
        let client = Client::builder(
            transport,
            Credentials::new(credential.client_id.as_str(), credential.client_secret.clone()),
        );
        let client = client
            .hosts(hosts.clone())
            .rate_limit(RateLimit::unlimited())
            .shared_rate_limiter(Arc::new(shared.expect("a bounded budget")))
            .build();
        let tenants = client.list_tenants().await.expect("tenants");
        let tenant = client.for_tenant(&tenants.tenants[number]).expect("a host");
        let began = client.transport().now();
        for _ in 0..REQUESTS {
            tenant.send(&ListSiemEvents::default()).await.expect("a response");
        }
        (client.stats(), client.transport().now() - began)
    };
    let stats = futures_util::future::join_all((0..PROCESSES).map(process)).await;
    let calls: u64 = stats.iter().map(|(stats, _)| stats.api_requests).sum();
    assert_eq!(calls as usize, PROCESSES * (REQUESTS + 2));
    assert!(stats.iter().all(|(stats, _)| stats.throttled == 0), "{stats:?}");
    assert_eq!(simulator.calls().status(429), 0);
    // Without the shared limit the service would have throttled them.
    assert!(stats.iter().any(|(stats, _)| !stats.wait_time.is_zero()), "{stats:?}");
}
