//! Tests of mobile devices, groups and actions.

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const DEVICES: &str = "/mobile/v1/devices";
const DEVICE_GROUPS: &str = "/mobile/v1/device-groups";
const APP_GROUPS: &str = "/mobile/v1/app-groups";
const ACTIONS: &str = "/mobile/v1/actions";
const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

#[tokio::test]
async fn mobile_device_lives_until_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let group = tenant.send("POST", DEVICE_GROUPS, json!({ "name": "Pilots" })).await.json();
    let new = json!({ "name": "Tablet", "platform": "android", "ownershipType": "corporate", "groupId": group["id"] });
    let made = tenant.send("POST", DEVICES, new.clone()).await;
    assert_eq!((made.status, &made.json()["managedState"]), (201, &json!("notManaged")), "{}", made.text);
    assert_eq!(tenant.send("POST", DEVICES, new).await.status, 409);
    let path = format!("{DEVICES}/{}", text(&made.json()["id"]));
    let unknown = json!({ "name": "Other", "platform": "android", "groupId": UNKNOWN });
    assert_eq!(tenant.send("POST", DEVICES, unknown).await.status, 404);
    assert_eq!(tenant.send("POST", DEVICES, json!({ "name": "Other" })).await.status, 400);
    let group = format!("{DEVICE_GROUPS}/{}", text(&group["id"]));
    assert_eq!(tenant.send("DELETE", &group, json!({})).await.status, 409);
    assert_eq!(tenant.send("PUT", &group, json!({ "name": "Crew" })).await.status, 200);
    assert_eq!(tenant.send("PUT", &path, json!({ "name": "Slate" })).await.json()["name"], "Slate");
    assert_eq!(tenant.get_ok(&path).await["deviceGroup"]["name"], "Crew");
    let found =
        tenant.get_ok(&format!("{DEVICES}?search=slate&platform=android&managedState=notManaged")).await;
    assert_eq!((ids(&found).len(), found["pages"]["maxSize"].clone()), (1, json!(500)));
    assert!(found["items"][0].get("createdAt").is_none());
    let full = tenant.get_ok(&format!("{DEVICES}?view=full")).await;
    assert!(full["items"][0]["createdAt"].is_string());
    assert_eq!(tenant.get(&format!("{DEVICES}?view=all")).await.status, 400);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": false }));
    assert_eq!(tenant.get(&path).await.status, 404);
    assert_eq!(tenant.send("DELETE", &group, json!({})).await.status, 200);
}

#[tokio::test]
async fn mobile_lists_filter_devices_and_their_parts() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(DEVICES).await);
    let bad = tenant.get_ok(&format!("{DEVICES}?compliant=false&violationSeverity=high")).await;
    assert!(!ids(&bad).is_empty() && ids(&bad).len() < all.len());
    let path = format!("{DEVICES}/{}", ids(&bad)[0]);
    let found = tenant.get_ok(&format!("{path}/compliance-violations?violationSeverity=high")).await;
    assert_eq!(found["items"][0]["type"], "minOsVersion");
    assert_eq!(
        tenant.get_ok(&format!("{path}/compliance-violations?violationSeverity=low")).await["items"],
        json!([])
    );
    let apps = tenant.get_ok(&format!("{path}/installed-apps?search=notes&searchFields=identifier")).await;
    assert_eq!(apps["items"].as_array().unwrap().len(), 1);
    for part in ["policies", "scan-results", "properties"] {
        assert!(
            !tenant.get_ok(&format!("{path}/{part}")).await["items"].as_array().unwrap().is_empty(),
            "{part}"
        );
        assert_eq!(tenant.get(&format!("{DEVICES}/{UNKNOWN}/{part}")).await.status, 404, "{part}");
    }
    let systems = tenant.get_ok("/mobile/v1/operating-systems?platform=android&version=7.").await;
    assert_eq!((ids(&systems).len(), &systems["items"][0]["patchVersion"]), (1, &json!(2)));
    let setup = tenant.get_ok("/mobile/v1/static-setup-data/ixm-auto-enrollment").await;
    assert_eq!(setup["tenant"]["id"], tenant.tenant);
}

#[tokio::test]
async fn mobile_properties_are_custom_or_fixed() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let device = ids(&tenant.get_ok(DEVICES).await)[0].clone();
    let path = format!("{DEVICES}/{device}/properties");
    let new = json!({ "key": "custom.room", "value": "12" });
    let made = tenant.send("POST", &path, new.clone()).await;
    assert_eq!((made.status, &made.json()["type"]), (201, &json!("custom")), "{}", made.text);
    assert_eq!(tenant.send("POST", &path, new).await.status, 409);
    assert_eq!(tenant.send("POST", &path, json!({ "key": "room", "value": "1" })).await.status, 400);
    let own = format!("{path}/custom.room");
    let changed = tenant.send("PUT", &own, json!({ "value": "13" })).await.json();
    assert_eq!(changed, json!({ "key": "custom.room", "value": "13", "type": "custom" }));
    let system = format!("{path}/system.serialNumber");
    assert_eq!(tenant.send("PUT", &system, json!({ "value": "1" })).await.status, 409);
    assert_eq!(tenant.send("DELETE", &system, json!({})).await.status, 409);
    assert_eq!(tenant.send("DELETE", &own, json!({})).await.json(), json!({ "deleted": true }));
    let custom =
        tenant.get_ok(&format!("{path}?devicePropertyType=custom&devicePropertyKey=custom.room")).await;
    assert_eq!(custom["items"], json!([]));
    let mut statuses = Vec::new();
    for number in 0..101 {
        let body = json!({ "key": format!("custom.{number}"), "value": "x" });
        statuses.push(tenant.send("POST", &path, body).await.status);
    }
    assert_eq!(statuses.last(), Some(&422));
}

