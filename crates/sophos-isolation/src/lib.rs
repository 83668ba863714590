//! Isolation of endpoints in Sophos Central on the alerts of other security tools.
//!
//! # The processing of an alert
//!
//! | step | | module |
//! |---|---|---|
//! | authenticate | a signature over the raw body, a secret, an issuer's token, SNS, a client certificate or AWS; a time window; the caller's address | [`verify`], [`webhook`] |
//! | parse | the tool's format, or a preset of the tool `generic`, into a [`Signal`](signal::Signal) or the reason why no action is needed | [`adapters`] |
//! | record | one decision for each event of the sender, which makes the ledger the replay store | [`Ledger`] |
//! | admit | the source may act on the tenants, and the alert is severe and recent enough | [`policy`] |
//! | resolve | exactly one live endpoint, or the reason why it is not possible | [`HostIdentity`], [`resolve()`] |
//! | evaluate | protection, dry run, approval, duration | [`policy`] |
//! | merge | an update of an alert is merged into its decision; after a manual end it isolates nothing for a time | [`Engine::process`] |
//! | claim | a permit of every budget, and a lease for the request | [`Ledger`], [`Engine`] |
//! | isolate | one request for up to 50 endpoints of a tenant; unclear results are resolved by reading the state | [`Engine::process`] |
//! | follow up | confirm, report as overdue, release, and confirm the release | [`Engine::follow_up`] |
//!
//! [`check`] takes the same steps up to the evaluation, and records and changes
//! nothing: [`Check::from_message`](check::Check::from_message) without network
//! access, [`Engine::check`] with the resolved endpoint.
//!
//! All steps above the merge are pure. They need no network, clock or runtime, and
//! compile for `wasm32-unknown-unknown`. The engine needs a
//! [`Transport`](sophos_api::Transport) and a [`LedgerStore`] from the caller. Two
//! features are on by default: `store` implements [`LedgerStore`] for S3 and
//! folders, and `public-keys` verifies tokens and SNS.
//!
//! # Resolution of a host
//!
//! An endpoint id or an instance id decides alone. Otherwise a MAC address decides,
//! then a name. An address decides only if nothing else is given, and only while
//! the alert and the holder of the address are recent. All other identifiers must
//! not contradict, and narrow the choice among several. Two possible endpoints
//! count as none. `src/resolve.rs` and [`hostname`] have the complete rules.
//!
//! # Stored data
//!
//! A [`Decision`] is a sequence of [`LedgerEntry`]s, each an object that was created
//! only because it was absent. It records the sender, the evaluation with its
//! reasons, the requests, and the times of effect and end. [`Ledger::load_decision`]
//! reads it. `src/ledger/paths.rs` lists all objects with their writers. The worker
//! never changes or deletes objects in `decisions/` and `alerts/`. Hourly permits
//! and check results may be deleted after a day.
//!
//! An episode is the period in which one decision acts on an alert for an endpoint.
//! Updates of the alert (a comment, a count, another assignee) are merged into it.
//! It ends with its decision. The next update opens a new episode, unless a person
//! ended the last one less than `new_episode_after` ago. The release of an endpoint
//! ends every decision that claims it.
//!
//! # Interrupted runs
//!
//! | interrupted | recovery |
//! |---|---|
//! | before the decision is recorded | the sender gets no response, and retries |
//! | before the decision is in the queue | the same; and a follow-up is due a minute later |
//! | between the claim and the request | after the lease the next run reads the state, and requests |
//! | between the request and its record | the next run finds its comment tag at Sophos Central |
//!
//! Of concurrent runs only one records each transition: its entry must not exist
//! yet.
//!
//! `docs/isolation/threat-model.md` has the threat model.

#![deny(missing_docs)]

pub mod adapters;
mod approval;
mod backend_error;
pub mod check;
mod commands;
mod decision;
pub mod emergency_stop;
mod engine;
pub mod hostname;
mod identity;
mod ledger;
mod outcome;
mod permits;
pub mod policy;
mod resolve;
pub mod signal;
#[cfg(feature = "store")]
mod store;
pub mod verify;
pub mod webhook;

pub use approval::{ApprovalAnswer, ApprovalLinks};
pub use backend_error::BackendError;
pub use commands::CommandError;
pub use decision::{
    AlertKey, Claim, Decision, DecisionId, DecisionState, IsolationOrigin, IsolationTarget, LedgerEntry,
    ReceivedSignal, RefusalReason, ReleaseReason, Transition,
};
pub use engine::{BudgetUsage, Engine, EngineError, FollowUpReport, FollowUpScope, ProcessedDecision};
pub use identity::{HostIdentity, IdentifierKind, UnusableIdentifier};
pub use ledger::{CreatedDecision, Ledger, LedgerStore, LedgerStoreError, ScheduledFollowUp};
pub use outcome::{ApprovalUrl, DecisionOutcome, OutcomePublisher};
pub use resolve::{
    EndpointCandidate, EndpointDirectory, Liveness, RejectedCandidate, Resolution, ResolutionTimes,
    Unresolved, choose, resolve,
};
