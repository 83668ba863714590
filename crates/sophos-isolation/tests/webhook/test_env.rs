//! A webhook with its store, secrets and queue.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::Value;
use sophos_isolation::{
    BackendError, DecisionId, Ledger, LedgerStore, LedgerStoreError,
    policy::Policy,
    verify::Keys,
    webhook::{KeySource, Queue, Request, RequestLog, Response, Webhook},
};

use super::{NOW, POLICY, SECRET_MARKER, current_value, keys, previous_value};

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("no thread panicked")
}

/// A store in memory. It yields before each call, so that concurrent calls
/// interleave.
#[derive(Debug, Default)]
pub(super) struct InMemoryStore {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    failing_prefix: Mutex<Option<String>>,
    calls: Mutex<usize>,
}

impl InMemoryStore {
    /// Makes calls for paths with this prefix fail.
    pub(super) fn fail_on(&self, prefix: Option<&str>) {
        *lock(&self.failing_prefix) = prefix.map(str::to_owned);
    }

    pub(super) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        lock(&self.objects).clone()
    }

    /// The number of objects in a folder.
    pub(super) fn count(&self, folder: &str) -> usize {
        self.objects().keys().filter(|path| path.starts_with(folder)).count()
    }

    /// The number of calls.
    pub(super) fn calls(&self) -> usize {
        *lock(&self.calls)
    }

    async fn access(&self, path: &str) -> Result<(), LedgerStoreError> {
        *lock(&self.calls) += 1;
        tokio::task::yield_now().await;
        match &*lock(&self.failing_prefix) {
            Some(prefix) if path.starts_with(prefix) => Err(LedgerStoreError::new("out of order")),
            _ => Ok(()),
        }
    }
}

impl LedgerStore for InMemoryStore {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, LedgerStoreError> {
        self.access(path).await?;
        let mut objects = lock(&self.objects);
        let new = !objects.contains_key(path);
        objects.entry(path.to_owned()).or_insert(body);
        Ok(new)
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        self.access(path).await?;
        Ok(lock(&self.objects).get(path).cloned())
    }

    async fn delete(&self, path: &str) -> Result<(), LedgerStoreError> {
        self.access(path).await?;
        lock(&self.objects).remove(path);
        Ok(())
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, LedgerStoreError> {
        self.access(folder).await?;
        let folder = format!("{folder}/");
        Ok(self.objects().keys().filter_map(|path| path.strip_prefix(&folder)).map(str::to_owned).collect())
    }
}

/// Secrets of any name.
#[derive(Debug, Clone, Default)]
pub(super) struct InMemorySecrets {
    failing: Arc<Mutex<bool>>,
    /// The names of missing secrets.
    missing: Arc<Mutex<Vec<String>>>,
    loaded: Arc<Mutex<Vec<String>>>,
    /// Values that replace the default ones.
    overrides: Arc<Mutex<BTreeMap<String, String>>>,
    /// The documents by URL.
    published: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    fetched: Arc<Mutex<Vec<String>>>,
}

impl InMemorySecrets {
    pub(super) fn fail(&self) {
        *lock(&self.failing) = true;
    }

    /// Removes a secret.
    pub(super) fn remove_secret(&self, name: &str) {
        lock(&self.missing).push(name.to_owned());
    }

    /// Takes the names of the secrets that were read.
    pub(super) fn take_loaded(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.loaded))
    }

    /// Stores a value of a secret, with none before it.
    pub(super) fn store(&self, name: &str, value: &str) {
        lock(&self.overrides).insert(name.to_owned(), value.to_owned());
    }

    /// Publishes a document at a URL, or removes it.
    pub(super) fn publish(&self, url: &str, document: Option<&[u8]>) {
        match document {
            Some(document) => lock(&self.published).insert(url.to_owned(), document.to_vec()),
            None => lock(&self.published).remove(url),
        };
    }

    /// Takes the URLs that were fetched.
    pub(super) fn take_fetched(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.fetched))
    }
}

