//! What is told to others of a decision: to an event bus, a chat, a ticket.

use serde::Serialize;

use crate::{
    adapters::Tool,
    decision::{Decision, DecisionId, Entry, State, Step, Target},
    signal::Severity,
};

/// Where outcomes go. `()` is nowhere.
pub trait Outcomes: Send + Sync {
    /// Whether anybody listens. Without a listener nothing is kept about what
    /// was published.
    fn is_listening(&self) -> bool;

    /// Tells one outcome.
    ///
    /// # Errors
    /// In words that hold no secret. It will be told again.
    fn publish(&self, outcome: &Outcome) -> impl Future<Output = Result<(), String>> + Send;
}

impl Outcomes for () {
    fn is_listening(&self) -> bool {
        false
    }

    async fn publish(&self, _: &Outcome) -> Result<(), String> {
        Ok(())
    }
}

impl<N: Outcomes> Outcomes for std::sync::Arc<N> {
    fn is_listening(&self) -> bool {
        N::is_listening(self)
    }

    fn publish(&self, outcome: &Outcome) -> impl Future<Output = Result<(), String>> + Send {
        N::publish(self, outcome)
    }
}

/// One outcome: a transition that somebody may want to know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The decision.
    pub decision: DecisionId,
    /// The number of the transition in it: with the decision, the identity of
    /// this outcome, which may be told more than once.
    pub sequence: u32,
    /// What happened: a state's word, or `overdue`.
    pub what: String,
    /// When, in RFC 3339.
    pub at: String,
    /// The source, as the policy names it.
    pub source: String,
    /// The tool.
    pub tool: Tool,
    /// How bad the tool says it is.
    pub severity: Option<Severity>,
    /// What happened, in the tool's words, cleaned.
    pub title: String,
    /// The endpoint, once it was chosen.
    pub target: Option<Target>,
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

impl Outcome {
    /// The outcome of a transition; `None` for those that only matter here.
    pub(crate) fn of(decision: &Decision, entry: &Entry) -> Option<Self> {
        let (code, detail) = match &entry.step {
            Step::Received(received) => match &received.not_actionable {
                Some(reason) => (Some(reason.code.clone()), Some(reason.detail.clone())),
                None => return None,
            },
            Step::Claimed(_) | Step::Deferred { .. } | Step::Approved { .. } | Step::ReleaseAsked { .. } => {
                return None;
            }
            Step::Refused { code, detail, .. } => (Some(code.clone()), Some(detail.clone())),
            Step::Waiting { why, .. } => (None, Some(why.clone())),
            Step::Declined { who } => (None, Some(format!("declined by {who}"))),
            Step::AlreadyIsolated { comment, .. } => (None, Some(comment.clone())),
            Step::Overdue { detail }
            | Step::Released { detail, .. }
            | Step::TakenOver { detail }
            | Step::Failed { detail } => (None, Some(detail.clone())),
            Step::HandedOver { to } => (None, Some(format!("{to} holds the endpoint"))),
            Step::Merged { into, .. } => {
                (None, Some(format!("an update of the alert that {into} acts on for the same endpoint")))
            }
            _ => (None, None),
        };
        let received = decision.received()?;
        let what = match entry.step {
            Step::Overdue { .. } => "overdue",
            _ => state_after(decision, entry).as_str(),
        };
        Some(Self {
            decision: decision.id().clone(),
            sequence: entry.sequence,
            what: what.to_owned(),
            at: rfc3339(entry.at_ms),
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

fn state_after(decision: &Decision, entry: &Entry) -> State {
    let entries = decision.entries().iter().take(entry.sequence as usize).cloned().collect();
    Decision { id: decision.id().clone(), entries }.state()
}

pub(crate) fn rfc3339(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}
