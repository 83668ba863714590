//! Unauthenticated requests: one response, and no costly call.

use std::collections::HashSet;

use sophos_isolation::{policy::Policy, webhook::Request};

use super::{
    NOW, POLICY, RequestExt, TestEnv, alert_body,
    approval::{UNTIL, approval_links, follow_link, waiting_decision},
    current_value, get, hex, hmac_sha256, post, signed_request,
};

/// Sources of every kind: unknown, disabled with and without a scheme that can be
/// read, without a secret, of EventBridge, with addresses, and good ones.
fn test_env() -> TestEnv {
    let mut env = TestEnv::new();
    let policy = POLICY
        .replace("[sources.elastic]", "[sources.elastic]\nper_hour = 0")
        .replace("secret = \"sentinel\"", "secret = \"looks like a secret\"");
    env.policy = Policy::parse_lenient(&policy).expect("the other sources");
    assert!(env.policy.disabled_source("elastic").is_some());
    assert!(env.policy.disabled_source("sentinel").is_some());
    env.secrets.remove_secret("splunk");
    env
}

const NAMES: [&str; 12] = [
    "absent",
    "scripts",
    "pd",
    "office",
    "splunk",
    "okta",
    "elastic",
    "defender",
    "sentinel",
    "guardduty",
    "hub",
    "%00",
];

#[tokio::test]
async fn unauthenticated_request_gets_the_same_answer_everywhere() {
    let env = test_env();
    let old = (NOW.as_secs() - 301).to_string();
    let forged = format!("v1={}", "0".repeat(64));
    let pagerduty = format!("v1={}", hex(&hmac_sha256("other", b"{}")));
    let large = vec![b'x'; (1 << 20) + 1];
    let rows: Vec<(&str, Request)> = vec![
        ("nothing", post("/", alert_body("a"))),
        ("an empty body", post("/", "")),
        ("no JSON", post("/", "not JSON")),
        ("no content type", post("/", alert_body("a")).without_header("content-type")),
        ("another content type", post("/", alert_body("a")).with_header("content-type", "text/html")),
        ("too much", post("/", large)),
        (
            "a forged signature",
            post("/", alert_body("a"))
                .with_header("x-sophos-signature", forged.clone())
                .with_header("x-sophos-timestamp", NOW.as_secs().to_string()),
        ),
        (
            "an old time",
            post("/", alert_body("a"))
                .with_header("x-sophos-signature", forged)
                .with_header("x-sophos-timestamp", old),
        ),
        ("a signature of PagerDuty", post("/", "{}").with_header("x-pagerduty-signature", pagerduty)),
        ("a bearer token", post("/", alert_body("a")).with_header("authorization", "Bearer x")),
        (
            "basic authentication",
            post("/", alert_body("a")).with_header("authorization", "Basic a2liYW5hOng="),
        ),
        ("a dry run", post("/", alert_body("a")).with_header("x-sophos-dry-run", "1")),
        ("an id", post("/", alert_body("a")).with_header("idempotency-key", "k")),
        ("a token of Graph", Request { query: "validationToken=a".into(), ..post("/", "") }),
        ("a token that is not plain", Request { query: "validationToken=%3C".into(), ..post("/", "") }),
        ("a challenge of Okta", get("/").with_header("x-okta-verification-challenge", "a")),
        ("an empty challenge", get("/").with_header("x-okta-verification-challenge", "")),
        ("GET", get("/")),
        ("HEAD", Request { method: "HEAD".into(), ..get("/") }),
        (
            "OPTIONS",
            Request { method: "OPTIONS".into(), ..get("/").with_header("origin", "https://a.example") },
        ),
        ("PUT", Request { method: "PUT".into(), ..post("/", alert_body("a")) }),
        ("DELETE", Request { method: "DELETE".into(), ..get("/") }),
        ("an address", Request { source_ip: "198.51.100.1".parse().ok(), ..post("/", alert_body("a")) }),
        (
            "an address of the source office",
            Request { source_ip: "203.0.113.1".parse().ok(), ..post("/", alert_body("a")) },
        ),
    ];
    for (what, request) in rows {
        for end in ["", "/", "/wrong", "/a/b"] {
            let mut expected = None;
            for name in NAMES {
                let request = Request { path: format!("/hooks/{name}{end}"), ..request.clone() };
                let response = env.send(&request).await;
                assert!([200, 401, 404, 405, 413].contains(&response.status), "{what} {name}: {response:?}");
                let expected = expected.get_or_insert_with(|| response.clone());
                assert_eq!(response, *expected, "{what} {name}{end}");
            }
        }
    }
    assert_eq!((env.store.calls(), env.queued().len()), (0, 0));
}

