//! The call that isolates, and what its answer means.

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{
    ApiClient, ErrorKind, TenantClient, TenantId, Transport,
    operations::isolation::{GetIsolation, MAX_IDS, UpdateIsolations},
};

use super::{
    Engine, EngineError,
    claim::IsolationOwner,
    prepare::{RELEASING_DETAIL, STOPPED_CODE, refused},
};
use crate::{
    decision::{Decision, DecisionId, IsolationOrigin, Transition, has_tag},
    emergency_stop::EmergencyStop,
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    signal::clean,
};

/// The longest comment that the service takes, in characters.
const MAX_COMMENT_LEN: usize = 400;

/// What the comments at the service hold, so that an isolation is known again.
pub(super) fn comment_tag(ids: &[DecisionId]) -> String {
    match ids {
        [one] => one.to_string(),
        // The ledger has the mark of each.
        several => DecisionId::batch_tag(several),
    }
}

/// What the service did with one endpoint.
pub(super) enum RequestResult {
    /// It accepted the call, or the state shows that it was carried out.
    Applied(IsolationOrigin),
    /// The state is as wanted, and somebody else's comment is on it.
    External(String),
    /// It was not carried out.
    Failed(sophos_api::Error),
}

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
                // After its lease another run may be at it.
                let leases = batch.iter().filter_map(Decision::claim).map(|claim| claim.lease_until);
                let until = leases.map(Duration::from_secs).chain(deadline).min();
                let tenant = self.tenant(&TenantId::from(tenant.as_str()), until).await;
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
        let wishes: Vec<_> = batch.iter().filter_map(isolation_request).collect();
        let comment = comment(&batch);
        let settled = match tenant {
            Ok(tenant) => apply(&tenant, &wishes, true, &comment).await,
            Err(error) => wishes.iter().map(|_| RequestResult::Failed(error.clone())).collect(),
        };
        let mut all = Vec::with_capacity(batch.len());
        for (mut decision, settled) in batch.into_iter().zip(settled) {
            let outcome = self.record_result(&mut decision, settled).await;
            all.push((decision, outcome));
        }
        all
    }

    /// Refuses claimed decisions, of which no call was made.
    async fn refuse_batch(
        &self,
        batch: Vec<Decision>,
        stop: &EmergencyStop,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut all = Vec::with_capacity(batch.len());
        for mut decision in batch {
            let step = refused(STOPPED_CODE, &stop.to_string(), decision.target().cloned());
            let outcome = self.record_transition(&mut decision, step).await.map(drop);
            all.push((decision, outcome));
        }
        all
    }

    async fn record_result(
        &self,
        decision: &mut Decision,
        settled: RequestResult,
    ) -> Result<(), EngineError> {
        let step = match settled {
            RequestResult::Applied(how) => Transition::Requested { origin: how, comment_tag: None },
            RequestResult::External(comment) => {
                let Some(claim) = decision.claim().cloned() else { return Ok(()) };
                match self.isolation_owner(&claim.target, decision.id(), &comment).await? {
                    // Two decisions of this ledger met at the same endpoint.
                    IsolationOwner::Decision { comment_tag: mark } => {
                        Transition::Requested { origin: IsolationOrigin::Shared, comment_tag: Some(mark) }
                    }
                    IsolationOwner::Releasing => self.defer_briefly(RELEASING_DETAIL),
                    IsolationOwner::External => {
                        Transition::AlreadyIsolated { target: claim.target, comment: clean(&comment) }
                    }
                }
            }
            RequestResult::Failed(error) => self.defer(decision, &error, self.now()),
        };
        // If another run took a step meanwhile, the lease was over: it has read
        // the state as well.
        if !self.record_transition(decision, step).await?
            && let Some(current) = self.ledger.load_decision(decision.id()).await?
        {
            *decision = current;
        }
        Ok(())
    }
}

/// An endpoint, and the mark that its isolation has.
pub(super) struct IsolationRequest {
    pub(super) endpoint: String,
    pub(super) comment_tag: String,
}

fn isolation_request(decision: &Decision) -> Option<IsolationRequest> {
    let claim = decision.claim()?;
    Some(IsolationRequest { endpoint: claim.target.endpoint.clone(), comment_tag: claim.comment_tag.clone() })
}

