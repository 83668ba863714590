//! Errors of Secrets Manager: their texts, without secrets.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use sophos_secrets::{
    CredentialStore, RequestedVersion, SecretError, SecretSelector, SecretStore, SecretsManagerCredentials,
    SecretsManagerSecrets,
};
use support::{BATCH, Clock, FakeSecretsManager, GET, LIST, SECRET_TEXT, credential, unreachable_client};

fn store(client: aws_sdk_secretsmanager::Client) -> SecretsManagerCredentials {
    let selection = SecretSelector::Tag { key: "use".into(), value: "sophos".into() };
    SecretsManagerCredentials::new(client, selection, Duration::from_secs(300), Clock::default().as_fn())
}

/// The errors of every read from a service with these responses.
async fn collect_errors(service: &Arc<FakeSecretsManager>, status: u16, body: &str) -> Vec<SecretError> {
    let store = store(service.client());
    service.clear_faults();
    service.put("a", credential("one"));
    service.tag("a", "use", "sophos");
    let mut failures = Vec::new();
    service.fail(GET, status, body);
    for version in [RequestedVersion::Cached, RequestedVersion::Fresh, RequestedVersion::Previous] {
        failures.extend(store.load("a", version).await.err());
    }
    let secrets =
        SecretsManagerSecrets::new(service.client(), "", Duration::from_secs(300), Clock::default().as_fn());
    failures.extend(secrets.load("a").await.err());
    service.fail(BATCH, status, body);
    failures.extend(store.list().await.err());
    service.fail(LIST, status, body);
    failures.extend(store.list().await.err());
    failures
}

#[tokio::test]
async fn service_errors_are_one_line_with_a_remedy() {
    let service = FakeSecretsManager::start().await;
    let long = format!(r#"{{"__type":"ThrottlingException","message":"{}"}}"#, "slow ".repeat(400));
    for (body, expected) in [
        (
            r#"{"__type":"AccessDeniedException","Message":"User: x is not authorized"}"#,
            "AccessDeniedException: User: x is not authorized; allow the function's role to read secrets",
        ),
        (
            r#"{"__type":"com.amazonaws.secretsmanager#DecryptionFailure","Message":"no key"}"#,
            "Secrets Manager returned DecryptionFailure: no key",
        ),
        (r#"{"__type":"InternalServiceError"}"#, "Secrets Manager returned InternalServiceError"),
        (
            r#"{"__type":"InvalidRequestException","message":"marked\r\nfor\u0000 deletion"}"#,
            "InvalidRequestException: marked  for  deletion",
        ),
        (&long, "Secrets Manager returned ThrottlingException: slow slow"),
    ] {
        let failures = collect_errors(&service, 400, body).await;
        assert_eq!(failures.len(), 6, "{body}");
        for (number, error) in failures.iter().enumerate() {
            let text = error.to_string();
            assert_eq!(error.location(), if number < 4 { "a" } else { "secrets with the tag use=sophos" });
            assert!(text.contains(expected), "{text}");
            assert!(text.len() < 500 && !text.contains(char::is_control), "{text}");
        }
    }
}

#[tokio::test]
async fn malformed_responses_are_not_quoted() {
    let service = FakeSecretsManager::start().await;
    for (status, body) in [
        (200, SECRET_TEXT.to_owned()),
        (200, format!("{{\"SecretString\": \"{SECRET_TEXT}")),
        (
            200,
            format!(
                "{{\"SecretString\": [\"{SECRET_TEXT}\"], \"SecretList\": \"{SECRET_TEXT}\", \"SecretValues\": 7}}"
            ),
        ),
        (200, format!("<html>{SECRET_TEXT}</html>")),
        (400, SECRET_TEXT.to_owned()),
        (500, format!("[\"{SECRET_TEXT}\"]")),
        (503, format!("<html>{SECRET_TEXT}</html>")),
    ] {
        let failures = collect_errors(&service, status, &body).await;
        assert_eq!(failures.len(), 6, "{body}");
        for error in failures {
            assert!(error.to_string().ends_with(": the response of Secrets Manager is invalid"), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn invalid_credential_error_omits_the_value() {
    let service = FakeSecretsManager::start().await;
    let store = store(service.client());
    for (value, expected) in [
        (SECRET_TEXT.to_owned(), "invalid JSON (line 1, column 1)"),
        (String::new(), "invalid JSON"),
        (format!("{{\"client_id\": \"a\", \"client_secret\": \"{SECRET_TEXT}\""), "invalid JSON"),
        (
            format!("{{\"client_id\": \"a\", \"client_secret\": \"{SECRET_TEXT}\", \"{SECRET_TEXT}\": 1}}"),
            "and nothing else",
        ),
        (
            format!("{{\"client_id\": \"{SECRET_TEXT}\", \"client_secret\": \" \"}}"),
            "its client_secret is empty",
        ),
    ] {
        service.put("a", value);
        let error = store.load("a", RequestedVersion::Fresh).await.expect_err(expected);
        assert_eq!(error.location(), "a");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    service.put_binary("a");
    service.put_binary("a");
    for version in [RequestedVersion::Cached, RequestedVersion::Fresh, RequestedVersion::Previous] {
        let error = store.load("a", version).await.expect_err("binary");
        assert_eq!(error.to_string(), "a: the secret is binary; store it as text (SecretString)");
    }
}

#[tokio::test]
async fn unreachable_service_and_timeout_are_reported() {
    let error = store(unreachable_client()).list().await.expect_err("nothing is there");
    assert!(error.to_string().contains("connecting to Secrets Manager failed: "), "{error}");

    let service = FakeSecretsManager::start().await;
    service.hold_responses();
    let error = store(service.client_with_short_timeout())
        .load("a", RequestedVersion::Cached)
        .await
        .expect_err("no response");
    assert_eq!(error.to_string(), "a: the request to Secrets Manager timed out; check the route to it");
}

#[tokio::test]
async fn stores_debug_hides_secrets() {
    let service = FakeSecretsManager::start().await;
    service.put("a", credential("one"));
    service.tag("a", "use", "sophos");
    let store = store(service.client());
    let listed = store.list().await.expect("a listing");
    let secrets = SecretsManagerSecrets::new(service.client(), "", Duration::MAX, Clock::default().as_fn());
    let stages = secrets.load("a").await.expect("a secret");
    let printed = format!("{store:?} {listed:?} {secrets:?} {stages:?}");
    assert!(printed.contains("use=sophos") && printed.contains("\"one\""), "{printed}");
    assert!(!printed.contains("hush"), "{printed}");
}
