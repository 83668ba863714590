//! Single credentials from Secrets Manager: cache and shared requests.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use sophos_secrets::{
    CredentialStore, RequestedVersion, SecretError, SecretSelector, SecretsManagerCredentials,
    StoredCredential,
};
use support::{Clock, FakeSecretsManager, GET, credential};

const TIME_TO_LIVE: Duration = Duration::from_secs(300);

fn store(service: &FakeSecretsManager, clock: &Clock) -> SecretsManagerCredentials {
    SecretsManagerCredentials::new(
        service.client(),
        SecretSelector::Prefix("c/".into()),
        TIME_TO_LIVE,
        clock.as_fn(),
    )
}

async fn start() -> (Arc<FakeSecretsManager>, Clock, SecretsManagerCredentials) {
    let (service, clock) = (FakeSecretsManager::start().await, Clock::default());
    let store = store(&service, &clock);
    (service, clock, store)
}

type LoadResult = Result<Option<Arc<StoredCredential>>, SecretError>;

fn id(read: LoadResult) -> String {
    read.expect("it can be read").expect("it is there").credentials.client_id().to_owned()
}

#[tokio::test]
async fn loaded_credential_is_cached_for_its_ttl() {
    let (service, clock, store) = start().await;
    service.put("c/a", credential("one"));
    for (turn, reads, expected) in
        [(0, 1, "one"), (0, 0, "one"), (299, 0, "one"), (1, 1, "two"), (299, 0, "two")]
    {
        clock.advance(turn);
        assert_eq!(id(store.load("c/a", RequestedVersion::Cached).await), expected, "after {turn} s");
        assert_eq!(service.take_request_counts(), [0, 0, reads], "after {turn} s");
        if turn == 0 {
            service.put("c/a", credential("two"));
        }
    }
}

#[tokio::test]
async fn concurrent_callers_share_a_load() {
    for version in [RequestedVersion::Cached, RequestedVersion::Fresh] {
        let (service, _, store) = start().await;
        service.put("c/a", credential("one"));
        service.hold_responses();
        let callers = join_all((0..50).map(|_| store.load("c/a", version)));
        let (read, ()) = join(callers, async {
            service.wait_for_requests(1).await;
            service.release();
        })
        .await;
        assert_eq!(read.len(), 50);
        assert!(read.into_iter().all(|read| id(read) == "one"));
        assert_eq!(service.take_request_counts(), [0, 0, 1], "{version:?}");
    }
}

#[tokio::test]
async fn concurrent_callers_share_a_failed_or_empty_load() {
    let (service, _, store) = start().await;
    service.put("c/denied", credential("one"));
    service.deny("c/denied");
    service.put_binary("c/binary");
    // The previous version of an invalid credential is read as well.
    for (name, fails, reads) in [("c/denied", true, 1), ("c/absent", false, 1), ("c/binary", true, 2)] {
        for version in [RequestedVersion::Cached, RequestedVersion::Fresh] {
            service.hold_responses();
            let so_far = service.request_count();
            let callers = join_all((0..50).map(|_| store.load(name, version)));
            let (read, ()) = join(callers, async {
                service.wait_for_requests(so_far + 1).await;
                service.release();
            })
            .await;
            assert!(read.iter().all(|read| read.is_err() == fails), "{name}");
            assert!(read.iter().flatten().all(Option::is_none), "{name}");
            assert_eq!(service.take_request_counts(), [0, 0, reads], "{name} {version:?}");
        }
    }
}

#[tokio::test]
async fn load_failure_is_not_cached() {
    let (service, _, store) = start().await;
    for (broken, reads) in [("denied", 2), ("absent", 2), ("binary", 3), ("malformed", 3)] {
        let name = format!("c/{broken}");
        match broken {
            "denied" => {
                service.put(&name, credential("one"));
                service.deny(&name);
            }
            "absent" => {}
            "binary" => service.put_binary(&name),
            _ => service.put(&name, "{"),
        }
        assert!(!matches!(store.load(&name, RequestedVersion::Cached).await, Ok(Some(_))), "{broken}");
        service.clear_faults();
        service.put(&name, credential("fixed"));
        assert_eq!(id(store.load(&name, RequestedVersion::Cached).await), "fixed", "{broken}");
        assert_eq!(service.take_request_counts(), [0, 0, reads], "{broken}");
    }
}