fn comment(batch: &[Decision]) -> String {
    let mark =
        batch.first().and_then(Decision::claim).map(|claim| claim.comment_tag.as_str()).unwrap_or_default();
    let text = match batch {
        [one] => match one.received() {
            Some(received) => format!("{mark}: {}: {}", received.source, received.signal.title),
            None => mark.to_owned(),
        },
        several => format!("{mark}: one of {} endpoints, see the ledger", several.len()),
    };
    text.chars().take(MAX_COMMENT_LEN).collect()
}

/// Asks for one state of several endpoints, and finds out for each what came of
/// it: an answer is compared id by id, and whatever leaves anything open is
/// settled by reading the state.
pub(super) async fn apply<T: Transport>(
    tenant: &TenantClient<T>,
    requests: &[IsolationRequest],
    enabled: bool,
    comment: &str,
) -> Vec<RequestResult> {
    let mut ids: Vec<String> = requests.iter().map(|wish| wish.endpoint.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let several = ids.len() > 1;
    let call = UpdateIsolations::new(ids, enabled).comment(comment);
    let (accepted, failure) = match tenant.send(&call).await {
        Ok(answer) => {
            let items = answer.into_inner().items.unwrap_or_default();
            let accepts = |state: Option<bool>| state.is_none_or(|state| state == enabled);
            let accepted = items
                .into_iter()
                .filter(|item| accepts(item.isolation.as_ref().and_then(|isolation| isolation.enabled)));
            (accepted.map(|item| item.id.to_ascii_lowercase()).collect::<Vec<_>>(), None)
        }
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut all = Vec::with_capacity(requests.len());
    for wish in requests {
        if accepted.contains(&wish.endpoint) {
            all.push(RequestResult::Applied(IsolationOrigin::Requested));
            continue;
        }
        // One endpoint in the way of a batch must not keep the others from it.
        let alone = several && failure.as_ref().is_none_or(is_endpoint_error);
        all.push(if alone {
            apply_one(tenant, wish, enabled, comment).await
        } else {
            confirm_by_state(tenant, wish, enabled, failure.clone()).await
        });
    }
    all
}

async fn apply_one<T: Transport>(
    tenant: &TenantClient<T>,
    request: &IsolationRequest,
    enabled: bool,
    comment: &str,
) -> RequestResult {
    let call = UpdateIsolations::new([request.endpoint.as_str()], enabled).comment(comment);
    match tenant.send(&call).await {
        Ok(answer) => {
            let items = answer.into_inner().items.unwrap_or_default();
            if items.iter().any(|item| item.id.eq_ignore_ascii_case(&request.endpoint)) {
                RequestResult::Applied(IsolationOrigin::Requested)
            } else {
                confirm_by_state(tenant, request, enabled, None).await
            }
        }
        Err(error) => confirm_by_state(tenant, request, enabled, Some(error)).await,
    }
}

/// What the state says after a call that did not say it.
async fn confirm_by_state<T: Transport>(
    tenant: &TenantClient<T>,
    request: &IsolationRequest,
    enabled: bool,
    failure: Option<sophos_api::Error>,
) -> RequestResult {
    // A refusal for the rate was not carried out, and asking more would not help.
    if let Some(error) = failure.as_ref().filter(|error| error.kind() == ErrorKind::Throttled) {
        return RequestResult::Failed(error.clone());
    }
    match tenant.send(&GetIsolation::new(request.endpoint.as_str())).await {
        Ok(state) if state.enabled == Some(enabled) => {
            let comment = state.comment.as_deref().unwrap_or_default();
            if !enabled || has_tag(comment, &request.comment_tag) {
                RequestResult::Applied(IsolationOrigin::AlreadyApplied)
            } else {
                RequestResult::External(tenant.scrub(comment).into_owned())
            }
        }
        Ok(_) => RequestResult::Failed(failure.unwrap_or_else(|| {
            sophos_api::Error::invalid(
                "the service left this endpoint out of its answer, and changed nothing",
            )
        })),
        Err(error) => {
            RequestResult::Failed(failure.filter(|failure| !is_endpoint_error(failure)).unwrap_or(error))
        }
    }
}

/// Whether a refusal is about one of the endpoints, so that others may fare
/// better by themselves.
fn is_endpoint_error(error: &sophos_api::Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::NotFound)
}
