//! The lookup of a host's endpoint in Sophos Central.

use serde_json::{Value, json};
use sophos_isolation::DecisionState;
use sophos_simulator::MachineConfig;

use crate::support::{ACME, BETA, OTHER, TestEnv, TestPolicy, host, id, mac, machine, machines};

fn dry_run_policy() -> TestPolicy<'static> {
    TestPolicy { mode: "dry_run", ..TestPolicy::default() }
}

/// The endpoint's id for a host, or the code of a refusal.
async fn lookup_result(env: &TestEnv, event: &str, signal: Value) -> String {
    let decision = env.begin_with(event, signal).await;
    match env.work(&dry_run_policy().policy(), &decision).await {
        DecisionState::DryRun => env.decision(&decision).await.target().unwrap().endpoint.clone(),
        DecisionState::Refused => env.code(&decision).await,
        state => panic!("{event}: {state}"),
    }
}

async fn check(env: &TestEnv, cases: &[(&str, Value, &str)]) {
    for (event, host, expected) in cases {
        assert_eq!(lookup_result(env, event, json!({ "host": host })).await, *expected, "{event}");
    }
    assert_eq!(env.changes(), [""; 0]);
}

#[tokio::test]
async fn lookup_finds_a_host_by_each_identifier() {
    let mut all = machines(3);
    all[0].hostname = Some("web01.corp.example".into());
    all[1].hostname = Some("DB01".into());
    all[2].cloud_instance = Some("i-0123456789abcdef0".into());
    let env = TestEnv::new(all).await;
    check(
        &env,
        &[
            ("endpoint id", json!({ "endpoint_id": id(2).to_uppercase() }), &id(2)),
            ("instance", json!({ "ec2_instance_id": "i-0123456789ABCDEF0" }), &id(3)),
            (
                "instance with a cloud's name",
                json!({
                    "ec2_instance_id": "i-0123456789abcdef0", "hostnames": ["ip-10-1-0-3.ec2.internal"],
                }),
                &id(3),
            ),
            ("MAC with dashes", json!({ "mac_addresses": [mac(1).replace(':', "-")] }), &id(1)),
            ("one MAC of two", json!({ "mac_addresses": ["02:ff:ff:ff:ff:ff", mac(1)] }), &id(1)),
            ("fully qualified", json!({ "hostnames": ["WEB01.corp.example."] }), &id(1)),
            ("short for a qualified one", json!({ "hostnames": ["web01"] }), &id(1)),
            ("qualified for a short one", json!({ "hostnames": ["db01.corp.example"] }), &id(2)),
            ("with its domain", json!({ "hostnames": ["CORP\\DB01$"] }), &id(2)),
            ("private address", json!({ "ip_addresses": ["203.0.113.9", "10.1.0.2"] }), &id(2)),
            (
                "name and address",
                json!({
                    "hostnames": ["db01"], "ip_addresses": ["192.168.7.7"],
                }),
                &id(2),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn lookup_refuses_a_host_that_is_not_one_endpoint() {
    let mut all = machines(12);
    for twin in &mut all[..2] {
        twin.hostname = Some("shared".into());
    }
    for clone in &mut all[2..4] {
        clone.hostname = Some("copy".into());
        clone.macs = Some(vec![mac(3)]);
        clone.cloned = Some(true);
    }
    all[4] = MachineConfig { online: Some(false), last_seen_seconds_ago: Some(40 * 86_400), ..machine(5) };
    all[5].last_seen_seconds_ago = Some(1_000);
    all[6].hostname = Some("web.a.example".into());
    all[7].hostname = Some("web.b.example".into());
    all[8].hostname = Some("pc-99".into());
    let env = TestEnv::new(all).await;
    check(
        &env,
        &[
            ("nothing said", json!({}), "no_host"),
            ("no such name", json!({ "hostnames": ["pc-1000"] }), "not_found"),
            ("a name that is longer", json!({ "hostnames": ["pc-9"] }), "not_found"),
            ("no such id", json!({ "endpoint_id": id(999), "hostnames": ["pc-10"] }), "not_found"),
            (
                "another product's id",
                json!({ "endpoint_id": "7f0c", "hostnames": ["pc-10"] }),
                "malformed_host",
            ),
            ("two of a name", json!({ "hostnames": ["shared"] }), "ambiguous"),
            ("short for two domains", json!({ "hostnames": ["web"] }), "ambiguous"),
            ("another domain", json!({ "hostnames": ["web.c.example"] }), "not_found"),
            ("a clone by name", json!({ "hostnames": ["copy"] }), "cloned"),
            ("a clone by MAC", json!({ "mac_addresses": [mac(3)] }), "cloned"),
            ("a clone by id", json!({ "endpoint_id": id(3) }), "cloned"),
            ("not seen for long", json!({ "hostnames": ["pc-5"] }), "stale"),
            ("not seen for long, by id", json!({ "endpoint_id": id(5) }), "stale"),
            ("an address of long ago", json!({ "ip_addresses": ["10.1.0.6"] }), "stale_address"),
            ("loopback", json!({ "ip_addresses": ["127.0.0.1"] }), "loopback"),
            ("localhost", json!({ "hostnames": ["localhost"] }), "loopback"),
            ("public", json!({ "ip_addresses": ["8.8.8.8"] }), "public_address"),
            ("link-local", json!({ "ip_addresses": ["169.254.169.254"] }), "link_local"),
            ("a broadcast MAC", json!({ "mac_addresses": ["ff:ff:ff:ff:ff:ff"] }), "non_unique_mac"),
            (
                "the name says one and the MAC another",
                json!({
                    "hostnames": ["pc-10"], "mac_addresses": [mac(11)],
                }),
                "contradiction",
            ),
            (
                "the id says one and the name another",
                json!({
                    "endpoint_id": id(10), "hostnames": ["pc-11"],
                }),
                "contradiction",
            ),
            (
                "the MAC is known, and of another name",
                json!({
                    "mac_addresses": [mac(12)], "hostnames": ["pc-1000"],
                }),
                "contradiction",
            ),
            (
                "the MAC is nowhere, and the name's is another",
                json!({
                    "mac_addresses": ["02:ff:ff:ff:ff:ff"], "hostnames": ["pc-12"],
                }),
                "contradiction",
            ),
            (
                "a MAC leaves one of two",
                json!({
                    "hostnames": ["shared"], "mac_addresses": [mac(2)],
                }),
                &id(2),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn lookup_accepts_an_address_for_fifteen_minutes() {
    let env = TestEnv::new(machines(1)).await;
    let host = json!({ "host": { "ip_addresses": ["10.1.0.1"] } });
    assert_eq!(lookup_result(&env, "at once", host.clone()).await, id(1));
    env.set_online(1, false);
    env.advance_clock(14 * 60);
    assert_eq!(lookup_result(&env, "soon", host.clone()).await, id(1));
    env.advance_clock(2 * 60);
    assert_eq!(lookup_result(&env, "late", host).await, "stale_address");
}

#[tokio::test]
async fn lookup_finds_one_among_hundreds_with_a_common_prefix() {
    let named = |number: u32| MachineConfig {
        hostname: Some(format!("production-web-{number}.corp.example")),
        ..machine(number)
    };
    let env = TestEnv::new((1..=620).map(named).collect()).await;
    check(
        &env,
        &[
            ("short", json!({ "hostnames": ["production-web-617"] }), &id(617)),
            ("qualified", json!({ "hostnames": ["PRODUCTION-WEB-1.corp.example"] }), &id(1)),
            ("the beginning alone", json!({ "hostnames": ["production"] }), "not_found"),
        ],
    )
    .await;
}

#[tokio::test]
async fn lookup_searches_all_tenants_of_the_source() {
    let of = |tenant: &str, number, name: &str| MachineConfig {
        tenant: tenant.to_owned(),
        hostname: Some(name.to_owned()),
        ..machine(number)
    };
    let env = TestEnv::new(vec![
        of(ACME, 1, "only-acme"),
        of(BETA, 2, "only-beta"),
        of(ACME, 3, "both"),
        of(BETA, 4, "both"),
        of(OTHER, 5, "elsewhere"),
    ])
    .await;
    let at = |tenant: &str, name: &str| json!({ "tenant": tenant, "host": { "hostnames": [name] } });
    for (event, signal, expected) in [
        ("acme", json!({ "host": { "hostnames": ["only-acme"] } }), id(1)),
        ("beta", json!({ "host": { "hostnames": ["only-beta"] } }), id(2)),
        ("both", json!({ "host": { "hostnames": ["both"] } }), "ambiguous".into()),
        ("both, named", at(BETA, "both"), id(4)),
        ("the wrong one named", at(ACME, "only-beta"), "not_found".into()),
        ("elsewhere", json!({ "host": { "hostnames": ["elsewhere"] } }), "not_found".into()),
        ("a tenant that is not allowed", at(OTHER, "elsewhere"), "tenant_not_allowed".into()),
        ("no tenant", at("acme", "only-acme"), "tenant_not_allowed".into()),
        ("not severe", json!({ "severity": "low", "host": host(1) }), "severity".into()),
        ("of no severity", json!({ "severity": null, "host": host(1) }), "severity".into()),
    ] {
        assert_eq!(lookup_result(&env, event, signal).await, expected, "{event}");
    }
}

#[tokio::test]
async fn work_refuses_a_source_removed_from_the_policy() {
    let env = TestEnv::new(machines(1)).await;
    let decision = env.begin_for_source("gone", "event", json!({ "host": host(1) })).await;
    assert_eq!(env.work(&dry_run_policy().policy(), &decision).await, DecisionState::Refused);
    assert_eq!(env.code(&decision).await, "no_source");
    assert_eq!(env.sim.calls().total, 0, "no request was sent");
}
