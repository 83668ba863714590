//! The transitions of a decision, as the ledger stores them.

use serde::{Deserialize, Serialize};

use super::{AlertKey, DecisionId};
use crate::{adapters::Tool, signal::Signal, verify::VersionStage};

/// An entry of the ledger: one transition of a decision. It is written once and
/// never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The format version: 1.
    pub version: u32,
    /// The decision.
    pub decision: DecisionId,
    /// The number of the transition, from 1, without gaps.
    pub sequence: u32,
    /// The time in milliseconds since the Unix epoch, by the writer's clock.
    pub at_ms: u64,
    /// The unique id of the attempt that wrote it.
    pub attempt_id: String,
    /// The transition.
    #[serde(flatten)]
    pub transition: Transition,
}

/// A transition of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "transition", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transition {
    /// A verified signal was received.
    Received(Box<ReceivedSignal>),
    /// The signal was refused.
    Refused {
        /// A stable code of the reason.
        code: String,
        /// The reason as a sentence.
        detail: String,
        /// The endpoint, if it was resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<IsolationTarget>,
    },
    /// The policy was in a dry run and would have allowed the isolation.
    DryRun {
        /// The endpoint.
        target: IsolationTarget,
        /// Whether the isolation would have required approval.
        requires_approval: bool,
        /// The time to the scheduled release, in seconds; `None` for no release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        release_after_seconds: Option<u64>,
    },
    /// The isolation requires approval by a person.
    PendingApproval {
        /// The endpoint.
        target: IsolationTarget,
        /// The reason for the approval.
        reason: String,
        /// The expiry, in seconds since the Unix epoch.
        expires_at: u64,
    },
    /// A person approved.
    Approved {
        /// The person's name, if known.
        by: String,
    },
    /// A person declined.
    Declined {
        /// The person's name, if known.
        by: String,
    },
    /// The approval expired.
    Expired,
    /// A run claimed the endpoint; its request comes next.
    Claimed(Box<Claim>),
    /// The decision is retried later.
    Deferred {
        /// The cause.
        detail: String,
        /// The time of the retry, in seconds since the Unix epoch.
        retry_at: u64,
        /// The endpoint, if it was resolved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<IsolationTarget>,
    },
    /// Isolation was requested.
    Requested {
        /// The origin of the isolation.
        origin: IsolationOrigin,
        /// The comment tag at Sophos Central, if it is another decision's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment_tag: Option<String>,
    },
    /// The endpoint already had an isolation of another origin, which this ledger
    /// never releases.
    AlreadyIsolated {
        /// The endpoint.
        target: IsolationTarget,
        /// The comment of that isolation.
        comment: String,
    },
    /// The endpoint reports its isolation.
    Isolated {
        /// The time of effect according to Sophos Central.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effective_at: Option<String>,
    },
    /// The isolation or the release did not take effect within the policy's
    /// time-out. The request stays in effect.
    Overdue {
        /// The state of the endpoint.
        detail: String,
    },
    /// The isolation is to end.
    ReleasePending {
        /// The reason.
        reason: ReleaseReason,
        /// The person or source that requested the release.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Release was requested.
    ReleaseRequested,
    /// The isolation has ended.
    Released {
        /// A description of the end.
        detail: String,
        /// The time of effect according to Sophos Central.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        effective_at: Option<String>,
    },
    /// Another decision keeps the endpoint isolated and will release it.
    Transferred {
        /// The other decision.
        to: DecisionId,
    },
    /// The isolation was ended or replaced outside this ledger.
    Superseded {
        /// A description of the change.
        detail: String,
    },
    /// The signal requested a release, which was passed to these decisions.
    Delegated {
        /// The decisions that claimed the endpoint.
        to: Vec<DecisionId>,
        /// The endpoint.
        target: IsolationTarget,
    },
    /// The signal is an update of an alert that another decision acts on for the
    /// same endpoint.
    Merged {
        /// The other decision.
        into: DecisionId,
        /// The endpoint.
        target: IsolationTarget,
    },
    /// The engine gave up.
    Failed {
        /// The cause.
        detail: String,
    },
}

/// A verified signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceivedSignal {
    /// The name of the source in the policy.
    pub source: String,
    /// The tool.
    pub tool: Tool,
    /// The signal.
    pub signal: Signal,
    /// The key of its alert, the same for each update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<AlertKey>,
    /// The SHA-256 of the request's body, in hexadecimal.
    pub body_sha256: String,
    /// The caller's address, for a request over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ip: Option<String>,
    /// The version of the source's secret that authenticated it; `None` for an
    /// event that AWS delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_stage: Option<VersionStage>,
    /// The reason why the message calls for no action. With it the decision has
    /// ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_actionable: Option<RefusalReason>,
}

/// The reason of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalReason {
    /// A stable code.
    pub code: String,
    /// A sentence.
    pub detail: String,
}

/// The endpoint of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IsolationTarget {
    /// The tenant's id, in lower case.
    pub tenant: String,
    /// The endpoint's id, in lower case.
    pub endpoint: String,
    /// The endpoint's name at the time of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

impl IsolationTarget {
    /// Whether it is the same endpoint of the same tenant.
    pub fn is_same_endpoint(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.endpoint == other.endpoint
    }
}

/// The claim of a run on an endpoint before its request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The endpoint.
    pub target: IsolationTarget,
    /// The SHA-256 of the policy that allowed the isolation.
    pub policy_digest: String,
    /// The end of the lease, in seconds since the Unix epoch. Until then no other
    /// run takes the decision up.
    pub lease_until: u64,
    /// The beginning of the comment at Sophos Central, which identifies the
    /// isolation.
    pub comment_tag: String,
    /// The time from the isolation's effect to its scheduled release, in seconds;
    /// `None` for no release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_after_seconds: Option<u64>,
    /// The paths of the permits that it acquired.
    #[serde(default)]
    pub permits: Vec<String>,
    /// The origin, if the endpoint is already isolated by this ledger. Then no
    /// request is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<IsolationOrigin>,
}

/// The origin of an isolation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IsolationOrigin {
    /// Sophos Central accepted this decision's request.
    Requested,
    /// The response to the request was lost or an error, and the state shows that
    /// the request was applied.
    AlreadyApplied,
    /// Another decision of this ledger had isolated the endpoint; this one shares
    /// the isolation.
    Shared,
}

/// The reason of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The isolation has lasted for its time.
    Scheduled,
    /// A person or a source requested the release.
    Requested,
}
