//! Checks: the effect that a payload would have, without a decision and without
//! changes.
//!
//! [`Check::from_message`] is pure: it parses the payload and evaluates the policy
//! before the resolution of an endpoint. [`Engine::check`](crate::Engine::check)
//! adds the endpoint. Neither considers budgets, which depend on other isolations.
//!
//! # Examples
//! ```
//! use std::time::Duration;
//!
//! use sophos_isolation::{
//!     adapters::Message,
//!     check::{Check, CheckOutcome},
//!     policy::Policy,
//! };
//!
//! let policy = Policy::parse(
//!     r#"
//! version = 1
//! mode = "enforce"
//!
//! [sources.scripts]
//! tool = "generic"
//! tenants = ["11f104c5-cc4a-4a9f-bb9c-632c936dfb9f"]
//! verify = { scheme = "bearer", secret = "webhooks/scripts" }
//! "#,
//! )?;
//! let body = br#"{"event_id": "1", "target": {"hostname": "laptop-4711"}}"#;
//! let message = Message { body, idempotency_key: None };
//! let now = Duration::from_secs(1_790_000_000);
//! let check = Check::from_message(&policy, "scripts", &message, now)?;
//! assert!(matches!(check.signals[0].outcome, CheckOutcome::Admitted { .. }));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    adapters::{Alert, Message},
    decision::{DecisionId, DecisionState, IsolationTarget},
    identity::HostIdentity,
    ledger::paths,
    policy::{Policy, Source},
    resolve::{RejectedCandidate, Unresolved},
    signal::{Action, ObservedAt, Signal},
};

/// The result of checking a payload.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The name of the source in the policy.
    pub source: String,
    /// The signals in the payload, each about one host.
    pub signals: Vec<CheckedSignal>,
    /// The response that the sender would get from the webhook.
    pub response: CheckResponse,
}

/// A response of the webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckResponse {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// The outcome that one signal would have.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CheckedSignal {
    /// The id of the decision that would be created.
    pub decision: DecisionId,
    /// The state of that decision, if it exists. The signal would then count as a
    /// duplicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_state: Option<DecisionState>,
    /// The parsed signal.
    pub signal: Signal,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
    /// The resolved endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<IsolationTarget>,
    /// The endpoints that matched an identifier and were not chosen, with the
    /// reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected_candidates: Vec<RejectedCandidate>,
}

/// The outcome that a signal would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The signal would be refused.
    Refused {
        /// A stable code of the reason.
        code: String,
        /// The reason as a sentence.
        detail: String,
    },
    /// The endpoint would be isolated.
    Isolate {
        /// The time to the scheduled release, in seconds; `None` for no release.
        #[serde(skip_serializing_if = "Option::is_none")]
        release_after_seconds: Option<u64>,
    },
    /// The endpoint would be isolated after approval by a person.
    WaitForApproval {
        /// The reason for the approval.
        reason: String,
    },
    /// The policy allows the isolation and is in a dry run.
    DryRun {
        /// The reason for an approval, if one would be required.
        #[serde(skip_serializing_if = "Option::is_none")]
        approval_reason: Option<String>,
    },
    /// The endpoint is already isolated, by a decision or outside this ledger.
    AlreadyIsolated {
        /// The comment of the isolation.
        comment: String,
    },
    /// The endpoint would be released, if a decision of the source claims it.
    Release,
    /// The policy admits the signal, and the endpoint was not resolved.
    Admitted {
        /// A hint on how to resolve it.
        detail: String,
    },
}

/// The reason why a payload cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The policy has no such source.
    #[error("unknown source \"{0}\": expected a source of the policy")]
    UnknownSource(String),
    /// An error in the policy disables the source.
    #[error("check failed: an error in the policy disables the source: {0}; correct the policy")]
    Disabled(String),
}

/// Returns the path of the ledger's object with the result of a queued check, by
/// the id of its request.
pub fn result_path(request_id: &str) -> String {
    paths::check_result(request_id)
}

impl Check {
    /// Checks a payload as a message of a source, at `now` since the Unix epoch. A
    /// payload that cannot be parsed yields a check with the webhook's error
    /// response.
    ///
    /// # Errors
    /// When the policy has no such source, or the source is disabled.
    pub fn from_message(
        policy: &Policy,
        source: &str,
        message: &Message<'_>,
        now: Duration,
    ) -> Result<Self, CheckError> {
        if let Some(disabled) = policy.disabled_source(source) {
            return Err(CheckError::Disabled(disabled.to_string()));
        }
        let unknown = || CheckError::UnknownSource(crate::signal::clean(source));
        let source = policy.source(source).ok_or_else(unknown)?;
        Ok(match source.adapter.parse_message(message) {
            Ok(alerts) => Self::from_alerts(policy, source, alerts, now),
            Err(error) => Self {
                source: source.name.clone(),
                signals: Vec::new(),
                response: CheckResponse { status: 422, body: json!({ "error": error.to_string() }) },
            },
        })
    }

    fn from_alerts(policy: &Policy, source: &Source, alerts: Vec<Alert>, now: Duration) -> Self {
        let signals: Vec<_> = alerts
            .into_iter()
            .map(|alert| {
                let outcome = admit(policy, source, &alert, now);
                CheckedSignal {
                    decision: DecisionId::from_event_id(&source.name, &alert.event_id),
                    existing_state: None,
                    signal: alert.signal,
                    outcome,
                    endpoint: None,
                    rejected_candidates: Vec::new(),
                }
            })
            .collect();
        let all: Vec<_> = signals.iter().map(|signal| &signal.decision).collect();
        let body = json!({ "decision": all.first(), "decisions": all });
        Self { source: source.name.clone(), response: CheckResponse { status: 202, body }, signals }
    }
}

impl CheckOutcome {
    pub(crate) fn refused(code: &str, detail: &str) -> Self {
        Self::Refused { code: code.to_owned(), detail: detail.to_owned() }
    }
}

/// Evaluates the policy before the resolution of an endpoint.
fn admit(policy: &Policy, source: &Source, alert: &Alert, now: Duration) -> CheckOutcome {
    let signal = &alert.signal;
    if let Some(reason) = alert.refusal {
        return CheckOutcome::refused(reason.code(), reason.description());
    }
    if let Err(refusal) = policy.admit(source, signal) {
        return CheckOutcome::refused(refusal.code(), &refusal.to_string());
    }
    let age = match signal.observed() {
        ObservedAt::At(time) => now.saturating_sub(time),
        ObservedAt::Missing | ObservedAt::Invalid => Duration::ZERO,
    };
    if signal.action == Action::Isolate
        && let Err(refusal) = policy.check_age(source, age)
    {
        return CheckOutcome::refused(refusal.code(), &refusal.to_string());
    }
    match HostIdentity::from_identifiers(&signal.host) {
        Ok(_) => CheckOutcome::Admitted {
            detail: "the endpoint was not resolved: invoke the worker with {\"check\": …}".to_owned(),
        },
        Err(cause) => {
            let reason = Unresolved::Unusable { cause };
            CheckOutcome::refused(reason.code(), &reason.to_string())
        }
    }
}
