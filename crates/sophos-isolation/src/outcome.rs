//! The outcomes of decisions, for an event bus, a chat or a ticket system.

use serde::Serialize;

use crate::{
    adapters::Tool,
    backend_error::BackendError,
    decision::{Decision, DecisionId, DecisionState, IsolationTarget, LedgerEntry, Transition},
    signal::Severity,
};

/// A publisher of outcomes; `()` publishes none.
pub trait OutcomePublisher: Send + Sync {
    /// Whether outcomes are published. If not, the ledger keeps no record of
    /// published outcomes.
    fn is_enabled(&self) -> bool;

    /// Publishes an outcome.
    ///
    /// # Errors
    /// The cause, without secrets. The engine publishes the outcome again later.
    fn publish(&self, outcome: &DecisionOutcome) -> impl Future<Output = Result<(), BackendError>> + Send;
}

impl OutcomePublisher for () {
    fn is_enabled(&self) -> bool {
        false
    }

    async fn publish(&self, _: &DecisionOutcome) -> Result<(), BackendError> {
        Ok(())
    }
}

impl<N: OutcomePublisher> OutcomePublisher for std::sync::Arc<N> {
    fn is_enabled(&self) -> bool {
        N::is_enabled(self)
    }

    fn publish(&self, outcome: &DecisionOutcome) -> impl Future<Output = Result<(), BackendError>> + Send {
        N::publish(self, outcome)
    }
}

/// The outcome of a transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecisionOutcome {
    /// The decision.
    pub decision: DecisionId,
    /// The number of the transition in the decision. Both identify the outcome,
    /// which may be published more than once.
    pub sequence: u32,
    /// The state of the decision, or `overdue`.
    pub status: String,
    /// The time of the transition, in RFC 3339.
    pub occurred_at: String,
    /// The name of the source in the policy.
    pub source: String,
    /// The tool.
    pub tool: Tool,
    /// The severity according to the tool.
    pub severity: Option<Severity>,
    /// The title of the alert, cleaned.
    pub title: String,
    /// The endpoint, once it was resolved.
    pub target: Option<IsolationTarget>,
    /// The code of a refusal.
    pub code: Option<String>,
    /// A description.
    pub detail: Option<String>,
    /// The link to approve or decline. It authorizes its holder, so keep it out of
    /// logs.
    pub approval_url: Option<ApprovalUrl>,
}

/// An approval link, which authorizes its holder. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ApprovalUrl(pub(crate) String);

impl ApprovalUrl {
    /// Returns the link.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for ApprovalUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApprovalUrl(…)")
    }
}

impl DecisionOutcome {
    /// Returns the outcome of a transition; `None` for internal ones.
    pub(crate) fn from_entry(decision: &Decision, entry: &LedgerEntry) -> Option<Self> {
        let (code, detail) = match &entry.transition {
            Transition::Received(received) => match &received.not_actionable {
                Some(reason) => (Some(reason.code.clone()), Some(reason.detail.clone())),
                None => return None,
            },
            Transition::Claimed(_)
            | Transition::Deferred { .. }
            | Transition::Approved { .. }
            | Transition::ReleasePending { .. } => {
                return None;
            }
            Transition::Refused { code, detail, .. } => (Some(code.clone()), Some(detail.clone())),
            Transition::PendingApproval { reason, .. } => (None, Some(reason.clone())),
            Transition::Declined { by } => (None, Some(format!("declined by {by}"))),
            Transition::AlreadyIsolated { comment, .. } => (None, Some(comment.clone())),
            Transition::Overdue { detail }
            | Transition::Released { detail, .. }
            | Transition::Superseded { detail }
            | Transition::Failed { detail } => (None, Some(detail.clone())),
            Transition::Transferred { to } => (None, Some(format!("{to} keeps the endpoint isolated"))),
            Transition::Merged { into, .. } => {
                (None, Some(format!("the alert is an update; {into} acts on it for the same endpoint")))
            }
            _ => (None, None),
        };
        let received = decision.received()?;
        let status = match entry.transition {
            Transition::Overdue { .. } => "overdue",
            _ => state_after(decision, entry).as_str(),
        };
        Some(Self {
            decision: decision.id().clone(),
            sequence: entry.sequence,
            status: status.to_owned(),
            occurred_at: format_rfc3339(entry.at_ms),
            source: received.source.clone(),
            tool: received.tool,
            severity: received.signal.severity,
            title: received.signal.title.clone(),
            target: decision.target().cloned(),
            code,
            detail,
            approval_url: None,
        })
    }
}

fn state_after(decision: &Decision, entry: &LedgerEntry) -> DecisionState {
    let entries = decision.entries().iter().take(entry.sequence as usize).cloned().collect();
    Decision { id: decision.id().clone(), entries }.state()
}

pub(crate) fn format_rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
