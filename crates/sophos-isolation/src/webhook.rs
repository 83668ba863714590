//! What comes in: requests of other tools, and events of AWS.
//!
//! A [`Webhook`] takes a request in plain form and gives an answer in plain
//! form, so that the same code stands behind a Lambda function URL and behind
//! any other HTTP server. It finds out who sends, reads what is sent, begins a
//! decision for each host, and hands the decisions on. What it answers tells a
//! sender what to mend, and somebody who only tries nothing.
//!
//! | request | |
//! |---|---|
//! | `POST /hooks/{source}` | an alert; `/hooks/{source}/{secret}` for tools that can only send a URL |
//! | the same with `X-Sophos-Dry-Run: 1` | an alert of which the answer tells what it would lead to; nothing is recorded |
//! | `GET` to the same | Okta's challenge, `x-okta-verification-challenge`, under any name |
//! | `POST /hooks/{source}?validationToken=…` | Microsoft Graph's challenge, under any name |
//! | `GET /approvals/{decision}?until=…&signature=…` | shows what is to be approved |
//! | `POST` to the same | approves it or declines |
//!
//! | answer | |
//! |---|---|
//! | 202 | new: `decision` is its id, `decisions` has all of several |
//! | 200 | sent before: the same ids |
//! | 401 | not believed: the same whether the signature or the caller's address is wrong, the source does not exist, or its secret cannot be read |
//! | 403 | an approval link that is not good |
//! | 404, 405 | not one of the requests above |
//! | 413, 415, 422 | too large, not JSON, not readable as what the tool sends |
//! | 503 | the ledger or the queue failed, a published key cannot be fetched, or a mistake in the policy disables the source of an authentic request: send it again |

mod approval;
mod authentication;
#[cfg(feature = "public-keys")]
mod document_cache;
mod handshake;
mod page;
mod parse_failure;
mod request;

use std::{collections::HashSet, net::IpAddr, sync::Mutex, time::Duration};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub use request::{Request, Response};

use crate::{
    adapters::{Alert, Message, NotActionable, Tool},
    check::Check,
    decision::{AlertKey, DecisionId, DecisionState, ReceivedSignal},
    ledger::{CreatedDecision, Ledger, LedgerStore},
    policy::{DisabledSource, Policy, Source},
    signal::clean,
    verify::{AuthenticatedKey, Keys, Verification},
};

/// The largest body that is read. Alerts are some kilobytes; EventBridge itself
/// passes on no more than 256 KiB.
pub const MAX_BODY_LEN: usize = 1 << 20;

/// The header by which an authentic sender asks what its message would lead to.
const DRY_RUN_HEADER: &str = "x-sophos-dry-run";

/// Where the values of secrets come from, by the names that the policy has.
pub trait KeySource: Send + Sync {
    /// Reads a secret as it is now.
    ///
    /// # Errors
    /// In words that name the secret and hold no value.
    fn load_keys(&self, name: &str) -> impl Future<Output = Result<Keys, String>> + Send;

    /// Gets what is published at an `https` URL: a key set, a certificate, the
    /// confirmation of a subscription. A host follows no redirect, bounds the
    /// time, and takes only the status 200 for an answer. A host that does not
    /// reach out has the schemes that need it fail.
    ///
    /// # Errors
    /// In words that hold no secret.
    fn fetch_url(&self, url: &str) -> impl Future<Output = Result<Vec<u8>, String>> + Send {
        let _ = url;
        std::future::ready(Err("this host makes no requests".into()))
    }
}

/// Where decisions go that are to be worked on.
pub trait Queue: Send + Sync {
    /// Hands decisions on. To hand one on again does no harm.
    ///
    /// # Errors
    /// In words that hold no secret. The sender is told to send again.
    fn send(&self, decisions: &[DecisionId]) -> impl Future<Output = Result<(), String>> + Send;

    /// Completes the check of a message with the endpoint of each signal, by the
    /// worker. A queue without one gives the check as it is.
    ///
    /// # Errors
    /// In words that hold no secret.
    fn check(
        &self,
        policy: &Policy,
        message: &Message<'_>,
        check: Check,
    ) -> impl Future<Output = Result<Value, String>> + Send {
        let _ = (policy, message);
        std::future::ready(serde_json::to_value(check).map_err(|error| error.to_string()))
    }
}

