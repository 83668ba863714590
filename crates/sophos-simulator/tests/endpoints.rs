//! Tests of endpoints, their filters, and isolation.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const LIST: &str = "/endpoint/v1/endpoints";

async fn collect_pages(at: &TenantClient<'_>, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut key = String::new();
    loop {
        let page = at.get_ok(&format!("{LIST}?{query}{key}")).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["pages"].get("nextKey") {
            None => return items,
            Some(next) => key = format!("&pageFromKey={}", text(next).replace('=', "%3D")),
        }
    }
}

#[tokio::test]
async fn endpoint_list_supports_pages_and_views() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 730)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = collect_pages(&at, "view=full&pageSize=500").await;
    assert_eq!(all.len(), 730);
    assert_eq!(collect_pages(&at, "view=full&pageSize=33").await, all);
    assert_eq!(at.get_ok(&format!("{LIST}?pageSize=9999")).await["items"].as_array().unwrap().len(), 500);
    let page = at.get_ok(&format!("{LIST}?pageTotal=true")).await;
    assert_eq!(page["pages"]["items"], 730);
    assert_eq!(page["pages"]["total"], 15);
    assert_eq!(page["pages"]["maxSize"], 500);
    for view in ["basic", "summary", "full"] {
        let id = text(&all[3]["id"]);
        let one = at.get_ok(&format!("{LIST}/{id}?view={view}")).await;
        assert_eq!(one["hostname"], all[3]["hostname"]);
        assert_eq!(one.get("health").is_some(), view != "basic");
        assert_eq!(one.get("modules").is_some(), view == "full");
    }
    let sorted = collect_pages(&at, "sort=lastSeenAt:desc&pageSize=200").await;
    assert!(sorted.windows(2).all(|w| text(&w[0]["lastSeenAt"]) >= text(&w[1]["lastSeenAt"])));
    assert_eq!(sorted.len(), 730);
    let few = at.get_ok(&format!("{LIST}?fields=hostname")).await;
    assert_eq!(few["items"][0].as_object().unwrap().len(), 2);

    // The irregularities of real inventories.
    let has = |test: &dyn Fn(&Value) -> bool| all.iter().filter(|e| test(e)).count();
    assert!(has(&|e| e["associatedPerson"] == json!({})) > 0);
    assert!(has(&|e| e.get("ipv4Addresses").is_none()) > 0);
    assert!(has(&|e| e["group"].get("name").is_some() && e["group"].get("id").is_none()) > 0);
    assert!(has(&|e| e["os"]["platform"] == "linux" && e["os"].get("majorVersion").is_none()) > 0);
    assert!(has(&|e| e["lockdown"] == json!({ "status": "unavailable" })) > 0);
    assert!(has(&|e| e["cloned"] == true) > 1);
    assert!(has(&|e| e["isolation"] == json!({ "status": "notIsolated" })) == 730);
}

#[tokio::test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
async fn endpoints_have_the_recorded_members() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 730)).await.unwrap();
    let client = Client::partner(&sim).await;
    let all = collect_pages(&TenantClient::new(&sim, &client, 0), "view=full&pageSize=500").await;
    let recorded = recorded("fixtures/xsoar/endpoint_list.json");
    for endpoint in recorded["items"].as_array().unwrap() {
        for name in endpoint.as_object().unwrap().keys() {
            assert!(all.iter().any(|e| e.get(name).is_some()), "{name}");
        }
    }
}

