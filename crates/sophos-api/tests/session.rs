//! One token and one identity for all callers of a credential.

mod support;

use std::sync::atomic::{AtomicU32, Ordering};

use futures_executor::block_on;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sophos_api::{
    ApiClient, ErrorKind, TransportErrorKind,
    operations::{
        common::alerts::GetAlert, endpoint::endpoints::ListEndpoints,
        organization::tenants::ListOrganizationTenants, partner::tenants::ListPartnerTenants,
        siem::events::ListSiemEvents,
    },
};
use support::{
    SECOND, ScriptedResponse, ScriptedTransport, SentRequest, TENANT_ID, client, last_page, tenant, whoami,
};

fn empty_pages(count: usize) -> Vec<ScriptedResponse> {
    (0..count).map(|_| last_page(&[])).collect()
}

/// A route that gives this response to each token request.
fn token_route(answer: ScriptedResponse) -> impl Fn(&SentRequest) -> Option<ScriptedResponse> {
    move |sent| sent.is_token().then(|| answer.clone())
}

fn invalid_secret() -> ScriptedResponse {
    ScriptedResponse::text(401, r#"{"errorCode": "oauth.invalid_client_secret", "message": "Unauthorized"}"#)
}

#[test]
fn concurrent_callers_share_one_token() {
    let script = ScriptedTransport::with_responses(empty_pages(100));
    let tenant = tenant(&client(&script));
    let operation = ListEndpoints::default();
    let responses = block_on(join_all((0..100).map(|_| tenant.send(&operation))));
    assert!(responses.iter().all(Result::is_ok));
    assert_eq!(script.count(SentRequest::is_token), 1);
    assert_eq!(script.api_requests().len(), 100);
    assert!(script.api_requests().iter().all(|sent| sent.header("authorization") == Some("Bearer token-1")));
    assert_eq!(tenant.client().stats().token_requests, 1);
}

#[test]
fn concurrent_callers_share_one_identity() {
    let script =
        ScriptedTransport::with_responses((0..100).map(|_| ScriptedResponse::json(json!({"items": []}))));
    let client = client(&script);
    let operation = ListPartnerTenants::default();
    let responses = block_on(join_all((0..100).map(|_| client.send(&operation))));
    assert!(responses.iter().all(Result::is_ok));
    assert_eq!((script.count(SentRequest::is_token), script.count(SentRequest::is_whoami)), (1, 1));
}

#[test]
fn concurrent_callers_share_one_credential_rejection() {
    let script = ScriptedTransport::with_router(token_route(invalid_secret()));
    let tenant = tenant(&client(&script));
    let operation = ListEndpoints::default();
    let responses = block_on(join_all((0..100).map(|_| tenant.send(&operation))));
    for error in responses.into_iter().map(|answer| answer.expect_err("rejected")) {
        assert_eq!((error.kind(), error.status()), (ErrorKind::CredentialRejected, Some(401)));
        assert_eq!(error.code(), Some("oauth.invalid_client_secret"));
        assert!(error.to_string().contains("POST /api/v2/oauth2/token for tenant 11f104c5"), "{error}");
    }
    assert_eq!(script.sent().len(), 1);
}

#[test]
fn concurrent_identity_calls_share_one_rejection() {
    let script = ScriptedTransport::with_router(token_route(invalid_secret()));
    let client = client(&script);
    let responses = block_on(join_all((0..100).map(|_| client.identity())));
    for error in responses.into_iter().map(|answer| answer.expect_err("rejected")) {
        assert_eq!(error.kind(), ErrorKind::CredentialRejected);
    }
    assert_eq!(script.sent().len(), 1, "a hundred rejected requests may lock the credential");
}

#[test]
fn rejection_is_not_cached() {
    let script = ScriptedTransport::with_router(token_route(invalid_secret()));
    let (client, operation) = (client(&script), ListEndpoints::default());
    let tenant = tenant(&client);
    for asked in 1..=3 {
        assert!(block_on(tenant.send(&operation)).is_err());
        assert_eq!(script.sent().len(), asked);
    }
    assert!(block_on(client.identity()).is_err());
    assert!(block_on(client.identity()).is_err());
    assert_eq!(script.sent().len(), 5);
}

#[test]
fn token_request_errors_map_to_error_kinds() {
    let ok = |body: Value| ScriptedResponse::json(body);
    for (answer, kind, requests) in [
        (ScriptedResponse::status(400), ErrorKind::CredentialRejected, 1),
        (invalid_secret(), ErrorKind::CredentialRejected, 1),
        (ScriptedResponse::status(403), ErrorKind::CredentialRejected, 1),
        (ScriptedResponse::status(404), ErrorKind::NotFound, 1),
        (ScriptedResponse::status(429), ErrorKind::Throttled, 6),
        (ScriptedResponse::status(502), ErrorKind::Unavailable, 6),
        (ScriptedResponse::failure(TransportErrorKind::Connect), ErrorKind::Unreachable, 6),
        (ScriptedResponse::failure(TransportErrorKind::Timeout), ErrorKind::Interrupted, 6),
        (ok(json!({"errorCode": "oauth.locked", "message": "OK"})), ErrorKind::CredentialRejected, 1),
        (ok(json!({"errorCode": "oauth.locked", "access_token": "t"})), ErrorKind::CredentialRejected, 1),
        (ok(json!({"errorCode": "success"})), ErrorKind::Malformed, 1),
        (ok(json!({"errorCode": "success", "access_token": ""})), ErrorKind::Malformed, 1),
        (ok(json!({"access_token": "two\nlines"})), ErrorKind::Malformed, 1),
    ] {
        let shown = format!("{answer:?}");
        let script = ScriptedTransport::with_router(token_route(answer));
        let error = block_on(tenant(&client(&script)).send(&ListEndpoints::default())).expect_err(&shown);
        assert_eq!(error.kind(), kind, "{shown}");
        assert_eq!(script.sent().len(), requests, "{shown}");
        assert!(error.to_string().starts_with("POST /api/v2/oauth2/token "), "{error}");
    }
}

#[test]
fn token_response_is_accepted_in_every_success_form() {
    for body in [
        json!({"access_token": "t", "errorCode": "success", "message": "OK", "expires_in": 3600}),
        json!({"access_token": "t"}),
        json!({"access_token": "t", "errorCode": null, "expires_in": null}),
        json!({"access_token": "t", "expires_in": u64::MAX}),
    ] {
        let script = ScriptedTransport::with_router(move |sent| {
            Some(if sent.is_token() { ScriptedResponse::json(body.clone()) } else { last_page(&[]) })
        });
        let tenant = tenant(&client(&script));
        for _ in 0..3 {
            block_on(tenant.send(&ListEndpoints::default())).expect("a response");
        }
        assert_eq!(script.count(SentRequest::is_token), 1);
        assert_eq!(script.api_requests()[2].header("authorization"), Some("Bearer t"));
    }
}

#[test]
fn token_is_renewed_five_minutes_before_it_expires() {
    let script = ScriptedTransport::with_responses(empty_pages(4));
    let tenant = tenant(&client(&script));
    let operation = ListEndpoints::default();
    let bearers = || {
        script
            .api_requests()
            .iter()
            .map(|sent| sent.header("authorization").unwrap_or("none").to_owned())
            .collect::<Vec<_>>()
    };
    block_on(tenant.send(&operation)).expect("a response");
    script.advance(SECOND * 3_299);
    block_on(tenant.send(&operation)).expect("a response");
    assert_eq!(bearers(), ["Bearer token-1", "Bearer token-1"]);
    script.advance(SECOND);
    block_on(join_all([tenant.send(&operation), tenant.send(&operation)]));
    assert_eq!(bearers()[2..], ["Bearer token-2", "Bearer token-2"]);
    assert_eq!(script.count(SentRequest::is_token), 2);
}

#[test]
fn token_lifetime_counts_from_the_request() {
    let script = ScriptedTransport::with_router(|sent| {
        Some(if sent.is_token() {
            ScriptedResponse::json(json!({"access_token": "t", "expires_in": 100})).with_delay(SECOND * 30)
        } else {
            last_page(&[])
        })
    });
    let tenant = tenant(&client(&script));
    for (turn, tokens) in [(0, 1), (44, 1), (1, 2)] {
        script.advance(SECOND * turn);
        block_on(tenant.send(&ListEndpoints::default())).expect("a response");
        assert_eq!(script.count(SentRequest::is_token), tokens, "after {turn} more seconds");
    }
}

#[test]
fn rejected_token_is_renewed_and_the_request_retried() {
    let script = ScriptedTransport::with_responses([ScriptedResponse::status(401), last_page(&["e"])]);
    let tenant = tenant(&client(&script));
    let page = block_on(tenant.send(&ListEndpoints::default())).expect("a response");
    assert_eq!(page.items.len(), 1);
    let calls = script.api_requests();
    assert_eq!(calls[0].header("authorization"), Some("Bearer token-1"));
    assert_eq!(calls[1].header("authorization"), Some("Bearer token-2"));
    assert_eq!((calls[0].uri.clone(), script.sleeps().len()), (calls[1].uri.clone(), 0));
}

#[test]
fn second_token_rejection_is_unauthorized() {
    let script =
        ScriptedTransport::with_responses([ScriptedResponse::status(401), ScriptedResponse::status(401)]);
    let error = block_on(tenant(&client(&script)).send(&ListEndpoints::default())).expect_err("rejected");
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unauthorized, Some(401)));
    assert_eq!((script.api_requests().len(), script.count(SentRequest::is_token)), (2, 2));
}

