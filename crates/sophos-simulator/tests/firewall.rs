//! Tests of firewalls, their groups, threat feed, configurations and licenses.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const FIREWALLS: &str = "/firewall/v1/firewalls";
const GROUPS: &str = "/firewall/v1/firewall-groups";
const CONFIG: &str = "/firewall/v1/firewall-config/firewalls";
const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

/// The finished transaction that a response names.
async fn finished(sim: &Simulator, tenant: &TenantClient<'_>, firewall: &str, started: &Reply) -> Value {
    assert_eq!(started.status, 202, "{}", started.text);
    let path = format!("{CONFIG}/{firewall}/transactions/{}", text(&started.json()["transactionId"]));
    let pending = tenant.get_ok(&path).await;
    assert_eq!((&pending["status"], &pending["result"]), (&json!("pending"), &json!("notAvailable")));
    sim.clock().advance(Duration::from_secs(10));
    tenant.get_ok(&path).await
}

#[tokio::test]
async fn firewall_lives_until_its_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(FIREWALLS).await);
    let path = format!("{FIREWALLS}/{}", all[2]);
    let taken = tenant.send("PATCH", &path, json!({ "name": "FW-HQ-1" })).await;
    assert_eq!(taken.status, 409);
    let far = json!({ "geoLocation": { "latitude": "91", "longitude": "0" } });
    assert_eq!(tenant.send("PATCH", &path, far).await.status, 400);
    let changed = tenant.send("PATCH", &path, json!({ "name": "edge" })).await.json();
    assert_eq!(
        (&changed["name"], &changed["status"]["managingStatus"]),
        (&json!("edge"), &json!("approvalPending"))
    );
    assert!(["cluster", "group"].iter().all(|name| changed.get(name) == Some(&Value::Null)), "{changed}");
    let status: Vec<&String> = changed["status"].as_object().unwrap().keys().collect();
    assert_eq!(status, ["connected", "managingStatus", "reportingStatus", "suspended"]);
    let action = format!("{path}/action");
    assert_eq!(tenant.send("POST", &action, json!({ "action": "explode" })).await.status, 400);
    assert_eq!(tenant.send("POST", &action, json!({ "action": "approveManagement" })).await.status, 201);
    let found = tenant.get_ok(&format!("{FIREWALLS}?groupId=ungrouped&search=edge")).await;
    assert_eq!(found["items"][0]["status"]["managingStatus"], "approvedByCustomer");
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 200);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 404);
    assert_eq!(ids(&tenant.get_ok(FIREWALLS).await).len(), all.len() - 1);
}

#[tokio::test]
async fn licenses_agree_with_the_firewalls() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let serials = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|one| text(&one["serialNumber"])).collect()
    };
    let url = format!("{}/licenses/v1/licenses/firewalls?pageSize=100&pageTotal=true", sim.global_url());
    let scope = Some(("X-Tenant-ID", tenant.tenant.as_str()));
    let first = text(&tenant.get_ok(FIREWALLS).await["items"][0]["id"]);
    assert_eq!(tenant.send("DELETE", &format!("{FIREWALLS}/{first}"), json!({})).await.status, 200);
    let own = serials(&tenant.get_ok(FIREWALLS).await);
    let licensed = client.get(&url, scope).await.json();
    assert_eq!(serials(&licensed), own);
    assert_eq!(client.get(&url, scope).await.json(), licensed);
    let partner = credential(&sim, "partner", "super_admin").principal_id;
    let all = client.get(&url, Some(("X-Partner-ID", &partner))).await.json();
    assert!(own.iter().all(|serial| serials(&all).contains(serial)));
    assert!(serials(&all).len() > own.len());
    assert_eq!(all["items"][0]["partner"]["id"], json!(partner));
}

