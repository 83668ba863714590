//! Repeated requests, by their sender or an attacker.

use futures_util::future::join_all;
use sophos_isolation::{CreatedDecision, webhook::Request};

use super::{
    NOW, RequestExt, TestEnv, alert_body, current_value, decision_ids, hex, hmac_sha256, previous_value,
    signed_request, v1_signature,
};

#[tokio::test]
async fn repeated_request_returns_the_same_decision() {
    let env = TestEnv::new();
    let first = env.send(&signed_request(alert_body("a"))).await;
    let (again, notice) = env.handle(&signed_request(alert_body("a"))).await;
    assert_eq!((first.status, again.status), (202, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(env.decision_count(), 1);
    assert!(notice.created.is_empty());
    assert_eq!(notice.duplicates.iter().map(ToString::to_string).collect::<Vec<_>>(), decision_ids(&first));
    // An hour later its signature is too old, although the request is known.
    let late =
        env.handle_at(&signed_request(alert_body("a")), NOW + std::time::Duration::from_secs(3_600)).await;
    assert_eq!(late.0.status, 401);
}

#[tokio::test]
async fn five_concurrent_requests_create_one_decision() {
    for key in [None, Some("k")] {
        let env = TestEnv::new();
        let body = if key.is_some() { r#"{"target":{"hostname":"ws-042"}}"#.into() } else { alert_body("a") };
        let request = key
            .iter()
            .fold(signed_request(body), |request, key| request.with_header("idempotency-key", *key));
        let responses = join_all((0..5).map(|_| env.send(&request))).await;
        let mut statuses: Vec<_> = responses.iter().map(|response| response.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 202]);
        assert!(responses.iter().all(|response| response.body == responses[0].body));
        assert_eq!(env.decision_count(), 1);
    }
}

#[tokio::test]
async fn five_concurrent_refusals_create_one_decision() {
    let env = TestEnv::new();
    let request = signed_request(r#"{"event_id":"a"}"#);
    let responses = join_all((0..5).map(|_| env.send(&request))).await;
    assert_eq!(responses.iter().filter(|response| response.status == 202).count(), 1);
    assert!(env.received_signal(&decision_ids(&responses[0])[0])["not_actionable"].is_object());
    assert!(env.decision_count() == 1 && env.queued().is_empty());
}

#[tokio::test]
async fn repeated_request_is_enqueued_when_its_message_was_lost() {
    let env = TestEnv::new();
    let first = env.send(&signed_request(alert_body("a"))).await;
    env.clear_queue();
    assert_eq!(env.send(&signed_request(alert_body("a"))).await.status, 200);
    assert_eq!(env.queued(), decision_ids(&first));
}

#[tokio::test]
async fn repeated_request_is_not_enqueued_after_processing() {
    let env = TestEnv::new();
    let first = env.send(&signed_request(alert_body("a"))).await;
    let ledger = env.webhook.ledger();
    let id = decision_ids(&first)[0].parse().expect("an id");
    let mut decision = ledger.load_decision(&id).await.expect("the store").expect("a decision");
    let step = serde_json::from_str(r#"{"transition":"failed","detail":"given up"}"#).expect("a step");
    assert!(ledger.append_transition(&mut decision, step, NOW).await.expect("the store"));
    env.clear_queue();
    assert_eq!(env.send(&signed_request(alert_body("a"))).await.status, 200);
    assert!(env.queued().is_empty());
}

#[tokio::test]
async fn queue_failure_gets_503_and_retry_succeeds() {
    let env = TestEnv::new();
    env.queue.set_failing(true);
    let (response, notice) = env.handle(&signed_request(alert_body("a"))).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    assert_eq!(notice.problem().as_deref(), Some("the queue is out of order"));
    assert_eq!((env.decision_count(), env.queued().len()), (1, 0));
    env.queue.set_failing(false);
    // The decision exists, so it is not new.
    let again = env.send(&signed_request(alert_body("a"))).await;
    assert_eq!(again.status, 200);
    assert_eq!(env.queued(), decision_ids(&again));
    assert_eq!(env.decision_count(), 1);
}

#[tokio::test]
async fn store_failure_gets_503_and_retry_succeeds() {
    let keyed = || signed_request(r#"{"target":{"hostname":"ws-042"}}"#).with_header("idempotency-key", "k");
    let refused = || signed_request(r#"{"event_id":"r"}"#);
    let plain = || signed_request(alert_body("a"));
    type Row = (&'static str, fn() -> Request);
    let rows: [Row; 5] = [
        ("received/", plain),
        ("arrivals/", plain),
        ("inbox/", plain),
        ("replays/", keyed),
        ("received/", refused),
    ];
    for (prefix, request) in rows {
        let env = TestEnv::new();
        env.store.fail_on(Some(prefix));
        let (response, notice) = env.handle(&request()).await;
        assert_eq!((response.status, response.header("retry-after")), (503, Some("5")), "{prefix}");
        assert!(notice.problem().is_some_and(|problem| problem.contains("store")));
        assert!(env.queued().is_empty());
        env.store.fail_on(None);
        let again = env.send(&request()).await;
        assert!([200, 202].contains(&again.status), "{prefix}: {}", again.status);
        assert_eq!(env.decision_count(), 1, "{prefix}");
        let refused = env.received_signal(&decision_ids(&again)[0])["not_actionable"].is_object();
        assert_eq!(env.queued().is_empty(), refused, "{prefix}");
    }
}

#[tokio::test]
async fn unreadable_secret_is_logged() {
    let env = TestEnv::new();
    env.secrets.fail();
    let (response, notice) = env.handle(&signed_request(alert_body("a"))).await;
    assert_eq!((response.status, notice.error_kind), (401, Some("SecretUnreadable")));
    assert_eq!(notice.problem().as_deref(), Some("the secret scripts cannot be read"));
    assert!(!response.body.contains("secret scripts"));
}

const NO_ID: &str = r#"{"target":{"hostname":"ws-042"},"severity":"high"}"#;

#[tokio::test]
async fn signature_is_valid_for_one_idempotency_key() {
    let env = TestEnv::new();
    let request = signed_request(NO_ID).with_header("idempotency-key", "one");
    assert_eq!(env.send(&request).await.status, 202);
    assert_eq!(env.send(&request).await.status, 200);
    let (response, notice) = env.handle(&request.clone().with_header("idempotency-key", "two")).await;
    assert_eq!(response.status, 401);
    assert!(notice.problem().is_some_and(|problem| problem.contains("Idempotency-Key")));
    for key in ["", "  "] {
        assert_eq!(
            env.send(&request.clone().with_header("idempotency-key", key)).await.status,
            422,
            "{key:?}"
        );
    }
    // With a new signature it is new.
    let time = (NOW.as_secs() + 1).to_string();
    let resigned = signed_request(NO_ID)
        .with_header("idempotency-key", "two")
        .with_header("x-sophos-signature", v1_signature(&current_value("scripts"), &time, NO_ID.as_bytes()))
        .with_header("x-sophos-timestamp", time);
    assert_eq!(env.send(&resigned).await.status, 202);
    assert_eq!(env.decision_count(), 2);
}

/// While a key rotates a sender signs with both, and each is a signature of
/// the same request.
#[tokio::test]
async fn second_signature_of_a_rotation_is_the_same_request() {
    let env = TestEnv::new();
    let time = NOW.as_secs().to_string();
    let [new, old] = [current_value("scripts"), previous_value("scripts")]
        .map(|key| v1_signature(&key, &time, NO_ID.as_bytes()));
    let request = signed_request(NO_ID).with_header("idempotency-key", "one");
    assert_eq!(
        env.send(&request.clone().with_header("x-sophos-signature", format!("{new},{old}"))).await.status,
        202
    );
    for signature in [old.clone(), new.clone(), format!("{old},{new}"), new.to_uppercase()] {
        let dressed = request
            .clone()
            .with_header("idempotency-key", "two")
            .with_header("x-sophos-signature", signature);
        assert_eq!(env.send(&dressed).await.status, 401);
    }
    assert_eq!(env.decision_count(), 1);
}

/// An event with its own id stays the same under any key.
#[tokio::test]
async fn idempotency_key_does_not_replace_the_event_id() {
    let env = TestEnv::new();
    let first = env.send(&signed_request(alert_body("a")).with_header("idempotency-key", "one")).await;
    let again = env.send(&signed_request(alert_body("a")).with_header("idempotency-key", "two")).await;
    assert_eq!((first.status, again.status), (202, 200));
    assert_eq!(decision_ids(&first), decision_ids(&again));

    let body = r#"{"event":{"id":"e1","event_type":"incident.triggered"}}"#;
    let signature = format!("v1={}", hex(&hmac_sha256(&current_value("pd"), body.as_bytes())));
    let request = super::post("/hooks/pd", body).with_header("x-pagerduty-signature", signature);
    let first = env.send(&request.clone().with_header("idempotency-key", "one")).await;
    let again = env.send(&request.with_header("idempotency-key", "two")).await;
    assert_eq!((first.status, again.status), (202, 200));
}

/// The same event of two sources is two decisions.
#[tokio::test]
async fn events_are_separate_per_source() {
    let env = TestEnv::new();
    let request = |name: &str| {
        let request = super::post(&format!("/hooks/{name}"), alert_body("a"));
        let request = request.with_header("authorization", format!("Bearer {}", current_value(name)));
        Request { source_ip: "203.0.113.7".parse().ok(), ..request }
    };
    let first = decision_ids(&env.send(&signed_request(alert_body("a"))).await);
    let second = decision_ids(&env.send(&request("office")).await);
    assert_ne!(first, second);
    let ledger = env.webhook.ledger();
    let id = first[0].parse().expect("an id");
    let decision = ledger.load_decision(&id).await.expect("the store").expect("a decision");
    let received = decision.received().expect("its signal").clone();
    let begun = ledger.create_decision(&id, &received, NOW).await.expect("the store");
    assert_eq!(begun, CreatedDecision::Existing(decision));
}