/// The response reveals nothing; the log names the secret.
#[tokio::test]
async fn missing_secret_is_reported_in_the_log_only() {
    let env = test_env();
    let path = format!("/hooks/splunk/{}", current_value("splunk"));
    let (response, notice) =
        env.handle(&post(&path, r#"{"sid":"s1","result":{"dest_host":"ws-042"}}"#)).await;
    assert_eq!(response, env.send(&post("/hooks/absent", "{}")).await);
    assert_eq!((notice.source.as_deref(), notice.error_kind), (Some("splunk"), Some("SecretUnreadable")));
    assert_eq!(notice.secret_name.as_deref(), Some("splunk"));
    assert!(notice.is_server_error(&response));
    // An unauthenticated request is not a server error.
    for request in [post("/hooks/absent", "{}"), post("/hooks/scripts", "{}"), post("/hooks/elastic", "{}")] {
        let (response, notice) = env.handle(&request).await;
        assert!(!notice.is_server_error(&response), "{notice:?}");
    }
}

/// A host caches secrets by name, so only names of the policy may be
/// requested.
#[tokio::test]
async fn unknown_source_loads_no_secret() {
    let env = test_env();
    for number in 0..200 {
        let (response, notice) = env.handle(&post(&format!("/hooks/source-{number}"), alert_body("a"))).await;
        assert_eq!(
            (response.status, notice.source.as_deref(), notice.is_server_error(&response)),
            (401, None, false)
        );
    }
    assert!(env.secrets.take_loaded().is_empty());
    for name in NAMES {
        env.send(&post(&format!("/hooks/{name}"), alert_body("a"))).await;
    }
    let loaded: HashSet<_> = env.secrets.take_loaded().into_iter().collect();
    // `office` may call from its addresses alone.
    assert_eq!(loaded, ["scripts", "pd", "okta", "elastic", "defender", "splunk"].map(str::to_owned).into());
}

#[tokio::test]
async fn malformed_link_loads_neither_key_nor_decision() {
    let env = TestEnv::new();
    let id = waiting_decision(&env, "a").await;
    let good = follow_link(&approval_links(), &id, UNTIL);
    let calls = env.store.calls();
    let zeros = "0".repeat(64);
    for query in [
        String::new(),
        format!("until={UNTIL}&signature="),
        format!("until={UNTIL}&signature=x"),
        format!("until={UNTIL}&signature={}", "g".repeat(64)),
        format!("until={}&signature={zeros}", NOW.as_secs()),
        format!("until=0&signature={zeros}"),
        format!("until=x&signature={zeros}"),
    ] {
        assert_eq!(env.send(&Request { query, ..good.clone() }).await.status, 403);
    }
    for number in 0..50 {
        let path = format!("/approvals/iso-{number}");
        assert_eq!(env.send(&Request { path, ..good.clone() }).await.status, 403);
    }
    assert!(env.secrets.take_loaded().is_empty());
    // Only the key distinguishes it from a valid one.
    for number in 0..50 {
        let query = format!("until={UNTIL}&signature={number:064x}");
        let request = Request { query, path: format!("/approvals/iso-{number:024x}"), ..good.clone() };
        let (response, notice) = env.handle(&request).await;
        assert_eq!((response.status, notice.is_server_error(&response)), (403, false));
    }
    assert_eq!(env.secrets.take_loaded().len(), 50, "what the host has kept");
    assert_eq!(env.store.calls(), calls);
    assert_eq!(env.send(&good).await.status, 200);
    assert!(env.store.calls() > calls);
    assert_eq!(env.send(&signed_request(alert_body("b"))).await.status, 202);
}
