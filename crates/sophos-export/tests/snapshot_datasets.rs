//! The snapshots of each dataset have all records that the simulator holds.

mod support;

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{
    ApiClient,
    operations::{
        common::{admins::ListAdmins, roles::ListRoles},
        endpoint::{
            allowed_items::ListAllowedItems,
            blocked_addresses::ListBlockedAddresses,
            blocked_items::ListBlockedItems,
            endpoints::ListEndpoints,
            exploit_mitigation::ListMitigatedApplications,
            intrusion_prevention_exclusions::ListIntrusionPreventionExclusions,
            isolation_exclusions::ListIsolationExclusions,
            policies::ListPolicies,
            scanning_exclusions::{CreateScanningExclusion, ListScanningExclusions, ScanningExclusionType},
            web_control::ListTlsExcludedWebsites,
        },
        firewall::{firewall_groups::ListFirewallGroups, firewalls::ListFirewalls},
        licenses::product_licenses::{ListFirewallLicenses, ListLicenses},
    },
};
use sophos_export::{Dataset, StreamOutcome, StreamVerification};
use support::SimulatedEnv;

/// Takes a snapshot, and returns its number of records by source.
async fn counts(env: &SimulatedEnv, dataset: Dataset) -> BTreeMap<String, u64> {
    let report = env.run(dataset).await;
    assert_eq!(report.outcome, StreamOutcome::Committed, "{report:?}");
    let record = env.latest(dataset).await;
    let snapshot = record.snapshot.expect("a snapshot");
    assert_eq!(record.rows, snapshot.sources.iter().map(|source| source.records).sum::<u64>());
    assert_eq!(record.rows, record.objects.iter().map(|object| object.rows).sum::<u64>());
    let verified = StreamVerification::run(&env.store, &env.stream(dataset), true, |_| {}).await;
    assert_eq!(verified.expect("a verification").findings, []);
    snapshot.sources.into_iter().map(|source| (source.source, source.records)).collect()
}

fn expected<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(source, records)| (source.to_owned(), records)).collect()
}

#[tokio::test]
async fn endpoints_snapshot_has_every_endpoint() {
    let env = SimulatedEnv::start(1_203).await;
    let held = env.list(ListEndpoints::new().page_size(77)).await;
    assert_eq!(held, 1_203);
    assert_eq!(counts(&env, Dataset::Endpoints).await, expected([("endpoint/v1/endpoints", held)]));
    assert_eq!(env.simulator.calls().operation("endpoints.list"), 16 + 3, "three pages for the snapshot");
    let report = env.run(Dataset::Endpoints).await;
    assert_eq!((report.outcome, report.api_requests), (StreamOutcome::UpToDate, 0));
    env.simulator.clock().advance(Duration::from_secs(24 * 3_600));
    counts(&env, Dataset::Endpoints).await;
}

#[tokio::test]
async fn policies_snapshot_has_settings_and_targets() {
    let env = SimulatedEnv::start(5).await;
    let held = env.list(ListPolicies::new().page_size(3)).await;
    assert!(held > 10);
    let sources = expected([("endpoint/v1/policies", 0), ("endpoint/v1/policies/:policyId", held)]);
    assert_eq!(counts(&env, Dataset::Policies).await, sources);
    let record = env.latest(Dataset::Policies).await;
    let rows = support::decode_rows(&env.store, &record.objects).await;
    for row in rows {
        let policy: serde_json::Value =
            serde_json::from_str(row["record"].as_str().expect("text")).expect("JSON");
        assert!(policy["settings"].is_object() && policy["appliesTo"].is_object(), "{policy}");
    }
}

