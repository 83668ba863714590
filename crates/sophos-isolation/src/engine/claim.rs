//! Which decisions hold an endpoint. Several may: the endpoint is released when
//! the last of them has ended.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, DecisionId, IsolationTarget, has_tag},
    ledger::{LedgerStore, LedgerStoreError, claims_folder},
    outcome::OutcomePublisher,
    permits::{self, Permit},
};

/// On whose account an endpoint is isolated.
pub(super) enum IsolationOwner {
    /// A decision of this ledger holds it, with this mark in the comment.
    Decision { comment_tag: String },
    /// A decision of this ledger is about to release it.
    Releasing,
    /// Nobody's here.
    External,
}

fn claims_folder_of(target: &IsolationTarget) -> String {
    claims_folder(&target.tenant, &target.endpoint)
}

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Marks that a decision holds an endpoint, or may soon.
    pub(super) async fn claim_endpoint(
        &self,
        target: &IsolationTarget,
        id: &DecisionId,
    ) -> Result<(), LedgerStoreError> {
        self.ledger.store().create(&format!("{}/{id}", claims_folder_of(target)), Vec::new()).await.map(drop)
    }

    /// Removes that mark.
    pub(super) async fn unclaim_endpoint(
        &self,
        target: &IsolationTarget,
        id: &DecisionId,
    ) -> Result<(), LedgerStoreError> {
        self.ledger.store().delete(&format!("{}/{id}", claims_folder_of(target))).await
    }

    /// Other decisions that have not ended and hold an endpoint, are about to,
    /// or are to release it.
    pub(super) async fn other_claimants(
        &self,
        target: &IsolationTarget,
        own: &DecisionId,
    ) -> Result<Vec<Decision>, EngineError> {
        let names = self.ledger.store().list(&claims_folder_of(target)).await?;
        let mut others = Vec::new();
        for id in names.iter().filter_map(|name| name.parse::<DecisionId>().ok()).filter(|id| id != own) {
            let decision = self.ledger.load_decision(&id).await?;
            others.extend(decision.filter(|decision| !decision.state().is_final()));
        }
        Ok(others)
    }

    /// On whose account an endpoint is isolated that others have isolated, by
    /// the comment at the service.
    pub(super) async fn isolation_owner(
        &self,
        target: &IsolationTarget,
        own: &DecisionId,
        comment: &str,
    ) -> Result<IsolationOwner, EngineError> {
        let mut others = self.other_claimants(target, own).await?;
        others.retain(|other| other.owns_comment(comment));
        let holds = |other: &&Decision| other.state().keeps_isolated();
        Ok(match others.iter().find(holds).or(others.first()) {
            Some(other) if other.state().keeps_isolated() => {
                let mark = other.comment_tags().find(|mark| has_tag(comment, mark));
                IsolationOwner::Decision { comment_tag: mark.unwrap_or_default().to_owned() }
            }
            Some(_) => IsolationOwner::Releasing,
            None => IsolationOwner::External,
        })
    }

    /// Gives back what a decision held that has ended.
    pub(super) async fn release_claim(&self, decision: &Decision) -> Result<(), EngineError> {
        if let Some(claim) = decision.claim() {
            self.release_permits(&claim.permits, decision).await?;
        }
        if let Some(target) = decision.target() {
            self.unclaim_endpoint(target, decision.id()).await?;
        }
        Ok(())
    }

    /// Gives back slots: all of them when nothing was isolated, else those of
    /// what is isolated at once. What was used of an hour stays used.
    async fn release_permits(&self, taken: &[String], decision: &Decision) -> Result<(), LedgerStoreError> {
        let used = decision.may_have_isolated();
        for slot in taken.iter().filter(|slot| !used || slot.starts_with(super::budget::ESTATE_FOLDER)) {
            permits::release(self.ledger.store(), slot).await?;
        }
        Ok(())
    }

    /// Gives back what this run took for a decision and no claim of it has, its
    /// own or that of a run that was quicker.
    pub(super) async fn release_unclaimed_permits(
        &self,
        taken: &[Permit],
        id: &DecisionId,
    ) -> Result<(), LedgerStoreError> {
        if taken.iter().all(|slot| !slot.is_own) {
            return Ok(());
        }
        let decision = self.ledger.load_decision(id).await?;
        let claimed = decision.as_ref().and_then(Decision::claim).map(|claim| claim.permits.as_slice());
        let is_claimed = |slot: &Permit| claimed.is_some_and(|claimed| claimed.contains(&slot.path));
        for slot in taken.iter().filter(|slot| slot.is_own && !is_claimed(slot)) {
            permits::release(self.ledger.store(), &slot.path).await?;
        }
        Ok(())
    }
}
