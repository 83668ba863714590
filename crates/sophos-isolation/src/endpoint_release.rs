//! The release of a machine by a person: it ends every decision that holds the
//! machine, or is about to.

use std::time::Duration;

use crate::{
    approval::{CommandError, MAX_ATTEMPTS},
    decision::{Decision, DecisionId, DecisionState, ReleaseReason, Transition},
    identity::is_uuid,
    ledger::{Ledger, LedgerStore, LedgerStoreError, claims_folder},
    signal::clean,
};

/// The most decisions that are followed to the one that holds the machine.
const MAX_HOPS: usize = 32;

impl<O: LedgerStore> Ledger<O> {
    /// Asks for the release of the machine that a decision is about, for every
    /// decision that shares the machine. A decision that was merged or handed
    /// over stands for the one that has its machine. Repeating the request
    /// changes nothing. Returns the decisions that were asked to end.
    ///
    /// # Errors
    /// When there is no such decision, it cannot be released, or the store
    /// fails.
    pub async fn release_decision(
        &self,
        id: &DecisionId,
        by: &str,
        now: Duration,
    ) -> Result<Vec<DecisionId>, CommandError> {
        let decision = self.current_holder(id).await?;
        match decision.state() {
            DecisionState::Released => return Ok(vec![decision.id().clone()]),
            DecisionState::PendingApproval => {
                let wanted = "decline a decision that waits, or release its machine";
                return Err(CommandError::InvalidState {
                    state: DecisionState::PendingApproval,
                    expected: wanted,
                });
            }
            state if state.is_final() => {
                let wanted = "only one that has not ended can be released";
                return Err(CommandError::InvalidState { state, expected: wanted });
            }
            _ => {}
        }
        // The others first: when this is cut short, the same request is still
        // good for the rest.
        let mut ended = match decision.target() {
            Some(target) => {
                let except = Some(decision.id());
                self.end_all_on_endpoint(&target.tenant, &target.endpoint, except, by, now).await?
            }
            None => Vec::new(),
        };
        if self.end_decision(decision.id(), None, by, now).await? {
            ended.push(decision.id().clone());
        }
        Ok(ended)
    }

    /// Asks for the release of a machine, for every decision that holds it or is
    /// about to. Returns these decisions.
    ///
    /// # Errors
    /// When an id is not a UUID, no decision holds the machine, or the store
    /// fails.
    pub async fn release_endpoint(
        &self,
        tenant: &str,
        endpoint: &str,
        by: &str,
        now: Duration,
    ) -> Result<Vec<DecisionId>, CommandError> {
        let [tenant, endpoint] = [tenant, endpoint].map(|id| id.trim().to_ascii_lowercase());
        if !is_uuid(&tenant) || !is_uuid(&endpoint) {
            return Err(CommandError::InvalidEndpoint);
        }
        let ended = self.end_all_on_endpoint(&tenant, &endpoint, None, by, now).await?;
        if ended.is_empty() { Err(CommandError::NothingToRelease { endpoint }) } else { Ok(ended) }
    }

    /// Returns the decision that has a decision's machine by now.
    async fn current_holder(&self, id: &DecisionId) -> Result<Decision, CommandError> {
        let mut decision = self.require_decision(id).await?;
        for _ in 0..MAX_HOPS {
            let next = match decision.entries().last().map(|entry| &entry.transition) {
                Some(Transition::Merged { into, .. }) => into.clone(),
                Some(Transition::Transferred { to }) => to.clone(),
                _ => break,
            };
            decision = self.require_decision(&next).await?;
        }
        Ok(decision)
    }

    async fn end_all_on_endpoint(
        &self,
        tenant: &str,
        endpoint: &str,
        except: Option<&DecisionId>,
        by: &str,
        now: Duration,
    ) -> Result<Vec<DecisionId>, CommandError> {
        let names = self.store().list(&claims_folder(tenant, endpoint)).await?;
        let ids = names.iter().filter_map(|name| name.parse::<DecisionId>().ok());
        let mut ended = Vec::new();
        for id in ids.filter(|id| Some(id) != except) {
            if self.end_decision(&id, Some((tenant, endpoint)), by, now).await? {
                ended.push(id);
            }
        }
        Ok(ended)
    }

    /// Ends one decision, if it has not ended and is about this machine. Says
    /// whether it ends.
    async fn end_decision(
        &self,
        id: &DecisionId,
        machine: Option<(&str, &str)>,
        by: &str,
        now: Duration,
    ) -> Result<bool, CommandError> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(mut decision) = self.load_decision(id).await? else { return Ok(false) };
            let elsewhere = |(tenant, endpoint)| {
                decision.target().is_some_and(|own| own.tenant != tenant || own.endpoint != endpoint)
            };
            if machine.is_some_and(elsewhere) {
                return Ok(false);
            }
            let released =
                || Transition::ReleasePending { reason: ReleaseReason::Requested, by: Some(clean(by)) };
            let step = match decision.state() {
                DecisionState::ReleaseRequested => return Ok(true),
                DecisionState::ReleasePending if decision.manual_end().is_some() => return Ok(true),
                // It ends anyhow. That a person wants it keeps updates of the
                // alert from isolating again.
                DecisionState::ReleasePending
                | DecisionState::Requested
                | DecisionState::Isolated
                | DecisionState::Claimed => released(),
                DecisionState::Deferred if decision.claim().is_some() => released(),
                DecisionState::Received
                | DecisionState::PendingApproval
                | DecisionState::Approved
                | DecisionState::Deferred => Transition::Declined { by: clean(by) },
                _ => return Ok(false),
            };
            self.schedule_follow_up_soon(id, now).await?;
            if self.append_transition(&mut decision, step, now).await? {
                // Without a target in its entries no one else would remove this.
                if let (true, Some((tenant, endpoint))) = (decision.state().is_final(), machine) {
                    self.store().delete(&format!("{}/{id}", claims_folder(tenant, endpoint))).await?;
                }
                return Ok(true);
            }
        }
        Err(LedgerStoreError::new("others keep changing the decision; ask again").into())
    }
}
