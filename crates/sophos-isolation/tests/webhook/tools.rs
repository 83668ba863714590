//! What single tools ask for before they send anything.

use sophos_isolation::webhook::Request;

use super::{Dress, World, current, get, ids, post, shared};

const CHALLENGE: &str = "x-okta-verification-challenge";

#[tokio::test]
async fn okta_is_answered_what_it_sent() {
    let world = World::new();
    for challenge in ["my-challenge", "", "\"}<script>\u{1}é", &"c".repeat(1_024)] {
        let response = world.send(&get("/hooks/okta").with(CHALLENGE, challenge)).await;
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
        let body: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
        assert_eq!(body, serde_json::json!({ "verification": challenge }));
    }
    // Where its secret is in the URL, that is the URL that it asks.
    let secret = get("/hooks/okta/anything").with(CHALLENGE, "my-challenge");
    assert_eq!(world.send(&secret).await.status, 200);
}

#[tokio::test]
async fn nobody_else_is_answered_a_challenge() {
    let world = World::new();
    let plain = world.send(&get("/hooks/nobody")).await;
    assert_eq!(plain.status, 405);
    let requests = [
        get("/hooks/okta"),
        get("/hooks/okta").with(CHALLENGE, "c".repeat(1_025)),
        get("/hooks/nobody").with(CHALLENGE, "my-challenge"),
        get("/hooks/scripts").with(CHALLENGE, "my-challenge"),
        get("/hooks/defender").with(CHALLENGE, "my-challenge"),
        get("/hooks/guardduty").with(CHALLENGE, "my-challenge"),
        Request { query: format!("{CHALLENGE}=my-challenge"), ..get("/hooks/okta") },
    ];
    for request in requests {
        assert_eq!(world.send(&request).await, plain, "{:?}", request.path);
    }
    let head = Request { method: "HEAD".into(), ..get("/hooks/okta").with(CHALLENGE, "x") };
    assert_eq!(world.send(&head).await.status, 405);
    // A challenge is no proof.
    let post = post("/hooks/okta", "{}").with(CHALLENGE, "my-challenge");
    assert_eq!(world.send(&post).await.status, 401);
    assert!(world.memory.all().is_empty());
}

fn validation(source: &str, query: &str) -> Request {
    Request { query: query.into(), ..post(&format!("/hooks/{source}"), "") }
}

#[tokio::test]
async fn microsoft_graph_is_answered_in_plain_text() {
    let world = World::new();
    let rows = [
        ("validationToken=abc", "abc"),
        ("a=b&validationToken=Validation%3a+Testing+client%20app%2B&c", "Validation: Testing client app+"),
        ("validationToken=%3Cscript%3Ealert(1)%3C%2Fscript%3E", "<script>alert(1)</script>"),
        ("validationToken=a&validationToken=b", "a"),
        ("validationToken=a=b=", "a=b="),
    ];
    for source in ["defender", "sentinel"] {
        for (query, token) in rows {
            let response = world.send(&validation(source, query)).await;
            assert_eq!((response.status, response.body.as_str()), (200, token), "{query}");
            assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        }
        // The token comes first: the subscription has no secret yet.
        let bare = validation(source, "validationToken=abc").without("content-type");
        assert_eq!(world.send(&bare).await.status, 200);
        let long = validation(source, &format!("validationToken={}", "a".repeat(1_025)));
        assert_eq!(world.send(&long).await.status, 401);
        for query in ["validationtoken=abc", "validationToken=%ff", "xvalidationToken=abc", ""] {
            assert_eq!(world.send(&validation(source, query)).await.status, 401, "{query}");
        }
    }
    assert!(world.memory.all().is_empty());
}

#[tokio::test]
async fn nobody_else_is_answered_a_token() {
    let world = World::new();
    for source in ["scripts", "okta", "splunk", "elastic", "guardduty", "nobody", "pd"] {
        let response = world.send(&validation(source, "validationToken=W7q")).await;
        let expected = if source == "pd" { 403 } else { 401 };
        assert_eq!(response.status, expected, "{source}");
        assert!(!response.body.contains("W7q"));
    }
    let got = Request { method: "GET".into(), ..validation("defender", "validationToken=W7q") };
    assert_eq!(world.send(&got).await.status, 405);
}

#[tokio::test]
async fn each_scheme_lets_its_tool_in() {
    let world = World::new();
    let splunk = r#"{"sid":"s1","search_name":"beacon","result":{"dest_host":"ws-042","urgency":"high"}}"#;
    let okta = r#"{"eventId":"e","data":{"events":[{"uuid":"1"},{"uuid":"2"}]}}"#;
    let elastic = r#"{"kibana":{"alert":{"uuid":"u"}},"host":{"name":"ws-042"}}"#;
    let basic = super::layouts::base64(format!("kibana:{}", current("elastic")).as_bytes());
    let requests = [
        (post(&format!("/hooks/splunk/{}", current("splunk")), splunk), 1, 1),
        (post("/hooks/okta", okta).with("authorization", current("okta")), 2, 0),
        (post("/hooks/elastic", elastic).with("authorization", format!("Basic {basic}")), 1, 1),
    ];
    for (request, decisions, queued) in requests {
        world.lose_messages();
        let response = world.send(&request).await;
        assert_eq!((response.status, ids(&response).len()), (202, decisions), "{}", response.body);
        assert_eq!(world.queued().len(), queued);
    }
}

#[tokio::test]
async fn samples_of_the_tools_are_taken() {
    let world = World::new();
    for (path, target) in [
        ("splunk/alert_webhook_one_result.json", format!("/hooks/splunk/{}", current("splunk"))),
        ("okta/event_hook_user_session_start.json", "/hooks/okta".to_owned()),
        ("microsoft_sentinel/incident.json", "/hooks/sentinel".to_owned()),
    ] {
        let Some(body) = shared(path) else { return };
        let request = match target.as_str() {
            "/hooks/okta" => post(&target, body).with("authorization", current("okta")),
            "/hooks/sentinel" => {
                post(&target, body).with("authorization", format!("Bearer {}", current("sentinel")))
            }
            _ => post(&target, body),
        };
        let response = world.send(&request).await;
        assert_eq!(response.status, 202, "{path}: {}", response.body);
        assert_eq!(world.send(&request).await.status, 200, "{path}");
    }
    // None of them names a host where its tool puts one.
    assert!(world.queued().is_empty());
}
