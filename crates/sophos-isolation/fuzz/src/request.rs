//! A request to the webhook, in the form of [`message`](crate::message), or an event of
//! EventBridge: `EVENT` and its JSON as the body.
//!
//! The placeholders are `{secret}`, `{previous}`, `{basic}`, `{time}`, `{signature}` in the layout
//! of the source, and `{approval}`, the rest of a valid link to the waiting decision.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use futures_executor::block_on;
use secrecy::SecretString;
use serde_json::Value;
use sophos_isolation::{
    ApprovalLinks, BackendError, CreatedDecision, DecisionId, IsolationTarget, Ledger, LedgerStore, LedgerStoreError,
    ReceivedSignal, Transition,
    adapters::Tool,
    policy::Policy,
    signal::Signal,
    verify::{Keys, Verification},
    webhook::{KeySource, Queue, Request, RequestLog, Response, Webhook},
};

use crate::message::{self, CURRENT_SECRET, NOW, PREVIOUS_SECRET};

static POLICY: LazyLock<Policy> =
    LazyLock::new(|| Policy::parse(include_str!("policy.toml")).expect("a policy"));

/// A temporary store.
#[derive(Debug, Default)]
struct InMemoryStore(Mutex<BTreeMap<String, Vec<u8>>>);

impl InMemoryStore {
    fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> Result<T, LedgerStoreError> {
        Ok(work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl LedgerStore for InMemoryStore {
    async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, LedgerStoreError> {
        assert!(
            path.split('/').all(|part| !["", ".", ".."].contains(&part)) && !path.contains(char::is_control),
            "{path:?}"
        );
        self.with(|objects| {
            let is_new = !objects.contains_key(path);
            objects.entry(path.to_owned()).or_insert(body);
            is_new
        })
    }

    async fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerStoreError> {
        self.with(|objects| objects.get(path).cloned())
    }

    async fn delete(&self, path: &str) -> Result<(), LedgerStoreError> {
        self.with(|objects| objects.remove(path)).map(drop)
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, LedgerStoreError> {
        let folder = format!("{folder}/");
        let name = |path: &String| path.strip_prefix(&folder).map(str::to_owned);
        self.with(|objects| objects.keys().filter_map(name).collect())
    }
}

struct Secrets;

impl KeySource for Secrets {
    async fn load_keys(&self, _: &str) -> Result<Keys, BackendError> {
        Ok(message::keys())
    }
}

#[derive(Default)]
struct RecordingQueue(Mutex<Vec<DecisionId>>);

impl Queue for RecordingQueue {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), BackendError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(decisions);
        Ok(())
    }
}

impl RecordingQueue {
    fn take(&self) -> Vec<DecisionId> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

type TestWebhook = Webhook<InMemoryStore, Secrets, RecordingQueue>;

/// Checks the response, the stored records and the enqueued work, and that the same request sent
/// again changes nothing.
pub fn check(text: &str) {
    let waiting = DecisionId::from_event_id("scripts", "the one that waits");
    let hook = Webhook::new(
        Ledger::with_writer_id(InMemoryStore::default(), "run"),
        Secrets,
        RecordingQueue::default(),
    );
    create_waiting_decision(&hook, &waiting);
    let request = parse_request(text, &waiting);
    let secrets = [CURRENT_SECRET, PREVIOUS_SECRET];
    let shows = |secret: &&str| format!("{request:?}").contains(*secret);
    assert!(!secrets.iter().any(shows), "leak: a request shows a secret");

    let before = hook.ledger().store().objects();
    let (response, notice) = handle(&hook, &request);
    let after = hook.ledger().store().objects();
    let handed_on = hook.queue().take();
    check_response(&request, &response, &notice);
    let begun: Vec<_> = notice.created.iter().chain(&notice.duplicates).cloned().collect();
    // An event fails if one of its findings cannot be parsed; the others count.
    let is_partial = request.method == "EVENT" && response.status == 422 && !begun.is_empty();
    if !is_partial && (400..500).contains(&response.status) || request.method == "GET" {
        let is_kept = |path: &String| !path.starts_with("unreadable/") || response.status != 422;
        let kept: Vec<_> = after.keys().filter(|path| is_kept(path)).collect();
        assert_eq!(before.keys().collect::<Vec<_>>(), kept, "what is refused leaves no more than a record");
        assert!(begun.is_empty() && handed_on.is_empty());
    }
    // A created decision is enqueued, or refused with a reason, and reported.
    for id in &notice.created {
        let decision = block_on(hook.ledger().load_decision(id)).expect("the store").expect("a decision");
        assert_eq!(decision.refusal().is_none(), handed_on.contains(id), "{decision:?}");
    }
    let reported: Vec<DecisionId> = serde_json::from_str::<Value>(&response.body)
        .ok()
        .and_then(|body| serde_json::from_value(body["decisions"].clone()).ok())
        .unwrap_or_default();
    assert_eq!(reported, if is_partial { Vec::new() } else { begun.clone() });

    let (again, notice) = handle(&hook, &request);
    assert!(notice.created.is_empty());
    if begun.is_empty() || is_partial {
        let is_answer = request.path.contains("approvals");
        assert!(is_answer || again == response, "{response:?} {again:?}");
    } else {
        assert_eq!((again.status, &again.body), (200, &response.body));
    }
    assert_eq!(after, hook.ledger().store().objects(), "the same again changes nothing");
}

fn handle(hook: &TestWebhook, request: &Request) -> (Response, RequestLog) {
    let now = Duration::from_secs(NOW);
    if request.method != "EVENT" {
        return block_on(hook.handle(&POLICY, request, now));
    }
    let event = serde_json::from_slice(&request.body).unwrap_or_default();
    block_on(hook.handle_event(&POLICY, &event, now))
}

/// Checks the properties of every response.
fn check_response(request: &Request, response: &Response, notice: &RequestLog) {
    let known = [200, 202, 401, 403, 404, 405, 413, 415, 422];
    assert!(known.contains(&response.status), "{response:?}");
    let header = |name: &str| response.header(name).unwrap_or_default();
    assert_eq!((header("cache-control"), header("x-content-type-options")), ("no-store", "nosniff"));
    assert!(response.headers.iter().all(|(_, value)| !value.contains(char::is_control)));
    assert!(response.body.len() < 16_384);
    let said = format!("{response:?}{notice:?}");
    // Every challenge is echoed.
    let challenge = request.query.contains("validationToken")
        || request.header("x-okta-verification-challenge").is_some();
    for secret in [CURRENT_SECRET, PREVIOUS_SECRET] {
        assert!(challenge || !said.contains(secret), "leak: {said}");
    }
    if let Some(problem) = notice.problem() {
        assert!(!problem.is_empty() && problem.chars().count() <= 200);
    }
    if header("content-type").starts_with("text/html") {
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert!(!response.body.contains("<script") && !response.body.contains("<img"), "{}", response.body);
    } else if header("content-type") == "application/json" {
        assert!(serde_json::from_str::<Value>(&response.body).is_ok());
    }
}

/// Creates a decision that waits for approval, for a host whose name is markup.
fn create_waiting_decision(hook: &TestWebhook, id: &DecisionId) {
    let now = Duration::from_secs(NOW - 60);
    let mut signal = Signal::default();
    signal.title = "<script>alert(1)</script>".into();
    let received = ReceivedSignal {
        source: "scripts".into(),
        tool: Tool::Generic,
        signal,
        alert: None,
        body_sha256: String::new(),
        source_ip: None,
        secret_stage: None,
        not_actionable: None,
    };
    let target = IsolationTarget {
        tenant: "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f".into(),
        endpoint: "6e9567ea-bb50-40c5-9f12-42eb308e4c9b".into(),
        hostname: Some("<img src=x>".into()),
    };
    let step = Transition::PendingApproval { target, reason: "<script>".into(), expires_at: NOW + 600 };
    let Ok(CreatedDecision::New(mut decision)) = block_on(hook.ledger().create_decision(id, &received, now))
    else {
        panic!("the store is empty")
    };
    assert!(block_on(hook.ledger().append_transition(&mut decision, step, now)).expect("the store"));
}

/// The request with its placeholders filled in.
fn parse_request(text: &str, waiting: &DecisionId) -> Request {
    let (head, body) = message::split_head(text);
    let link = ApprovalLinks::new("", SecretString::from(CURRENT_SECRET)).link(waiting, NOW + 600);
    let put = |line: &str| {
        line.replace("{secret}", CURRENT_SECRET)
            .replace("{previous}", PREVIOUS_SECRET)
            .replace("{basic}", &message::basic_credentials("elastic", CURRENT_SECRET))
            .replace("{time}", &NOW.to_string())
            .replace("{approval}", link.expose())
    };
    // No sender puts a secret into the method.
    let (method, rest) = head.split_once(' ').unwrap_or((head, ""));
    let head = format!("{method} {}", put(rest));
    let lines: Vec<String> = head.lines().map(str::to_owned).collect();
    let (line, headers) = lines.split_first().map_or(("", &[][..]), |(line, rest)| (line.as_str(), rest));
    let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
    let mut request = message::parse_request(line, &headers, body);
    let source = request.path.split('/').filter(|part| !part.is_empty()).nth(1).unwrap_or_default();
    if let Some(Verification::Signature(layout)) = POLICY.source(source).map(|source| &source.verification) {
        let time = layout.timestamp.as_ref().and_then(|timestamp| request.header(&timestamp.headers[0]));
        let signature = message::sign(layout, CURRENT_SECRET, time.unwrap_or_default(), body);
        for (_, value) in &mut request.headers {
            *value = value.replace("{signature}", &signature);
        }
    }
    request
}
