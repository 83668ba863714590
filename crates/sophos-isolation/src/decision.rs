//! Decisions: the transitions of each signal, in order.

pub(crate) mod comment_tag;
mod id;
mod transition;

use std::fmt;

use serde::{Deserialize, Serialize};

use self::comment_tag::has_tag;
pub use id::{AlertKey, DecisionId};
pub use transition::{
    Claim, IsolationOrigin, IsolationTarget, LedgerEntry, ReceivedSignal, RefusalReason, ReleaseReason,
    Transition,
};

/// The state of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DecisionState {
    /// The signal was received and not evaluated.
    Received,
    /// The signal was refused; final.
    Refused,
    /// The policy was in a dry run; final.
    DryRun,
    /// The decision awaits approval by a person.
    PendingApproval,
    /// A person approved.
    Approved,
    /// A person declined; final.
    Declined,
    /// The approval expired; final.
    Expired,
    /// A run has claimed the endpoint and is about to isolate it, or died.
    Claimed,
    /// The decision is retried later.
    Deferred,
    /// Isolation was requested and is not confirmed.
    Requested,
    /// The endpoint already had an isolation of another origin; final.
    AlreadyIsolated,
    /// The endpoint reports its isolation.
    Isolated,
    /// The isolation is to end.
    ReleasePending,
    /// Release was requested and is not confirmed.
    ReleaseRequested,
    /// The isolation has ended; final.
    Released,
    /// Another decision took the endpoint over; final.
    Transferred,
    /// The isolation was ended or replaced outside this ledger; final.
    Superseded,
    /// The release was passed to the decisions that claimed the endpoint; final.
    Delegated,
    /// The signal is an update of an alert with another decision; final.
    Merged,
    /// The engine gave up; final.
    Failed,
}

impl DecisionState {
    /// Whether the decision has ended.
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

    /// Returns the state in snake case, as in the ledger.
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

/// A decision with all of its transitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub(crate) id: DecisionId,
    pub(crate) entries: Vec<LedgerEntry>,
}

impl Decision {
    /// Returns the id.
    pub fn id(&self) -> &DecisionId {
        &self.id
    }

    /// Returns the entries, in order.
    pub fn entries(&self) -> &[LedgerEntry] {
        &self.entries
    }

    /// Returns the signal of the decision.
    pub fn received(&self) -> Option<&ReceivedSignal> {
        match &self.entries.first()?.transition {
            Transition::Received(received) => Some(received),
            _ => None,
        }
    }

    /// Returns the state.
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
            // A report, which changes no state.
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

    /// Returns the reason of a refusal: a stable code, and a sentence.
    pub fn refusal(&self) -> Option<(&str, &str)> {
        match &self.entries.last()?.transition {
            Transition::Received(received) => {
                received.not_actionable.as_ref().map(|reason| (reason.code.as_str(), reason.detail.as_str()))
            }
            Transition::Refused { code, detail, .. } => Some((code, detail)),
            _ => None,
        }
    }

    /// Returns the endpoint, once it was resolved.
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

    /// Returns the last claim.
    pub fn claim(&self) -> Option<&Claim> {
        self.entries.iter().rev().find_map(|entry| match &entry.transition {
            Transition::Claimed(claim) => Some(claim.as_ref()),
            _ => None,
        })
    }

    /// Returns the tag that the comment at Sophos Central has while the isolation
    /// is this ledger's.
    pub fn comment_tag(&self) -> Option<&str> {
        let requested = self.entries.iter().rev().find_map(|entry| match &entry.transition {
            Transition::Requested { comment_tag, .. } => Some(comment_tag.as_deref()),
            _ => None,
        });
        requested.flatten().or_else(|| self.claim().map(|claim| claim.comment_tag.as_str()))
    }

