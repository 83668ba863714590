//! A decision: everything that happened about one signal, in order.

mod id;
mod step;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use id::{AlertKey, DecisionId};
pub use step::{Asked, Claim, Entry, Reason, Received, ReleaseReason, Step, Target};

/// Where a decision stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// A signal came in and nothing was decided.
    Received,
    /// Nothing is done; final.
    Refused,
    /// A dry run; final.
    Rehearsed,
    /// A person must approve.
    Waiting,
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
    ReleaseAsked,
    /// Its end is asked for and not confirmed.
    ReleaseRequested,
    /// It ended; final.
    Released,
    /// Another decision took the endpoint over; final.
    HandedOver,
    /// Somebody else ended it or made it theirs; final.
    TakenOver,
    /// A release was asked of the decisions that held the endpoint; final.
    Forwarded,
    /// An update of an alert that another decision acts on; final.
    Merged,
    /// Given up; final.
    Failed,
}

impl State {
    /// Whether nothing will happen any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Rehearsed
                | Self::Declined
                | Self::Expired
                | Self::AlreadyIsolated
                | Self::Released
                | Self::HandedOver
                | Self::TakenOver
                | Self::Forwarded
                | Self::Merged
                | Self::Failed
        )
    }

    /// Whether the decision keeps its endpoint isolated.
    pub fn is_holding(self) -> bool {
        matches!(self, Self::Claimed | Self::Deferred | Self::Requested | Self::Isolated)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Rehearsed => "rehearsed",
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Claimed => "claimed",
            Self::Deferred => "deferred",
            Self::Requested => "requested",
            Self::AlreadyIsolated => "already_isolated",
            Self::Isolated => "isolated",
            Self::ReleaseAsked => "release_asked",
            Self::ReleaseRequested => "release_requested",
            Self::Released => "released",
            Self::HandedOver => "handed_over",
            Self::TakenOver => "taken_over",
            Self::Forwarded => "forwarded",
            Self::Merged => "merged",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a comment begins with a mark of this ledger. Further on it may hold
/// what a sender or an administrator has written.
pub(crate) fn is_marked(comment: &str, mark: &str) -> bool {
    if !id::is_mark(mark) {
        return false;
    }
    let rest = comment.trim_start().strip_prefix(mark);
    rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_ascii_alphanumeric()))
}

/// A decision, read back whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    pub(crate) id: DecisionId,
    pub(crate) entries: Vec<Entry>,
}

impl Decision {
    /// Its id.
    pub fn id(&self) -> &DecisionId {
        &self.id
    }

    /// What happened, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The signal that began it.
    pub fn received(&self) -> Option<&Received> {
        match &self.entries.first()?.step {
            Step::Received(received) => Some(received),
            _ => None,
        }
    }

    /// Where it stands.
    pub fn state(&self) -> State {
        let state = |entry: &Entry| match &entry.step {
            Step::Received(received) if received.not_actionable.is_some() => Some(State::Refused),
            Step::Received(_) => Some(State::Received),
            Step::Refused { .. } => Some(State::Refused),
            Step::Rehearsed { .. } => Some(State::Rehearsed),
            Step::Waiting { .. } => Some(State::Waiting),
            Step::Approved { .. } => Some(State::Approved),
            Step::Declined { .. } => Some(State::Declined),
            Step::Expired => Some(State::Expired),
            Step::Claimed(_) => Some(State::Claimed),
            Step::Deferred { .. } => Some(State::Deferred),
            Step::Requested { .. } => Some(State::Requested),
            Step::AlreadyIsolated { .. } => Some(State::AlreadyIsolated),
            Step::Isolated { .. } => Some(State::Isolated),
            // A report about a state, and none of its own.
            Step::Overdue { .. } => None,
            Step::ReleaseAsked { .. } => Some(State::ReleaseAsked),
            Step::ReleaseRequested => Some(State::ReleaseRequested),
            Step::Released { .. } => Some(State::Released),
            Step::HandedOver { .. } => Some(State::HandedOver),
            Step::TakenOver { .. } => Some(State::TakenOver),
            Step::Forwarded { .. } => Some(State::Forwarded),
            Step::Merged { .. } => Some(State::Merged),
            Step::Failed { .. } => Some(State::Failed),
        };
        self.entries.iter().rev().find_map(state).unwrap_or(State::Received)
    }

    /// Why nothing is done, when the decision is refused: a stable word, and a
    /// sentence.
    pub fn refusal(&self) -> Option<(&str, &str)> {
        match &self.entries.last()?.step {
            Step::Received(received) => {
                received.not_actionable.as_ref().map(|reason| (reason.code.as_str(), reason.detail.as_str()))
            }
            Step::Refused { code, detail, .. } => Some((code, detail)),
            _ => None,
        }
    }

    /// The endpoint, once it was chosen.
    pub fn target(&self) -> Option<&Target> {
        self.entries.iter().rev().find_map(|entry| match &entry.step {
            Step::Claimed(claim) => Some(&claim.target),
            Step::Waiting { target, .. }
            | Step::AlreadyIsolated { target, .. }
            | Step::Rehearsed { target, .. }
            | Step::Forwarded { target, .. }
            | Step::Merged { target, .. } => Some(target),
            Step::Refused { target, .. } | Step::Deferred { target, .. } => target.as_ref(),
            _ => None,
        })
    }

