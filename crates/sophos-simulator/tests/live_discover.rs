//! Tests of Live Discover and XDR Query.

mod common;

use std::time::Duration;

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{MachineConfig, Owner, Simulator, TenantGroup};

const LIVE: &str = "/live-discover/v1/queries";
const PIVOTS: &str = "/live-discover/v1/enrichment-pivots";
const XDR: &str = "/xdr-query/v1/queries";

/// A tenant with two online endpoints and an offline one.
fn three_endpoints() -> sophos_simulator::Config {
    let machine = |hostname: &str, online: bool| MachineConfig {
        online: Some(online),
        ..MachineConfig::computer("Acme", hostname)
    };
    let name = Some("Acme".to_owned());
    sophos_simulator::Config {
        tenants: vec![TenantGroup { name, endpoints: Some(0), ..TenantGroup::new(Owner::Partner, 1) }],
        machines: vec![machine("first", true), machine("second", true), machine("third", false)],
        ..config()
    }
}

fn everywhere(template: &str) -> Value {
    json!({ "adHocQuery": { "name": "Test", "template": template }, "matchEndpoints": { "all": true } })
}

#[tokio::test]
async fn live_discover_run_passes_through_its_states() {
    let sim = Simulator::start(three_endpoints()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let made =
        tenant.send("POST", &format!("{LIVE}/runs"), everywhere("select pid, name from processes")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let made = made.json();
    assert_eq!((&made["status"], &made["result"]), (&json!("pending"), &json!("notAvailable")));
    assert_eq!(
        made["endpointCounts"]["statuses"]["pending"],
        json!({ "total": 3, "offline": 1, "online": 2 })
    );
    let run = format!("{LIVE}/runs/{}", text(&made["id"]));
    assert_eq!(tenant.get_ok(&format!("{run}/results")).await["items"], json!([]));
    sim.clock().advance(Duration::from_secs(30));
    let started = tenant.get_ok(&run).await;
    assert_eq!(started["status"], "started");
    assert_eq!(started["endpointCounts"]["statuses"]["finished"]["succeeded"]["total"], 2);
    sim.clock().advance(Duration::from_secs(100));
    let ended = tenant.get_ok(&run).await;
    assert_eq!((&ended["status"], &ended["result"]), (&json!("finished"), &json!("succeeded")));
    assert_eq!(ended["timeRemainingInSeconds"], 0);
    let late = tenant.get_ok(&format!("{run}/endpoints?match=finished:timedOut")).await;
    assert_eq!((late["items"][0]["hostname"].clone(), ids(&late).len()), (json!("third"), 1));
    assert_eq!(tenant.get(&format!("{run}/endpoints?match=done")).await.status, 400);
    let all = tenant.get_ok(&format!("{run}/results?pageTotal=true")).await;
    assert_eq!(all["pages"]["items"], ended["resultCount"]);
    assert_eq!(
        all["metadata"]["columns"],
        json!([{ "name": "pid", "type": "integer" }, { "name": "name", "type": "text" }])
    );
    let listed =
        ids(&tenant.get_ok(&format!("{LIVE}/runs?status=finished&createdByPrincipalType=service")).await);
    assert_eq!(listed, [text(&made["id"])]);
}

#[tokio::test]
async fn live_discover_results_are_paged_by_key() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 200)).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let made =
        tenant.send("POST", &format!("{LIVE}/runs"), everywhere("select * from processes")).await.json();
    sim.clock().advance(Duration::from_secs(200));
    let results = format!("{LIVE}/runs/{}/results", text(&made["id"]));
    let all = tenant.get_ok(&results).await["items"].as_array().unwrap().clone();
    let (mut paged, mut key) = (Vec::new(), String::new());
    loop {
        let page = tenant.get_ok(&format!("{results}?pageSize=40{key}")).await;
        paged.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["pages"].get("nextKey") else { break };
        key = format!("&pageFromKey={}", text(next).replace('=', "%3D"));
    }
    assert!(all.len() > 40, "{}", all.len());
    assert_eq!(paged, all);
    let endpoints = ids(&tenant.get_ok("/endpoint/v1/endpoints?pageSize=500").await);
    assert!(all.iter().all(|row| endpoints.contains(&text(&row["endpointId"]))));
}

#[tokio::test]
async fn live_discover_limits_runs_by_minute_and_day() {
    let sim = Simulator::start(three_endpoints()).await.unwrap();
    let mut client = Client::partner(&sim).await;
    let runs = format!("{LIVE}/runs");
    let body = everywhere("select name from users");
    let mut accepted = 0;
    for minute in 0..51 {
        if minute == 40 {
            client = Client::partner(&sim).await;
        }
        let tenant = TenantClient::new(&sim, &client, 0);
        for _ in 0..10 {
            accepted += u32::from(tenant.send("POST", &runs, body.clone()).await.status == 201);
        }
        assert_eq!(tenant.send("POST", &runs, body.clone()).await.status, 429);
        sim.clock().advance(Duration::from_secs(60));
    }
    assert_eq!(accepted, 500);
}

