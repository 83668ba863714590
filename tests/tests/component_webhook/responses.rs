//! The same requests to the component and to the built Lambda function.

use std::fs;

use end_to_end::isolation::{Delivery, HostServer, IsolationEnv, hostname, unix_now, webhook_secret};
use local_lambda::FunctionUrl;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{component, pagerduty, policy, response_summary, test_env};

/// Builds a request to a base URL.
type BuildRequest = Box<dyn Fn(&Client, &str) -> RequestBuilder>;

/// Returns the requests with their descriptions.
fn requests() -> Vec<(&'static str, BuildRequest)> {
    let sent = |delivery: Delivery| -> BuildRequest {
        Box::new(move |client: &Client, url: &str| delivery.request(client, url))
    };
    let plain = |method: Method, path: &'static str| -> BuildRequest {
        Box::new(move |client: &Client, url: &str| {
            client.request(method.clone(), format!("{}{path}", url.trim_end_matches('/')))
        })
    };
    let okta = |path: &'static str| -> BuildRequest {
        let plain = plain(Method::GET, path);
        Box::new(move |client: &Client, url: &str| {
            plain(client, url).header("X-Okta-Verification-Challenge", "dj0xLjA")
        })
    };
    let generic = |body: &str| Delivery { body: body.to_owned(), ..Delivery::unsigned("/hooks/soar", "") };
    let signed =
        |body: Value| Delivery::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now());
    let mut untyped = signed(json!({ "event_id": "2" }));
    untyped.headers.retain(|(name, _)| *name != "content-type");
    let elsewhere = json!({ "event_id": "3", "target": { "hostname": hostname(1) } });
    let old = unix_now() - 3_600;
    vec![
        ("new", sent(Delivery::isolate("1", &hostname(1)))),
        ("known", sent(Delivery::isolate("1", &hostname(1)))),
        ("of pagerduty", sent(pagerduty(2))),
        ("unknown host", sent(Delivery::isolate("4", "unknown"))),
        (
            "twice a header",
            sent(Delivery::isolate("5", &hostname(3)).with_header("x-more", "1").with_header("X-More", "2")),
        ),
        ("unsigned", sent(generic("{}"))),
        ("forged", sent(Delivery::generic("soar", &elsewhere, "another key", unix_now()))),
        ("forged, of pagerduty", sent(Delivery::pagerduty("pd", &elsewhere, "another key"))),
        ("old", sent(Delivery::generic("soar", &elsewhere, webhook_secret("webhooks/generic"), old))),
        ("no source", sent(Delivery::unsigned("/hooks/unknown", "{}"))),
        ("from elsewhere", sent(Delivery::unsigned("/hooks/inside", "{}"))),
        ("no type", sent(untyped)),
        ("not readable", sent(signed(json!({ "target": 7 })))),
        ("no JSON", sent(signed(json!("text")))),
        ("too large", sent(generic(&"x".repeat((1 << 20) + 1)))),
        ("no body", plain(Method::POST, "/hooks/soar")),
        ("no such path", plain(Method::POST, "/hooks")),
        ("root", plain(Method::GET, "/")),
        ("GET", plain(Method::GET, "/hooks/soar?a=b")),
        ("PUT", plain(Method::PUT, "/hooks/soar/secret")),
        ("DELETE", plain(Method::DELETE, "/approvals/iso-0123456789abcdef01234567")),
        ("no link", plain(Method::GET, "/approvals/iso-0123456789abcdef01234567")),
        ("wrong link", plain(Method::POST, "/approvals/iso-0123456789abcdef01234567?until=9&signature=00")),
        ("Okta's challenge", okta("/hooks/okta")),
        ("a challenge to a source without challenges", okta("/hooks/soar")),
        ("Graph's challenge", plain(Method::POST, "/hooks/defender?validationToken=Validation%3a+a%26b")),
    ]
}

pub(crate) async fn responses_match_the_lambda_function(server: HostServer) {
    let here = test_env(&policy()).await;
    let Some(mut webhook) = component(&here, server).await else { panic!("the host is not available") };
    let there = test_env(&policy()).await;
    let function = FunctionUrl::start(there.webhook(), 1).await.expect("the webhook");
    let client = Client::new();
    for (what, request) in requests() {
        let of_component = response_summary(request(&client, webhook.url())).await;
        let of_function = response_summary(request(&client, &function.url())).await;
        assert_eq!(of_component, of_function, "{what}");
    }
    let endpoints = |env: &IsolationEnv| -> Vec<_> {
        env.simulator.isolation_changes().into_iter().map(|change| change.endpoint).collect()
    };
    assert_eq!(endpoints(&here), endpoints(&there));
    assert_eq!(endpoints(&here).len(), 3);

    for env in [&here, &there] {
        fs::write(env.folder().join("policy.toml"), "version = 2").expect("a policy");
    }
    let function = FunctionUrl::start(there.webhook(), 1).await.expect("the webhook");
    let delivery = Delivery::isolate("9", &hostname(4));
    let of_component = response_summary(delivery.request(&client, webhook.url())).await;
    assert_eq!(
        of_component,
        response_summary(delivery.request(&client, &function.url())).await,
        "without a policy"
    );
    assert_eq!(of_component["status"], 503);
    let problem =
        webhook.take_audit_records().await.expect("the audit log").pop().expect("a record")["problem"].take();
    assert!(problem.as_str().is_some_and(|problem| problem.contains("version")), "{problem}");
}
