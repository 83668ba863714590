//! Single credentials from Secrets Manager: what is kept, and who shares what.

#![cfg(feature = "aws")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::future::{join, join_all};
use sophos_secrets::{CredentialStore, SecretsManager, Selection, SourceError, StoredCredential, Version};
use support::{Clock, GET, Service, credential};

const TIME_TO_LIVE: Duration = Duration::from_secs(300);

fn store(service: &Service, clock: &Clock) -> SecretsManager {
    SecretsManager::new(service.client(), Selection::Prefix("c/".into()), TIME_TO_LIVE, clock.read())
}

async fn started() -> (Arc<Service>, Clock, SecretsManager) {
    let (service, clock) = (Service::start().await, Clock::default());
    let store = store(&service, &clock);
    (service, clock, store)
}

type Read = Result<Option<Arc<StoredCredential>>, SourceError>;

fn id(read: Read) -> String {
    read.expect("it can be read").expect("it is there").credentials.client_id().to_owned()
}

#[tokio::test]
async fn what_was_read_is_kept_for_its_time_to_live() {
    let (service, clock, store) = started().await;
    service.put("c/a", credential("one"));
    for (turn, reads, expected) in
        [(0, 1, "one"), (0, 0, "one"), (299, 0, "one"), (1, 1, "two"), (299, 0, "two")]
    {
        clock.turn(turn);
        assert_eq!(id(store.read("c/a", Version::Cached).await), expected, "after {turn} s");
        assert_eq!(service.asked(), [0, 0, reads], "after {turn} s");
        if turn == 0 {
            service.put("c/a", credential("two"));
        }
    }
}

#[tokio::test]
async fn fifty_callers_share_a_reading() {
    for version in [Version::Cached, Version::Fresh] {
        let (service, _, store) = started().await;
        service.put("c/a", credential("one"));
        service.hold();
        let callers = join_all((0..50).map(|_| store.read("c/a", version)));
        let (read, ()) = join(callers, async {
            service.arrived(1).await;
            service.release();
        })
        .await;
        assert_eq!(read.len(), 50);
        assert!(read.into_iter().all(|read| id(read) == "one"));
        assert_eq!(service.asked(), [0, 0, 1], "{version:?}");
    }
}

#[tokio::test]
async fn fifty_callers_share_a_failure_and_an_absence() {
    let (service, _, store) = started().await;
    service.put("c/denied", credential("one"));
    service.deny("c/denied");
    service.put_binary("c/binary");
    // Of one that is no credential the version before is read as well.
    for (name, fails, reads) in [("c/denied", true, 1), ("c/absent", false, 1), ("c/binary", true, 2)] {
        for version in [Version::Cached, Version::Fresh] {
            service.hold();
            let so_far = service.total();
            let callers = join_all((0..50).map(|_| store.read(name, version)));
            let (read, ()) = join(callers, async {
                service.arrived(so_far + 1).await;
                service.release();
            })
            .await;
            assert!(read.iter().all(|read| read.is_err() == fails), "{name}");
            assert!(read.iter().flatten().all(Option::is_none), "{name}");
            assert_eq!(service.asked(), [0, 0, reads], "{name} {version:?}");
        }
    }
}

#[tokio::test]
async fn a_failure_is_not_kept_for_those_who_ask_later() {
    let (service, _, store) = started().await;
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
        assert!(!matches!(store.read(&name, Version::Cached).await, Ok(Some(_))), "{broken}");
        service.mend();
        service.put(&name, credential("mended"));
        assert_eq!(id(store.read(&name, Version::Cached).await), "mended", "{broken}");
        assert_eq!(service.asked(), [0, 0, reads], "{broken}");
    }
}

#[tokio::test]
async fn in_place_of_one_that_is_no_credential_the_one_before_is_used_until_it_is_repaired() {
    for broken in ["binary", "malformed"] {
        let (service, _, store) = started().await;
        service.put("c/a", credential("one"));
        if broken == "binary" {
            service.put_binary("c/a");
        } else {
            service.put("c/a", "{");
        }
        for version in [Version::Fresh, Version::Cached] {
            assert_eq!(id(store.read("c/a", version).await), "one", "{broken}");
        }
        service.put("c/a", credential("repaired"));
        assert_eq!(id(store.read("c/a", Version::Cached).await), "repaired", "{broken}");
    }
}

#[tokio::test]
async fn a_fresh_reading_is_one_that_began_after_the_question() {
    let (service, _, store) = started().await;
    service.put("c/a", credential("one"));
    service.hold();
    let before = store.read("c/a", Version::Cached);
    let after = async {
        service.arrived(1).await;
        service.put("c/a", credential("two"));
        let fresh = store.read("c/a", Version::Fresh);
        let (fresh, ()) = join(fresh, async { service.release() }).await;
        fresh
    };
    let (before, fresh) = join(before, after).await;
    assert_eq!((id(before), id(fresh)), ("one".into(), "two".into()));
    assert_eq!(service.asked(), [0, 0, 2], "the reading that had begun did not count");
    assert_eq!(id(store.read("c/a", Version::Cached).await), "two");
    assert_eq!(service.asked(), [0, 0, 0], "what was read fresh is kept");
}

#[tokio::test]
async fn a_failed_fresh_reading_leaves_what_is_kept() {
    let (service, _, store) = started().await;
    service.put("c/a", credential("one"));
    store.read("c/a", Version::Cached).await.expect("it can be read");
    service.fail(GET, 500, "");
    assert!(store.read("c/a", Version::Fresh).await.is_err());
    assert_eq!(id(store.read("c/a", Version::Cached).await), "one");
    service.mend();
    service.delete("c/a");
    assert!(store.read("c/a", Version::Fresh).await.expect("no failure").is_none());
    assert!(store.read("c/a", Version::Cached).await.expect("no failure").is_none(), "it is forgotten");
}

#[tokio::test]
async fn the_version_before_is_read_each_time() {
    let (service, _, store) = started().await;
    service.put("c/a", credential("one"));
    assert!(store.read("c/a", Version::Previous).await.expect("no failure").is_none());
    service.put("c/a", credential("two"));
    assert_eq!(id(store.read("c/a", Version::Previous).await), "one");
    service.put("c/a", credential("three"));
    assert_eq!(id(store.read("c/a", Version::Previous).await), "two");
    assert_eq!(service.asked(), [0, 0, 3]);
    assert_eq!(id(store.read("c/a", Version::Cached).await), "three", "it is kept apart");
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_block_the_next() {
    let (service, _, store) = started().await;
    service.put("c/a", credential("one"));
    service.hold();
    tokio::select! {
        read = store.read("c/a", Version::Cached) => panic!("{read:?} was held back"),
        () = service.arrived(1) => {}
    }
    let (read, ()) = join(store.read("c/a", Version::Cached), async {
        service.arrived(2).await;
        service.release();
    })
    .await;
    assert_eq!(id(read), "one");
}

#[tokio::test]
async fn a_hanging_reading_blocks_no_other_secret() {
    let (service, _, store) = started().await;
    service.put("c/a", credential("one"));
    service.put("c/b", credential("two"));
    service.hold();
    let (a, (b, ())) = join(store.read("c/a", Version::Cached), async {
        service.arrived(1).await;
        join(store.read("c/b", Version::Cached), async {
            service.arrived(2).await;
            service.release();
        })
        .await
    })
    .await;
    assert_eq!((id(a), id(b)), ("one".into(), "two".into()));
}
