//! The release of endpoints, scheduled or requested. Isolations of another origin
//! are never released.

use std::{collections::BTreeMap, time::Duration};

use sophos_api::{
    ApiClient, ErrorKind, TenantClient, TenantId, Transport,
    operations::endpoint::isolation::{GetIsolation, MAX_IDS},
};

use super::{
    Engine, EngineError,
    isolation_call::{IsolationRequest, RequestResult, apply},
    record::refused,
};
use crate::{
    commands::CommandError,
    decision::{Decision, DecisionId, DecisionState, IsolationTarget, Transition},
    ledger::LedgerStore,
    outcome::OutcomePublisher,
    policy::Source,
    signal::clean,
};

/// The detail of a decision that ends because its endpoint was deleted.
pub(super) const ENDPOINT_DELETED: &str = "the endpoint was deleted in Sophos Central";

impl<T, O, N> Engine<T, O, N>
where
    T: Transport + 'static,
    O: LedgerStore,
    N: OutcomePublisher,
{
    /// Requests the release of an endpoint from the decisions of a source that
    /// claim it.
    pub(super) async fn delegate_release(
        &self,
        target: IsolationTarget,
        source: &Source,
    ) -> Result<Transition, EngineError> {
        // No decision has this id, so none is left out.
        let none = DecisionId::from_event_id("", "");
        let mut to = Vec::new();
        let mut claimants = self.other_claimants(&target, &none).await?;
        claimants.retain(|other| other.received().is_some_and(|received| received.source == source.name));
        for claimant in claimants {
            match self.ledger.request_release(claimant.id(), &source.name, self.now()).await {
                Ok(claimant) => to.push(claimant.id().clone()),
                Err(CommandError::Store(error)) => return Err(error.into()),
                // It has ended, or has not isolated the endpoint yet.
                Err(_) => {}
            }
        }
        if to.is_empty() {
            let detail = "no isolation by this source is in effect for this endpoint";
            return Ok(refused("nothing_to_release", detail, Some(target)));
        }
        Ok(Transition::Delegated { to, target })
    }

    /// Releases the endpoints of decisions whose release is pending.
    pub(super) async fn release(
        &self,
        pending: Vec<Decision>,
        deadline: Option<Duration>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let mut by_tenant: BTreeMap<String, Vec<Decision>> = BTreeMap::new();
        for decision in pending {
            let tenant = decision.target().map(|target| target.tenant.clone()).unwrap_or_default();
            by_tenant.entry(tenant).or_default().push(decision);
        }
        let mut all = Vec::new();
        for (id, decisions) in by_tenant {
            let tenant = match self.tenant(&TenantId::from(id.as_str()), deadline).await {
                Ok(tenant) => tenant,
                Err(error) => {
                    let failed = |decision| (decision, Err(error.clone().into()));
                    all.extend(decisions.into_iter().map(failed));
                    continue;
                }
            };
            let mut ready = Vec::new();
            for mut decision in decisions {
                match self.prepare_release(&tenant, &mut decision).await {
                    Ok(true) => ready.push(decision),
                    Ok(false) => all.push((decision, Ok(()))),
                    Err(error) => all.push((decision, Err(error))),
                }
            }
            let mut ready = ready.into_iter().peekable();
            while ready.peek().is_some() {
                let batch: Vec<_> = ready.by_ref().take(MAX_IDS).collect();
                all.extend(self.release_batch(&tenant, batch).await);
            }
        }
        all
    }

    /// Returns whether to request the release: this decision owns the isolation, and no
    /// other decision keeps it. Otherwise the decision ends here, or waits for
    /// another that is about to take the endpoint over.
    async fn prepare_release(
        &self,
        tenant: &TenantClient<T>,
        decision: &mut Decision,
    ) -> Result<bool, EngineError> {
        let Some(target) = decision.target().cloned() else { return Ok(false) };
        let now = self.now().as_secs();
        let is_calling = |decision: &Decision| decision.call_lease_until().is_some_and(|until| until > now);
        // An isolation request may still be under way. It would take effect after
        // the release.
        if is_calling(decision) {
            return Ok(false);
        }
        let state = match tenant.send(&GetIsolation::new(target.endpoint.as_str())).await {
            Ok(state) => state,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let deleted = Transition::Superseded { detail: ENDPOINT_DELETED.to_owned() };
                self.record_transition(decision, deleted).await?;
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        let comment = state.comment.as_deref().unwrap_or_default();
        if state.enabled == Some(false) && decision.requested_at().is_none() {
            let detail = "the endpoint had not been isolated".to_owned();
            self.record_transition(decision, Transition::Released { detail, effective_at: None }).await?;
            return Ok(false);
        }
        if state.enabled == Some(false) || !decision.owns_comment(comment) {
            let detail = if state.enabled == Some(false) {
                "the isolation was ended outside this ledger".to_owned()
            } else {
                let comment = clean(&tenant.scrub(comment));
                format!(
                    "the endpoint was isolated again outside this ledger, and is released there: {comment}"
                )
            };
            self.record_transition(decision, Transition::Superseded { detail }).await?;
            return Ok(false);
        }
        // Decisions whose release is pending too do not count, so the last of them
        // releases. A decision without this comment tag does not count either: its
        // own isolation has ended.
        let others = self.other_claimants(&target, decision.id()).await?;
        let takes_over = |other: &&Decision| {
            matches!(other.state(), DecisionState::Requested | DecisionState::Isolated)
                && other.owns_comment(comment)
        };
        if let Some(other) = others.iter().find(takes_over) {
            self.record_transition(decision, Transition::Transferred { to: other.id().clone() }).await?;
            return Ok(false);
        }
        Ok(!others.iter().any(is_calling))
    }

    async fn release_batch(
        &self,
        tenant: &TenantClient<T>,
        batch: Vec<Decision>,
    ) -> Vec<(Decision, Result<(), EngineError>)> {
        let request = |decision: &Decision| IsolationRequest {
            endpoint: decision.target().map(|target| target.endpoint.clone()).unwrap_or_default(),
            comment_tag: decision.comment_tag().unwrap_or_default().to_owned(),
        };
        let requests: Vec<_> = batch.iter().map(request).collect();
        let comment = match batch.as_slice() {
            [decision] => format!("{}: released", decision.id()),
            _ => format!("released by {} decisions, see the ledger", batch.len()),
        };
        let results = apply(tenant, &requests, false, &comment).await;
        let mut all = Vec::with_capacity(batch.len());
        for (mut decision, result) in batch.into_iter().zip(results) {
            let recorded = match result {
                RequestResult::Applied(_) | RequestResult::External(_) => {
                    self.record_transition(&mut decision, Transition::ReleaseRequested).await.map(drop)
                }
                RequestResult::Failed(error) => Err(error.into()),
            };
            all.push((decision, recorded));
        }
        all
    }
}
