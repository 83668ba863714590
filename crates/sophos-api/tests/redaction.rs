//! A service or gateway that repeats requests: no error, id or host holds a part of the
//! secret or of a token.

mod support;

use std::sync::{Arc, Mutex};

use futures_executor::block_on;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sophos_api::{
    AccessToken, ApiClient, Auth, BoxFuture, Client, CredentialSource, Error, ErrorKind, NoCredential,
    RateLimit, TransportErrorKind,
    models::Tenant,
    operations::endpoint::endpoints::{GetEndpoint, ListEndpoints},
};
use support::{
    SECRET, ScriptedResponse, ScriptedTransport, SentRequest, TENANT_ID, client, tenant, tenant_record,
    whoami,
};

/// Not a JSON Web Token, so that only a client that knows it can remove it.
const TOKEN: &str = "Zm9v+7f3a9c/opaque-token_0123456789.abcdefghijkl";

const MIN_PART_LEN: usize = 12;

/// All texts of an error and of its source.
fn displayed(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!("{source} {source:?}"));
    let ids =
        [error.code(), error.request_id(), error.correlation_id(), error.operation(), error.tenant_id()];
    format!("{error}\n{error:?}\n{ids:?}\n{source:?}")
}

/// The encodings in which responses repeat a secret.
fn encodings(secret: &str) -> Vec<String> {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    vec![secret.to_owned(), secret.to_lowercase(), encoded, secret.replace('/', "\\/"), base64(secret), hex]
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = text.bytes().map(|byte| format!("{byte:08b}")).collect();
    let digits = bits.as_bytes().chunks(6).map(|digit| {
        let digit = format!("{:0<6}", String::from_utf8_lossy(digit));
        DIGITS[usize::from_str_radix(&digit, 2).expect("bits")] as char
    });
    digits.collect()
}

#[track_caller]
fn assert_clean(text: &str) {
    for secret in [SECRET, TOKEN] {
        for form in encodings(secret) {
            for part in form.as_bytes().windows(MIN_PART_LEN) {
                let part = std::str::from_utf8(part).expect("ASCII");
                assert!(!text.contains(part), "{part} of {form} is in {text}");
            }
        }
    }
}

fn token() -> ScriptedResponse {
    ScriptedResponse::json(json!({"access_token": TOKEN, "expires_in": 3600}))
}

/// The request as one text.
fn request_text(sent: &SentRequest) -> String {
    let mut text = format!("{} {}\n", sent.method, sent.uri);
    for (name, value) in &sent.headers {
        text += &format!("{name}: {}\n", value.to_str().expect("text"));
    }
    text + "\n" + &sent.body
}

#[test]
fn error_omits_secrets_when_a_response_echoes_the_request() {
    for status in [400, 401, 403, 404, 409, 429, 500] {
        for which in ["/api/v2/oauth2/token", "/whoami/v1", "/endpoint/v1/endpoints"] {
            let script = ScriptedTransport::with_router(move |sent| {
                let text = request_text(sent);
                let body = json!({
                    "error": text, "message": text, "requestId": text, "correlationId": text,
                    "trackingId": text, "errorCode": text,
                });
                match sent.path() {
                    path if path.starts_with(which) => {
                        Some(ScriptedResponse::text(status, &body.to_string()))
                    }
                    "/api/v2/oauth2/token" => Some(token()),
                    _ => None,
                }
            });
            let client = client(&script);
            let error = match which {
                "/endpoint/v1/endpoints" => block_on(tenant(&client).send(&ListEndpoints::default())).err(),
                _ => block_on(client.identity()).err(),
            };
            let shown = displayed(&error.expect("an error"));
            assert_clean(&shown);
            assert!(shown.contains("[redacted]"), "{status} {which}: {shown}");
        }
    }
}