#[tokio::test]
async fn group_holds_its_firewalls() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(FIREWALLS).await);
    let parent = ids(&tenant.get_ok(GROUPS).await)[1].clone();
    let new = json!({
        "name": "Edge", "parentGroupId": parent, "assignFirewalls": [all[0], all[2]],
        "configImportSourceFirewallId": all[0],
    });
    let made = tenant.send("POST", GROUPS, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(
        (&made["firewalls"]["total"], &made["configImport"]["status"]),
        (&json!(2), &json!("initializing"))
    );
    assert_eq!(tenant.send("POST", GROUPS, new).await.status, 409);
    assert_eq!(
        tenant.send("POST", GROUPS, json!({ "name": "X", "assignFirewalls": [UNKNOWN] })).await.status,
        404
    );
    let id = text(&made["id"]);
    assert_eq!(
        ids(&tenant.get_ok(&format!("{FIREWALLS}?groupId={id}")).await),
        [all[0].clone(), all[2].clone()]
    );
    let top = tenant.get_ok(GROUPS).await;
    assert!(!ids(&top).contains(&id));
    for name in ["parentGroup", "configImport"] {
        assert_eq!(top["items"][0].get(name), Some(&Value::Null), "{name}");
    }
    assert_eq!(made.get("updatedBy"), Some(&Value::Null));
    let nested = tenant.get_ok(&format!("{GROUPS}?recurseSubgroups=true&search=edge")).await;
    assert_eq!(ids(&nested).join(","), id);
    let children = tenant.get_ok(&format!("{GROUPS}?search={parent}&searchFields=parentId")).await;
    assert_eq!(children["items"].as_array().unwrap().len(), 2);
    let sync = format!("{GROUPS}/{id}/firewalls/sync-status");
    assert_eq!(tenant.get_ok(&sync).await["items"][0]["status"], "pending");
    sim.clock().advance(Duration::from_secs(400));
    assert_eq!(tenant.get_ok(&format!("{sync}?ids={}", all[2])).await["items"].as_array().unwrap().len(), 1);
    assert_eq!(tenant.get_ok(&sync).await["items"][0]["status"], "inSync");
    let path = format!("{GROUPS}/{id}");
    let changed =
        tenant.send("PATCH", &path, json!({ "name": "Rim", "unassignFirewalls": [all[0]] })).await.json();
    assert_eq!(
        (&changed["firewalls"]["total"], &changed["configImport"]["percentComplete"]),
        (&json!(1), &json!(100))
    );
    let named = tenant.get_ok(&format!("{FIREWALLS}?groupId={id}")).await;
    assert_eq!(named["items"][0]["group"]["name"], "Rim");
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 200);
    assert_eq!(tenant.send("PATCH", &path, json!({ "name": "Y" })).await.status, 404);
    assert!(ids(&tenant.get_ok(&format!("{FIREWALLS}?groupId=ungrouped")).await).contains(&all[2]));
}

#[tokio::test]
async fn firmware_upgrade_takes_place_unless_canceled() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = ids(&tenant.get_ok(FIREWALLS).await)[2].clone();
    let check = format!("{FIREWALLS}/actions/firmware-upgrade-check");
    let upgrade = format!("{FIREWALLS}/actions/firmware-upgrade");
    let offer = tenant.send("POST", &check, json!({ "firewalls": [id] })).await.json();
    let version = text(&offer["firewalls"][0]["upgradeToVersion"][0]);
    assert_eq!(tenant.send("POST", &check, json!({ "firewalls": [UNKNOWN] })).await.status, 404);
    let at = |version: &str, time: &str| json!({ "firewalls": [{ "id": id, "upgradeToVersion": version, "upgradeAt": time }] });
    let later = "2026-01-15T13:00:00.000Z";
    assert_eq!(tenant.send("POST", &upgrade, at("1.0", later)).await.status, 400);
    assert_eq!(tenant.send("POST", &upgrade, at(&version, "2026-01-01T00:00:00Z")).await.status, 400);
    assert_eq!(tenant.send("POST", &upgrade, at(&version, later)).await.status, 201);
    let cancel = format!("{upgrade}?ids={id}");
    assert_eq!(tenant.send("DELETE", &cancel, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.send("DELETE", &cancel, json!({})).await.json(), json!({ "deleted": false }));
    // Clients send the ids in the body, too.
    assert_eq!(tenant.send("POST", &upgrade, at(&version, later)).await.status, 201);
    assert_eq!(tenant.send("DELETE", &upgrade, json!([id])).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.send("DELETE", &upgrade, json!([])).await.status, 400);
    assert_eq!(tenant.send("DELETE", &upgrade, json!([7])).await.status, 400);
    assert_eq!(tenant.send("POST", &upgrade, at(&version, later)).await.status, 201);
    sim.clock().advance(Duration::from_secs(2 * 3_600));
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let found = tenant.get_ok(&format!("{FIREWALLS}?search={version}")).await;
    assert_eq!(ids(&found), [id]);
}

