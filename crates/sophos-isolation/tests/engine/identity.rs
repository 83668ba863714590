//! Exactly the machine that an alert names, in a simulated Sophos Central.

use serde_json::{Value, json};
use sophos_isolation::DecisionState;
use sophos_simulator::{FaultAction, FaultRule, MachineConfig};

use crate::support::{ACME, BETA, HOUR, TestEnv, TestPolicy, id, mac, machine};

const MINUTE: u64 = 60;

/// The endpoint that is isolated in a dry run, or the code of the refusal.
async fn outcome(env: &TestEnv, event: &str, signal: Value) -> String {
    let policy = TestPolicy { mode: "dry_run", ..TestPolicy::default() }.policy();
    let decision = env.begin_with(event, signal).await;
    match env.work(&policy, &decision).await {
        DecisionState::DryRun => env.decision(&decision).await.target().unwrap().endpoint.clone(),
        DecisionState::Refused => env.code(&decision).await,
        state => panic!("{event}: {state}"),
    }
}

fn named(number: u32, name: &str) -> MachineConfig {
    MachineConfig { hostname: Some(name.to_owned()), ..machine(number) }
}

fn with_addresses(number: u32, name: &str, addresses: &[&str]) -> MachineConfig {
    let ipv4 = addresses.iter().map(|address| address.parse().unwrap()).collect();
    MachineConfig { ipv4: Some(ipv4), ..named(number, name) }
}

fn offline(machine: MachineConfig, seen_seconds_ago: u64) -> MachineConfig {
    MachineConfig { online: Some(false), last_seen_seconds_ago: Some(seen_seconds_ago as u32), ..machine }
}

fn names(names: &[&str]) -> Value {
    json!({ "host": { "hostnames": names } })
}

/// A signal that was observed so many seconds ago.
fn observed(env: &TestEnv, ago: u64, mut signal: Value) -> Value {
    let moment = jiff::Timestamp::from_second((env.now().as_secs() - ago) as i64).unwrap();
    signal["observed_at"] = json!(moment.to_string());
    signal
}

#[tokio::test]
async fn full_name_never_finds_another_domain() {
    let env = TestEnv::new(vec![named(1, "vm1.fabrikam.example")]).await;
    for (event, given) in
        [("full", vec!["vm1.contoso.example"]), ("both", vec!["vm1.contoso.example", "vm1"])]
    {
        assert_eq!(outcome(&env, event, names(&given)).await, "not_found", "{event}");
    }
    let env = TestEnv::new(vec![
        named(1, "vm1.fabrikam.example"),
        named(2, "vm1.contoso.example"),
        named(3, "vm1"),
    ])
    .await;
    assert_eq!(outcome(&env, "full", names(&["VM1.contoso.example"])).await, id(2));
    assert_eq!(outcome(&env, "short", names(&["vm1"])).await, "ambiguous");
}

#[tokio::test]
async fn unknown_instance_is_never_found_by_name_or_address() {
    let estate = vec![
        with_addresses(1, "onprem-laptop", &["10.0.0.7"]),
        with_addresses(2, "ip-10-0-0-8", &["10.0.0.8"]),
    ];
    let env = TestEnv::new(estate).await;
    let instance = "i-0ddddddd234567891";
    for (event, host) in [
        ("address", json!({ "ec2_instance_id": instance, "ip_addresses": ["10.0.0.7"] })),
        (
            "default name",
            json!({
                "ec2_instance_id": instance, "ip_addresses": ["10.0.0.8"],
                "hostnames": ["ip-10-0-0-8.eu-central-1.compute.internal"],
            }),
        ),
        ("a cloud's name alone", json!({ "hostnames": ["ip-10-0-0-8.eu-central-1.compute.internal"] })),
    ] {
        assert_eq!(outcome(&env, event, json!({ "host": host })).await, "not_found", "{event}");
    }
    let other = json!({ "host": { "ec2_instance_id": "vm-0007", "ip_addresses": ["10.0.0.7"] } });
    assert_eq!(outcome(&env, "another cloud's id", other).await, "malformed_host");
}

