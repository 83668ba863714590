//! Telling outcomes, each at least once.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, Step},
    ledger::Objects,
    outcome::{Outcome, Outcomes},
    policy::Policy,
};

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Tells what of a decision was not told yet.
    pub(super) async fn publish(&self, _policy: &Policy, decision: &Decision) -> Result<(), EngineError> {
        if !self.outcomes.is_listening() {
            return Ok(());
        }
        for entry in decision.entries() {
            let Some(mut outcome) = Outcome::of(decision, entry) else { continue };
            let told = format!("published/{}-{:04}", decision.id(), entry.sequence);
            if self.ledger.objects().read(&told).await?.is_some() {
                continue;
            }
            if let (Step::Waiting { until, .. }, Some(links)) = (&entry.step, &self.approvals) {
                outcome.approval_url = Some(links.link(decision.id(), *until));
            }
            let unpublished = |why| EngineError::Unpublished { id: decision.id().clone(), why };
            self.outcomes.publish(&outcome).await.map_err(unpublished)?;
            self.ledger.objects().create(&told, Vec::new()).await?;
        }
        Ok(())
    }
}
