//! The webhook: requests of other tools, and events of AWS.
//!
//! A [`Webhook`] maps a plain [`Request`] to a plain [`Response`], so the same code
//! runs behind a Lambda function URL and any other HTTP server. It authenticates
//! the sender, parses the body, creates a decision for each host, and queues the
//! decisions. Its responses help authentic senders to correct their requests, and
//! tell other callers nothing.
//!
//! | request | |
//! |---|---|
//! | `POST /hooks/{source}` | an alert; `/hooks/{source}/{secret}` for tools that can only send a URL |
//! | the same with `X-Sophos-Dry-Run: 1` | a check: the response has the effect of the alert, and nothing is recorded |
//! | `GET` to the same | Okta's challenge, `x-okta-verification-challenge`, under any name |
//! | `POST /hooks/{source}?validationToken=…` | Microsoft Graph's challenge, under any name |
//! | `GET /approvals/{decision}?until=…&signature=…` | the page to approve or decline a decision |
//! | `POST` to the same | the answer of that page |
//!
//! | response | |
//! |---|---|
//! | 202 | new: `decision` is the first id, `decisions` has all ids |
//! | 200 | sent before: the same ids |
//! | 401 | authentication failed: the same for a wrong signature or caller's address, an unknown source, and an unreadable secret |
//! | 403 | an invalid approval link |
//! | 404, 405 | none of the requests above |
//! | 413, 415, 422 | too large, not JSON, or not in the tool's format |
//! | 503 | retry: the ledger or the queue failed, a published key cannot be fetched, or an error in the policy disables the source of an authentic request |

mod approval;
mod authentication;
mod backends;
#[cfg(feature = "public-keys")]
mod document_cache;
mod event;
mod handshake;
mod page;
mod parse_failure;
mod request;
mod request_log;

use std::{collections::HashSet, net::IpAddr, sync::Mutex, time::Duration};

use serde_json::json;
use sha2::{Digest, Sha256};

pub use backends::{KeySource, Queue};
pub use request::{Request, Response};
pub use request_log::RequestLog;

use crate::{
    adapters::{Alert, Message},
    check::Check,
    decision::{AlertKey, DecisionId, DecisionState, ReceivedSignal},
    ledger::{CreatedDecision, Ledger, LedgerStore},
    policy::{DisabledSource, Policy, Source},
    verify::{Verification, VersionStage},
};

/// The largest body that is accepted, in bytes. Alerts have some kilobytes;
/// EventBridge delivers at most 256 KiB.
pub const MAX_BODY_LEN: usize = 1 << 20;

/// The header with which an authentic sender requests a check.
const DRY_RUN_HEADER: &str = "x-sophos-dry-run";

/// The webhook, which turns requests into decisions.
///
/// # Examples
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let location = temporary.path().to_str().ok_or("no UTF-8")?;
/// use std::time::Duration;
///
/// use sophos_isolation::{
///     BackendError, DecisionId, Ledger,
///     policy::Policy,
///     verify::Keys,
///     webhook::{KeySource, Queue, Request, Webhook},
/// };
/// use sophos_store::Store;
///
/// struct Secrets;
///
/// impl KeySource for Secrets {
///     async fn load_keys(&self, name: &str) -> Result<Keys, BackendError> {
///         match name {
///             "webhooks/scripts" => Ok(Keys::new("key-of-the-scripts".into(), None)),
///             _ => Err(BackendError::new(format!("missing secret \"{name}\"; store it"))),
///         }
///     }
/// }
///
/// struct Printer;
///
/// impl Queue for Printer {
///     async fn send(&self, decisions: &[DecisionId]) -> Result<(), BackendError> {
///         println!("for the worker: {decisions:?}");
///         Ok(())
///     }
/// }
///
/// let policy = Policy::parse(
///     r#"
/// version = 1
/// mode = "enforce"
///
/// [sources.scripts]
/// tool = "generic"
/// tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
/// verify = { scheme = "bearer", secret = "webhooks/scripts" }
/// "#,
/// )?;
/// let webhook = Webhook::new(Ledger::new(Store::open(location)?), Secrets, Printer);
/// let mut request = Request::default();
/// request.method = "POST".into();
/// request.path = "/hooks/scripts".into();
/// request.headers = vec![
///     ("authorization".into(), "Bearer key-of-the-scripts".into()),
///     ("content-type".into(), "application/json".into()),
/// ];
/// request.body = br#"{"event_id": "1", "target": {"hostname": "laptop-4711"}}"#.to_vec();
/// let now = Duration::from_secs(1_790_000_000);
/// assert_eq!(webhook.handle(&policy, &request, now).await.0.status, 202);
/// // The same event again creates no other decision.
/// assert_eq!(webhook.handle(&policy, &request, now).await.0.status, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Webhook<O, K, Q> {
    ledger: Ledger<O>,
    keys: K,
    queue: Q,
    #[cfg(feature = "public-keys")]
    document_cache: document_cache::DocumentCache,
    /// The secrets with a warning in the log.
    warned_secrets: Mutex<HashSet<String>>,
}