/// What the operator's records are to have of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLog {
    /// The source, if it is one of the policy's.
    pub source: Option<String>,
    /// Why it was not believed, or not read, or what failed.
    pub problem: Option<String>,
    /// The kind of the problem, for those that programs tell apart:
    /// `InvalidEvent`, `UnlistedAccount`, `MalformedEvent`, `SourceDisabled`,
    /// `SecretUnreadable`, `CertificateUnavailable`.
    pub error_kind: Option<&'static str>,
    /// The SHA-256 of a body that could not be read, in hexadecimal.
    pub body_sha256: Option<String>,
    /// The secret that could not be read.
    pub secret_name: Option<String>,
    /// Where the ledger has a record of a body that could not be read.
    pub record_path: Option<String>,
    /// Decisions that it began.
    pub created: Vec<DecisionId>,
    /// Decisions that it would have begun if it had not been sent before.
    pub duplicates: Vec<DecisionId>,
    /// Whether it was made with the previous value of a secret that rotates.
    pub used_previous_key: bool,
    /// What an operator is to know besides: once of each secret that is not
    /// stored as it should be, and of each change of a subscription.
    pub notes: Vec<String>,
}

/// The webhook: requests in, decisions out.
#[derive(Debug)]
pub struct Webhook<O, K, Q> {
    ledger: Ledger<O>,
    keys: K,
    queue: Q,
    #[cfg(feature = "public-keys")]
    document_cache: document_cache::DocumentCache,
    /// Secrets that were warned of.
    warned_secrets: Mutex<HashSet<String>>,
}