#[tokio::test]
async fn exclusions_snapshot_has_every_kind() {
    let env = SimulatedEnv::start(5).await;
    let tenant = env.tenant().await;
    for number in 0..130 {
        let path = format!("C:\\Backup{number}\\");
        tenant.send(&CreateScanningExclusion::new(path, ScanningExclusionType::Path)).await.expect("created");
    }
    let scanning = env.list(ListScanningExclusions::new().page_size(7)).await;
    assert!(scanning >= 130);
    let held = [
        ("endpoint/v1/settings/exclusions/scanning", scanning),
        (
            "endpoint/v1/settings/exclusions/isolation",
            env.list(ListIsolationExclusions::new().page_size(7)).await,
        ),
        (
            "endpoint/v1/settings/exclusions/intrusion-prevention",
            env.list(ListIntrusionPreventionExclusions::new().page_size(7)).await,
        ),
        (
            "endpoint/v1/settings/web-control/tls-decryption/excluded-websites",
            env.list(ListTlsExcludedWebsites::new().page_size(7)).await,
        ),
        ("endpoint/v1/settings/allowed-items", env.list(ListAllowedItems::new().page_size(7)).await),
        ("endpoint/v1/settings/blocked-items", env.list(ListBlockedItems::new().page_size(7)).await),
        ("endpoint/v1/settings/blocked-addresses", env.list(ListBlockedAddresses::new().page_size(7)).await),
        (
            "endpoint/v1/settings/exploit-mitigation/applications",
            env.list(ListMitigatedApplications::new().page_size(7)).await,
        ),
    ];
    assert!(held.iter().filter(|(_, count)| *count > 0).count() >= 6, "{held:?}");
    assert_eq!(counts(&env, Dataset::Exclusions).await, expected(held));
}

#[tokio::test]
async fn licenses_snapshot_has_those_of_firewalls() {
    let env = SimulatedEnv::start(5).await;
    let licenses =
        env.tenant().await.send(&ListLicenses::new()).await.expect("licenses").licenses.unwrap_or_default();
    let firewalls = env.list(ListFirewallLicenses::new().page_size(2)).await;
    assert!(firewalls > 0);
    let held =
        [("licenses/v1/licenses", licenses.len() as u64), ("licenses/v1/licenses/firewalls", firewalls)];
    assert_eq!(counts(&env, Dataset::Licenses).await, expected(held));
    let rows = support::decode_rows(&env.store, &env.latest(Dataset::Licenses).await.objects).await;
    let firewall = rows.iter().find(|row| row["source"] == "licenses/v1/licenses/firewalls").expect("a row");
    let record: serde_json::Value =
        serde_json::from_str(firewall["record"].as_str().expect("text")).expect("JSON");
    assert_eq!(firewall["id"], record["serialNumber"]);
}

#[tokio::test]
async fn firewalls_snapshot_has_firewalls_and_groups() {
    let env = SimulatedEnv::start(5).await;
    let held = [
        ("firewall/v1/firewalls", env.list(ListFirewalls::new().page_size(2)).await),
        ("firewall/v1/firewall-groups", env.list(ListFirewallGroups::new().page_size(2)).await),
    ];
    assert!(held.iter().all(|(_, count)| *count > 0), "{held:?}");
    assert_eq!(counts(&env, Dataset::Firewalls).await, expected(held));
}

#[tokio::test]
async fn admins_snapshot_has_admins_and_roles() {
    let env = SimulatedEnv::start(5).await;
    let roles = env.tenant().await.send(&ListRoles::new()).await.expect("roles").items.len() as u64;
    let held =
        [("common/v1/admins", env.list(ListAdmins::new().page_size(2)).await), ("common/v1/roles", roles)];
    assert!(held.iter().all(|(_, count)| *count > 0), "{held:?}");
    assert_eq!(counts(&env, Dataset::Admins).await, expected(held));
}

#[tokio::test]
async fn health_snapshot_has_checks_and_scores() {
    let env = SimulatedEnv::start(5).await;
    let held = [
        ("account-health-check/v1/health-check", 1),
        ("account-health-check/v1/scores/historical", 1),
        ("account-health-check/v1/scores/regional", 1),
    ];
    assert_eq!(counts(&env, Dataset::Health).await, expected(held));
    let rows = support::decode_rows(&env.store, &env.latest(Dataset::Health).await.objects).await;
    assert!(rows[0]["record"].as_str().expect("text").contains("tamperProtection"), "{rows:?}");
}
