//! The secrets of webhook senders in Secrets Manager.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use sophos_secrets::{ExposeSecret, SecretStore, SecretsManagerSecrets};
use support::{Clock, FakeSecretsManager};

const TIME_TO_LIVE: u64 = 60;

async fn start() -> (Arc<FakeSecretsManager>, Clock, SecretsManagerSecrets) {
    let (service, clock) = (FakeSecretsManager::start().await, Clock::default());
    let time_to_live = Duration::from_secs(TIME_TO_LIVE);
    let secrets = SecretsManagerSecrets::new(service.client(), "hooks/", time_to_live, clock.as_fn());
    (service, clock, secrets)
}

async fn load_texts(secrets: &SecretsManagerSecrets, name: &str) -> Vec<String> {
    let stages = secrets.load(name).await.expect("a secret");
    stages.iter().map(|secret| secret.expose_secret().to_owned()).collect()
}

#[tokio::test]
async fn current_and_previous_are_cached_for_their_ttl() {
    let (service, clock, secrets) = start().await;
    service.put("hooks/a", "one");
    assert_eq!(load_texts(&secrets, "a").await, ["one"]);
    service.put("hooks/a", "two");
    clock.advance(TIME_TO_LIVE - 1);
    assert_eq!(load_texts(&secrets, "a").await, ["one"]);
    assert_eq!(service.take_request_counts(), [0, 0, 2]);
    clock.advance(1);
    assert_eq!(load_texts(&secrets, "a").await, ["two", "one"]);
    assert_eq!(service.take_request_counts(), [0, 0, 2]);
}

#[tokio::test]
async fn concurrent_callers_share_a_load() {
    let (service, _, secrets) = start().await;
    service.put("hooks/a", "one");
    service.hold_responses();
    let (read, ()) = join(join_all((0..50).map(|_| secrets.load("a"))), async {
        service.wait_for_requests(1).await;
        service.release();
    })
    .await;
    assert!(read.iter().all(Result::is_ok));
    assert_eq!(service.take_request_counts(), [0, 0, 2], "one for each stage");
}

#[tokio::test]
async fn invalid_previous_version_is_ignored() {
    for before in ["binary", "empty"] {
        let (service, _, secrets) = start().await;
        match before {
            "binary" => service.put_binary("hooks/a"),
            _ => service.put("hooks/a", " \n"),
        }
        service.put("hooks/a", "two");
        assert_eq!(load_texts(&secrets, "a").await, ["two"], "{before}");
    }
}

#[tokio::test]
async fn load_failure_is_cached_for_at_most_a_minute() {
    let (service, clock, secrets) = start().await;
    for (number, (wrong, expected)) in [
        ("absent", "hooks/a: the secret does not exist in this account and region; create it"),
        ("empty", "hooks/a: the secret is empty; store a value in it"),
        ("binary", "hooks/a: the secret is binary; store it as text (SecretString)"),
        ("denied", "allow the function's role to read secrets"),
    ]
    .into_iter()
    .enumerate()
    {
        match wrong {
            "absent" => {}
            "empty" => service.put("hooks/a", " "),
            "binary" => service.put_binary("hooks/a"),
            _ => service.deny("hooks/a"),
        }
        let error = secrets.load("a").await.expect_err(wrong).to_string();
        assert!(error.contains(expected), "{number}: {error}");
        clock.advance(60);
    }
    service.clear_faults();
    service.put("hooks/a", "fixed");
    assert_eq!(load_texts(&secrets, "a").await, ["fixed"]);
}

#[tokio::test]
async fn load_failure_costs_one_request_per_minute() {
    let (service, clock) = (FakeSecretsManager::start().await, Clock::default());
    let secrets =
        SecretsManagerSecrets::new(service.client(), "hooks/", Duration::from_secs(300), clock.as_fn());
    let calls = || service.take_request_counts()[2];
    for _ in 0..50 {
        secrets.load("a").await.expect_err("absent");
    }
    clock.advance(59);
    let refused = join_all((0..50).map(|_| secrets.load("a"))).await;
    assert!(refused.iter().all(Result::is_err));
    assert_eq!(calls(), 1);
    clock.advance(1);
    service.put("hooks/a", "one");
    assert_eq!(load_texts(&secrets, "a").await, ["one"]);
    assert_eq!(calls(), 2, "one for each stage");
}

/// A stolen key is valid no longer than its cache entry.
#[tokio::test]
async fn previous_version_ends_with_its_label() {
    let (service, clock, secrets) = start().await;
    service.put("hooks/a", "one");
    service.put("hooks/a", "two");
    assert_eq!(load_texts(&secrets, "a").await, ["two", "one"]);
    service.drop_previous("hooks/a");
    clock.advance(TIME_TO_LIVE);
    assert_eq!(load_texts(&secrets, "a").await, ["two"]);
}

#[tokio::test]
async fn concurrent_callers_share_a_failure() {
    let (service, _, secrets) = start().await;
    service.hold_responses();
    let (read, ()) = join(join_all((0..50).map(|_| secrets.load("a"))), async {
        service.wait_for_requests(1).await;
        service.release();
    })
    .await;
    assert!(read.iter().all(Result::is_err));
    assert_eq!(service.take_request_counts(), [0, 0, 1]);
}
