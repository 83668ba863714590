//! What is sent again, by an honest sender or by somebody else.

use futures_util::future::join_all;
use sophos_isolation::{Begun, webhook::Request};

use super::{Dress, NOW, World, alert, current, hex, ids, previous, signed, tag, v1};

#[tokio::test]
async fn the_same_again_is_the_same_decision() {
    let world = World::new();
    let first = world.send(&signed(alert("a"))).await;
    let (again, notice) = world.handle(&signed(alert("a"))).await;
    assert_eq!((first.status, again.status), (202, 200));
    assert_eq!(first.body, again.body);
    assert_eq!(world.decisions(), 1);
    assert!(notice.begun.is_empty());
    assert_eq!(notice.known.iter().map(ToString::to_string).collect::<Vec<_>>(), ids(&first));
    // An hour later its signature is too old, however known it is.
    let late = world.handle_at(&signed(alert("a")), NOW + std::time::Duration::from_secs(3_600)).await;
    assert_eq!(late.0.status, 401);
}

#[tokio::test]
async fn five_at_once_are_one_decision() {
    for key in [None, Some("k")] {
        let world = World::new();
        let body = if key.is_some() { r#"{"target":{"hostname":"ws-042"}}"#.into() } else { alert("a") };
        let request = key.iter().fold(signed(body), |request, key| request.with("idempotency-key", *key));
        let answers = join_all((0..5).map(|_| world.send(&request))).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 200, 200, 200, 202]);
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(world.decisions(), 1);
        assert_eq!(world.steps(&ids(&answers[0])[0]).len(), 1);
    }
}