#[test]
fn error_omits_encoded_secrets_at_any_truncation() {
    for secret in [SECRET, TOKEN] {
        for form in encodings(secret) {
            // The message is truncated within the secret, or just after it.
            for before in [0, 150, 240, 270, 290, 299, 300] {
                let message = format!("{}{form} and more", "x ".repeat(before / 2));
                let body = json!({"error": form, "message": message, "requestId": message}).to_string();
                let script = ScriptedTransport::with_router(move |sent| match sent.path() {
                    "/api/v2/oauth2/token" => Some(token()),
                    path if path.starts_with("/endpoint") => Some(ScriptedResponse::text(400, &body)),
                    _ => None,
                });
                let error = block_on(tenant(&client(&script)).send(&GetEndpoint::full("e")));
                assert_clean(&displayed(&error.expect_err("rejected")));
            }
        }
    }
}

#[test]
fn error_omits_replaced_tokens() {
    let tokens = Mutex::new(vec!["the-second-token-0123456789", TOKEN]);
    let script = ScriptedTransport::with_router(move |sent| match sent.path() {
        "/api/v2/oauth2/token" => {
            let token = tokens.lock().expect("tokens").pop().expect("two at most");
            Some(ScriptedResponse::json(json!({"access_token": token, "expires_in": 3600})))
        }
        path if path.starts_with("/endpoint") => {
            let body = json!({"message": format!("{TOKEN} was replaced by {}", request_text(sent))});
            Some(ScriptedResponse::text(401, &body.to_string()))
        }
        _ => None,
    });
    let error = block_on(tenant(&client(&script)).send(&ListEndpoints::default())).expect_err("rejected");
    assert_eq!(script.count(SentRequest::is_token), 2);
    assert_clean(&displayed(&error));
    assert!(!displayed(&error).contains("second-token"), "{error}");
}

#[test]
fn error_omits_secrets_from_transport_messages() {
    for kind in [TransportErrorKind::Connect, TransportErrorKind::Interrupted, TransportErrorKind::Blocked] {
        let why = format!("GET https://api.example/a?access_token={TOKEN}: rejected {SECRET}");
        let script = ScriptedTransport::with_router(move |sent| match sent.path() {
            "/api/v2/oauth2/token" => Some(token()),
            _ => Some(ScriptedResponse::failure_with_message(kind, &why)),
        });
        let error = block_on(client(&script).identity()).expect_err("a failure");
        assert_clean(&displayed(&error));
        assert!(error.to_string().contains("https://api.example/a?[redacted]"), "{error}");
    }
}

/// An identity that repeats the token in one of its fields.
fn whoami_script(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Arc<ScriptedTransport> {
    ScriptedTransport::with_router(move |sent| match sent.path() {
        "/api/v2/oauth2/token" => Some(token()),
        "/whoami/v1" => {
            let mut answer = whoami("partner");
            change(&mut answer);
            Some(ScriptedResponse::json(answer))
        }
        _ => None,
    })
}

#[test]
fn whoami_is_rejected_when_it_contains_the_token() {
    for pointer in ["/id", "/idType", "/apiHosts/global", "/apiHosts/dataRegion"] {
        let script = whoami_script(move |answer| {
            let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
            answer.pointer_mut(parent).expect("an object")[member] = json!(format!("https://{TOKEN}"));
        });
        let error = block_on(client(&script).identity()).expect_err("rejected");
        assert_clean(&displayed(&error));
        assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::UntrustedHost), "{error}");
    }
}

#[test]
fn host_is_rejected_when_it_contains_the_secret() {
    let host = format!("https://{SECRET}.central.sophos.com");
    for member in ["global", "dataRegion"] {
        let named = host.clone();
        let script = whoami_script(move |answer| answer["apiHosts"][member] = json!(named));
        let error = block_on(client(&script).identity()).expect_err("rejected");
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert_clean(&displayed(&error));
    }
    let script = whoami_script(|_| ());
    let client = client(&script);
    block_on(client.identity()).expect("an identity");
    let record = tenant_record(json!({"id": TENANT_ID, "apiHost": host}));
    let error = client.for_tenant(&record).expect_err("rejected");
    assert_eq!(error.kind(), ErrorKind::UntrustedHost);
    assert_clean(&displayed(&error));
}

