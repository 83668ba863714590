//! Tests of policies, items, exclusions, Web Control, packages and other endpoint settings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const SETTINGS: &str = "/endpoint/v1/settings";
const POLICIES: &str = "/endpoint/v1/policies";
const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

async fn start() -> Simulator {
    let mut config = config();
    config.tokens.lifetime_seconds = 86_400;
    Simulator::start(config).await.unwrap()
}

fn count(page: &Value) -> usize {
    page["items"].as_array().unwrap().len()
}

/// Creates a record, reads it, and deletes it; returns its path before the deletion.
async fn create(tenant: &TenantClient<'_>, list: &str, body: &Value) -> String {
    let before = tenant.get_ok(&format!("{list}?pageTotal=true")).await;
    let made = tenant.send("POST", list, body.clone()).await;
    assert_eq!(made.status, 201, "{list}: {}", made.text);
    let path = format!("{list}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.get_ok(&path).await, made.json(), "{list}");
    let after = tenant.get_ok(&format!("{list}?pageTotal=true")).await;
    let total = |page: &Value| page["pages"]["items"].as_u64().unwrap();
    assert_eq!(total(&after), total(&before) + 1, "{list}");
    path
}

async fn delete(tenant: &TenantClient<'_>, path: &str) {
    assert_eq!(tenant.send("DELETE", path, json!({})).await.json(), json!({ "deleted": true }), "{path}");
    assert_eq!(tenant.get(path).await.status, 404, "{path}");
    assert_eq!(tenant.send("DELETE", path, json!({})).await.json(), json!({ "deleted": false }), "{path}");
}

#[tokio::test]
async fn items_are_unique() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let digest = "AB".repeat(32);
    for list in [format!("{SETTINGS}/allowed-items"), format!("{SETTINGS}/blocked-items")] {
        let item = json!({ "type": "sha256", "properties": { "sha256": digest }, "comment": "Reviewed" });
        let path = create(&tenant, &list, &item).await;
        // The digest keeps its case, and a duplicate is found in any case.
        assert_eq!(tenant.get_ok(&path).await["properties"]["sha256"], digest);
        let same = json!({ "type": "sha256", "properties": { "sha256": digest.to_lowercase() } });
        assert_eq!(tenant.send("POST", &list, same).await.status, 409);
        for wrong in [
            json!({ "type": "sha256", "properties": { "sha256": "ab" } }),
            json!({ "type": "path", "properties": { "fileName": "a.exe" } }),
            json!({ "type": "registryKey", "properties": {} }),
        ] {
            assert_eq!(tenant.send("POST", &list, wrong).await.status, 400);
        }
        let update = tenant.send("PATCH", &path, json!({ "comment": "New" })).await;
        if list.ends_with("allowed-items") {
            assert_eq!(update.json()["comment"], "New");
        } else {
            assert_eq!(update.status, 405);
        }
        delete(&tenant, &path).await;
    }
}

#[tokio::test]
async fn allowed_items_are_at_most_1000() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let list = format!("{SETTINGS}/allowed-items");
    let item = |n: u64| json!({ "type": "path", "properties": { "path": format!("C:\\tools\\{n}.exe") } });
    let seeded = count(&tenant.get_ok(&list).await) as u64;
    for n in seeded..1_000 {
        assert_eq!(tenant.send("POST", &list, item(n)).await.status, 201);
    }
    assert_eq!(tenant.send("POST", &list, item(1_000)).await.status, 400);
}

