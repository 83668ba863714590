//! Tests of detections and cases.

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::Simulator;

const QUERIES: &str = "/detections/v1/queries";
const CASES: &str = "/cases/v1/cases";
const UNKNOWN: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

/// The results of a query that has ended.
async fn query(sim: &Simulator, tenant: &TenantClient<'_>, kind: &str, body: Value) -> Value {
    let made = tenant.send("POST", &format!("{QUERIES}/{kind}"), body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    sim.clock().advance(Duration::from_secs(3));
    let id = text(&made.json()["id"]);
    tenant.get_ok(&format!("{QUERIES}/{kind}/{id}/results?pageSize=2000")).await
}

fn month() -> Value {
    json!({ "from": "2025-12-16T00:00:00Z", "to": "2026-01-15T12:00:00Z" })
}

#[tokio::test]
async fn detection_query_runs_and_expires() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    for kind in ["detections", "detection-groups"] {
        let made = tenant.send("POST", &format!("{QUERIES}/{kind}"), month()).await.json();
        assert_eq!((&made["status"], &made["resultCount"]), (&json!("pending"), &json!(0)));
        let run = format!("{QUERIES}/{kind}/{}", text(&made["id"]));
        assert_eq!(tenant.get(&format!("{run}/results")).await.status, 404);
        sim.clock().advance(Duration::from_secs(3));
        let ended = tenant.get_ok(&run).await;
        assert_eq!((&ended["status"], &ended["result"]), (&json!("finished"), &json!("succeeded")));
        let first = tenant.get_ok(&format!("{run}/results?pageSize=2")).await;
        assert_eq!(first["items"].as_array().unwrap().len(), 2);
        let all = tenant.get_ok(&format!("{run}/results?pageTotal=true")).await;
        assert_eq!(
            (&all["pages"]["items"], &all["pages"]["maxSize"]),
            (&ended["resultCount"], &json!(2_000))
        );
        assert_eq!(tenant.get(&format!("{QUERIES}/{kind}/{UNKNOWN}")).await.status, 404);
    }
    let old = tenant.send("POST", &format!("{QUERIES}/detections"), month()).await.json();
    sim.clock().advance(Duration::from_secs(86_400));
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let old = format!("{QUERIES}/detections/{}/results", text(&old["id"]));
    assert_eq!(tenant.get(&old).await.status, 404);
}

#[tokio::test]
async fn detection_query_filters_and_sorts() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let all = query(&sim, &tenant, "detections", month()).await["items"].as_array().unwrap().clone();
    assert!(all.len() > 80, "{}", all.len());
    let endpoints = ids(&tenant.get_ok("/endpoint/v1/endpoints?pageSize=500").await);
    assert!(all.iter().all(|one| endpoints.contains(&text(&one["device"]["id"]))));
    let mut body = month();
    body["severity"] = json!([7, 8, 9, 10]);
    body["sort"] = json!([{ "field": "severity", "direction": "desc" }]);
    let high = query(&sim, &tenant, "detections", body.clone()).await["items"].as_array().unwrap().clone();
    let severities: Vec<u64> = high.iter().map(|one| one["severity"].as_u64().unwrap()).collect();
    assert_eq!(high.len(), all.iter().filter(|one| one["severity"].as_u64() >= Some(7)).count());
    assert!(severities.is_sorted_by(|a, b| a >= b), "{severities:?}");
    let groups = query(&sim, &tenant, "detection-groups", month()).await["items"].as_array().unwrap().clone();
    let total: u64 = groups.iter().map(|group| group["count"].as_u64().unwrap()).sum();
    assert_eq!(total, all.len() as u64);
    let day = query(&sim, &tenant, "detections", json!({})).await;
    assert!((2..=6).contains(&day["items"].as_array().unwrap().len()), "{day}");
    body["showSuppressed"] = json!(true);
    body["severity"] = json!(null);
    let with_suppressed = query(&sim, &tenant, "detections", body).await["items"].as_array().unwrap().len();
    assert!(with_suppressed > all.len());
    for body in
        [json!({ "severity": [11] }), json!({ "from": "2026-01-15T00:00:00Z", "to": "2026-01-14T00:00:00Z" })]
    {
        assert_eq!(tenant.send("POST", &format!("{QUERIES}/detections"), body).await.status, 400);
    }
}

