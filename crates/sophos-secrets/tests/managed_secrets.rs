//! The secrets of senders in Secrets Manager.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use sophos_secrets::{ExposeSecret, ManagedSecrets, NamedSecrets};
use support::{Clock, Service};

const TIME_TO_LIVE: u64 = 60;

async fn started() -> (Arc<Service>, Clock, ManagedSecrets) {
    let (service, clock) = (Service::start().await, Clock::default());
    let time_to_live = Duration::from_secs(TIME_TO_LIVE);
    let secrets = ManagedSecrets::new(service.client(), "hooks/", time_to_live, clock.read());
    (service, clock, secrets)
}

async fn texts(secrets: &ManagedSecrets, name: &str) -> Vec<String> {
    let stages = secrets.read(name).await.expect("a secret");
    stages.each().map(|secret| secret.expose_secret().to_owned()).collect()
}

#[tokio::test]
async fn both_stages_are_read_and_kept_for_their_time_to_live() {
    let (service, clock, secrets) = started().await;
    service.put("hooks/a", "one");
    assert_eq!(texts(&secrets, "a").await, ["one"]);
    service.put("hooks/a", "two");
    clock.turn(TIME_TO_LIVE - 1);
    assert_eq!(texts(&secrets, "a").await, ["one"]);
    assert_eq!(service.asked(), [0, 0, 2]);
    clock.turn(1);
    assert_eq!(texts(&secrets, "a").await, ["two", "one"]);
    assert_eq!(service.asked(), [0, 0, 2]);
}

#[tokio::test]
async fn fifty_callers_share_a_reading() {
    let (service, _, secrets) = started().await;
    service.put("hooks/a", "one");
    service.hold();
    let (read, ()) = join(join_all((0..50).map(|_| secrets.read("a"))), async {
        service.arrived(1).await;
        service.release();
    })
    .await;
    assert!(read.iter().all(Result::is_ok));
    assert_eq!(service.asked(), [0, 0, 2], "one for each stage");
}

#[tokio::test]
async fn a_version_before_that_is_no_secret_harms_no_current_one() {
    for before in ["binary", "empty"] {
        let (service, _, secrets) = started().await;
        match before {
            "binary" => service.put_binary("hooks/a"),
            _ => service.put("hooks/a", " \n"),
        }
        service.put("hooks/a", "two");
        assert_eq!(texts(&secrets, "a").await, ["two"], "{before}");
    }
}

#[tokio::test]
async fn what_is_no_secret_is_told_and_kept_for_a_minute_at_most() {
    let (service, clock, secrets) = started().await;
    for (number, (wrong, told)) in [
        ("absent", "hooks/a: there is no such secret in this account and region; create it"),
        ("empty", "hooks/a: is empty; store a secret in it"),
        ("binary", "hooks/a: is binary; store it as text (SecretString)"),
        ("denied", "the function's role needs the right to read it"),
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
        let error = secrets.read("a").await.expect_err(wrong).to_string();
        assert!(error.contains(told), "{number}: {error}");
        clock.turn(60);
    }
    service.mend();
    service.put("hooks/a", "mended");
    assert_eq!(texts(&secrets, "a").await, ["mended"]);
}

#[tokio::test]
async fn failure_costs_one_call_a_minute_however_long_successes_are_kept() {
    let (service, clock) = (Service::start().await, Clock::default());
    let secrets = ManagedSecrets::new(service.client(), "hooks/", Duration::from_secs(300), clock.read());
    let calls = || service.asked()[2];
    for _ in 0..50 {
        secrets.read("a").await.expect_err("absent");
    }
    clock.turn(59);
    let refused = join_all((0..50).map(|_| secrets.read("a"))).await;
    assert!(refused.iter().all(Result::is_err));
    assert_eq!(calls(), 1);
    clock.turn(1);
    service.put("hooks/a", "one");
    assert_eq!(texts(&secrets, "a").await, ["one"]);
    assert_eq!(calls(), 2, "one for each stage");
}

/// A key that was stolen is good no longer than what a process keeps.
#[tokio::test]
async fn previous_is_gone_with_its_label_when_read_again() {
    let (service, clock, secrets) = started().await;
    service.put("hooks/a", "one");
    service.put("hooks/a", "two");
    assert_eq!(texts(&secrets, "a").await, ["two", "one"]);
    service.drop_previous("hooks/a");
    clock.turn(TIME_TO_LIVE);
    assert_eq!(texts(&secrets, "a").await, ["two"]);
}

#[tokio::test]
async fn fifty_callers_share_a_failure() {
    let (service, _, secrets) = started().await;
    service.hold();
    let (read, ()) = join(join_all((0..50).map(|_| secrets.read("a"))), async {
        service.arrived(1).await;
        service.release();
    })
    .await;
    assert!(read.iter().all(Result::is_err));
    assert_eq!(service.asked(), [0, 0, 1]);
}