impl KeySource for InMemorySecrets {
    async fn load_keys(&self, name: &str) -> Result<Keys, BackendError> {
        lock(&self.loaded).push(name.to_owned());
        if *lock(&self.failing) || lock(&self.missing).iter().any(|missing| missing == name) {
            return Err(BackendError::new(format!("the secret {name} cannot be read")));
        }
        let stored = lock(&self.overrides).get(name).cloned();
        Ok(match stored {
            Some(value) => keys(&value, None),
            None => keys(&current_value(name), Some(&previous_value(name))),
        })
    }

    async fn fetch_url(&self, url: &str) -> Result<Vec<u8>, BackendError> {
        tokio::task::yield_now().await;
        lock(&self.fetched).push(url.to_owned());
        lock(&self.published)
            .get(url)
            .cloned()
            .ok_or_else(|| BackendError::new("the response has the status 404"))
    }
}

/// A queue that records decisions.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordingQueue {
    sent: Arc<Mutex<Vec<String>>>,
    failing: Arc<Mutex<bool>>,
}

impl RecordingQueue {
    pub(super) fn set_failing(&self, failing: bool) {
        *lock(&self.failing) = failing;
    }
}

impl Queue for RecordingQueue {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), BackendError> {
        if *lock(&self.failing) {
            return Err(BackendError::new("the queue is out of order"));
        }
        lock(&self.sent).extend(decisions.iter().map(ToString::to_string));
        Ok(())
    }
}

/// A webhook with its policy, store, secrets and queue.
pub(super) struct TestEnv {
    pub(super) policy: Policy,
    pub(super) store: Arc<InMemoryStore>,
    pub(super) secrets: InMemorySecrets,
    pub(super) queue: RecordingQueue,
    pub(super) webhook: Webhook<Arc<InMemoryStore>, InMemorySecrets, RecordingQueue>,
}

impl TestEnv {
    pub(super) fn new() -> Self {
        static PARSED: LazyLock<Policy> = LazyLock::new(|| Policy::parse(POLICY).expect("a policy"));
        let (vault, line, memory) =
            (InMemorySecrets::default(), RecordingQueue::default(), Arc::new(InMemoryStore::default()));
        let webhook = Webhook::new(Ledger::new(Arc::clone(&memory)), vault.clone(), line.clone());
        Self { policy: PARSED.clone(), store: memory, secrets: vault, queue: line, webhook }
    }

    /// The same under another policy.
    pub(super) fn with_policy(policy: &str) -> Self {
        Self { policy: Policy::parse(policy).expect("a policy"), ..Self::new() }
    }

    pub(super) async fn handle_at(&self, request: &Request, now: Duration) -> (Response, RequestLog) {
        let (response, notice) = self.webhook.handle(&self.policy, request, now).await;
        let output = format!("{response:?} {notice:?} {:?} {request:?}", notice.problem());
        assert!(!output.contains(SECRET_MARKER), "the output has a secret: {output}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
        (response, notice)
    }

    pub(super) async fn handle(&self, request: &Request) -> (Response, RequestLog) {
        self.handle_at(request, NOW).await
    }

    pub(super) async fn send(&self, request: &Request) -> Response {
        self.handle(request).await.0
    }

    pub(super) async fn event(&self, event: &Value) -> (Response, RequestLog) {
        self.webhook.handle_event(&self.policy, event, NOW).await
    }

    pub(super) fn queued(&self) -> Vec<String> {
        lock(&self.queue.sent).clone()
    }

    pub(super) fn clear_queue(&self) {
        lock(&self.queue.sent).clear();
    }

    /// The number of decisions.
    pub(super) fn decision_count(&self) -> usize {
        self.store.count("received/")
    }

    /// The signal of a decision, as the webhook writes it.
    pub(super) fn received_signal(&self, id: &str) -> Value {
        let body = self.store.objects().remove(&format!("received/{id}.json")).expect("a decision");
        serde_json::from_slice(&body).expect("an entry")
    }

    /// The answer that was submitted for a decision.
    pub(super) fn submitted_answer(&self, id: &str) -> Option<String> {
        let body = self.store.objects().remove(&format!("answers/{id}.json"))?;
        let body: Value = serde_json::from_slice(&body).expect("a response");
        Some(body["answer"].as_str().expect("a word").to_owned())
    }
}
