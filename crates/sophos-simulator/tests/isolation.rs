//! Tests of recorded isolation changes, and of bulk requests with faults.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::*;
use serde_json::{Value, json};
use sophos_simulator::{FaultAction, FaultPlan, FaultRule, IsolationChange, Simulator};

const BULK: &str = "/endpoint/v1/endpoints/isolation";

fn real_now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

async fn endpoints(at: &TenantClient<'_>) -> Vec<String> {
    ids(&at.get_ok("/endpoint/v1/endpoints?online=true").await)
}

fn summary(change: &IsolationChange) -> (&str, bool, bool, &str) {
    (&change.endpoint, change.enabled, change.changed, &change.operation)
}

#[tokio::test]
async fn accepted_isolation_changes_are_recorded() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = endpoints(&at).await;
    let path = format!("/endpoint/v1/endpoints/{}/isolation", all[0]);
    let set = async |enabled: bool| {
        at.send("PATCH", &path, json!({ "enabled": enabled, "comment": "why" })).await.status
    };
    let began = real_now_ms();
    assert_eq!(set(true).await, 200);
    assert_eq!(set(true).await, 409, "refused: nothing to record");
    sim.clock().advance(Duration::from_secs(60));
    assert_eq!(set(true).await, 400, "as well");
    let both = json!({ "enabled": true, "ids": [all[0], all[1]] });
    assert_eq!(at.send("POST", BULK, both).await.status, 202);
    let changes = sim.isolation_changes();
    let gists: Vec<_> = changes.iter().map(summary).collect();
    assert_eq!(
        gists,
        [
            (all[0].as_str(), true, true, "isolation.set"),
            (all[0].as_str(), true, false, "isolation.bulk"),
            (all[1].as_str(), true, true, "isolation.bulk"),
        ]
    );
    let first = &changes[0];
    assert_eq!((first.tenant.as_str(), first.comment.as_deref()), (at.tenant.as_str(), Some("why")));
    assert_eq!(first.requested_by, credential(&sim, "partner", "super_admin").client_id);
    assert_eq!((first.at_ms, changes[2].at_ms), (START_MS, START_MS + 60_000));
    assert!((began..=real_now_ms()).contains(&first.received_real_ms));
    assert_eq!(changes[2].comment, None);

    // The same over HTTP.
    let url = format!("{}/control/isolation", sim.control_url());
    let reply = send(http().get(&url)).await.unwrap();
    assert_eq!(serde_json::from_str::<Vec<IsolationChange>>(&reply.text).unwrap(), changes);
    assert_eq!(send(http().delete(&url)).await.unwrap().json(), json!([]));
    assert!(sim.isolation_changes().is_empty());
    assert_eq!(at.get_ok(&path).await["enabled"], true, "only the record is forgotten");
}

#[tokio::test]
async fn change_is_recorded_when_the_response_is_lost() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = endpoints(&at).await;
    sim.set_faults(FaultPlan::new([FaultRule::new("isolation.bulk", FaultAction::Disconnect).times(1)]));
    let scope = Some(("X-Tenant-ID", at.tenant.as_str()));
    let body = json!({ "enabled": true, "ids": [all[0]] });
    let url = format!("{}{BULK}", at.host);
    assert!(send(client.request("POST", &url, scope, Some(&body))).await.is_err());
    assert_eq!(sim.isolation_changes().iter().map(summary).count(), 1);
    sim.clear_isolation_changes();
    assert!(sim.isolation_changes().is_empty());
}

async fn bulk(at: &TenantClient<'_>, ids: &[String]) -> Vec<Value> {
    let reply = at.send("POST", BULK, json!({ "enabled": true, "ids": ids })).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    reply.json()["items"].as_array().unwrap().clone()
}

fn once(action: FaultAction) -> FaultPlan {
    FaultPlan::new([FaultRule::new("isolation.bulk", action).times(1)])
}

#[tokio::test]
async fn bulk_call_omits_an_endpoint_on_fault() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = endpoints(&at).await;
    for (asked, endpoint, left_out) in [(&all[..3], Some(all[1].to_uppercase()), 1), (&all[3..6], None, 2)] {
        sim.set_faults(once(FaultAction::OmitEndpoint { endpoint }));
        sim.clear_isolation_changes();
        let answered: Vec<String> = bulk(&at, asked).await.iter().map(|item| text(&item["id"])).collect();
        let mut expected = asked.to_vec();
        let passed_over = expected.remove(left_out);
        assert_eq!(answered, expected);
        assert_eq!(sim.isolation_changes().len(), 2);
        let path = format!("/endpoint/v1/endpoints/{passed_over}/isolation");
        assert_eq!(at.get_ok(&path).await, json!({ "enabled": false }), "it was not asked");
        // A repeated request is accepted.
        assert_eq!(bulk(&at, &[passed_over]).await.len(), 1);
    }
    sim.set_faults(once(FaultAction::OmitEndpoint { endpoint: None }));
    assert!(bulk(&at, &all[6..7]).await.is_empty());
}

#[tokio::test]
async fn bulk_call_returns_an_extra_endpoint_on_fault() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 20)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let all = endpoints(&at).await;
    sim.set_faults(once(FaultAction::ExtraEndpoint { endpoint: Some(all[4].clone()) }));
    let items = bulk(&at, &all[..1]).await;
    assert_eq!((&items[0]["id"], &items[1]["id"]), (&json!(all[0]), &json!(all[4])));
    assert_eq!(items[1]["isolation"]["enabled"], true, "it says so");
    let path = format!("/endpoint/v1/endpoints/{}/isolation", all[4]);
    assert_eq!(at.get_ok(&path).await, json!({ "enabled": false }), "and it is not so");
    sim.set_faults(once(FaultAction::ExtraEndpoint { endpoint: None }));
    let items = bulk(&at, &all[1..2]).await;
    assert_eq!(items.len(), 2);
    assert!(!all.contains(&text(&items[1]["id"])));
    assert_eq!(sim.isolation_changes().len(), 2);
}

#[tokio::test]
async fn bulk_faults_do_not_affect_other_calls() {
    let sim = Simulator::start(one_tenant(1.0, 1.0, 3)).await.unwrap();
    let put = async |rule: Value| {
        let request = http()
            .put(format!("{}/control/faults", sim.control_url()))
            .header("content-type", "application/json")
            .body(json!({ "rules": [rule] }).to_string());
        send(request).await.unwrap().status
    };
    let id = sim.tenants()[0].id.clone();
    let left = json!({ "kind": "omit_endpoint" });
    for (rule, status) in [
        (json!({ "operation": "isolation.bulk", "action": left, "for_seconds": 1.5 }), 200),
        (
            json!({ "operation": "isolation.bulk", "action": { "kind": "extra_endpoint", "endpoint": id } }),
            200,
        ),
        (
            json!({ "operation": "isolation.bulk", "action": { "kind": "extra_endpoint", "endpoint": "x" } }),
            400,
        ),
        (json!({ "operation": "isolation.set", "action": left }), 400),
        (json!({ "action": left }), 400),
        (json!({ "action": { "kind": "disconnect" }, "for_seconds": -1.0 }), 400),
    ] {
        assert_eq!(put(rule.clone()).await, status, "{rule}");
    }
}
