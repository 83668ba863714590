//! The recording of transitions, and the transitions that several parts of the
//! engine make: refusals and deferrals.

use std::time::Duration;

use sophos_api::Transport;

use super::{Engine, EngineError, GIVE_UP_AFTER, is_permanent};
use crate::{
    decision::{Decision, IsolationTarget, Transition},
    ledger::LedgerStore,
    outcome::OutcomePublisher,
};

/// The initial back-off between attempts.
const MIN_DEFERRAL_SECONDS: u64 = 30;

/// The maximum back-off between attempts.
pub(super) const MAX_DEFERRAL_SECONDS: u64 = 600;

/// The detail of a deferral while another decision releases the endpoint.
pub(super) const RELEASING_DETAIL: &str = "another decision is about to release the endpoint";

/// The code of a refusal by the emergency stop.
pub(super) const STOPPED_CODE: &str = "stopped";

/// The longest `Retry-After` of Sophos Central that is followed, in seconds.
const MAX_RETRY_AFTER_SECONDS: u64 = 3_600;

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Schedules the follow-up of a transition, then appends the transition.
    /// Returns whether it was appended: `false` when another run was faster.
    pub(super) async fn record_transition(
        &self,
        decision: &mut Decision,
        transition: Transition,
    ) -> Result<bool, EngineError> {
        let now = self.now();
        match &transition {
            Transition::Deferred { retry_at: at, .. }
            | Transition::PendingApproval { expires_at: at, .. } => {
                self.ledger.schedule_follow_up(decision.id(), *at).await?;
            }
            _ => {}
        }
        Ok(self.ledger.append_transition(decision, transition, now).await?)
    }

    /// Returns the transition for a failed request: a retry after a back-off, or
    /// the end of the decision.
    pub(super) fn defer(&self, decision: &Decision, error: &sophos_api::Error, now: Duration) -> Transition {
        let age = now.saturating_sub(Duration::from_millis(decision.actionable_since_ms()));
        if is_permanent(error) || age >= GIVE_UP_AFTER {
            return Transition::Failed { detail: error.to_string() };
        }
        let wait = MIN_DEFERRAL_SECONDS
            .saturating_mul(1 << decision.deferral_count().min(10))
            .min(MAX_DEFERRAL_SECONDS);
        let retry_after = error.retry_after().map_or(0, |wait| wait.as_secs()).min(MAX_RETRY_AFTER_SECONDS);
        Transition::Deferred {
            detail: error.to_string(),
            retry_at: now.as_secs() + wait.max(retry_after),
            target: None,
        }
    }

    /// Returns the deferral of a decision that waits for another decision.
    pub(super) fn defer_briefly(&self, detail: &str) -> Transition {
        let retry_at = self.now().as_secs() + MIN_DEFERRAL_SECONDS;
        Transition::Deferred { detail: detail.to_owned(), retry_at, target: None }
    }
}

/// Returns a refusal.
pub(super) fn refused(code: &str, detail: &str, target: Option<IsolationTarget>) -> Transition {
    Transition::Refused { code: code.to_owned(), detail: detail.to_owned(), target }
}
