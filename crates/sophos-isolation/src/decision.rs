//! A decision: everything that happened about one signal, in order.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{adapters::Tool, signal::Signal, verify::Stage};

/// The id of a decision.
///
/// It follows from the source and the sender's identity of the event: the same
/// event sent again leads to the same decision, wherever it arrives.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DecisionId(String);

const ID_PREFIX: &str = "iso-";
const ID_DIGITS: usize = 24;

impl DecisionId {
    /// The id for an event of a source.
    pub fn of(source: &str, event_id: &str) -> Self {
        let mut hash = Sha256::new();
        // The length keeps a source from reaching into another's events.
        hash.update((source.len() as u64).to_be_bytes());
        hash.update(source.as_bytes());
        hash.update(event_id.as_bytes());
        let digits: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Self(format!("{ID_PREFIX}{}", &digits[..ID_DIGITS]))
    }

    /// The id as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DecisionId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.strip_prefix(ID_PREFIX).unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == ID_DIGITS && digits.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err("a decision's id is iso- and 24 hexadecimal digits")
        }
    }
}

impl From<DecisionId> for String {
    fn from(id: DecisionId) -> Self {
        id.0
    }
}

impl std::str::FromStr for DecisionId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::try_from(text.trim().to_owned())
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One transition of a decision: an object of the ledger, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The form of this object: 1.
    pub version: u32,
    /// The decision.
    pub decision: DecisionId,
    /// The number of the transition, from 1, without holes.
    pub sequence: u32,
    /// When, in milliseconds since the Unix epoch, by the writer's clock.
    pub at_ms: u64,
    /// The run that wrote it: a name that no other has.
    pub run: String,
    /// What happened.
    #[serde(flatten)]
    pub step: Step,
}

/// What can happen to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// A verified signal came in.
    Received(Box<Received>),
    /// Nothing will be done.
    Refused {
        /// Why, in a word for programs.
        code: String,
        /// Why, for people.
        detail: String,
        /// The endpoint, when it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<Target>,
    },
    /// A dry run: this would have been done.
    Rehearsed {
        /// The endpoint.
        target: Target,
        /// Whether a person would have been asked first.
        approval: bool,
        /// When it would have ended, in seconds after it; never if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_seconds: Option<u64>,
    },
    /// A person must approve.
    Waiting {
        /// The endpoint.
        target: Target,
        /// Why a person is asked.
        why: String,
        /// Until when, in seconds since the Unix epoch.
        until: u64,
    },
    /// A person approved.
    Approved {
        /// Who, as far as it is known.
        who: String,
    },
    /// A person declined.
    Declined {
        /// Who, as far as it is known.
        who: String,
    },
    /// Nobody approved in time.
    Expired,
    /// A run took it upon itself to isolate the endpoint; its call comes next.
    Claimed(Box<Claim>),
    /// The call was not carried out, and will be made again.
    Deferred {
        /// What stood in the way.
        detail: String,
        /// When, in seconds since the Unix epoch.
        retry_at: u64,
    },
    /// The service accepted: isolation is asked for.
    Requested {
        /// How that came about.
        how: Asked,
        /// The mark in the comment at the service, when it is another
        /// decision's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<String>,
    },
    /// The endpoint was isolated by somebody else. Whoever that was may release
    /// it; nothing here will.
    AlreadyIsolated {
        /// The endpoint.
        target: Target,
        /// The comment of that isolation.
        comment: String,
    },
    /// The endpoint reports that it is isolated.
    Isolated {
        /// When it took effect, as the service says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effective_at: Option<String>,
    },
    /// It has not taken effect in the time that the policy gives it. It stays
    /// asked for.
    Overdue {
        /// What is known of the endpoint.
        detail: String,
    },
    /// The isolation is to end.
    ReleaseAsked {
        /// Why.
        why: ReleaseReason,
        /// Who asked, when somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
    },
    /// The service accepted: release is asked for.
    ReleaseRequested,
    /// The isolation ended.
    Released {
        /// What is known of its end.
        detail: String,
        /// When it took effect, as the service says.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effective_at: Option<String>,
    },
    /// Another decision holds the endpoint for longer, and will release it.
    HandedOver {
        /// That decision.
        to: DecisionId,
    },
    /// Somebody else ended the isolation, or made it theirs.
    TakenOver {
        /// What was seen.
        detail: String,
    },
    /// A signal asked for a release, which these decisions were told.
    Forwarded {
        /// The decisions that held the endpoint.
        to: Vec<DecisionId>,
        /// The endpoint.
        target: Target,
    },
    /// It was given up.
    Failed {
        /// Why.
        detail: String,
    },
}

/// A verified signal, as it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// The source, as the policy names it.
    pub source: String,
    /// The tool.
    pub tool: Tool,
    /// What it says.
    pub signal: Signal,
    /// The SHA-256 of the body that it came in, in hexadecimal.
    pub body_sha256: String,
    /// The address it came from, when it came over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Which value of the source's secret it was made with; none when AWS
    /// vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Stage>,
}

/// An endpoint that a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// The tenant, in lower case.
    pub tenant: String,
    /// The endpoint's id, in lower case.
    pub endpoint: String,
    /// Its name, when it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

impl Target {
    /// Whether it is the same endpoint of the same tenant.
    pub fn is_same(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.endpoint == other.endpoint
    }
}

/// What a run had in hand before its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The endpoint.
    pub target: Target,
    /// The SHA-256 of the policy that allowed it.
    pub policy: String,
    /// Until when nobody else may take it up, in seconds since the Unix epoch.
    pub lease_until: u64,
    /// What the comment at the service holds, so that this isolation is known
    /// again.
    pub mark: String,
    /// When the isolation is to end after it took effect, in seconds; never if
    /// not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_seconds: Option<u64>,
    /// The slots of budgets that it took, as paths of the store.
    #[serde(default)]
    pub slots: Vec<String>,
    /// When the endpoint was found isolated on account of this ledger: how, and
    /// no call is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Asked>,
}

/// How isolation came to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// The service accepted this decision's call.
    Accepted,
    /// The answer to the call was lost or refused, and the state shows that it
    /// was carried out.
    FoundDone,
    /// Another decision of this ledger had isolated the endpoint; this one
    /// holds it too.
    Joined,
}

/// Why an isolation is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// Its time is up.
    TimeIsUp,
    /// Somebody asked.
    Asked,
}

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
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a comment begins with a mark. Further on it may hold what a sender
/// or somebody in the console has written.
pub(crate) fn is_marked(comment: &str, mark: &str) -> bool {
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
            Step::Failed { .. } => Some(State::Failed),
        };
        self.entries.iter().rev().find_map(state).unwrap_or(State::Received)
    }

    /// The endpoint, once it was chosen.
    pub fn target(&self) -> Option<&Target> {
        self.entries.iter().rev().find_map(|entry| match &entry.step {
            Step::Claimed(claim) => Some(&claim.target),
            Step::Waiting { target, .. }
            | Step::AlreadyIsolated { target, .. }
            | Step::Rehearsed { target, .. }
            | Step::Forwarded { target, .. } => Some(target),
            Step::Refused { target, .. } => target.as_ref(),
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
