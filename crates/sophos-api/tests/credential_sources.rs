//! Credentials that change while a client uses them.

mod support;

use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use futures_util::future::{join, join_all};
use serde_json::json;
use sophos_api::{
    ApiClient, Client, ErrorKind, NoCredential, Transport, operations::endpoint::endpoints::ListEndpoints,
};
use support::{
    SECOND, SECRET, ScriptedResponse, ScriptedTransport, SentRequest,
    source::{ScriptedSource, client, credentials_named, scripted_service, sent_tokens},
    tenant,
};

#[test]
fn replaced_credential_is_used_for_the_next_token() {
    let script = scripted_service(&[], "none");
    let source = ScriptedSource::new([credentials_named("old"), credentials_named("new")], []);
    let tenant = tenant(&client(&script, &source));
    let ask = || block_on(tenant.send(&ListEndpoints::default())).expect("a response");
    ask();
    ask();
    assert_eq!(source.calls(), ["current"], "one token for both");
    script.advance(SECOND * 3_600);
    ask();
    assert_eq!(sent_tokens(&script), ["Bearer token-of-old", "Bearer token-of-old", "Bearer token-of-new"]);
    assert_eq!(script.count(SentRequest::is_whoami), 0, "the identity is not requested");
}

#[test]
fn rejected_credential_is_replaced_by_the_next() {
    let script = scripted_service(&["old", "fresh"], "none");
    let source = ScriptedSource::new(
        [credentials_named("old")],
        [credentials_named("fresh"), credentials_named("previous")],
    );
    let tenant = tenant(&client(&script, &source));
    block_on(tenant.send(&ListEndpoints::default())).expect("a response");
    assert_eq!(source.calls(), ["current", "after old", "after fresh"]);
    assert_eq!(sent_tokens(&script), ["Bearer token-of-previous"]);
}

#[test]
fn only_a_rejection_requests_a_replacement() {
    for (answer, looks) in [
        (ScriptedResponse::status(400), true),
        (ScriptedResponse::status(401), true),
        (ScriptedResponse::status(403), true),
        (ScriptedResponse::json(json!({"errorCode": "oauth.locked"})), true),
        (ScriptedResponse::status(404), false),
        (ScriptedResponse::status(429), false),
        (ScriptedResponse::status(503), false),
        (ScriptedResponse::text(200, "garbage"), false),
    ] {
        let shown = format!("{answer:?}");
        let script = ScriptedTransport::with_router(move |sent| sent.is_token().then(|| answer.clone()));
        let source = ScriptedSource::new([credentials_named("old")], []);
        block_on(client(&script, &source).identity()).expect_err(&shown);
        assert_eq!(source.calls().len(), 1 + usize::from(looks), "{shown}");
    }
}

#[test]
fn source_without_replacement_gives_the_reason() {
    let script = scripted_service(&["old"], "none");
    let source = ScriptedSource::new([credentials_named("old")], []);
    let error =
        block_on(tenant(&client(&script, &source)).send(&ListEndpoints::default())).expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    assert!(error.to_string().contains("secret acme holds no other; store one"), "{error}");
    assert_eq!(source.calls(), ["current", "after old"]);

    let script = scripted_service(&["old"], "none");
    let endless = ScriptedSource::new(
        [credentials_named("old")],
        [
            credentials_named("old"),
            credentials_named("old"),
            credentials_named("old"),
            credentials_named("old"),
        ],
    );
    let error = block_on(client(&script, &endless).identity()).expect_err("rejected");
    assert_eq!(
        (error.kind(), endless.calls().len()),
        (ErrorKind::CredentialRejected, 4),
        "{:?}",
        endless.calls()
    );
    assert_eq!(script.count(SentRequest::is_token), 4);
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error:?}");
}

#[test]
fn unreadable_credential_is_reported_with_the_reason() {
    let script = scripted_service(&[], "none");
    let source = Arc::new(ScriptedSource {
        current: Mutex::new([Err(NoCredential::new("secret acme: access denied"))].into()),
        ..ScriptedSource::default()
    });
    let error = block_on(client(&script, &source).identity()).expect_err("unreadable");
    assert_eq!(error.kind(), ErrorKind::NoCredential);
    assert!(error.to_string().contains("secret acme: access denied"), "{error}");
    assert!(script.sent().is_empty());
}

#[test]
fn concurrent_callers_share_one_source_request() {
    let script = scripted_service(&["old"], "none");
    let source = ScriptedSource::new([credentials_named("old")], [credentials_named("new")]);
    let tenant = tenant(&client(&script, &source));
    let operation = ListEndpoints::default();
    let responses = block_on(join_all((0..100).map(|_| tenant.send(&operation))));
    assert!(responses.iter().all(Result::is_ok));
    assert_eq!(source.calls(), ["current", "after old"]);
    assert_eq!(script.count(SentRequest::is_token), 2);
}