/// An answer, and what is to be recorded of it.
type HandledRequest = (Response, RequestLog);

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// A webhook that keeps decisions in this ledger and hands them on to this
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

    /// The ledger.
    pub fn ledger(&self) -> &Ledger<O> {
        &self.ledger
    }

    /// The queue.
    pub fn queue(&self) -> &Q {
        &self.queue
    }

    /// Answers a request at `now`, since the Unix epoch.
    pub async fn handle(&self, policy: &Policy, request: &Request, now: Duration) -> HandledRequest {
        let mut notice = RequestLog::default();
        let segments: Vec<&str> = request.path.split('/').filter(|segment| !segment.is_empty()).collect();
        let response = match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["hooks", source] | ["hooks", source, _]) => {
                self.handle_alert(policy, source, request, now, &mut notice).await
            }
            ("GET", ["hooks", _] | ["hooks", _, _]) => handshake::answer_okta_challenge(request),
            ("GET" | "POST", ["approvals", id]) => {
                self.handle_approval(policy, id, request, now, &mut notice).await
            }
            (_, ["hooks", _] | ["hooks", _, _]) => Response::method_not_allowed("POST"),
            (_, ["approvals", _]) => Response::method_not_allowed("GET, POST"),
            _ => Response::error(404, "send alerts to /hooks/{source}"),
        };
        (response, notice)
    }

    async fn handle_alert(
        &self,
        policy: &Policy,
        name: &str,
        request: &Request,
        now: Duration,
        notice: &mut RequestLog,
    ) -> Response {
        if request.body.len() > MAX_BODY_LEN {
            notice.problem = Some("the body is too large".into());
            return Response::error(413, &format!("the body is over {MAX_BODY_LEN} bytes"));
        }
        if let Some(answer) = handshake::answer_graph_validation(request) {
            return answer;
        }
        let disabled = policy.disabled_source(name);
        // What disables a source need not keep its sender from proving itself.
        let Some(source) = policy.source(name).or_else(|| disabled?.verifiable_source()) else {
            match disabled {
                Some(disabled) => log_disabled_source(disabled, notice),
                None => notice.problem = Some("no such source".into()),
            }
            return unauthorized();
        };
        notice.source = Some(source.name.clone());
        let may_call = match request.source_ip {
            Some(address) => source.may_call_from(address),
            None => source.allow_from.is_empty(),
        };
        if !may_call {
            notice.problem = Some("its address is not one of those that the source may call from".into());
            return unauthorized();
        }
        let sender = match self.authenticate(source, request, disabled.is_none(), now, notice).await {
            Ok(sender) => sender,
            Err(disbelief) => return disbelief.into_response(notice),
        };
        if let Some(disabled) = disabled {
            return source_disabled(disabled, notice);
        }
        if let Some(answer) = sender.response {
            return answer;
        }
        let proof = sender.key;
        notice.used_previous_key = proof.version_stage == crate::verify::VersionStage::Previous;
        if !is_json(source, request) {
            notice.problem = Some("its content type is not JSON".into());
            return Response::error(415, "send JSON, with content-type: application/json");
        }
        let unsigned = request.header("idempotency-key").filter(|key| !key.is_empty());
        let message = Message { body: &sender.body, idempotency_key: proof.event_id.as_deref().or(unsigned) };
        if request.header(DRY_RUN_HEADER).is_some_and(|value| value.trim() == "1") {
            return self.dry_run(policy, name, &message, now, notice).await;
        }
        let readings = match source.adapter.parse_message(&message) {
            Ok(readings) => readings,
            Err(why) => {
                let event_id = message.idempotency_key;
                return self.reject_unparsable(source, &request.body, event_id, &why, now, notice).await;
            }
        };
        match self.has_conflicting_idempotency_key(source, &proof, &message, &readings).await {
            Ok(false) => {}
            Ok(true) => {
                notice.problem = Some("it was sent before, with another Idempotency-Key".into());
                return unauthorized();
            }
            Err(failure) => {
                notice.problem = Some(failure.to_string());
                return Response::service_unavailable();
            }
        }
        let from = request.source_ip;
        self.create_decisions(source, &request.body, readings, from, Some(&proof), now, notice).await
    }

    /// Takes an event that EventBridge brought: AWS vouches for its `source` and
    /// `account`. The answer's status is 200 or 202 when it was taken. Any other
    /// is to fail the invocation, so that the event is brought again and ends in
    /// the dead-letter queue: the notice has its kind.
    pub async fn handle_event(&self, policy: &Policy, event: &Value, now: Duration) -> HandledRequest {
        let mut notice = RequestLog::default();
        let tool = match event["source"].as_str() {
            Some("aws.guardduty") => Tool::GuardDuty,
            Some("aws.securityhub") => Tool::SecurityHub,
            _ => {
                notice.problem = Some("the event is of neither GuardDuty nor Security Hub".into());
                notice.error_kind = Some("InvalidEvent");
                return (Response::error(422, "not an event of GuardDuty or Security Hub"), notice);
            }
        };
        let account = event["account"].as_str().unwrap_or_default();
        let Some(source) = policy.eventbridge_source(tool, account) else {
            if let Some(disabled) = policy.disabled_eventbridge_source(tool, account) {
                let response = source_disabled(disabled, &mut notice);
                return (response, notice);
            }
            let problem = unlisted_account_error(tool, account);
            notice.error_kind = Some("UnlistedAccount");
            notice.problem = Some(problem.clone());
            return (Response::error(403, &problem), notice);
        };
        notice.source = Some(source.name.clone());
        let body = event.to_string().into_bytes();
        let response = match source.adapter.parse_message(&Message { body: &body, idempotency_key: None }) {
            Ok(readings) => {
                let is_unreadable = |reading: &Alert| reading.refusal == Some(NotActionable::Unreadable);
                let lacks_some = readings.iter().any(is_unreadable);
                let response =
                    self.create_decisions(source, &body, readings, None, None, now, &mut notice).await;
                if lacks_some && response.status < 300 {
                    notice.error_kind = Some("MalformedEvent");
                    notice.problem = Some("a finding of the event could not be read".into());
                    Response::error(422, "a finding of the event could not be read")
                } else {
                    response
                }
            }
            Err(why) => {
                let event_id = event["id"].as_str();
                self.reject_unparsable(source, &body, event_id, &why, now, &mut notice).await
            }
        };
        (response, notice)
    }

    /// Tells what a message would lead to. Nothing is recorded.
    async fn dry_run(
        &self,
        policy: &Policy,
        source: &str,
        message: &Message<'_>,
        now: Duration,
        notice: &mut RequestLog,
    ) -> Response {
        let check = match Check::from_message(policy, source, message, now) {
            Ok(check) => check,
            Err(error) => return Response::error(422, &error.to_string()),
        };
        match self.queue.check(policy, message, check).await {
            Ok(check) => Response::json(200, &json!({ "dry_run": true, "check": check })),
            Err(failure) => {
                notice.problem = Some(failure);
                Response::service_unavailable()
            }
        }
    }

    /// Begins a decision for each host of a message, and hands on those that
    /// somebody has to work on.
    #[expect(clippy::too_many_arguments, reason = "what a message is, in its parts")]
    async fn create_decisions(
        &self,
        source: &Source,
        body: &[u8],
        readings: Vec<Alert>,
        from: Option<IpAddr>,
        proof: Option<&AuthenticatedKey>,
        now: Duration,
        notice: &mut RequestLog,
    ) -> Response {
        let body_sha256 = hex(&sha256(body));
        let mut all = Vec::with_capacity(readings.len());
        let mut hand_on = Vec::new();
        for reading in readings {
            let id = DecisionId::from_event_id(&source.name, &reading.event_id);
            let received = ReceivedSignal {
                source: source.name.clone(),
                tool: source.adapter.tool,
                signal: reading.signal,
                alert: Some(AlertKey::from_alert_id(&source.name, &reading.alert_id)),
                body_sha256: body_sha256.clone(),
                source_ip: from.map(|address| address.to_string()),
                secret_stage: proof.map(|proof| proof.version_stage),
                not_actionable: reading.refusal.map(|why| why.to_reason(reading.detail.as_deref())),
            };
            let (decision, new) = match self.ledger.create_decision(&id, &received, now).await {
                Ok(CreatedDecision::New(decision)) => (decision, true),
                Ok(CreatedDecision::Existing(decision)) => (decision, false),
                Err(failure) => {
                    notice.problem = Some(failure.to_string());
                    return Response::service_unavailable();
                }
            };
            // Also when it was sent before: its message may be lost.
            if decision.state() == DecisionState::Received {
                hand_on.push(id.clone());
            }
            if new { &mut notice.created } else { &mut notice.duplicates }.push(id.clone());
            all.push(id);
        }
        if !hand_on.is_empty()
            && let Err(failure) = self.queue.send(&hand_on).await
        {
            notice.problem = Some(failure);
            return Response::service_unavailable();
        }
        let status = if notice.created.is_empty() { 200 } else { 202 };
        Response::json(status, &json!({ "decision": all.first(), "decisions": all }))
    }
}

