//! The examples, against the simulator.

#![allow(clippy::duplicate_mod, reason = "each example is a program with the common module")]

use std::time::Duration;

use sophos_api::{
    ApiClient, Client, Credentials, Hosts, ReqwestTransport, operations::endpoint::endpoints::ListEndpoints,
};
use sophos_simulator::{Config, CredentialInfo, DataConfig, Owner, Simulator, TenantGroup};

macro_rules! examples {
    ($($name:ident $path:literal)+) => {$(
        #[path = $path]
        #[allow(dead_code, unreachable_pub, missing_debug_implementations, reason = "an example is a program")]
        mod $name;
    )+};
}

examples! {
    custom_transport "../examples/custom_transport.rs"
    isolate_and_wait "../examples/isolate_and_wait.rs"
    list_endpoints "../examples/list_endpoints.rs"
    page_alerts "../examples/page_alerts.rs"
    partner_fan_out "../examples/partner_fan_out.rs"
    tail_siem_feed "../examples/tail_siem_feed.rs"
}

const START: &str = "2026-01-15T12:00:00Z";

async fn simulator() -> Simulator {
    let mut config = Config::default();
    config.clock.start = Some(START.to_owned());
    config.data = DataConfig::default().without_anomalies();
    config.isolation.report_delay_seconds = 0;
    config.tenants = vec![TenantGroup {
        events_per_hour: Some(20.0),
        alerts_per_hour: Some(2.0),
        endpoints: Some(12),
        ..TenantGroup::new(Owner::Partner, 3)
    }];
    Simulator::start(config).await.expect("a simulator")
}

fn credential(simulator: &Simulator) -> CredentialInfo {
    let mut all = simulator.credentials().into_iter();
    all.find(|credential| credential.id_type == "partner").expect("a partner's credential")
}

fn credentials(simulator: &Simulator) -> Credentials {
    let credential = credential(simulator);
    Credentials::new(credential.client_id, credential.client_secret)
}

fn hosts(simulator: &Simulator) -> Hosts {
    let base = |url: String| url.parse().expect("a URL");
    Hosts::new(base(simulator.identity_url()), base(simulator.global_url()))
}

fn client(simulator: &Simulator) -> Client<ReqwestTransport> {
    let transport =
        ReqwestTransport::from_builder(reqwest::Client::builder().no_proxy()).expect("a transport");
    Client::builder(transport, credentials(simulator)).hosts(hosts(simulator)).build()
}

#[tokio::test]
async fn list_endpoints_finds_endpoints_in_bad_health() {
    let simulator = simulator().await;
    let client = client(&simulator);
    let found = list_endpoints::run(&client).await.expect("endpoints");
    let overall = |endpoint: &sophos_api::models::Endpoint| {
        endpoint.health.as_ref().and_then(|health| health.overall.as_ref()).map(ToString::to_string)
    };
    assert!(found.iter().all(|endpoint| matches!(overall(endpoint).as_deref(), Some("bad" | "suspicious"))));
    let mut expected = 0;
    for tenant in client.list_tenants().await.expect("tenants").tenants {
        let all = client.for_tenant(&tenant).expect("a tenant").send(&ListEndpoints::new()).await;
        let all = all.expect("a page").items.into_iter().map(|item| item.parse().expect("an endpoint"));
        expected +=
            all.filter(|endpoint| matches!(overall(endpoint).as_deref(), Some("bad" | "suspicious"))).count();
    }
    assert_eq!(found.len(), expected);
}

#[tokio::test]
async fn page_alerts_stops_at_the_page_limit() {
    let simulator = simulator().await;
    let client = client(&simulator);
    let (count, next) = page_alerts::run(&client, 2).await.expect("alerts");
    assert_eq!((count, next.is_some()), (40, true));
}

#[tokio::test]
async fn isolate_and_wait_isolates_an_endpoint() {
    let simulator = simulator().await;
    let client = client(&simulator);
    let tenants = client.list_tenants().await.expect("tenants").tenants;
    let tenant = client.for_tenant(&tenants[0]).expect("a tenant");
    let online = ListEndpoints::new().online(true).page_size(1);
    let endpoints = tenant.send(&online).await.expect("a page").items;
    let id = endpoints.into_iter().next().expect("an endpoint").parse().expect("an endpoint").id.clone();
    for _ in 0..2 {
        let isolated = isolate_and_wait::run(&tenant, &id, Duration::from_millis(1), 20).await;
        assert!(isolated.expect("an isolation"), "the second run finds it isolated");
    }
}

#[tokio::test]
async fn tail_siem_feed_reads_each_event_once() {
    let simulator = simulator().await;
    let client = client(&simulator);
    let tenants = client.list_tenants().await.expect("tenants").tenants;
    let tenant = client.for_tenant(&tenants[0]).expect("a tenant");
    let count = tail_siem_feed::run(&tenant, Duration::ZERO, 2).await.expect("events");
    let mut served = simulator.served("events", tenant.id().as_str());
    served.sort_unstable();
    served.dedup();
    assert!(count > 0);
    assert_eq!(count, served.len());
}

#[tokio::test]
async fn partner_fan_out_counts_the_endpoints_of_each_tenant() {
    let simulator = simulator().await;
    let counts = partner_fan_out::run(&client(&simulator)).await.expect("counts");
    assert_eq!(counts.len(), 3);
    assert!(counts.values().all(|count| *count == Some(12)), "{counts:?}");
}

#[tokio::test]
async fn custom_transport_logs_requests_without_secrets() {
    let simulator = simulator().await;
    let (identity, log) =
        custom_transport::run(credentials(&simulator), hosts(&simulator)).await.expect("an identity");
    assert_eq!(identity.id_type.as_str(), "partner");
    assert_eq!(log, ["POST /api/v2/oauth2/token: 200", "GET /whoami/v1: 200"]);
}

#[tokio::test]
async fn pages_and_items_run_in_a_spawned_task() {
    use futures_util::{StreamExt, TryStreamExt};
    let simulator = simulator().await;
    let client = client(&simulator);
    let tenants = client.list_tenants().await.expect("tenants").tenants;
    let tenant = client.for_tenant(&tenants[0]).expect("a tenant");
    let listing = ListEndpoints::new().page_size(5);
    let pages =
        tokio::spawn(tenant.pages(listing.clone()).map_ok(|page| page.items.len()).collect::<Vec<_>>());
    let items = tokio::spawn(tenant.items(listing).try_collect::<Vec<_>>());
    drop((tenant, client));
    let sizes: Vec<_> = pages.await.expect("a task").into_iter().map(|size| size.expect("a page")).collect();
    assert_eq!(sizes, [5, 5, 2]);
    assert_eq!(items.await.expect("a task").expect("items").len(), 12);
}
