//! A decision: everything that happened about one signal, in order.

mod id;
mod transition;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use id::{AlertKey, DecisionId};
pub use transition::{
    Claim, IsolationOrigin, IsolationTarget, LedgerEntry, ReceivedSignal, RefusalReason, ReleaseReason,
    Transition,
};

/// Where a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionState {
    /// A signal came in and nothing was decided.
    Received,
    /// Nothing is done; final.
    Refused,
    /// A dry run; final.
    DryRun,
    /// A person must approve.
    PendingApproval,
    /// A person approved, and nothing was done yet.
    Approved,
    /// A person declined; final.
    Declined,
    /// Nobody approved in time; final.
    Expired,
    /// A run is about to make the call, or died before it could tell.
    Claimed,
    /// The call will be made again.
    Deferred,
    /// Isolation is asked for and not confirmed.
    Requested,
    /// Somebody else had isolated it; final.
    AlreadyIsolated,
    /// The endpoint reports it.
    Isolated,
    /// The isolation is to end.
    ReleasePending,
    /// Its end is asked for and not confirmed.
    ReleaseRequested,
    /// It ended; final.
    Released,
    /// Another decision took the endpoint over; final.
    Transferred,
    /// Somebody else ended it or made it theirs; final.
    Superseded,
    /// A release was asked of the decisions that held the endpoint; final.
    Delegated,
    /// An update of an alert that another decision acts on; final.
    Merged,
    /// Given up; final.
    Failed,
}

impl DecisionState {
    /// Whether nothing will happen any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::DryRun
                | Self::Declined
                | Self::Expired
                | Self::AlreadyIsolated
                | Self::Released
                | Self::Transferred
                | Self::Superseded
                | Self::Delegated
                | Self::Merged
                | Self::Failed
        )
    }

    /// Whether the decision keeps its endpoint isolated.
    pub fn keeps_isolated(self) -> bool {
        matches!(self, Self::Claimed | Self::Deferred | Self::Requested | Self::Isolated)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Refused => "refused",
            Self::DryRun => "dry_run",
            Self::PendingApproval => "pending_approval",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Claimed => "claimed",
            Self::Deferred => "deferred",
            Self::Requested => "requested",
            Self::AlreadyIsolated => "already_isolated",
            Self::Isolated => "isolated",
            Self::ReleasePending => "release_pending",
            Self::ReleaseRequested => "release_requested",
            Self::Released => "released",
            Self::Transferred => "transferred",
            Self::Superseded => "superseded",
            Self::Delegated => "delegated",
            Self::Merged => "merged",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for DecisionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a comment begins with a mark of this ledger. Further on it may hold
/// what a sender or an administrator has written.
pub(crate) fn has_tag(comment: &str, mark: &str) -> bool {
    if !id::is_comment_tag(mark) {
        return false;
    }
    let rest = comment.trim_start().strip_prefix(mark);
    rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_ascii_alphanumeric()))
}

/// A decision, read back whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub(crate) id: DecisionId,
    pub(crate) entries: Vec<LedgerEntry>,
}

impl Decision {
    /// Its id.
    pub fn id(&self) -> &DecisionId {
        &self.id
    }