#[test]
fn concurrent_token_rejections_renew_it_once() {
    let asked = AtomicU32::new(0);
    let script = ScriptedTransport::with_router(move |sent| {
        let first_token = sent.header("authorization") == Some("Bearer token-1");
        let call = !sent.is_token() && !sent.is_whoami();
        let dead = first_token && call && asked.fetch_add(1, Ordering::Relaxed) > 0;
        call.then(|| if dead { ScriptedResponse::status(401) } else { last_page(&[]) })
    });
    let tenant = tenant(&client(&script));
    let operation = ListEndpoints::default();
    block_on(tenant.send(&operation)).expect("the token is still good");
    let responses = block_on(join_all((0..100).map(|_| tenant.send(&operation))));
    assert!(responses.iter().all(Result::is_ok));
    assert_eq!((script.count(SentRequest::is_token), script.api_requests().len()), (2, 201));
}

#[test]
fn late_rejection_of_an_old_token_keeps_the_new_one() {
    let late = ScriptedResponse::status(401).with_yields(10);
    let script = ScriptedTransport::with_responses([
        last_page(&[]),
        late,
        ScriptedResponse::status(401),
        last_page(&[]),
        last_page(&[]),
        last_page(&[]),
    ]);
    let tenant = tenant(&client(&script));
    let operation = ListEndpoints::default();
    block_on(tenant.send(&operation)).expect("the token is still good");
    let responses = block_on(join_all([tenant.send(&operation), tenant.send(&operation)]));
    assert!(responses.iter().all(Result::is_ok));
    block_on(tenant.send(&operation)).expect("a response");
    assert_eq!((script.count(SentRequest::is_token), script.remaining()), (2, 0));
    assert_eq!(script.api_requests()[5].header("authorization"), Some("Bearer token-2"));
}

