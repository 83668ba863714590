//! What a client is given of a credential that is kept in a store.

use std::{
    future::ready,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use sophos_api::{Authority, BoxFuture, CredentialSource, Credentials, NoCredential};
use sophos_secrets::{CredentialStore, Listed, SourceError, StoredCredential, StoredSource, Version};

const SECRET: &str = "hush-hush";

/// A store with one credential, whose cache is as old as a test wants.
#[derive(Debug, Default)]
struct Store {
    cached: Mutex<Option<&'static str>>,
    fresh: Mutex<Option<&'static str>>,
    previous: Mutex<Option<&'static str>>,
    previous_fails: bool,
    asked: Mutex<Vec<Version>>,
}

impl Store {
    fn holding(current: &'static str, previous: Option<&'static str>) -> Arc<Self> {
        let store = Self::default();
        store.set(current);
        *store.previous.lock().expect("a value") = previous;
        Arc::new(store)
    }

    fn set(&self, current: &'static str) {
        *self.cached.lock().expect("a value") = Some(current);
        *self.fresh.lock().expect("a value") = Some(current);
    }

    /// Another is stored, and the cache does not know.
    fn replace(&self, current: &'static str) {
        *self.fresh.lock().expect("a value") = Some(current);
    }

    fn asked(&self) -> Vec<Version> {
        std::mem::take(&mut self.asked.lock().expect("a list"))
    }
}

impl CredentialStore for Store {
    fn list(&self) -> BoxFuture<'_, Result<Vec<Listed>, SourceError>> {
        unreachable!("a source reads one")
    }

    fn read<'a>(
        &'a self,
        name: &'a str,
        version: Version,
    ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SourceError>> {
        assert_eq!(name, "sophos/acme");
        self.asked.lock().expect("a list").push(version);
        let value = match version {
            Version::Cached => &self.cached,
            Version::Fresh => &self.fresh,
            Version::Previous if self.previous_fails => {
                return Box::pin(ready(Err(SourceError::new(name, "access denied"))));
            }
            Version::Previous => &self.previous,
        };
        let id = *value.lock().expect("a value");
        if version == Version::Fresh {
            *self.cached.lock().expect("a value") = id;
        }
        let stored = id.map(|id| Arc::new(StoredCredential::of(Credentials::new(id, SECRET))));
        Box::pin(ready(Ok(stored)))
    }
}

struct Stage {
    store: Arc<Store>,
    source: StoredSource,
    seconds: Arc<AtomicU64>,
}

fn now<V>(future: BoxFuture<'_, V>) -> V {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the store waits for nothing"),
    }
}

fn id(read: Result<Authority, NoCredential>) -> Result<String, String> {
    match read {
        Ok(Authority::Credentials(read)) => Ok(read.client_id().to_owned()),
        Ok(other) => unreachable!("a store holds credentials, not {other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

impl Stage {
    fn of(store: Arc<Store>) -> Self {
        let seconds = Arc::new(AtomicU64::new(1_000));
        let clock = Arc::clone(&seconds);
        let clock = move || Duration::from_secs(clock.load(Ordering::Relaxed));
        let source = StoredSource::new(Arc::clone(&store) as Arc<dyn CredentialStore>, "sophos/acme", clock);
        Self { store, source, seconds }
    }

    fn current(&self) -> Result<String, String> {
        id(now(self.source.current()))
    }

    fn after(&self, refused: &str) -> Result<String, String> {
        id(now(self.source.after_refusal(&Credentials::new(refused, SECRET).into())))
    }
}

#[test]
fn what_was_read_is_good_until_it_is_refused() {
    let stage = Stage::of(Store::holding("one", None));
    for _ in 0..3 {
        assert_eq!(stage.current(), Ok("one".into()));
    }
    assert_eq!(stage.store.asked(), [Version::Cached; 3]);
    stage.store.replace("two");
    assert_eq!(stage.current(), Ok("one".into()), "nobody has refused it");
    stage.store.asked();
    assert_eq!(stage.after("one"), Ok("two".into()));
    assert_eq!(stage.store.asked(), [Version::Fresh], "the one before is not read when there is a new one");
    assert_eq!(stage.current(), Ok("two".into()));
}

#[test]
fn the_one_before_is_tried_when_the_current_is_refused() {
    let stage = Stage::of(Store::holding("new", Some("old")));
    assert_eq!(stage.current(), Ok("new".into()));
    assert_eq!(stage.after("new"), Ok("old".into()));
    assert_eq!(stage.store.asked(), [Version::Cached, Version::Fresh, Version::Previous]);
    // With the next token it is tried anew: the service may have changed its mind.
    assert_eq!(stage.current(), Ok("new".into()));

    // What was replaced is the one before by then, and is not tried twice.
    let stage = Stage::of(Store::holding("one", Some("one")));
    assert_eq!(stage.current(), Ok("one".into()));
    stage.store.replace("two");
    assert_eq!(stage.after("one"), Ok("two".into()));
    let told = stage.after("two").expect_err("there is no third");
    assert!(told.contains("client id one and two"), "{told}");
}

#[test]
fn when_all_is_refused_it_is_told_what_to_do_and_not_tried_again_for_a_while() {
    let stage = Stage::of(Store::holding("new", Some("old")));
    assert_eq!(stage.current(), Ok("new".into()));
    assert_eq!(stage.after("new"), Ok("old".into()));
    let told = stage.after("old").expect_err("there is no other");
    for part in ["sophos/acme", "new and old", "make a new credential"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains(SECRET), "{told}");
    for _ in 0..2 {
        let told = stage.current().expect_err("it was refused just now");
        assert!(told.contains("less than 60 s ago") && told.contains("sophos/acme"), "{told}");
    }
    stage.seconds.fetch_add(61, Ordering::Relaxed);
    assert_eq!(stage.current(), Ok("new".into()), "perhaps the service is better by now");

    // One that is stored meanwhile is tried at once.
    assert_eq!(stage.after("new"), Ok("old".into()));
    stage.after("old").expect_err("there is no other");
    stage.store.replace("newer");
    assert_eq!(stage.current(), Ok("newer".into()));
    assert_eq!(stage.current(), Ok("newer".into()));
}

#[test]
fn that_the_one_before_cannot_be_read_hides_no_refusal() {
    let store = Store { previous_fails: true, ..Store::default() };
    store.set("one");
    let stage = Stage::of(Arc::new(store));
    assert_eq!(stage.current(), Ok("one".into()));
    let told = stage.after("one").expect_err("there is no other");
    assert!(told.contains("client id one"), "{told}");
}

#[test]
fn that_there_is_none_is_told_by_name() {
    let stage = Stage::of(Arc::new(Store::default()));
    let told = stage.current().expect_err("there is none");
    assert!(told.contains("sophos/acme"), "{told}");
    assert!(!format!("{:?}", stage.source).contains(SECRET));
}
