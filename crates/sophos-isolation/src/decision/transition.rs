//! What can happen to a decision.

use serde::{Deserialize, Serialize};

use super::{AlertKey, DecisionId};
use crate::{adapters::Tool, signal::Signal, verify::VersionStage};

/// One transition of a decision: an object of the ledger, written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The form of this object: 1.
    pub version: u32,
    /// The decision.
    pub decision: DecisionId,
    /// The number of the transition, from 1, without holes.
    pub sequence: u32,
    /// When, in milliseconds since the Unix epoch, by the writer's clock.
    pub at_ms: u64,
    /// The run that wrote it: a name that no other has.
    pub attempt_id: String,
    /// What happened.
    #[serde(flatten)]
    pub transition: Transition,
}

/// What can happen to a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "transition", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transition {
    /// A verified signal came in.
    Received(Box<ReceivedSignal>),
    /// Nothing will be done.
    Refused {
        /// Why, in a word for programs.
        code: String,
        /// Why, for people.
        detail: String,
        /// The endpoint, when it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<IsolationTarget>,
    },
    /// A dry run: this would have been done.
    DryRun {
        /// The endpoint.
        target: IsolationTarget,
        /// Whether a person would have been asked first.
        requires_approval: bool,
        /// When it would have ended, in seconds after it; never if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release_after_seconds: Option<u64>,
    },
    /// A person must approve.
    PendingApproval {
        /// The endpoint.
        target: IsolationTarget,
        /// Why a person is asked.
        reason: String,
        /// Until when, in seconds since the Unix epoch.
        expires_at: u64,
    },
    /// A person approved.
    Approved {
        /// Who, as far as it is known.
        by: String,
    },
    /// A person declined.
    Declined {
        /// Who, as far as it is known.
        by: String,
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
        /// The endpoint, when it was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<IsolationTarget>,
    },
    /// The service accepted: isolation is asked for.
    Requested {
        /// How that came about.
        origin: IsolationOrigin,
        /// The mark in the comment at the service, when it is another
        /// decision's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment_tag: Option<String>,
    },
    /// The endpoint was isolated by somebody else. Whoever that was may release
    /// it; nothing here will.
    AlreadyIsolated {
        /// The endpoint.
        target: IsolationTarget,
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
    ReleasePending {
        /// Why.
        reason: ReleaseReason,
        /// Who asked, when somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
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
    Transferred {
        /// That decision.
        to: DecisionId,
    },
    /// Somebody else ended the isolation, or made it theirs.
    Superseded {
        /// What was seen.
        detail: String,
    },
    /// A signal asked for a release, which these decisions were told.
    Delegated {
        /// The decisions that held the endpoint.
        to: Vec<DecisionId>,
        /// The endpoint.
        target: IsolationTarget,
    },
    /// The signal is an update of an alert that another decision already acts
    /// on for the same endpoint.
    Merged {
        /// That decision.
        into: DecisionId,
        /// The endpoint.
        target: IsolationTarget,
    },
    /// It was given up.
    Failed {
        /// Why.
        detail: String,
    },
}

/// A verified signal, as it came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedSignal {
    /// The source, as the policy names it.
    pub source: String,
    /// The tool.
    pub tool: Tool,
    /// What it says.
    pub signal: Signal,
    /// The alert that it is about, the same for each of its updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertKey>,
    /// The SHA-256 of the body that it came in, in hexadecimal.
    pub body_sha256: String,
    /// The address it came from, when it came over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// Which value of the source's secret it was made with; none when AWS
    /// vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_stage: Option<VersionStage>,
    /// Why the message asks for nothing, when it does: the decision has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_actionable: Option<RefusalReason>,
}

/// A reason, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalReason {
    /// A stable word.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

/// An endpoint that a decision is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IsolationTarget {
    /// The tenant, in lower case.
    pub tenant: String,
    /// The endpoint's id, in lower case.
    pub endpoint: String,
    /// Its name, when it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

impl IsolationTarget {
    /// Whether it is the same endpoint of the same tenant.
    pub fn is_same_endpoint(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.endpoint == other.endpoint
    }
}

/// What a run had in hand before its call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The endpoint.
    pub target: IsolationTarget,
    /// The SHA-256 of the policy that allowed it.
    pub policy_digest: String,
    /// Until when nobody else may take it up, in seconds since the Unix epoch.
    pub lease_until: u64,
    /// What the comment at the service holds, so that this isolation is known
    /// again.
    pub comment_tag: String,
    /// When the isolation is to end after it took effect, in seconds; never if
    /// not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_after_seconds: Option<u64>,
    /// The slots of budgets that it took, as paths of the store.
    #[serde(default)]
    pub permits: Vec<String>,
    /// When the endpoint was found isolated on account of this ledger: how, and
    /// no call is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<IsolationOrigin>,
}

/// How isolation came to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationOrigin {
    /// The service accepted this decision's call.
    Requested,
    /// The answer to the call was lost or refused, and the state shows that it
    /// was carried out.
    AlreadyApplied,
    /// Another decision of this ledger had isolated the endpoint; this one
    /// holds it too.
    Shared,
}

/// Why an isolation is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// Its time is up.
    Scheduled,
    /// Somebody asked.
    Requested,
}
