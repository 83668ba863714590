//! Listings of Secrets Manager: their requests and their content.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use sophos_secrets::{
    CredentialStore, ListedCredential, RequestedVersion, SecretSelector, SecretsManagerCredentials,
};
use support::{BATCH, Clock, FakeSecretsManager, LIST, SECRET_TEXT, credential};

const TIME_TO_LIVE: u64 = 300;

async fn start(selection: SecretSelector) -> (Arc<FakeSecretsManager>, Clock, SecretsManagerCredentials) {
    start_with_ttl(selection, TIME_TO_LIVE).await
}

async fn start_with_ttl(
    selection: SecretSelector,
    seconds: u64,
) -> (Arc<FakeSecretsManager>, Clock, SecretsManagerCredentials) {
    let (service, clock) = (FakeSecretsManager::start().await, Clock::default());
    let time_to_live = Duration::from_secs(seconds);
    let store = SecretsManagerCredentials::new(service.client(), selection, time_to_live, clock.as_fn());
    (service, clock, store)
}

fn prefix_selector() -> SecretSelector {
    SecretSelector::Prefix("c/".into())
}

async fn list(store: &SecretsManagerCredentials) -> Vec<ListedCredential> {
    store.list().await.expect("a listing")
}

/// Each name with its client id, or with a question mark.
fn names_and_ids(listed: &[ListedCredential]) -> Vec<String> {
    let id = |listed: &ListedCredential| match &listed.credential {
        Ok(stored) => stored.credentials.client_id().to_owned(),
        Err(_) => "?".to_owned(),
    };
    listed.iter().map(|listed| format!("{}={}", listed.name, id(listed))).collect()
}