#[tokio::test]
async fn live_discover_rejects_invalid_runs() {
    let sim = Simulator::start(three_endpoints()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let runs = format!("{LIVE}/runs");
    let sql = "select name from users";
    let saved = tenant.get_ok(&format!("{LIVE}?search=file%20hash")).await["items"][0].clone();
    let saved = json!({ "queryId": saved["id"], "categoryId": saved["categories"][0]["id"] });
    for body in [
        json!({ "adHocQuery": { "template": sql } }),
        json!({ "adHocQuery": { "template": "select 1" }, "matchEndpoints": { "all": true } }),
        json!({ "adHocQuery": { "template": sql }, "matchEndpoints": { "filters": [{ "type": ["phone"] }] } }),
        json!({ "adHocQuery": { "template": sql }, "matchEndpoints": { "filters": [{ "hostnameContains": "x9" }] } }),
        json!({ "adHocQuery": { "template": sql }, "savedQuery": saved, "matchEndpoints": { "all": true } }),
        json!({ "savedQuery": saved, "matchEndpoints": { "all": true } }),
        json!({ "savedQuery": { "queryId": "x" }, "matchEndpoints": { "all": true } }),
    ] {
        assert_eq!(tenant.send("POST", &runs, body.clone()).await.status, 400, "{body}");
    }
    let hash = json!([{ "name": "sha256", "dataType": "text", "value": "ab" }]);
    let filters = json!({ "filters": [{ "os": [{ "platform": "windows" }], "hostnameContains": "first" }] });
    let body = json!({ "savedQuery": saved, "variables": hash, "matchEndpoints": filters });
    let made = tenant.send("POST", &runs, body).await.json();
    assert_eq!((&made["query"]["id"], &made["endpointCounts"]["total"]), (&saved["queryId"], &json!(1)));
    let bad = tenant.send("POST", &runs, everywhere("selekt name from users")).await.json();
    sim.clock().advance(Duration::from_secs(130));
    let path = format!("{runs}/{}", text(&bad["id"]));
    assert_eq!(tenant.get_ok(&path).await["result"], "failed");
    let failed = tenant.get_ok(&format!("{path}/endpoints?match=failed")).await;
    assert_eq!(failed["items"][0]["statusMessage"], "near \"selekt\": syntax error");
    assert_eq!(tenant.get(&format!("{runs}/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d/results")).await.status, 404);
}

#[tokio::test]
async fn runs_need_a_role_with_query_permission() {
    let sim = Simulator::start(three_endpoints()).await.unwrap();
    for (role, status) in [("forensics", 201), ("management", 403), ("read_only", 403)] {
        let client = Client::new(&sim, "partner", role).await;
        let tenant = TenantClient::new(&sim, &client, 0);
        let live = tenant.send("POST", &format!("{LIVE}/runs"), everywhere("select name from users")).await;
        let body = json!({ "adHocQuery": { "template": "select * from xdr_data" } });
        let xdr = tenant.send("POST", &format!("{XDR}/runs"), body).await;
        assert_eq!((live.status, xdr.status), (status, status), "{role}");
        assert_eq!(tenant.get(LIVE).await.status, 200);
    }
}

#[tokio::test]
async fn enrichment_pivot_lives_until_deletion() {
    let sim = Simulator::start(three_endpoints()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let new = json!({ "name": "Lookup", "type": "ipAddress", "url": "https://x.example.com/$$ipAddress$$" });
    let made = tenant.send("POST", PIVOTS, new.clone()).await;
    assert_eq!((made.status, &made.json()["sourceType"]), (201, &json!("custom")), "{}", made.text);
    assert_eq!(tenant.send("POST", PIVOTS, new).await.status, 409);
    let path = format!("{PIVOTS}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.send("PATCH", &path, json!({ "url": "https://x.example.com/" })).await.status, 400);
    let changed = tenant.send("PATCH", &path, json!({ "description": "Where?" })).await.json();
    assert_eq!((&changed["description"], &changed["name"]), (&json!("Where?"), &json!("Lookup")));
    let all = tenant.get_ok(PIVOTS).await["items"].as_array().unwrap().clone();
    let canned = all.iter().find(|pivot| pivot["sourceType"] == "canned").unwrap();
    let canned = format!("{PIVOTS}/{}", text(&canned["id"]));
    assert_eq!(tenant.send("DELETE", &canned, json!({})).await.status, 403);
    assert_eq!(tenant.send("DELETE", &path, json!({})).await.json(), json!({ "deleted": true }));
    assert_eq!(tenant.send("PATCH", &path, json!({ "name": "New" })).await.status, 404);
}

#[tokio::test]
async fn saved_queries_belong_to_their_categories() {
    let sim = Simulator::start(three_endpoints()).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    for base in [LIVE, XDR] {
        let categories = tenant.get_ok(&format!("{base}/categories")).await;
        let mut count = 0;
        for category in categories["items"].as_array().unwrap() {
            let id = text(&category["id"]);
            let queries = tenant.get_ok(&format!("{base}?categoryId={id}&fields=name")).await;
            let queries = queries["items"].as_array().unwrap().clone();
            assert_eq!(json!(queries.len()), category["queryCount"]);
            count += queries.len();
            assert_eq!(tenant.get_ok(&format!("{base}/categories/{id}")).await["name"], category["name"]);
        }
        let all = ids(&tenant.get_ok(base).await);
        assert_eq!(all.len(), count);
        assert!(tenant.get_ok(&format!("{base}/{}", all[0])).await["template"].is_string());
    }
}

#[tokio::test]
async fn xdr_run_has_results_for_two_hours() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let runs = format!("{XDR}/runs");
    let endpoint = ids(&tenant.get_ok("/endpoint/v1/endpoints").await)[3].clone();
    let body = json!({
        "adHocQuery": { "template": "select meta_endpoint_id, name, time from xdr_data limit 7" },
        "matchEndpoints": { "filters": [{ "ids": [endpoint] }] }, "from": "2026-01-10T00:00:00Z",
    });
    let made = tenant.send("POST", &runs, body).await;
    assert_eq!((made.status, &made.json()["status"]), (201, &json!("started")), "{}", made.text);
    assert_eq!(made.json()["expiresAt"], "2026-01-15T14:00:00.000Z");
    let run = format!("{runs}/{}", text(&made.json()["id"]));
    assert_eq!(tenant.get(&format!("{run}/results")).await.status, 404);
    sim.clock().advance(Duration::from_secs(10));
    let ended = tenant.get_ok(&run).await;
    assert_eq!(
        (&ended["result"], &ended["finishedAt"]),
        (&json!("succeeded"), &json!("2026-01-15T12:00:10.000Z"))
    );
    let first = tenant.get_ok(&format!("{run}/results?pageSize=4")).await;
    let next = text(&first["pages"]["nextKey"]).replace('=', "%3D");
    let last = tenant.get_ok(&format!("{run}/results?pageSize=4&pageFromKey={next}")).await;
    let rows =
        [first["items"].as_array().unwrap().clone(), last["items"].as_array().unwrap().clone()].concat();
    assert_eq!(rows.len(), 7);
    let in_period = |row: &Value| ("2026-01-10".."2026-01-15T12:00:01").contains(&&*text(&row["time"]));
    assert!(rows.iter().all(|row| row["meta_endpoint_id"] == endpoint && in_period(row)), "{rows:?}");
    assert_eq!(first["metadata"]["columns"][2], json!({ "name": "time", "type": "dateTime" }));
    sim.clock().advance(Duration::from_secs(2 * 3_600));
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    assert_eq!(tenant.get(&format!("{run}/results")).await.status, 404);
    assert_eq!(tenant.get(&run).await.status, 200);
}

#[tokio::test]
async fn xdr_runs_fail_are_canceled_or_rejected() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let tenant = TenantClient::new(&sim, &client, 0);
    let runs = format!("{XDR}/runs");
    let start = async |template: &str| {
        let made = tenant.send("POST", &runs, json!({ "adHocQuery": { "template": template } })).await;
        text(&made.json()["id"])
    };
    let (canceled, failed) = (start("select * from xdr_data").await, start("delete from xdr_data").await);
    let cancel = format!("{runs}/{canceled}/cancel");
    assert_eq!(tenant.send("POST", &cancel, json!({})).await.json(), json!({ "canceled": true }));
    assert_eq!(tenant.send("POST", &cancel, json!({})).await.json(), json!({ "canceled": false }));
    sim.clock().advance(Duration::from_secs(20));
    for (id, result) in [(&canceled, "canceled"), (&failed, "failed")] {
        let run = tenant.get_ok(&format!("{runs}/{id}")).await;
        assert_eq!((&run["status"], &run["result"]), (&json!("finished"), &json!(result)));
        assert_eq!(tenant.get_ok(&format!("{runs}/{id}/results")).await["items"], json!([]));
    }
    let newest = ids(&tenant.get_ok(&format!("{runs}?order=desc&statuses=finished")).await);
    assert_eq!(newest[..2], [failed, canceled]);
    for body in [
        json!({ "adHocQuery": { "template": "select 1" }, "from": "2025-12-01T00:00:00Z" }),
        json!({ "adHocQuery": { "template": "select 1" }, "to": "2026-01-01T00:00:00Z", "from": "2026-01-02T00:00:00Z" }),
        json!({}),
    ] {
        assert_eq!(tenant.send("POST", &runs, body.clone()).await.status, 400, "{body}");
    }
    let unknown = format!("{runs}/a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d/cancel");
    assert_eq!(tenant.send("POST", &unknown, json!({})).await.status, 404);
}
