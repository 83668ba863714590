//! What an error of Secrets Manager says, and what it never shows.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use sophos_secrets::{
    CredentialStore, ManagedSecrets, NamedSecrets, SecretsManager, Selection, SourceError, Version,
};
use support::{BATCH, Clock, GET, HUSH, LIST, Service, client_of_nothing, credential};

fn store(client: aws_sdk_secretsmanager::Client) -> SecretsManager {
    let selection = Selection::Tag { key: "use".into(), value: "sophos".into() };
    SecretsManager::new(client, selection, Duration::from_secs(300), Clock::default().read())
}

/// Every way to read from a service all of whose answers are such.
async fn failures(service: &Arc<Service>, status: u16, body: &str) -> Vec<SourceError> {
    let store = store(service.client());
    service.mend();
    service.put("a", credential("one"));
    service.tag("a", "use", "sophos");
    let mut failures = Vec::new();
    service.fail(GET, status, body);
    for version in [Version::Cached, Version::Fresh, Version::Previous] {
        failures.extend(store.read("a", version).await.err());
    }
    let secrets =
        ManagedSecrets::new(service.client(), "", Duration::from_secs(300), Clock::default().read());
    failures.extend(secrets.read("a").await.err());
    service.fail(BATCH, status, body);
    failures.extend(store.list().await.err());
    service.fail(LIST, status, body);
    failures.extend(store.list().await.err());
    failures
}

#[tokio::test]
async fn what_the_service_says_is_told_in_one_line_with_what_to_do() {
    let service = Service::start().await;
    let long = format!(r#"{{"__type":"ThrottlingException","message":"{}"}}"#, "slow ".repeat(400));
    for (body, told) in [
        (
            r#"{"__type":"AccessDeniedException","Message":"User: x is not authorized"}"#,
            "AccessDeniedException: User: x is not authorized; the function's role needs the right to read it",
        ),
        (
            r#"{"__type":"com.amazonaws.secretsmanager#DecryptionFailure","Message":"no key"}"#,
            "Secrets Manager answers DecryptionFailure: no key",
        ),
        (r#"{"__type":"InternalServiceError"}"#, "Secrets Manager answers InternalServiceError"),
        (
            r#"{"__type":"InvalidRequestException","message":"marked\r\nfor\u0000 deletion"}"#,
            "InvalidRequestException: marked  for  deletion",
        ),
        (&long, "Secrets Manager answers ThrottlingException: slow slow"),
    ] {
        let failures = failures(&service, 400, body).await;
        assert_eq!(failures.len(), 6, "{body}");
        for (number, error) in failures.iter().enumerate() {
            let text = error.to_string();
            assert_eq!(error.place(), if number < 4 { "a" } else { "secrets with the tag use=sophos" });
            assert!(text.contains(told), "{text}");
            assert!(text.len() < 500 && !text.contains(char::is_control), "{text}");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_not_shown() {
    let service = Service::start().await;
    for (status, body) in [
        (200, HUSH.to_owned()),
        (200, format!("{{\"SecretString\": \"{HUSH}")),
        (200, format!("{{\"SecretString\": [\"{HUSH}\"], \"SecretList\": \"{HUSH}\", \"SecretValues\": 7}}")),
        (200, format!("<html>{HUSH}</html>")),
        (400, HUSH.to_owned()),
        (500, format!("[\"{HUSH}\"]")),
        (503, format!("<html>{HUSH}</html>")),
    ] {
        let failures = failures(&service, status, &body).await;
        assert_eq!(failures.len(), 6, "{body}");
        for error in failures {
            assert!(error.to_string().ends_with(": Secrets Manager's answer cannot be read"), "{error}");
            assert!(!format!("{error:?}").contains("hush"), "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_value_that_is_no_credential_is_told_without_it() {
    let service = Service::start().await;
    let store = store(service.client());
    for (value, told) in [
        (HUSH.to_owned(), "is no JSON (line 1, column 1)"),
        (String::new(), "is no JSON"),
        (format!("{{\"client_id\": \"a\", \"client_secret\": \"{HUSH}\""), "is no JSON"),
        (
            format!("{{\"client_id\": \"a\", \"client_secret\": \"{HUSH}\", \"{HUSH}\": 1}}"),
            "and nothing else",
        ),
        (format!("{{\"client_id\": \"{HUSH}\", \"client_secret\": \" \"}}"), "its client_secret is empty"),
    ] {
        service.put("a", value);
        let error = store.read("a", Version::Fresh).await.expect_err(told);
        assert_eq!(error.place(), "a");
        assert!(error.to_string().contains(told), "{error}");
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    service.put_binary("a");
    service.put_binary("a");
    for version in [Version::Cached, Version::Fresh, Version::Previous] {
        let error = store.read("a", version).await.expect_err("binary");
        assert_eq!(error.to_string(), "a: is binary; store it as text (SecretString)");
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_or_does_not_answer_is_told() {
    let error = store(client_of_nothing()).list().await.expect_err("nothing is there");
    assert!(error.to_string().contains("Secrets Manager cannot be reached: "), "{error}");

    let service = Service::start().await;
    service.hold();
    let error = store(service.impatient_client()).read("a", Version::Cached).await.expect_err("no answer");
    assert_eq!(error.to_string(), "a: Secrets Manager did not answer in time");
}

#[tokio::test]
async fn no_store_prints_a_secret() {
    let service = Service::start().await;
    service.put("a", credential("one"));
    service.tag("a", "use", "sophos");
    let store = store(service.client());
    let listed = store.list().await.expect("a listing");
    let secrets = ManagedSecrets::new(service.client(), "", Duration::MAX, Clock::default().read());
    let stages = secrets.read("a").await.expect("a secret");
    let printed = format!("{store:?} {listed:?} {secrets:?} {stages:?}");
    assert!(printed.contains("use=sophos") && printed.contains("\"one\""), "{printed}");
    assert!(!printed.contains("hush"), "{printed}");
}
