//! The publication of outcomes, each at least once.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, Transition},
    ledger::{LedgerStore, paths},
    outcome::{DecisionOutcome, OutcomePublisher},
};

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Publishes the outcomes of a decision that are not published yet.
    pub(super) async fn publish(&self, decision: &Decision) -> Result<(), EngineError> {
        if !self.publisher.is_enabled() {
            return Ok(());
        }
        for entry in decision.entries() {
            let Some(mut outcome) = DecisionOutcome::from_entry(decision, entry) else { continue };
            let path = paths::published(decision.id(), entry.sequence);
            if self.ledger.store().read(&path).await?.is_some() {
                continue;
            }
            if let (Transition::PendingApproval { expires_at, .. }, Some(links)) =
                (&entry.transition, &self.approval_links)
            {
                outcome.approval_url = Some(links.link(decision.id(), *expires_at));
            }
            let failed = |cause| EngineError::PublishFailed { id: decision.id().clone(), cause };
            self.publisher.publish(&outcome).await.map_err(failed)?;
            self.ledger.store().create(&path, Vec::new()).await?;
        }
        Ok(())
    }
}
