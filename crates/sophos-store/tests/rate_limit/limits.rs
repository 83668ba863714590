//! Clients of several processes against the simulator's own limiter.

use std::sync::Arc;

use sophos_api::{
    Caller, Client, Credentials, Hosts, RateBudget, ReqwestTransport, Transport,
    operations::siem::ListSiemEvents,
};
use sophos_simulator::{
    Config, CredentialConfig, CredentialKind, LimiterConfig, Owner, Role, Simulator, TenantGroup,
};
use sophos_store::{SlotBudget, Store};

const RATE: u32 = 60;
const PROCESSES: usize = 6;
const REQUESTS: usize = 30;

#[tokio::test(flavor = "multi_thread")]
async fn no_request_of_many_processes_is_one_too_many() {
    let config = Config {
        tenants: vec![TenantGroup::of(Owner::Partner, PROCESSES)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        limiter: LimiterConfig { per_second: Some(RATE), real_time: true, ..LimiterConfig::default() },
        ..Config::default()
    };
    let simulator = Simulator::start(config).await.expect("a simulator");
    let credential = simulator.credentials().remove(0);
    let hosts = Hosts::at(
        simulator.identity_url().parse().expect("an address"),
        simulator.global_url().parse().expect("an address"),
    );
    let folder = tempfile::tempdir().expect("a folder");
    let budget: RateBudget = format!("{RATE}/s").parse().expect("a budget");

    let process = async |number: usize| {
        let transport = ReqwestTransport::new().expect("a transport");
        let store = Store::open(&folder.path().to_string_lossy()).expect("a store");
        let shared = SlotBudget::new(store, "_budget/partner", &budget, transport.clone());
        let client = Client::builder(
            transport,
            Credentials::new(credential.client_id.as_str(), credential.client_secret.clone()),
        );
        let client = client
            .hosts(hosts.clone())
            .budget(RateBudget::unlimited())
            .shared_budget(Arc::new(shared.expect("a bounded budget")))
            .build();
        let tenants = client.tenants().await.expect("tenants");
        let tenant = client.tenant_of(&tenants.readable[number]).expect("a host");
        let began = client.transport().now();
        for _ in 0..REQUESTS {
            tenant.send(&ListSiemEvents::default()).await.expect("an answer");
        }
        (client.stats(), client.transport().now() - began)
    };
    let stats = futures_util::future::join_all((0..PROCESSES).map(process)).await;
    let calls: u64 = stats.iter().map(|(stats, _)| stats.calls).sum();
    assert_eq!(calls as usize, PROCESSES * (REQUESTS + 2));
    assert!(stats.iter().all(|(stats, _)| stats.throttled == 0), "{stats:?}");
    assert_eq!(simulator.calls().status(429), 0);
    // Without the budget they would have come all at once, and been refused.
    assert!(stats.iter().any(|(stats, _)| !stats.waited.is_zero()), "{stats:?}");
}
