//! Tests of mailboxes, quarantined messages and clawback.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const MAILBOXES: &str = "/email/v1/mailboxes";
const QUARANTINE: &str = "/email/v1/quarantine";
const POST_DELIVERY: &str = "/email/v1/post-delivery-quarantine";
const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

async fn search(tenant: &TenantClient<'_>, family: &str, filter: Value) -> Value {
    let body = json!({
        "beginDate": "2026-01-01T00:00:00Z", "endDate": "2026-02-01T00:00:00Z", "filter": filter,
    });
    let found = tenant.send("POST", &format!("{family}/messages/search"), body).await;
    assert_eq!(found.status, 200, "{}", found.text);
    found.json()
}

#[tokio::test]
async fn mailbox_lives_from_creation_to_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let new = json!({ "type": "user", "email": "jo@example.com", "name": "Jo" });
    let made = tenant.send("POST", MAILBOXES, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!("{MAILBOXES}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.send("POST", MAILBOXES, new).await.status, 409);
    let alias = json!({ "type": "user", "email": "orders@example.com", "name": "Orders" });
    assert_eq!(tenant.send("POST", MAILBOXES, alias).await.status, 409);
    assert_eq!(
        tenant.send("POST", MAILBOXES, json!({ "type": "user", "email": "x", "name": "X" })).await.status,
        400
    );
    let changes =
        json!({ "add": ["jo.doe@example.com", "orders@example.com"], "remove": ["no@example.com"] });
    let changed = tenant.send("POST", &format!("{path}/aliases"), changes).await.json();
    assert_eq!(changed["added"], json!(["jo.doe@example.com"]));
    assert_eq!(changed["errors"]["failedToAdd"][0]["error"], "conflict");
    assert_eq!(changed["errors"]["failedToRemove"][0]["error"], "notFound");
    let owners = tenant.send(
        "POST",
        &format!("{path}/distribution-list-owners"),
        json!({ "add": ["jo@example.com"] }),
    );
    assert!(owners.await.json()["errors"]["failedToAdd"][0].is_object());
    let found = tenant.get_ok(&format!("{MAILBOXES}?aliasesStartWith=jo.&type=user")).await;
    assert_eq!(found["items"][0]["name"], "Jo");
    assert!(found["items"][0].get("aliases").is_none());
    let privilege = json!({ "count": 100, "period": "daily", "purpose": "News" });
    let asked = tenant.send("POST", &format!("{path}/bulksender-privilege-request"), privilege).await;
    assert_eq!(asked.json(), json!({ "accepted": true }));
    sim.clock().advance(Duration::from_secs(3_600));
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let approved = tenant.get_ok(&path).await;
    assert_eq!(approved["bulkSenderPrivilege"]["bulkSenderPrivilegeStatus"], "approved");
    let renamed = tenant.send("PATCH", &path, json!({ "name": "Jo Doe" })).await;
    assert_eq!((renamed.status, &renamed.json()["name"]), (201, &json!("Jo Doe")));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": false }));
    assert_eq!(tenant.get(&path).await.status, 404);
}

#[tokio::test]
async fn synchronized_mailboxes_refuse_changes() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = ids(&tenant.get_ok(MAILBOXES).await);
    let synced = format!("{MAILBOXES}/{}", all[9]);
    assert_eq!(tenant.send("PATCH", &synced, json!({ "name": "X" })).await.status, 409);
    assert_eq!(tenant.send("POST", &format!("{synced}/aliases"), json!({})).await.status, 409);
    assert_eq!(tenant.send("DELETE", &synced, json!({})).await.status, 409);
    let owned = tenant.get_ok(&format!("{MAILBOXES}?distributionListOwnedBy=Ada%20Abbott")).await;
    assert_eq!(owned["items"][0]["name"], "Announcements");
    let bulk = json!({ "items": [
        { "type": "user", "email": "a@example.com", "name": "A" },
        { "type": "user", "email": "a@example.com", "name": "B" },
    ]});
    let made = tenant.send("POST", &format!("{MAILBOXES}/bulk"), bulk).await.json();
    assert_eq!((made["items"].as_array().unwrap().len(), made["errors"].as_array().unwrap().len()), (1, 1));
    let gone = json!({ "items": [{ "id": made["items"][0]["id"] }, { "id": all[9] }, { "id": UNKNOWN }] });
    let gone = tenant.send("POST", &format!("{MAILBOXES}/delete"), gone).await.json();
    assert_eq!((gone["items"].as_array().unwrap().len(), gone["errors"].as_array().unwrap().len()), (1, 2));
}