#[tokio::test]
async fn five_at_once_that_are_refused_are_refused_once() {
    let world = World::new();
    let request = signed(r#"{"event_id":"a"}"#);
    let answers = join_all((0..5).map(|_| world.send(&request))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert_eq!(world.steps(&ids(&answers[0])[0]).len(), 2);
    assert!(world.queued().is_empty());
}

#[tokio::test]
async fn one_whose_message_was_lost_is_handed_on_again() {
    let world = World::new();
    let first = world.send(&signed(alert("a"))).await;
    world.lose_messages();
    assert_eq!(world.send(&signed(alert("a"))).await.status, 200);
    assert_eq!(world.queued(), ids(&first));
}

#[tokio::test]
async fn one_that_was_worked_on_is_not_handed_on_again() {
    let world = World::new();
    let first = world.send(&signed(alert("a"))).await;
    let ledger = world.webhook.ledger();
    let id = ids(&first)[0].parse().expect("an id");
    let mut decision = ledger.decision(&id).await.expect("the store").expect("a decision");
    let step = serde_json::from_str(r#"{"step":"failed","detail":"given up"}"#).expect("a step");
    assert!(ledger.take(&mut decision, step, NOW).await.expect("the store"));
    world.lose_messages();
    assert_eq!(world.send(&signed(alert("a"))).await.status, 200);
    assert!(world.queued().is_empty());
}

#[tokio::test]
async fn a_queue_that_fails_is_told_and_made_good() {
    let world = World::new();
    world.line.fail(true);
    let (response, notice) = world.handle(&signed(alert("a"))).await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    assert_eq!(notice.problem().as_deref(), Some("the queue is out of order"));
    assert_eq!((world.decisions(), world.queued().len()), (1, 0));
    world.line.fail(false);
    // The decision was begun before, so it is none that is new.
    let again = world.send(&signed(alert("a"))).await;
    assert_eq!(again.status, 200);
    assert_eq!(world.queued(), ids(&again));
    assert_eq!(world.decisions(), 1);
}

#[tokio::test]
async fn a_store_that_fails_is_told_and_made_good() {
    let keyed = || signed(r#"{"target":{"hostname":"ws-042"}}"#).with("idempotency-key", "k");
    let refused = || signed(r#"{"event_id":"r"}"#);
    let plain = || signed(alert("a"));
    type Row = (&'static str, fn() -> Request);
    let rows: [Row; 4] =
        [("decisions/", plain), ("agenda/", plain), ("seen/", keyed), ("decisions/", refused)];
    for (prefix, request) in rows {
        let world = World::new();
        world.memory.fail(Some(prefix));
        let (response, notice) = world.handle(&request()).await;
        assert_eq!((response.status, response.header("retry-after")), (503, Some("5")), "{prefix}");
        assert!(notice.problem().is_some_and(|problem| problem.contains("store")));
        assert!(world.queued().is_empty());
        world.memory.fail(None);
        let again = world.send(&request()).await;
        assert!([200, 202].contains(&again.status), "{prefix}: {}", again.status);
        assert_eq!(world.decisions(), 1, "{prefix}");
        let refused = world.steps(&ids(&again)[0]).len() == 2;
        assert_eq!(world.queued().is_empty(), refused, "{prefix}");
    }
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_told() {
    let world = World::new();
    world.vault.fail();
    let (response, notice) = world.handle(&signed(alert("a"))).await;
    assert_eq!((response.status, notice.error_kind), (401, Some("SecretUnreadable")));
    assert_eq!(notice.problem().as_deref(), Some("the secret scripts cannot be read"));
    assert!(!response.body.contains("secret scripts"));
}

const NO_ID: &str = r#"{"target":{"hostname":"ws-042"},"severity":"high"}"#;

#[tokio::test]
async fn a_signature_is_good_for_one_idempotency_key() {
    let world = World::new();
    let request = signed(NO_ID).with("idempotency-key", "one");
    assert_eq!(world.send(&request).await.status, 202);
    assert_eq!(world.send(&request).await.status, 200);
    let (response, notice) = world.handle(&request.clone().with("idempotency-key", "two")).await;
    assert_eq!(response.status, 401);
    assert!(notice.problem().is_some_and(|problem| problem.contains("Idempotency-Key")));
    for key in ["", "  "] {
        assert_eq!(world.send(&request.clone().with("idempotency-key", key)).await.status, 422, "{key:?}");
    }
    // Signed anew, it is new.
    let time = (NOW.as_secs() + 1).to_string();
    let anew = signed(NO_ID)
        .with("idempotency-key", "two")
        .with("x-sophos-signature", v1(&current("scripts"), &time, NO_ID.as_bytes()))
        .with("x-sophos-timestamp", time);
    assert_eq!(world.send(&anew).await.status, 202);
    assert_eq!(world.decisions(), 2);
}

/// While a key rotates a sender signs with both, and each is a signature of
/// the same request.
#[tokio::test]
async fn the_other_of_two_signatures_is_no_new_request() {
    let world = World::new();
    let time = NOW.as_secs().to_string();
    let [new, old] = [current("scripts"), previous("scripts")].map(|key| v1(&key, &time, NO_ID.as_bytes()));
    let request = signed(NO_ID).with("idempotency-key", "one");
    assert_eq!(
        world.send(&request.clone().with("x-sophos-signature", format!("{new},{old}"))).await.status,
        202
    );
    for signature in [old.clone(), new.clone(), format!("{old},{new}"), new.to_uppercase()] {
        let dressed = request.clone().with("idempotency-key", "two").with("x-sophos-signature", signature);
        assert_eq!(world.send(&dressed).await.status, 401);
    }
    assert_eq!(world.decisions(), 1);
}

/// An event that says itself which it is stays the same under any key.
#[tokio::test]
async fn an_idempotency_key_changes_no_identity_of_the_body() {
    let world = World::new();
    let first = world.send(&signed(alert("a")).with("idempotency-key", "one")).await;
    let again = world.send(&signed(alert("a")).with("idempotency-key", "two")).await;
    assert_eq!((first.status, again.status), (202, 200));
    assert_eq!(ids(&first), ids(&again));

    let body = r#"{"event":{"id":"e1","event_type":"incident.triggered"}}"#;
    let signature = format!("v1={}", hex(&tag(&current("pd"), body.as_bytes())));
    let request = super::post("/hooks/pd", body).with("x-pagerduty-signature", signature);
    let first = world.send(&request.clone().with("idempotency-key", "one")).await;
    let again = world.send(&request.with("idempotency-key", "two")).await;
    assert_eq!((first.status, again.status), (202, 200));
}

/// The same event of two sources is two decisions.
#[tokio::test]
async fn sources_do_not_share_events() {
    let world = World::new();
    let request = |name: &str| {
        let request = super::post(&format!("/hooks/{name}"), alert("a"));
        let request = request.with("authorization", format!("Bearer {}", current(name)));
        Request { from: "203.0.113.7".parse().ok(), ..request }
    };
    let first = ids(&world.send(&signed(alert("a"))).await);
    let second = ids(&world.send(&request("office")).await);
    assert_ne!(first, second);
    let ledger = world.webhook.ledger();
    let id = first[0].parse().expect("an id");
    let decision = ledger.decision(&id).await.expect("the store").expect("a decision");
    let received = decision.received().expect("its signal").clone();
    let begun = ledger.begin(&id, &received, NOW).await.expect("the store");
    assert_eq!(begun, Begun::Known(decision));
}