/// An authentic message and its origin.
struct ReceivedMessage<'a> {
    source: &'a Source,
    /// The body, as it was sent.
    body: &'a [u8],
    source_ip: Option<IpAddr>,
    /// The version of the secret; `None` for an event of AWS.
    secret_stage: Option<VersionStage>,
}

/// A response, and the data for the log.
type HandledRequest = (Response, RequestLog);

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// Creates a webhook that records decisions in a ledger and sends them to a
    /// queue.
    pub fn new(ledger: Ledger<O>, keys: K, queue: Q) -> Self {
        Self {
            ledger,
            keys,
            queue,
            #[cfg(feature = "public-keys")]
            document_cache: document_cache::DocumentCache::default(),
            warned_secrets: Mutex::default(),
        }
    }

    /// Returns the ledger.
    pub fn ledger(&self) -> &Ledger<O> {
        &self.ledger
    }

    /// Returns the queue.
    pub fn queue(&self) -> &Q {
        &self.queue
    }

    /// Handles a request at `now`, since the Unix epoch.
    pub async fn handle(&self, policy: &Policy, request: &Request, now: Duration) -> HandledRequest {
        let mut log = RequestLog::default();
        let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let response = match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["hooks", source] | ["hooks", source, _]) => {
                self.handle_alert(policy, source, request, now, &mut log).await
            }
            ("GET", ["hooks", _] | ["hooks", _, _]) => handshake::answer_okta_challenge(request),
            ("GET" | "POST", ["approvals", id]) => {
                self.handle_approval(policy, id, request, now, &mut log).await
            }
            (_, ["hooks", _] | ["hooks", _, _]) => Response::method_not_allowed("POST"),
            (_, ["approvals", _]) => Response::method_not_allowed("GET, POST"),
            _ => Response::error(404, "send alerts to /hooks/{source}"),
        };
        (response, log)
    }

    async fn handle_alert(
        &self,
        policy: &Policy,
        name: &str,
        request: &Request,
        now: Duration,
        log: &mut RequestLog,
    ) -> Response {
        if request.body.len() > MAX_BODY_LEN {
            log.problem = Some("the body is too large".into());
            return Response::error(413, &format!("invalid body: expected at most {MAX_BODY_LEN} bytes"));
        }
        if let Some(response) = handshake::answer_graph_validation(request) {
            return response;
        }
        let disabled = policy.disabled_source(name);
        // The sender of a disabled source can often still be authenticated.
        let Some(source) = policy.source(name).or_else(|| disabled?.verifiable_source()) else {
            match disabled {
                Some(disabled) => log_disabled_source(disabled, log),
                None => log.problem = Some("unknown source".into()),
            }
            return unauthorized();
        };
        log.source = Some(source.name.clone());
        let may_call = match request.source_ip {
            Some(address) => source.may_call_from(address),
            None => source.allow_from.is_empty(),
        };
        if !may_call {
            log.problem = Some("the caller's address is not in the source's allow_from".into());
            return unauthorized();
        }
        let sender = match self.authenticate(source, request, disabled.is_none(), now, log).await {
            Ok(sender) => sender,
            Err(error) => return error.into_response(log),
        };
        if let Some(disabled) = disabled {
            return source_disabled(disabled, log);
        }
        if let Some(response) = sender.response {
            return response;
        }
        let key = sender.key;
        log.used_previous_key = key.version_stage == VersionStage::Previous;
        if !is_json(source, request) {
            log.problem = Some("the content type is not JSON".into());
            return Response::error(415, "send JSON, with content-type: application/json");
        }
        let unsigned = request.header("idempotency-key").filter(|key| !key.is_empty());
        let message = Message { body: &sender.body, idempotency_key: key.event_id.as_deref().or(unsigned) };
        if request.header(DRY_RUN_HEADER).is_some_and(|value| value.trim() == "1") {
            return self.dry_run(policy, name, &message, now, log).await;
        }
        let received = ReceivedMessage {
            source,
            body: &request.body,
            source_ip: request.source_ip,
            secret_stage: Some(key.version_stage),
        };
        let alerts = match source.adapter.parse_message(&message) {
            Ok(alerts) => alerts,
            Err(error) => {
                let event_id = message.idempotency_key;
                return self.reject_unparsable(&received, event_id, &error, now, log).await;
            }
        };
        match self.has_conflicting_idempotency_key(source, &key, &message, &alerts).await {
            Ok(false) => {}
            Ok(true) => {
                log.problem = Some("replayed with another Idempotency-Key".into());
                return unauthorized();
            }
            Err(failure) => {
                log.problem = Some(failure.to_string());
                return Response::service_unavailable();
            }
        }
        self.create_decisions(&received, alerts, now, log).await
    }

    /// Checks a message. Nothing is recorded.
    async fn dry_run(
        &self,
        policy: &Policy,
        source: &str,
        message: &Message<'_>,
        now: Duration,
        log: &mut RequestLog,
    ) -> Response {
        let check = match Check::from_message(policy, source, message, now) {
            Ok(check) => check,
            Err(error) => return Response::error(422, &error.to_string()),
        };
        match self.queue.check(policy, message, check).await {
            Ok(check) => Response::json(200, &json!({ "dry_run": true, "check": check })),
            Err(failure) => {
                log.problem = Some(failure.to_string());
                Response::service_unavailable()
            }
        }
    }

    /// Creates a decision for each host of a message, and queues those that the
    /// worker must process.
    async fn create_decisions(
        &self,
        message: &ReceivedMessage<'_>,
        alerts: Vec<Alert>,
        now: Duration,
        log: &mut RequestLog,
    ) -> Response {
        let source = message.source;
        let body_sha256 = hex(&sha256(message.body));
        let mut all = Vec::with_capacity(alerts.len());
        let mut to_queue = Vec::new();
        for alert in alerts {
            let id = DecisionId::from_event_id(&source.name, &alert.event_id);
            let received = ReceivedSignal {
                source: source.name.clone(),
                tool: source.adapter.tool,
                signal: alert.signal,
                alert: Some(AlertKey::from_alert_id(&source.name, &alert.alert_id)),
                body_sha256: body_sha256.clone(),
                source_ip: message.source_ip.map(|address| address.to_string()),
                secret_stage: message.secret_stage,
                not_actionable: alert.refusal.map(|reason| reason.to_reason(alert.detail.as_deref())),
            };
            let (decision, is_new) = match self.ledger.create_decision(&id, &received, now).await {
                Ok(CreatedDecision::New(decision)) => (decision, true),
                Ok(CreatedDecision::Existing(decision)) => (decision, false),
                Err(failure) => {
                    log.problem = Some(failure.to_string());
                    return Response::service_unavailable();
                }
            };
            // Also a duplicate: the message of the first may be lost.
            if decision.state() == DecisionState::Received {
                to_queue.push(id.clone());
            }
            if is_new { &mut log.created } else { &mut log.duplicates }.push(id.clone());
            all.push(id);
        }
        if !to_queue.is_empty()
            && let Err(failure) = self.queue.send(&to_queue).await
        {
            log.problem = Some(failure.to_string());
            return Response::service_unavailable();
        }
        let status = if log.created.is_empty() { 200 } else { 202 };
        Response::json(status, &json!({ "decision": all.first(), "decisions": all }))
    }
}

/// Returns the response to an authentic message of a disabled source.
fn source_disabled(source: &DisabledSource, log: &mut RequestLog) -> Response {
    log_disabled_source(source, log);
    Response::service_unavailable()
}

fn log_disabled_source(source: &DisabledSource, log: &mut RequestLog) {
    log.source = Some(source.name().to_owned());
    log.error_kind = Some("SourceDisabled");
    log.problem = Some(format!("an error in the policy disables the source: {source}"));
}

/// Returns the one response to a request without a valid proof, and to every request
/// of a source that is unknown or cannot be verified.
fn unauthorized() -> Response {
    Response::error(401, "authentication failed: check the URL, the secret and the sender's clock")
}

fn is_json(source: &Source, request: &Request) -> bool {
    // SNS sends JSON as text.
    if matches!(source.verification, Verification::Sns(_)) {
        return true;
    }
    let Some(kind) = request.header("content-type") else { return false };
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json"
        || kind == "text/json"
        || (kind.starts_with("application/") && kind.ends_with("+json"))
        || source.content_types.contains(&kind)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Verification {
    /// Whether the source can send requests to the webhook.
    pub fn is_webhook(&self) -> bool {
        !matches!(self, Self::Iam)
    }
}