#[tokio::test]
async fn quarantine_search_filters_and_pages() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = search(&tenant, QUARANTINE, json!({})).await;
    let total = all["pages"]["items"].as_u64().unwrap();
    assert!(total > 4);
    let with = search(&tenant, QUARANTINE, json!({ "hasAnyAttachment": true })).await;
    let without = search(&tenant, QUARANTINE, json!({ "hasAnyAttachment": false })).await;
    assert_eq!(with["pages"]["items"].as_u64().unwrap() + without["pages"]["items"].as_u64().unwrap(), total);
    let large = search(&tenant, QUARANTINE, json!({ "sizeInMBGreaterThan": 1 })).await;
    let items = large["items"].as_array().unwrap();
    assert!(
        !items.is_empty() && items.iter().all(|item| item["sizeInBytes"].as_f64().unwrap() > 1_048_576.0)
    );
    let mut seen = 0;
    let mut key = Value::Null;
    loop {
        let body = json!({
            "beginDate": "2026-01-01T00:00:00Z", "endDate": "2026-02-01T00:00:00Z", "pageSize": 3,
            "pageFromKey": key, "fields": ["reason"], "sort": ["quarantinedAt:DESC"],
        });
        let page = tenant.send("POST", &format!("{QUARANTINE}/messages/search"), body).await.json();
        let first = page["items"][0].as_object().unwrap();
        let mut names: Vec<&str> = first.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["direction", "forRecipient", "id", "reason"]);
        seen += page["items"].as_array().unwrap().len() as u64;
        key = page["pages"]["nextKey"].clone();
        if key.is_null() {
            break;
        }
    }
    assert_eq!(seen, total);
    let wrong = json!({ "beginDate": "2026-02-01T00:00:00Z", "endDate": "2026-01-01T00:00:00Z" });
    assert_eq!(tenant.send("POST", &format!("{QUARANTINE}/messages/search"), wrong).await.status, 400);
}

#[tokio::test]
async fn released_message_can_be_clawed_back() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = text(&search(&tenant, QUARANTINE, json!({})).await["items"][0]["id"]);
    let clawback = format!("/email/v1/messages/{id}/clawback");
    let reason = json!({ "reason": "phishing" });
    assert_eq!(tenant.send("POST", &clawback, reason.clone()).await.status, 404);
    let items = json!({ "items": [{ "id": id }, { "id": UNKNOWN }] });
    let released = tenant.send("POST", &format!("{QUARANTINE}/messages/release"), items).await;
    assert_eq!(released.status, 202);
    assert_eq!(released.json()["errors"][0]["id"], UNKNOWN);
    assert_eq!(search(&tenant, QUARANTINE, json!({ "id": id })).await["items"], json!([]));
    assert_eq!(tenant.get(&format!("{QUARANTINE}/messages/{id}/preview")).await.status, 404);
    let started = tenant.send("POST", &clawback, reason).await;
    assert_eq!((started.status, &started.json()["id"]), (202, &json!(id)));
    let status = format!("/email/v1/messages/{id}/status");
    assert_eq!(tenant.get_ok(&status).await["status"], "processing");
    assert_eq!(search(&tenant, POST_DELIVERY, json!({ "id": id })).await["items"], json!([]));
    sim.clock().advance(Duration::from_secs(60));
    assert_eq!(tenant.get_ok(&status).await["status"], "completed");
    let found = search(&tenant, POST_DELIVERY, json!({ "id": id })).await;
    assert_eq!(found["items"][0]["reason"], "phishing");
    assert!(found["items"][0].get("direction").is_none());
    let gone = tenant
        .send("POST", &format!("{POST_DELIVERY}/messages/delete"), json!({ "items": [{ "id": id }] }))
        .await;
    assert_eq!(gone.json()["items"].as_array().unwrap().len(), found["items"].as_array().unwrap().len());
    assert_eq!(tenant.get(&status).await.status, 404);
}

#[tokio::test]
async fn attachments_are_stripped_and_downloaded() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let id = text(&search(&tenant, QUARANTINE, json!({ "hasAnyAttachment": true })).await["items"][0]["id"]);
    let path = format!("{QUARANTINE}/messages/{id}/attachments");
    let page = tenant.get_ok(&path).await;
    assert_eq!((&page["pages"]["items"], &page["items"][0]["stripped"]), (&json!(2), &json!(false)));
    let name = text(&page["items"][0]["name"]);
    let names = json!({ "attachments": [name] });
    let stripped = tenant.send("POST", &format!("{path}/strip"), names.clone()).await.json();
    assert_eq!(stripped["items"][0]["attachment"], json!(name));
    let again = tenant.send("POST", &format!("{path}/strip"), names.clone()).await.json();
    assert_eq!((&again["items"], &again["errors"][0]["attachment"]), (&json!([]), &json!(name)));
    assert_eq!(tenant.get_ok(&path).await["items"][0]["stripped"], true);
    tenant.send("POST", &format!("{path}/reattach"), names.clone()).await;
    assert_eq!(tenant.get_ok(&path).await["items"][0]["stripped"], false);
    for (names, end) in [(names, "completed"), (json!({ "attachments": ["no.txt"] }), "failed")] {
        let job = tenant.send("POST", &format!("{path}/download"), names).await.json();
        assert_eq!(job["status"], "processing");
        sim.clock().advance(Duration::from_secs(30));
        let job = tenant.get_ok(&format!("{QUARANTINE}/downloads/{}/status", text(&job["id"]))).await;
        assert_eq!(job["status"], end);
        if end == "completed" {
            let archive = http().get(text(&job["url"])).send().await.unwrap().bytes().await.unwrap();
            assert!(archive.starts_with(b"PK\x03\x04") && job["password"].is_string());
        } else {
            assert_eq!(job["error"], "attachmentNotFound");
        }
    }
    let other = tenant.get(&format!("{POST_DELIVERY}/downloads/{UNKNOWN}/status")).await;
    assert_eq!(other.status, 404);
}