#[tokio::test]
async fn indicators_change_by_transactions() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(FIREWALLS).await);
    let feed = format!("{CONFIG}/{}/mdr-threat-feed", all[0]);
    let good = json!({ "value": "203.0.113.9", "type": "ipv4-addr" });
    let bad = json!({ "value": "no address", "type": "ipv4-addr" });
    let both = json!({ "indicators": [good, bad] });
    let started = tenant.send("POST", &format!("{feed}/indicators"), both).await;
    let done = finished(&sim, &tenant, &all[0], &started).await;
    assert_eq!((&done["status"], &done["result"]), (&json!("finished"), &json!("partialSuccess")));
    assert_eq!(done["response"]["errors"]["invalidMDRIndicators"]["items"], json!([bad]));
    let find = json!({ "indicatorValues": ["203.0.113.9", "203.0.113.10"] });
    let search = format!("{feed}/indicators/search");
    let started = tenant.send("POST", &search, find.clone()).await;
    assert_eq!(finished(&sim, &tenant, &all[0], &started).await["response"]["items"], json!([good]));
    let one = json!({ "indicators": [good] });
    tenant.send("POST", &format!("{feed}/indicators/delete"), one).await;
    let started = tenant.send("POST", &search, find).await;
    assert_eq!(finished(&sim, &tenant, &all[0], &started).await["response"]["items"], json!([]));
    let many: Vec<Value> = vec![good.clone(); 101];
    let many = tenant.send("POST", &format!("{feed}/indicators"), json!({ "indicators": many })).await;
    assert_eq!(many.status, 400);
    tenant.send("PATCH", &format!("{feed}/settings"), json!({ "action": "logAndDrop" })).await;
    let started = tenant.get(&feed).await;
    let settings = finished(&sim, &tenant, &all[0], &started).await;
    assert_eq!(settings["response"]["action"], "logAndDrop");
    let path = format!("{CONFIG}/{}/transactions/{}", all[0], text(&settings["id"]));
    let part = tenant.get_ok(&format!("{path}?fields=finishedAt")).await;
    assert!(
        part.get("response").is_none() && part.get("finishedAt").is_some() && part.get("status").is_some()
    );
    assert_eq!(tenant.get(&format!("{path}?fields=nothing")).await.status, 400);
    assert_eq!(tenant.get(&path.replace(&all[0], &all[1])).await.status, 404);
}

#[tokio::test]
async fn disconnected_firewall_keeps_transactions_pending() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = ids(&tenant.get_ok(FIREWALLS).await)[3].clone();
    let started = tenant.get(&format!("{CONFIG}/{id}/mdr-threat-feed")).await;
    assert_eq!(finished(&sim, &tenant, &id, &started).await["status"], "pending");
}

