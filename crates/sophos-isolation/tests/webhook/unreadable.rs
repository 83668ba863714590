//! What an operator finds of authentic requests that could not be read.

use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Dress, NOW, World, current, hex, post, signed};

const HOUR: u64 = NOW.as_secs() / 3_600;

/// A request of the source `office`, whose signature does not age.
fn office(body: &str) -> sophos_isolation::webhook::Request {
    let mut request =
        post("/hooks/office", body).with("authorization", format!("Bearer {}", current("office")));
    request.from = "203.0.113.9".parse().ok();
    request
}

#[tokio::test]
async fn refusal_leaves_a_record_when_the_sender_is_authentic() {
    let world = World::new();
    let body = r#"{"title":"Wq7x","target":{"hostname":"Wq7x-1"}}"#;
    let (response, notice) = world.handle(&signed(body)).await;
    assert_eq!(response.status, 422);
    let digest = hex(&Sha256::digest(body));
    assert_eq!(
        (notice.error_kind, notice.body_sha256.as_deref()),
        (Some("UnreadableEvent"), Some(digest.as_str()))
    );
    let all = world.memory.all();
    let [(path, record)] = all.iter().collect::<Vec<_>>()[..] else { panic!("{all:?}") };
    assert_eq!(notice.record.as_ref(), Some(path));
    let slot = path.strip_prefix(&format!("unreadable/scripts/{HOUR}/")).expect("its hour");
    assert!(slot.len() == 2 && slot.parse::<u8>().is_ok_and(|slot| slot < 32), "{slot}");
    let told: Value = serde_json::from_slice(&response.body.clone().into_bytes()).expect("JSON");
    let record: Value = serde_json::from_slice(record).expect("JSON");
    let wanted = json!({
        "version": 1, "source": "scripts", "tool": "generic", "at": "2026-09-21T14:13:20Z",
        "reason": told["error"], "event_id": null, "body_sha256": digest, "body_bytes": body.len(),
    });
    assert_eq!(record, wanted, "and nothing of the body");
}

#[tokio::test]
async fn refusal_records_the_event_id_when_a_header_has_it() {
    let world = World::new();
    let (response, notice) = world.handle(&office("no").with("idempotency-key", "key\u{202e}\u{7}-1")).await;
    assert_eq!(response.status, 422);
    let record: Value =
        serde_json::from_slice(&world.memory.all()[&notice.record.expect("a record")]).expect("JSON");
    assert_eq!(record["event_id"], "key -1", "in one line");
}

#[tokio::test]
async fn records_are_bounded_when_many_requests_cannot_be_read() {
    let world = World::new();
    for number in 0..400 {
        assert_eq!(world.send(&office(&format!("[{number}]"))).await.status, 422);
    }
    assert_eq!(world.memory.count(&format!("unreadable/office/{HOUR}/")), 32);
    assert_eq!(world.memory.all().len(), 32);
    let later = NOW + Duration::from_secs(3_600);
    assert_eq!(world.handle_at(&office("[1]"), later).await.0.status, 422);
    assert_eq!(world.memory.all().len(), 33);
}

#[tokio::test]
async fn nothing_is_recorded_when_the_sender_is_not_authentic() {
    let world = World::new();
    let forged = signed("[1]").with("x-sophos-signature", "v1=00");
    let other = office("[1]").with("authorization", "Bearer guessed");
    for request in [forged, other, post("/hooks/nobody", "[1]")] {
        assert_eq!(world.send(&request).await.status, 401);
    }
    assert!(world.memory.all().is_empty());
}

#[tokio::test]
async fn refusal_is_the_same_when_its_record_cannot_be_written() {
    let world = World::new();
    let expected = world.send(&office("[1]")).await;
    world.memory.fail(Some("unreadable/"));
    let (response, notice) = world.handle(&office("[1]")).await;
    assert_eq!(response, expected);
    assert_eq!(notice.record, None);
    assert!(notice.problem.is_some_and(|problem| problem.contains("out of order")));
}