#[test]
fn tenant_list_reports_records_that_contain_the_token() {
    let script = ScriptedTransport::with_router(|sent| match sent.path() {
        "/api/v2/oauth2/token" => Some(token()),
        "/partner/v1/tenants" => Some(ScriptedResponse::json(json!({
            "items": [{"id": TOKEN}, {"id": TENANT_ID}, {"id": format!("t-{SECRET}")}],
            "pages": {"current": 1, "total": 1},
        }))),
        path if path.starts_with("/partner/v1/tenants/") => Some(ScriptedResponse::json(
            json!({"id": TOKEN, "apiHost": "https://api-eu01.central.sophos.com"}),
        )),
        _ => None,
    });
    let client = client(&script);
    let tenants = block_on(client.list_tenants()).expect("a list");
    assert_eq!((tenants.tenants.len(), tenants.errors.len()), (1, 2));
    tenants.errors.iter().for_each(|error| assert_clean(&displayed(error)));
    for (id, host) in [(TOKEN, "https://api-eu01.central.sophos.com"), (TENANT_ID, TOKEN)] {
        let record: Tenant = tenant_record(json!({"id": id, "apiHost": host}));
        assert_clean(&displayed(&client.for_tenant(&record).expect_err("rejected")));
    }
    assert_clean(&displayed(&block_on(client.fetch_tenant(&TENANT_ID.into())).expect_err("another")));
}

#[test]
fn token_response_error_omits_what_it_echoes() {
    for answer in [
        json!({"access_token": TOKEN, "errorCode": format!("no {TOKEN} for {SECRET}")}),
        json!({"access_token": format!("{TOKEN}\n"), "errorCode": "success"}),
        json!({"errorCode": SECRET}),
        json!({"access_token": [SECRET], "errorCode": SECRET, "trackingId": TOKEN}),
    ] {
        let script = ScriptedTransport::with_router(move |sent| {
            sent.is_token().then(|| ScriptedResponse::json(answer.clone()))
        });
        assert_clean(&displayed(&block_on(client(&script).identity()).expect_err("rejected")));
    }
}

/// A source that returns a token once, and repeats it in its next error.
#[derive(Debug)]
struct LeakySource(Mutex<Option<Auth>>);

impl CredentialSource for LeakySource {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        let why = NoCredential::new(format!("the vault has {TOKEN} only"));
        let first = self.0.lock().expect("a token").take().ok_or(why);
        Box::pin(std::future::ready(first))
    }

    fn replace_rejected<'a>(&'a self, _: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        Box::pin(std::future::ready(Err(NoCredential::new(format!("Bearer {TOKEN}: was {SECRET}")))))
    }
}

#[test]
fn error_omits_tokens_from_the_credential_source() {
    let script = ScriptedTransport::with_router(|_| Some(ScriptedResponse::status(401)));
    let source = LeakySource(Mutex::new(Some(AccessToken::new(TOKEN.to_owned()).into())));
    let client = Client::builder(Arc::clone(&script), source).rate_limit(RateLimit::unlimited()).build();
    for _ in 0..2 {
        let error = block_on(client.identity()).expect_err("rejected");
        assert!(!displayed(&error).contains("opaque-token"), "{error}");
    }
    // Anything like a token is removed before the client knows one.
    let reason = NoCredential::new("the host had eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9 only").to_string();
    assert_eq!(reason, "the host had [redacted] only");
}

#[test]
fn client_scrub_removes_used_secrets_and_tokens() {
    let script = ScriptedTransport::with_router(|sent| sent.is_token().then(token));
    let client = client(&script);
    assert_eq!(client.scrub("isolated by soar"), "isolated by soar");
    block_on(client.identity()).expect("an identity");
    let comment = format!("isolated with {TOKEN} of {SECRET}");
    assert_eq!(client.scrub(&comment), "isolated with [redacted]");
    assert_eq!(tenant(&client).scrub("isolated with Basic dXNlcjpwYXNz"), "isolated with Basic [redacted]");
}

#[test]
fn error_stays_short_for_a_huge_body() {
    let odd = format!(
        r#"{{"error": [{}0], "message": "{}", "requestId": 1e400}}"#,
        "0,".repeat(100_000),
        "x".repeat(100_000)
    );
    let error = support::parse_response::<GetEndpoint>(400, odd).expect_err("rejected");
    assert_eq!((error.code(), error.request_id()), (None, Some("1e400")));
    assert!(error.to_string().len() < 500, "{error}");
}
