//! What comes of a delivery.

use serde_json::json;
use sophos_isolation::webhook::{LARGEST_BODY, Request};

use super::{Dress, NOW, World, alert, current, get, hex, ids, post, previous, shared, signed, tag, v1};

/// A delivery of the source `office`, which calls from its network.
fn office(body: impl Into<Vec<u8>>) -> Request {
    let request = post("/hooks/office", body).with("authorization", format!("Bearer {}", current("office")));
    Request { from: "203.0.113.7".parse().ok(), ..request }
}

#[tokio::test]
async fn a_new_alert_is_recorded_and_handed_on() {
    let world = World::new();
    let (response, notice) = world.handle(&signed(alert("a"))).await;
    assert_eq!((response.status, response.header("content-type")), (202, Some("application/json")));
    let ids = ids(&response);
    assert_eq!(world.queued(), ids);
    assert_eq!(notice.begun.iter().map(ToString::to_string).collect::<Vec<_>>(), ids);
    assert_eq!((notice.source.as_deref(), notice.problem()), (Some("scripts"), None));
    assert!(notice.known.is_empty() && !notice.previous_key);
    let received = world.received(&ids[0]);
    assert_eq!(received["step"], "received");
    assert_eq!(received["source"], "scripts");
    assert_eq!(received["key"], "current");
    assert_eq!(received["signal"]["host"]["hostnames"], json!(["ws-042"]));
    assert_eq!(world.memory.count("inbox/"), 1, "a lost message would be found");
    assert_eq!(world.memory.all().len(), 2, "the webhook writes nothing of the worker's");
}

#[tokio::test]
async fn the_previous_key_is_noted() {
    let world = World::new();
    let (time, body) = (NOW.as_secs().to_string(), alert("a"));
    let signature = v1(&previous("scripts"), &time, body.as_bytes());
    let (response, notice) = world.handle(&signed(body).with("x-sophos-signature", signature)).await;
    assert_eq!(response.status, 202);
    assert!(notice.previous_key);
    assert_eq!(world.received(&ids(&response)[0])["key"], "previous");
}

#[tokio::test]
async fn a_refused_reading_is_recorded_with_its_reason() {
    let world = World::new();
    let body = r#"{"event_id":"a","severity":"high"}"#;
    let response = world.send(&signed(body)).await;
    assert_eq!(response.status, 202);
    let reason = &world.received(&ids(&response)[0])["not_actionable"];
    assert_eq!(reason["code"], "no_host");
    assert!(reason["detail"].as_str().is_some_and(|detail| detail.contains("no host")), "{reason}");
    assert!(world.queued().is_empty());
    let again = world.send(&signed(body)).await;
    assert_eq!((again.status, ids(&again)), (200, ids(&response)));
    assert_eq!(world.decisions(), 1);
    assert!(world.queued().is_empty());
}

/// An alert of Defender about two hosts, one of them twice.
fn about_two() -> Request {
    let kind = "#microsoft.graph.security.deviceEvidence";
    let device = |name: &str| json!({ "@odata.type": kind, "deviceDnsName": name });
    let body = json!({
        "id": "da1", "severity": "high", "title": "ransomware", "lastUpdateDateTime": "2026-09-21T14:00:00Z",
        "evidence": [device("ws-1.corp.example"), device("ws-2.corp.example"), device("ws-1.corp.example")],
    });
    post("/hooks/defender", body.to_string()).with("authorization", format!("Bearer {}", current("defender")))
}

#[tokio::test]
async fn a_message_about_several_hosts_is_several_decisions() {
    let world = World::new();
    let response = world.send(&about_two()).await;
    let ids = ids(&response);
    assert_eq!((response.status, ids.len()), (202, 2));
    assert_eq!(world.queued(), ids);
    let host = |id: &String| world.received(id)["signal"]["host"]["hostnames"][0].clone();
    assert_eq!(ids.iter().map(host).collect::<Vec<_>>(), ["ws-1.corp.example", "ws-2.corp.example"]);
}