#[tokio::test]
async fn exported_configuration_can_be_imported() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(FIREWALLS).await);
    let export = format!("{CONFIG}/{}/export", all[0]);
    assert_eq!(tenant.send("POST", &export, json!({ "fullExport": false })).await.status, 400);
    let started = tenant.send("POST", &export, json!({ "fullExport": true })).await;
    assert_eq!(started.status, 202, "{}", started.text);
    sim.clock().advance(Duration::from_secs(10));
    let path = |started: &Value| format!("{CONFIG}/transactions/{}", text(&started["transactionId"]));
    let done = tenant.get_ok(&path(&started.json())).await;
    let url = text(&done["response"]["url"]);
    let archive = http().get(&url).send().await.unwrap().bytes().await.unwrap();
    assert!(archive.starts_with(b"Entities.xml"));
    // The auxiliary firewall of a cluster, and one with old firmware.
    for other in [&all[1], &all[2]] {
        let started =
            tenant.send("POST", &format!("{CONFIG}/{other}/export"), json!({ "fullExport": true })).await;
        sim.clock().advance(Duration::from_secs(10));
        assert_eq!(tenant.get_ok(&path(&started.json())).await["result"], "error");
    }
    let import = tenant.send("POST", &format!("{CONFIG}/import"), json!({})).await.json();
    let complete = format!("{CONFIG}/import/{}/upload-complete", text(&import["transactionId"]));
    let body = |md5: &str, size: usize| json!({ "firewallIds": [all[0], all[2]], "checksumMd5": md5, "fileSizeBytes": size });
    // The digest of the empty text.
    let empty = "d41d8cd98f00b204e9800998ecf8427e";
    assert_eq!(tenant.send("POST", &complete, body(empty, archive.len())).await.status, 400);
    let upload = http().put(text(&import["url"])).body("abc").send().await.unwrap();
    assert_eq!(upload.status(), 200);
    assert_eq!(tenant.send("POST", &complete, body("900150983cd24fb0d6963f7d28e17f72", 4)).await.status, 400);
    assert_eq!(tenant.send("POST", &complete, body(empty, 3)).await.status, 400);
    let started = tenant.send("POST", &complete, body("900150983cd24fb0d6963f7d28e17f72", 3)).await;
    assert_eq!((started.status, &started.json()["status"]), (200, &json!("started")), "{}", started.text);
    sim.clock().advance(Duration::from_secs(10));
    // The text is no archive.
    let done = tenant.get_ok(&path(&import)).await;
    assert_eq!((&done["result"], done["response"]["items"].as_array().unwrap().len()), (&json!("error"), 2));
}

#[tokio::test]
async fn import_succeeds_for_the_firewalls_that_support_it() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(FIREWALLS).await);
    let mut archive = b"Entities.xml".to_vec();
    archive.resize(512, 0);
    let cases = [
        (vec![&all[0]], true, "success"),
        (vec![&all[0], &all[2]], true, "partialSuccess"),
        (vec![&all[0], &all[2]], false, "error"),
    ];
    for (firewalls, is_partial, result) in cases {
        let import = tenant.send("POST", &format!("{CONFIG}/import"), json!({})).await.json();
        let id = text(&import["transactionId"]);
        http().put(text(&import["url"])).body(archive.clone()).send().await.unwrap();
        let body = json!({
            "firewallIds": firewalls, "checksumMd5": "17883914aecc68c720195781fddeb2bb", "fileSizeBytes": 512,
            "performPartialImport": is_partial,
        });
        let complete = format!("{CONFIG}/import/{id}/upload-complete");
        assert_eq!(tenant.send("POST", &complete, body.clone()).await.status, 200);
        assert_eq!(tenant.send("POST", &complete, body).await.status, 400);
        sim.clock().advance(Duration::from_secs(10));
        let done = tenant.get_ok(&format!("{CONFIG}/transactions/{id}")).await;
        assert_eq!((&done["status"], &done["result"]), (&json!("finished"), &json!(result)));
    }
}

#[tokio::test]
async fn partner_exports_firewalls_of_its_tenants() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = ids(&tenant.get_ok(FIREWALLS).await)[0].clone();
    let partner = credential(&sim, "partner", "super_admin").principal_id;
    let scope = Some(("X-Partner-ID", partner.as_str()));
    let path = |id: &str| format!("{}{CONFIG}/{id}/export", tenant.host);
    let body = json!({ "fullExport": false, "exportEntities": ["Zone"] });
    let started = send(client.request("POST", &path(&id), scope, Some(&body))).await.unwrap();
    assert_eq!(started.status, 202, "{}", started.text);
    let missing = send(client.request("POST", &path(UNKNOWN), scope, Some(&body))).await.unwrap();
    assert_eq!(missing.status, 404);
    sim.clock().advance(Duration::from_secs(10));
    let transaction =
        format!("{}{CONFIG}/transactions/{}", tenant.host, text(&started.json()["transactionId"]));
    assert_eq!(client.get(&transaction, scope).await.json()["result"], "success");
}
