//! The credentials that a client receives from a store after each rejection.

use std::{
    collections::VecDeque,
    future::ready,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use sophos_api::{AccessToken, Auth, BoxFuture, CredentialSource, Credentials, NoCredential};
use sophos_secrets::{
    CredentialStore, ListedCredential, RequestedVersion, SecretError, StoredCredential,
    StoredCredentialSource,
};

type LoadResult = Result<Option<Arc<StoredCredential>>, SecretError>;

/// The stored versions, and those in a cache.
#[derive(Debug, Default)]
struct StoreContent {
    cached: Option<LoadResult>,
    current: Option<LoadResult>,
    previous: Option<LoadResult>,
    requests: VecDeque<RequestedVersion>,
}

#[derive(Debug, Default)]
struct FakeStore(Mutex<StoreContent>);

impl CredentialStore for FakeStore {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn load<'a>(&'a self, name: &'a str, version: RequestedVersion) -> BoxFuture<'a, LoadResult> {
        assert_eq!(name, "c/partner");
        let mut content = self.0.lock().expect("a lock");
        content.requests.push_back(version);
        let read = match version {
            RequestedVersion::Cached => content.cached.as_ref().or(content.current.as_ref()),
            RequestedVersion::Fresh => {
                content.cached = None;
                content.current.as_ref()
            }
            RequestedVersion::Previous => content.previous.as_ref(),
        };
        Box::pin(ready(read.cloned().unwrap_or(Ok(None))))
    }
}

/// A credential with a recognizable secret.
fn credentials(id: &str) -> Credentials {
    Credentials::new(id, format!("hush-{id}"))
}

fn stored(id: &str) -> Option<LoadResult> {
    Some(Ok(Some(Arc::new(StoredCredential::new(credentials(id))))))
}

fn unreadable() -> Option<LoadResult> {
    Some(Err(SecretError::new("c/partner", "Secrets Manager returned AccessDenied")))
}

struct Fixture {
    store: Arc<FakeStore>,
    source: StoredCredentialSource,
    seconds: Arc<AtomicU64>,
}

impl Fixture {
    fn new(current: Option<LoadResult>, previous: Option<LoadResult>) -> Self {
        let (store, seconds) = (Arc::new(FakeStore::default()), Arc::new(AtomicU64::new(1_000)));
        let clock = Arc::clone(&seconds);
        let source = StoredCredentialSource::new(
            Arc::clone(&store) as Arc<dyn CredentialStore>,
            "c/partner",
            move || Duration::from_secs(clock.load(Ordering::Relaxed)),
        );
        let this = Self { store, source, seconds };
        this.update(|content| (content.current, content.previous) = (current, previous));
        this
    }

    fn update(&self, change: impl FnOnce(&mut StoreContent)) {
        change(&mut self.store.0.lock().expect("a lock"));
    }

    fn advance(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn current(&self) -> Result<String, String> {
        client_id_or_reason(poll_once(self.source.current()))
    }

    fn replace_rejected(&self, refused: &str) -> Result<String, String> {
        client_id_or_reason(poll_once(self.source.replace_rejected(&credentials(refused).into())))
    }

    fn requests(&self) -> Vec<RequestedVersion> {
        self.store.0.lock().expect("a lock").requests.drain(..).collect()
    }
}

fn poll_once<V>(future: impl Future<Output = V>) -> V {
    future.now_or_never().expect("this store has nothing to wait for")
}

/// The client id or the error, both without a secret.
fn client_id_or_reason(offered: Result<Auth, NoCredential>) -> Result<String, String> {
    assert!(!format!("{offered:?}").contains("hush"), "{offered:?}");
    match offered {
        Ok(Auth::Credentials(offered)) => Ok(offered.client_id().to_owned()),
        Ok(other) => unreachable!("a store holds credentials, not {other:?}"),
        Err(reason) => Err(reason.to_string()),
    }
}

fn ok(id: &str) -> Result<String, String> {
    Ok(id.to_owned())
}

use RequestedVersion::{Cached, Fresh};

#[test]
fn cached_credential_is_used_while_it_works() {
    let set = Fixture::new(stored("a"), stored("z"));
    for _ in 0..3 {
        assert_eq!(set.current(), ok("a"));
        set.advance(3_600);
    }
    assert_eq!(set.requests(), [Cached, Cached, Cached]);
    assert!(!format!("{:?}", set.source).contains("hush"));
}

#[test]
fn rejection_bypasses_the_cache() {
    let set = Fixture::new(stored("b"), stored("a"));
    set.update(|content| content.cached = stored("a"));
    assert_eq!(set.current(), ok("a"));
    assert_eq!(set.replace_rejected("a"), ok("b"));
    assert_eq!(set.requests(), [Cached, Fresh]);
}

#[test]
fn previous_version_is_tried_last() {
    for (cached, tried) in [("b", &["b", "a"][..]), ("older", &["older", "b", "a"])] {
        let set = Fixture::new(stored("b"), stored("a"));
        set.update(|content| content.cached = stored(cached));
        assert_eq!(set.current(), ok(tried[0]));
        for pair in tried.windows(2) {
            assert_eq!(set.replace_rejected(pair[0]), ok(pair[1]), "{tried:?}");
        }
        let advice = set.replace_rejected("a").expect_err("no other version");
        let expected =
            format!("c/partner: all its versions are rejected (client id {})", tried.join(" and "));
        assert!(advice.starts_with(&expected), "{advice}");
        assert!(advice.contains("create a new credential in Sophos Central and store it"), "{advice}");
        let requests = set.requests();
        assert_eq!(requests.iter().filter(|version| **version == Fresh).count(), 1, "{requests:?}");
    }
}

#[test]
fn rejected_credential_is_not_retried_unless_replaced() {
    let refused = || {
        let set = Fixture::new(stored("b"), stored("a"));
        assert_eq!((set.current(), set.replace_rejected("b")), (ok("b"), ok("a")));
        assert!(set.replace_rejected("a").is_err());
        set.requests();
        set
    };
    let set = refused();
    for turn in [0, 30, 29] {
        set.advance(turn);
        let reason = set.current().expect_err("it rests");
        assert_eq!(
            reason,
            "c/partner: the credential was rejected less than 60 s ago and is not replaced (client id b and a); store a new one"
        );
    }
    assert!(set.requests().iter().all(|version| *version != Cached), "a replacement must be seen");
    set.advance(1);
    assert_eq!(set.current(), ok("b"));
    assert_eq!(set.requests(), [Cached]);

    let set = refused();
    set.update(|content| (content.current, content.previous) = (stored("c"), stored("b")));
    assert_eq!(set.current(), ok("c"));
    assert_eq!(set.current(), ok("c"), "it was not refused itself");
    assert!(set.replace_rejected("c").expect_err("no more").contains("client id b and a and c"));

    // The same client with another secret is another credential.
    let set = refused();
    let other = StoredCredential::new(Credentials::new("b", "hush-another"));
    set.update(|content| content.current = Some(Ok(Some(Arc::new(other)))));
    assert_eq!(set.current(), ok("b"));
}

#[test]
fn rejected_credential_is_not_retried_while_previous_works() {
    let set = Fixture::new(stored("b"), stored("a"));
    assert_eq!((set.current(), set.replace_rejected("b")), (ok("b"), ok("a")));
    set.advance(59);
    assert_eq!(set.current(), ok("a"), "another token is needed soon");
    set.advance(1);
    assert_eq!(
        (set.current(), set.replace_rejected("b")),
        (ok("b"), ok("a")),
        "an hour later all versions are tried again"
    );
}

#[test]
fn unreadable_previous_version_is_skipped() {
    for previous in [unreadable(), None, stored("a")] {
        let set = Fixture::new(stored("a"), previous);
        assert_eq!(set.current(), ok("a"));
        let advice = set.replace_rejected("a").expect_err("no other version");
        assert!(advice.contains("all its versions are rejected (client id a);"), "{advice}");
    }
}

#[test]
fn store_failure_is_the_reason() {
    let set = Fixture::new(unreadable(), stored("a"));
    assert_eq!(set.current().expect_err("unreadable"), "c/partner: Secrets Manager returned AccessDenied");
    assert_eq!(set.requests(), [Cached], "earlier versions do not matter");
    let set = Fixture::new(None, stored("a"));
    assert_eq!(set.current().expect_err("gone"), "missing credential \"c/partner\"");

    // After a rejection, the rejected credential is not retried.
    let set = Fixture::new(unreadable(), None);
    set.update(|content| content.cached = stored("a"));
    assert_eq!(set.current(), ok("a"));
    assert!(set.replace_rejected("a").expect_err("unreadable").contains("AccessDenied"));
    for _ in 0..3 {
        assert!(set.current().expect_err("unreadable").contains("AccessDenied"));
    }
    assert!(!set.requests()[1..].contains(&Cached), "the cache has what was refused");
    set.update(|content| content.current = stored("a"));
    assert!(set.current().expect_err("it rests").contains("is not replaced"));
    set.advance(60);
    assert_eq!(set.current(), ok("a"));
}

#[test]
fn foreign_auth_is_not_replaced() {
    let set = Fixture::new(stored("a"), None);
    let token = AccessToken::new("hush-token").into();
    let reason = client_id_or_reason(poll_once(set.source.replace_rejected(&token))).expect_err("a token");
    assert_eq!(reason, "c/partner: the rejected credential is not from this store");
    assert!(set.requests().is_empty());
}