#[tokio::test]
async fn address_counts_only_while_the_alert_is_fresh() {
    let estate = vec![
        with_addresses(1, "dhcp-new", &["10.3.0.1"]),
        offline(with_addresses(2, "dhcp-old", &["10.3.0.1"]), HOUR),
    ];
    let env = TestEnv::new(estate).await;
    let signal = json!({ "host": { "ip_addresses": ["10.3.0.1"] } });
    for (event, ago, expected) in [
        ("fresh", 14 * MINUTE, id(1).as_str()),
        ("late", 16 * MINUTE, "old_address"),
        ("very late", 65 * MINUTE, "old_address"),
        ("too old for anything", 25 * HOUR, "too_old"),
    ] {
        assert_eq!(outcome(&env, event, observed(&env, ago, signal.clone())).await, expected, "{event}");
    }
    for time in ["soon", "2026-01-15T12:00:00"] {
        let mut signal = signal.clone();
        signal["observed_at"] = json!(time);
        assert_eq!(outcome(&env, time, signal).await, "old_address", "{time}");
    }
}

#[tokio::test]
async fn holders_at_the_time_of_the_alert_count() {
    let estate = vec![
        with_addresses(1, "dhcp-new", &["10.3.0.1"]),
        offline(with_addresses(2, "dhcp-old", &["10.3.0.1"]), 20 * MINUTE),
    ];
    let env = TestEnv::new(estate).await;
    let signal = json!({ "host": { "ip_addresses": ["10.3.0.1"] } });
    assert_eq!(outcome(&env, "now", observed(&env, 0, signal.clone())).await, id(1));
    assert_eq!(outcome(&env, "then", observed(&env, 10 * MINUTE, signal)).await, "ambiguous");
}

#[tokio::test]
async fn alert_is_refused_when_older_than_the_policy_allows() {
    let env = TestEnv::new(vec![machine(1)]).await;
    let signal = names(&["pc-1"]);
    assert_eq!(outcome(&env, "a day", observed(&env, 24 * HOUR, signal.clone())).await, id(1));
    let old = observed(&env, 24 * HOUR + 1, signal.clone());
    assert_eq!(outcome(&env, "more than a day", old.clone()).await, "too_old");
    for (age, expected) in
        [("never", DecisionState::DryRun), ("2d", DecisionState::DryRun), ("1h", DecisionState::Refused)]
    {
        let source = format!("max_alert_age = \"{age}\"");
        let policy = TestPolicy { mode: "dry_run", source: &source, ..TestPolicy::default() }.policy();
        let decision = env.begin_with(age, old.clone()).await;
        assert_eq!(env.work(&policy, &decision).await, expected, "{age}");
    }
    // As from a dead-letter queue: received long ago, without a time of the sender.
    let kept_back = env.begin_with("kept back", signal).await;
    env.advance_clock(25 * HOUR);
    let policy = TestPolicy { mode: "dry_run", ..TestPolicy::default() }.policy();
    assert_eq!(env.work(&policy, &kept_back).await, DecisionState::Refused);
    assert_eq!(env.code(&kept_back).await, "too_old");
}

#[tokio::test]
async fn stale_record_does_not_compete_with_live_one() {
    let estate = vec![
        offline(with_addresses(1, "REIMAGED-01", &["10.1.0.1"]), 60 * 24 * HOUR),
        with_addresses(2, "REIMAGED-01", &["10.1.0.1"]),
        offline(with_addresses(3, "REIMAGED-02", &["10.1.0.2"]), 2 * 24 * HOUR),
        with_addresses(4, "REIMAGED-02", &["10.1.0.3"]),
        offline(named(5, "web.a.example"), 60 * 24 * HOUR),
        named(6, "web.b.example"),
        offline(named(7, "both"), 60 * 24 * HOUR),
        MachineConfig { tenant: BETA.to_owned(), ..named(8, "both") },
    ];
    let env = TestEnv::new(estate).await;
    let with_address = json!({ "host": { "hostnames": ["REIMAGED-02"], "ip_addresses": ["10.1.0.3"] } });
    for (event, signal, expected) in [
        ("stale and live", names(&["reimaged-01"]), id(2)),
        ("two live records", names(&["reimaged-02"]), "ambiguous".to_owned()),
        ("two live records and an address", with_address, id(4)),
        ("of another domain", names(&["web"]), "ambiguous".to_owned()),
        ("of another tenant", names(&["both"]), "ambiguous".to_owned()),
    ] {
        assert_eq!(outcome(&env, event, signal).await, expected, "{event}");
    }
}