#[tokio::test]
async fn endpoint_list_applies_the_filters() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 400)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = collect_pages(&at, "view=full&pageSize=500").await;
    let check = async |query: &str, test: &dyn Fn(&Value) -> bool| {
        let found = collect_pages(&at, &format!("view=full&pageSize=500&{query}")).await;
        let expected: Vec<Value> = all.iter().filter(|e| test(e)).cloned().collect();
        assert!(!expected.is_empty(), "{query} tests nothing");
        assert_eq!(found, expected, "{query}");
    };
    check("healthStatus=bad,suspicious", &|e| {
        e["health"]["overall"] == "bad" || e["health"]["overall"] == "suspicious"
    })
    .await;
    check("type=server&healthStatus=good", &|e| e["type"] == "server" && e["health"]["overall"] == "good")
        .await;
    check("online=false", &|e| e["online"] == false).await;
    check("tamperProtectionEnabled=false", &|e| e["tamperProtectionEnabled"] == false).await;
    check("lockdownStatus=uninstalled,locked", &|e| {
        e["lockdown"]["status"] == "unlocked" || e["lockdown"]["status"] == "locked"
    })
    .await;
    // Only the first ten characters count.
    check("hostnameContains=desktop-accountants-without-match", &|e| {
        text(&e["hostname"]).starts_with("DESKTOP-ACC")
    })
    .await;
    check("hostnameContains=ccounting", &|e| text(&e["hostname"]).contains("ACCOUNTING")).await;
    check("search=0042&searchFields=hostname", &|e| text(&e["hostname"]).contains("0042")).await;
    check("lastSeenBefore=-P30D", &|e| text(&e["lastSeenAt"]).as_str() < "2025-12-16T12:00:00.000Z").await;
    check("lastSeenAfter=2026-01-15T00:00:00Z", &|e| {
        text(&e["lastSeenAt"]).as_str() >= "2026-01-15T00:00:00.000Z"
    })
    .await;
    check("cloud=aws", &|e| e["cloud"]["provider"] == "aws").await;
    let in_cloud = all.iter().find(|e| e["cloud"]["provider"] == "aws").unwrap();
    let instance = text(&in_cloud["cloud"]["instanceId"]);
    assert!(instance.starts_with("i-") && instance.len() == 19);
    check(&format!("cloud=aws%3A{instance}"), &|e| e["cloud"]["instanceId"] == instance.as_str()).await;
    let mac = text(&all[5]["macAddresses"][0]);
    let dashed = mac.replace(':', "-").to_lowercase();
    check(&format!("macAddresses={dashed}"), &|e| {
        e["macAddresses"].as_array().unwrap().contains(&json!(mac))
    })
    .await;
    let ip = text(&all.iter().find(|e| e.get("ipv4Addresses").is_some()).unwrap()["ipv4Addresses"][0]);
    check(&format!("ipAddresses={ip}"), &|e| {
        e["ipv4Addresses"].as_array().is_some_and(|a| a.contains(&json!(ip)))
    })
    .await;
    let (one, two) = (text(&all[1]["id"]), text(&all[8]["id"]));
    check(&format!("ids={one}&ids={two}"), &|e| e["id"] == one.as_str() || e["id"] == two.as_str()).await;
    let serial = text(&all.iter().find(|e| e.get("serialNumber").is_some()).unwrap()["serialNumber"]);
    check(&format!("serialNumberContains={}", &serial.to_lowercase()[2..9]), &|e| {
        e["serialNumber"] == serial.as_str()
    })
    .await;
    check("associatedPersonContains=ana", &|e| {
        e["associatedPerson"].to_string().to_lowercase().contains("ana")
    })
    .await;

    for bad in [
        "healthStatus=fine",
        "online=yes",
        "view=all",
        "sort=type",
        "ids=x",
        "pageFromKey=x",
        "cloud=ibm",
        "lastSeenAfter=2026-01-15T00:00:00",
        "searchFields=x&search=y",
    ] {
        assert_eq!(at.get(&format!("{LIST}?{bad}")).await.status, 400, "{bad}");
    }
    assert_eq!(at.get(&format!("{LIST}/7")).await.status, 400);
    assert_eq!(at.get(&format!("{LIST}/{}", at.tenant)).await.status, 404);
    let health = at.get_ok("/account-health-check/v1/health-check?checks=protection").await;
    assert!(health["endpoint"]["protection"]["computer"]["total"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn single_endpoint_can_be_isolated_and_released() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 40)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let id = text(&at.get_ok(&format!("{LIST}?online=true")).await["items"][0]["id"]);
    let path = format!("{LIST}/{id}/isolation");
    assert_eq!(at.get_ok(&path).await, json!({ "enabled": false }));
    let set = async |enabled: bool| {
        let body = json!({ "enabled": enabled, "comment": "testing" });
        at.send("PATCH", &path, body).await
    };
    let status = async || at.get_ok(&format!("{LIST}/{id}")).await["isolation"]["status"].clone();
    let same = set(false).await;
    assert_eq!((same.status, same.json()["message"].clone()), (400, json!("Invalid request")));

    let asked = set(true).await;
    assert_eq!(asked.status, 200);
    let client_id = credential(&sim, "partner", "super_admin").client_id;
    let pending = json!({ "enabled": true, "lastEnabledBy": { "id": client_id }, "comment": "testing" });
    assert_eq!(asked.json(), pending);
    assert_eq!(status().await, "notIsolated");
    let conflict = set(false).await;
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.json()["message"], "Isolation or removal from isolation in progress.");

    sim.clock().advance(Duration::from_secs(61));
    assert_eq!(status().await, "isolated");
    let at_time = text(&at.get_ok(&path).await["lastEnabledAt"]);
    assert!(["2026-01-15 12.01.00 GMT", "2026-01-15 12.01.00 UTC"].contains(&at_time.as_str()), "{at_time}");
    let listed = at.get_ok(&format!("{LIST}?isolationStatus=isolated")).await;
    assert_eq!(ids(&listed), std::slice::from_ref(&id));
    assert_eq!(set(true).await.status, 400);
    let off = set(false).await.json();
    assert!(off["lastEnabledAt"].is_string() && off.get("lastDisabledAt").is_none());
    assert_eq!(status().await, "isolated");
    sim.clock().advance(Duration::from_secs(61));
    assert_eq!(status().await, "notIsolated");

    // An offline endpoint reports when it is online again.
    assert!(sim.set_endpoint_online(&at.tenant, &id, false));
    assert_eq!(set(true).await.status, 200);
    sim.clock().advance(Duration::from_secs(1_000));
    assert_eq!(status().await, "notIsolated");
    assert_eq!(set(false).await.status, 409);
    assert!(sim.set_endpoint_online(&at.tenant, &id, true));
    assert_eq!(status().await, "isolated");
    assert!(!sim.set_endpoint_online(&at.tenant, &at.tenant, true));

    for body in
        [json!({}), json!({ "enabled": "yes" }), json!({ "enabled": false, "comment": "x".repeat(401) })]
    {
        assert_eq!(at.send("PATCH", &path, body).await.status, 400);
    }
    assert_eq!(at.get(&format!("{LIST}/{}/isolation", at.tenant)).await.status, 404);
}

