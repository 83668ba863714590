//! Requests that prove nothing: one answer, and no call that costs.

use std::collections::HashSet;

use sophos_isolation::{policy::Policy, webhook::Request};

use super::{
    Dress, NOW, POLICY, World, alert,
    approval::{UNTIL, follow, links, waiting},
    current, get, hex, post, signed, tag,
};

/// Sources of every kind: unknown, disabled with and without a scheme that can be
/// read, without a secret, of EventBridge, with addresses, and good ones.
fn world() -> World {
    let mut world = World::new();
    let policy = POLICY
        .replace("[sources.elastic]", "[sources.elastic]\nper_hour = 0")
        .replace("secret = \"sentinel\"", "secret = \"looks like a secret\"");
    world.policy = Policy::load(&policy).expect("the other sources");
    assert!(world.policy.disabled_source("elastic").is_some());
    assert!(world.policy.disabled_source("sentinel").is_some());
    world.vault.lose("splunk");
    world
}

const NAMES: [&str; 12] = [
    "nobody",
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
async fn unproven_request_is_answered_alike_for_every_source() {
    let world = world();
    let old = (NOW.as_secs() - 301).to_string();
    let forged = format!("v1={}", "0".repeat(64));
    let pagerduty = format!("v1={}", hex(&tag("other", b"{}")));
    let large = vec![b'x'; (1 << 20) + 1];
    let rows: Vec<(&str, Request)> = vec![
        ("nothing", post("/", alert("a"))),
        ("an empty body", post("/", "")),
        ("no JSON", post("/", "not JSON")),
        ("no content type", post("/", alert("a")).without("content-type")),
        ("another content type", post("/", alert("a")).with("content-type", "text/html")),
        ("too much", post("/", large)),
        (
            "a forged signature",
            post("/", alert("a"))
                .with("x-sophos-signature", forged.clone())
                .with("x-sophos-timestamp", NOW.as_secs().to_string()),
        ),
        (
            "an old time",
            post("/", alert("a")).with("x-sophos-signature", forged).with("x-sophos-timestamp", old),
        ),
        ("a signature of PagerDuty", post("/", "{}").with("x-pagerduty-signature", pagerduty)),
        ("a bearer token", post("/", alert("a")).with("authorization", "Bearer x")),
        ("basic authentication", post("/", alert("a")).with("authorization", "Basic a2liYW5hOng=")),
        ("a dry run", post("/", alert("a")).with("x-sophos-dry-run", "1")),
        ("an id", post("/", alert("a")).with("idempotency-key", "k")),
        ("a token of Graph", Request { query: "validationToken=a".into(), ..post("/", "") }),
        ("a token that is not plain", Request { query: "validationToken=%3C".into(), ..post("/", "") }),
        ("a challenge of Okta", get("/").with("x-okta-verification-challenge", "a")),
        ("an empty challenge", get("/").with("x-okta-verification-challenge", "")),
        ("GET", get("/")),
        ("HEAD", Request { method: "HEAD".into(), ..get("/") }),
        ("OPTIONS", Request { method: "OPTIONS".into(), ..get("/").with("origin", "https://a.example") }),
        ("PUT", Request { method: "PUT".into(), ..post("/", alert("a")) }),
        ("DELETE", Request { method: "DELETE".into(), ..get("/") }),
        ("an address", Request { from: "198.51.100.1".parse().ok(), ..post("/", alert("a")) }),
        (
            "an address of the source office",
            Request { from: "203.0.113.1".parse().ok(), ..post("/", alert("a")) },
        ),
    ];
    for (what, request) in rows {
        for end in ["", "/", "/wrong", "/a/b"] {
            let mut expected = None;
            for name in NAMES {
                let request = Request { path: format!("/hooks/{name}{end}"), ..request.clone() };
                let response = world.send(&request).await;
                assert!([200, 401, 404, 405, 413].contains(&response.status), "{what} {name}: {response:?}");
                let expected = expected.get_or_insert_with(|| response.clone());
                assert_eq!(response, *expected, "{what} {name}{end}");
            }
        }
    }
    assert_eq!((world.memory.calls(), world.queued().len()), (0, 0));
}

/// The sender is told nothing, and the operator which secret it is.
#[tokio::test]
async fn missing_secret_is_told_to_the_operator_alone() {
    let world = world();
    let path = format!("/hooks/splunk/{}", current("splunk"));
    let (response, notice) =
        world.handle(&post(&path, r#"{"sid":"s1","result":{"dest_host":"ws-042"}}"#)).await;
    assert_eq!(response, world.send(&post("/hooks/nobody", "{}")).await);
    assert_eq!((notice.source.as_deref(), notice.error_kind), (Some("splunk"), Some("SecretUnreadable")));
    assert_eq!(notice.secret.as_deref(), Some("splunk"));
    assert!(notice.is_failure(&response));
    // A request that proves nothing is none of the webhook's failures.
    for request in [post("/hooks/nobody", "{}"), post("/hooks/scripts", "{}"), post("/hooks/elastic", "{}")] {
        let (response, notice) = world.handle(&request).await;
        assert!(!notice.is_failure(&response), "{notice:?}");
    }
}

/// A host keeps what it read of a name, so that only names of the policy may be
/// asked for.
#[tokio::test]
async fn unknown_names_ask_for_no_secret() {
    let world = world();
    for number in 0..200 {
        let (response, notice) = world.handle(&post(&format!("/hooks/source-{number}"), alert("a"))).await;
        assert_eq!(
            (response.status, notice.source.as_deref(), notice.is_failure(&response)),
            (401, None, false)
        );
    }
    assert!(world.vault.asked().is_empty());
    for name in NAMES {
        world.send(&post(&format!("/hooks/{name}"), alert("a"))).await;
    }
    let asked: HashSet<_> = world.vault.asked().into_iter().collect();
    // `office` may call from its addresses alone.
    assert_eq!(asked, ["scripts", "pd", "okta", "elastic", "defender", "splunk"].map(str::to_owned).into());
}

#[tokio::test]
async fn junk_link_reads_neither_the_key_nor_the_ledger() {
    let world = World::new();
    let id = waiting(&world, "a").await;
    let good = follow(&links(), &id, UNTIL);
    let calls = world.memory.calls();
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
        assert_eq!(world.send(&Request { query, ..good.clone() }).await.status, 403);
    }
    for number in 0..50 {
        let path = format!("/approvals/iso-{number}");
        assert_eq!(world.send(&Request { path, ..good.clone() }).await.status, 403);
    }
    assert!(world.vault.asked().is_empty());
    // One that only the key tells from a good one.
    for number in 0..50 {
        let query = format!("until={UNTIL}&signature={number:064x}");
        let request = Request { query, path: format!("/approvals/iso-{number:024x}"), ..good.clone() };
        let (response, notice) = world.handle(&request).await;
        assert_eq!((response.status, notice.is_failure(&response)), (403, false));
    }
    assert_eq!(world.vault.asked().len(), 50, "what the host has kept");
    assert_eq!(world.memory.calls(), calls);
    assert_eq!(world.send(&good).await.status, 200);
    assert!(world.memory.calls() > calls);
    assert_eq!(world.send(&signed(alert("b"))).await.status, 202);
}