#[tokio::test]
async fn blocked_addresses_expire_and_report_failures() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let list = format!("{SETTINGS}/blocked-addresses");
    let seeded = count(&tenant.get_ok(&list).await);
    let body = json!({ "items": [
        { "item": ["1.1.2.3", "1.2.2.3/17"] },
        { "item": ["1.3.2.3-1.3.2.6"], "blockedUntil": "2026-01-15T12:30:00Z" },
    ] });
    let made = tenant.send("POST", &format!("{list}/bulk"), body.clone()).await;
    assert_eq!((made.status, count(&made.json())), (201, 3), "{}", made.text);
    assert_eq!(tenant.send("POST", &format!("{list}/bulk"), body).await.json(), made.json());
    let page = tenant.get_ok(&list).await;
    assert_eq!((count(&page), &page["items"][0]["item"]), (seeded + 3, &json!("1.3.2.3-1.3.2.6")));
    sim.clock().advance(Duration::from_secs(1_800));
    assert_eq!(count(&tenant.get_ok(&list).await), seeded + 2);
    let wrong = json!({ "items": [{ "item": ["example.com"] }] });
    assert_eq!(tenant.send("POST", &format!("{list}/bulk"), wrong).await.status, 400);
    let gone = json!({ "ids": [made.json()["items"][0]["id"], UNKNOWN] });
    let failed = tenant.send("POST", &format!("{list}/bulk/delete"), gone).await.json();
    assert_eq!(failed, json!({ "failedToDelete": [UNKNOWN] }));
    assert_eq!(count(&tenant.get_ok(&list).await), seeded + 1);
}

#[tokio::test]
async fn exclusions_live_from_creation_to_deletion() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    for (kind, name) in [("isolation", "isolation"), ("intrusion-prevention", "intrusionPrevention")] {
        let list = format!("{SETTINGS}/exclusions/{kind}");
        let body = json!({ "direction": "inbound", "localPorts": [443], "comment": "Web" });
        let path = create(&tenant, &list, &body).await;
        let id = path.rsplit('/').next().unwrap();
        assert_eq!(id.len(), if kind == "isolation" { 36 } else { 64 });
        assert_eq!(tenant.get_ok(&path).await["type"], name);
        let update = json!({ "direction": "both", "remoteAddresses": ["192.0.2.1"] });
        let changed = tenant.send("PATCH", &path, update).await.json();
        assert_eq!((&changed["direction"], &changed["localPorts"]), (&json!("both"), &json!([443])));
        for wrong in [
            json!({ "direction": "inbound" }),
            json!({ "localPorts": [443] }),
            json!({ "direction": "inbound", "localPorts": [65_536] }),
        ] {
            assert_eq!(tenant.send("POST", &list, wrong).await.status, 400);
        }
        delete(&tenant, &path).await;
    }
    let list = format!("{SETTINGS}/exclusions/scanning");
    let body = json!({ "value": "C:\\Data\\", "type": "path", "scanMode": "onDemand" });
    let path = create(&tenant, &list, &body).await;
    assert_eq!(tenant.send("POST", &list, body).await.status, 409);
    let wrong = json!({ "value": "a.example.com", "type": "web", "scanMode": "onDemand" });
    assert_eq!(tenant.send("POST", &list, wrong).await.status, 400);
    let changed = tenant.send("PATCH", &path, json!({ "value": "C:\\Other\\" })).await.json();
    assert_eq!((&changed["value"], &changed["scanMode"]), (&json!("C:\\Other\\"), &json!("onDemand")));
    delete(&tenant, &path).await;
    let locked = tenant.get_ok(&format!("{list}?type=posixPath")).await;
    let locked = format!("{list}/{}", text(&locked["items"][0]["id"]));
    assert_eq!(tenant.send("PATCH", &locked, json!({ "comment": "x" })).await.status, 403);
    assert_eq!(tenant.send("DELETE", &locked, json!({})).await.status, 403);
}