#[tokio::test]
async fn previous_version_replaces_an_invalid_current_one() {
    for broken in ["binary", "malformed"] {
        let (service, _, store) = start().await;
        service.put("c/a", credential("one"));
        if broken == "binary" {
            service.put_binary("c/a");
        } else {
            service.put("c/a", "{");
        }
        for version in [RequestedVersion::Fresh, RequestedVersion::Cached] {
            assert_eq!(id(store.load("c/a", version).await), "one", "{broken}");
        }
        service.put("c/a", credential("repaired"));
        assert_eq!(id(store.load("c/a", RequestedVersion::Cached).await), "repaired", "{broken}");
    }
}

#[tokio::test]
async fn fresh_load_starts_after_the_request() {
    let (service, _, store) = start().await;
    service.put("c/a", credential("one"));
    service.hold_responses();
    let before = store.load("c/a", RequestedVersion::Cached);
    let after = async {
        service.wait_for_requests(1).await;
        service.put("c/a", credential("two"));
        let fresh = store.load("c/a", RequestedVersion::Fresh);
        let (fresh, ()) = join(fresh, async { service.release() }).await;
        fresh
    };
    let (before, fresh) = join(before, after).await;
    assert_eq!((id(before), id(fresh)), ("one".into(), "two".into()));
    assert_eq!(service.take_request_counts(), [0, 0, 2], "the reading that had begun did not count");
    assert_eq!(id(store.load("c/a", RequestedVersion::Cached).await), "two");
    assert_eq!(service.take_request_counts(), [0, 0, 0], "what was read fresh is kept");
}

#[tokio::test]
async fn failed_fresh_load_keeps_the_cache() {
    let (service, _, store) = start().await;
    service.put("c/a", credential("one"));
    store.load("c/a", RequestedVersion::Cached).await.expect("it can be read");
    service.fail(GET, 500, "");
    assert!(store.load("c/a", RequestedVersion::Fresh).await.is_err());
    assert_eq!(id(store.load("c/a", RequestedVersion::Cached).await), "one");
    service.clear_faults();
    service.delete("c/a");
    assert!(store.load("c/a", RequestedVersion::Fresh).await.expect("no failure").is_none());
    assert!(
        store.load("c/a", RequestedVersion::Cached).await.expect("no failure").is_none(),
        "it is forgotten"
    );
}

#[tokio::test]
async fn previous_version_is_never_cached() {
    let (service, _, store) = start().await;
    service.put("c/a", credential("one"));
    assert!(store.load("c/a", RequestedVersion::Previous).await.expect("no failure").is_none());
    service.put("c/a", credential("two"));
    assert_eq!(id(store.load("c/a", RequestedVersion::Previous).await), "one");
    service.put("c/a", credential("three"));
    assert_eq!(id(store.load("c/a", RequestedVersion::Previous).await), "two");
    assert_eq!(service.take_request_counts(), [0, 0, 3]);
    assert_eq!(id(store.load("c/a", RequestedVersion::Cached).await), "three", "it is kept apart");
}

#[tokio::test]
async fn cancelled_load_does_not_block_the_next() {
    let (service, _, store) = start().await;
    service.put("c/a", credential("one"));
    service.hold_responses();
    tokio::select! {
        read = store.load("c/a", RequestedVersion::Cached) => panic!("{read:?} was held back"),
        () = service.wait_for_requests(1) => {}
    }
    let (read, ()) = join(store.load("c/a", RequestedVersion::Cached), async {
        service.wait_for_requests(2).await;
        service.release();
    })
    .await;
    assert_eq!(id(read), "one");
}

#[tokio::test]
async fn hanging_load_does_not_block_other_secrets() {
    let (service, _, store) = start().await;
    service.put("c/a", credential("one"));
    service.put("c/b", credential("two"));
    service.hold_responses();
    let (a, (b, ())) = join(store.load("c/a", RequestedVersion::Cached), async {
        service.wait_for_requests(1).await;
        join(store.load("c/b", RequestedVersion::Cached), async {
            service.wait_for_requests(2).await;
            service.release();
        })
        .await
    })
    .await;
    assert_eq!((id(a), id(b)), ("one".into(), "two".into()));
}