    /// What happened, in order.
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }

    /// The signal that began it.
    pub fn received(&self) -> Option<&ReceivedSignal> {
        match &self.entries.first()?.transition {
            Transition::Received(received) => Some(received),
            _ => None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> DecisionState {
        let state = |entry: &LedgerEntry| match &entry.transition {
            Transition::Received(received) if received.not_actionable.is_some() => {
                Some(DecisionState::Refused)
            }
            Transition::Received(_) => Some(DecisionState::Received),
            Transition::Refused { .. } => Some(DecisionState::Refused),
            Transition::DryRun { .. } => Some(DecisionState::DryRun),
            Transition::PendingApproval { .. } => Some(DecisionState::PendingApproval),
            Transition::Approved { .. } => Some(DecisionState::Approved),
            Transition::Declined { .. } => Some(DecisionState::Declined),
            Transition::Expired => Some(DecisionState::Expired),
            Transition::Claimed(_) => Some(DecisionState::Claimed),
            Transition::Deferred { .. } => Some(DecisionState::Deferred),
            Transition::Requested { .. } => Some(DecisionState::Requested),
            Transition::AlreadyIsolated { .. } => Some(DecisionState::AlreadyIsolated),
            Transition::Isolated { .. } => Some(DecisionState::Isolated),
            // A report about a state, and none of its own.
            Transition::Overdue { .. } => None,
            Transition::ReleasePending { .. } => Some(DecisionState::ReleasePending),
            Transition::ReleaseRequested => Some(DecisionState::ReleaseRequested),
            Transition::Released { .. } => Some(DecisionState::Released),
            Transition::Transferred { .. } => Some(DecisionState::Transferred),
            Transition::Superseded { .. } => Some(DecisionState::Superseded),
            Transition::Delegated { .. } => Some(DecisionState::Delegated),
            Transition::Merged { .. } => Some(DecisionState::Merged),
            Transition::Failed { .. } => Some(DecisionState::Failed),
        };
        self.entries.iter().rev().find_map(state).unwrap_or(DecisionState::Received)
    }

    /// Why nothing is done, when the decision is refused: a stable word, and a
    /// sentence.
    pub fn refusal(&self) -> Option<(&str, &str)> {
        match &self.entries.last()?.transition {
            Transition::Received(received) => {
                received.not_actionable.as_ref().map(|reason| (reason.code.as_str(), reason.detail.as_str()))
            }
            Transition::Refused { code, detail, .. } => Some((code, detail)),
            _ => None,
        }
    }

    /// The endpoint, once it was chosen.
    pub fn target(&self) -> Option<&IsolationTarget> {
        self.entries.iter().rev().find_map(|entry| match &entry.transition {
            Transition::Claimed(claim) => Some(&claim.target),
            Transition::PendingApproval { target, .. }
            | Transition::AlreadyIsolated { target, .. }
            | Transition::DryRun { target, .. }
            | Transition::Delegated { target, .. }
            | Transition::Merged { target, .. } => Some(target),
            Transition::Refused { target, .. } | Transition::Deferred { target, .. } => target.as_ref(),
            _ => None,
        })
    }

    /// What the last run that was to make the call had in hand.
    pub fn claim(&self) -> Option<&Claim> {
        self.entries.iter().rev().find_map(|entry| match &entry.transition {
            Transition::Claimed(claim) => Some(claim.as_ref()),
            _ => None,
        })
    }

    /// What the comment at the service holds when the isolation is still this
    /// ledger's.
    pub fn comment_tag(&self) -> Option<&str> {
        let asked = self.entries.iter().rev().find_map(|entry| match &entry.transition {
            Transition::Requested { comment_tag: mark, .. } => Some(mark.as_deref()),
            _ => None,
        });
        asked.flatten().or_else(|| self.claim().map(|claim| claim.comment_tag.as_str()))
    }

    /// Every mark that a comment at the service may hold on this decision's
    /// account: of each run that was to make the call, and of a decision that it
    /// has joined.
    pub(crate) fn comment_tags(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match &entry.transition {
            Transition::Claimed(claim) => Some(claim.comment_tag.as_str()),
            Transition::Requested { comment_tag: mark, .. } => mark.as_deref(),
            _ => None,
        })
    }

    /// Whether a comment at the service says that this decision's own call was
    /// carried out.
    pub(crate) fn has_own_tag(&self, comment: &str) -> bool {
        self.entries.iter().any(|entry| match &entry.transition {
            Transition::Claimed(claim) => {
                claim.origin != Some(IsolationOrigin::Shared) && has_tag(comment, &claim.comment_tag)
            }
            _ => false,
        })
    }

    /// Whether a comment at the service is one on this decision's account.
    pub(crate) fn owns_comment(&self, comment: &str) -> bool {
        self.comment_tags().any(|mark| has_tag(comment, mark))
    }

    /// Whether a person approved it.
    pub fn is_approved(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.transition, Transition::Approved { .. }))
    }

    /// Whether its call may have been carried out, seen or not.
    pub(crate) fn may_have_isolated(&self) -> bool {
        let asked = |entry: &LedgerEntry| {
            matches!(entry.transition, Transition::Requested { .. } | Transition::ReleasePending { .. })
        };
        self.entries.iter().any(asked)
    }

    /// Until when a run may be in its call, in seconds since the Unix epoch.
    /// A release that is asked for meanwhile does not end the call.
    pub(crate) fn call_lease_until(&self) -> Option<u64> {
        let mut steps = self.entries.iter().rev().map(|entry| &entry.transition);
        match steps
            .find(|step| !matches!(step, Transition::ReleasePending { .. } | Transition::Overdue { .. }))?
        {
            Transition::Claimed(claim) => Some(claim.lease_until),
            _ => None,
        }
    }

    /// A person's last word against this isolation, and when it was said, in
    /// milliseconds since the Unix epoch.
    pub(crate) fn manual_end(&self) -> Option<(String, u64)> {
        self.entries.iter().rev().find_map(|entry| {
            let by = match &entry.transition {
                Transition::ReleasePending { reason: ReleaseReason::Requested, by: who } => {
                    format!("was released by {}", who.as_deref().unwrap_or("a person"))
                }
                Transition::Declined { by: who } => format!("was declined by {who}"),
                Transition::Superseded { detail } => format!("ended because {detail}"),
                _ => return None,
            };
            Some((by, entry.at_ms))
        })
    }

    /// Whether it was reported that it has not taken effect in time.
    pub fn is_overdue(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.transition, Transition::Overdue { .. }))
    }

    /// How often the call was put off.
    pub(crate) fn deferral_count(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.transition, Transition::Deferred { .. })).count()
    }

    /// When isolation was asked for, in seconds since the Unix epoch.
    pub fn requested_at(&self) -> Option<u64> {
        let asked = |entry: &&LedgerEntry| matches!(entry.transition, Transition::Requested { .. });
        self.entries.iter().find(asked).map(|entry| entry.at_ms / 1_000)
    }

    /// When the endpoint was seen to be isolated, in seconds since the Unix
    /// epoch.
    pub fn isolated_at(&self) -> Option<u64> {
        let isolated = |entry: &&LedgerEntry| matches!(entry.transition, Transition::Isolated { .. });
        self.entries.iter().find(isolated).map(|entry| entry.at_ms / 1_000)
    }

    /// When its time is up, in seconds since the Unix epoch; `None` for never,
    /// and before the endpoint was seen to be isolated: the time of one that is
    /// offline does not pass before it is back.
    pub fn release_at(&self) -> Option<u64> {
        Some(self.isolated_at()?.saturating_add(self.claim()?.release_after_seconds?))
    }

    /// When it began, in milliseconds since the Unix epoch.
    pub fn created_at_ms(&self) -> u64 {
        self.entries.first().map_or(0, |entry| entry.at_ms)
    }

    /// When a person was first asked to approve, in milliseconds since the Unix
    /// epoch.
    pub(crate) fn approval_requested_at_ms(&self) -> Option<u64> {
        let waiting = |entry: &&LedgerEntry| matches!(entry.transition, Transition::PendingApproval { .. });
        self.entries.iter().find(waiting).map(|entry| entry.at_ms)
    }

    /// Since when there is something to be done, in milliseconds since the Unix
    /// epoch: what a person took to approve does not count.
    pub(crate) fn actionable_since_ms(&self) -> u64 {
        let approved = |entry: &&LedgerEntry| matches!(entry.transition, Transition::Approved { .. });
        self.entries.iter().rev().find(approved).map_or_else(|| self.created_at_ms(), |entry| entry.at_ms)
    }

    /// When the last transition was, in milliseconds since the Unix epoch.
    pub fn updated_at_ms(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.at_ms)
    }
}