#[tokio::test]
async fn name_with_address_of_another_machine_is_contradiction() {
    let estate = vec![
        with_addresses(1, "laptop-1", &["10.2.0.1"]),
        with_addresses(2, "laptop-2", &["10.2.0.2"]),
        offline(with_addresses(3, "laptop-3", &["10.2.0.3"]), 5 * HOUR),
    ];
    let env = TestEnv::new(estate).await;
    let signal = |address: &str| json!({ "host": { "hostnames": ["laptop-1"], "ip_addresses": [address], "mac_addresses": [mac(1)] } });
    assert_eq!(outcome(&env, "its own", signal("10.2.0.1")).await, id(1));
    assert_eq!(outcome(&env, "another's", signal("10.2.0.2")).await, "contradiction");
    assert_eq!(outcome(&env, "unused address", signal("10.2.0.9")).await, id(1));
    assert_eq!(outcome(&env, "one that was another's", signal("10.2.0.3")).await, id(1));
    let late = observed(&env, HOUR, signal("10.2.0.2"));
    assert_eq!(outcome(&env, "another's by now", late).await, id(1));
}

#[tokio::test]
async fn netbios_name_fits_each_longer_name() {
    let env = TestEnv::new(vec![named(1, "CORP-LAPTOP-001"), named(2, "CORP-LAPTOP-0012")]).await;
    let netbios = json!({ "host": { "netbios_names": ["CORP-LAPTOP-001"] } });
    let both = json!({
        "host": { "hostnames": ["CORP-LAPTOP-0012.corp.example"], "netbios_names": ["CORP-LAPTOP-001"] },
    });
    for (event, signal, expected) in [
        ("cut", netbios.clone(), "ambiguous".to_owned()),
        ("full and cut", both, id(2)),
        ("not said to be cut, as Windows writes it", names(&["CORP-LAPTOP-001"]), "ambiguous".to_owned()),
        ("full", names(&["CORP-LAPTOP-001.corp.example"]), id(1)),
        ("in lower case", names(&["corp-laptop-001"]), id(1)),
    ] {
        assert_eq!(outcome(&env, event, signal).await, expected, "{event}");
    }
    let env = TestEnv::new(vec![named(2, "CORP-LAPTOP-0012")]).await;
    assert_eq!(outcome(&env, "cut", netbios).await, id(2));
    assert_eq!(outcome(&env, "whole", names(&["CORP-LAPTOP-001"])).await, "not_found");
}

#[tokio::test]
async fn name_is_found_in_either_normalization_form() {
    let env = TestEnv::new(vec![named(1, "bu\u{308}ro-7"), named(2, "k\u{fc}che-7")]).await;
    for (event, name, expected) in [
        ("composed", "B\u{dc}RO-7", id(1)),
        ("decomposed", "bu\u{308}ro-7.corp.example", id(1)),
        ("listed composed", "KU\u{308}CHE-7", id(2)),
        ("another letter", "buro-7", "not_found".to_owned()),
    ] {
        assert_eq!(outcome(&env, event, names(&[name])).await, expected, "{event}");
    }
}

#[tokio::test]
async fn name_takes_one_list_call_in_large_estate() {
    let estate = (1..=1_200).map(|number| named(number, &format!("workplace-{number}.corp.example")));
    let env = TestEnv::new(estate.collect()).await;
    let calls = || env.calls("endpoints.list");
    for (event, name, expected, most) in [
        ("short", "workplace-1117", id(1_117), 1),
        ("full", "WORKPLACE-1117.corp.example", id(1_117), 1),
        ("one that begins many", "workplace-11", id(11), 1),
        ("unknown", "workplace-9999", "not_found".to_owned(), 3),
        ("unknown domain", "workplace-7.other.example", "not_found".to_owned(), 1),
    ] {
        let before = calls();
        let mut signal = names(&[name]);
        signal["tenant"] = json!(ACME);
        assert_eq!(outcome(&env, event, signal).await, expected, "{event}");
        assert!(calls() - before <= most, "{event}: {} list calls", calls() - before);
    }
}

#[tokio::test]
async fn name_is_found_by_paging_when_the_search_is_refused() {
    let estate = (1..=1_200).map(|number| named(number, &format!("workplace-{number}.corp.example")));
    let env = TestEnv::new(estate.collect()).await;
    // The first list of each tenant is the search.
    env.fault(FaultRule::new("endpoints.list", FaultAction::status(400)).tenant(ACME).times(1));
    let mut signal = names(&["workplace-1117"]);
    signal["tenant"] = json!(ACME);
    assert_eq!(outcome(&env, "refused", signal).await, id(1_117));
    assert_eq!(env.calls("endpoints.list"), 4);
}