#[test]
fn listing_is_complete_when_the_token_is_rejected_midway() {
    let page = |id: &str, next: &str| {
        ScriptedResponse::json(json!({"items": [{"id": id}], "pages": {"nextKey": next}}))
    };
    let script = ScriptedTransport::with_responses([
        page("a", "1"),
        page("b", "2"),
        ScriptedResponse::status(401),
        last_page(&["c"]),
    ]);
    let tenant = tenant(&client(&script));
    let mut pages = tenant.pages(ListEndpoints::default());
    let mut ids = Vec::new();
    while let Some(page) = block_on(pages.next()) {
        ids.extend(
            page.expect("a page").items.into_iter().map(|item| item.parse().expect("an endpoint").id.clone()),
        );
    }
    assert_eq!(ids, ["a", "b", "c"]);
    let keys: Vec<_> =
        script.api_requests().iter().map(|sent| sent.query("pageFromKey").map(str::to_owned)).collect();
    assert_eq!(keys, [None, Some("1".into()), Some("2".into()), Some("2".into())]);
    assert_eq!(script.count(SentRequest::is_token), 2);
}

#[test]
fn wrong_credential_type_is_rejected_before_sending() {
    for (kind, partner, organization) in [
        ("partner", true, false),
        ("organization", false, true),
        ("tenant", false, false),
        ("galaxy", false, false),
    ] {
        let script = ScriptedTransport::with_whoami(
            whoami(kind),
            (0..2).map(|_| ScriptedResponse::json(json!({"items": []}))),
        );
        let client = client(&script);
        for (answer, allowed) in [
            (block_on(client.send(&ListPartnerTenants::default())), partner),
            (block_on(client.send(&ListOrganizationTenants::default())), organization),
        ] {
            assert_eq!(answer.is_ok(), allowed, "{kind}");
            if let Err(error) = answer {
                assert_eq!(error.kind(), ErrorKind::WrongCredentialType, "{kind}");
                let article = if kind == "organization" { "an" } else { "a" };
                assert!(error.to_string().ends_with(&format!("credential is {article} {kind}'s")), "{error}");
            }
        }
        assert_eq!(script.api_requests().len(), usize::from(partner) + usize::from(organization), "{kind}");
    }
}

