//! A webhook, and all that is around it.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::Value;
use sophos_isolation::{
    DecisionId, Ledger, Objects, StoreFailure,
    policy::Policy,
    verify::Keys,
    webhook::{KeySource, Notice, Queue, Request, Response, Webhook},
};

use super::{MARK, NOW, POLICY, current, keys, previous};

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("nobody panicked")
}

/// A store in memory. It gives way before each call, so that calls that are
/// made at once mix.
#[derive(Debug, Default)]
pub(super) struct Memory {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    failing: Mutex<Option<String>>,
    calls: Mutex<usize>,
}

impl Memory {
    /// From now on fails whatever is about a path that begins like this.
    pub(super) fn fail(&self, prefix: Option<&str>) {
        *lock(&self.failing) = prefix.map(str::to_owned);
    }

    pub(super) fn all(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.objects).clone()
    }

    /// How many objects there are in a folder.
    pub(super) fn count(&self, folder: &str) -> usize {
        self.all().keys().filter(|path| path.starts_with(folder)).count()
    }

    /// How often it was called.
    pub(super) fn calls(&self) -> usize {
        *lock(&self.calls)
    }

    async fn reach(&self, path: &str) -> Result<(), StoreFailure> {
        *lock(&self.calls) += 1;
        tokio::task::yield_now().await;
        match &*lock(&self.failing) {
            Some(prefix) if path.starts_with(prefix) => Err(StoreFailure::new("out of order")),
            _ => Ok(()),
        }
    }
}

impl Objects for Memory {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreFailure> {
        self.reach(path).await?;
        let mut objects = lock(&self.objects);
        let new = !objects.contains_key(path);
        objects.entry(path.to_owned()).or_insert(body);
        Ok(new)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, StoreFailure> {
        self.reach(path).await?;
        Ok(lock(&self.objects).get(path).cloned())
    }

    async fn remove(&self, path: &str) -> Result<(), StoreFailure> {
        self.reach(path).await?;
        lock(&self.objects).remove(path);
        Ok(())
    }

    async fn names(&self, folder: &str) -> Result<Vec<String>, StoreFailure> {
        self.reach(folder).await?;
        let folder = format!("{folder}/");
        Ok(self.all().keys().filter_map(|path| path.strip_prefix(&folder)).map(str::to_owned).collect())
    }
}

/// Secrets of any name, or none.
#[derive(Debug, Clone, Default)]
pub(super) struct Vault {
    failing: Arc<Mutex<bool>>,
    /// Secrets that there are not.
    missing: Arc<Mutex<Vec<String>>>,
    asked: Arc<Mutex<Vec<String>>>,
    /// Values in place of the usual ones.
    stored: Arc<Mutex<BTreeMap<String, String>>>,
    /// What is to be found at which URL.
    published: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    fetched: Arc<Mutex<Vec<String>>>,
}

impl Vault {
    pub(super) fn fail(&self) {
        *lock(&self.failing) = true;
    }

    /// Takes a secret away.
    pub(super) fn lose(&self, name: &str) {
        lock(&self.missing).push(name.to_owned());
    }

    /// The secrets that were read, and forgets them.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.asked))
    }

    /// Stores a value of a secret, with none before it.
    pub(super) fn store(&self, name: &str, value: &str) {
        lock(&self.stored).insert(name.to_owned(), value.to_owned());
    }

    /// Publishes a document at a URL, or takes it away.
    pub(super) fn publish(&self, url: &str, document: Option<&[u8]>) {
        match document {
            Some(document) => lock(&self.published).insert(url.to_owned(), document.to_vec()),
            None => lock(&self.published).remove(url),
        };
    }

    /// The URLs that were fetched, and forgets them.
    pub(super) fn fetched(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.fetched))
    }
}

impl KeySource for Vault {
    async fn keys(&self, name: &str) -> Result<Keys, String> {
        lock(&self.asked).push(name.to_owned());
        if *lock(&self.failing) || lock(&self.missing).iter().any(|missing| missing == name) {
            return Err(format!("the secret {name} cannot be read"));
        }
        let stored = lock(&self.stored).get(name).cloned();
        Ok(match stored {
            Some(value) => keys(&value, None),
            None => keys(&current(name), Some(&previous(name))),
        })
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, String> {
        tokio::task::yield_now().await;
        lock(&self.fetched).push(url.to_owned());
        lock(&self.published).get(url).cloned().ok_or_else(|| "the answer has the status 404".to_owned())
    }
}

/// A queue that remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    sent: Arc<Mutex<Vec<String>>>,
    failing: Arc<Mutex<bool>>,
}

impl Line {
    pub(super) fn fail(&self, failing: bool) {
        *lock(&self.failing) = failing;
    }
}

impl Queue for Line {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), String> {
        if *lock(&self.failing) {
            return Err("the queue is out of order".into());
        }
        lock(&self.sent).extend(decisions.iter().map(ToString::to_string));
        Ok(())
    }
}

/// A webhook, and all that is around it.
pub(super) struct World {
    pub(super) policy: Policy,
    pub(super) memory: Arc<Memory>,
    pub(super) vault: Vault,
    pub(super) line: Line,
    pub(super) webhook: Webhook<Arc<Memory>, Vault, Line>,
}

impl World {
    pub(super) fn new() -> Self {
        static PARSED: LazyLock<Policy> = LazyLock::new(|| Policy::parse(POLICY).expect("a policy"));
        let (vault, line, memory) = (Vault::default(), Line::default(), Arc::new(Memory::default()));
        let webhook = Webhook::new(Ledger::new(Arc::clone(&memory)), vault.clone(), line.clone());
        Self { policy: PARSED.clone(), memory, vault, line, webhook }
    }

    /// The same under another policy.
    pub(super) fn under(policy: &str) -> Self {
        Self { policy: Policy::parse(policy).expect("a policy"), ..Self::new() }
    }

    pub(super) async fn handle_at(&self, request: &Request, now: Duration) -> (Response, Notice) {
        let (response, notice) = self.webhook.handle(&self.policy, request, now).await;
        let told = format!("{response:?} {notice:?} {:?} {request:?}", notice.problem());
        assert!(!told.contains(MARK), "a secret is told: {told}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        (response, notice)
    }

    pub(super) async fn handle(&self, request: &Request) -> (Response, Notice) {
        self.handle_at(request, NOW).await
    }

    pub(super) async fn send(&self, request: &Request) -> Response {
        self.handle(request).await.0
    }

    pub(super) async fn event(&self, event: &Value) -> (Response, Notice) {
        self.webhook.event(&self.policy, event, NOW).await
    }

    pub(super) fn queued(&self) -> Vec<String> {
        lock(&self.line.sent).clone()
    }

    pub(super) fn lose_messages(&self) {
        lock(&self.line.sent).clear();
    }

    /// How many decisions there are.
    pub(super) fn decisions(&self) -> usize {
        self.memory.count("received/")
    }

    /// The signal of a decision, as the webhook writes it.
    pub(super) fn received(&self, id: &str) -> Value {
        let body = self.memory.all().remove(&format!("received/{id}.json")).expect("a decision");
        serde_json::from_slice(&body).expect("an entry")
    }

    /// The answer that was submitted for a decision.
    pub(super) fn submitted(&self, id: &str) -> Option<String> {
        let body = self.memory.all().remove(&format!("answers/{id}.json"))?;
        let answer: Value = serde_json::from_slice(&body).expect("an answer");
        Some(answer["answer"].as_str().expect("a word").to_owned())
    }
}