#[tokio::test]
async fn mobile_app_group_lives_until_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let app = json!({ "identifier": "com.example", "name": "Example" });
    let new = json!({ "name": "Tools", "apps": [app, app], "platform": "android" });
    let made = tenant.send("POST", APP_GROUPS, new.clone()).await;
    assert_eq!((made.status, &made.json()["count"]), (201, &json!(2)), "{}", made.text);
    assert_eq!(tenant.send("POST", APP_GROUPS, new).await.status, 409);
    let path = format!("{APP_GROUPS}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.send("PATCH", &path, json!({ "apps": [app] })).await.json()["count"], 1);
    assert_eq!(tenant.send("PATCH", &path, json!({ "apps": [{}] })).await.status, 400);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 200);
    assert_eq!(tenant.get(&path).await.status, 404);
    let used = ids(&tenant.get_ok(&format!("{APP_GROUPS}?search=forbidden")).await);
    assert_eq!(tenant.send("DELETE", &format!("{APP_GROUPS}/{}", used[0]), json!({})).await.status, 409);
}

#[tokio::test]
async fn mobile_action_takes_time_and_changes_the_device() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let devices = ids(&tenant.get_ok(DEVICES).await);
    let location = format!("{DEVICES}/{}/location", devices[0]);
    assert_eq!(tenant.get(&location).await.status, 404);
    let body = json!({ "endpoints": [devices[0], UNKNOWN], "arguments": { "reason": "Lost" } });
    let made = tenant.send("POST", &format!("{ACTIONS}/locate"), body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let answer = made.json();
    assert_eq!(answer["created"][0]["state"], "accepted");
    assert_eq!(answer["errors"]["failedToCreate"]["endpointNotFound"], json!([UNKNOWN]));
    assert_eq!(tenant.send("POST", &format!("{ACTIONS}/locate"), body).await.status, 409);
    let action = format!("{ACTIONS}/{}", text(&answer["created"][0]["id"]));
    sim.clock().advance(Duration::from_secs(10));
    assert_eq!(tenant.get_ok(&action).await["state"], "notified");
    assert_eq!(tenant.send("DELETE", &action, json!({})).await.status, 409);
    assert_eq!(tenant.send("DELETE", &format!("{DEVICES}/{}", devices[0]), json!({})).await.status, 409);
    sim.clock().advance(Duration::from_secs(5));
    let ended = tenant.get_ok(&action).await;
    assert_eq!(
        (&ended["state"], &ended["executedAt"]),
        (&json!("successful"), &json!("2026-01-15T12:00:15.000Z"))
    );
    assert_eq!(tenant.get_ok(&location).await["locatedAt"], ended["executedAt"]);
    assert_eq!(tenant.send("DELETE", &action, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.get(&action).await.status, 404);
}

#[tokio::test]
async fn mobile_actions_end_in_each_state() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let devices = ids(&tenant.get_ok(DEVICES).await);
    for (action, state, ids) in [
        ("wipe", "wiped", json!([devices[1]])),
        ("unenroll", "decommissioned", json!([devices[2]])),
        ("scan", "managed", json!([devices[5]])),
    ] {
        let made = tenant.send("POST", &format!("{ACTIONS}/{action}"), json!({ "endpoints": ids })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        sim.clock().advance(Duration::from_secs(15));
        let device = tenant.get_ok(&format!("{DEVICES}/{}", text(&ids[0]))).await;
        assert_eq!(device["managedState"], state, "{action}");
    }
    let failed = tenant.get_ok(&format!("{ACTIONS}?actionState=failed&endpointIds={}", devices[5])).await;
    assert_eq!(failed["items"][0]["error"], "system.processing-failed");
    let body = json!({ "endpoints": [devices[1]], "arguments": { "message": "Hello" } });
    assert_eq!(tenant.send("POST", &format!("{ACTIONS}/send-message"), body).await.status, 201);
    sim.clock().advance(Duration::from_secs(15));
    let skipped =
        tenant.get_ok(&format!("{ACTIONS}?actionType=sendMessage&endpointIds={}", devices[1])).await;
    assert_eq!(skipped["items"][0]["state"], "skipped");
    for body in [json!({ "endpoints": devices }), json!({ "endpoints": [], "arguments": { "message": "x" } })]
    {
        assert_eq!(tenant.send("POST", &format!("{ACTIONS}/send-message"), body).await.status, 400);
    }
    let many: Vec<Value> = (0..1_000).map(|n| json!(format!("00000000-0000-4000-8000-{n:012}"))).collect();
    let open = tenant.send("POST", &format!("{ACTIONS}/sync"), json!({ "endpoints": [devices[0]] })).await;
    assert_eq!(open.status, 201);
    assert_eq!(
        tenant.send("POST", &format!("{ACTIONS}/get-logs"), json!({ "endpoints": many })).await.status,
        422
    );
}
