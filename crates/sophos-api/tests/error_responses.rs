//! The error responses of the service in every recorded form, and their errors.

mod support;

use std::error::Error as _;

use futures_executor::block_on;
use serde_json::json;
use sophos_api::{
    ApiClient, Error, ErrorKind, NoCredential, RateLimit, RetryPolicy, TransportError, TransportErrorKind,
    operations::endpoint::endpoints::GetEndpoint,
};
use support::{ScriptedResponse, ScriptedTransport, TENANT_ID, client, client_with, parse_response, tenant};

const ID: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const OTHER: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

fn parse_error(status: u16, body: impl Into<Vec<u8>>) -> Error {
    let error = parse_response::<GetEndpoint>(status, body).expect_err("an error");
    assert_eq!(error.status(), Some(status));
    error
}

#[test]
fn error_kind_follows_the_status_for_any_body() {
    for (status, kind, retryable) in [
        (301, ErrorKind::Malformed, false),
        (400, ErrorKind::Invalid, false),
        (401, ErrorKind::Unauthorized, false),
        (403, ErrorKind::Forbidden, false),
        (404, ErrorKind::NotFound, false),
        (405, ErrorKind::Invalid, false),
        (409, ErrorKind::Conflict, false),
        (422, ErrorKind::Invalid, false),
        (429, ErrorKind::Throttled, true),
        (451, ErrorKind::Invalid, false),
        (500, ErrorKind::Unavailable, true),
        (502, ErrorKind::Unavailable, true),
        (503, ErrorKind::Unavailable, true),
        (504, ErrorKind::Unavailable, true),
    ] {
        for body in
            ["", "<html><body>Bad Gateway</body></html>", "null", "[]", "{", r#"{"error": {"code": 7}}"#]
        {
            let error = parse_error(status, body);
            assert_eq!(error.kind(), kind, "{status} {body}");
            assert_eq!(error.is_retryable(), retryable, "{status} {body}");
            assert_eq!(
                (error.code(), error.request_id(), error.correlation_id()),
                (None, None, None),
                "{body}"
            );
            assert!(error.to_string().contains(&format!("({status})")), "{error}");
            assert!(!error.to_string().contains("html"), "{error}");
        }
    }
}

#[test]
fn error_parses_every_recorded_body_format() {
    let table = [
        (
            401,
            json!({"error": "Unauthorized", "correlationId": OTHER, "requestId": ID}),
            "Unauthorized",
            true,
        ),
        (401, json!({"error": "Unauthorized"}), "Unauthorized", false),
        (
            403,
            json!({"error": "forbidden", "correlationId": OTHER, "requestId": ID,
                "createdAt": "2021-02-12T15:04:53.780Z", "message": "Forbidden"}),
            "forbidden",
            true,
        ),
        (
            403,
            json!({"error": "forbidden", "correlationId": OTHER, "requestId": ID, "message": "Access is denied"}),
            "forbidden",
            true,
        ),
        (
            400,
            json!({"error": "badRequest", "correlationId": OTHER, "requestId": ID,
                "createdAt": "2024-06-07T10:29:58.170278201Z", "message": "Invalid request"}),
            "badRequest",
            true,
        ),
        (
            400,
            json!({"error": "ValidationException", "correlationId": OTHER, "requestId": ID, "code": 400,
                "message": "pageSize: must be at most 500"}),
            "ValidationException",
            true,
        ),
        (
            409,
            json!({"error": "system.processing-failed", "docUrl": "https://x.example"}),
            "system.processing-failed",
            false,
        ),
    ];
    for (status, body, code, with_ids) in table {
        for text in
            [body.to_string(), serde_json::to_string_pretty(&body).expect("JSON").replace("  ", "    ")]
        {
            let error = parse_error(status, text);
            assert_eq!(error.code(), Some(code), "{body}");
            let ids = if with_ids { (Some(ID), Some(OTHER)) } else { (None, None) };
            assert_eq!((error.request_id(), error.correlation_id()), ids, "{body}");
            let shown = error.to_string();
            assert!(shown.contains(&format!("({status} {code})")), "{shown}");
            for member in ["message", "requestId", "correlationId"] {
                let value = body[member].as_str().unwrap_or_default();
                assert!(shown.contains(value), "{member} is in {shown}");
            }
        }
    }
}

#[test]
fn error_parses_the_identity_service_body() {
    let body =
        json!({"errorCode": "oauth.invalid_client_secret", "message": "Unauthorized", "trackingId": ID});
    let error = parse_error(401, body.to_string());
    assert_eq!(error.code(), Some("oauth.invalid_client_secret"));
    assert_eq!((error.request_id(), error.correlation_id()), (Some(ID), None));
}

#[test]
fn error_ignores_members_of_unexpected_types() {
    let error = parse_error(400, json!({"error": 400, "message": null, "requestId": ID}).to_string());
    assert_eq!((error.code(), error.request_id()), (Some("400"), Some(ID)));
    let error = parse_error(
        400,
        json!({"error": "", "errorCode": "x", "message": {}, "correlationId": 7}).to_string(),
    );
    assert_eq!((error.code(), error.correlation_id()), (Some("x"), Some("7")));
}

#[test]
fn error_display_is_one_line_of_bounded_length() {
    let error =
        parse_error(400, json!({"error": "bad\nRequest", "message": "line\r\n\t".repeat(500)}).to_string());
    let shown = error.to_string();
    assert!(!shown.contains(char::is_control), "{shown}");
    assert!(shown.chars().count() < 500, "{}", shown.len());
    assert_eq!(error.code(), Some("bad Request"));
}

#[test]
fn error_predicates_follow_the_kind() {
    let is = |error: &Error| {
        [
            ("retryable", error.is_retryable()),
            ("throttled", error.is_throttled()),
            ("unauthorized", error.is_unauthorized()),
            ("forbidden", error.is_forbidden()),
            ("not found", error.is_not_found()),
            ("conflict", error.is_conflict()),
            ("invalid", error.is_invalid()),
            ("timeout", error.is_timeout()),
            ("too large", error.is_too_large()),
        ]
        .into_iter()
        .filter_map(|(name, is)| is.then_some(name))
        .collect::<Vec<_>>()
        .join(", ")
    };
    for (status, expected) in [
        (400, "invalid"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not found"),
        (409, "conflict"),
        (429, "retryable, throttled"),
        (503, "retryable"),
        (302, ""),
    ] {
        assert_eq!(is(&parse_error(status, "")), expected, "{status}");
    }
    assert_eq!(is(&Error::invalid("a value")), "invalid");
    assert_eq!(is(&Error::wrong_credential_type("a partner's")), "forbidden");
    for (kind, expected) in [
        (TransportErrorKind::Connect, "retryable"),
        (TransportErrorKind::Timeout, "retryable, timeout"),
        (TransportErrorKind::Interrupted, "retryable"),
        (TransportErrorKind::TooLarge, "too large"),
        (TransportErrorKind::InvalidRequest, "invalid"),
        (TransportErrorKind::Blocked, ""),
    ] {
        assert_eq!(is(&transport_failure(kind)), expected, "{kind:?}");
    }
}

/// The error of a request that fails at its only attempt.
fn transport_failure(kind: TransportErrorKind) -> Error {
    let script = ScriptedTransport::with_responses([ScriptedResponse::failure(kind)]);
    let client = client_with(&script, RateLimit::unlimited(), RetryPolicy::new().max_attempts(1));
    block_on(tenant(&client).send(&GetEndpoint::full(ID))).expect_err("a failure")
}

#[test]
fn error_names_its_operation_tenant_and_source() {
    let error = transport_failure(TransportErrorKind::Connect);
    assert_eq!(error.operation(), Some("GET /endpoint/v1/endpoints/:endpointId"));
    assert_eq!(error.tenant_id(), Some(TENANT_ID));
    let source = error.source().and_then(|source| source.downcast_ref::<TransportError>());
    let source = source.expect("the transport's error");
    assert_eq!(source.kind(), TransportErrorKind::Connect);
    assert_eq!(source.to_string(), "no connection: the script says so");

    let error = parse_error(404, "");
    assert_eq!((error.operation(), error.tenant_id()), (None, None));
    assert!(error.source().is_none());
}

#[test]
fn error_has_the_source_of_a_missing_credential() {
    let script = ScriptedTransport::with_router(|sent| {
        let rejected = json!({"errorCode": "oauth.invalid_client_secret"}).to_string();
        sent.is_token().then(|| ScriptedResponse::text(401, &rejected))
    });
    let error = block_on(tenant(&client(&script)).send(&GetEndpoint::full(ID))).expect_err("no credential");
    assert!(error.is_unauthorized(), "{error}");
    let source = error.source().and_then(|source| source.downcast_ref::<NoCredential>());
    assert!(source.is_some_and(|reason| error.to_string().contains(&reason.to_string())), "{error}");
}
