//! What a client is offered of a store, one refusal after the other.

use std::{
    collections::VecDeque,
    future::{Future, ready},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use sophos_api::{AccessToken, Authority, BoxFuture, CredentialSource, Credentials, NoCredential};
use sophos_secrets::{CredentialStore, Listed, SourceError, StoredCredential, StoredSource, Version};

type Read = Result<Option<Arc<StoredCredential>>, SourceError>;

/// What it holds, and what of that a cache would show.
#[derive(Debug, Default)]
struct Held {
    cached: Option<Read>,
    current: Option<Read>,
    previous: Option<Read>,
    asked: VecDeque<Version>,
}

#[derive(Debug, Default)]
struct Store(Mutex<Held>);

impl CredentialStore for Store {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        Box::pin(ready(Ok(Vec::new())))
    }

    fn read<'a>(&'a self, name: &'a str, version: Version) -> BoxFuture<'a, Read> {
        assert_eq!(name, "c/partner");
        let mut held = self.0.lock().expect("a lock");
        held.asked.push_back(version);
        let read = match version {
            Version::Cached => held.cached.as_ref().or(held.current.as_ref()),
            Version::Fresh => {
                held.cached = None;
                held.current.as_ref()
            }
            Version::Previous => held.previous.as_ref(),
        };
        Box::pin(ready(read.cloned().unwrap_or(Ok(None))))
    }
}

/// A credential of which the secret is found again.
fn credentials(id: &str) -> Credentials {
    Credentials::new(id, format!("hush-{id}"))
}

fn stored(id: &str) -> Option<Read> {
    Some(Ok(Some(Arc::new(StoredCredential::of(credentials(id))))))
}

fn unreadable() -> Option<Read> {
    Some(Err(SourceError::new("c/partner", "Secrets Manager answers AccessDenied")))
}

struct Set {
    store: Arc<Store>,
    source: StoredSource,
    seconds: Arc<AtomicU64>,
}

impl Set {
    fn new(current: Option<Read>, previous: Option<Read>) -> Self {
        let (store, seconds) = (Arc::new(Store::default()), Arc::new(AtomicU64::new(1_000)));
        let clock = Arc::clone(&seconds);
        let source =
            StoredSource::new(Arc::clone(&store) as Arc<dyn CredentialStore>, "c/partner", move || {
                Duration::from_secs(clock.load(Ordering::Relaxed))
            });
        let this = Self { store, source, seconds };
        this.hold(|held| (held.current, held.previous) = (current, previous));
        this
    }

    fn hold(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.store.0.lock().expect("a lock"));
    }

    fn turn(&self, seconds: u64) {
        self.seconds.fetch_add(seconds, Ordering::Relaxed);
    }

    fn current(&self) -> Result<String, String> {
        told(now(self.source.current()))
    }

    fn after(&self, refused: &str) -> Result<String, String> {
        told(now(self.source.after_refusal(&credentials(refused).into())))
    }

    fn asked(&self) -> Vec<Version> {
        self.store.0.lock().expect("a lock").asked.drain(..).collect()
    }
}

fn now<V>(future: impl Future<Output = V>) -> V {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("this store has nothing to wait for"),
    }
}

/// The client id, or the reason, in neither of which is a secret.
fn told(offered: Result<Authority, NoCredential>) -> Result<String, String> {
    assert!(!format!("{offered:?}").contains("hush"), "{offered:?}");
    match offered {
        Ok(Authority::Credentials(offered)) => Ok(offered.client_id().to_owned()),
        Ok(other) => unreachable!("a store holds credentials, not {other:?}"),
        Err(reason) => Err(reason.to_string()),
    }
}

fn ok(id: &str) -> Result<String, String> {
    Ok(id.to_owned())
}

use Version::{Cached, Fresh};

#[test]
fn what_the_cache_holds_is_enough_while_it_works() {
    let set = Set::new(stored("a"), stored("z"));
    for _ in 0..3 {
        assert_eq!(set.current(), ok("a"));
        set.turn(3_600);
    }
    assert_eq!(set.asked(), [Cached, Cached, Cached]);
    assert!(!format!("{:?}", set.source).contains("hush"));
}

#[test]
fn after_a_refusal_the_store_is_asked_past_its_cache() {
    let set = Set::new(stored("b"), stored("a"));
    set.hold(|held| held.cached = stored("a"));
    assert_eq!(set.current(), ok("a"));
    assert_eq!(set.after("a"), ok("b"));
    assert_eq!(set.asked(), [Cached, Fresh]);
}

