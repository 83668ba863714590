//! The isolation of claimed endpoints.

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{TenantClient, TenantId, Transport, operations::endpoint::isolation::MAX_IDS};

use super::{
    Engine, EngineError,
    claim::IsolationOwner,
    isolation_call::{IsolationRequest, RequestResult, apply},
    record::{RELEASING_DETAIL, STOPPED_CODE, refused},
};
use crate::{
    decision::{Decision, IsolationOrigin, Transition},
    emergency_stop::EmergencyStop,
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    signal::clean,
};

/// The longest comment that Sophos Central accepts, in characters.
const MAX_COMMENT_LEN: usize = 400;

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Isolates the endpoints of claimed decisions, tenant by tenant.
    pub(super) async fn isolate(
        &self,
        claimed: Vec<Decision>,
        deadline: Option<Duration>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut by_tenant: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        for decision in claimed {
            let tenant = decision.claim().map(|claim| claim.target.tenant.clone()).unwrap_or_default();
            by_tenant.entry(tenant).or_default().push(decision);
        }
        let mut all = Vec::new();
        for (tenant, decisions) in by_tenant {
            let mut decisions = decisions.into_iter().peekable();
            while decisions.peek().is_some() {
                let batch: Vec<_> = decisions.by_ref().take(MAX_IDS).collect();
                // After the lease another run may isolate the same endpoints.
                let leases = batch.iter().filter_map(Decision::claim).map(|claim| claim.lease_until);
                let deadline = leases.map(Duration::from_secs).chain(deadline).min();
                let tenant = self.tenant(&TenantId::from(tenant.as_str()), deadline).await;
                all.extend(self.isolate_batch(tenant, batch).await);
            }
        }
        all
    }

    async fn isolate_batch(
        &self,
        tenant: Result<TenantClient<T>, sophos_api::Error>,
        batch: Vec<Decision>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        match self.ledger.load_emergency_stop().await {
            Ok(None) => {}
            Ok(Some(stop)) => return self.refuse_batch(batch, &stop).await,
            Err(failure) => {
                let failed = |decision| (decision, Err(failure.clone().into()));
                return batch.into_iter().map(failed).collect();
            }
        }
        let requests: Vec<_> = batch.iter().filter_map(isolation_request).collect();
        let comment = comment(&batch);
        let results = match tenant {
            Ok(tenant) => apply(&tenant, &requests, true, &comment).await,
            Err(error) => requests.iter().map(|_| RequestResult::Failed(error.clone())).collect(),
        };
        let mut all = Vec::with_capacity(batch.len());
        for (mut decision, result) in batch.into_iter().zip(results) {
            let recorded = self.record_result(&mut decision, result).await;
            all.push((decision, recorded));
        }
        all
    }

    /// Refuses claimed decisions because of the emergency stop, before any call.
    async fn refuse_batch(
        &self,
        batch: Vec<Decision>,
        stop: &EmergencyStop,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut all = Vec::with_capacity(batch.len());
        for mut decision in batch {
            let refusal = refused(STOPPED_CODE, &stop.to_string(), decision.target().cloned());
            let recorded = self.record_transition(&mut decision, refusal).await.map(drop);
            all.push((decision, recorded));
        }
        all
    }

    async fn record_result(&self, decision: &mut Decision, result: RequestResult) -> Result<(), EngineError> {
        let transition = match result {
            RequestResult::Applied(origin) => Transition::Requested { origin, comment_tag: None },
            RequestResult::External(comment) => {
                let Some(claim) = decision.claim().cloned() else { return Ok(()) };
                match self.isolation_owner(&claim.target, decision.id(), &comment).await? {
                    // Another decision of this ledger isolated the endpoint meanwhile.
                    IsolationOwner::Decision { comment_tag } => Transition::Requested {
                        origin: IsolationOrigin::Shared,
                        comment_tag: Some(comment_tag),
                    },
                    IsolationOwner::Releasing => self.defer_briefly(RELEASING_DETAIL),
                    IsolationOwner::External => {
                        Transition::AlreadyIsolated { target: claim.target, comment: clean(&comment) }
                    }
                }
            }
            RequestResult::Failed(error) => self.defer(decision, &error, self.now()),
        };
        // Another run was faster only if the lease had ended; it has read the state
        // as well.
        if !self.record_transition(decision, transition).await?
            && let Some(current) = self.ledger.load_decision(decision.id()).await?
        {
            *decision = current;
        }
        Ok(())
    }
}

fn isolation_request(decision: &Decision) -> Option<IsolationRequest> {
    let claim = decision.claim()?;
    Some(IsolationRequest { endpoint: claim.target.endpoint.clone(), comment_tag: claim.comment_tag.clone() })
}

/// Returns the comment of an isolation, which begins with the comment tag.
fn comment(batch: &[Decision]) -> String {
    let tag =
        batch.first().and_then(Decision::claim).map(|claim| claim.comment_tag.as_str()).unwrap_or_default();
    let text = match batch {
        [decision] => match decision.received() {
            Some(received) => format!("{tag}: {}: {}", received.source, received.signal.title),
            None => tag.to_owned(),
        },
        _ => format!("{tag}: one of {} endpoints, see the ledger", batch.len()),
    };
    text.chars().take(MAX_COMMENT_LEN).collect()
}