#[test]
fn operation_is_rejected_by_the_wrong_client_type() {
    let script = ScriptedTransport::with_responses([]);
    let client = client(&script);
    for error in [
        block_on(client.send(&ListSiemEvents::default())).expect_err("a tenant's"),
        block_on(client.send(&GetAlert::new(TENANT_ID))).expect_err("a tenant's"),
    ] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    let error = block_on(tenant(&client).send(&ListPartnerTenants::default())).expect_err("a partner's");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(script.sent().is_empty());
}

#[test]
fn token_lifetime_of_any_form_is_accepted() {
    // The second value is the number of token requests for two operations.
    for (expires_in, tokens) in [
        (json!(3_600), 1),
        (json!(3_599.5), 1),
        (json!("3600"), 1),
        (json!(null), 1),
        (json!(u64::MAX), 1),
        (json!(1e300), 1),
        (json!({"seconds": 3_600}), 1),
        (json!(0), 2),
        (json!(-3_600), 2),
    ] {
        let body = json!({"access_token": "opaque", "expires_in": expires_in, "errorCode": "success"});
        let token = ScriptedResponse::json(body);
        let script = ScriptedTransport::with_router(move |sent| {
            if sent.is_token() { Some(token.clone()) } else { Some(last_page(&[])) }
        });
        let tenant = tenant(&client(&script));
        for _ in 0..2 {
            block_on(tenant.send(&ListEndpoints::new())).expect("a response");
        }
        assert_eq!(script.count(SentRequest::is_token), tokens, "{expires_in}");
    }
}

#[test]
fn malformed_token_response_is_an_error_without_the_token() {
    const TOKEN: &str = "0paque-t0ken-of-the-test";
    for body in [
        format!(r#"{{"access_token":"{TOKEN}","expires_in":}}"#),
        format!(r#"{{"access_token":["{TOKEN}"],"expires_in":3600}}"#),
        format!(r#"{{"access_token":"{TOKEN}","expires_in":3600"#),
    ] {
        let script = ScriptedTransport::with_router(token_route(ScriptedResponse::text(200, &body)));
        let tenant = tenant(&client(&script));
        let error = block_on(tenant.send(&ListEndpoints::new())).expect_err("no token");
        assert_eq!(error.kind(), ErrorKind::Malformed, "{body}");
        assert!(!format!("{error} {error:?}").contains(TOKEN), "{error}");
    }
}
