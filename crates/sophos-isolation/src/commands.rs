//! The commands of a person: to approve or decline a decision, and to release an
//! endpoint.

use std::time::Duration;

use crate::{
    approval::{ApprovalAnswer, check_repeated_answer, is_awaiting_answer},
    decision::{Decision, DecisionId, DecisionState, ReleaseReason, Transition},
    identity::is_uuid,
    ledger::{Ledger, LedgerStore, LedgerStoreError, paths},
    signal::clean,
};

/// The number of attempts of a command while runs change the decision.
const MAX_ATTEMPTS: usize = 8;

/// The maximum number of mergers and transfers that are followed to the decision
/// that claims the endpoint.
const MAX_HOPS: usize = 32;

/// The rejection or failure of a command.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The ledger has no such decision.
    #[error("unknown decision \"{0}\": expected the id of a decision in this ledger")]
    Unknown(DecisionId),
    /// The command does not apply to the state of the decision.
    #[error("the decision is {state}; {expected}")]
    InvalidState {
        /// The state of the decision.
        state: DecisionState,
        /// The condition that the decision does not meet, as a clause.
        expected: &'static str,
    },
    /// The id of a tenant or an endpoint is malformed.
    #[error("invalid endpoint: expected the UUID of a tenant and of an endpoint")]
    InvalidEndpoint,
    /// No open decision claims the endpoint.
    #[error(
        "nothing to release: no open decision is about endpoint {endpoint}; release isolations of another \
         origin in Sophos Central"
    )]
    NothingToRelease {
        /// The endpoint.
        endpoint: String,
    },
    /// The store failed; the command can be repeated.
    #[error(transparent)]
    Store(#[from] LedgerStoreError),
}

/// Returns the failure of a command after [`MAX_ATTEMPTS`].
fn contention() -> CommandError {
    LedgerStoreError::new("the decision keeps changing; repeat the command").into()
}

impl<O: LedgerStore> Ledger<O> {
    /// Records a person's answer to a decision that awaits approval, and schedules
    /// its follow-up. Repeating an answer changes nothing. This is for the worker;
    /// the webhook [submits](Self::submit_answer) answers.
    ///
    /// # Errors
    /// When the decision does not exist or no longer awaits approval, or the store
    /// fails.
    pub async fn answer_approval(
        &self,
        id: &DecisionId,
        answer: ApprovalAnswer,
        by: &str,
        now: Duration,
    ) -> Result<Decision, CommandError> {
        for _ in 0..MAX_ATTEMPTS {
            let mut decision = self.require_decision(id).await?;
            if !is_awaiting_answer(&decision, now) {
                return check_repeated_answer(decision, answer);
            }
            self.schedule_follow_up_soon(id, now).await?;
            if self.append_transition(&mut decision, answer.to_transition(by), now).await? {
                return Ok(decision);
            }
        }
        Err(contention())
    }

    /// Requests the release of one decision, and schedules its follow-up. Repeating
    /// the request changes nothing. Other decisions may still claim the endpoint;
    /// [`release_decision`](Self::release_decision) ends those as well.
    ///
    /// # Errors
    /// When the decision does not exist or has isolated no endpoint, or the store
    /// fails.
    pub async fn request_release(
        &self,
        id: &DecisionId,
        by: &str,
        now: Duration,
    ) -> Result<Decision, CommandError> {
        for _ in 0..MAX_ATTEMPTS {
            let mut decision = self.require_decision(id).await?;
            match decision.state() {
                DecisionState::ReleasePending | DecisionState::ReleaseRequested | DecisionState::Released => {
                    return Ok(decision);
                }
                DecisionState::Requested | DecisionState::Isolated => {}
                state => {
                    let expected = "only one that has requested isolation can be released";
                    return Err(CommandError::InvalidState { state, expected });
                }
            }
            self.schedule_follow_up_soon(id, now).await?;
            let release =
                Transition::ReleasePending { reason: ReleaseReason::Requested, by: Some(clean(by)) };
            if self.append_transition(&mut decision, release, now).await? {
                return Ok(decision);
            }
        }
        Err(contention())
    }

    /// Requests the release of a decision's endpoint, and ends every decision that
    /// claims it. A decision that was merged or transferred stands for the one that
    /// claims the endpoint now. Repeating the request changes nothing. Returns the
    /// decisions that end.
    ///
    /// # Errors
    /// When the decision does not exist or cannot be released, or the store fails.
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
                let expected = "decline it, or release its endpoint";
                return Err(CommandError::InvalidState { state: DecisionState::PendingApproval, expected });
            }
            state if state.is_final() => {
                let expected = "only one that has not ended can be released";
                return Err(CommandError::InvalidState { state, expected });
            }
            _ => {}
        }
        // The others end first, so an interrupted request can be repeated.
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

    /// Requests the release of an endpoint, and ends every decision that claims it
    /// or is about to. Returns these decisions.
    ///
    /// # Errors
    /// When an id is not a UUID, no open decision claims the endpoint, or the store
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

    /// Returns the decision that claims a decision's endpoint now.
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
        let names = self.store().list(&paths::claims_folder(tenant, endpoint)).await?;
        let ids = names.iter().filter_map(|name| name.parse::<DecisionId>().ok());
        let mut ended = Vec::new();
        for id in ids.filter(|id| Some(id) != except) {
            if self.end_decision(&id, Some((tenant, endpoint)), by, now).await? {
                ended.push(id);
            }
        }
        Ok(ended)
    }

    /// Ends one decision, unless it has ended or is about another endpoint. Returns
    /// whether it ends.
    async fn end_decision(
        &self,
        id: &DecisionId,
        endpoint: Option<(&str, &str)>,
        by: &str,
        now: Duration,
    ) -> Result<bool, CommandError> {
        for _ in 0..MAX_ATTEMPTS {
            let Some(mut decision) = self.load_decision(id).await? else { return Ok(false) };
            let is_other = |(tenant, endpoint)| {
                decision.target().is_some_and(|own| own.tenant != tenant || own.endpoint != endpoint)
            };
            if endpoint.is_some_and(is_other) {
                return Ok(false);
            }
            let release =
                || Transition::ReleasePending { reason: ReleaseReason::Requested, by: Some(clean(by)) };
            let transition = match decision.state() {
                DecisionState::ReleaseRequested => return Ok(true),
                DecisionState::ReleasePending if decision.manual_end().is_some() => return Ok(true),
                // A scheduled release is recorded as requested too, so that updates
                // of the alert do not isolate again.
                DecisionState::ReleasePending
                | DecisionState::Requested
                | DecisionState::Isolated
                | DecisionState::Claimed => release(),
                DecisionState::Deferred if decision.claim().is_some() => release(),
                DecisionState::Received
                | DecisionState::PendingApproval
                | DecisionState::Approved
                | DecisionState::Deferred => Transition::Declined { by: clean(by) },
                _ => return Ok(false),
            };
            self.schedule_follow_up_soon(id, now).await?;
            if self.append_transition(&mut decision, transition, now).await? {
                // Its entries may name no endpoint, by which a follow-up would
                // remove the claim.
                if let (true, Some((tenant, endpoint))) = (decision.state().is_final(), endpoint) {
                    self.store().delete(&paths::claim(tenant, endpoint, id)).await?;
                }
                return Ok(true);
            }
        }
        Err(contention())
    }

    /// Loads a decision that must exist.
    pub(crate) async fn require_decision(&self, id: &DecisionId) -> Result<Decision, CommandError> {
        self.load_decision(id).await?.ok_or_else(|| CommandError::Unknown(id.clone()))
    }
}