#[tokio::test]
async fn several_endpoints_can_be_isolated_in_bulk() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 60)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = ids(&at.get_ok(&format!("{LIST}?pageSize=60&online=true")).await);
    let path = format!("{LIST}/isolation");
    let ask = async |ids: &[String], enabled: bool| {
        at.send("POST", &path, json!({ "enabled": enabled, "ids": ids })).await
    };
    let unknown = at.tenant.clone();
    let accepted = ask(&[all[0].clone(), unknown.clone(), all[1].clone()], true).await;
    assert_eq!(accepted.status, 202);
    assert_eq!(ids(&accepted.json()), all[..2]);
    assert!(accepted.json()["items"][0]["isolation"].get("lastEnabledAt").is_none());
    let none = ask(std::slice::from_ref(&unknown), true).await;
    assert_eq!((none.status, none.json()["message"].clone()), (404, json!("No endpoints found.")));
    assert_eq!(ask(&all[1..3], false).await.status, 409);
    sim.clock().advance(Duration::from_secs(60));
    assert_eq!(ask(&all[..3], true).await.status, 202, "what holds already is no conflict");
    assert_eq!(ask(&[], true).await.status, 400);
    assert_eq!(ask(&["x".to_owned()], true).await.status, 400);
    let many: Vec<String> = (0..51).map(|_| unknown.clone()).collect();
    assert_eq!(ask(&many, true).await.status, 400);
}
