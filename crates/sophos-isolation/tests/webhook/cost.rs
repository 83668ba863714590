//! What a request costs that is turned away.

use super::{Dress, NOW, World, alert, current, get, post, signed};

/// Neither the store nor the queue is called for a request that proves nothing.
#[tokio::test]
async fn rejected_request_costs_no_call_of_the_store() {
    let world = World::new();
    let old = (NOW.as_secs() - 301).to_string();
    let strangers = [
        post("/hooks/nobody", alert("a")),
        post("/hooks/scripts", alert("a")),
        signed(alert("a")).with("x-sophos-signature", format!("v1={}", "0".repeat(64))),
        signed(alert("a")).with("x-sophos-timestamp", old),
        signed(alert("a")).with("idempotency-key", "k").with("x-sophos-signature", "v1=x"),
        post("/hooks/pd", alert("a")),
        post("/hooks/office", alert("a")).with("authorization", format!("Bearer {}", current("office"))),
        post("/hooks/splunk/wrong", alert("a")),
        post("/hooks/okta", alert("a")).with("authorization", "wrong"),
        post("/hooks/elastic", alert("a")).with("authorization", "Basic a2liYW5hOg=="),
        post("/hooks/guardduty", alert("a")),
        post("/hooks/scripts", vec![b'x'; 2 << 20]),
        get("/approvals/x?until=1&signature=x"),
        get("/anything"),
    ];
    for request in &strangers {
        for _ in 0..3 {
            assert!(world.send(request).await.status >= 400);
        }
    }
    assert_eq!((world.memory.calls(), world.queued().len()), (0, 0));
    // The count is one that moves.
    assert_eq!(world.send(&signed(alert("a"))).await.status, 202);
    assert!(world.memory.calls() > 0);
}