    /// Returns every tag that this decision's isolation may have: those of its
    /// claims, and that of a decision whose isolation it shares.
    pub(crate) fn comment_tags(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match &entry.transition {
            Transition::Claimed(claim) => Some(claim.comment_tag.as_str()),
            Transition::Requested { comment_tag, .. } => comment_tag.as_deref(),
            _ => None,
        })
    }

    /// Whether a comment at Sophos Central shows that this decision's own request
    /// was applied.
    pub(crate) fn has_own_tag(&self, comment: &str) -> bool {
        self.entries.iter().any(|entry| match &entry.transition {
            Transition::Claimed(claim) => {
                claim.origin != Some(IsolationOrigin::Shared) && has_tag(comment, &claim.comment_tag)
            }
            _ => false,
        })
    }

    /// Whether a comment at Sophos Central has a tag of this decision.
    pub(crate) fn owns_comment(&self, comment: &str) -> bool {
        self.comment_tags().any(|tag| has_tag(comment, tag))
    }

    /// Whether a person approved the decision.
    pub fn is_approved(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.transition, Transition::Approved { .. }))
    }

    /// Whether its request may have been applied, confirmed or not.
    pub(crate) fn may_have_isolated(&self) -> bool {
        let may_isolate = |entry: &LedgerEntry| {
            matches!(entry.transition, Transition::Requested { .. } | Transition::ReleasePending { .. })
        };
        self.entries.iter().any(may_isolate)
    }

    /// Returns the end of the lease of a run that may still be in its request, in
    /// seconds since the Unix epoch. A release that is requested meanwhile does not
    /// end the lease.
    pub(crate) fn call_lease_until(&self) -> Option<u64> {
        let is_of_state = |transition: &&Transition| {
            !matches!(transition, Transition::ReleasePending { .. } | Transition::Overdue { .. })
        };
        match self.entries.iter().rev().map(|entry| &entry.transition).find(is_of_state)? {
            Transition::Claimed(claim) => Some(claim.lease_until),
            _ => None,
        }
    }

    /// Returns a description of the last manual end of this isolation, and its time
    /// in milliseconds since the Unix epoch.
    pub(crate) fn manual_end(&self) -> Option<(String, u64)> {
        self.entries.iter().rev().find_map(|entry| {
            let description = match &entry.transition {
                Transition::ReleasePending { reason: ReleaseReason::Requested, by } => {
                    format!("was released by {}", by.as_deref().unwrap_or("a person"))
                }
                Transition::Declined { by } => format!("was declined by {by}"),
                Transition::Superseded { detail } => format!("ended because {detail}"),
                _ => return None,
            };
            Some((description, entry.at_ms))
        })
    }

    /// Whether the isolation or its release was reported as overdue.
    pub fn is_overdue(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.transition, Transition::Overdue { .. }))
    }

    /// Returns the number of deferrals.
    pub(crate) fn deferral_count(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.transition, Transition::Deferred { .. })).count()
    }

    /// Returns the time of the isolation request, in seconds since the Unix epoch.
    pub fn requested_at(&self) -> Option<u64> {
        let is_request = |entry: &&LedgerEntry| matches!(entry.transition, Transition::Requested { .. });
        self.entries.iter().find(is_request).map(|entry| entry.at_ms / 1_000)
    }

    /// Returns the time at which the isolation was confirmed, in seconds since the
    /// Unix epoch.
    pub fn isolated_at(&self) -> Option<u64> {
        let isolated = |entry: &&LedgerEntry| matches!(entry.transition, Transition::Isolated { .. });
        self.entries.iter().find(isolated).map(|entry| entry.at_ms / 1_000)
    }

    /// Returns the time of the scheduled release, in seconds since the Unix epoch.
    /// `None` for no scheduled release, and before the isolation is confirmed: the
    /// time does not run while an endpoint is offline.
    pub fn release_at(&self) -> Option<u64> {
        Some(self.isolated_at()?.saturating_add(self.claim()?.release_after_seconds?))
    }

    /// Returns the time of receipt, in milliseconds since the Unix epoch.
    pub fn created_at_ms(&self) -> u64 {
        self.entries.first().map_or(0, |entry| entry.at_ms)
    }

    /// Returns the time of the first request for approval, in milliseconds since
    /// the Unix epoch.
    pub(crate) fn approval_requested_at_ms(&self) -> Option<u64> {
        let is_pending =
            |entry: &&LedgerEntry| matches!(entry.transition, Transition::PendingApproval { .. });
        self.entries.iter().find(is_pending).map(|entry| entry.at_ms)
    }

    /// Returns the time from which the engine could act, in milliseconds since the
    /// Unix epoch: that of the approval, or of receipt without one.
    pub(crate) fn actionable_since_ms(&self) -> u64 {
        let approved = |entry: &&LedgerEntry| matches!(entry.transition, Transition::Approved { .. });
        self.entries.iter().rev().find(approved).map_or_else(|| self.created_at_ms(), |entry| entry.at_ms)
    }

    /// Returns the time of the last transition, in milliseconds since the Unix
    /// epoch.
    pub fn updated_at_ms(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.at_ms)
    }
}
