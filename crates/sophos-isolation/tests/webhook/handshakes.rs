//! The challenges that some tools send before their first alert.

use sophos_isolation::webhook::Request;

use super::{RequestExt, TestEnv, current_value, decision_ids, get, post, recorded};

const CHALLENGE: &str = "x-okta-verification-challenge";

/// Sources of every kind: two with a challenge, one without, one of EventBridge, an
/// unknown one.
const SOURCE_NAMES: [&str; 6] = ["okta", "defender", "scripts", "guardduty", "absent", "okta/anything"];

#[tokio::test]
async fn okta_challenge_is_answered_for_any_source() {
    let env = TestEnv::new();
    for name in SOURCE_NAMES {
        for challenge in ["my verification challenge", "dj0xLjA=", &"c".repeat(1_024)] {
            let response = env.send(&get(&format!("/hooks/{name}")).with_header(CHALLENGE, challenge)).await;
            assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
            let body: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
            assert_eq!(body, serde_json::json!({ "verification": challenge }), "{name}");
        }
        // A challenge is no proof.
        let post = post(&format!("/hooks/{name}"), "{}").with_header(CHALLENGE, "my-challenge");
        assert_eq!(env.send(&post).await.status, 401);
    }
    assert!(env.store.objects().is_empty());
}

#[tokio::test]
async fn request_without_a_plain_challenge_is_rejected() {
    let env = TestEnv::new();
    let plain = env.send(&get("/hooks/absent")).await;
    assert_eq!(plain.status, 405);
    for name in SOURCE_NAMES {
        let path = format!("/hooks/{name}");
        for challenge in ["", "<script>", "a\"", "'", "a\u{1}", "é", "{", "`", "\\", &"c".repeat(1_025)] {
            assert_eq!(
                env.send(&get(&path).with_header(CHALLENGE, challenge)).await,
                plain,
                "{name} {challenge}"
            );
        }
        let query = Request { query: format!("{CHALLENGE}=my-challenge"), ..get(&path) };
        assert_eq!(env.send(&query).await, plain);
        let head = Request { method: "HEAD".into(), ..get(&path).with_header(CHALLENGE, "x") };
        assert_eq!(env.send(&head).await, plain);
        let got = Request { query: "validationToken=W7q".into(), ..get(&path) };
        assert_eq!(env.send(&got).await, plain);
    }
    assert!(env.store.objects().is_empty());
}

fn validation(source: &str, query: &str) -> Request {
    Request { query: query.into(), ..post(&format!("/hooks/{source}"), "") }
}

#[tokio::test]
async fn graph_token_is_answered_for_any_source() {
    let env = TestEnv::new();
    let rows = [
        ("validationToken=abc", "abc"),
        ("a=b&validationToken=Validation%3a+Testing+client%20app%2B&c", "Validation: Testing client app+"),
        ("validationToken=a&validationToken=b", "a"),
        ("validationToken=a=b=", "a=b="),
    ];
    for source in SOURCE_NAMES {
        for (query, token) in rows {
            let response = env.send(&validation(source, query)).await;
            assert_eq!((response.status, response.body.as_str()), (200, token), "{query}");
            assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        }
        // The token comes first: the subscription has no secret yet.
        let bare = validation(source, "validationToken=abc").without_header("content-type");
        assert_eq!(env.send(&bare).await.status, 200);
    }
    assert!(env.store.objects().is_empty() && env.secrets.take_loaded().is_empty());
}

#[tokio::test]
async fn graph_token_is_not_echoed_when_not_plain() {
    let env = TestEnv::new();
    let long = format!("validationToken={}", "a".repeat(1_025));
    for source in SOURCE_NAMES {
        for query in [
            "validationToken=%3Cscript%3EW7q",
            "validationToken=%22W7q",
            "validationToken=W7q%0aW7q",
            "validationToken=W7q%ff",
            "validationToken=",
            "validationtoken=W7q",
            "xvalidationToken=W7q",
            long.as_str(),
            "",
        ] {
            let response = env.send(&validation(source, query)).await;
            assert_eq!(response.status, 401, "{source} {query}");
            assert!(!response.body.contains("W7q"));
        }
    }
}

#[tokio::test]
async fn each_scheme_authenticates_its_tool() {
    let env = TestEnv::new();
    let splunk = r#"{"sid":"s1","search_name":"beacon","result":{"dest_host":"ws-042","urgency":"high"}}"#;
    let okta = r#"{"eventId":"e","data":{"events":[{"uuid":"1"},{"uuid":"2"}]}}"#;
    let elastic = r#"{"kibana":{"alert":{"uuid":"u"}},"host":{"name":"ws-042"}}"#;
    let basic = super::layouts::base64(format!("kibana:{}", current_value("elastic")).as_bytes());
    let requests = [
        (post(&format!("/hooks/splunk/{}", current_value("splunk")), splunk), 1, 1),
        (post("/hooks/okta", okta).with_header("authorization", current_value("okta")), 2, 0),
        (post("/hooks/elastic", elastic).with_header("authorization", format!("Basic {basic}")), 1, 1),
    ];
    for (request, decisions, queued) in requests {
        env.clear_queue();
        let response = env.send(&request).await;
        assert_eq!((response.status, decision_ids(&response).len()), (202, decisions), "{}", response.body);
        assert_eq!(env.queued().len(), queued);
    }
}

#[tokio::test]
#[ignore = "needs recorded material beside the checkout: `cargo xtask test` runs it where that is"]
async fn sample_messages_of_the_tools_are_accepted() {
    let env = TestEnv::new();
    for (path, target) in [
        ("splunk/alert_webhook_one_result.json", format!("/hooks/splunk/{}", current_value("splunk"))),
        ("okta/event_hook_user_session_start.json", "/hooks/okta".to_owned()),
        ("microsoft_sentinel/incident.json", "/hooks/sentinel".to_owned()),
    ] {
        let body = recorded(path);
        let request = match target.as_str() {
            "/hooks/okta" => post(&target, body).with_header("authorization", current_value("okta")),
            "/hooks/sentinel" => post(&target, body)
                .with_header("authorization", format!("Bearer {}", current_value("sentinel"))),
            _ => post(&target, body),
        };
        let response = env.send(&request).await;
        assert_eq!(response.status, 202, "{path}: {}", response.body);
        assert_eq!(env.send(&request).await.status, 200, "{path}");
    }
    // None of them names a host where its tool puts one.
    assert!(env.queued().is_empty());
}
