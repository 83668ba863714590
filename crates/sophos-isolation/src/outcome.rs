//! What is told to others of a decision: to an event bus, a chat, a ticket.

use serde::Serialize;

use crate::{
    adapters::Tool,
    decision::{Decision, DecisionId, DecisionState, IsolationTarget, LedgerEntry, Transition},
    signal::Severity,
};

/// Where outcomes go. `()` is nowhere.
pub trait OutcomePublisher: Send + Sync {
    /// Whether anybody listens. Without a listener nothing is kept about what
    /// was published.
    fn is_enabled(&self) -> bool;

    /// Tells one outcome.
    ///
    /// # Errors
    /// In words that hold no secret. It will be told again.
    fn publish(&self, outcome: &DecisionOutcome) -> impl Future<Output = Result<(), String>> + Send;
}

impl OutcomePublisher for () {
    fn is_enabled(&self) -> bool {
        false
    }

    async fn publish(&self, _: &DecisionOutcome) -> Result<(), String> {
        Ok(())
    }
}

impl<N: OutcomePublisher> OutcomePublisher for std::sync::Arc<N> {
    fn is_enabled(&self) -> bool {
        N::is_enabled(self)
    }

    fn publish(&self, outcome: &DecisionOutcome) -> impl Future<Output = Result<(), String>> + Send {
        N::publish(self, outcome)
    }
}

/// One outcome: a transition that somebody may want to know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DecisionOutcome {
    /// The decision.
    pub decision: DecisionId,
    /// The number of the transition in it: with the decision, the identity of
    /// this outcome, which may be told more than once.
    pub sequence: u32,
    /// What happened: a state's word, or `overdue`.
    pub status: String,
    /// When, in RFC 3339.
    pub occurred_at: String,
    /// The source, as the policy names it.
    pub source: String,
    /// The tool.
    pub tool: Tool,
    /// How bad the tool says it is.
    pub severity: Option<Severity>,
    /// What happened, in the tool's words, cleaned.
    pub title: String,
    /// The endpoint, once it was chosen.
    pub target: Option<IsolationTarget>,
    /// Why, in a word for programs, when nothing is done.
    pub code: Option<String>,
    /// More about it, for people.
    pub detail: Option<String>,
    /// Where a person approves or declines, when one must. Whoever has it may:
    /// keep it from logs.
    pub approval_url: Option<ApprovalUrl>,
}

/// A link that whoever has it may approve with; not printed by `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ApprovalUrl(pub(crate) String);

impl ApprovalUrl {
    /// The link itself.
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
    /// The outcome of a transition; `None` for those that only matter here.
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
            Transition::PendingApproval { reason: why, .. } => (None, Some(why.clone())),
            Transition::Declined { by: who } => (None, Some(format!("declined by {who}"))),
            Transition::AlreadyIsolated { comment, .. } => (None, Some(comment.clone())),
            Transition::Overdue { detail }
            | Transition::Released { detail, .. }
            | Transition::Superseded { detail }
            | Transition::Failed { detail } => (None, Some(detail.clone())),
            Transition::Transferred { to } => (None, Some(format!("{to} holds the endpoint"))),
            Transition::Merged { into, .. } => {
                (None, Some(format!("an update of the alert that {into} acts on for the same endpoint")))
            }
            _ => (None, None),
        };
        let received = decision.received()?;
        let what = match entry.transition {
            Transition::Overdue { .. } => "overdue",
            _ => state_after(decision, entry).as_str(),
        };
        Some(Self {
            decision: decision.id().clone(),
            sequence: entry.sequence,
            status: what.to_owned(),
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
