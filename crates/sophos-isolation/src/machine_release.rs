//! The release of a machine by a person: it ends every decision that holds the
//! machine, or is about to.

use std::time::Duration;

use crate::{
    approval::{AnswerError, ROUNDS},
    decision::{Decision, DecisionId, ReleaseReason, State, Step},
    identity::is_uuid,
    ledger::{Ledger, Objects, StoreFailure, machine_folder},
    signal::clean,
};

/// The most decisions that are followed to the one that holds the machine.
const MAX_HOPS: usize = 32;

impl<O: Objects> Ledger<O> {
    /// Asks for the release of the machine that a decision is about, for every
    /// decision that shares the machine. A decision that was merged or handed
    /// over stands for the one that has its machine. Repeating the request
    /// changes nothing. Returns the decisions that were asked to end.
    ///
    /// # Errors
    /// When there is no such decision, it cannot be released, or the store
    /// fails.
    pub async fn release(
        &self,
        id: &DecisionId,
        who: &str,
        now: Duration,
    ) -> Result<Vec<DecisionId>, AnswerError> {
        let decision = self.holder(id).await?;
        match decision.state() {
            State::Released => return Ok(vec![decision.id().clone()]),
            State::Waiting => {
                let wanted = "decline a decision that waits, or release its machine";
                return Err(AnswerError::State { state: State::Waiting, wanted });
            }
            state if state.is_final() => {
                let wanted = "only one that has not ended can be released";
                return Err(AnswerError::State { state, wanted });
            }
            _ => {}
        }
        // The others first: when this is cut short, the same request is still
        // good for the rest.
        let mut ended = match decision.target() {
            Some(target) => {
                let except = Some(decision.id());
                self.end_all(&target.tenant, &target.endpoint, except, who, now).await?
            }
            None => Vec::new(),
        };
        if self.end(decision.id(), None, who, now).await? {
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
    pub async fn release_machine(
        &self,
        tenant: &str,
        endpoint: &str,
        who: &str,
        now: Duration,
    ) -> Result<Vec<DecisionId>, AnswerError> {
        let [tenant, endpoint] = [tenant, endpoint].map(|id| id.trim().to_ascii_lowercase());
        if !is_uuid(&tenant) || !is_uuid(&endpoint) {
            return Err(AnswerError::InvalidMachine);
        }
        let ended = self.end_all(&tenant, &endpoint, None, who, now).await?;
        if ended.is_empty() { Err(AnswerError::NothingToRelease { endpoint }) } else { Ok(ended) }
    }

    /// Returns the decision that has a decision's machine by now.
    async fn holder(&self, id: &DecisionId) -> Result<Decision, AnswerError> {
        let mut decision = self.known(id).await?;
        for _ in 0..MAX_HOPS {
            let next = match decision.entries().last().map(|entry| &entry.step) {
                Some(Step::Merged { into, .. }) => into.clone(),
                Some(Step::HandedOver { to }) => to.clone(),
                _ => break,
            };
            decision = self.known(&next).await?;
        }
        Ok(decision)
    }

    async fn end_all(
        &self,
        tenant: &str,
        endpoint: &str,
        except: Option<&DecisionId>,
        who: &str,
        now: Duration,
    ) -> Result<Vec<DecisionId>, AnswerError> {
        let names = self.objects().names(&machine_folder(tenant, endpoint)).await?;
        let ids = names.iter().filter_map(|name| name.parse::<DecisionId>().ok());
        let mut ended = Vec::new();
        for id in ids.filter(|id| Some(id) != except) {
            if self.end(&id, Some((tenant, endpoint)), who, now).await? {
                ended.push(id);
            }
        }
        Ok(ended)
    }

    /// Ends one decision, if it has not ended and is about this machine. Says
    /// whether it ends.
    async fn end(
        &self,
        id: &DecisionId,
        machine: Option<(&str, &str)>,
        who: &str,
        now: Duration,
    ) -> Result<bool, AnswerError> {
        for _ in 0..ROUNDS {
            let Some(mut decision) = self.decision(id).await? else { return Ok(false) };
            let elsewhere = |(tenant, endpoint)| {
                decision.target().is_some_and(|own| own.tenant != tenant || own.endpoint != endpoint)
            };
            if machine.is_some_and(elsewhere) {
                return Ok(false);
            }
            let released = || Step::ReleaseAsked { why: ReleaseReason::Asked, who: Some(clean(who)) };
            let step = match decision.state() {
                State::ReleaseRequested => return Ok(true),
                State::ReleaseAsked if decision.ended_by().is_some() => return Ok(true),
                // It ends anyhow. That a person wants it keeps updates of the
                // alert from isolating again.
                State::ReleaseAsked | State::Requested | State::Isolated | State::Claimed => released(),
                State::Deferred if decision.claim().is_some() => released(),
                State::Received | State::Waiting | State::Approved | State::Deferred => {
                    Step::Declined { who: clean(who) }
                }
                _ => return Ok(false),
            };
            self.remind_soon(id, now).await?;
            if self.take(&mut decision, step, now).await? {
                // Without a target in its entries no one else would remove this.
                if let (true, Some((tenant, endpoint))) = (decision.state().is_final(), machine) {
                    self.objects().remove(&format!("{}/{id}", machine_folder(tenant, endpoint))).await?;
                }
                return Ok(true);
            }
        }
        Err(StoreFailure::new("others keep changing the decision; ask again").into())
    }
}
