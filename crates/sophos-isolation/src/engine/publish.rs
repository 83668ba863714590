//! Telling outcomes, each at least once.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, Transition},
    ledger::LedgerStore,
    outcome::{DecisionOutcome, OutcomePublisher},
};

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Tells what of a decision was not told yet.
    pub(super) async fn publish(&self, decision: &Decision) -> Result<(), EngineError> {
        if !self.publisher.is_enabled() {
            return Ok(());
        }
        for entry in decision.entries() {
            let Some(mut outcome) = DecisionOutcome::from_entry(decision, entry) else { continue };
            let told = format!("published/{}-{:04}", decision.id(), entry.sequence);
            if self.ledger.store().read(&told).await?.is_some() {
                continue;
            }
            if let (Transition::PendingApproval { expires_at: until, .. }, Some(links)) =
                (&entry.transition, &self.approval_links)
            {
                outcome.approval_url = Some(links.link(decision.id(), *until));
            }
            let unpublished = |why| EngineError::PublishFailed { id: decision.id().clone(), cause: why };
            self.publisher.publish(&outcome).await.map_err(unpublished)?;
            self.ledger.store().create(&told, Vec::new()).await?;
        }
        Ok(())
    }
}