#[tokio::test]
async fn a_message_that_was_taken_in_part_is_taken_whole_the_next_time() {
    let whole = ids(&World::new().send(&about_two()).await);
    let world = World::new();
    world.memory.fail(Some(&format!("received/{}", whole[1])));
    let (response, notice) = world.handle(&about_two()).await;
    assert_eq!((response.status, notice.begun.len(), world.decisions()), (503, 1, 1));
    assert!(world.queued().is_empty());
    world.memory.fail(None);
    let (response, notice) = world.handle(&about_two()).await;
    assert_eq!((response.status, ids(&response)), (202, whole.clone()), "one of them is new");
    assert_eq!((notice.known.len(), notice.begun.len()), (1, 1));
    assert_eq!(world.queued(), whole);
    assert_eq!(world.send(&about_two()).await.status, 200);
    assert_eq!(world.decisions(), 2);
}

#[tokio::test]
async fn a_source_that_does_not_exist_answers_like_a_wrong_signature() {
    let world = World::new();
    let wrong = signed(alert("a")).with("x-sophos-signature", format!("v1={}", "0".repeat(64)));
    let expected = world.send(&wrong).await;
    assert_eq!(expected.status, 401);
    let others = [
        Request { path: "/hooks/nobody".into(), ..signed(alert("a")) },
        signed(alert("a")).without("x-sophos-signature"),
        signed(alert("a")).without("x-sophos-timestamp"),
        signed(alert("a")).with("x-sophos-timestamp", "1"),
        signed(alert("b")).with("x-sophos-signature", v1(&current("scripts"), "1", b"")),
        wrong.clone().without("content-type"),
        Request { body: b"not JSON".to_vec(), ..wrong },
        Request { path: "/hooks/nobody".into(), query: "validationToken=%3Cx".into(), ..signed("") },
        post("/hooks/splunk/wrong", "{}"),
        post("/hooks/nobody/wrong", "{}"),
        post("/hooks/SCRIPTS", "{}"),
        post("/hooks/defender", "{}").with("authorization", "Bearer x"),
    ];
    for request in others {
        let (response, notice) = world.handle(&request).await;
        assert_eq!(response, expected, "{notice:?}");
        assert!(notice.problem().is_some() && notice.begun.is_empty());
    }
    assert_eq!(world.send(&post("/hooks/pd", "{}")).await, expected);
    let signature = format!("v1={}", hex(&tag("other", b"{}")));
    assert_eq!(world.send(&post("/hooks/pd", "{}").with("x-pagerduty-signature", signature)).await, expected);
    assert!(world.memory.all().is_empty() && world.queued().is_empty());
}

#[tokio::test]
async fn a_source_calls_from_where_it_may() {
    let world = World::new();
    for (number, address) in
        ["203.0.113.7", "203.0.113.255", "2001:db8::1", "::ffff:203.0.113.7"].iter().enumerate()
    {
        let request = Request { from: address.parse().ok(), ..office(alert(&number.to_string())) };
        let response = world.send(&request).await;
        assert_eq!(response.status, 202, "{address}");
        let from = &world.received(&ids(&response)[0])["from"];
        assert_eq!(from, address, "where it came from is recorded");
    }
    let before = world.memory.all();
    for address in ["203.0.114.1", "2001:db9::1", "127.0.0.1", "::ffff:10.0.0.1"] {
        let (response, notice) =
            world.handle(&Request { from: address.parse().ok(), ..office(alert("x")) }).await;
        assert_eq!(response.status, 401, "{address}");
        assert!(notice.problem().is_some_and(|problem| problem.contains("address")));
    }
    // No address is not one of those either.
    assert_eq!(world.send(&Request { from: None, ..office(alert("x")) }).await.status, 401);
    assert_eq!(world.memory.all(), before);
}

#[tokio::test]
async fn what_is_not_json_is_sent_back() {
    let world = World::new();
    let good = [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/json",
        "application/vnd.splunk+json",
        "application/cloudevents+json;charset=utf-8",
    ];
    let bad = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonp",
        "json",
        "image/svg+json",
        ";application/json",
    ];
    for kind in good {
        let status = world.send(&signed(alert(kind)).with("content-type", kind)).await.status;
        assert_eq!(status, 202, "{kind}");
    }
    for kind in bad {
        let response = world.send(&signed(alert("x")).with("content-type", kind)).await;
        assert_eq!(response.status, 415, "{kind}");
        assert!(response.body.contains("application/json"), "{}", response.body);
    }
    assert_eq!(world.send(&signed(alert("x")).without("content-type")).await.status, 415);
    for kind in ["text/plain", "Text/Plain; charset=utf-8", "application/json"] {
        assert_eq!(world.send(&office(alert(kind)).with("content-type", kind)).await.status, 202, "{kind}");
    }
    assert_eq!(world.send(&office(alert("x")).with("content-type", "text/html")).await.status, 415);
}

