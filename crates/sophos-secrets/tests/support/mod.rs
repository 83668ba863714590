//! Secrets Manager on loopback, as far as its client is used here, and a manual
//! clock.

// Each test file is a crate, and uses a part of this module.
#![allow(dead_code, unused_imports)]

mod clock;
mod responses;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sdk_secretsmanager::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::IntoResponse};
pub(crate) use clock::Clock;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

pub(crate) const LIST: &str = "ListSecrets";
pub(crate) const BATCH: &str = "BatchGetSecretValue";
pub(crate) const GET: &str = "GetSecretValue";

/// The text in every secret, and in no output.
pub(crate) const SECRET_TEXT: &str = "hush-hush";

/// The JSON of a credential.
pub(crate) fn credential(client_id: &str) -> String {
    serde_json::json!({"client_id": client_id, "client_secret": format!("{SECRET_TEXT}-{client_id}")})
        .to_string()
}

#[derive(Clone)]
enum StoredValue {
    Text(String),
    Binary,
}

#[derive(Default)]
struct Secret {
    current: Option<(String, StoredValue)>,
    previous: Option<(String, StoredValue)>,
    tags: Vec<(String, String)>,
}

#[derive(Default)]
struct FakeState {
    secrets: BTreeMap<String, Secret>,
    versions: u32,
    denied: BTreeSet<String>,
    /// The fixed responses of operations.
    faults: HashMap<&'static str, (u16, String)>,
    calls: Vec<(String, Value)>,
    /// Whether each page of a listing has its own token as the next.
    repeats: bool,
}

/// The service. A delayed response has the content of the time of its request.
pub(crate) struct FakeSecretsManager {
    inside: Mutex<FakeState>,
    delayed: watch::Sender<&'static [&'static str]>,
    arrived: watch::Sender<usize>,
    endpoint: String,
}

impl FakeSecretsManager {
    pub(crate) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let this = Arc::new(Self {
            inside: Mutex::default(),
            delayed: watch::Sender::new(&[]),
            arrived: watch::Sender::new(0),
            endpoint,
        });
        let router = Router::new().fallback(respond).with_state(Arc::clone(&this));
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.endpoint, None)
    }

    pub(crate) fn client_with_short_timeout(&self) -> Client {
        client(&self.endpoint, Some(Duration::from_millis(50)))
    }

    /// Stores a new current version.
    pub(crate) fn put(&self, name: &str, text: impl Into<String>) {
        self.store(name, StoredValue::Text(text.into()));
    }

    pub(crate) fn put_binary(&self, name: &str) {
        self.store(name, StoredValue::Binary);
    }

    fn store(&self, name: &str, stored: StoredValue) {
        let mut inside = self.inside();
        inside.versions += 1;
        let version = format!("version-{}", inside.versions);
        let secret = inside.secrets.entry(name.to_owned()).or_default();
        secret.previous = secret.current.replace((version, stored));
    }

    /// Creates a secret without a version.
    pub(crate) fn create(&self, name: &str) {
        self.inside().secrets.insert(name.to_owned(), Secret::default());
    }

    pub(crate) fn tag(&self, name: &str, key: &str, value: &str) {
        let mut inside = self.inside();
        inside.secrets.entry(name.to_owned()).or_default().tags.push((key.to_owned(), value.to_owned()));
    }

    /// Removes the label `AWSPREVIOUS`.
    pub(crate) fn drop_previous(&self, name: &str) {
        self.inside().secrets.get_mut(name).expect("a secret").previous = None;
    }

    pub(crate) fn delete(&self, name: &str) {
        self.inside().secrets.remove(name);
    }

    /// Denies reads of this secret.
    pub(crate) fn deny(&self, name: &str) {
        self.inside().denied.insert(name.to_owned());
    }

    /// Sets the response of an operation.
    pub(crate) fn fail(&self, operation: &'static str, status: u16, body: impl Into<String>) {
        self.inside().faults.insert(operation, (status, body.into()));
    }

    /// Repeats an earlier token in every page of a listing.
    pub(crate) fn repeat_pages(&self) {
        self.inside().repeats = true;
    }

    pub(crate) fn clear_faults(&self) {
        let mut inside = self.inside();
        inside.repeats = false;
        inside.faults.clear();
        inside.denied.clear();
    }

    /// Delays all responses.
    pub(crate) fn hold_responses(&self) {
        self.delayed.send_replace(&[LIST, BATCH, GET]);
    }

    /// Delays the responses to batches.
    pub(crate) fn hold_batches(&self) {
        self.delayed.send_replace(&[BATCH]);
    }

    pub(crate) fn release(&self) {
        self.delayed.send_replace(&[]);
    }

    /// Waits until this many requests have arrived.
    pub(crate) async fn wait_for_requests(&self, count: usize) {
        let mut arrived = self.arrived.subscribe();
        arrived.wait_for(|arrived| *arrived >= count).await.expect("the service lives");
    }

    /// The number of requests so far.
    pub(crate) fn request_count(&self) -> usize {
        *self.arrived.borrow()
    }

    /// The numbers of ListSecrets, BatchGetSecretValue and GetSecretValue requests since the
    /// last call.
    pub(crate) fn take_request_counts(&self) -> [usize; 3] {
        let calls = std::mem::take(&mut self.inside().calls);
        [LIST, BATCH, GET].map(|operation| calls.iter().filter(|(called, _)| called == operation).count())
    }

    fn inside(&self) -> MutexGuard<'_, FakeState> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn client(endpoint: &str, patience: Option<Duration>) -> Client {
    let mut timeouts = TimeoutConfig::builder();
    timeouts.set_operation_timeout(patience);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-west-1"))
        .credentials_provider(Credentials::new("AKIALOOPBACK", "a-key-of-the-tests", None, None, "tests"))
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts.build())
        .build();
    Client::from_conf(config)
}

/// A client of an unreachable service.
pub(crate) fn unreachable_client() -> Client {
    client("http://127.0.0.1:1", None)
}

async fn respond(
    State(service): State<Arc<FakeSecretsManager>>,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("secretsmanager.").unwrap_or_default().to_owned();
    let request: Value = serde_json::from_slice(&body).expect("JSON");
    let (status, body) = {
        let mut inside = service.inside();
        let response = responses::respond(&inside, &operation, &request);
        inside.calls.push((operation.clone(), request));
        response
    };
    service.arrived.send_modify(|arrived| *arrived += 1);
    let mut delayed = service.delayed.subscribe();
    delayed.wait_for(|delayed| !delayed.contains(&operation.as_str())).await.expect("the service lives");
    let status = axum::http::StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/x-amz-json-1.1")], body)
}
