//! Tests of faults and of the counters.

mod common;

use std::time::{Duration, Instant};

use common::*;
use sophos_simulator::{FaultAction, FaultPlan, FaultRule, RetryAfter, Simulator};

const EVENTS: &str = "/siem/v1/events";

fn once(action: FaultAction) -> FaultPlan {
    FaultPlan::new([FaultRule::new("siem.events", action).times(1)])
}

#[tokio::test]
async fn each_fault_fires_once_and_then_stops() {
    let sim = Simulator::start(one_tenant(60.0, 1.0, 3)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    sim.reset_calls();

    for (after, expected) in [
        (None, None),
        (Some(RetryAfter::Seconds(7)), Some("7")),
        (Some(RetryAfter::HttpDate(90)), Some("Thu, 15 Jan 2026 12:01:30 GMT")),
    ] {
        sim.set_faults(once(FaultAction::throttle(after)));
        let reply = at.get(EVENTS).await;
        assert_eq!((reply.status, reply.header("retry-after")), (429, expected));
    }
    for status in [500, 503, 504] {
        sim.set_faults(once(FaultAction::status(status)));
        assert_eq!(at.get(EVENTS).await.status, status);
    }
    sim.set_faults(once(FaultAction::Html { status: 502 }));
    let page = at.get(EVENTS).await;
    assert_eq!((page.status, page.header("content-type")), (502, Some("text/html")));
    assert!(page.text.starts_with("<html>"));

    sim.set_faults(once(FaultAction::Disconnect));
    assert!(at.try_get(EVENTS).await.is_err());
    sim.set_faults(once(FaultAction::Truncate));
    let torn = at.try_get(EVENTS).await.unwrap_err();
    assert!(torn.is_decode() || torn.is_body(), "{torn:?}");
    sim.set_faults(once(FaultAction::Malformed));
    let spoilt = at.get(EVENTS).await;
    assert_eq!(spoilt.status, 200);
    assert!(serde_json::from_str::<serde_json::Value>(&spoilt.text).is_err());
    assert!(sim.served("events", &at.tenant).is_empty(), "nothing arrived whole so far");

    sim.set_faults(once(FaultAction::Delay { milliseconds: 120 }));
    let began = Instant::now();
    assert_eq!(at.get(EVENTS).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(120));
    assert_eq!(at.get(EVENTS).await.status, 200);
    assert_eq!(sim.served("events", &at.tenant).len(), 200);

    let calls = sim.calls();
    assert_eq!(calls.total, 12);
    assert_eq!(calls.operation("siem.events"), 12);
    assert_eq!(calls.operation_for("siem.events", &at.tenant), 12);
    assert_eq!((calls.status(429), calls.status(0), calls.status(200)), (3, 1, 4));

    sim.set_faults(once(FaultAction::RevokeTokens));
    assert_eq!(at.get(EVENTS).await.status, 401);
    assert_eq!(at.get(EVENTS).await.status, 401);
}

#[tokio::test]
async fn echo_fault_repeats_the_token_or_secret() {
    let sim = Simulator::start(one_tenant(60.0, 1.0, 3)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let echo = |operation: &str| {
        FaultPlan::new([FaultRule::new(operation, FaultAction::Echo { status: 400 }).times(1)])
    };
    sim.set_faults(echo("siem.events"));
    let reply = at.get(EVENTS).await;
    assert_eq!(reply.status, 400);
    let body: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
    for member in ["error", "message", "requestId", "correlationId"] {
        assert!(body[member].as_str().unwrap().starts_with("Bearer ey"), "{body}");
    }
    assert!(body["message"].as_str().unwrap().contains(&at.tenant), "{body}");

    sim.set_faults(echo("token"));
    let c = credential(&sim, "partner", "super_admin");
    let reply = request_token(&sim, &c.client_id, &c.client_secret, "token").await;
    let body: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
    assert!(body["errorCode"].as_str().unwrap().contains("client_secret"), "{body}");
}

#[tokio::test]
async fn disconnect_fault_still_applies_the_request() {
    let sim = Simulator::start(one_tenant(60.0, 1.0, 3)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let id = ids(&at.get_ok("/endpoint/v1/endpoints").await)[0].clone();
    let path = format!("/endpoint/v1/endpoints/{id}/isolation");
    sim.set_faults(FaultPlan::new([FaultRule::new("isolation.set", FaultAction::Disconnect).times(1)]));
    let scope = Some(("X-Tenant-ID", at.tenant.as_str()));
    let body = serde_json::json!({ "enabled": true });
    let url = format!("{}{path}", at.host);
    assert!(send(client.request("PATCH", &url, scope, Some(&body))).await.is_err());
    assert_eq!(at.get_ok(&path).await["enabled"], true);
}

#[tokio::test]
async fn token_request_can_fail() {
    let sim = Simulator::start(one_tenant(60.0, 1.0, 3)).await.unwrap();
    sim.set_faults(FaultPlan::new([FaultRule::new("token", FaultAction::status(503)).times(1)]));
    let c = credential(&sim, "partner", "super_admin");
    let ask = async || request_token(&sim, &c.client_id, &c.client_secret, "token").await.status;
    assert_eq!((ask().await, ask().await), (503, 200));
}

#[tokio::test]
async fn fault_expires_by_the_simulator_clock() {
    let sim = Simulator::start(one_tenant(60.0, 1.0, 3)).await.unwrap();
    let client = Client::partner(&sim).await;
    let at = TenantClient::new(&sim, &client, 0);
    let status = async || at.get(EVENTS).await.status;
    let busy =
        FaultRule::new("siem.events", FaultAction::throttle(None)).for_duration(Duration::from_secs(90));
    for _ in 0..2 {
        sim.set_faults(FaultPlan::new([busy.clone()]));
        assert_eq!((status().await, status().await), (429, 429));
        sim.clock().advance(Duration::from_millis(89_999));
        assert_eq!(status().await, 429);
        sim.clock().advance(Duration::from_millis(1));
        assert_eq!(status().await, 200);
    }
}
