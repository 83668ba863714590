//! No debug or display output holds the secret or a token.

mod support;

use std::{fmt::Debug, sync::Arc};

use futures_executor::block_on;
use serde_json::json;
use sophos_api::{
    ApiClient, Client, Error, Operation, RequestTarget,
    operations::{endpoint::endpoints::ListEndpoints, token::RequestToken},
};
use support::{
    SECRET, ScriptedResponse, ScriptedTransport, client, credentials, last_page, parse_response, tenant,
};

const TOKEN: &str = "eyJ-a-token-that-is-found-again";

#[derive(Default)]
struct Printed(String);

impl Printed {
    fn debug(&mut self, value: &impl Debug) {
        self.0 += &format!("{value:?}\n{value:#?}\n");
    }

    fn error(&mut self, error: &Error) {
        self.debug(error);
        self.0 += &format!("{error}\n");
    }
}

#[test]
fn debug_output_omits_secret_and_token() {
    let mut printed = Printed::default();
    let script = ScriptedTransport::with_router(|sent| {
        Some(match sent.path() {
            "/api/v2/oauth2/token" => {
                ScriptedResponse::json(json!({"access_token": TOKEN, "expires_in": 3600}))
            }
            "/whoami/v1" => ScriptedResponse::json(support::whoami("partner")),
            path if path.ends_with("endpoints") => last_page(&[]),
            _ => ScriptedResponse::text(404, r#"{"error": "notFound"}"#),
        })
    });
    printed.debug(&Client::builder(Arc::clone(&script), credentials()));
    printed.debug(&credentials());
    printed.debug(&RequestToken::new(&credentials()));
    printed.0 += &serde_json::to_string(&RequestToken::new(&credentials())).expect("JSON");

    let client = client(&script);
    let tenant = tenant(&client);
    block_on(tenant.send(&ListEndpoints::default())).expect("a response");
    printed.debug(&block_on(client.identity()).expect("an identity"));
    printed.error(&block_on(client.list_tenants()).expect_err("not found"));
    printed.debug(&client);
    printed.debug(&tenant);
    printed.debug(&client.stats());
    printed.debug(&script);
    printed.debug(&tenant.pages(ListEndpoints::default()));
    printed.debug(&tenant.items(ListEndpoints::default()));
    for sent in script.sent() {
        printed.debug(&sent.headers);
    }

    let used = script.api_requests();
    assert_eq!(
        used[0].header("authorization"),
        Some(format!("Bearer {TOKEN}").as_str()),
        "it was there to be printed"
    );
    assert!(script.sent()[0].body.contains("5ecre7"), "and so was the secret");
    assert!(printed.0.contains("client-id") && printed.0.contains("Sensitive"), "{}", printed.0);
    for hidden in [SECRET, "5ecre7", TOKEN, "eyJ"] {
        assert!(!printed.0.contains(hidden), "{hidden} is in {}", printed.0);
    }
}

#[test]
fn token_request_errors_omit_secret_and_token() {
    use sophos_api::TransportErrorKind::{Connect, Interrupted, InvalidRequest, Timeout, TooLarge};
    let mut printed = Printed::default();
    let mut responses = vec![
        ScriptedResponse::text(401, r#"{"errorCode": "oauth.invalid_client_secret"}"#),
        ScriptedResponse::status(500),
        ScriptedResponse::text(200, &format!(r#"{{"access_token": "{TOKEN}""#)),
        ScriptedResponse::text(200, &format!(r#"{{"access_token": ["{TOKEN}"]}}"#)),
        ScriptedResponse::text(200, &format!(r#"["{TOKEN}"]"#)),
        ScriptedResponse::text(200, &format!("\"{TOKEN}\"")),
        ScriptedResponse::json(json!({"access_token": format!("{TOKEN}\n")})),
        ScriptedResponse::json(json!({"access_token": TOKEN, "errorCode": "no"})),
        ScriptedResponse::json(json!({"token": TOKEN})),
        ScriptedResponse::json(json!({"access_token": TOKEN, "expires_in": TOKEN})),
    ];
    responses
        .extend([Connect, Interrupted, Timeout, TooLarge, InvalidRequest].map(ScriptedResponse::failure));
    for answer in responses {
        let script = ScriptedTransport::with_router(move |sent| {
            Some(if sent.is_token() { answer.clone() } else { ScriptedResponse::status(403) })
        });
        printed.error(&block_on(client(&script).list_tenants()).expect_err("a failure"));
    }
    for hidden in [SECRET, "5ecre7", TOKEN, "eyJ"] {
        assert!(!printed.0.contains(hidden), "{hidden} is in {}", printed.0);
    }
}

#[test]
fn token_response_debug_hides_the_token() {
    let answer =
        parse_response::<RequestToken>(200, json!({"access_token": TOKEN}).to_string()).expect("a token");
    let printed = format!("{answer:?} {answer:#?}");
    assert!(printed.contains("access_token") && !printed.contains("eyJ"), "{printed}");
}

#[test]
fn secret_is_sent_only_in_the_token_request_body() {
    let script = ScriptedTransport::with_responses([last_page(&[])]);
    block_on(tenant(&client(&script)).send(&ListEndpoints::default())).expect("a response");
    for sent in script.sent() {
        assert_eq!(sent.body.contains("5ecre7"), sent.is_token());
        assert!(!sent.uri.to_string().contains("5ecre7"));
        assert!(
            sent.headers.values().all(|value| !value.as_bytes().windows(6).any(|part| part == b"5ecre7"))
        );
        assert_eq!(sent.headers.contains_key("authorization"), !sent.is_token());
        if sent.is_token() {
            assert_eq!(sent.uri, "https://id.sophos.com/api/v2/oauth2/token");
        }
    }
    let credentials = credentials();
    let target = RequestTarget::new("https://id.sophos.com".parse().expect("a host"));
    let request = RequestToken::new(&credentials).to_request(&target).expect("a request");
    assert!(!format!("{:?} {:?}", request.uri(), request.headers()).contains("5ecre7"));
}