#[tokio::test]
async fn exploit_mitigation_protects_detected_applications() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let base = format!("{SETTINGS}/exploit-mitigation");
    let list = format!("{base}/applications");
    let body = json!({ "paths": ["$programfiles\\FooApp\\foo.exe"] });
    let path = create(&tenant, &list, &body).await;
    assert_eq!(tenant.get_ok(&path).await["name"], "foo.exe");
    assert_eq!(tenant.send("POST", &list, body).await.status, 409);
    assert_eq!(tenant.send("POST", &list, json!({ "paths": [] })).await.status, 400);
    delete(&tenant, &path).await;
    let detected = tenant.get_ok(&format!("{list}?type=detected&modified=false")).await;
    let path = format!("{list}/{}", text(&detected["items"][0]["id"]));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 409);
    let modified = json!({ "modifications": { "protected": true, "settings": { "NullCheck": false } } });
    let modified = tenant.send("PATCH", &path, modified).await.json();
    assert_eq!(modified["modifications"]["settings"]["NullPage"], false);
    assert_eq!(count(&tenant.get_ok(&format!("{list}?type=detected&modified=true")).await), 1);
    let wrong = json!({ "modifications": { "settings": { "NoSuch": true } } });
    assert_eq!(tenant.send("PATCH", &path, wrong).await.status, 400);
    assert_eq!(tenant.send("PATCH", &path, json!({ "paths": ["C:\\x.exe"] })).await.status, 400);
    let reset = tenant.send("PATCH", &path, json!({ "modifications": null })).await.json();
    assert_eq!(reset.get("modifications"), None);
    let exploits = format!("{base}/detected-exploits");
    let all = tenant.get_ok(&exploits).await;
    let hidden = text(&all["items"][0]["thumbprint"]);
    let rest = tenant.get_ok(&format!("{exploits}?thumbprintNotIn={hidden}")).await;
    assert_eq!(count(&rest), count(&all) - 1);
}

#[tokio::test]
async fn web_control_limits_excluded_websites() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let base = format!("{SETTINGS}/web-control");
    let categories = tenant.get_ok(&format!("{base}/categories")).await;
    assert_eq!(categories.as_array().unwrap().len(), 58);
    let list = format!("{base}/local-sites");
    let site = json!({ "url": "shop.example.com", "categoryId": 44 });
    let path = create(&tenant, &list, &site).await;
    assert_eq!(tenant.send("POST", &list, site).await.status, 409);
    for wrong in [json!({ "url": "x.example" }), json!({ "url": "x.example", "categoryId": 58 })] {
        assert_eq!(tenant.send("POST", &list, wrong).await.status, 400);
    }
    delete(&tenant, &path).await;
    let tls = format!("{base}/tls-decryption");
    let off = json!({ "enabled": false, "categories": [{ "id": 10, "decryptionEnabled": false }] });
    let changed = tenant.send("PATCH", &tls, off).await.json();
    assert_eq!(
        (&changed["enabled"], &changed["categories"][9]["decryptionEnabled"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(tenant.get_ok(&tls).await, changed);
    let websites = format!("{tls}/excluded-websites");
    let many: Vec<Value> = (0..249).map(|n| json!({ "value": format!("w{n}.example.com") })).collect();
    let added = tenant.send("PATCH", &websites, json!({ "add": many })).await;
    assert_eq!((added.status, added.json()["added"].as_array().unwrap().len()), (200, 249));
    let more = json!({ "add": [{ "value": "one.example.com" }] });
    assert_eq!(tenant.send("PATCH", &websites, more).await.status, 422);
    let swap = json!({ "add": [{ "value": "one.example.com" }], "remove": [{ "value": "w0.example.com" }] });
    assert_eq!(tenant.send("PATCH", &websites, swap).await.json()["removed"][0]["value"], "w0.example.com");
    assert_eq!(tenant.send("PATCH", &websites, json!({})).await.status, 400);
    assert_eq!(tenant.send("DELETE", &websites, json!({})).await.status, 200);
    assert_eq!(count(&tenant.get_ok(&websites).await), 0);
}

#[tokio::test]
async fn policy_lives_from_creation_to_deletion() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let key = "endpoint.malware.enabled";
    let new = json!({
        "name": "Strict", "type": "threat-protection", "priority": 1, "disableAt": "2026-01-15T13:00:00Z",
        "settings": { key: { "value": false } },
    });
    let made = tenant.send("POST", POLICIES, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let policy = made.json();
    assert_eq!((&policy["settings"][key]["value"], &policy["enabled"]), (&json!(false), &json!(true)));
    assert!(policy["settings"].as_object().unwrap().len() > 1);
    assert_eq!(tenant.send("POST", POLICIES, new).await.status, 409);
    let path = format!("{POLICIES}/{}", text(&policy["id"]));
    let listed = tenant.get_ok(&format!("{POLICIES}?policyType=threat-protection")).await;
    let priorities: Vec<(String, i64)> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (text(&p["name"]), p["priority"].as_i64().unwrap()))
        .collect();
    assert!(
        priorities.contains(&("Strict".to_owned(), 1))
            && priorities.contains(&("Pilot computers".to_owned(), 2))
    );
    let moved = tenant.send("PATCH", &path, json!({ "priority": 9, "name": "Stricter" })).await.json();
    assert_eq!((&moved["priority"], &moved["name"]), (&json!(2), &json!("Stricter")));
    for wrong in [
        json!({ "settings": { key: { "value": "no" } } }),
        json!({ "settings": { "endpoint.unknown": { "value": true } } }),
        json!({ "appliesTo": { "endpoints": [UNKNOWN] } }),
    ] {
        assert_eq!(tenant.send("PATCH", &path, wrong).await.status, 400);
    }
    let settings = format!("{path}/settings");
    assert_eq!(tenant.get_ok(&format!("{settings}/{key}")).await["value"], false);
    let reset = tenant.send("POST", &format!("{settings}/{key}/reset"), json!({})).await.json();
    assert_eq!(reset, json!({ "value": true, "recommendedValue": true }));
    assert_eq!(tenant.get(&format!("{settings}/endpoint.unknown")).await.status, 404);
    let copy = tenant.send("POST", &format!("{path}/clone"), json!({ "name": "Copy" })).await;
    assert_eq!((copy.status, &copy.json()["priority"]), (201, &json!(3)), "{}", copy.text);
    sim.clock().advance(Duration::from_secs(3_600));
    assert_eq!(tenant.get_ok(&path).await["enabled"], false);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.get(&path).await.status, 404);
    let copy = format!("{POLICIES}/{}", text(&copy.json()["id"]));
    assert_eq!(tenant.get_ok(&copy).await["priority"], 2);
}

