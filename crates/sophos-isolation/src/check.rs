//! What a payload would lead to, told without a decision and without a call that
//! changes anything.
//!
//! [`Check::from_message`] is pure: it reads the payload, and tells what the policy says
//! before an endpoint is looked for. [`Engine::check`](crate::Engine::check)
//! completes it with the endpoint. Budgets are not part of either: they depend on
//! what else is isolated by then.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    adapters::{Alert, Message},
    decision::{DecisionId, DecisionState, IsolationTarget},
    identity::HostIdentity,
    policy::{Policy, Source},
    resolve::{RejectedCandidate, Unresolved},
    signal::{Action, ObservedAt, Signal},
};

/// The outcome that a payload would have.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Check {
    /// The source, as the policy names it.
    pub source: String,
    /// The signals that the payload holds, each about one host.
    pub signals: Vec<CheckedSignal>,
    /// The answer that the sender would get from the webhook.
    pub response: CheckResponse,
}

/// The answer of the webhook to a sender.
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
    /// The id of the decision that would begin.
    pub decision: DecisionId,
    /// The state of that decision, where it has begun already: the signal would
    /// be answered as one that was sent before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing_state: Option<DecisionState>,
    /// What was read.
    pub signal: Signal,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: CheckOutcome,
    /// The endpoint that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<IsolationTarget>,
    /// Endpoints that an identifier found and that were not chosen, with the
    /// reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected_candidates: Vec<RejectedCandidate>,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckOutcome {
    /// Nothing.
    Refused {
        /// The reason, for programs.
        code: String,
        /// The reason, for people.
        detail: String,
    },
    /// The endpoint would be isolated.
    Isolate {
        /// The time after which it would be released, in seconds; never if not
        /// given.
        #[serde(skip_serializing_if = "Option::is_none")]
        release_after_seconds: Option<u64>,
    },
    /// The endpoint would be isolated when a person approves.
    WaitForApproval {
        /// Why a person is asked.
        reason: String,
    },
    /// The policy allows the isolation and is in a dry run.
    DryRun {
        /// Why a person would be asked first, if one would.
        #[serde(skip_serializing_if = "Option::is_none")]
        approval_reason: Option<String>,
    },
    /// The endpoint is isolated already, by a decision or by somebody else.
    AlreadyIsolated {
        /// The comment of that isolation.
        comment: String,
    },
    /// The endpoint would be released, if a decision of the source holds it.
    Release,
    /// The policy admits the signal, and the endpoint was not looked for.
    Admitted {
        /// How to have it looked for.
        detail: String,
    },
}

/// Why a payload cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The policy has no such source.
    #[error("unknown source \"{0}\": expected a source of the policy")]
    UnknownSource(String),
    /// A mistake in the policy disables the source.
    #[error("check failed: a mistake disables the source: {0}; correct the policy")]
    Disabled(String),
}

impl Check {
    /// Reads a payload as one of a source, at `now` since the Unix epoch.
    ///
    /// # Errors
    /// When the policy has no such source, or has it disabled. A payload that
    /// cannot be read is no error: the answer says so.
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
            Ok(readings) => Self::from_alerts(policy, source, readings, now),
            Err(unreadable) => Self {
                source: source.name.clone(),
                signals: Vec::new(),
                response: CheckResponse { status: 422, body: json!({ "error": unreadable.to_string() }) },
            },
        })
    }

    fn from_alerts(policy: &Policy, source: &Source, readings: Vec<Alert>, now: Duration) -> Self {
        let signals: Vec<_> = readings
            .into_iter()
            .map(|reading| {
                let outcome = admit(policy, source, &reading, now);
                CheckedSignal {
                    decision: DecisionId::from_event_id(&source.name, &reading.event_id),
                    existing_state: None,
                    signal: reading.signal,
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

/// What the policy says before an endpoint is looked for.
fn admit(policy: &Policy, source: &Source, reading: &Alert, now: Duration) -> CheckOutcome {
    let signal = &reading.signal;
    if let Some(why) = reading.refusal {
        return CheckOutcome::refused(why.code(), why.description());
    }
    if let Err(refusal) = policy.admit(source, signal) {
        return CheckOutcome::refused(refusal.code(), &refusal.to_string());
    }
    let age = match signal.observed() {
        ObservedAt::At(moment) => now.saturating_sub(moment),
        ObservedAt::Missing | ObservedAt::Invalid => Duration::ZERO,
    };
    if signal.action == Action::Isolate
        && let Err(refusal) = policy.check_age(source, age)
    {
        return CheckOutcome::refused(refusal.code(), &refusal.to_string());
    }
    match HostIdentity::from_identifiers(&signal.host) {
        Ok(_) => CheckOutcome::Admitted {
            detail: "the worker has not looked for the endpoint: invoke it with {\"check\": …}".to_owned(),
        },
        Err(why) => {
            let why = Unresolved::Unusable { cause: why };
            CheckOutcome::refused(why.code(), &why.to_string())
        }
    }
}
