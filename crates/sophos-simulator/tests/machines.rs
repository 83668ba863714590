//! Tests of configured endpoints.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{Config, MachineConfig, MachineType, Simulator, Tag};

const LIST: &str = "/endpoint/v1/endpoints";
const ID: &str = "6f1e6d1c-2a57-4b0e-9b57-3d3a5f0c8a11";
const GROUP: &str = "5f8c1a1e-0b53-4c7b-8a63-0f5b8f1f6a52";

fn web(tenant: &str) -> MachineConfig {
    MachineConfig {
        id: Some(ID.to_uppercase()),
        hostname: Some("web-frontend-01".to_owned()),
        machine_type: Some(MachineType::Server),
        ipv4: Some(vec!["10.1.39.7".parse().unwrap(), "127.0.0.1".parse().unwrap()]),
        macs: Some(vec!["0A:1B:2c:3D:4E:5F".to_owned()]),
        group: Some("Web".to_owned()),
        group_id: Some(GROUP.to_owned()),
        tags: vec![Tag::new("env", "prod"), Tag::new("owner", "\"web\"")],
        cloud_instance: Some("i-0abcdef1234567890".to_owned()),
        cloned: Some(true),
        online: Some(true),
        last_seen_seconds_ago: Some(30),
        ..MachineConfig::new(tenant)
    }
}

/// A tenant with these machines after `invented` generated endpoints.
async fn start_with(invented: u64, machines: impl Fn(&str) -> Vec<MachineConfig>) -> Simulator {
    let mut config = one_tenant(60.0, 10.0, invented);
    config.tenants[0].name = Some("Acme".to_owned());
    config.machines = machines("Acme");
    Simulator::start(config).await.unwrap()
}

#[tokio::test]
async fn configured_machine_appears_in_all_views() {
    let sim = start_with(40, |tenant| vec![web(tenant)]).await;
    assert_eq!(sim.tenants()[0].endpoints, 41);
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let one = at.get_ok(&format!("{LIST}/{ID}?view=full")).await;
    for (name, expected) in [
        ("id", json!(ID)),
        ("hostname", json!("web-frontend-01")),
        ("type", json!("server")),
        ("ipv4Addresses", json!(["10.1.39.7", "127.0.0.1"])),
        ("macAddresses", json!(["0A:1B:2c:3D:4E:5F"])),
        ("group", json!({ "id": GROUP, "name": "Web" })),
        ("cloud", json!({ "provider": "aws", "instanceId": "i-0abcdef1234567890" })),
        ("cloned", json!(true)),
        ("online", json!(true)),
        ("lastSeenAt", json!("2026-01-15T11:59:30.000Z")),
        (
            "tags",
            json!([
                { "key": "env", "value": "prod", "displayString": "env:prod" },
                { "key": "owner", "value": "\"web\"", "displayString": "owner:\"web\"" },
            ]),
        ),
    ] {
        assert_eq!(one[name], expected, "{name}");
    }
    assert_eq!(one["os"]["isServer"], true);
    assert!(one.get("ipv6Addresses").is_none());
    assert!(one.get("health").is_some(), "what is not said is invented");
    assert!(at.get_ok(&format!("{LIST}/{ID}")).await.get("tags").is_some(), "in a summary");
    assert!(at.get_ok(&format!("{LIST}/{ID}?view=basic")).await.get("tags").is_none());

    for query in [
        "ids=6f1e6d1c-2a57-4b0e-9b57-3d3a5f0c8a11",
        "hostnameContains=web-frontend-99",
        "search=web-frontend-01&searchFields=hostname",
        "ipAddresses=10.1.39.7",
        "macAddresses=0a-1b-2c-3d-4e-5f",
        "cloud=aws%3Ai-0ABCDEF1234567890",
    ] {
        assert_eq!(ids(&at.get_ok(&format!("{LIST}?{query}")).await), [ID], "{query}");
    }
    // The last one follows a page of the others.
    let first = at.get_ok(&format!("{LIST}?pageSize=40")).await;
    let key = text(&first["pages"]["nextKey"]).replace('=', "%3D");
    assert_eq!(ids(&at.get_ok(&format!("{LIST}?pageFromKey={key}")).await), [ID]);
}