#[tokio::test]
async fn base_and_locked_policies_refuse_changes() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let key = "endpoint.agent-updating.delay";
    let base = format!("{POLICIES}/server-agent-updating/base");
    let path = format!("{POLICIES}/{}", text(&tenant.get_ok(&base).await["id"]));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 409);
    assert_eq!(tenant.send("PATCH", &path, json!({ "name": "Mine" })).await.status, 409);
    let by_id = json!({ "settings": { key: { "value": 7 } } });
    assert_eq!(tenant.send("PATCH", &path, by_id).await.json()["settings"][key]["value"], 7);
    let one = format!("{base}/settings/{key}");
    assert_eq!(tenant.send("PATCH", &one, json!({ "value": 9 })).await.json()["value"], 9);
    assert_eq!(tenant.send("PATCH", &one, json!({ "value": 31 })).await.status, 400);
    assert_eq!(tenant.get_ok(&format!("{base}/settings")).await[key]["value"], 9);
    let copy = tenant.send("POST", &format!("{base}/clone"), json!({ "name": "Slow" })).await.json();
    assert_eq!((&copy["settings"][key]["value"], &copy["priority"]), (&json!(9), &json!(1)));
    tenant.send("POST", &format!("{base}/settings/reset"), json!({})).await;
    assert_eq!(tenant.get_ok(&one).await["value"], 0);
    assert_eq!(tenant.get(&format!("{POLICIES}/no-type/base")).await.status, 404);
    let locked = tenant.get_ok(&format!("{POLICIES}?policyType=web-control")).await;
    let locked = format!("{POLICIES}/{}", text(&locked["items"][0]["id"]));
    for (method, path) in [
        ("PATCH", locked.clone()),
        ("DELETE", locked.clone()),
        ("PATCH", format!("{locked}/settings")),
        ("POST", format!("{locked}/settings/reset")),
    ] {
        assert_eq!(tenant.send(method, &path, json!({})).await.status, 409, "{method} {path}");
    }
    let described = tenant.get_ok(&format!("{POLICIES}/settings?policyType=device-encryption")).await;
    assert_eq!((count(&described), &described["items"][0]["type"]), (1, &json!("device-encryption")));
}