#[tokio::test]
async fn listing_fetches_only_changed_versions() {
    let (service, clock, store) = start(prefix_selector()).await;
    for number in 0..500 {
        service.put(&format!("c/{number:03}"), credential(&format!("id-{number}")));
    }
    let first = list(&store).await;
    assert_eq!(first.len(), 500);
    assert!(first.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(names_and_ids(&first)[77], "c/077=id-77");
    assert_eq!(service.take_request_counts(), [5, 25, 0]);

    clock.advance(TIME_TO_LIVE - 1);
    assert_eq!(list(&store).await.len(), 500);
    assert_eq!(service.take_request_counts(), [0, 0, 0], "it is kept");

    clock.advance(1);
    assert_eq!(names_and_ids(&list(&store).await), names_and_ids(&first));
    assert_eq!(service.take_request_counts(), [5, 0, 0], "no value is read when nothing changed");

    clock.advance(TIME_TO_LIVE);
    service.put("c/077", credential("another"));
    assert_eq!(names_and_ids(&list(&store).await)[77], "c/077=another");
    assert_eq!(service.take_request_counts(), [5, 1, 0], "the one that changed");

    clock.advance(TIME_TO_LIVE - 1);
    let read = store.load("c/123", RequestedVersion::Cached).await.expect("no failure").expect("it is there");
    assert_eq!(read.credentials.client_id(), "id-123");
    assert_eq!(service.take_request_counts(), [0, 0, 0], "a listing counts as a reading of each");
}

#[tokio::test]
async fn unusable_listing_is_refreshed_within_seconds() {
    let (service, clock, store) = start(prefix_selector()).await;
    assert!(list(&store).await.is_empty());
    clock.advance(9);
    assert!(list(&store).await.is_empty());
    assert_eq!(service.take_request_counts(), [1, 0, 0], "many who work in vain do not ask each time");

    service.put("c/first", "not yet a credential");
    clock.advance(1);
    assert_eq!(names_and_ids(&list(&store).await), ["c/first=?"]);
    service.put("c/first", credential("one"));
    clock.advance(10);
    assert_eq!(names_and_ids(&list(&store).await), ["c/first=one"]);
    service.take_request_counts();

    service.put("c/second", "not yet a credential");
    clock.advance(TIME_TO_LIVE - 1);
    list(&store).await;
    assert_eq!(service.take_request_counts(), [0, 0, 0], "where one can be used the others wait");
}

#[tokio::test]
async fn concurrent_callers_share_a_listing_and_its_failure() {
    for (seconds, fails) in [(TIME_TO_LIVE, None), (0, None), (TIME_TO_LIVE, Some(LIST)), (0, Some(BATCH))] {
        let (service, _, store) = start_with_ttl(prefix_selector(), seconds).await;
        service.put("c/a", credential("one"));
        if let Some(operation) = fails {
            service.fail(operation, 500, "");
        }
        service.hold_responses();
        let (responses, ()) = join(join_all((0..50).map(|_| store.list())), async {
            service.wait_for_requests(1).await;
            service.release();
        })
        .await;
        for response in responses {
            match response {
                Ok(listed) => assert_eq!((names_and_ids(&listed), fails), (vec!["c/a=one".into()], None)),
                Err(error) => assert!(fails.is_some(), "{error}"),
            }
        }
        assert_eq!(
            service.take_request_counts(),
            [1, usize::from(fails != Some(LIST)), 0],
            "{seconds} s {fails:?}"
        );
        service.clear_faults();
        assert_eq!(names_and_ids(&list(&store).await), ["c/a=one"], "no failure is kept");
    }
}

#[tokio::test]
async fn selector_matches_exactly() {
    let tag = |key: &str, value: &str| SecretSelector::Tag { key: key.into(), value: value.into() };
    for (selection, expected) in [
        (tag("use", "sophos"), &["a=1", "g=7"][..]),
        (tag("Use", "sophos"), &["b=2"]),
        (tag("use", "so"), &[]),
        (tag("us", "sophos"), &[]),
        (tag("use", "other"), &["c=3"]),
        (SecretSelector::Prefix("D/".into()), &["D/x=4"]),
        (SecretSelector::Prefix("d/".into()), &["d/y=5"]),
        (SecretSelector::Prefix("nothing".into()), &[]),
    ] {
        let (service, _, store) = start(selection.clone()).await;
        for (name, id, tags) in [
            ("a", "1", &[("use", "sophos")][..]),
            ("b", "2", &[("Use", "sophos")]),
            // The key is on one tag and the value on another.
            ("c", "3", &[("use", "other"), ("by", "sophos")]),
            ("D/x", "4", &[]),
            ("d/y", "5", &[]),
            ("f", "6", &[("use", "Sophos"), ("use-of", "sophos"), ("use", "sophos-2")]),
            ("g", "7", &[("by", "x"), ("use", "sophos")]),
        ] {
            service.put(name, credential(id));
            for (key, value) in tags {
                service.tag(name, key, value);
            }
        }
        assert_eq!(names_and_ids(&list(&store).await), expected, "{selection:?}");
    }
}

#[tokio::test]
async fn single_secret_is_loaded_without_listing() {
    let (service, clock, store) = start(SecretSelector::Id("of-a-name".into())).await;
    let error = list(&store).await.remove(0).credential.expect_err("it is not there");
    assert!(error.to_string().starts_with("of-a-name: the secret does not exist"), "{error}");
    service.put("of-a-name", credential("one"));
    assert_eq!(names_and_ids(&list(&store).await), ["of-a-name=one"]);
    assert_eq!(names_and_ids(&list(&store).await), ["of-a-name=one"]);
    assert_eq!(service.take_request_counts(), [0, 0, 2]);
    clock.advance(TIME_TO_LIVE);
    service.deny("of-a-name");
    assert_eq!(names_and_ids(&list(&store).await), ["of-a-name=?"]);
}

#[tokio::test]
async fn invalid_secret_is_reported_alone_and_reloaded() {
    let (service, clock, store) = start(prefix_selector()).await;
    service.put("c/a", credential("one"));
    service.put("c/binary", "");
    service.put_binary("c/binary");
    service.put("c/denied", credential("two"));
    service.deny("c/denied");
    service.create("c/empty");
    service.put("c/malformed", format!("{{\"client_id\": \"{SECRET_TEXT}\"}}"));
    service.put("c/z", credential("three"));
    let first = list(&store).await;
    assert_eq!(
        names_and_ids(&first),
        ["c/a=one", "c/binary=?", "c/denied=?", "c/empty=?", "c/malformed=?", "c/z=three"]
    );
    for (number, expected) in [
        (1, "is binary; store it as text"),
        (2, "; allow the function's role to read secrets"),
        (3, "store a current version"),
        (4, "client_id and"),
    ] {
        let error = first[number].credential.as_ref().expect_err(expected).to_string();
        assert!(error.starts_with(&first[number].name), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains(SECRET_TEXT), "{error}");
    }
    // The previous versions of two invalid credentials are read as well.
    assert_eq!(service.take_request_counts(), [1, 1, 2]);
    service.clear_faults();
    assert_eq!(names_and_ids(&list(&store).await), names_and_ids(&first), "until the next listing");
    clock.advance(TIME_TO_LIVE);
    assert_eq!(names_and_ids(&list(&store).await)[2], "c/denied=two", "though its version is the same");
    assert_eq!(service.take_request_counts(), [1, 1, 2]);
    service.put("c/a", "{");
    clock.advance(TIME_TO_LIVE);
    assert_eq!(names_and_ids(&list(&store).await)[0], "c/a=one", "the one before");
    service.put("c/a", credential("repaired"));
    let read = store.load("c/a", RequestedVersion::Cached).await.expect("no failure").expect("it is there");
    assert_eq!(read.credentials.client_id(), "repaired", "a repair is taken up at once");
}

#[tokio::test]
async fn listing_follows_created_and_deleted_secrets() {
    let (service, clock, store) = start(prefix_selector()).await;
    assert!(list(&store).await.is_empty());
    assert!(list(&store).await.is_empty());
    assert_eq!(service.take_request_counts(), [1, 0, 0], "an empty listing is cached as well");
    service.put("c/a", credential("one"));
    service.put("c/b", credential("two"));
    clock.advance(TIME_TO_LIVE);
    assert_eq!(names_and_ids(&list(&store).await), ["c/a=one", "c/b=two"]);
    service.delete("c/a");
    assert_eq!(names_and_ids(&list(&store).await).len(), 2);
    clock.advance(TIME_TO_LIVE);
    assert_eq!(names_and_ids(&list(&store).await), ["c/b=two"]);
    assert!(store.load("c/a", RequestedVersion::Cached).await.expect("no failure").is_none());
    service.delete("c/b");
    assert!(store.load("c/b", RequestedVersion::Fresh).await.expect("no failure").is_none());
    assert!(list(&store).await.is_empty(), "one that is known to be gone is not listed");
}

#[tokio::test]
async fn batch_does_not_replace_a_newer_load() {
    for newer in [Some("three"), None] {
        let (service, clock, store) = start(prefix_selector()).await;
        service.put("c/a", credential("one"));
        assert_eq!(names_and_ids(&list(&store).await), ["c/a=one"]);
        // The secret changes and is read while the response to a batch is pending.
        service.put("c/a", credential("two"));
        clock.advance(TIME_TO_LIVE);
        let so_far = service.request_count();
        service.hold_batches();
        let read = async |version| {
            let read = store.load("c/a", version).await.expect("no failure");
            read.map(|read| read.credentials.client_id().to_owned())
        };
        let overtaken = async {
            service.wait_for_requests(so_far + 2).await;
            match newer {
                Some(id) => service.put("c/a", credential(id)),
                None => service.delete("c/a"),
            }
            let fresh = read(RequestedVersion::Fresh).await;
            service.release();
            fresh
        };
        let (listing, fresh) = join(store.list(), overtaken).await;
        assert_eq!(fresh.as_deref(), newer);
        let expected: Vec<_> = newer.iter().map(|id| format!("c/a={id}")).collect();
        assert_eq!(names_and_ids(&listing.expect("a listing")), expected);
        assert_eq!(read(RequestedVersion::Cached).await.as_deref(), newer);
    }
}

#[tokio::test]
async fn listing_fails_when_a_page_token_repeats() {
    let (service, _, store) = start(prefix_selector()).await;
    service.put("c/a", credential("one"));
    service.repeat_pages();
    let error = store.list().await.expect_err("it has no end").to_string();
    assert!(error.contains("repeats the NextToken of an earlier page"), "{error}");
    assert_eq!(service.take_request_counts(), [2, 0, 0]);
}

#[tokio::test]
async fn previous_listing_is_used_when_the_next_is_throttled() {
    let throttled = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    for operation in [LIST, BATCH] {
        let (service, clock, store) = start(prefix_selector()).await;
        service.put("c/a", credential("one"));
        assert_eq!(names_and_ids(&list(&store).await), ["c/a=one"]);
        service.put("c/b", credential("two"));
        service.fail(operation, 400, throttled);
        clock.advance(TIME_TO_LIVE);
        service.take_request_counts();
        assert_eq!(names_and_ids(&list(&store).await), ["c/a=one"]);
        assert_eq!(service.take_request_counts()[0], 1);
        clock.advance(9);
        assert_eq!(names_and_ids(&list(&store).await), ["c/a=one"]);
        assert_eq!(
            service.take_request_counts(),
            [0, 0, 0],
            "a service that throttles is left alone for a while"
        );
        service.clear_faults();
        clock.advance(1);
        assert_eq!(names_and_ids(&list(&store).await), ["c/a=one", "c/b=two"]);
    }
}
