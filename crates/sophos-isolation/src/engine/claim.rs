//! The claims of decisions on an endpoint. Several decisions may claim one; it
//! is released when the last of them ends.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, DecisionId, IsolationTarget, comment_tag::has_tag},
    ledger::{LedgerStore, LedgerStoreError, paths},
    outcome::OutcomePublisher,
    permits::{self, Permit},
};

/// The owner of an endpoint's isolation.
pub(super) enum IsolationOwner {
    /// A decision of this ledger keeps it isolated, with this comment tag.
    Decision { comment_tag: String },
    /// A decision of this ledger is about to release it.
    Releasing,
    /// The isolation is not of this ledger.
    External,
}

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Records that a decision claims an endpoint, or may soon.
    pub(super) async fn claim_endpoint(
        &self,
        target: &IsolationTarget,
        id: &DecisionId,
    ) -> Result<(), LedgerStoreError> {
        let path = paths::claim(&target.tenant, &target.endpoint, id);
        self.ledger.store().create(&path, Vec::new()).await.map(drop)
    }

    /// Removes a decision's claim on an endpoint.
    pub(super) async fn unclaim_endpoint(
        &self,
        target: &IsolationTarget,
        id: &DecisionId,
    ) -> Result<(), LedgerStoreError> {
        self.ledger.store().delete(&paths::claim(&target.tenant, &target.endpoint, id)).await
    }

    /// Returns the other open decisions that claim an endpoint, are about to, or
    /// release it.
    pub(super) async fn other_claimants(
        &self,
        target: &IsolationTarget,
        own: &DecisionId,
    ) -> Result<Vec<Decision>, EngineError> {
        let folder = paths::claims_folder(&target.tenant, &target.endpoint);
        let names = self.ledger.store().list(&folder).await?;
        let mut others = Vec::new();
        for id in names.iter().filter_map(|name| name.parse::<DecisionId>().ok()).filter(|id| id != own) {
            let decision = self.ledger.load_decision(&id).await?;
            others.extend(decision.filter(|decision| !decision.state().is_final()));
        }
        Ok(others)
    }

    /// Returns the owner of an isolation that this decision did not request, by
    /// the comment at Sophos Central.
    pub(super) async fn isolation_owner(
        &self,
        target: &IsolationTarget,
        own: &DecisionId,
        comment: &str,
    ) -> Result<IsolationOwner, EngineError> {
        let mut others = self.other_claimants(target, own).await?;
        others.retain(|other| other.owns_comment(comment));
        let keeps_isolated = |other: &&Decision| other.state().keeps_isolated();
        Ok(match others.iter().find(keeps_isolated).or(others.first()) {
            Some(other) if other.state().keeps_isolated() => {
                let tag = other.comment_tags().find(|tag| has_tag(comment, tag));
                IsolationOwner::Decision { comment_tag: tag.unwrap_or_default().to_owned() }
            }
            Some(_) => IsolationOwner::Releasing,
            None => IsolationOwner::External,
        })
    }

    /// Releases the permits and the claim of a decision that has ended.
    pub(super) async fn release_claim(&self, decision: &Decision) -> Result<(), EngineError> {
        if let Some(claim) = decision.claim() {
            self.release_permits(&claim.permits, decision).await?;
        }
        if let Some(target) = decision.target() {
            self.unclaim_endpoint(target, decision.id()).await?;
        }
        Ok(())
    }

    /// Releases permits. After an isolation the hourly permits stay used, and only
    /// those of the estate are released.
    async fn release_permits(&self, permits: &[String], decision: &Decision) -> Result<(), LedgerStoreError> {
        let is_used = decision.may_have_isolated();
        for path in permits.iter().filter(|path| !is_used || path.starts_with(paths::ESTATE_PERMITS)) {
            permits::release(self.ledger.store(), path).await?;
        }
        Ok(())
    }

    /// Releases the permits of this run that no claim of the decision holds. The
    /// claim may be this run's or that of a faster run.
    pub(super) async fn release_unclaimed_permits(
        &self,
        acquired: &[Permit],
        id: &DecisionId,
    ) -> Result<(), LedgerStoreError> {
        if acquired.iter().all(|permit| !permit.is_own) {
            return Ok(());
        }
        let decision = self.ledger.load_decision(id).await?;
        let claimed = decision.as_ref().and_then(Decision::claim).map(|claim| claim.permits.as_slice());
        let is_claimed = |permit: &Permit| claimed.is_some_and(|claimed| claimed.contains(&permit.path));
        for permit in acquired.iter().filter(|permit| permit.is_own && !is_claimed(permit)) {
            permits::release(self.ledger.store(), &permit.path).await?;
        }
        Ok(())
    }
}
