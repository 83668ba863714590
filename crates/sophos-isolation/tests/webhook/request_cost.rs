//! The cost of rejected requests.

use super::{NOW, RequestExt, TestEnv, alert_body, current_value, get, post, signed_request};

/// Unauthenticated requests call neither the store nor the queue.
#[tokio::test]
async fn rejected_request_makes_no_store_call() {
    let env = TestEnv::new();
    let old = (NOW.as_secs() - 301).to_string();
    let strangers = [
        post("/hooks/absent", alert_body("a")),
        post("/hooks/scripts", alert_body("a")),
        signed_request(alert_body("a")).with_header("x-sophos-signature", format!("v1={}", "0".repeat(64))),
        signed_request(alert_body("a")).with_header("x-sophos-timestamp", old),
        signed_request(alert_body("a"))
            .with_header("idempotency-key", "k")
            .with_header("x-sophos-signature", "v1=x"),
        post("/hooks/pd", alert_body("a")),
        post("/hooks/office", alert_body("a"))
            .with_header("authorization", format!("Bearer {}", current_value("office"))),
        post("/hooks/splunk/wrong", alert_body("a")),
        post("/hooks/okta", alert_body("a")).with_header("authorization", "wrong"),
        post("/hooks/elastic", alert_body("a")).with_header("authorization", "Basic a2liYW5hOg=="),
        post("/hooks/guardduty", alert_body("a")),
        post("/hooks/scripts", vec![b'x'; 2 << 20]),
        get("/approvals/x?until=1&signature=x"),
        get("/anything"),
    ];
    for request in &strangers {
        for _ in 0..3 {
            assert!(env.send(request).await.status >= 400);
        }
    }
    assert_eq!((env.store.calls(), env.queued().len()), (0, 0));
    // The counter works.
    assert_eq!(env.send(&signed_request(alert_body("a"))).await.status, 202);
    assert!(env.store.calls() > 0);
}