#[test]
fn the_version_before_is_the_last_that_is_tried() {
    for (cached, tried) in [("b", &["b", "a"][..]), ("older", &["older", "b", "a"])] {
        let set = Set::new(stored("b"), stored("a"));
        set.hold(|held| held.cached = stored(cached));
        assert_eq!(set.current(), ok(tried[0]));
        for pair in tried.windows(2) {
            assert_eq!(set.after(pair[0]), ok(pair[1]), "{tried:?}");
        }
        let advice = set.after("a").expect_err("there is no more");
        let expected = format!("c/partner: all that it holds is refused (client id {})", tried.join(" and "));
        assert!(advice.starts_with(&expected), "{advice}");
        assert!(advice.contains("make a new credential in Sophos Central, and store it"), "{advice}");
        let asked = set.asked();
        assert_eq!(asked.iter().filter(|version| **version == Fresh).count(), 1, "{asked:?}");
    }
}

#[test]
fn what_was_refused_rests_unless_it_was_replaced() {
    let refused = || {
        let set = Set::new(stored("b"), stored("a"));
        assert_eq!((set.current(), set.after("b")), (ok("b"), ok("a")));
        assert!(set.after("a").is_err());
        set.asked();
        set
    };
    let set = refused();
    for turn in [0, 30, 29] {
        set.turn(turn);
        let reason = set.current().expect_err("it rests");
        assert_eq!(
            reason,
            "c/partner: it was refused less than 60 s ago and was not replaced since (client id b and a)"
        );
    }
    assert!(set.asked().iter().all(|version| *version != Cached), "a replacement must be seen");
    set.turn(1);
    assert_eq!(set.current(), ok("b"));
    assert_eq!(set.asked(), [Cached]);

    let set = refused();
    set.hold(|held| (held.current, held.previous) = (stored("c"), stored("b")));
    assert_eq!(set.current(), ok("c"));
    assert_eq!(set.current(), ok("c"), "it was not refused itself");
    assert!(set.after("c").expect_err("no more").contains("client id b and a and c"));

    // The same client with another secret is another credential.
    let set = refused();
    let other = StoredCredential::of(Credentials::new("b", "hush-another"));
    set.hold(|held| held.current = Some(Ok(Some(Arc::new(other)))));
    assert_eq!(set.current(), ok("b"));
}

#[test]
fn while_the_version_before_works_the_refused_one_rests() {
    let set = Set::new(stored("b"), stored("a"));
    assert_eq!((set.current(), set.after("b")), (ok("b"), ok("a")));
    set.turn(59);
    assert_eq!(set.current(), ok("a"), "another token is needed soon");
    set.turn(1);
    assert_eq!((set.current(), set.after("b")), (ok("b"), ok("a")), "and an hour later all is tried anew");
}

#[test]
fn a_version_before_that_cannot_be_read_is_passed_over() {
    for previous in [unreadable(), None, stored("a")] {
        let set = Set::new(stored("a"), previous);
        assert_eq!(set.current(), ok("a"));
        let advice = set.after("a").expect_err("there is no more");
        assert!(advice.contains("all that it holds is refused (client id a);"), "{advice}");
    }
}

#[test]
fn a_store_that_cannot_be_read_is_the_reason() {
    let set = Set::new(unreadable(), stored("a"));
    assert_eq!(set.current().expect_err("unreadable"), "c/partner: Secrets Manager answers AccessDenied");
    assert_eq!(set.asked(), [Cached], "what was stored before is none of its business");
    let set = Set::new(None, stored("a"));
    assert_eq!(set.current().expect_err("gone"), "there is no credential \"c/partner\"");

    // After a refusal, what was refused rests all the same.
    let set = Set::new(unreadable(), None);
    set.hold(|held| held.cached = stored("a"));
    assert_eq!(set.current(), ok("a"));
    assert!(set.after("a").expect_err("unreadable").contains("AccessDenied"));
    for _ in 0..3 {
        assert!(set.current().expect_err("unreadable").contains("AccessDenied"));
    }
    assert!(!set.asked()[1..].contains(&Cached), "the cache has what was refused");
    set.hold(|held| held.current = stored("a"));
    assert!(set.current().expect_err("it rests").contains("was not replaced"));
    set.turn(60);
    assert_eq!(set.current(), ok("a"));
}

#[test]
fn what_is_not_of_the_store_is_not_replaced_by_it() {
    let set = Set::new(stored("a"), None);
    let token = AccessToken::new("hush-token").into();
    let reason = told(now(set.source.after_refusal(&token))).expect_err("a token");
    assert_eq!(reason, "c/partner: what was refused is not of this store");
    assert!(set.asked().is_empty());
}
