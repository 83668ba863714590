//! Isolation of endpoints on other tools' alerts: verified, exactly one
//! machine, guarded, proven.

#![deny(missing_docs)]

pub mod adapters;
mod approval;
mod decision;
mod engine;
pub mod hostname;
mod identity;
mod ledger;
mod outcome;
pub mod policy;
mod resolve;
pub mod signal;
mod slots;
#[cfg(feature = "store")]
mod store;
pub mod verify;
pub mod webhook;

pub use approval::{Answer, AnswerError, ApprovalLinks};
pub use decision::{Asked, Claim, Decision, DecisionId, Entry, Received, ReleaseReason, State, Step, Target};
pub use engine::{Engine, EngineError, FollowUpReport, Worked};
pub use identity::{FactKind, Identity, Unusable};
pub use ledger::{Begun, Ledger, Objects, Reminder, StoreFailure};
pub use outcome::{ApprovalUrl, Outcome, Outcomes};
pub use resolve::{Candidate, Liveness, Unresolved, choose};