    /// What the last run that was to make the call had in hand.
    pub fn claim(&self) -> Option<&Claim> {
        self.entries.iter().rev().find_map(|entry| match &entry.step {
            Step::Claimed(claim) => Some(claim.as_ref()),
            _ => None,
        })
    }

    /// What the comment at the service holds when the isolation is still this
    /// ledger's.
    pub fn mark(&self) -> Option<&str> {
        let asked = self.entries.iter().rev().find_map(|entry| match &entry.step {
            Step::Requested { mark, .. } => Some(mark.as_deref()),
            _ => None,
        });
        asked.flatten().or_else(|| self.claim().map(|claim| claim.mark.as_str()))
    }

    /// Every mark that a comment at the service may hold on this decision's
    /// account: of each run that was to make the call, and of a decision that it
    /// has joined.
    pub(crate) fn marks(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter_map(|entry| match &entry.step {
            Step::Claimed(claim) => Some(claim.mark.as_str()),
            Step::Requested { mark, .. } => mark.as_deref(),
            _ => None,
        })
    }

    /// Whether a comment at the service says that this decision's own call was
    /// carried out.
    pub(crate) fn has_called(&self, comment: &str) -> bool {
        self.entries.iter().any(|entry| match &entry.step {
            Step::Claimed(claim) => claim.joined != Some(Asked::Joined) && is_marked(comment, &claim.mark),
            _ => false,
        })
    }

    /// Whether a comment at the service is one on this decision's account.
    pub(crate) fn knows(&self, comment: &str) -> bool {
        self.marks().any(|mark| is_marked(comment, mark))
    }

    /// Whether a person approved it.
    pub fn is_approved(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.step, Step::Approved { .. }))
    }

    /// Whether its call may have been carried out, seen or not.
    pub(crate) fn may_have_called(&self) -> bool {
        let asked = |entry: &Entry| matches!(entry.step, Step::Requested { .. } | Step::ReleaseAsked { .. });
        self.entries.iter().any(asked)
    }

    /// Until when a run may be in its call, in seconds since the Unix epoch.
    /// A release that is asked for meanwhile does not end the call.
    pub(crate) fn calls_until(&self) -> Option<u64> {
        let mut steps = self.entries.iter().rev().map(|entry| &entry.step);
        match steps.find(|step| !matches!(step, Step::ReleaseAsked { .. } | Step::Overdue { .. }))? {
            Step::Claimed(claim) => Some(claim.lease_until),
            _ => None,
        }
    }

    /// A person's last word against this isolation, and when it was said, in
    /// milliseconds since the Unix epoch.
    pub(crate) fn ended_by(&self) -> Option<(String, u64)> {
        self.entries.iter().rev().find_map(|entry| {
            let by = match &entry.step {
                Step::ReleaseAsked { why: ReleaseReason::Asked, who } => {
                    format!("was released by {}", who.as_deref().unwrap_or("a person"))
                }
                Step::Declined { who } => format!("was declined by {who}"),
                Step::TakenOver { detail } => format!("ended because {detail}"),
                _ => return None,
            };
            Some((by, entry.at_ms))
        })
    }

    /// Whether it was reported that it has not taken effect in time.
    pub fn is_overdue(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.step, Step::Overdue { .. }))
    }

    /// How often the call was put off.
    pub(crate) fn deferrals(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry.step, Step::Deferred { .. })).count()
    }

    /// When isolation was asked for, in seconds since the Unix epoch.
    pub fn requested_at(&self) -> Option<u64> {
        let asked = |entry: &&Entry| matches!(entry.step, Step::Requested { .. });
        self.entries.iter().find(asked).map(|entry| entry.at_ms / 1_000)
    }

    /// When the endpoint was seen to be isolated, in seconds since the Unix
    /// epoch.
    pub fn isolated_at(&self) -> Option<u64> {
        let isolated = |entry: &&Entry| matches!(entry.step, Step::Isolated { .. });
        self.entries.iter().find(isolated).map(|entry| entry.at_ms / 1_000)
    }

    /// When its time is up, in seconds since the Unix epoch; `None` for never,
    /// and before the endpoint was seen to be isolated: the time of one that is
    /// offline does not pass before it is back.
    pub fn release_at(&self) -> Option<u64> {
        Some(self.isolated_at()?.saturating_add(self.claim()?.hold_seconds?))
    }

    /// When it began, in milliseconds since the Unix epoch.
    pub fn began_ms(&self) -> u64 {
        self.entries.first().map_or(0, |entry| entry.at_ms)
    }

    /// When a person was first asked to approve, in milliseconds since the Unix
    /// epoch.
    pub(crate) fn asked_ms(&self) -> Option<u64> {
        let waiting = |entry: &&Entry| matches!(entry.step, Step::Waiting { .. });
        self.entries.iter().find(waiting).map(|entry| entry.at_ms)
    }

    /// Since when there is something to be done, in milliseconds since the Unix
    /// epoch: what a person took to approve does not count.
    pub(crate) fn open_since_ms(&self) -> u64 {
        let approved = |entry: &&Entry| matches!(entry.step, Step::Approved { .. });
        self.entries.iter().rev().find(approved).map_or_else(|| self.began_ms(), |entry| entry.at_ms)
    }

    /// When the last transition was, in milliseconds since the Unix epoch.
    pub fn changed_ms(&self) -> u64 {
        self.entries.last().map_or(0, |entry| entry.at_ms)
    }
}