#[tokio::test]
async fn detection_counts_agree_with_the_detections() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let counts = tenant.get_ok(&format!("{QUERIES}/detections/counts")).await;
    assert_eq!((&counts["resolution"], &counts["from"]), (&json!("day"), &json!("2025-12-16T12:00:00.000Z")));
    let sum = |counts: &Value| -> u64 {
        let all = counts["resolutionDetectionCounts"].as_array().unwrap();
        all.iter().map(|one| one["totalCount"].as_u64().unwrap()).sum()
    };
    let period = json!({ "from": "2025-12-16T12:00:00Z", "to": "2026-01-15T12:00:00Z" });
    let all = query(&sim, &tenant, "detections", period).await["items"].as_array().unwrap().clone();
    assert_eq!(sum(&counts), all.len() as u64);
    let high = tenant
        .get_ok(&format!("{QUERIES}/detections/counts?severity=critical&to=2026-01-15T12:00:00Z"))
        .await;
    assert_eq!(sum(&high), all.iter().filter(|one| one["severity"] == 9).count() as u64);
    let hours = tenant.get_ok(&format!("{QUERIES}/detections/counts?resolution=hour")).await;
    assert_eq!(hours["resolutionDetectionCounts"].as_array().unwrap().len(), 25);
    let wide = "from=1990-01-01T00:00:00Z&resolution=minute";
    for wrong in ["resolution=week", "from=2026-01-16T00:00:00Z", wide, "to=yesterday"] {
        assert_eq!(tenant.get(&format!("{QUERIES}/detections/counts?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn case_lives_from_creation_to_deletion() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let found = ids(&query(&sim, &tenant, "detections", month()).await);
    let email = text(&tenant.get_ok("/common/v1/admins").await["items"][0]["profile"]["email"]);
    let new = json!({
        "name": "Odd service", "type": "investigation", "severity": "high", "assignee": email,
        "initialDetectionId": found[0], "otherDetectionIds": [found[1], found[2], found[0], found[1]],
    });
    let made = tenant.send("POST", CASES, new.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!(
        (&made["status"], &made["managedBy"], &made["detectionCount"]),
        (&json!("new"), &json!("self"), &json!(3))
    );
    assert_eq!(made["initialDetection"]["id"], found[0]);
    for (member, value) in [
        ("assignee", json!("unknown@example.com")),
        ("assignee", Value::Null),
        ("initialDetectionId", json!("00_00")),
        ("otherDetectionIds", json!(["00_00"])),
        ("type", json!("other")),
        ("managedBy", json!("sophos")),
    ] {
        let mut wrong = new.clone();
        wrong[member] = value;
        assert_eq!(tenant.send("POST", CASES, wrong).await.status, 400, "{member}");
    }
    let path = format!("{CASES}/{}", text(&made["id"]));
    assert_eq!(ids(&tenant.get_ok(&format!("{CASES}?name=odd%20service&assignee={email}")).await).len(), 1);
    let changed =
        tenant.send("PATCH", &path, json!({ "status": "resolved", "assignee": "Unassigned" })).await.json();
    assert!(changed["resolvedAt"].is_string() && changed.get("assignee").is_none(), "{changed}");
    assert_eq!(ids(&tenant.get_ok(&format!("{CASES}?assignee=Unassigned&status=resolved")).await).len(), 1);
    let again = tenant.send("PATCH", &path, json!({ "status": "investigating" })).await.json();
    assert!(again.get("resolvedAt").is_none(), "{again}");
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    for path in [path.clone(), format!("{path}/detections"), format!("{path}/mitre-attack-summary")] {
        assert_eq!(tenant.get(&path).await.status, 404);
    }
    assert_eq!(tenant.get(&format!("{CASES}/no_id")).await.status, 400);
}

#[tokio::test]
async fn case_shows_its_detections_and_entities() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let case = tenant.get_ok(&format!("{CASES}?managedBy=self")).await["items"][0].clone();
    let path = format!("{CASES}/{}", text(&case["id"]));
    let detections = tenant.get_ok(&format!("{path}/detections?sort=time")).await;
    assert_eq!(json!(ids(&detections).len()), case["detectionCount"]);
    let first = &detections["items"][0];
    let one = format!("{path}/detections/{}", text(&first["id"]));
    assert_eq!(&tenant.get_ok(&one).await, first);
    assert_eq!(tenant.get(&format!("{path}/detections/00_00")).await.status, 404);
    let devices = tenant.get_ok(&format!("{path}/impacted-entities?type=device")).await;
    let hosts: Vec<&Value> = devices["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert!(hosts.contains(&&first["device"]["id"]), "{hosts:?}");
    assert_eq!(tenant.get(&format!("{path}/impacted-entities?type=planet")).await.status, 400);
    let tactics = tenant.get_ok(&format!("{path}/mitre-attack-summary")).await["tactics"].clone();
    let tactic = &first["mitreAttacks"][0]["tactic"]["id"];
    assert!(tactics.as_array().unwrap().iter().any(|one| one["id"] == *tactic), "{tactics}");
}

#[tokio::test]
async fn cases_that_sophos_manages_do_not_change() {
    let sim = Simulator::start(config()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let theirs = ids(&tenant.get_ok(&format!("{CASES}?managedBy=sophos&assignee=MDR%20Ops")).await);
    let path = format!("{CASES}/{}", theirs[0]);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 403);
    assert_eq!(tenant.send("PATCH", &path, json!({ "status": "resolved" })).await.status, 403);
    let client = Client::new(&sim, "partner", "read_only").await;
    let tenant = TenantClient::new(&sim, &client, 0);
    assert_eq!(tenant.get(&path).await.status, 200);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.status, 403);
}
