//! Which decisions hold an endpoint. Several may: the endpoint is released when
//! the last of them has ended.

use super::{Engine, EngineError};
use crate::{
    decision::{Decision, DecisionId, Target, is_marked},
    ledger::{Objects, StoreFailure, machine_folder},
    outcome::Outcomes,
    slots::{self, Taken},
};

/// On whose account an endpoint is isolated.
pub(super) enum Account {
    /// A decision of this ledger holds it, with this mark in the comment.
    Holds { mark: String },
    /// A decision of this ledger is about to release it.
    Releases,
    /// Nobody's here.
    Foreign,
}

fn folder(target: &Target) -> String {
    machine_folder(&target.tenant, &target.endpoint)
}

impl<T, O, N> Engine<T, O, N>
where
    T: sophos_api::Transport + 'static,
    O: Objects,
    N: Outcomes,
{
    /// Marks that a decision holds an endpoint, or may soon.
    pub(super) async fn hold(&self, target: &Target, id: &DecisionId) -> Result<(), StoreFailure> {
        self.ledger.objects().create(&format!("{}/{id}", folder(target)), Vec::new()).await.map(drop)
    }

    /// Removes that mark.
    pub(super) async fn unhold(&self, target: &Target, id: &DecisionId) -> Result<(), StoreFailure> {
        self.ledger.objects().remove(&format!("{}/{id}", folder(target))).await
    }

    /// Other decisions that have not ended and hold an endpoint, are about to,
    /// or are to release it.
    pub(super) async fn others(
        &self,
        target: &Target,
        own: &DecisionId,
    ) -> Result<Vec<Decision>, EngineError> {
        let names = self.ledger.objects().names(&folder(target)).await?;
        let mut others = Vec::new();
        for id in names.iter().filter_map(|name| name.parse::<DecisionId>().ok()).filter(|id| id != own) {
            let decision = self.ledger.decision(&id).await?;
            others.extend(decision.filter(|decision| !decision.state().is_final()));
        }
        Ok(others)
    }

    /// On whose account an endpoint is isolated that others have isolated, by
    /// the comment at the service.
    pub(super) async fn on_account(
        &self,
        target: &Target,
        own: &DecisionId,
        comment: &str,
    ) -> Result<Account, EngineError> {
        let mut others = self.others(target, own).await?;
        others.retain(|other| other.knows(comment));
        let holds = |other: &&Decision| other.state().is_holding();
        Ok(match others.iter().find(holds).or(others.first()) {
            Some(other) if other.state().is_holding() => {
                let mark = other.marks().find(|mark| is_marked(comment, mark));
                Account::Holds { mark: mark.unwrap_or_default().to_owned() }
            }
            Some(_) => Account::Releases,
            None => Account::Foreign,
        })
    }

    /// Gives back what a decision held that has ended.
    pub(super) async fn let_go(&self, decision: &Decision) -> Result<(), EngineError> {
        if let Some(claim) = decision.claim() {
            self.give_back(&claim.slots, decision).await?;
        }
        if let Some(target) = decision.target() {
            self.unhold(target, decision.id()).await?;
        }
        Ok(())
    }

    /// Gives back slots: all of them when nothing was isolated, else those of
    /// what is isolated at once. What was used of an hour stays used.
    async fn give_back(&self, taken: &[String], decision: &Decision) -> Result<(), StoreFailure> {
        let used = decision.may_have_called();
        for slot in taken.iter().filter(|slot| !used || slot.starts_with(super::budget::ESTATE)) {
            slots::give_back(self.ledger.objects(), slot).await?;
        }
        Ok(())
    }

    /// Gives back what this run took for a decision and no claim of it has, its
    /// own or that of a run that was quicker.
    pub(super) async fn give_back_unclaimed(
        &self,
        taken: &[Taken],
        id: &DecisionId,
    ) -> Result<(), StoreFailure> {
        if taken.iter().all(|slot| !slot.own) {
            return Ok(());
        }
        let decision = self.ledger.decision(id).await?;
        let claimed = decision.as_ref().and_then(Decision::claim).map(|claim| claim.slots.as_slice());
        let is_claimed = |slot: &Taken| claimed.is_some_and(|claimed| claimed.contains(&slot.path));
        for slot in taken.iter().filter(|slot| slot.own && !is_claimed(slot)) {
            slots::give_back(self.ledger.objects(), &slot.path).await?;
        }
        Ok(())
    }
}