#[tokio::test]
async fn what_is_too_large_is_not_looked_at() {
    let world = World::new();
    let mut body = alert("a").into_bytes();
    body.resize(LARGEST_BODY, b' ');
    assert_eq!(world.send(&signed(body.clone())).await.status, 202);
    body.push(b' ');
    for path in ["/hooks/scripts", "/hooks/nobody"] {
        let response = world.send(&Request { path: path.into(), ..signed(body.clone()) }).await;
        assert_eq!(response.status, 413);
        assert!(response.body.contains(&LARGEST_BODY.to_string()), "{}", response.body);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_explained_and_not_repeated() {
    let world = World::new();
    let word = "Wq7x";
    let rows = [
        (format!("{{\"event_id\": \"{word}"), "line 1"),
        (word.to_owned(), "line 1"),
        (format!("{{\"title\":\"{word}\",\"target\":{{}}}}"), "event_id"),
        (format!("{{\"event_id\":\"{word}\",\"action\":\"{word}\"}}"), "isolate"),
        (format!("{{\"event_id\":\"{word}\",\"ttl\":\"{word}\"}}"), "ttl"),
        (format!("{{\"event_id\":\"{word}\",\"ttl\":{{\"{word}\":1}}}}"), "ttl"),
        (format!("{}{word}", "[".repeat(100_000)), "too deep"),
        (String::new(), "line 1"),
    ];
    for (body, hint) in rows {
        let (response, notice) = world.handle(&signed(body)).await;
        assert_eq!(response.status, 422, "{}", response.body);
        assert!(response.body.contains(hint), "{hint}: {}", response.body);
        let told = format!("{response:?} {notice:?}");
        assert!(!told.contains(word), "{told}");
    }
    assert_eq!(world.decisions(), 0);
}

#[tokio::test]
async fn other_requests_are_turned_away() {
    let world = World::new();
    let id = "iso-0123456789abcdef01234567";
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", ""] {
        for path in ["/hooks/scripts", "/hooks/nobody", "/hooks/scripts/x"] {
            let response = world.send(&Request { method: method.into(), ..get(path) }).await;
            assert_eq!((response.status, response.header("allow")), (405, Some("POST")), "{method} {path}");
        }
    }
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "get", ""] {
        let response =
            world.send(&Request { method: method.into(), ..get(&format!("/approvals/{id}")) }).await;
        assert_eq!((response.status, response.header("allow")), (405, Some("GET, POST")), "{method}");
    }
    for path in [
        "",
        "/",
        "/hooks",
        "/hooks/",
        "/hooks/a/b/c",
        "/hook/a",
        "/Hooks/a",
        "/approvals",
        "/approvals/a/b",
        "/hooks/../approvals/x",
        "/x/hooks/scripts",
        "hooks\\scripts",
        "/.env",
        "/%68ooks/scripts",
    ] {
        for method in ["GET", "POST", "PUT"] {
            let response =
                world.send(&Request { path: path.into(), method: method.into(), ..signed(alert("a")) }).await;
            assert_eq!((response.status, response.header("allow")), (404, None), "{method} {path}");
        }
    }
    assert!(world.memory.all().is_empty());
}

#[tokio::test]
async fn pagerdutys_own_delivery_is_taken() {
    let Some(body) = shared("pagerduty/incident_priority_updated_body.json") else { return };
    let world = World::new();
    let signature = format!("v1={}", hex(&tag(&current("pd"), &body)));
    let request = post("/hooks/pd", body).with("x-pagerduty-signature", signature);
    assert_eq!(world.send(&request).await.status, 202);
    assert_eq!(world.send(&request).await.status, 200);
    assert_eq!(world.decisions(), 1);
}