#[tokio::test]
async fn configured_machine_can_be_isolated() {
    let sim = start_with(3, |tenant| vec![web(tenant)]).await;
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let path = format!("{LIST}/{ID}/isolation");
    assert!(sim.set_endpoint_online(&at.tenant, ID, false));
    let asked = at.send("POST", &format!("{LIST}/isolation"), json!({ "enabled": true, "ids": [ID] })).await;
    assert_eq!((asked.status, ids(&asked.json())), (202, vec![ID.to_owned()]));
    sim.clock().advance(Duration::from_secs(600));
    let isolated = format!("{LIST}?isolationStatus=isolated");
    assert!(ids(&at.get_ok(&isolated).await).is_empty(), "it is not there to do it");
    assert!(sim.set_endpoint_online(&at.tenant, ID, true));
    assert_eq!(ids(&at.get_ok(&isolated).await), [ID]);
    assert_eq!(at.send("PATCH", &path, json!({ "enabled": false })).await.status, 200);
    sim.clock().advance(Duration::from_secs(60));
    assert!(ids(&at.get_ok(&isolated).await).is_empty());
    assert!(at.get_ok(&path).await.get("lastDisabledAt").is_some());
}

#[tokio::test]
async fn unset_machine_fields_are_generated_and_unique() {
    let sim = start_with(0, |tenant| {
        let bare_machine = MachineConfig::new(tenant);
        let away = MachineConfig {
            online: Some(false),
            last_seen_seconds_ago: Some(86_400),
            group: Some("Web".to_owned()),
            ..bare_machine.clone()
        };
        let bare =
            MachineConfig { ipv4: Some(vec![]), group_id: Some(GROUP.to_owned()), ..bare_machine.clone() };
        let mut all = vec![away, bare];
        all.extend(vec![bare_machine; 98]);
        all
    })
    .await;
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let page = at.get_ok(&format!("{LIST}?view=full&pageSize=100")).await;
    let all: Vec<Value> = page["items"].as_array().unwrap().clone();
    let mut names: Vec<String> = all.iter().map(|e| text(&e["hostname"])).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 100);
    assert!(all.iter().all(|e| e["cloned"] == false && e.get("tags").is_none()));
    let (away, bare) = (&all[0], &all[1]);
    assert_eq!(away["lastSeenAt"], "2026-01-14T12:00:00.000Z");
    assert_eq!((away["online"].clone(), away["group"]["name"].clone()), (json!(false), json!("Web")));
    assert!(away["group"].get("id").is_some());
    assert_eq!(bare["group"], json!({ "id": GROUP }));
    assert!(bare.get("ipv4Addresses").is_none());
    let ids = ids(&page);
    assert_eq!(at.get_ok(&format!("{LIST}/{}", ids[50])).await["hostname"], all[50]["hostname"]);
    let event = at.get_ok("/siem/v1/events").await["items"][0].clone();
    assert!(names.contains(&text(&event["location"])), "events are of these machines");
}

#[tokio::test]
async fn configured_machines_leave_other_endpoints_unchanged() {
    let before = start_with(60, |_| vec![]).await;
    let after = start_with(60, |tenant| vec![web(tenant), MachineConfig::new(tenant)]).await;
    let mut pages = Vec::new();
    for sim in [&before, &after] {
        let client = Client::partner(sim).await;
        let at = TenantClient::new(sim, &client, 0);
        pages.push(at.get_ok(&format!("{LIST}?view=full&pageSize=60")).await["items"].clone());
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn invalid_machine_config_is_rejected() {
    let tenant = one_tenant(1.0, 1.0, 3);
    for (machines, expected) in [
        (vec![MachineConfig::new("Unknown")], "unknown tenant"),
        (vec![web("Acme"), web("Acme")], "duplicate endpoint id"),
        (vec![MachineConfig { tags: vec![Tag::new("a", "b"); 16], ..web("Acme") }], "15 tags"),
    ] {
        let mut config = Config { machines, ..tenant.clone() };
        config.tenants[0].name = Some("Acme".to_owned());
        let error = Simulator::start(config).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