/// The answer to an authentic message of a source that a mistake disables.
fn source_disabled(source: &DisabledSource, notice: &mut RequestLog) -> Response {
    log_disabled_source(source, notice);
    Response::service_unavailable()
}

fn log_disabled_source(source: &DisabledSource, notice: &mut RequestLog) {
    notice.source = Some(source.name().to_owned());
    notice.error_kind = Some("SourceDisabled");
    notice.problem = Some(format!("the source is disabled by a mistake in the policy: {source}"));
}

/// What to do about an event of an account that no source lists.
fn unlisted_account_error(tool: Tool, account: &str) -> String {
    let plain = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let account = if plain { account } else { "of its envelope" };
    // It fits a record, which is cut at 200 characters.
    format!(
        "no {tool} source lists account {account} in `accounts`; an organization's administrator account, which \
         sends its members' findings, must be listed too; findings are regional"
    )
}

/// The one answer to a request that proves nothing, and to every request of a
/// source that is unknown or cannot be verified.
fn unauthorized() -> Response {
    Response::error(401, "authentication failed: check the URL, the secret and the sender's clock")
}

fn is_json(source: &Source, request: &Request) -> bool {
    // SNS sends its JSON as text.
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
    /// Whether deliveries to the webhook can be this source's at all.
    pub fn is_webhook(&self) -> bool {
        !matches!(self, Self::Iam)
    }
}

impl RequestLog {
    /// Whether the webhook failed, and not the sender: the operator has to act,
    /// whatever the sender was answered. A certificate that cannot be fetched is
    /// none, as any caller can name one.
    pub fn is_server_error(&self, response: &Response) -> bool {
        match self.error_kind {
            Some("SecretUnreadable" | "SourceDisabled") => true,
            Some("CertificateUnavailable") => false,
            _ => response.status >= 500,
        }
    }

    /// The problem, made fit for a log.
    pub fn problem(&self) -> Option<String> {
        self.problem.as_deref().map(clean)
    }

    /// The remarks, made fit for a log.
    pub fn notes(&self) -> Vec<String> {
        self.notes.iter().map(|remark| clean(remark)).collect()
    }
}