#[tokio::test]
async fn packages_have_comments_and_assignments() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let list = "/endpoint/v1/software/packages/static";
    let packages = tenant.get_ok(list).await;
    let token = "5bec1a10-0000-4000-8000-000000000001";
    assert_eq!(tenant.get(&format!("{list}/{token}")).await.status, 404);
    assert_eq!(tenant.send("POST", &format!("{list}/{token}/add"), json!({})).await.status, 201);
    assert_eq!(tenant.send("POST", &format!("{list}/{token}/add"), json!({})).await.status, 409);
    assert_eq!(tenant.send("POST", &format!("{list}/{UNKNOWN}/add"), json!({})).await.status, 404);
    assert_eq!(count(&tenant.get_ok(list).await), count(&packages) + 1);
    assert_eq!(count(&tenant.get_ok(&format!("{list}?type=lts&expiresFrom=2026-01-01")).await), 1);
    assert_eq!(count(&tenant.get_ok(&format!("{list}?expiresTo=2026-01-01")).await), 0);
    let id = text(&packages["items"][1]["id"]);
    let comment = format!("/endpoint/v1/software/comments/{id}");
    assert_eq!(tenant.get(&comment).await.status, 404);
    assert_eq!(tenant.send("PUT", &comment, json!({ "comment": "Kiosks" })).await.status, 200);
    assert_eq!(tenant.get_ok(&comment).await["package"]["id"], id);
    assert_eq!(tenant.send("DELETE", &comment, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(count(&tenant.get_ok("/endpoint/v1/software/comments").await), 1);
    let computer = ids(&tenant.get_ok("/endpoint/v1/endpoints?type=computer&pageSize=1").await).remove(0);
    let assign = |id: &str| json!({ "computer": { "ids": [computer], "protectionAssignedId": id } });
    let path = format!("{SETTINGS}/device-software");
    assert_eq!(tenant.send("PATCH", &path, assign(token)).await.status, 200);
    let endpoint = tenant.get_ok(&format!("/endpoint/v1/endpoints/{computer}?view=full")).await;
    assert_eq!(endpoint["packages"]["protection"]["name"], "Special 2025.2.3.7");
    assert_eq!(tenant.send("PATCH", &path, assign(&id)).await.status, 400);
    assert_eq!(tenant.send("PATCH", &path, assign("All")).await.status, 200);
}

#[tokio::test]
async fn other_settings_have_state() {
    let sim = start().await;
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let journal = format!("{SETTINGS}/event-journal/computer");
    let body = json!({ "useRecommended": false, "diskSpaceLimitInMB": 15_000 });
    let changed = tenant.send("PATCH", &journal, body).await.json();
    assert_eq!(changed["diskSpaceLimitInMB"], json!({ "recommendedValue": 5_250, "value": 15_000 }));
    assert_eq!(tenant.get_ok(&journal).await, changed);
    assert_eq!(tenant.get_ok(&format!("{SETTINGS}/event-journal/server")).await["useRecommended"], true);
    assert_eq!(tenant.get(&format!("{SETTINGS}/event-journal/phone")).await.status, 404);
    let wrong = json!({ "diskSpaceLimitAsPercentage": 101 });
    assert_eq!(tenant.send("PATCH", &journal, wrong).await.status, 400);
    assert_eq!(tenant.get_ok(&format!("{SETTINGS}/migration")).await["enabled"], true);
    let linux = tenant.get_ok("/endpoint/v1/downloads?platforms=linux&requestedProducts=xdr").await;
    assert_eq!(linux["installers"][0]["supportedProducts"], json!(["xdr"]));
    let file = client.http.get(text(&linux["installers"][0]["downloadUrl"])).send().await.unwrap();
    assert_eq!(file.status(), 200);
    assert_eq!(tenant.get("/endpoint/v1/downloads?platforms=os2").await.status, 400);
    let peripherals = format!("{SETTINGS}/peripheral-control/peripherals");
    let all = tenant.get_ok(&peripherals).await;
    let endpoint = text(&all["items"][0]["lastEndpoint"]["id"]);
    assert_eq!(tenant.get(&format!("/endpoint/v1/endpoints/{endpoint}")).await.status, 200);
    assert_eq!(count(&tenant.get_ok(&format!("{peripherals}?type=mtp")).await), 1);
    assert_eq!(count(&tenant.get_ok(&format!("{peripherals}?lastSeenAfter={START}")).await), 0);
}
