//! Which decisions hold an endpoint. Several may: the endpoint is released when
//! the last of them has ended.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, DecisionId, Target},
    ledger::{Objects, StoreFailure},
    outcome::Outcomes,
    slots,
};

fn folder(target: &Target) -> String {
    format!("machines/{}/{}", target.tenant, target.endpoint)
}

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Marks that a decision holds an endpoint.
    pub(super) async fn hold(&self, target: &Target, id: &DecisionId) -> Result<(), StoreFailure> {
        self.ledger.objects().create(&format!("{}/{id}", folder(target)), Vec::new()).await.map(drop)
    }

    /// Other decisions that hold an endpoint.
    pub(super) async fn other_holders(
        &self,
        target: &Target,
        own: &DecisionId,
    ) -> Result<Vec<Decision>, EngineError> {
        let names = self.ledger.objects().names(&folder(target)).await?;
        let mut holders = Vec::new();
        for id in names.iter().filter_map(|name| name.parse::<DecisionId>().ok()).filter(|id| id != own) {
            let decision = self.ledger.decision(&id).await?;
            let holds = |decision: &Decision| {
                decision.state().is_holding()
                    && decision.claim().is_some_and(|claim| claim.target.is_same(target))
            };
            holders.extend(decision.filter(holds));
        }
        Ok(holders)
    }

    /// The mark of another decision that holds an endpoint, if the comment at
    /// the service has it.
    pub(super) async fn holder_with_mark(
        &self,
        target: &Target,
        own: &DecisionId,
        comment: &str,
    ) -> Result<Option<String>, EngineError> {
        let holders = self.other_holders(target, own).await?;
        let marks = holders.iter().filter_map(|holder| holder.mark()).map(str::to_owned);
        Ok(marks.filter(|mark| comment.contains(mark.as_str())).next())
    }

    /// Gives back what a decision held that has ended.
    pub(super) async fn let_go(&self, decision: &Decision) -> Result<(), EngineError> {
        if let Some(claim) = decision.claim() {
            self.give_back(&claim.slots, decision).await?;
        }
        if let Some(target) = decision.target() {
            self.ledger.objects().remove(&format!("{}/{}", folder(target), decision.id())).await?;
        }
        Ok(())
    }

    /// Gives back slots: all of them when nothing was isolated, else those of
    /// what is isolated at once. What was used of an hour stays used.
    pub(super) async fn give_back(&self, taken: &[String], decision: &Decision) -> Result<(), StoreFailure> {
        let used = decision.requested_at().is_some();
        for slot in taken.iter().filter(|slot| !used || slot.starts_with(super::budget::ESTATE)) {
            slots::give_back(self.ledger.objects(), slot).await?;
        }
        Ok(())
    }
}