#[test]
fn concurrent_callers_share_one_source_failure() {
    let unreadable = || Err(NoCredential::new("secret acme: access denied"));
    let script = scripted_service(&["old"], "none");
    for (current, kind, asked, requests) in [
        (unreadable(), ErrorKind::NoCredential, &["current"][..], 0),
        (Ok(credentials_named("old")), ErrorKind::CredentialRejected, &["current", "after old"], 1),
    ] {
        let source =
            Arc::new(ScriptedSource { current: Mutex::new([current].into()), ..ScriptedSource::default() });
        let client = client(&script, &source);
        let (tenant, operation) = (tenant(&client), ListEndpoints::default());
        let before = script.sent().len();
        let responses = block_on(join_all((0..20).map(|_| tenant.send(&operation))));
        for error in responses.into_iter().map(|answer| answer.expect_err("a failure")) {
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains("secret acme"), "{error}");
        }
        assert_eq!(
            (source.calls(), script.sent().len() - before),
            (asked.iter().map(|&a| a.to_owned()).collect(), requests)
        );
        // Later callers do not get the same failure.
        block_on(client.identity()).expect_err("still");
        assert_eq!(source.calls().len(), 2 * asked.len());
    }
}

#[test]
fn listing_is_complete_when_the_credential_changes() {
    // The first token becomes invalid, and its credential was deleted meanwhile.
    let script = ScriptedTransport::with_router(|sent| {
        let dead = sent.header("authorization") == Some("Bearer token-of-old");
        let page = |id: &str, next: serde_json::Value| {
            ScriptedResponse::json(json!({"items": [{"id": id}], "pages": {"nextKey": next}}))
        };
        Some(match sent.query("pageFromKey") {
            _ if sent.is_token() && sent.body.contains("client_id=gone&") => ScriptedResponse::status(401),
            _ if sent.is_token() => {
                let id = if sent.body.contains("client_id=old&") { "old" } else { "new" };
                ScriptedResponse::json(json!({"access_token": format!("token-of-{id}"), "expires_in": 3600}))
            }
            None => page("a", json!("1")),
            Some("1") => page("b", json!("2")),
            Some(_) if dead => ScriptedResponse::status(401),
            Some(_) => page("c", json!(null)),
        })
    });
    let source = ScriptedSource::new(
        [credentials_named("old"), credentials_named("gone")],
        [credentials_named("new")],
    );
    let tenant = tenant(&client(&script, &source));
    let mut pages = tenant.pages(ListEndpoints::default());
    let mut ids = Vec::new();
    while let Some(page) = block_on(pages.next()) {
        let items = page.expect("a page").items.into_iter();
        ids.extend(items.map(|item| item.parse().expect("an endpoint").id.clone()));
    }
    assert_eq!(ids, ["a", "b", "c"]);
    assert_eq!(source.calls(), ["current", "current", "after gone"]);
    assert_eq!(
        sent_tokens(&script)[2..],
        ["Bearer token-of-old", "Bearer token-of-new"],
        "the page is requested again"
    );
}

#[test]
fn error_keeps_the_full_reason_of_the_source() {
    let reason = format!("{}; make a new credential", "a-long-name/".repeat(40));
    let script = ScriptedTransport::with_router(|sent| {
        sent.is_token()
            .then(|| ScriptedResponse::text(401, &json!({"message": "no. ".repeat(100)}).to_string()))
    });
    for current in [Ok(credentials_named("old")), Err(NoCredential::new(reason.clone()))] {
        let source = Arc::new(ScriptedSource {
            current: Mutex::new([current].into()),
            next: Mutex::new([Err(NoCredential::new(reason.clone()))].into()),
            ..ScriptedSource::default()
        });
        let error = block_on(client(&script, &source).identity()).expect_err("rejected").to_string();
        assert!(error.contains(&reason), "{error}");
        assert!(error.len() < 1_500, "what the service says is cut: {error}");
    }
}

#[test]
fn hanging_source_ends_at_the_deadline_of_each_caller() {
    for question in ["current", "after old"] {
        let script = scripted_service(&["old"], "none");
        let source = ScriptedSource::new([credentials_named("old")], [credentials_named("new")]);
        source.hanging.lock().expect("a list").push(question);
        let client = client(&script, &source);
        let hurried = client.with_deadline(Transport::now(&script) + SECOND * 5);
        let (late, patient) = block_on(join(hurried.identity(), client.identity()));
        let late = late.expect_err(question);
        assert_eq!(late.kind(), ErrorKind::DeadlineExceeded, "{late}");
        assert!(late.to_string().contains("not read in time"), "{late}");
        patient.expect(question);
        block_on(client.identity()).expect(question);
    }
}

#[test]
fn client_debug_hides_the_secret() {
    let script = scripted_service(&[], "none");
    let client = Client::builder(script, credentials_named("mine")).build();
    let shown = format!("{client:?} {:?}", credentials_named("mine"));
    assert!(shown.contains("mine") && !shown.contains(SECRET), "{shown}");
}
